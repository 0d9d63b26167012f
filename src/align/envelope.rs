//! Two captures of one connection: a segment passes one of them before the other. The lower envelopes of both
//! directions' delays bound the offset between the two clocks (Moon, Skelly and Towsley, "Estimation and removal of
//! clock skew from network delay measurements", 1999).
//!
//! Which capture is nearer to the originator needs no clock: the smallest apparent delay of its segments minus the
//! largest of the responder's is twice the true delay between the captures, whatever the offset.

use std::collections::HashMap;

use super::anchor::{Anchor, Side};
use super::joined::{Joined, Leg};
use crate::reconstruct::conn::{Conn, End};
use crate::reconstruct::conn_sketch::ConnSketch;
use crate::shelf::Shelf;
use crate::source::SourceId;
use crate::span::Moment;

/// Pairs of the same segment in two captures, as (here, there).
type Pairs = Vec<(Moment, Moment)>;

/// A group this much apart is paired by neighbours only: anchors stay linear in the number of legs.
const LEGS: usize = 8;

/// Anchors between the captures of one joined connection.
pub fn anchors(conns: &Shelf<Conn>, joined: &Joined, out: &mut Vec<Anchor>) {
    let legs: &[Leg] = &joined.conns[..joined.conns.len().min(LEGS)];
    for (index, leg) in legs.iter().enumerate() {
        for other in &legs[index + 1..] {
            if conns[leg.conn].source != conns[other.conn].source
                && let (Some(here), Some(there)) = (conns.get(leg.conn), conns.get(other.conn))
            {
                pair(&here, &there, out);
            }
        }
    }
}

/// `Some(true)`: `here` was captured nearer to the originator than `there`. `None` where nothing tells.
pub fn nearer_to_orig(here: &Conn, there: &Conn) -> Option<bool> {
    let orig = extremes(&same_segments(here, there, End::Orig))?;
    let resp = extremes(&same_segments(here, there, End::Resp))?;
    // Nearer: originator's segments come later there, the responder's come earlier there.
    let (orig_delay, resp_delay) = (apart(orig.0), apart(resp.1));
    (orig_delay != resp_delay).then_some(orig_delay > resp_delay)
}

fn pair(here: &Conn, there: &Conn, out: &mut Vec<Anchor>) {
    let orig = same_segments(here, there, End::Orig);
    let resp = same_segments(here, there, End::Resp);
    let (Some(orig_edge), Some(resp_edge)) = (extremes(&orig), extremes(&resp)) else {
        return;
    };
    let here_first = apart(orig_edge.0) >= apart(resp_edge.1);
    // The tightest segment of every stretch of the connection, for each direction.
    for (pairs, forward) in [(&orig, here_first), (&resp, !here_first)] {
        for stretch in pairs.chunks((pairs.len() / STRETCHES).max(1)) {
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
    let mut known: HashMap<(u32, u32), Moment> = HashMap::new();
    for sample in there.samples.iter().filter(|sample| sample.from == from) {
        known.entry((sample.seq, sample.len)).or_insert(Moment {
            ns: sample.ns,
            frame: sample.frame,
        });
    }
    // Without the SYN, sequence numbers count from whatever each capture saw first.
    let relative = here.flow(from).isn.is_some() && there.flow(from).isn.is_some();
    for sample in here
        .samples
        .iter()
        .filter(|sample| sample.from == from && relative)
    {
        if let Some(there_at) = known.get(&(sample.seq, sample.len)) {
            let here_at = Moment {
                ns: sample.ns,
                frame: sample.frame,
            };
            pairs.push((here_at, *there_at));
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
pub fn is_capture(conns: &[Box<ConnSketch>], source: SourceId) -> bool {
    conns.iter().any(|conn| conn.source == source)
}
