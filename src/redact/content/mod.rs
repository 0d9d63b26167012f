//! The bytes of one direction of a connection, in order, to as many other bytes that say the same about the connection.
//!
//! A unit (a control line, a TLS record, a packet, a chunk, a frame) is held until it is whole; payloads pass as they
//! come. Every byte that goes in comes out once, changed or not, at its own place.

mod http;
mod mqtt;
mod ops;
mod s2;
mod tls;
mod websocket;

use super::mapper::Mapper;
use super::packet::BLANK;
use super::text::{self, Style};
use crate::parse::nats::not_nats::{self, Beginning};

/// Longest unit that is held; longer ones are blanked.
const UNIT_MAX: usize = 1 << 20;

/// What the next byte belongs to.
#[derive(Debug)]
enum Layer {
    /// The beginning of a stream, or of what follows a line that is no NATS.
    Start,
    /// NATS: lines and payloads.
    Ops(ops::Place),
    /// TLS records; true once a hello was seen.
    Tls(bool),
    /// An HTTP head.
    Http,
    /// What follows a head; another may follow it.
    HttpBody,
    /// WebSocket frames, with the NATS inside them.
    WebSocket(Box<ops::Place>),
    /// MQTT packets.
    Mqtt,
    /// S2 chunks, with the NATS inside them.
    S2(Box<ops::Place>),
    /// Lines of some text protocol.
    Text,
    /// Nothing that is known.
    Opaque,
}

/// Outcome of trying to replace the unit at the front.
enum Step {
    /// So many bytes were replaced, in place; they can go.
    Done(usize),
    /// So many bytes were replaced, and then so many are blanked as they come.
    Blank(usize, u64),
    /// So many bytes were replaced, and then another layer begins.
    Then(usize, Layer),
    /// Another layer begins here.
    Becomes(Layer),
    /// More bytes are needed.
    More,
}

/// One direction.
#[derive(Debug)]
pub struct Content {
    layer: Layer,
    held: Vec<u8>,
    /// Bytes to blank before the next unit.
    blank: u64,
}

impl Content {
    /// A direction that begins with its first byte, or somewhere in its midst.
    pub fn new(from_start: bool) -> Self {
        Self {
            layer: if from_start {
                Layer::Start
            } else {
                Layer::Ops(ops::Place::Lost)
            },
            held: Vec::new(),
            blank: 0,
        }
    }

    /// Takes bytes in order; what can be replaced goes to `out`.
    pub fn push(&mut self, mapper: &Mapper, bytes: &[u8], out: &mut Vec<u8>) {
        self.held.extend_from_slice(bytes);
        self.advance(mapper, false, out);
        if self.held.len() > UNIT_MAX + (UNIT_MAX >> 1) {
            self.flush(mapper, out);
        }
    }

    /// Replaces what is held, whole or not.
    pub fn flush(&mut self, mapper: &Mapper, out: &mut Vec<u8>) {
        self.advance(mapper, true, out);
    }

    /// Bytes that the capture does not hold; nothing goes to `out` for them.
    pub fn gap(&mut self, mapper: &Mapper, len: u64, out: &mut Vec<u8>) {
        self.flush(mapper, out);
        let skip = self.blank.min(len);
        self.blank -= skip;
        let len = len - skip;
        if len == 0 {
            return;
        }
        self.layer = match std::mem::replace(&mut self.layer, Layer::Opaque) {
            Layer::Ops(place) => Layer::Ops(place.gap(len)),
            Layer::Start | Layer::Text => Layer::Ops(ops::Place::Lost),
            Layer::Tls(_) => Layer::Tls(true),
            Layer::S2(_) => Layer::S2(Box::new(ops::Place::Lost)),
            // Where a packet or a frame begins cannot be found again.
            Layer::Http | Layer::HttpBody | Layer::WebSocket(_) | Layer::Mqtt | Layer::Opaque => {
                Layer::Opaque
            }
        };
    }

    fn advance(&mut self, mapper: &Mapper, last: bool, out: &mut Vec<u8>) {
        while !self.held.is_empty() {
            if self.blank > 0 {
                let n = self.blank.min(self.held.len() as u64) as usize;
                out.resize(out.len() + n, BLANK);
                self.held.drain(..n);
                self.blank -= n as u64;
                continue;
            }
            let held = &mut self.held;
            let step = match &mut self.layer {
                Layer::Start => start(mapper, held, last),
                Layer::Ops(place) => place.step(mapper, held, last),
                Layer::Tls(greeted) => tls::step(mapper, held, last, greeted),
                Layer::Http => http::step(mapper, held, last),
                Layer::HttpBody => http::body(held),
                Layer::WebSocket(place) => websocket::step(mapper, held, last, place),
                Layer::Mqtt => mqtt::step(mapper, held, last),
                Layer::S2(place) => s2::step(mapper, held, last, place),
                Layer::Text => lines(mapper, held, last),
                Layer::Opaque => Step::Blank(0, held.len() as u64),
            };
            match step {
                Step::Done(len) => {
                    let len = len.clamp(1, self.held.len());
                    out.extend(self.held.drain(..len));
                }
                Step::Blank(len, blank) => {
                    out.extend(self.held.drain(..len.min(self.held.len())));
                    self.blank = blank;
                }
                Step::Then(len, layer) => {
                    out.extend(self.held.drain(..len.min(self.held.len())));
                    self.layer = layer;
                }
                Step::Becomes(layer) => self.layer = layer,
                Step::More if last => self.blank = self.held.len() as u64,
                Step::More => return,
            }
        }
    }
}

/// What the stream is, from its first bytes.
fn start(mapper: &Mapper, held: &mut [u8], last: bool) -> Step {
    let Some(beginning) = not_nats::beginning(held, last) else {
        return Step::More;
    };
    Step::Becomes(match beginning {
        Beginning::Nats => Layer::Ops(ops::Place::Line),
        Beginning::Tls => Layer::Tls(false),
        Beginning::S2 => Layer::S2(Box::new(ops::Place::Line)),
        Beginning::Http => Layer::Http,
        Beginning::Mqtt => Layer::Mqtt,
        // A header with the addresses of the real ends: 16 bytes, and as many more as its last two say.
        Beginning::Proxy(2) => match held.get(14..16) {
            Some(&[high, low]) => {
                return Step::Blank(16, u64::from(u16::from_be_bytes([high, low])));
            }
            None if last => Layer::Opaque,
            _ => return Step::More,
        },
        // One line, and then the real beginning.
        Beginning::Proxy(_) => {
            return match memchr::memchr(b'\n', held) {
                Some(lf) => lines(mapper, &mut held[..=lf], true),
                None if last => Step::Becomes(Layer::Text),
                None => Step::More,
            };
        }
        Beginning::Unknown => Layer::Text,
        Beginning::Named(_) => {
            // The signature stays; it names a protocol, not a user of it.
            const SIGNATURE: usize = 8;
            if held.len() < SIGNATURE && !last {
                return Step::More;
            }
            let text = held.starts_with(b"SSH-");
            return if text {
                Step::Becomes(Layer::Text)
            } else {
                Step::Blank(SIGNATURE, u64::MAX)
            };
        }
    })
}

/// A line of text, or what there is of it.
fn lines(mapper: &Mapper, held: &mut [u8], last: bool) -> Step {
    const LONGEST: usize = 4 << 10;
    let end = match memchr::memchr(b'\n', held) {
        Some(lf) => lf + 1,
        None if last || held.len() > LONGEST => held.len(),
        None => return Step::More,
    };
    let style = Style {
        same_length: true,
        ..Style::default()
    };
    in_place(mapper, &mut held[..end], |mapper, line| {
        text::redact(mapper, line, style)
    });
    Step::Done(end)
}

/// Replaces a text in place by one of the same length; bytes that are no UTF-8 become blanks.
fn in_place(mapper: &Mapper, bytes: &mut [u8], new: impl FnOnce(&Mapper, &str) -> String) {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::from(BLANK)));
    }
    let new = new(mapper, &text);
    if new.len() == bytes.len() {
        bytes.copy_from_slice(new.as_bytes());
    } else {
        bytes.fill(BLANK);
    }
}

#[cfg(test)]
mod tests;
