//! A piece of a log at first look: which lines need a full one, and counts of the rest. Needs nothing from the pieces
//! before it, so pieces are digested in parallel and folded in order.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::lines::MAX_LINE;
use crate::parse::server_log::glance::{Glance, Routine, glance};
use crate::parse::server_log::record::ConnKind;

/// Where a line is in its piece.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// Offset of its first byte.
    pub start: usize,
    /// Offset after its last byte, without LF.
    pub end: usize,
    /// Number within the piece, from 1.
    pub number: u64,
}

/// Routine lines of one connection.
#[derive(Clone, Debug, Default)]
pub struct Count {
    /// Process.
    pub pid: u32,
    /// Kind.
    pub kind: ConnKind,
    /// Number.
    pub id: u64,
    /// PUB and HPUB.
    pub published: u64,
    /// Messages with `<<-`.
    pub left: u64,
    /// Messages with `->>`.
    pub right: u64,
    /// The first line.
    pub first: Spot,
    /// The last line.
    pub last: Spot,
    /// The last pings, as a ring.
    pings: [Spot; PINGS],
    pinged: usize,
}

/// How many of a connection's last pings are looked at in full, a piece: no more are kept anyway.
const PINGS: usize = super::server_conns::LAST_ROUTINE;

/// Lines between two banners.
#[derive(Debug, Default)]
pub struct Era {
    /// Lines to look at in full, in order.
    pub look: Vec<Spot>,
    /// Counts, by connection in order of appearance.
    pub counts: Vec<Count>,
    /// First and last line of no use, by process.
    pub idle: Vec<(u32, Spot, Spot)>,
    index: HashMap<(u32, u64), usize, BuildHasherDefault<Mix>>,
}

/// A piece, digested.
#[derive(Debug, Default)]
pub struct Digest {
    /// Eras; each but the first begins with a banner.
    pub eras: Vec<Era>,
    /// Lines in the piece.
    pub lines: u64,
    /// Lines longer than [`MAX_LINE`].
    pub too_long: Vec<Spot>,
    /// The first line that is not UTF-8, and how many there are.
    pub not_utf8: Option<(u64, u64)>,
}

/// Digests a piece that ends at a line's end (or the source's).
pub fn digest(piece: &[u8]) -> Digest {
    let mut out = Digest::default();
    let mut era = Era::default();
    let mut start = 0;
    let mut ends = memchr::memchr_iter(b'\n', piece);
    while start < piece.len() {
        let end = ends.next().unwrap_or(piece.len());
        out.lines += 1;
        let spot = Spot {
            start,
            end,
            number: out.lines,
        };
        start = end + 1;
        if end - spot.start > MAX_LINE {
            out.too_long.push(spot);
            continue;
        }
        match glance(&piece[spot.start..end]) {
            Glance::Look => era.look.push(spot),
            Glance::Banner => {
                out.eras.push(std::mem::take(&mut era).done());
                era.look.push(spot);
            }
            Glance::Idle(pid) => match era.idle.iter_mut().find(|row| row.0 == pid) {
                Some(row) => row.2 = spot,
                None => era.idle.push((pid, spot, spot)),
            },
            Glance::Routine(pid, kind, id, what) => era.routine(pid, kind, id, what, spot),
        }
    }
    out.eras.push(era.done());
    out.not_utf8 = not_utf8(piece);
    out
}

/// The first line that is not UTF-8, and how many there are.
pub fn not_utf8(piece: &[u8]) -> Option<(u64, u64)> {
    // Nearly every piece is text: one pass over all of it, lines only where that fails.
    std::str::from_utf8(piece).err()?;
    let lines = piece.split(|byte| *byte == b'\n');
    let mut broken = (1..)
        .zip(lines)
        .filter(|(_, line)| std::str::from_utf8(line).is_err())
        .map(|(number, _)| number);
    let first = broken.next()?;
    Some((first, broken.count() as u64 + 1))
}

impl Era {
    fn routine(&mut self, pid: u32, kind: ConnKind, id: u64, what: Routine, spot: Spot) {
        let counts = &mut self.counts;
        let at = *self.index.entry((pid, id)).or_insert_with(|| {
            counts.push(Count {
                pid,
                kind,
                id,
                first: spot,
                ..Count::default()
            });
            counts.len() - 1
        });
        let count = &mut counts[at];
        count.last = spot;
        match what {
            Routine::Published => count.published += 1,
            Routine::MessageLeft => count.left += 1,
            Routine::MessageRight => count.right += 1,
            Routine::Ping => {
                count.pings[count.pinged % PINGS] = spot;
                count.pinged += 1;
            }
            Routine::Other => {}
        }
    }

    /// The last pings join the lines to look at.
    fn done(mut self) -> Self {
        for count in &self.counts {
            let kept = count.pinged.min(PINGS);
            self.look.extend_from_slice(&count.pings[..kept]);
        }
        self.look.sort_unstable();
        self
    }
}

/// A quick hash of small numbers: the keys are process ids and connection numbers, and a bad spread costs time only.
#[derive(Debug, Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(23) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "[77] 2026/11/23 05:12:01.123456";

    #[test]
    fn counts_and_the_last_pings() {
        let mut lines = Vec::new();
        for n in 0..20 {
            lines.push(format!("{HEAD} [TRC] 10.0.0.1:5 - cid:4 - <<- [PUB a {n}]"));
            lines.push(format!("{HEAD} [TRC] 10.0.0.1:5 - cid:4 - <<- [PING]"));
        }
        lines.push(format!(
            "{HEAD} [DBG] 10.0.0.1:5 - cid:4 - Client connection closed: Client Closed"
        ));
        lines.push(format!("{HEAD} [INF] Starting nats-server"));
        lines.push(format!("{HEAD} [TRC] 10.0.0.1:5 - cid:4 - ->> [MSG a 1 5]"));
        let text = lines.join("\n");
        let digest = digest(text.as_bytes());
        assert_eq!(digest.lines, 43);
        assert_eq!(digest.eras.len(), 2);
        let (first, second) = (&digest.eras[0], &digest.eras[1]);
        assert_eq!(first.counts[0].published, 20);
        let numbers: Vec<u64> = first.look.iter().map(|spot| spot.number).collect();
        assert_eq!(numbers, [30, 32, 34, 36, 38, 40, 41]);
        assert_eq!((second.look.len(), second.counts[0].right), (1, 1));
    }

    #[test]
    fn the_same_lines_whatever_the_cut() {
        let text = format!("{HEAD} [INF] x\n\n{HEAD} [TRC] 1.1.1.1:1 - cid:1 - ->> [PING]\nlast");
        assert_eq!(digest(text.as_bytes()).lines, 4);
        assert_eq!(digest(b"").lines, 0);
        assert_eq!(digest(b"\n").lines, 1);
    }
}
