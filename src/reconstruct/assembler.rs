//! Which bytes of a stream are present, which are holes; and the payload behind a hole, kept until the hole is filled or
//! given up. It reports holes and overlaps, it does not judge them.

use crate::span::Moment;

/// Bytes present above a contiguous front, in positions of [`super::seq::Unwrap`].
///
/// Invariants: ranges are sorted, apart from each other, and above the front; there are at most [`Assembler::RANGES`].
#[derive(Clone, Debug, Default)]
pub struct Assembler {
    front: i64,
    ranges: Vec<(i64, i64)>,
    held: Vec<Held>,
    held_bytes: usize,
}

/// Payload behind a hole.
#[derive(Clone, Debug)]
struct Held {
    start: i64,
    at: Moment,
    /// Length on the wire; `bytes` may be shorter (snap length).
    len: u32,
    bytes: Box<[u8]>,
}

/// How much of a segment was new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// Bytes not present before.
    pub new: u32,
    /// It filled bytes below ones already present.
    pub fills: bool,
}

/// What comes out of a stream, in order.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Bytes, and the packet that brought them.
    Bytes(Moment, &'a [u8]),
    /// This many bytes are not in the capture.
    Gap(Moment, u64),
}

impl Assembler {
    /// Ranges kept: holes beyond that are merged, oldest first.
    const RANGES: usize = 64;
    /// Payload kept behind holes of one flow.
    pub const HELD: usize = 1024 * 1024;

    /// A stream whose next byte is at `front`.
    pub const fn at(front: i64) -> Self {
        Self {
            front,
            ranges: Vec::new(),
            held: Vec::new(),
            held_bytes: 0,
        }
    }

    /// Everything below is present or given up.
    pub const fn front(&self) -> i64 {
        self.front
    }

    /// There are holes.
    pub fn has_holes(&self) -> bool {
        !self.ranges.is_empty()
    }

    /// Highest byte present, plus one.
    pub fn end(&self) -> i64 {
        self.ranges.last().map_or(self.front, |range| range.1)
    }

    /// Bytes missing between the front and `until`.
    pub fn missing_below(&self, until: i64) -> u64 {
        let mut missing = 0;
        let mut from = self.front;
        for &(start, end) in &self.ranges {
            missing += (start.min(until) - from).max(0);
            from = end;
        }
        (missing + (until - from).max(0)) as u64
    }

    /// Payload bytes kept behind holes.
    pub const fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// Notes `start..end` as present.
    pub fn add(&mut self, start: i64, end: i64) -> Added {
        if start == self.front && self.ranges.is_empty() {
            self.front = end.max(start);
            return Added {
                new: (end - start).max(0) as u32,
                fills: false,
            };
        }
        let fills = start < self.end();
        let start = start.max(self.front);
        if end <= start {
            return Added { new: 0, fills };
        }
        // The ranges that touch start..end melt into one with it.
        let first = self.ranges.partition_point(|range| range.1 < start);
        let last = self.ranges.partition_point(|range| range.0 <= end);
        let mut overlap = 0;
        let mut melted = (start, end);
        for &(from, to) in &self.ranges[first..last] {
            overlap += (to.min(end) - from.max(start)).max(0);
            melted = (melted.0.min(from), melted.1.max(to));
        }
        self.ranges.splice(first..last, [melted]);
        if let Some(&(from, to)) = self.ranges.first()
            && from <= self.front
        {
            self.front = to;
            self.ranges.remove(0);
        }
        if self.ranges.len() > Self::RANGES {
            let (_, to) = self.ranges.remove(0);
            self.ranges[0].0 = self.ranges[0].0.min(to);
        }
        Added {
            new: (end - start - overlap) as u32,
            fills,
        }
    }

    /// Keeps payload that lies behind a hole. `false` when it would be too much: give a hole up first.
    pub fn hold(&mut self, start: i64, at: Moment, len: u32, bytes: &[u8]) -> bool {
        if self.held_bytes + bytes.len() > Self::HELD || self.held.len() >= 4096 {
            return false;
        }
        self.held_bytes += bytes.len();
        let place = self.held.partition_point(|held| held.start <= start);
        self.held.insert(
            place,
            Held {
                start,
                at,
                len,
                bytes: bytes.into(),
            },
        );
        true
    }

    /// Where the first hole ends: the start of what is present or kept behind it.
    pub fn hole_end(&self) -> Option<i64> {
        self.ranges.first().map(|range| range.0)
    }

    /// Gives the first hole up: the front moves behind it and what follows. Returns the hole's size.
    pub fn skip_hole(&mut self) -> u64 {
        if self.ranges.is_empty() {
            return 0;
        }
        let (start, end) = self.ranges.remove(0);
        let hole = (start - self.front).max(0) as u64;
        self.front = end;
        hole
    }

    /// Hands out kept payload that is now in order after `delivered`, and gaps before it if they lie below the front.
    /// Returns the new position up to which the stream was handed out.
    pub fn release(&mut self, mut delivered: i64, mut give: impl FnMut(Piece<'_>)) -> i64 {
        let count = self.held.partition_point(|held| held.start < self.front);
        for held in self.held.drain(..count) {
            self.held_bytes -= held.bytes.len();
            delivered = give_from(
                delivered,
                held.start,
                held.at,
                held.len,
                &held.bytes,
                &mut give,
            );
        }
        delivered
    }
}

/// Hands out the part of a segment that lies after `delivered`, with the gap before it and the part that the snap
/// length cut off. Returns the new position.
pub fn give_from(
    delivered: i64,
    start: i64,
    at: Moment,
    len: u32,
    bytes: &[u8],
    give: &mut impl FnMut(Piece<'_>),
) -> i64 {
    let end = start + i64::from(len);
    if end <= delivered {
        return delivered;
    }
    if start > delivered {
        give(Piece::Gap(at, (start - delivered) as u64));
    }
    let skip = (delivered - start).max(0) as usize;
    if let Some(rest) = bytes.get(skip..)
        && !rest.is_empty()
    {
        give(Piece::Bytes(at, rest));
    }
    let cut = i64::from(len) - (bytes.len().max(skip) as i64);
    if cut > 0 {
        give(Piece::Gap(at, cut as u64));
    }
    end
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn moment(frame: u64) -> Moment {
        Moment { ns: 0, frame }
    }

    proptest! {
        /// Random segments against a plain bitmap.
        #[test]
        fn counts_new_bytes_as_a_bitmap_does(
            segments in prop::collection::vec((0_i64..200, 1_i64..20), 1..60)
        ) {
            let mut assembler = Assembler::at(0);
            let mut bitmap = [false; 256];
            for (start, len) in segments {
                let cells = &mut bitmap[start as usize..(start + len) as usize];
                let new = cells.iter().filter(|cell| !**cell).count();
                cells.fill(true);
                let added = assembler.add(start, start + len);
                prop_assert_eq!(added.new as usize, new);
                let front = bitmap.iter().position(|cell| !cell).unwrap_or(256);
                prop_assert_eq!(assembler.front() as usize, front);
                let end = bitmap.iter().rposition(|cell| *cell).map_or(0, |at| at + 1);
                prop_assert_eq!(assembler.end() as usize, end);
                let missing = bitmap[..end].iter().filter(|cell| !**cell).count();
                prop_assert_eq!(assembler.missing_below(end as i64) as usize, missing);
            }
        }

        /// Whatever the order of segments, the bytes come out in order and each once.
        #[test]
        fn hands_bytes_out_in_order(
            segments in prop::collection::vec((0_i64..200, 1_u32..20), 1..60)
        ) {
            let stream: Vec<u8> = (0..=255).collect();
            let mut assembler = Assembler::at(0);
            let (mut delivered, mut out, mut gaps) = (0, Vec::new(), 0);
            for (frame, (start, len)) in segments.iter().copied().enumerate() {
                let end = start + i64::from(len);
                let bytes = &stream[start as usize..end as usize];
                assembler.add(start, end);
                prop_assert!(assembler.hold(start, moment(frame as u64), len, bytes));
                delivered = assembler.release(delivered, |piece| match piece {
                    Piece::Bytes(_, bytes) => out.extend_from_slice(bytes),
                    Piece::Gap(_, len) => gaps += len,
                });
            }
            prop_assert_eq!(gaps, 0);
            prop_assert_eq!(&out[..], &stream[..assembler.front() as usize]);
            prop_assert_eq!(delivered, assembler.front());
        }
    }

    #[test]
    fn a_hole_given_up_becomes_a_gap() {
        let mut assembler = Assembler::at(1);
        assembler.add(11, 14);
        assert!(assembler.hold(11, moment(7), 3, b"abc"));
        assert_eq!(assembler.hole_end(), Some(11));
        assert_eq!(assembler.skip_hole(), 10);
        let mut seen = Vec::new();
        let delivered = assembler.release(1, |piece| seen.push(format!("{piece:?}")));
        assert_eq!(delivered, 14);
        assert_eq!(seen.len(), 2, "{seen:?}");
        assert!(
            seen[0].contains("Gap") && seen[0].contains("10"),
            "{seen:?}"
        );
    }

    #[test]
    fn the_snap_length_leaves_a_gap_behind_the_captured_bytes() {
        let mut seen = Vec::new();
        let end = give_from(1, 1, moment(1), 10, b"abcd", &mut |piece| match piece {
            Piece::Bytes(_, bytes) => seen.push((bytes.to_vec(), 0)),
            Piece::Gap(_, len) => seen.push((Vec::new(), len)),
        });
        assert_eq!(end, 11);
        assert_eq!(seen, [(b"abcd".to_vec(), 0), (Vec::new(), 6)]);
    }
}
