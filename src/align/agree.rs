//! The lines of offsets that most bounds agree on, found exactly: for one drift it is a sweep over the bounds' ends
//! (Marzullo's algorithm, RFC 5905 section 11.2.1), over all drifts it is branch and bound. Widening every bound by what
//! half an interval of drifts can make at its distance shows how many bounds any drift in there could satisfy, so
//! intervals that cannot beat the best are left out.
//!
//! Among the bounds that agree, every line that violates none is possible: the result is that whole set, a convex
//! polygon, so the true line is in it as long as the agreeing bounds are true.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::clock::Line;

/// Crystal clocks stay within 50 ppm of true time (RFC 5905 allows 500 for broken ones); two of them within twice that.
pub const DRIFT: f64 = 100e-6;

/// Readings are whole nanoseconds: two of them differ from the truth by up to this.
const ROUNDING: f64 = 2.0;

/// Corners that are no further apart than this are one, at the origin and [`LONG`] after it.
const SAME: f64 = 0.01;

/// A quarter of an hour.
const LONG: f64 = 9e11;

/// Sweeps that one search may take. Clean data needs a handful; only data that agrees on nothing needs more.
const SWEEPS: usize = 120;

/// One bound on the offset, in coordinates near zero.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// Nanoseconds since the origin.
    pub x: f64,
    /// The offset is at least this; `-INFINITY` for no bound.
    pub low: f64,
    /// The offset is at most this; `INFINITY` for no bound.
    pub high: f64,
    /// How much it counts.
    pub weight: u32,
}

impl Bound {
    /// The line keeps within it.
    pub fn allows(&self, line: Line) -> bool {
        let value = line.at(self.x);
        self.low - ROUNDING <= value && value <= self.high + ROUNDING
    }
}

/// The set of lines that violate no bound that agrees: corners of a convex polygon in the plane of lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// Its corners, in order around it.
    pub corners: Vec<Line>,
}

impl Region {
    /// All lines with possible drifts, and with offsets within [`BEYOND`] of this one.
    fn around(middle: f64) -> Self {
        let corner = |side: f64, slope| Line {
            offset: middle + side,
            slope,
        };
        Self {
            corners: vec![
                corner(-BEYOND, -DRIFT),
                corner(BEYOND, -DRIFT),
                corner(BEYOND, DRIFT),
                corner(-BEYOND, DRIFT),
            ],
        }
    }

    /// The lowest and highest value at `x` over all its lines.
    pub fn band(&self, x: f64) -> (f64, f64) {
        let start = (f64::INFINITY, f64::NEG_INFINITY);
        self.corners.iter().fold(start, |(low, high), corner| {
            let value = corner.at(x);
            (low.min(value), high.max(value))
        })
    }

    /// Smallest and largest drift.
    pub fn slopes(&self) -> (f64, f64) {
        let start = (f64::INFINITY, f64::NEG_INFINITY);
        self.corners.iter().fold(start, |(low, high), corner| {
            (low.min(corner.slope), high.max(corner.slope))
        })
    }

    /// The mean of its corners, which lies inside.
    fn middle(&self) -> Line {
        let mean = |part: fn(&Line) -> f64| {
            self.corners.iter().map(part).sum::<f64>() / self.corners.len() as f64
        };
        Line {
            offset: mean(|corner| corner.offset),
            slope: mean(|corner| corner.slope),
        }
    }

    /// No bound on one of its sides.
    pub fn is_unbounded(&self) -> bool {
        let (low, high) = self.band(0.0);
        high - low >= BEYOND / 4.0
    }

    /// None of its lines keeps within `bound`.
    pub fn contradicts(&self, bound: &Bound) -> bool {
        matches!(self.meets(bound), Meets::Contradicts { .. })
    }

    /// What this bound says of it.
    pub fn meets(&self, bound: &Bound) -> Meets {
        let (low, high) = self.band(bound.x);
        let over = low - (bound.high + ROUNDING);
        let under = (bound.low - ROUNDING) - high;
        if over > 0.0 || under > 0.0 {
            Meets::Contradicts { over, under }
        } else if low >= bound.low - ROUNDING && high <= bound.high + ROUNDING {
            Meets::Holds
        } else {
            Meets::Cuts
        }
    }

    /// Leaves the lines that keep within `bound`.
    fn cut(&mut self, bound: &Bound) {
        if bound.low > f64::NEG_INFINITY {
            self.keep(|line| line.at(bound.x) - (bound.low - ROUNDING));
        }
        if bound.high < f64::INFINITY {
            self.keep(|line| (bound.high + ROUNDING) - line.at(bound.x));
        }
    }

    /// Clips by one half plane: lines whose `room` is negative go (Sutherland and Hodgman).
    fn keep(&mut self, room: impl Fn(Line) -> f64) {
        let rooms: Vec<f64> = self.corners.iter().map(|corner| room(*corner)).collect();
        if rooms.iter().all(|room| *room >= 0.0) {
            return;
        }
        let mut kept = Vec::with_capacity(self.corners.len() + 1);
        for (index, corner) in self.corners.iter().enumerate() {
            let next = (index + 1) % self.corners.len();
            let (here, there) = (rooms[index], rooms[next]);
            if here >= 0.0 {
                kept.push(*corner);
            }
            if (here < 0.0) != (there < 0.0) {
                let part = here / (here - there);
                let other = self.corners[next];
                kept.push(Line {
                    offset: corner.offset + (other.offset - corner.offset) * part,
                    slope: corner.slope + (other.slope - corner.slope) * part,
                });
            }
        }
        // Bounds that agree to the nanosecond all pass through one corner, which need not be there for each of them.
        kept.dedup_by(|a, b| {
            let (offset, slope) = (a.offset - b.offset, a.slope - b.slope);
            offset.abs() <= SAME && slope.abs() * LONG <= SAME
        });
        if !kept.is_empty() {
            self.corners = kept;
        }
    }
}

/// Twelve days in nanoseconds: beyond what bounds leave open, and small enough that floats keep tenths of nanoseconds.
const BEYOND: f64 = 1e15;

/// How a bound and a region stand to each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Meets {
    /// All lines of the region keep within the bound.
    Holds,
    /// Some do.
    Cuts,
    /// None does: the nearest is this far above its high end, or below its low end (the other is negative).
    Contradicts {
        /// Distance above.
        over: f64,
        /// Distance below.
        under: f64,
    },
}

/// The line that keeps within the most weight of `bounds`, and that weight; no drift where that is as good as any.
pub fn best_line(bounds: &[Bound]) -> Option<(Line, u64)> {
    let total: u64 = bounds.iter().map(|bound| u64::from(bound.weight)).sum();
    let center = bounds.get(bounds.len() / 2)?.x;
    let mut sweep = Sweep {
        bounds,
        center,
        ends: Vec::with_capacity(bounds.len() * 2),
    };
    let mut best = sweep.at(0.0, 0.0);
    let mut best_slope = 0.0;
    let mut open = BinaryHeap::new();
    let mut sweeps = 1;
    if best.weight < total {
        let most = sweep.at(0.0, DRIFT).weight;
        open.push(Cell {
            most,
            middle: 0.0,
            half: DRIFT,
        });
    }
    while let Some(cell) = open.pop() {
        if cell.most <= best.weight || sweeps >= SWEEPS {
            break;
        }
        let half = cell.half / 2.0;
        for middle in [cell.middle - half, cell.middle + half] {
            let here = sweep.at(middle, 0.0);
            if here.weight > best.weight {
                best = here;
                best_slope = middle;
            }
            let most = sweep.at(middle, half).weight;
            sweeps += 2;
            if most > best.weight {
                open.push(Cell { most, middle, half });
            }
        }
    }
    let value = match (best.low.is_finite(), best.high.is_finite()) {
        (true, true) => f64::midpoint(best.low, best.high),
        (true, false) => best.low,
        (false, true) => best.high,
        (false, false) => 0.0,
    };
    let line = Line {
        offset: value - best_slope * center,
        slope: best_slope,
    };
    if best.weight < total && sweeps >= SWEEPS {
        // A set too thin for the sweeps that were left: among the lines that satisfy as much, some may satisfy more.
        let mut region = region(bounds.iter(), line);
        region.cut_all(bounds.iter().filter(|bound| !bound.allows(line)));
        let inner = region.middle();
        let allowed = bounds.iter().filter(|bound| bound.allows(inner));
        let weight = allowed.map(|bound| u64::from(bound.weight)).sum();
        if weight > best.weight {
            return Some((inner, weight));
        }
    }
    Some((line, best.weight))
}

/// All lines that keep within every one of the bounds that `line` keeps within.
pub fn region<'a>(bounds: impl Iterator<Item = &'a Bound>, line: Line) -> Region {
    let mut region = Region::around(line.offset);
    for bound in bounds.filter(|bound| bound.allows(line)) {
        region.cut(bound);
    }
    region
}

impl Region {
    /// Leaves the lines that keep within these, too; those that would leave none are passed over.
    pub fn cut_all<'a>(&mut self, bounds: impl Iterator<Item = &'a Bound>) {
        for bound in bounds {
            if self.meets(bound) == Meets::Cuts {
                self.cut(bound);
            }
        }
    }
}

/// An interval of drifts, and the most that any line with such a drift can satisfy.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cell {
    most: u64,
    middle: f64,
    half: f64,
}

impl Eq for Cell {}

impl PartialOrd for Cell {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Cell {
    /// The most promising first, then the least drift.
    fn cmp(&self, other: &Self) -> Ordering {
        let drift = |cell: &Self| cell.middle.abs();
        (self.most.cmp(&other.most))
            .then_with(|| drift(other).total_cmp(&drift(self)))
            .then_with(|| self.middle.total_cmp(&other.middle))
    }
}

struct Sweep<'a> {
    bounds: &'a [Bound],
    center: f64,
    ends: Vec<(f64, i64)>,
}

struct Deepest {
    weight: u64,
    low: f64,
    high: f64,
}

impl Sweep<'_> {
    /// The values at the centre that most bounds allow for lines of this drift, each bound widened by `half` of drift.
    fn at(&mut self, slope: f64, half: f64) -> Deepest {
        self.ends.clear();
        for bound in self.bounds {
            let distance = bound.x - self.center;
            let (drift, wide) = (slope * distance, half * distance.abs() + ROUNDING);
            let (low, high) = (bound.low - drift - wide, bound.high - drift + wide);
            if low <= high {
                self.ends.push((low, -i64::from(bound.weight)));
                self.ends.push((high, i64::from(bound.weight)));
            }
        }
        // Starts sort before ends at the same value: touching intervals share a point.
        self.ends
            .sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let (mut depth, mut open) = (0_i64, false);
        let mut deepest = Deepest {
            weight: 0,
            low: f64::NEG_INFINITY,
            high: f64::INFINITY,
        };
        for &(value, kind) in &self.ends {
            depth -= kind;
            if kind < 0 && depth as u64 > deepest.weight {
                deepest.weight = depth as u64;
                deepest.low = value;
                open = true;
            } else if kind > 0 && open {
                deepest.high = value;
                open = false;
            }
        }
        deepest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bound(x: f64, low: f64, high: f64) -> Bound {
        Bound {
            x,
            low,
            high,
            weight: 1,
        }
    }

    #[test]
    fn a_thin_drifting_set_with_wrong_bounds_is_found() {
        // 20 us wide, 37 ppm, over 1000 s; a fifth of the bounds says something else.
        let slope = 37e-6;
        let mut bounds: Vec<Bound> = (0..100)
            .map(|index| {
                let x = f64::from(index) * 1e10;
                bound(x, slope * x - 10e3, slope * x + 10e3)
            })
            .collect();
        for index in (0..100).step_by(5) {
            bounds[index].low += 3e9;
            bounds[index].high += 3e9;
        }
        let (line, weight) = best_line(&bounds).expect("a line");
        assert_eq!(weight, 80);
        let region = region(bounds.iter(), line);
        for x in [0.0, 5e11, 1e12] {
            let (low, high) = region.band(x);
            assert!(
                low <= slope * x && slope * x <= high && high - low < 25e3,
                "{low} {high}"
            );
        }
    }

    #[test]
    fn bounds_that_agree_to_the_nanosecond_leave_few_corners() {
        // Two captures of one storm on one host: each packet bounds the same offset.
        let bounds: Vec<Bound> = (0..5_000)
            .map(|index| {
                let (x, jitter) = (f64::from(index) * 27e6, f64::from(index * 7919 % 3) * 1e-3);
                match index % 2 {
                    0 => bound(x, 12e9 - jitter, f64::INFINITY),
                    _ => bound(x, f64::NEG_INFINITY, 12e9 + jitter),
                }
            })
            .collect();
        let (line, _) = best_line(&bounds).expect("a line");
        let region = region(bounds.iter(), line);
        assert!(
            region.corners.len() <= 12,
            "{} corners",
            region.corners.len()
        );
        let (low, high) = region.band(6e10);
        assert!(low <= 12e9 && 12e9 <= high && high - low < 5.0);
    }

    #[test]
    fn bounds_on_one_side_leave_the_other_open() {
        let bounds = [
            bound(0.0, 5.0, f64::INFINITY),
            bound(1e9, 7.0, f64::INFINITY),
        ];
        let (line, weight) = best_line(&bounds).expect("a line");
        assert_eq!(weight, 2);
        assert!(region(bounds.iter(), line).is_unbounded());
        assert_eq!(best_line(&[]), None);
    }

    proptest! {
        /// No line of a fine grid satisfies more bounds than the one found.
        #[test]
        fn no_other_line_satisfies_more(
            raw in proptest::collection::vec((0_i32..1000, -2000_i32..2000, 0_i32..600), 1..14),
        ) {
            let bounds: Vec<Bound> = raw
                .iter()
                .map(|&(x, low, width)| {
                    bound(f64::from(x) * 1e9, f64::from(low) * 100.0, f64::from(low + width) * 100.0)
                })
                .collect();
            let (found, weight) = best_line(&bounds).expect("a line");
            let allowed = |line: Line| bounds.iter().filter(|bound| bound.allows(line)).count() as u64;
            prop_assert!(allowed(found) >= weight);
            for slope in -20..=20 {
                for offset in -80..=80 {
                    let slope = f64::from(slope) * DRIFT / 20.0;
                    let line = Line { offset: f64::from(offset) * 4e3, slope };
                    prop_assert!(allowed(line) <= weight.max(allowed(found)), "{line:?}");
                }
            }
        }

        /// Whatever line all agreeing bounds allow is inside the band at every time.
        #[test]
        fn the_true_line_stays_inside(
            slope in -90..90_i32,
            raw in proptest::collection::vec((0_i32..4000, 1_i32..5000, 1_i32..5000), 2..60),
        ) {
            let truth = Line { offset: 1e9, slope: f64::from(slope) * 1e-6 };
            let bounds: Vec<Bound> = raw
                .iter()
                .map(|&(x, below, above)| {
                    let x = f64::from(x) * 1e9;
                    bound(x, truth.at(x) - f64::from(below) * 1e3, truth.at(x) + f64::from(above) * 1e3)
                })
                .collect();
            let (line, weight) = best_line(&bounds).expect("a line");
            prop_assert_eq!(weight, bounds.len() as u64);
            let region = region(bounds.iter(), line);
            for x in [-1e12, 0.0, 1e12, 9e12] {
                let (low, high) = region.band(x);
                prop_assert!(low - 1.0 <= truth.at(x) && truth.at(x) <= high + 1.0);
            }
        }
    }
}
