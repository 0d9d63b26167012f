//! From bounds on one clock's offset, some of them wrong, to the offset: the set of all lines `offset + drift * t` that
//! most bounds agree on, in stretches where the clock was stepped.

use super::agree::{Bound, Meets, Region};
use super::clock::{Line, Stretch};
use super::step;
use crate::span::Cite;
use crate::time::Bounds;

/// Beyond any offset between two clocks: stands for "no bound". About 73 years.
pub const FAR: i64 = i64::MAX / 4;

/// One anchor's bound on the offset of one clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Constraint {
    /// The record's place among the records of that clock ([`super::clock::Clock::place`]).
    pub place: u64,
    /// Raw time on that clock, nanoseconds.
    pub raw: i64,
    /// The offset is at least this; `-FAR` for no bound.
    pub low: i64,
    /// The offset is at most this; `FAR` for no bound.
    pub high: i64,
    /// It follows from causality; else from habit (how long things usually take).
    pub firm: bool,
    /// The record on that clock.
    pub cite: Cite,
}

/// A clock's offset over its life.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fit {
    /// By place, at least one.
    pub stretches: Vec<Stretch>,
    /// How many constraints agree.
    pub used: usize,
    /// Places of those, ascending.
    pub anchored: Vec<u64>,
    /// Records of those that do not.
    pub rejected: Vec<Cite>,
    /// Causality alone gives it.
    pub firm: bool,
}

/// What is known of the order of a clock's own records.
#[derive(Clone, Copy, Debug, Default)]
pub struct Order<'a> {
    /// Place and raw time of each kept record, by place.
    pub records: &'a [(u64, i64)],
    /// Places where records of one process begin to run earlier than those before them.
    pub turns: &'a [u64],
}

/// The interval that most constraints contain, and how many do. Of several equally good ones the first.
pub fn interval(constraints: &[Constraint]) -> Option<(Bounds, usize)> {
    let mut ends: Vec<(i64, i8)> = Vec::with_capacity(constraints.len() * 2);
    for c in constraints {
        if c.low <= c.high {
            // Starts sort before ends at the same value: touching intervals share a point.
            ends.push((c.low, -1));
            ends.push((c.high, 1));
        }
    }
    ends.sort_unstable();
    let (mut depth, mut best, mut bounds) = (0_usize, 0, None);
    for (index, &(value, kind)) in ends.iter().enumerate() {
        if kind < 0 {
            depth += 1;
            if depth > best {
                best = depth;
                let high = ends[index + 1..]
                    .iter()
                    .find(|end| end.1 > 0)
                    .map_or(value, |end| end.0);
                bounds = Some(Bounds { low: value, high });
            }
        } else {
            depth -= 1;
        }
    }
    bounds.map(|bounds| (bounds, best))
}

/// Bounds from habit are used only where causality alone leaves more than this: the width promised for logs.
const HABIT_NEEDED: i64 = 50_000_000;

/// The offset that most constraints agree on.
///
/// `None` when no finite interval comes out: no anchors, or bounds on one side only.
pub fn fit(mut sorted: Vec<Constraint>, order: Order<'_>) -> Option<Fit> {
    sorted.sort_unstable_by_key(|c| (c.place, c.raw, c.low, c.high, c.firm, c.cite));
    if sorted.iter().all(|c| c.firm) {
        return stretches(&sorted, order);
    }
    let firm: Vec<Constraint> = sorted.iter().copied().filter(|c| c.firm).collect();
    if let Some(fit) = stretches(&firm, order) {
        let width = |stretch: &Stretch| stretch.offset(stretch.tightest).0.width();
        if fit.stretches.iter().all(|s| width(s) <= HABIT_NEEDED) {
            return Some(fit);
        }
    }
    stretches(&sorted, order)
}

/// The scale of one fit: near zero, floats are exact.
#[derive(Clone, Copy, Debug)]
struct Scale {
    origin: i64,
    base: i64,
}

impl Scale {
    /// In the middle of the records' times and of the bounds.
    fn of(sorted: &[Constraint]) -> Option<Self> {
        let origin = sorted.get(sorted.len() / 2)?.raw;
        let mut ends: Vec<i64> = sorted
            .iter()
            .flat_map(|c| [c.low, c.high])
            .filter(|end| end.abs() < FAR / 2)
            .collect();
        let middle = ends.len() / 2;
        (middle < ends.len()).then(|| Self {
            origin,
            base: *ends.select_nth_unstable(middle).1,
        })
    }

    fn bound(self, c: &Constraint) -> Bound {
        Bound {
            x: c.raw.saturating_sub(self.origin) as f64,
            low: if c.low <= -FAR / 2 {
                f64::NEG_INFINITY
            } else {
                c.low.saturating_sub(self.base) as f64
            },
            high: if c.high >= FAR / 2 {
                f64::INFINITY
            } else {
                c.high.saturating_sub(self.base) as f64
            },
            weight: if c.firm { FIRM } else { 1 },
        }
    }
}

/// Causality outweighs habits: a stalled machine breaks several of them at once.
const FIRM: u32 = 3;

fn stretches(sorted: &[Constraint], order: Order<'_>) -> Option<Fit> {
    let scale = Scale::of(sorted)?;
    let bounds: Vec<Bound> = sorted.iter().map(|c| scale.bound(c)).collect();
    let mut fit = Fit {
        firm: sorted.iter().all(|c| c.firm),
        ..Fit::default()
    };
    let mut before: Option<(Vec<usize>, Region)> = None;
    for step::Part { range: part, found } in step::parts(sorted, &bounds, order.turns) {
        let own = &bounds[part.clone()];
        let Some(stretch) = stretch(sorted, own, part.start, &found, scale) else {
            continue;
        };
        let agreeing: Vec<usize> = found.agreeing.iter().map(|at| part.start + at).collect();
        let Some(first) = agreeing.first() else {
            continue;
        };
        // A bound that both clocks satisfy does not say on which side of the step its record is.
        let apart = |index: &&usize, other: &Region| other.contradicts(&bounds[**index]);
        if let Some((earlier, old)) = &before
            && let last = earlier.iter().rfind(|at| apart(at, &found.region))
            && let Some(end) = last.or(earlier.last())
        {
            let begin = agreeing.iter().find(|at| apart(at, old)).unwrap_or(first);
            let gap = (sorted[*end], sorted[*begin]);
            step::between(
                gap,
                (old, &found.region),
                order,
                scale.origin,
                &mut fit,
                stretch,
            );
        } else {
            fit.stretches.push(stretch);
        }
        fit.used += agreeing.len();
        fit.anchored
            .extend(agreeing.iter().map(|&at| sorted[at].place));
        let mut accepted = agreeing.iter().peekable();
        for index in part {
            if accepted.next_if_eq(&&index).is_none() {
                fit.rejected.push(sorted[index].cite);
            }
        }
        before = Some((agreeing, found.region));
    }
    fit.rejected.sort_unstable();
    fit.rejected.dedup();
    (!fit.stretches.is_empty()).then_some(fit)
}

/// Bounds that are missed by no more than this show how straight clocks run and how prompt packets are captured: the set
/// is widened by it. What misses by more is a wrong pair.
const STRAIGHT: f64 = 1e6;

/// One stretch from what its bounds agree on; `None` where one side is open.
fn stretch(
    sorted: &[Constraint],
    own: &[Bound],
    start: usize,
    found: &step::Explained,
    scale: Scale,
) -> Option<Stretch> {
    let region = &found.region;
    if region.is_unbounded() {
        return None;
    }
    let (slowest, fastest) = region.slopes();
    // No drift is the simplest clock; another one is claimed only where none does not fit.
    let slope = if slowest <= 0.0 && 0.0 <= fastest {
        0.0
    } else {
        f64::midpoint(slowest, fastest)
    };
    let (mut all, mut firm) = (
        (f64::NEG_INFINITY, f64::INFINITY),
        (f64::NEG_INFINITY, f64::INFINITY),
    );
    let mut tightest = (f64::INFINITY, 0.0);
    for &index in &found.agreeing {
        let bound = &own[index];
        let (low, high) = (bound.low - slope * bound.x, bound.high - slope * bound.x);
        all = (all.0.max(low), all.1.min(high));
        if sorted[start + index].firm {
            firm = (firm.0.max(low), firm.1.min(high));
        }
        let band = region.band(bound.x);
        if band.1 - band.0 < tightest.0 {
            tightest = (band.1 - band.0, bound.x);
        }
    }
    let mut corners = region.corners.clone();
    let (mut above, mut below) = (0.0_f64, 0.0_f64);
    for bound in own {
        if let Meets::Contradicts { over, under } = region.meets(bound) {
            if over > 0.0 && over <= STRAIGHT {
                below = below.max(over);
            }
            if under > 0.0 && under <= STRAIGHT {
                above = above.max(under);
            }
        }
    }
    for (add, is_needed) in [(above, above > 0.0), (-below, below > 0.0)] {
        if is_needed {
            corners.extend(region.corners.iter().map(|corner| Line {
                offset: corner.offset + add,
                ..*corner
            }));
        }
    }
    Some(Stretch {
        from: 0,
        origin: scale.origin,
        base: scale.base,
        best: Line {
            offset: best(all, firm),
            slope,
        },
        corners,
        tightest: scale.origin.saturating_add(tightest.1 as i64),
    })
}

/// Things that habit bounds mostly happen at once: the best value is near the bound that causality gives.
const PROMPT: f64 = 1e6;

/// The best single value: the middle, or near the firm end where only habit bounds the other.
fn best(all: (f64, f64), firm: (f64, f64)) -> f64 {
    let prompt = PROMPT.min((all.1 - all.0) / 2.0);
    match (firm.0 >= all.0, firm.1 <= all.1) {
        (true, false) => all.0 + prompt,
        (false, true) => all.1 - prompt,
        _ => f64::midpoint(all.0, all.1),
    }
}
