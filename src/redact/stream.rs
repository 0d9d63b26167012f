//! One direction of a captured connection: segments in the order of the capture to replaced payloads. Bytes are put in
//! order, replaced once, and remembered a while, so that a retransmission gets the same bytes as the original.

use std::collections::BTreeMap;

use super::content::Content;
use super::mapper::Mapper;
use super::packet::BLANK;

/// Replaced bytes remembered for retransmissions; one from further back is blanked, which no reader of the first copy sees.
const REMEMBERED: usize = 64 << 10;
/// Bytes ahead of a hole that are kept; a segment further off is blanked.
const AHEAD_MAX: i64 = 16 << 20;

/// A piece that came before the bytes in front of it.
#[derive(Debug)]
struct Ahead {
    bytes: Vec<u8>,
    /// Bytes behind them that the capture cut off.
    cut: u64,
}

/// One direction.
#[derive(Debug)]
pub struct Stream {
    content: Content,
    first_seq: u32,
    /// Sequence number and offset of the next byte to come.
    next_seq: u32,
    next: i64,
    /// Replaced bytes; the last one stands before `resolved`.
    done: Vec<u8>,
    resolved: i64,
    ahead: BTreeMap<i64, Ahead>,
    /// Frames that wait for bytes of this direction.
    pub waiting: Vec<u64>,
}

impl Stream {
    /// A direction whose first byte has this sequence number; `from_start` where that is the connection's first.
    pub fn new(seq: u32, from_start: bool) -> Self {
        Self {
            content: Content::new(from_start),
            first_seq: seq,
            next_seq: seq,
            next: 0,
            done: Vec::new(),
            resolved: 0,
            ahead: BTreeMap::new(),
            waiting: Vec::new(),
        }
    }

    /// Takes a payload of `len` bytes on the wire, of which `captured` are here; gives its offset, by which
    /// [`Stream::payload`] gives it back, or `None` where it belongs nowhere.
    pub fn take(&mut self, mapper: &Mapper, seq: u32, captured: &[u8], len: usize) -> Option<i64> {
        // Whoever waited for these bytes has them.
        if self.done.len() > 2 * REMEMBERED {
            self.done.drain(..self.done.len() - REMEMBERED);
        }
        let at = self.next + i64::from(seq.wrapping_sub(self.next_seq) as i32);
        if at - self.next > AHEAD_MAX {
            return None;
        }
        let cut = (len - captured.len().min(len)) as u64;
        if at > self.next {
            self.ahead.entry(at).or_insert_with(|| Ahead {
                bytes: captured.to_vec(),
                cut,
            });
            return Some(at);
        }
        self.feed(mapper, at, captured, cut);
        self.catch_up(mapper);
        Some(at)
    }

    /// True if the direction's first byte has this sequence number.
    pub const fn begins_with(&self, seq: u32) -> bool {
        self.first_seq == seq
    }

    /// True once the bytes up to `end` are replaced.
    pub const fn has(&self, end: i64) -> bool {
        end <= self.resolved
    }

    /// Writes the replaced bytes from offset `at` on; those forgotten, or never held, become blanks.
    pub fn payload(&self, at: i64, out: &mut [u8]) {
        let first = self.resolved - self.done.len() as i64;
        for (offset, byte) in (at..).zip(out) {
            let known = usize::try_from(offset - first)
                .ok()
                .and_then(|index| self.done.get(index));
            *byte = known.copied().unwrap_or(BLANK);
        }
    }

    /// Makes sure that the bytes up to `end` are replaced: units are cut, holes are given up.
    pub fn force(&mut self, mapper: &Mapper, end: i64) {
        loop {
            self.replaced(|content, done| content.flush(mapper, done));
            if self.has(end) {
                break;
            }
            let Some((&at, _)) = self.ahead.first_key_value() else {
                break;
            };
            self.skip(mapper, (at - self.next).max(0) as u64);
            self.catch_up(mapper);
        }
    }

    /// Gives in bytes that follow what is there, perhaps repeating some of it.
    fn feed(&mut self, mapper: &Mapper, at: i64, bytes: &[u8], cut: u64) {
        let known = (self.next - at) as usize;
        if let Some(new) = bytes.get(known..).filter(|new| !new.is_empty()) {
            self.advance(new.len() as u64);
            self.replaced(|content, done| content.push(mapper, new, done));
        }
        let end = at + bytes.len() as i64 + cut as i64;
        if end > self.next && cut > 0 {
            self.skip(mapper, (end - self.next) as u64);
        }
    }

    /// Bytes that the capture does not hold.
    fn skip(&mut self, mapper: &Mapper, len: u64) {
        self.replaced(|content, done| content.gap(mapper, len, done));
        self.advance(len);
        // Offsets in memory go on through the hole.
        let missing = (self.next - self.resolved) as usize;
        self.done.resize(self.done.len() + missing, BLANK);
        self.resolved = self.next;
    }

    fn catch_up(&mut self, mapper: &Mapper) {
        while let Some(entry) = self
            .ahead
            .first_entry()
            .filter(|entry| *entry.key() <= self.next)
        {
            let (at, ahead) = entry.remove_entry();
            self.feed(mapper, at, &ahead.bytes, ahead.cut);
        }
    }

    fn advance(&mut self, len: u64) {
        self.next += len as i64;
        self.next_seq = self.next_seq.wrapping_add(len as u32);
    }

    fn replaced(&mut self, work: impl FnOnce(&mut Content, &mut Vec<u8>)) {
        let before = self.done.len();
        work(&mut self.content, &mut self.done);
        self.resolved += (self.done.len() - before) as i64;
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::Key;
    use super::*;

    fn payload(stream: &Stream, at: i64, len: usize) -> String {
        let mut out = vec![0; len];
        stream.payload(at, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn order_and_cuts_of_segments_do_not_matter() {
        let mapper = Mapper::new(&Key::from_bytes(b"k"));
        let text = b"CONNECT {\"name\":\"acme-7\"}\r\nPUB acme.orders 6\r\nsecret\r\nPING\r\n";
        let mut whole = Stream::new(100, true);
        whole.take(&mapper, 100, text, text.len());
        let want = payload(&whole, 0, text.len());
        assert!(
            want.ends_with(" 6\r\nxxxxxx\r\nPING\r\n") && !want.contains("acme"),
            "{want}"
        );
        for size in [1, 2, 3, 7, 20] {
            let mut stream = Stream::new(100, true);
            let mut pieces: Vec<(usize, &[u8])> = text
                .chunks(size)
                .enumerate()
                .map(|(n, piece)| (n * size, piece))
                .collect();
            // Pairs swapped, and each piece twice.
            pieces.chunks_mut(2).for_each(<[_]>::reverse);
            for (at, piece) in pieces.into_iter().flat_map(|piece| [piece, piece]) {
                assert_eq!(
                    stream.take(&mapper, 100 + at as u32, piece, piece.len()),
                    Some(at as i64)
                );
            }
            assert!(stream.has(text.len() as i64));
            assert_eq!(payload(&stream, 0, text.len()), want, "{size}");
        }
    }

    #[test]
    fn a_cut_payload_leaves_the_next_line_in_step() {
        let mapper = Mapper::new(&Key::from_bytes(b"k"));
        let mut stream = Stream::new(0, true);
        let head = b"PUB acme 100\r\nabc";
        stream.take(&mapper, 0, head, 14 + 102);
        let next = stream
            .take(&mapper, 116, b"PUB acme 1\r\nz\r\n", 15)
            .expect("an offset");
        assert_eq!(next, 116);
        let text = payload(&stream, 116, 15);
        assert!(
            text.starts_with("PUB ") && text.ends_with(" 1\r\nx\r\n"),
            "{text}"
        );
    }

    #[test]
    fn a_hole_is_given_up_when_asked() {
        let mapper = Mapper::new(&Key::from_bytes(b"k"));
        let mut stream = Stream::new(0, true);
        stream.take(&mapper, 0, b"PING\r\n", 6);
        stream.take(&mapper, 50, b"ab\r\nPING\r\nacme", 14);
        assert!(stream.has(6) && !stream.has(64));
        stream.force(&mapper, 64);
        assert!(stream.has(64));
        assert_eq!(payload(&stream, 50, 10), "xx\r\nPING\r\n");
        assert!(!payload(&stream, 60, 4).contains("acme"));
    }
}
