//! Two captures of one connection: a segment passes one of them before the other. The lower envelopes of both
//! directions' delays bound the offset between the two clocks (Moon, Skelly and Towsley, "Estimation and removal of
//! clock skew from network delay measurements", 1999).
//!
//! Which capture is nearer to the originator needs no clock: the apparent delay of one of its segments minus that of a
//! segment of the responder's soon before or after is the true delay forth and back, whatever the offset. Only neighbours
//! are compared: over a longer time the clocks drift apart by more than that.

use super::agree::DRIFT;
use super::anchor::{Anchor, Side};
use super::joined::{Joined, Leg};
use crate::reconstruct::conn::{Conn, End, Sample};
use crate::shelf::Shelf;
use crate::source::SourceId;
use crate::span::Moment;

/// Pairs of the same segment in two captures, as (here, there).
type Pairs = Vec<(Moment, Moment)>;

/// A group this much apart is paired by neighbours only: anchors stay linear in the number of legs.
const LEGS: usize = 8;

/// Anchors between the captures of one joined connection.
///
/// There are `stretches` for each pair of captures and direction.
pub fn anchors(conns: &Shelf<Conn>, joined: &Joined, stretches: usize, out: &mut Vec<Anchor>) {
    let legs: &[Leg] = &joined.conns[..joined.conns.len().min(LEGS)];
    for (index, leg) in legs.iter().enumerate() {
        for other in &legs[index + 1..] {
            if conns[leg.conn()].source != conns[other.conn()].source
                && let (Some(here), Some(there)) = (conns.get(leg.conn()), conns.get(other.conn()))
            {
                pair(&here, &there, stretches, out);
            }
        }
    }
}

/// `Some(true)`: `here` was captured nearer to the originator than `there`. `None` where nothing tells.
pub fn nearer_to_orig(here: &Conn, there: &Conn) -> Option<bool> {
    let orig = same_segments(here, there, End::Orig);
    let resp = same_segments(here, there, End::Resp);
    first_passed(&orig, &resp)
}

/// Whether the originator's segments pass here before they pass there, by the most decided of neighbouring segments.
fn first_passed(orig: &Pairs, resp: &Pairs) -> Option<bool> {
    let mut sum = 0_i64;
    let mut votes = 0_i64;
    for pair in orig {
        let after = resp.partition_point(|other| other.0.ns < pair.0.ns);
        let beside = [after.checked_sub(1), Some(after)];
        for other in beside.into_iter().flatten().filter_map(|at| resp.get(at)) {
            // Forth and back, and what the clocks drift apart in between.
            let around = apart(*pair).saturating_sub(apart(*other));
            let gap = (pair.0.ns - other.0.ns).unsigned_abs() as f64;
            let drifted = (gap * 2.0 * DRIFT) as i64;
            if around.abs() > drifted {
                votes += around.signum();
                sum = sum.saturating_add(around);
            }
        }
    }
    match votes {
        0 => (sum != 0).then_some(sum > 0),
        votes => Some(votes > 0),
    }
}

fn pair(here: &Conn, there: &Conn, stretches: usize, out: &mut Vec<Anchor>) {
    let orig = same_segments(here, there, End::Orig);
    let resp = same_segments(here, there, End::Resp);
    if orig.is_empty() || resp.is_empty() {
        return;
    }
    // Where nothing tells, the captures are closer together than their clocks can be read.
    let here_first = first_passed(&orig, &resp).unwrap_or(true);
    // The tightest segment of every stretch of the connection, for each direction.
    for (pairs, forward) in [(&orig, here_first), (&resp, !here_first)] {
        for stretch in pairs.chunks((pairs.len() / stretches).max(1)) {
            let Some((smallest, largest)) = extremes(stretch) else {
                continue;
            };
            let (here_at, there_at) = if forward { smallest } else { largest };
            let (here_side, there_side) = (
                Side::packet(here.source, here_at),
                Side::packet(there.source, there_at),
            );
            out.push(if forward {
                Anchor::before(here_side, there_side)
            } else {
                Anchor::before(there_side, here_side)
            });
        }
    }
}

/// Anchors a connection, direction and pair of captures.
const STRETCHES: usize = 6;

/// Where this many connections are in several captures, each has one: together they show as much of the clocks' lives.
const MANY: usize = 20_000;

/// How many stretches of each connection have an anchor.
pub fn stretches(joined: &[Joined]) -> usize {
    let shared = joined.iter().filter(|one| one.conns.len() > 1).count();
    if shared < MANY { STRETCHES } else { 1 }
}

fn apart((here, there): (Moment, Moment)) -> i64 {
    there.ns.saturating_sub(here.ns)
}

/// The pairs with the smallest and the largest apparent delay from here to there.
fn extremes(pairs: &[(Moment, Moment)]) -> Option<((Moment, Moment), (Moment, Moment))> {
    let smallest = pairs
        .iter()
        .min_by_key(|pair| (apart(**pair), pair.0.frame))?;
    let largest = pairs
        .iter()
        .max_by_key(|pair| (apart(**pair), pair.0.frame))?;
    Some((*smallest, *largest))
}

/// The same segments of one direction in both captures, by time here: handshake, sampled payload, FIN, RSTs.
fn same_segments(here: &Conn, there: &Conn, from: End) -> Pairs {
    let mut pairs = Pairs::new();
    let both = |a: Option<Moment>, b: Option<Moment>| a.zip(b);
    let (a, b) = (&here.handshake, &there.handshake);
    match from {
        End::Orig => {
            // A retransmitted SYN may be another one there than here.
            if a.syns == 1 && b.syns == 1 {
                pairs.extend(both(a.syn, b.syn));
            }
        }
        End::Resp => {
            if a.syn_acks == 1 && b.syn_acks == 1 {
                pairs.extend(both(a.syn_ack, b.syn_ack));
            }
        }
    }
    // The first of those that are alike.
    let key = |sample: &Sample| (sample.seq, sample.len);
    let samples = there.samples.iter().filter(|sample| sample.from == from);
    let mut known: Vec<&Sample> = samples.collect();
    known.sort_by_key(|sample| key(sample));
    known.dedup_by_key(|sample| key(sample));
    // Without the SYN, sequence numbers count from whatever each capture saw first.
    let relative = here.flow(from).isn.is_some() && there.flow(from).isn.is_some();
    for sample in here
        .samples
        .iter()
        .filter(|sample| sample.from == from && relative)
    {
        if let Ok(found) = known.binary_search_by_key(&key(sample), |sample| key(sample)) {
            pairs.push((sample.at(), known[found].at()));
        }
    }
    let quiet = |conn: &Conn| conn.flow(from).retransmissions == 0;
    if quiet(here) && quiet(there) {
        pairs.extend(both(here.flow(from).fin, there.flow(from).fin));
    }
    pairs.sort_by_key(|pair| (pair.0.ns, pair.0.frame));
    pairs
}

/// Whether a source is a capture of any of these connections.
pub fn is_capture(conns: &Shelf<Conn>, source: SourceId) -> bool {
    conns.sketches().any(|conn| conn.source == source)
}
