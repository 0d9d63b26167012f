//! Anchors: pairs of records on two clocks that stand in a known order, perhaps with a known longest distance.
//!
//! A *firm* anchor follows from causality (a segment leaves before it arrives; the server writes "created" before it
//! sends INFO). The others follow from habit (a line is written within [`LINE_LAG`] of what it tells).

use super::offset::{Constraint, FAR};
use crate::reconstruct::conn::Conn;
use crate::source::SourceId;
use crate::span::{Cite, LogRef, Moment};
use crate::time::Bounds;

/// How late a log line usually is after what it tells: scheduling and buffered logging, on a machine that is not stuck.
pub const LINE_LAG: i64 = 40_000_000;

/// Lines of one process from different threads can be swapped by tens of microseconds (facts a.1, monotonicity).
pub const LINE_SWAP: i64 = 1_000_000;

/// A path's round trip where the capture did not see the handshake.
const ROUND_TRIP: i64 = 100_000_000;

/// How late a log line usually is after a packet of this connection, wherever on the path that was captured.
pub fn lag(conn: &Conn) -> i64 {
    LINE_LAG + conn.handshake.rtt().unwrap_or(ROUND_TRIP).max(0)
}

/// Captures write times cut to microseconds; the few that write nanoseconds lose nothing worth having.
const PACKET_STEP: i64 = 1_000;

/// One record on one clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Side {
    /// Which clock: an index into the solution's clocks.
    pub clock: usize,
    /// Raw time.
    pub ns: i64,
    /// Resolution of the raw time: the true reading lies within one step after it.
    pub step: i64,
    /// The record.
    pub cite: Cite,
}

impl Side {
    /// A packet.
    pub const fn packet(source: SourceId, moment: Moment) -> Self {
        Self {
            clock: source.0 as usize,
            ns: moment.ns,
            step: PACKET_STEP,
            cite: Cite::frame(source, moment.frame),
        }
    }

    /// A log line by its program's own time.
    pub fn line(at: &LogRef) -> Option<Self> {
        let stamp = at.stamp?;
        Some(Self {
            clock: at.cite.source.0 as usize,
            ns: stamp.ns,
            step: stamp.resolution(),
            cite: at.cite,
        })
    }
}

/// Two records and their order: `b` is at least `least` and at most `most` nanoseconds after `a`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The earlier one.
    pub a: Side,
    /// The later one.
    pub b: Side,
    /// Smallest true distance.
    pub least: i64,
    /// Largest true distance; [`FAR`] for none.
    pub most: i64,
    /// It follows from causality.
    pub firm: bool,
}

impl Anchor {
    /// `a` is before `b`, by causality.
    pub const fn before(a: Side, b: Side) -> Self {
        Self {
            a,
            b,
            least: 0,
            most: FAR,
            firm: true,
        }
    }

    /// `a` is before `b`, give or take `slack`, by causality.
    pub const fn about_before(a: Side, b: Side, slack: i64) -> Self {
        Self {
            a,
            b,
            least: -slack,
            most: FAR,
            firm: true,
        }
    }

    /// `b` usually comes within these bounds after `a`.
    pub const fn usually(a: Side, b: Side, least: i64, most: i64) -> Self {
        Self {
            a,
            b,
            least,
            most,
            firm: false,
        }
    }

    /// The same if the two records may be `by` further from each other, either way.
    #[must_use]
    pub const fn looser(self, by: i64) -> Self {
        Self {
            least: self.least.saturating_sub(by),
            most: if self.most == FAR {
                FAR
            } else {
                self.most.saturating_add(by)
            },
            firm: false,
            ..self
        }
    }

    /// What it says about the offset of `b`'s clock, given where `a` lies on the common line.
    pub fn bound_b(&self, a: Bounds) -> Constraint {
        let low = minus(
            plus(a.low, self.least),
            self.b.ns.saturating_add(self.b.step - 1),
        );
        let high = minus(plus(a.high, self.most), self.b.ns);
        Constraint {
            place: 0,
            raw: self.b.ns.clamp(-FAR, FAR),
            low,
            high,
            firm: self.firm,
            cite: self.b.cite,
        }
    }

    /// What it says about the offset of `a`'s clock, given where `b` lies on the common line.
    pub fn bound_a(&self, b: Bounds) -> Constraint {
        let low = minus(
            plus(b.low, -self.most),
            self.a.ns.saturating_add(self.a.step - 1),
        );
        let high = minus(plus(b.high, -self.least), self.a.ns);
        Constraint {
            place: 0,
            raw: self.a.ns.clamp(-FAR, FAR),
            low,
            high,
            firm: self.firm,
            cite: self.a.cite,
        }
    }
}

/// A bound plus a distance, where a distance of [`FAR`] means no bound.
fn plus(bound: i64, distance: i64) -> i64 {
    if distance >= FAR {
        i64::MAX
    } else if distance <= -FAR {
        i64::MIN
    } else {
        bound.saturating_add(distance)
    }
}

/// A bound minus a raw time, within the range of offsets.
fn minus(bound: i64, raw: i64) -> i64 {
    match bound {
        i64::MAX => FAR,
        i64::MIN => -FAR,
        bound => bound.saturating_sub(raw).clamp(-FAR, FAR),
    }
}
