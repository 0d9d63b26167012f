//! One direction of a WebSocket: frames to plain bytes.
//!
//! nats-server and its clients agree on permessage-deflate without context takeover, so each message is inflated on its
//! own and nothing is kept between messages. Behind a proxy that agreed otherwise a message refers to what was said before:
//! the inflater is kept, and after a hole what is compressed cannot be read any more.

use flate2::{Decompress, FlushDecompress, Status};

use crate::parse::websocket::{self, CONTROL_MAX, FRAME_HEAD_MAX, Frame, FrameHead};

/// What every deflated message leaves out at its end (RFC 7692 section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
const CHUNK: usize = 4096;

/// What comes out of the frames.
#[derive(Clone, Copy, Debug)]
pub enum Out<'a> {
    /// Plain bytes.
    Bytes(&'a [u8]),
    /// Plain bytes that the capture does not hold, of known length.
    Gap(u64),
    /// An unknown amount is missing.
    Lost,
    /// Bytes that are no frame, or a message that cannot be inflated.
    Broken,
    /// A close frame: code and reason.
    Close(u16, &'a [u8]),
}

/// The reader of one direction.
#[derive(Debug, Default)]
pub struct WebSocketReader {
    head: [u8; FRAME_HEAD_MAX],
    have: u8,
    frame: Option<Frame>,
    left: u64,
    masked: u8,
    control: Vec<u8>,
    /// The current message is compressed.
    compressed: bool,
    inflate: Option<Box<Decompress>>,
    /// The window of the inflater lacks something: compressed messages are passed over.
    torn: bool,
    /// The sender is the server.
    server: bool,
    /// Nothing can be read until the next hole.
    blind: bool,
    /// A hole in a compressed message: its rest is passed over.
    skip: bool,
}

impl WebSocketReader {
    /// A reader of what the server or the client sends.
    pub fn new(server: bool) -> Self {
        Self {
            server,
            ..Self::default()
        }
    }

    /// The sender is the server.
    pub const fn is_server(&self) -> bool {
        self.server
    }

    /// Reads bytes in order. `takeover`: a message may refer to those before it.
    pub fn read(&mut self, bytes: &[u8], takeover: bool, mut sink: impl FnMut(Out<'_>)) {
        let mut rest = bytes;
        while !rest.is_empty() && !self.blind {
            if self.frame.is_some() {
                let n = rest
                    .len()
                    .min(usize::try_from(self.left).unwrap_or(usize::MAX));
                let (now, after) = rest.split_at(n);
                self.payload(now, takeover, &mut sink);
                self.left -= n as u64;
                rest = after;
                self.complete(takeover, &mut sink);
                continue;
            }
            self.head[usize::from(self.have)] = rest[0];
            self.have += 1;
            rest = &rest[1..];
            match websocket::frame(&self.head[..usize::from(self.have)]) {
                FrameHead::More => {}
                FrameHead::Whole(frame) => self.begin(frame, takeover, &mut sink),
                FrameHead::Wrong => {
                    self.blind = true;
                    sink(Out::Broken);
                }
            }
        }
    }

    /// Bytes that the capture does not hold.
    pub fn gap(&mut self, len: u64, takeover: bool, mut sink: impl FnMut(Out<'_>)) {
        let mut len = len;
        if let Some(frame) = self.frame {
            let n = len.min(self.left);
            len -= n;
            self.left -= n;
            self.masked = ((u64::from(self.masked) + n) % 4) as u8;
            if n > 0 && !frame.is_control() {
                if self.compressed {
                    self.skip = true;
                    self.inflate = None;
                    self.torn |= takeover;
                    sink(Out::Lost);
                } else {
                    sink(Out::Gap(n));
                }
            }
            self.complete(takeover, &mut sink);
        }
        if len > 0 {
            // The next byte may begin a frame: after a hole it often begins a segment.
            self.have = 0;
            self.blind = false;
            self.skip = false;
            self.inflate = None;
            self.torn |= takeover;
            sink(Out::Lost);
        }
    }

    fn begin(&mut self, frame: Frame, takeover: bool, sink: &mut impl FnMut(Out<'_>)) {
        self.have = 0;
        self.left = frame.len;
        self.masked = 0;
        if !frame.is_control() && frame.opcode != 0 {
            self.compressed = frame.compressed;
            self.skip = frame.compressed && self.torn && takeover;
            if self.skip {
                sink(Out::Lost);
            }
        }
        self.frame = Some(frame);
        self.complete(takeover, sink);
    }

    fn payload(&mut self, bytes: &[u8], takeover: bool, sink: &mut impl FnMut(Out<'_>)) {
        let Some(frame) = self.frame else { return };
        let Some(mask) = frame.mask else {
            self.plain(frame, bytes, takeover, sink);
            return;
        };
        let mut open = [0; CHUNK];
        for part in bytes.chunks(CHUNK) {
            let open = &mut open[..part.len()];
            for (index, (out, byte)) in open.iter_mut().zip(part).enumerate() {
                *out = byte ^ mask[(usize::from(self.masked) + index) % 4];
            }
            self.masked = ((usize::from(self.masked) + part.len()) % 4) as u8;
            self.plain(frame, open, takeover, sink);
        }
    }

    fn plain(
        &mut self,
        frame: Frame,
        bytes: &[u8],
        takeover: bool,
        sink: &mut impl FnMut(Out<'_>),
    ) {
        if frame.is_control() {
            let room = CONTROL_MAX - self.control.len().min(CONTROL_MAX);
            self.control
                .extend_from_slice(&bytes[..bytes.len().min(room)]);
        } else if self.skip || bytes.is_empty() {
        } else if self.compressed {
            self.inflate(bytes, takeover, sink);
        } else {
            sink(Out::Bytes(bytes));
        }
    }

    fn inflate(&mut self, bytes: &[u8], takeover: bool, sink: &mut impl FnMut(Out<'_>)) {
        let inflate = self
            .inflate
            .get_or_insert_with(|| Box::new(Decompress::new(false)));
        let mut out = [0; CHUNK];
        let mut rest = bytes;
        loop {
            let (read, written) = (inflate.total_in(), inflate.total_out());
            let status = inflate.decompress(rest, &mut out, FlushDecompress::Sync);
            rest = &rest[(inflate.total_in() - read) as usize..];
            let n = (inflate.total_out() - written) as usize;
            if n > 0 {
                sink(Out::Bytes(&out[..n]));
            }
            match status {
                Err(_) => {
                    self.inflate = None;
                    self.skip = true;
                    self.torn |= takeover;
                    sink(Out::Broken);
                    return;
                }
                Ok(Status::StreamEnd) => {
                    // RFC 7692 section 7.2.3.4: a message may end with a final block, and the next begins a new one.
                    inflate.reset(false);
                    return;
                }
                Ok(_) if rest.is_empty() && n < CHUNK => return,
                Ok(_) if n == 0 && inflate.total_in() == read => return,
                Ok(_) => {}
            }
        }
    }

    fn complete(&mut self, takeover: bool, sink: &mut impl FnMut(Out<'_>)) {
        let Some(frame) = self.frame.filter(|_| self.left == 0) else {
            return;
        };
        self.frame = None;
        if frame.is_control() {
            let control = std::mem::take(&mut self.control);
            if frame.opcode == 8 {
                match control.split_first_chunk::<2>() {
                    Some((code, reason)) => sink(Out::Close(u16::from_be_bytes(*code), reason)),
                    // RFC 6455 section 7.1.5: no code was given.
                    None => sink(Out::Close(1005, b"")),
                }
            }
        } else if frame.fin {
            if self.compressed && self.inflate.is_some() {
                self.inflate(&TAIL, takeover, sink);
            }
            if !takeover {
                self.inflate = None;
            }
            self.skip = false;
        }
    }
}
