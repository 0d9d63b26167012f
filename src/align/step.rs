//! Steps of a clock: where most bounds agree with one set of lines up to a record, and with another one after it.
//!
//! Windows of several lengths offer a set each; the cheapest way to walk through all bounds (Viterbi), paying for every
//! bound that the current set contradicts and for every change of sets, shows the stretches.

use std::ops::Range;

use super::agree::{self, Bound, Meets, Region};
use super::clock::Stretch;
use super::offset::{Constraint, Fit, Order};

/// What some bounds agree on.
#[derive(Clone, Debug)]
pub struct Explained {
    /// All lines that the agreeing ones allow.
    pub region: Region,
    /// Which agree, ascending.
    pub agreeing: Vec<usize>,
    /// Their weight.
    pub weight: u64,
}

/// Bounds that follow each other, between two steps of their clock.
#[derive(Clone, Debug)]
pub struct Part {
    /// Which.
    pub range: Range<usize>,
    /// What most of them agree on.
    pub found: Explained,
}

/// Bounds that one search looks at; what they leave open is searched again with those that matter there.
const SAMPLE: usize = 600;

/// Searches that narrow the set over many bounds.
const NARROWINGS: usize = 4;

/// Evenly spread, but not in step with kinds of anchors that take turns.
fn sample(len: usize, most: usize) -> Vec<usize> {
    if len <= most {
        return (0..len).collect();
    }
    let stride = len as f64 / most as f64;
    (0..most)
        .map(|index| {
            let within = (index as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
            let part = within as f64 / f64::from(1 << 24);
            (((index as f64 + part) * stride) as usize).min(len - 1)
        })
        .collect()
}

/// The set of lines that most of `bounds` agree on.
pub fn explain(bounds: &[Bound]) -> Option<Explained> {
    let mut used: Vec<Bound> = sample(bounds.len(), SAMPLE)
        .into_iter()
        .map(|index| bounds[index])
        .collect();
    let (mut line, _) = agree::best_line(&used)?;
    let mut region = agree::region(used.iter(), line);
    if bounds.len() > SAMPLE {
        for _ in 0..NARROWINGS {
            let cutting: Vec<Bound> = bounds
                .iter()
                .filter(|bound| region.meets(bound) == Meets::Cuts)
                .copied()
                .collect();
            if cutting.is_empty() {
                break;
            }
            used.retain(|bound| bound.allows(line));
            used.extend(
                sample(cutting.len(), SAMPLE)
                    .into_iter()
                    .map(|index| cutting[index]),
            );
            used.sort_by(|a, b| a.x.total_cmp(&b.x));
            (line, _) = agree::best_line(&used)?;
            region = agree::region(used.iter(), line);
        }
        region.cut_all(bounds.iter());
    }
    let agreeing: Vec<usize> = (0..bounds.len())
        .filter(|&index| !region.contradicts(&bounds[index]))
        .collect();
    let weight = agreeing
        .iter()
        .map(|&index| u64::from(bounds[index].weight))
        .sum();
    Some(Explained {
        region,
        agreeing,
        weight,
    })
}

/// Fewer records than this that disagree are wrong pairs, never a step of the clock.
const RECORDS: usize = 3;

/// What a change of sets costs, in weight of contradicted bounds.
const CHANGE: u64 = 10;

/// What it costs where the records themselves run backwards.
const CHANGE_AT_TURN: u64 = 2;

/// More steps than this are not a clock but noise.
const MOST: usize = 64;

/// The stretches of `sorted`, by place; `bounds` are the same in coordinates.
pub fn parts(sorted: &[Constraint], bounds: &[Bound], turns: &[u64]) -> Vec<Part> {
    let Some(all) = explain(bounds) else {
        return Vec::new();
    };
    let mut disagreeing: Vec<u64> = Vec::new();
    let mut agreeing = all.agreeing.iter().peekable();
    for (index, c) in sorted.iter().enumerate() {
        if agreeing.next_if_eq(&&index).is_none() {
            disagreeing.push(c.place);
        }
    }
    disagreeing.dedup();
    let least = if turns.is_empty() {
        RECORDS
    } else {
        RECORDS - 1
    };
    let whole = |found| {
        vec![Part {
            range: 0..sorted.len(),
            found,
        }]
    };
    if disagreeing.len() < least {
        return whole(all);
    }
    let offers = offers(bounds);
    let parts = walk(sorted, bounds, turns, &offers);
    if parts.len() < 2 || parts.len() > MOST {
        return whole(all);
    }
    settle(sorted, bounds, turns, parts)
}

/// Sets that windows of the bounds agree on.
fn offers(bounds: &[Bound]) -> Vec<Region> {
    let mut offers: Vec<Region> = Vec::new();
    let mut windows = 1;
    while windows <= 32 && bounds.len() / windows >= 4 {
        for window in 0..windows {
            let (from, until) = (
                bounds.len() * window / windows,
                bounds.len() * (window + 1) / windows,
            );
            let own = &bounds[from..until];
            let used: Vec<Bound> = sample(own.len(), SAMPLE / 4)
                .into_iter()
                .map(|index| own[index])
                .collect();
            if let Some((line, _)) = agree::best_line(&used) {
                let region = agree::region(used.iter(), line);
                if !region.is_unbounded() {
                    offers.push(region);
                }
            }
        }
        windows *= 2;
    }
    offers
}

/// The cheapest walk: at each bound the set it was counted with, as ranges.
fn walk(
    sorted: &[Constraint],
    bounds: &[Bound],
    turns: &[u64],
    offers: &[Region],
) -> Vec<Range<usize>> {
    let whole: Vec<Range<usize>> = std::iter::once(0..sorted.len()).collect();
    if offers.len() < 2 {
        return whole;
    }
    let steps = sample(bounds.len(), SAMPLE * 4);
    let mut cost: Vec<u64> = vec![0; offers.len()];
    let mut came: Vec<Vec<u16>> = Vec::with_capacity(steps.len());
    let mut before = 0;
    for &index in &steps {
        let turned = turns.partition_point(|turn| *turn <= before)
            < turns.partition_point(|turn| *turn <= sorted[index].place);
        before = sorted[index].place;
        let change = if turned { CHANGE_AT_TURN } else { CHANGE };
        let (cheapest, least) = cost
            .iter()
            .enumerate()
            .min_by_key(|(offer, cost)| (**cost, *offer))
            .map_or((0, 0), |(offer, cost)| (offer, *cost));
        let mut from = Vec::with_capacity(offers.len());
        for (offer, region) in offers.iter().enumerate() {
            let stay = cost[offer];
            let (origin, mut now) = if least + change < stay {
                (cheapest, least + change)
            } else {
                (offer, stay)
            };
            if region.contradicts(&bounds[index]) {
                now += u64::from(bounds[index].weight);
            }
            cost[offer] = now;
            from.push(origin as u16);
        }
        came.push(from);
    }
    let mut offer = cost
        .iter()
        .enumerate()
        .min_by_key(|(offer, cost)| (**cost, *offer))
        .map_or(0, |(offer, _)| offer);
    let mut cuts = Vec::new();
    for step in (1..steps.len()).rev() {
        let origin = usize::from(came[step][offer]);
        if origin != offer {
            cuts.push(cut(
                bounds,
                steps[step - 1] + 1..steps[step],
                &offers[origin],
                &offers[offer],
            ));
            offer = origin;
        }
    }
    cuts.reverse();
    let mut parts = Vec::new();
    let mut from = 0;
    for cut in cuts {
        if cut > from {
            parts.push(from..cut);
            from = cut;
        }
    }
    parts.push(from..sorted.len());
    parts
}

/// The best place for a change between two sampled bounds: the first index that belongs to `new`.
fn cut(bounds: &[Bound], between: Range<usize>, old: &Region, new: &Region) -> usize {
    let contradicts = |region: &Region, index: usize| i64::from(region.contradicts(&bounds[index]));
    let (mut at, mut sum, mut least) = (between.start, 0, 0);
    for index in between {
        sum += contradicts(old, index) - contradicts(new, index);
        if sum < least {
            least = sum;
            at = index + 1;
        }
    }
    at
}

/// How many records in `range` have bounds that `this` keeps and `other` contradicts.
fn only(
    this: &Region,
    other: &Region,
    range: &Range<usize>,
    sorted: &[Constraint],
    bounds: &[Bound],
) -> usize {
    let mut places: Vec<u64> = range
        .clone()
        .filter(|&at| other.contradicts(&bounds[at]) && !this.contradicts(&bounds[at]))
        .map(|at| sorted[at].place)
        .collect();
    places.dedup();
    places.len()
}

/// Leaves only changes that enough records ask for; others join the neighbour that contradicts them least.
fn settle(
    sorted: &[Constraint],
    bounds: &[Bound],
    turns: &[u64],
    parts: Vec<Range<usize>>,
) -> Vec<Part> {
    let explained = |range: Range<usize>| {
        let found = explain(&bounds[range.clone()])?;
        Some(Part { range, found })
    };
    let mut parts: Vec<Part> = parts.into_iter().filter_map(explained).collect();
    let mut index = 1;
    while index < parts.len() {
        let (old, new) = (&parts[index - 1], &parts[index]);
        let (a, b) = (&old.found, &new.found);
        let turned = turns.partition_point(|turn| *turn <= sorted[old.range.end - 1].place)
            < turns.partition_point(|turn| *turn <= sorted[new.range.start].place);
        let needed = if turned { RECORDS - 1 } else { RECORDS };
        // Records of each side that only its own lines allow; more of them than of those that only the other side's allow.
        let shown = |part: &Part, own: &Region, other: &Region| {
            let mine = only(own, other, &part.range, sorted, bounds);
            mine >= needed && mine > only(other, own, &part.range, sorted, bounds)
        };
        let apart = shown(old, &a.region, &b.region)
            && shown(new, &b.region, &a.region)
            && !a.region.is_unbounded()
            && !b.region.is_unbounded();
        let Some(joint) = explained(old.range.start..new.range.end) else {
            index += 1;
            continue;
        };
        let gain = (a.weight + b.weight).saturating_sub(joint.found.weight);
        let worth = if turned { CHANGE_AT_TURN } else { CHANGE };
        if apart && gain >= worth {
            index += 1;
        } else {
            // What the two are together may join the one before them, too.
            parts[index - 1] = joint;
            parts.remove(index);
            index = index.saturating_sub(1).max(1);
        }
    }
    parts
}

/// Lines of one process from different threads, and packets of one host from different queues, can be swapped by this.
const SWAP: f64 = 2e6;

/// Adds `new` after the last stretch of `fit`. Which records between the last certain one before the step and the first
/// one after it belong to which stretch is told by their own order where that leaves one possibility; else both are
/// possible for them, and the union of both sets is what is known.
pub fn between(
    gap: (Constraint, Constraint),
    regions: (&Region, &Region),
    order: Order<'_>,
    origin: i64,
    fit: &mut Fit,
    mut new: Stretch,
) {
    let Some(old) = fit.stretches.last().cloned() else {
        return;
    };
    let (before, after) = gap;
    let first = order
        .records
        .partition_point(|record| record.0 < before.place);
    let until = order
        .records
        .partition_point(|record| record.0 <= after.place);
    let mut chain: Vec<(u64, i64)> = vec![(before.place, before.raw)];
    chain.extend(
        order.records[first..until]
            .iter()
            .filter(|record| record.0 > before.place && record.0 < after.place),
    );
    chain.push((after.place, after.raw));
    // The step lies after record `k` if time ran forward in each part and over the step.
    let x = |raw: i64| raw.saturating_sub(origin) as f64;
    let pairs = chain.len() - 1;
    let backward = |pair: usize| x(chain[pair + 1].1) - x(chain[pair].1) < -SWAP;
    let head = (0..pairs).take_while(|&pair| !backward(pair)).count();
    let tail = (0..pairs).rev().take_while(|&pair| !backward(pair)).count();
    let may_be = |pair: usize| {
        let earliest = x(chain[pair].1) + regions.0.band(x(chain[pair].1)).0;
        let latest = x(chain[pair + 1].1) + regions.1.band(x(chain[pair + 1].1)).1;
        pair <= head && pair + 1 + tail >= pairs && latest - earliest >= -SWAP
    };
    let possible: Vec<usize> = (0..pairs).filter(|&pair| may_be(pair)).collect();
    let (low, high) = match (possible.first(), possible.last()) {
        (Some(&low), Some(&high)) => (low, high),
        _ => (0, pairs - 1),
    };
    // The longest silence is where a step forward shows; a step back shows where time ran backwards.
    let likely = (low..=high)
        .max_by_key(|&pair| {
            let apart = chain[pair + 1].1.saturating_sub(chain[pair].1);
            (backward(pair), apart, std::cmp::Reverse(pair))
        })
        .unwrap_or(low);
    let union: Vec<_> = old.corners.iter().chain(&new.corners).copied().collect();
    for (from, best) in [(chain[low + 1].0, &old), (chain[likely + 1].0, &new)] {
        if low < high && from < chain[high + 1].0 {
            fit.stretches.push(Stretch {
                from,
                corners: union.clone(),
                ..best.clone()
            });
        }
    }
    new.from = chain[high + 1].0;
    fit.stretches.push(new);
}
