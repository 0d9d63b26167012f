//! What became of one side's packets between two captures of one connection: seen by both, lost between, changed between, or
//! arrived without having left; and how long they took.
//!
//! Judged are the last packets of either capture, which is where connections end. Packets are told by their numbers relative to
//! the handshake, so addresses may be translated between the captures and initial numbers rewritten. Where a capture may have
//! missed packets itself, nothing is called lost or injected for their absence from it.

use serde::{Deserialize, Serialize};

use crate::align::clock::When;
use crate::parse::packet::{ACK, FIN, RST, SYN};
use crate::reconstruct::conn::TailPacket;
use crate::source::SourceId;
use crate::span::Moment;

use super::disconnect::Disconnect;
use super::wire::{Side, View};

/// One side's packets on their way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crossing {
    /// Whose packets.
    pub from: Side,
    /// The capture nearer to the sender.
    pub near: SourceId,
    /// The capture nearer to the receiver.
    pub far: SourceId,
    /// How many were seen in both.
    pub both: u32,
    /// Left and did not arrive: frames of the near capture.
    pub lost: Vec<u64>,
    /// Arrived and had not left: frames of the far capture.
    pub injected: Vec<u64>,
    /// Arrived with another window than they left with: frames of the near and the far capture.
    pub changed: Vec<(u64, u64)>,
    /// How long those in both took, where clocks are aligned well enough to say.
    pub delay: Option<Delay>,
}

/// One-way delays on the common line, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delay {
    /// The shortest.
    pub low: i64,
    /// The median.
    pub median: i64,
    /// The longest.
    pub high: i64,
    /// What the clocks of the two captures may be wrong by against each other, either way.
    pub uncertain: i64,
}

/// Both sides' packets of a connection that was captured near each of its ends.
pub fn crossings(disconnect: &Disconnect) -> Vec<Crossing> {
    let (Some(client), Some(server)) = (
        disconnect.view_at(Side::Client),
        disconnect.view_at(Side::Server),
    ) else {
        return Vec::new();
    };
    let aligned = |view: &View| {
        let clocks = &disconnect.alignment.clocks;
        let mut own = clocks
            .iter()
            .filter(|clock| clock.source == view.conn.source && !clock.outer);
        own.next().is_some_and(|clock| clock.aligned)
    };
    // Numbers are relative to the handshake, which both must have seen.
    let begun = |view: &View| view.conn.orig.isn.is_some() && view.conn.resp.isn.is_some();
    let both = [client, server];
    if client.conn.source == server.conn.source || !both.into_iter().all(aligned) {
        return Vec::new();
    }
    if !both.into_iter().all(begun) {
        return Vec::new();
    }
    [
        (Side::Client, client, server),
        (Side::Server, server, client),
    ]
    .into_iter()
    .filter_map(|(from, near, far)| {
        compare(
            from,
            &Half::new(disconnect, near, from),
            &Half::new(disconnect, far, from),
        )
    })
    .collect()
}

/// One capture's packets of one side, on the common line.
struct Half {
    source: SourceId,
    packets: Vec<(TailPacket, When)>,
    /// These are all packets that the connection had.
    complete: bool,
    /// Nothing is missing from the capture, as far as it can be known.
    sound: bool,
    /// Until when it would have kept what came.
    until: When,
}

impl Half {
    fn new(disconnect: &Disconnect, view: &View, from: Side) -> Self {
        let conn = view.conn;
        let captures = &disconnect.records.captures;
        let dropped = captures
            .iter()
            .filter(|facts| facts.source == conn.source)
            .any(|facts| facts.dropped.is_some_and(|dropped| dropped > 0));
        let closed = !conn.rsts.is_empty() || conn.orig.fin.is_some() && conn.resp.fin.is_some();
        let until = if closed { conn.last } else { view.capture_end };
        Self {
            source: conn.source,
            packets: conn
                .tail
                .iter()
                .filter(|packet| view.side(packet.from) == from)
                .map(|packet| (*packet, view.when(packet.at)))
                .collect(),
            complete: conn.tail.len() as u64 == conn.orig.packets + conn.resp.packets,
            sound: !dropped && view.flow(from).capture_lost_bytes == 0,
            until: view.when(until),
        }
    }
}

/// Flags that make a packet what it is; PSH is set anew by whoever cuts segments.
const KIND: u8 = SYN | FIN | RST | ACK;

/// The same packet, by its numbers.
fn same(one: &TailPacket, other: &TailPacket) -> bool {
    one.flags & KIND == other.flags & KIND
        && (one.seq, one.ack, one.len) == (other.seq, other.ack, other.len)
}

/// They carry some of the same bytes: cut or merged on the way by hardware.
fn overlap(one: &TailPacket, other: &TailPacket) -> bool {
    let behind = |start: u32, packet: &TailPacket| {
        (start.wrapping_sub(packet.seq) as i32) < packet.len as i32
            && (start.wrapping_sub(packet.seq) as i32) >= 0
    };
    one.len > 0 && other.len > 0 && (behind(one.seq, other) || behind(other.seq, one))
}

fn width(when: When) -> i64 {
    let (high, low) = (when.bounds.high, when.bounds.low);
    high.saturating_sub(when.at.0)
        .max(when.at.0.saturating_sub(low))
}

fn compare(from: Side, near: &Half, far: &Half) -> Option<Crossing> {
    let mut left: Vec<Option<usize>> = vec![None; near.packets.len()];
    let mut arrived: Vec<Option<usize>> = vec![None; far.packets.len()];
    for (index, (packet, at)) in far.packets.iter().enumerate() {
        let slack = width(*at);
        let candidates = near
            .packets
            .iter()
            .enumerate()
            .filter(|(other, (sent, _))| left[*other].is_none() && same(sent, packet));
        // Of copies that are equal, the last one that can have been under way.
        let copy = candidates
            .max_by_key(|(other, (_, sent))| {
                let latest = at.at.0.saturating_add(slack).saturating_add(width(*sent));
                let early = sent.at.0 <= latest;
                (early, if early { sent.at.0 } else { -sent.at.0 }, *other)
            })
            .map(|(other, _)| other);
        if let Some(other) = copy {
            left[other] = Some(index);
            arrived[index] = Some(other);
        }
    }
    let first = (
        left.iter().position(Option::is_some),
        arrived.iter().position(Option::is_some),
    );
    let (Some(near_first), Some(far_first)) = first else {
        return None;
    };
    let mut delays: Vec<i64> = Vec::new();
    let mut changed = Vec::new();
    let mut uncertain = 0;
    for (index, other) in left.iter().enumerate() {
        let Some(other) = *other else { continue };
        let ((sent, sent_at), (got, got_at)) = (&near.packets[index], &far.packets[other]);
        delays.push(got_at.since(*sent_at));
        uncertain = uncertain.max(width(*sent_at).saturating_add(width(*got_at)));
        if sent.window != got.window {
            changed.push((sent.at.frame, got.at.frame));
        }
    }
    let recut_near: Vec<bool> = unmatched(&near.packets, &left, &far.packets, &arrived);
    let recut_far: Vec<bool> = unmatched(&far.packets, &arrived, &near.packets, &left);
    let recut = recut_near.iter().filter(|recut| **recut).count();
    // What lies before the other capture's kept packets, or after its end, cannot be missed there.
    let covered = |at: When, other: &Half| at.bounds.high <= other.until.bounds.low;
    let missing = |half: &Half, matched: &[Option<usize>], recut: &[bool], start, other: &Half| {
        let judged = if other.sound { half.packets.len() } else { 0 };
        (start..judged)
            .filter(|&index| matched[index].is_none() && !recut[index])
            .filter(|&index| covered(half.packets[index].1, other))
            .map(|index| half.packets[index].0.at)
            .map(|at: Moment| at.frame)
            .collect::<Vec<u64>>()
    };
    let near_start = if far.complete { 0 } else { near_first };
    let far_start = if near.complete { 0 } else { far_first };
    let lost = missing(near, &left, &recut_near, near_start, far);
    let injected = missing(far, &arrived, &recut_far, far_start, near);
    delays.sort_unstable();
    let delay = delays.first().map(|&low| Delay {
        low,
        median: delays[delays.len() / 2],
        high: delays[delays.len() - 1],
        uncertain,
    });
    Some(Crossing {
        from,
        near: near.source,
        far: far.source,
        both: (delays.len() + recut) as u32,
        lost,
        injected,
        changed,
        delay,
    })
}

/// Which packets without a match carry bytes of packets without a match on the other side.
fn unmatched(
    own: &[(TailPacket, When)],
    matched: &[Option<usize>],
    others: &[(TailPacket, When)],
    others_matched: &[Option<usize>],
) -> Vec<bool> {
    own.iter()
        .zip(matched)
        .map(|((packet, _), other)| {
            other.is_none()
                && others
                    .iter()
                    .zip(others_matched)
                    .any(|((other, _), taken)| taken.is_none() && overlap(packet, other))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconstruct::conn::End;
    use crate::time::{Bounds, Instant};

    const MS: i64 = 1_000_000;

    fn packet(frame: u64, ms: i64, flags: u8, seq: u32, len: u32) -> (TailPacket, When) {
        let packet = TailPacket {
            at: Moment { ns: ms * MS, frame },
            from: End::Orig,
            flags,
            seq,
            ack: 1,
            len,
            window: 500,
            note: "",
        };
        let when = When {
            at: Instant(ms * MS),
            bounds: Bounds {
                low: ms * MS - 1000,
                high: ms * MS + 1000,
            },
            digits: 9,
        };
        (packet, when)
    }

    fn half(source: u32, packets: Vec<(TailPacket, When)>, complete: bool) -> Half {
        Half {
            source: SourceId(source),
            packets,
            complete,
            sound: true,
            until: packet(0, 10_000, 0, 0, 0).1,
        }
    }

    fn crossing(near: &Half, far: &Half) -> Crossing {
        compare(Side::Client, near, far).expect("packets in both")
    }

    #[test]
    fn lost_and_injected_and_in_both() {
        let near = half(
            0,
            vec![
                packet(1, 0, SYN, 0, 0),
                packet(2, 20, ACK, 1, 100),
                packet(3, 30, ACK, 101, 100),
                packet(4, 230, ACK, 101, 100),
            ],
            true,
        );
        let far = half(
            1,
            vec![
                packet(7, 5, SYN, 0, 0),
                packet(8, 26, ACK, 1, 100),
                packet(9, 235, ACK, 101, 100),
                packet(10, 300, RST | ACK, 201, 0),
            ],
            true,
        );
        let seen = crossing(&near, &far);
        assert_eq!(
            (seen.both, &seen.lost[..], &seen.injected[..]),
            (3, &[3][..], &[10][..])
        );
        let delay = seen.delay.expect("delays");
        assert_eq!(
            (delay.low, delay.median, delay.high, delay.uncertain),
            (5 * MS, 5 * MS, 6 * MS, 2000)
        );
    }

    #[test]
    fn a_segment_cut_up_on_the_way_is_no_loss() {
        let near = half(
            0,
            vec![packet(1, 0, SYN, 0, 0), packet(2, 20, ACK, 1, 3000)],
            true,
        );
        let far = half(
            1,
            vec![
                packet(1, 5, SYN, 0, 0),
                packet(2, 25, ACK, 1, 1448),
                packet(3, 25, ACK, 1449, 1448),
                packet(4, 25, ACK, 2897, 104),
            ],
            true,
        );
        let seen = crossing(&near, &far);
        assert_eq!((seen.both, seen.lost.len(), seen.injected.len()), (2, 0, 0));
    }

    #[test]
    fn what_a_capture_cannot_know_is_not_called_lost() {
        let packets = || {
            vec![
                packet(1, 0, ACK, 1, 10),
                packet(2, 10, ACK, 11, 10),
                packet(3, 20, ACK, 21, 10),
            ]
        };
        // The far capture kept only its last packets, and ended early.
        let near = half(0, packets(), true);
        let mut far = half(1, vec![packet(9, 15, ACK, 11, 10)], false);
        assert_eq!(crossing(&near, &far).lost, [3]);
        far.until = packet(0, 16, 0, 0, 0).1;
        assert!(crossing(&near, &far).lost.is_empty());
        far.until = near.until;
        far.sound = false;
        assert!(crossing(&near, &far).lost.is_empty());
    }

    #[test]
    fn another_window_is_a_change() {
        let near = half(0, vec![packet(1, 0, ACK, 1, 10)], true);
        let mut arrived = packet(2, 5, ACK, 1, 10);
        arrived.0.window = 400;
        assert_eq!(
            crossing(&near, &half(1, vec![arrived], true)).changed,
            [(1, 2)]
        );
    }
}
