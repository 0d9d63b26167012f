//! Connections that ended out of their only capture's sight: they fell silent, and their client came back on a new one.
//!
//! A capture near the server keeps nothing of a RST that only the client received, nor of a FIN that was lost on the way: the
//! connection lies open in it to the end. What tells is the client: one that holds one connection at a time under its name
//! does not open the next while it has the last.

use rayon::prelude::*;

use super::Alignment;
use super::clock::When;
use super::joined::{Joined, Near, Records};
use crate::reconstruct::conn::{Conn, End, Manner, Silence};
use crate::reconstruct::conn_sketch::ConnSketch;
use crate::source::SourceId;
use crate::span::Moment;
use crate::time::{Bounds, SECOND};

/// The last that was seen of a connection, and its client's return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Superseded {
    /// The client's next connection: an index into the joined list.
    pub by: usize,
    /// The last packet of this one.
    pub last: Moment,
    /// The first packet of the next.
    pub back: Moment,
    /// The longest silence that it had lived through, nanoseconds.
    pub habit: i64,
    /// Its client had sent many packets, and never paused for long.
    pub steady: bool,
}

impl Superseded {
    /// It was closed after its last packet, and before its client was back.
    pub fn closed(&self, alignment: &Alignment, source: SourceId) -> When {
        let (last, back) = (
            alignment.moment(source, self.last),
            alignment.moment(source, self.back),
        );
        When {
            bounds: Bounds {
                low: last.bounds.low,
                high: back.bounds.high,
            },
            ..back
        }
    }

    /// How long nothing was heard of it before its client came back.
    pub const fn silence(&self) -> i64 {
        self.back.ns - self.last.ns
    }
}

/// A connection with fewer packets from either end has no habits yet.
const ACQUAINTED: u64 = 6;
/// A client that sent this many packets, and never paused for this many times as long as on the average, speaks steadily.
const STEADY: u64 = 20;
/// See [`STEADY`]: a burst on connecting is none, however many packets it has.
const EVEN: i64 = 4;
/// No pause of a steady speaker is this many times its longest.
const ABRUPT: i64 = 10;
/// Any other silence must be this many times the longest that was lived through.
const UNUSUAL: i64 = 2;
/// Nor is a pause shorter than this worth a word.
const SHORTEST: i64 = 3 * SECOND;
/// Clients that one event cut off are back within this time of each other.
const TOGETHER: i64 = 5 * SECOND;

/// A connection that a client holds: indices into the joined list and the captured connections.
struct Held {
    joined: u32,
    conn: u32,
}

struct Suspect {
    index: usize,
    found: Superseded,
    source: SourceId,
    holder: usize,
}

/// Fills in [`Joined::superseded`].
pub fn note(records: &Records, alignment: &mut Alignment) {
    let sketch = |held: &Held| &records.conns[held.conn as usize];
    let by_holder = |a: &Held, b: &Held| {
        let (a, b) = (sketch(a), sketch(b));
        let names = |one: &ConnSketch| (one.source, one.name, one.lang);
        let places = |one: &ConnSketch| (one.orig().ip(), one.resp());
        let by_place = || places(a).cmp(&places(b));
        names(a).cmp(&names(b)).then_with(by_place)
    };
    let named = |joined: usize| {
        let conn = lone_leg(&alignment.joined[joined])?;
        let name = records.conns[conn].name?;
        let (joined, conn) = (joined as u32, conn as u32);
        (!name.is_empty()).then_some(Held { joined, conn })
    };
    // Sorted rather than gathered: most clients of a storm have one connection, and no list of their own is worth it.
    let every = (0..alignment.joined.len()).into_par_iter();
    let mut all: Vec<Held> = every.filter_map(named).collect();
    all.par_sort_unstable_by(|a, b| {
        let by_time = || (sketch(a).first, a.joined).cmp(&(sketch(b).first, b.joined));
        by_holder(a, b).then_with(by_time)
    });
    let mut suspects = Vec::new();
    let holders = all.chunk_by(|a, b| by_holder(a, b).is_eq());
    for (holder, held) in holders.enumerate() {
        // Two that speak at the same time are two clients, or one that holds several.
        if held
            .windows(2)
            .any(|pair| sketch(&pair[0]).last >= sketch(&pair[1]).first)
        {
            continue;
        }
        for pair in held.windows(2) {
            let [old, new] = [&pair[0], &pair[1]].map(|held| held.joined as usize);
            if let Some(found) = silent_since(records, alignment, old, new) {
                suspects.push(Suspect {
                    index: old,
                    found,
                    source: sketch(&pair[0]).source,
                    holder,
                });
            }
        }
    }
    for suspect in &suspects {
        if suspect.found.steady || corroborated(suspect, &suspects) {
            alignment.joined[suspect.index].superseded = Some(Box::new(suspect.found));
        }
    }
}

/// Another client of the same capture was cut off, and came back at about the same time.
fn corroborated(one: &Suspect, all: &[Suspect]) -> bool {
    all.iter().any(|other| {
        other.source == one.source
            && other.holder != one.holder
            && (other.found.back.ns - one.found.back.ns).abs() <= TOGETHER
    })
}

/// The only captured view, where it was not taken at the client: there, what is open is open.
fn lone_leg(one: &Joined) -> Option<usize> {
    match one.conns.as_slice() {
        [leg] if leg.near != Near::Client => Some(leg.conn()),
        _ => None,
    }
}

/// `old` never ended and had never been silent for so long when `new` began, nor spoke again.
fn silent_since(
    records: &Records,
    alignment: &Alignment,
    old: usize,
    new: usize,
) -> Option<Superseded> {
    let joined = &alignment.joined[old];
    let conn = lone_leg(joined)?;
    let back = records.conns[lone_leg(&alignment.joined[new])?].first;
    let sketch = &records.conns[conn];
    let open = sketch.end().manner == Manner::Open && alignment.ended(records, joined).is_none();
    // To the end of the capture: what is only slow to speak may speak yet.
    let mute = records.capture_end(sketch.source, sketch.last).ns - sketch.last.ns;
    if !open || mute < SHORTEST {
        return None;
    }
    let conn = records.conns.whole(conn);
    if conn
        .flow(End::Orig)
        .packets
        .min(conn.flow(End::Resp).packets)
        < ACQUAINTED
    {
        return None;
    }
    let habit = longest_silence(&conn);
    let sent = conn.flow(End::Orig).packets;
    let even = habit <= (conn.last.ns - conn.first.ns) / sent.max(1) as i64 * EVEN;
    let steady = sent >= STEADY && even && mute > habit.saturating_mul(ABRUPT);
    (mute > habit.saturating_mul(UNUSUAL)).then_some(Superseded {
        by: new,
        last: sketch.last,
        back,
        habit,
        steady,
    })
}

fn longest_silence(conn: &Conn) -> i64 {
    [conn.longest_silence, conn.last_silence]
        .into_iter()
        .flatten()
        .map(Silence::length)
        .max()
        .unwrap_or(0)
}
