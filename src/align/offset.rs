//! From bounds on one clock's offset, some of them wrong, to the offset: an interval along a line with small drift, in
//! stretches where the clock was stepped.
//!
//! The bounds that most agree on are found by a sweep over their ends (Marzullo's algorithm, RFC 5905 section 11.2.1);
//! the others are reported as rejected. Among the agreeing ones, every line `offset + drift * t` that violates none is
//! possible: the estimate is that whole set, so the true line is in it as long as the agreeing bounds are true.

use crate::span::Cite;
use crate::time::{Bounds, SECOND};

/// Beyond any offset between two clocks: stands for "no bound". About 73 years.
pub const FAR: i64 = i64::MAX / 4;

/// Crystal clocks stay within 50 ppm of true time (RFC 5905 allows 500 for broken ones); two of them within twice that.
const DRIFT_MAX_PPM: f64 = 100.0;

/// Fewer rejected bounds than this are taken as wrong pairs, never as a step of the clock.
const STEP_EVIDENCE: usize = 4;

/// One anchor's bound on the offset of one clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Constraint {
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

/// A part of a clock's life with one offset line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segment {
    /// First raw time it holds for (the first segment holds before it, too).
    pub from: i64,
    /// The offset at `from` lies in here.
    pub offset: Bounds,
    /// The single best value at `from`.
    pub best: i64,
    /// Change of the offset, parts per million.
    pub drift_ppm: f64,
}

/// A clock's offset over its life.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fit {
    /// By time, at least one; each with the same line on both sides of an inner cut, but wider or narrower bounds.
    pub segments: Vec<Segment>,
    /// How many constraints agree.
    pub used: usize,
    /// Records of those that do not.
    pub rejected: Vec<Cite>,
}

/// The offset that most constraints agree on. `span` is the first and last raw time at which the clock is used.
///
/// `None` when no finite interval comes out: no anchors, or bounds on one side only.
pub fn fit(constraints: &[Constraint], span: (i64, i64)) -> Option<Fit> {
    let firm: Vec<Constraint> = constraints.iter().copied().filter(|c| c.firm).collect();
    let mut sorted = if interval(&firm)
        .is_some_and(|(bounds, _)| finite(bounds) && bounds.width() <= HABIT_NEEDED)
    {
        firm
    } else {
        constraints.to_vec()
    };
    sorted.sort_by_key(|c| (c.raw, c.low, c.high, c.cite));
    let mut fit = Fit::default();
    for part in steps(&sorted) {
        let until = span.1.max(part[part.len() - 1].raw);
        let start = if fit.segments.is_empty() {
            span.0.min(part[0].raw)
        } else {
            part[0].raw
        };
        line(part, (start, until), &mut fit);
    }
    if fit.segments.is_empty() {
        return None;
    }
    fit.rejected.sort_unstable();
    Some(fit)
}

/// Bounds from habit are used only where causality alone leaves more than this: the width promised for logs.
const HABIT_NEEDED: i64 = 50_000_000;

fn finite(bounds: Bounds) -> bool {
    bounds.low > -FAR / 2 && bounds.high < FAR / 2
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

/// Splits at steps, each time where the disagreement changes most (binary segmentation).
fn steps(sorted: &[Constraint]) -> Vec<&[Constraint]> {
    let mut parts = Vec::new();
    let mut open = vec![sorted];
    while let Some(part) = open.pop() {
        match first_step(part) {
            Some(cut) if parts.len() + open.len() < MAX_STEPS => {
                let (head, tail) = part.split_at(cut);
                open.push(tail);
                open.push(head);
            }
            _ if part.is_empty() => {}
            _ => parts.push(part),
        }
    }
    parts
}

/// More steps than this are not a clock but noise.
const MAX_STEPS: usize = 64;

/// How many agree, with the best drift.
fn agreement(sorted: &[Constraint]) -> usize {
    interval(&flatten(sorted, slope(sorted))).map_or(0, |(_, count)| count)
}

/// Where a step explains most of what disagrees, if any does.
fn first_step(sorted: &[Constraint]) -> Option<usize> {
    let flat = flatten(sorted, slope(sorted));
    let (bounds, agreeing) = interval(&flat)?;
    let wrong = flat.len() - agreeing;
    if wrong < STEP_EVIDENCE {
        return None;
    }
    // The cumulative sum of disagreement over its mean turns where the share of disagreement changes.
    let (mut sum, mut lowest, mut highest) = (0_i64, (0_i64, 0_usize), (0_i64, 0_usize));
    for (index, c) in flat.iter().enumerate() {
        let bad = !(c.low <= bounds.low && bounds.high <= c.high);
        sum += if bad {
            agreeing as i64
        } else {
            -(wrong as i64)
        };
        if sum < lowest.0 {
            lowest = (sum, index + 1);
        }
        if sum > highest.0 {
            highest = (sum, index + 1);
        }
    }
    let mut best = (0, 0);
    for cut in [lowest.1, highest.1] {
        if cut < STEP_EVIDENCE || sorted.len() - cut < STEP_EVIDENCE {
            continue;
        }
        let gain = (agreement(&sorted[..cut]) + agreement(&sorted[cut..])).saturating_sub(agreeing);
        if gain > best.0 {
            best = (gain, cut);
        }
    }
    // Wrong pairs are spread over time: splitting there gains a few by chance, a step gains most of them.
    (best.0 >= STEP_EVIDENCE && best.0 * 2 > wrong).then_some(best.1)
}

/// Parts of a clock's life whose middles give its slope.
const BUCKETS: usize = 24;

/// Drift in parts per million that makes most constraints agree: zero unless another value is clearly better.
fn slope(sorted: &[Constraint]) -> f64 {
    let Some((_, agreeing)) = interval(sorted) else {
        return 0.0;
    };
    // A wrong pair can be far off in raw time, too: what counts is where most of the anchors are.
    let (early, late) = (
        sorted[sorted.len() / 10].raw,
        sorted[sorted.len() - 1 - sorted.len() / 10].raw,
    );
    let length = late.saturating_sub(early);
    if agreeing == sorted.len() || length < 10 * SECOND {
        return 0.0;
    }
    let mut middles: Vec<(i64, i64)> = Vec::new();
    for bucket in sorted.chunks((sorted.len() / BUCKETS).max(4)) {
        if let Some((bounds, _)) = interval(bucket).filter(|(bounds, _)| finite(*bounds)) {
            middles.push((bucket[bucket.len() / 2].raw, bounds.mid()));
        }
    }
    // Theil and Sen's slope: the median over all pairs of buckets far enough apart.
    let mut slopes: Vec<f64> = Vec::new();
    for (index, a) in middles.iter().enumerate() {
        for b in &middles[index + 1..] {
            if b.0 - a.0 >= length / 4 {
                slopes.push((b.1 - a.1) as f64 * 1e6 / (b.0 - a.0) as f64);
            }
        }
    }
    slopes.sort_by(f64::total_cmp);
    let Some(&median) = slopes.get(slopes.len() / 2) else {
        return 0.0;
    };
    if median.abs() > DRIFT_MAX_PPM {
        return 0.0;
    }
    let better = interval(&flatten(sorted, median)).map_or(0, |(_, count)| count);
    if better > agreeing { median } else { 0.0 }
}

fn drifted(ppm: f64, elapsed: i64) -> i64 {
    (elapsed as f64 * ppm / 1e6) as i64
}

/// The constraints as they would be on a clock without this drift.
fn flatten(sorted: &[Constraint], ppm: f64) -> Vec<Constraint> {
    let Some(first) = sorted.first().map(|c| c.raw) else {
        return Vec::new();
    };
    sorted
        .iter()
        .map(|c| {
            let drift = drifted(ppm, c.raw - first);
            Constraint {
                low: if c.low <= -FAR / 2 {
                    c.low
                } else {
                    c.low - drift
                },
                high: if c.high >= FAR / 2 {
                    c.high
                } else {
                    c.high - drift
                },
                ..*c
            }
        })
        .collect()
}

/// Fits one stretch and appends its segments.
fn line(part: &[Constraint], span: (i64, i64), fit: &mut Fit) {
    let guess = slope(part);
    let flat = flatten(part, guess);
    let Some((bounds, agreeing)) = interval(&flat) else {
        return;
    };
    if !finite(bounds) {
        return;
    }
    let origin = part[0].raw;
    let mut lows = Vec::new();
    let mut highs = Vec::new();
    for (flat, c) in flat.iter().zip(part) {
        if flat.low <= bounds.low && bounds.high <= flat.high {
            if c.low > -FAR / 2 {
                lows.push((c.raw - origin, c.low, c.firm));
            }
            if c.high < FAR / 2 {
                highs.push((c.raw - origin, c.high, c.firm));
            }
        } else {
            fit.rejected.push(c.cite);
        }
    }
    fit.used += agreeing;
    let firmly =
        |points: &[(i64, i64, bool)]| points.iter().filter(|p| p.2).map(|p| (p.0, p.1)).collect();
    let all = |points: &[(i64, i64, bool)]| points.iter().map(|p| (p.0, p.1)).collect();
    let firm = Lines {
        lows: hull(firmly(&lows), true),
        highs: hull(firmly(&highs), false),
    };
    let lines = Lines {
        lows: hull(all(&lows), true),
        highs: hull(all(&highs), false),
    };
    let (slowest, fastest) = lines.slopes(guess);
    // No drift is the simplest clock; another one is claimed only where none does not fit.
    let drift = if slowest <= 0.0 && 0.0 <= fastest {
        0.0
    } else {
        f64::midpoint(slowest, fastest)
    };
    let first = lines
        .lows
        .first()
        .map_or(0, |p| p.0)
        .min(lines.highs.first().map_or(0, |p| p.0));
    let last = lines
        .lows
        .last()
        .map_or(0, |p| p.0)
        .max(lines.highs.last().map_or(0, |p| p.0));
    let base = best(lines.offsets(drift, 0), firm.offsets(drift, 0));
    let (start, end) = (span.0 - origin, span.1.saturating_sub(origin));
    let mut cuts = vec![start];
    cuts.extend(
        (1..4)
            .rev()
            .map(|k| first - (first - start) / (1 << k))
            .filter(|_| first > start)
            .rev(),
    );
    cuts.push(first);
    cuts.extend((1..4).map(|k| first + (last - first) / 4 * k));
    cuts.push(last);
    cuts.extend(
        (1..4)
            .rev()
            .map(|k| last + (end - last) / (1 << k))
            .filter(|_| end > last),
    );
    cuts.push(end.max(last));
    cuts.retain(|cut| *cut >= start);
    cuts.sort_unstable();
    cuts.dedup();
    for (index, &cut) in cuts.iter().enumerate() {
        let next = cuts.get(index + 1).copied().unwrap_or(cut);
        if index > 0 && next == cut {
            continue;
        }
        // The line's distance to the set's edge is convex in time, so it is largest at one of the two ends.
        let (mut below, mut above) = (0, 0);
        for t in [cut, next] {
            let line = base + drifted(drift, t);
            let band = lines.band(slowest, fastest, t);
            above = above.max(band.high - line);
            below = below.max(line - band.low);
        }
        let best = base + drifted(drift, cut);
        let segment = Segment {
            from: origin + cut,
            offset: Bounds {
                low: best - below,
                high: best + above,
            },
            best,
            drift_ppm: drift,
        };
        match fit.segments.last_mut() {
            Some(before)
                if index > 0
                    && before.drift_ppm == 0.0
                    && drift == 0.0
                    && before.offset == segment.offset
                    && before.best == segment.best => {}
            _ => fit.segments.push(segment),
        }
    }
}

/// Things that habit bounds mostly happen at once: the best value is near the bound that causality gives.
const PROMPT: i64 = 1_000_000;

/// The best single value: the middle, or near the firm end where only habit bounds the other.
fn best(all: Bounds, firm: Bounds) -> i64 {
    let prompt = PROMPT.min(all.width() / 2);
    match (firm.low == all.low, firm.high == all.high) {
        (true, false) => all.low + prompt,
        (false, true) => all.high - prompt,
        _ => all.mid(),
    }
}

/// All lines that lie above every low point and below every high point; only the points on the hulls matter.
struct Lines {
    lows: Vec<(i64, i64)>,
    highs: Vec<(i64, i64)>,
}

impl Lines {
    /// Offsets at time zero that are possible with this drift; empty (low above high) if none.
    fn offsets(&self, ppm: f64, at: i64) -> Bounds {
        let low = self
            .lows
            .iter()
            .map(|p| p.1 - drifted(ppm, p.0 - at))
            .max()
            .unwrap_or(-FAR);
        let high = self
            .highs
            .iter()
            .map(|p| p.1 - drifted(ppm, p.0 - at))
            .min()
            .unwrap_or(FAR);
        Bounds { low, high }
    }

    fn room(&self, ppm: f64) -> i64 {
        self.offsets(ppm, 0).width()
    }

    /// The smallest and largest possible drift, parts per million. `inside` is possible.
    fn slopes(&self, inside: f64) -> (f64, f64) {
        let edge = |mut good: f64, mut bad: f64| {
            if self.room(bad) >= 0 {
                return bad;
            }
            // Room is concave in the drift, so there is one edge on each side.
            for _ in 0..50 {
                let middle = f64::midpoint(good, bad);
                if self.room(middle) >= 0 {
                    good = middle;
                } else {
                    bad = middle;
                }
            }
            good
        };
        (edge(inside, -DRIFT_MAX_PPM), edge(inside, DRIFT_MAX_PPM))
    }

    /// The lowest and highest offset at time `at` over all possible lines.
    fn band(&self, slowest: f64, fastest: f64, at: i64) -> Bounds {
        // The extreme offset is concave (convex) in the drift: search by thirds.
        let search = |value: &dyn Fn(f64) -> i64| {
            let (mut a, mut b) = (slowest, fastest);
            for _ in 0..60 {
                let (p, q) = (a + (b - a) / 3.0, b - (b - a) / 3.0);
                if value(p) < value(q) {
                    a = p;
                } else {
                    b = q;
                }
            }
            value(f64::midpoint(a, b))
                .max(value(slowest))
                .max(value(fastest))
        };
        let high = search(&|ppm| self.offsets(ppm, at).high);
        let low = -search(&|ppm| -self.offsets(ppm, at).low);
        Bounds { low, high }
    }
}

/// The points that bound a set from above (`upper`) or below, by time.
fn hull(mut points: Vec<(i64, i64)>, upper: bool) -> Vec<(i64, i64)> {
    points.sort_unstable();
    let mut kept: Vec<(i64, i64)> = Vec::new();
    for point in points {
        while let [.., a, b] = kept[..] {
            let turn = i128::from(b.0 - a.0) * i128::from(point.1 - a.1)
                - i128::from(b.1 - a.1) * i128::from(point.0 - a.0);
            if (upper && turn >= 0) || (!upper && turn <= 0) {
                kept.pop();
            } else {
                break;
            }
        }
        kept.push(point);
    }
    kept
}
