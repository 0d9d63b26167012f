//! One direction of an S2 stream: chunks to plain bytes.

use crate::parse::s2::{self, CHECKSUM, Chunk, HEADER, IDENTIFIER};

/// What comes out of the stream.
#[derive(Clone, Copy, Debug)]
pub enum Out<'a> {
    /// Plain bytes.
    Bytes(&'a [u8]),
    /// Plain bytes that the capture does not hold, of known length.
    Gap(u64),
    /// An unknown amount is missing.
    Lost,
    /// A chunk that cannot be read.
    Broken,
}

/// The reader of one direction.
#[derive(Clone, Debug, Default)]
pub struct S2Reader {
    /// The beginning of a chunk header, or of the identifier that is searched for.
    head: [u8; IDENTIFIER.len()],
    have: u8,
    chunk: Option<Chunk>,
    /// Bytes of the chunk that follow, and how many of them are checksum.
    left: u32,
    checksum: u32,
    block: Vec<u8>,
    lost: bool,
}

impl S2Reader {
    /// Reads bytes in order.
    pub fn read(&mut self, bytes: &[u8], mut sink: impl FnMut(Out<'_>)) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let Some(chunk) = self.chunk else {
                self.head_byte(rest[0], &mut sink);
                rest = &rest[1..];
                continue;
            };
            let n = rest.len().min(self.left as usize);
            let (mut now, after) = rest.split_at(n);
            let skip = now.len().min(self.checksum as usize);
            self.checksum -= skip as u32;
            now = &now[skip..];
            match chunk {
                Chunk::Plain if !now.is_empty() => sink(Out::Bytes(now)),
                Chunk::Compressed => self.block.extend_from_slice(now),
                _ => {}
            }
            self.left -= n as u32;
            rest = after;
            self.complete(&mut sink);
        }
    }

    /// Bytes that the capture does not hold.
    pub fn gap(&mut self, len: u64, mut sink: impl FnMut(Out<'_>)) {
        let mut len = len;
        if let Some(chunk) = self.chunk {
            let n = len.min(u64::from(self.left)) as u32;
            len -= u64::from(n);
            let skip = n.min(self.checksum);
            self.checksum -= skip;
            match chunk {
                Chunk::Plain if n > skip => sink(Out::Gap(u64::from(n - skip))),
                Chunk::Compressed if n > 0 => {
                    // Without these bytes the block is lost; the rest of it is passed over.
                    self.chunk = Some(Chunk::Skipped);
                    self.block = Vec::new();
                    sink(Out::Lost);
                }
                _ => {}
            }
            self.left -= n;
            self.complete(&mut sink);
        }
        if len > 0 {
            self.have = 0;
            self.lost = true;
            sink(Out::Lost);
        }
    }

    fn complete(&mut self, sink: &mut impl FnMut(Out<'_>)) {
        if self.left > 0 {
            return;
        }
        if self.chunk.take() == Some(Chunk::Compressed) {
            match s2::decode(&std::mem::take(&mut self.block)) {
                Some(plain) => sink(Out::Bytes(&plain)),
                None => sink(Out::Broken),
            }
        }
    }

    fn head_byte(&mut self, byte: u8, sink: &mut impl FnMut(Out<'_>)) {
        self.head[usize::from(self.have)] = byte;
        self.have += 1;
        let have = usize::from(self.have);
        if self.lost {
            if IDENTIFIER.starts_with(&self.head[..have]) {
                if have == IDENTIFIER.len() {
                    self.lost = false;
                    self.have = 0;
                }
            } else {
                // No beginning of the identifier occurs again inside it.
                self.have = u8::from(byte == IDENTIFIER[0]);
                self.head[0] = byte;
            }
            return;
        }
        if have < HEADER {
            return;
        }
        self.have = 0;
        let head = [self.head[0], self.head[1], self.head[2], self.head[3]];
        let Some((chunk, len)) = s2::header(head) else {
            self.lost = true;
            sink(Out::Broken);
            return;
        };
        self.left = len;
        self.checksum = if chunk == Chunk::Skipped { 0 } else { CHECKSUM };
        self.chunk = (len > 0).then_some(chunk);
    }
}
