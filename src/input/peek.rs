//! The beginning of a reader, looked at without losing it, through compressions and holes.

use std::io::{self, Cursor, Read};

use super::decompress::{Bytes, Codec, Limits, decoder};
use super::sniff::{self, HEAD, Look};

/// Compressions around compressions that are looked through.
const MAX_LAYERS: usize = 4;

/// How much of a stream may be needed before a decoder gives its first byte: bzip2 and lz4 work in blocks.
const BLOCK_HEAD: usize = 5 << 20;

/// The largest hole at the beginning of a log that is looked behind.
const MAX_HOLE: u64 = 64 << 30;

/// A reader whose beginning was looked at.
pub struct Peeked<'r> {
    head: Vec<u8>,
    rest: Bytes<'r>,
    ended: bool,
}

/// What the beginning says, with the compressions that were looked through.
pub struct Seen {
    /// What it is.
    pub look: Look,
    /// Compressions, outermost first.
    pub layers: Vec<Codec>,
    /// The decoded beginning.
    pub head: Vec<u8>,
}

impl Seen {
    /// Why something that is still compressed cannot be used.
    pub fn too_deep(&self) -> String {
        match self.look {
            Look::Packed(codec) if self.layers.len() < MAX_LAYERS => {
                format!("the {} data is broken from its beginning", codec.word())
            }
            _ => format!("compressed more than {MAX_LAYERS} times over"),
        }
    }
}

impl<'r> Peeked<'r> {
    /// Reads the beginning.
    pub fn new(rest: Bytes<'r>) -> io::Result<Self> {
        let mut peeked = Self {
            head: Vec::new(),
            rest,
            ended: false,
        };
        peeked.grow(HEAD)?;
        let mut passed = 0;
        while is_hole(&mut peeked.head) && passed < MAX_HOLE {
            passed += HEAD as u64;
            peeked.grow(HEAD)?;
        }
        Ok(peeked)
    }

    /// Reads on until the head holds `size` bytes. A failure after the first bytes is left for the reader to meet
    /// again.
    fn grow(&mut self, size: usize) -> io::Result<()> {
        let want = size.saturating_sub(self.head.len()) as u64;
        match (&mut self.rest).take(want).read_to_end(&mut self.head) {
            Ok(n) => self.ended = (n as u64) < want,
            Err(e) if self.head.is_empty() => return Err(e),
            Err(e) => {
                self.rest = Box::new(Failing(Some(e)));
                self.ended = true;
            }
        }
        Ok(())
    }

    /// The reader from its first byte on, a hole of zero bytes left out.
    pub fn all(self) -> Bytes<'r> {
        Box::new(Cursor::new(self.head).chain(self.rest))
    }

    /// Looks at the beginning, reading more of it where a decoder needs more.
    pub fn look(&mut self, limits: Limits) -> Seen {
        let mut seen = look_through(&self.head, self.ended, limits);
        if matches!(seen.look, Look::Packed(_)) && !self.ended && self.grow(BLOCK_HEAD).is_ok() {
            seen = look_through(&self.head, self.ended, limits);
        }
        seen
    }
}

/// Looks at a head through its compressions; the look is `Packed` where a decoder gives nothing.
fn look_through(head: &[u8], mut complete: bool, limits: Limits) -> Seen {
    let mut layers = Vec::new();
    let mut head = head.to_vec();
    loop {
        let look = sniff::look(
            &head[..head.len().min(HEAD)],
            complete && head.len() <= HEAD,
        );
        let Look::Packed(codec) = look else {
            return Seen { look, layers, head };
        };
        if layers.len() == MAX_LAYERS {
            return Seen { look, layers, head };
        }
        let mut inner = Vec::new();
        let cut = decoder(codec, Box::new(&head[..]), limits)
            .and_then(|mut decoded| {
                (&mut decoded).take(HEAD as u64).read_to_end(&mut inner)?;
                while is_hole(&mut inner) {
                    let more = (HEAD - inner.len()) as u64;
                    (&mut decoded).take(more).read_to_end(&mut inner)?;
                }
                if Codec::of(&inner).is_some() {
                    let more = BLOCK_HEAD.saturating_sub(inner.len()) as u64;
                    decoded.take(more).read_to_end(&mut inner)?;
                }
                Ok(())
            })
            .is_err();
        if inner.is_empty() && cut {
            return Seen { look, layers, head };
        }
        complete = complete && !cut && inner.len() < HEAD;
        layers.push(codec);
        head = inner;
    }
}

/// True for a head of nothing but zero bytes, which is emptied but for a few that show the encoding: a log that was
/// truncated while open begins with a hole as large as it once was, and the text is behind it.
fn is_hole(head: &mut Vec<u8>) -> bool {
    let hole = head.len() == HEAD && head.iter().all(|&b| b == 0);
    if hole {
        head.truncate(512);
    }
    hole
}

/// A failure that was met while peeking, met again when the reader gets there.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}
