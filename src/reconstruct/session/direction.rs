//! One direction's bytes through its layers: what carries the protocol is told from the first bytes, and again where a
//! line begins with a byte that is no text (TLS or S2 after INFO).

use super::facts::{Listener, index};
use super::mqtt_reader::MqttReader;
use super::s2_reader::{self, S2Reader};
use super::tls_layer::TlsLayer;
use super::websocket_reader::{self, WebSocketReader};
use super::{Verb, WebSocketSeen};
use crate::parse::nats::glance::could_start;
use crate::parse::nats::not_nats::{Beginning, ENOUGH, beginning};
use crate::parse::nats::op_reader::{OpReader, OpSink};
use crate::parse::websocket::{HEAD_MAX, http_head};
use crate::span::Moment;

/// What carries the operations.
#[derive(Debug, Default)]
enum Layer {
    /// Not known yet: the direction begins, or a line begins with a strange byte.
    #[default]
    Unknown,
    /// Operations.
    Plain,
    /// An HTTP head that is not complete.
    Http,
    WebSocket(Box<WebSocketReader>),
    Tls(Box<TlsLayer>),
    S2(Box<S2Reader>),
    Mqtt(Box<MqttReader>),
    /// A PROXY header, version 1: its line is passed over.
    ProxyLine,
    /// A PROXY header, version 2: bytes seen, and bytes in all.
    Proxy(u32, u32),
    /// Something else; it is not read.
    Other,
}

/// One direction.
#[derive(Debug, Default)]
pub struct Direction {
    layer: Layer,
    /// The reader has seen the beginning: later strange bytes have no name.
    begun: bool,
    /// These bytes came out of TLS, which does not begin a second time.
    inside: bool,
    /// Its line buffer also holds the bytes that are not decided yet, and an incomplete HTTP head.
    ops: OpReader,
}

impl Direction {
    /// What comes out of opened TLS records.
    pub fn inside_tls() -> Self {
        Self {
            inside: true,
            ..Self::default()
        }
    }

    /// Bytes in order.
    pub fn data(&mut self, at: Moment, bytes: &[u8], listener: &mut Listener<'_>) {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = match &mut self.layer {
                Layer::Plain => match self.ops.read(rest, at, listener) {
                    Some(strange) => {
                        self.layer = Layer::Unknown;
                        &rest[strange..]
                    }
                    None => &[],
                },
                Layer::Unknown => self.sniff(rest, at, listener),
                Layer::Http => self.http(rest, at, listener),
                Layer::ProxyLine => match memchr::memchr(b'\n', rest) {
                    Some(lf) => {
                        self.layer = Layer::Unknown;
                        &rest[lf + 1..]
                    }
                    None => &[],
                },
                Layer::Proxy(seen, len) => {
                    // "The PROXY protocol" section 2.2: the length of the rest in bytes 15 and 16.
                    match *seen {
                        14 => *len = u32::from(rest[0]) << 8,
                        15 => *len += u32::from(rest[0]) + 16,
                        _ => {}
                    }
                    *seen += 1;
                    if *seen >= 16 && seen >= len {
                        self.layer = Layer::Unknown;
                    }
                    &rest[1..]
                }
                Layer::WebSocket(reader) => {
                    let ops = &mut self.ops;
                    let takeover = takeover(reader.is_server(), listener);
                    reader.read(rest, takeover, |out| from_websocket(ops, out, at, listener));
                    &[]
                }
                Layer::S2(reader) => {
                    let ops = &mut self.ops;
                    reader.read(rest, |out| from_s2(ops, out, at, listener));
                    &[]
                }
                Layer::Tls(layer) => {
                    layer.data(at, rest, listener);
                    &[]
                }
                Layer::Mqtt(reader) => {
                    reader.read(rest, at, listener);
                    &[]
                }
                Layer::Other => &[],
            };
        }
    }

    /// Bytes that the capture does not hold.
    pub fn gap(&mut self, at: Moment, len: u64, listener: &mut Listener<'_>) {
        self.decide(at, listener);
        match &mut self.layer {
            Layer::Unknown | Layer::Plain => {
                self.layer = Layer::Plain;
                self.begun = true;
                if !self.ops.gap(at, len, listener) {
                    listener.lost(at);
                }
            }
            Layer::Http | Layer::ProxyLine | Layer::Proxy(..) => self.layer = Layer::Other,
            Layer::WebSocket(reader) => {
                let ops = &mut self.ops;
                let takeover = takeover(reader.is_server(), listener);
                reader.gap(len, takeover, |out| {
                    from_websocket(ops, out, at, listener);
                });
            }
            Layer::S2(reader) => {
                let ops = &mut self.ops;
                reader.gap(len, |out| from_s2(ops, out, at, listener));
            }
            Layer::Tls(layer) => layer.gap(at, len, listener),
            Layer::Mqtt(reader) => {
                if !reader.gap(at, len, listener) {
                    listener.lost(at);
                }
            }
            Layer::Other => {}
        }
    }

    /// An unknown amount is missing.
    pub fn lost(&mut self, at: Moment, listener: &mut Listener<'_>) {
        match self.layer {
            Layer::Unknown | Layer::Plain => {
                self.decide(at, listener);
                self.layer = Layer::Plain;
                self.begun = true;
                self.ops.lose_step();
                listener.lost(at);
            }
            _ => self.gap(at, u64::MAX, listener),
        }
    }

    /// The end of the direction.
    pub fn end(&mut self, at: Moment, by_fin: bool, listener: &mut Listener<'_>) {
        self.decide(at, listener);
        if let Layer::Tls(layer) = &mut self.layer
            && layer.end(at, by_fin, listener)
        {
            return;
        }
        let cut = match &self.layer {
            Layer::Mqtt(reader) => {
                let serves = listener.facts.kin.serves[index(listener.from)];
                reader.end(if serves { Verb::Msg } else { Verb::Pub })
            }
            _ => self.ops.end(at, listener),
        };
        listener.me.end(at, cut, by_fin);
    }

    /// Looks at the first bytes; gives those that are still to be read.
    fn sniff<'b>(&mut self, bytes: &'b [u8], at: Moment, listener: &mut Listener<'_>) -> &'b [u8] {
        let held = self.ops.buffer();
        if held.is_empty() && bytes.len() >= 4 && could_start(&bytes[..4]) {
            // The common case, without a copy.
            self.layer = Layer::Plain;
            self.begun = true;
            return bytes;
        }
        let more = bytes.len().min(ENOUGH - held.len());
        let mut start = std::mem::take(held);
        start.extend_from_slice(&bytes[..more]);
        match beginning(&start, start.len() == ENOUGH) {
            Some(known) => self.enter(known, &start, at, listener),
            None => *self.ops.buffer() = start,
        }
        &bytes[more..]
    }

    /// Decides with the bytes that are there.
    fn decide(&mut self, at: Moment, listener: &mut Listener<'_>) {
        match self.layer {
            Layer::Unknown if !self.ops.buffer().is_empty() => {
                let start = std::mem::take(self.ops.buffer());
                let known = beginning(&start, true).unwrap_or(Beginning::Unknown);
                self.enter(known, &start, at, listener);
            }
            _ => {}
        }
        if matches!(self.layer, Layer::Http) {
            self.not_websocket(at, listener);
        }
    }

    fn enter(&mut self, known: Beginning, start: &[u8], at: Moment, listener: &mut Listener<'_>) {
        let first = !std::mem::replace(&mut self.begun, true);
        self.layer = match known {
            Beginning::Tls if !self.inside => {
                let keys = listener.keys.is_some_and(|ring| !ring.is_empty());
                Layer::Tls(Box::new(TlsLayer::new(keys)))
            }
            Beginning::S2 => {
                listener.facts.compressed = true;
                Layer::S2(Box::default())
            }
            Beginning::Http if first => Layer::Http,
            Beginning::Mqtt if first => Layer::Mqtt(Box::default()),
            Beginning::Proxy(version) if first => {
                self.begun = false;
                if version == 1 {
                    Layer::ProxyLine
                } else {
                    Layer::Proxy(0, 0)
                }
            }
            Beginning::Named(name) if first => {
                listener.name(name);
                listener.unreadable(at, start);
                Layer::Other
            }
            _ => {
                self.ops.allow_binary();
                Layer::Plain
            }
        };
        self.data(at, start, listener);
    }

    /// An HTTP head: bytes up to its empty line are held.
    fn http<'b>(&mut self, bytes: &'b [u8], at: Moment, listener: &mut Listener<'_>) -> &'b [u8] {
        let held = self.ops.buffer();
        let before = held.len();
        let room = HEAD_MAX - before.min(HEAD_MAX);
        held.extend_from_slice(&bytes[..bytes.len().min(room)]);
        let from = before.saturating_sub(3);
        let Some(end) = memchr::memmem::find(&held[from..], b"\r\n\r\n") else {
            if held.len() >= HEAD_MAX {
                self.not_websocket(at, listener);
            }
            return &bytes[bytes.len().min(room)..];
        };
        let end = from + end + 4;
        let head = http_head(&held[..end - 4]);
        let used = end - before;
        if !head.upgrade && head.status.is_none() {
            held.truncate(end);
            self.not_websocket(at, listener);
            return &bytes[used..];
        }
        let upgraded = head.status.is_none_or(|status| status == 101);
        let seen = listener
            .facts
            .rare()
            .websocket
            .get_or_insert_with(|| WebSocketSeen {
                at,
                ..WebSocketSeen::default()
            });
        let me = index(listener.from);
        if let Some(status) = head.status {
            seen.status = Some(status);
            seen.deflate = head.deflate;
            seen.client_takeover = head.deflate && !head.client_no_takeover;
            seen.server_takeover = head.deflate && !head.server_no_takeover;
            listener.facts.kin.serves[me] = true;
        } else {
            seen.at = at;
            seen.path = head.path;
            seen.forwarded_for = head.forwarded_for;
            listener.facts.kin.asks[me] = true;
        }
        *self.ops.buffer() = Vec::new();
        if upgraded {
            let reader = WebSocketReader::new(head.status.is_some());
            self.layer = Layer::WebSocket(Box::new(reader));
        } else {
            self.layer = Layer::Other;
        }
        &bytes[used..]
    }

    fn not_websocket(&mut self, at: Moment, listener: &mut Listener<'_>) {
        let head = std::mem::take(self.ops.buffer());
        listener.name("HTTP");
        let line = head.split(|&byte| byte == b'\r').next().unwrap_or_default();
        listener.unreadable(at, &line[..line.len().min(ENOUGH)]);
        self.layer = Layer::Other;
    }
}

/// Messages of this end may refer to those before; so they may as long as the server's answer has not been read.
fn takeover(server: bool, listener: &Listener<'_>) -> bool {
    let rare = listener.facts.rare.as_deref();
    rare.and_then(|rare| rare.websocket.as_ref())
        .is_some_and(|seen| match server {
            _ if seen.status.is_none() => true,
            true => seen.server_takeover,
            false => seen.client_takeover,
        })
}

fn from_websocket(
    ops: &mut OpReader,
    out: websocket_reader::Out<'_>,
    at: Moment,
    listener: &mut Listener<'_>,
) {
    use websocket_reader::Out;
    match out {
        Out::Bytes(bytes) => read_all(ops, bytes, at, listener),
        Out::Gap(len) => {
            if !ops.gap(at, len, listener) {
                listener.lost(at);
            }
        }
        Out::Lost => {
            ops.lose_step();
            listener.lost(at);
        }
        Out::Broken => {
            ops.lose_step();
            listener.unreadable(at, b"");
        }
        Out::Close(code, reason) => listener.closed(at, code, reason),
    }
}

fn from_s2(ops: &mut OpReader, out: s2_reader::Out<'_>, at: Moment, listener: &mut Listener<'_>) {
    use s2_reader::Out;
    match out {
        Out::Bytes(bytes) => read_all(ops, bytes, at, listener),
        Out::Gap(len) => {
            if !ops.gap(at, len, listener) {
                listener.lost(at);
            }
        }
        Out::Lost => {
            ops.lose_step();
            listener.lost(at);
        }
        Out::Broken => {
            ops.lose_step();
            listener.unreadable(at, b"");
        }
    }
}

/// Inside another layer no third protocol begins.
fn read_all(ops: &mut OpReader, bytes: &[u8], at: Moment, listener: &mut Listener<'_>) {
    let mut rest = bytes;
    while let Some(strange) = ops.read(rest, at, listener) {
        rest = &rest[strange..];
        ops.allow_binary();
    }
}
