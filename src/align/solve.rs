//! The joint solution: clocks are tied to the reference one after the other, best anchored first, each by all anchors to
//! clocks already tied; a second round lets the later ones tighten the earlier ones.

use super::anchor::Anchor;
use super::clock::{Clock, Stretch};
use super::offset::{self, Constraint, Fit};
use crate::time::Bounds;

/// What is known of a clock before anchors.
#[derive(Clone, Debug)]
pub struct Known {
    /// First and last raw time at which it is used.
    pub span: (i64, i64),
    /// How good a reference it is: larger is better.
    pub rank: u32,
}

/// Rounds of tightening after the first.
const ROUNDS: usize = 1;

/// Ties `clocks` together by `anchors`, in place. Clocks that are `given` keep their offset and serve as reference.
/// `known` has one row a clock.
pub fn solve(clocks: &mut [Clock], known: &[Known], anchors: &[Anchor]) {
    let mut of_clock: Vec<Vec<u32>> = vec![Vec::new(); clocks.len()];
    for (index, anchor) in anchors.iter().enumerate() {
        if anchor.a.clock != anchor.b.clock
            && anchor.a.clock < clocks.len()
            && anchor.b.clock < clocks.len()
        {
            of_clock[anchor.a.clock].push(index as u32);
            of_clock[anchor.b.clock].push(index as u32);
        }
    }
    let mut tied: Vec<bool> = clocks.iter().map(|clock| clock.given).collect();
    if !tied.contains(&true) {
        let Some(reference) = reference(known, &of_clock) else {
            return;
        };
        tied[reference] = true;
        clocks[reference].aligned = true;
        "the reference: other clocks are given relative to it"
            .clone_into(&mut clocks[reference].how);
    }
    let mut order = Vec::new();
    let mut weight: Vec<u64> = vec![0; clocks.len()];
    for (index, tied_now) in tied.clone().into_iter().enumerate() {
        if tied_now {
            add_weight(&mut weight, anchors, &of_clock[index], index);
        }
    }
    let mut failed = vec![false; clocks.len()];
    // The clock with most anchors to tied ones comes next.
    while let Some(next) = (0..clocks.len())
        .filter(|&index| !tied[index] && !failed[index] && weight[index] > 0)
        .max_by_key(|&index| (weight[index], std::cmp::Reverse(index)))
    {
        if tie(clocks, known, anchors, &of_clock[next], next, &tied) {
            tied[next] = true;
            order.push(next);
            add_weight(&mut weight, anchors, &of_clock[next], next);
            failed.fill(false);
        } else {
            failed[next] = true;
        }
    }
    for _ in 0..ROUNDS {
        for &index in &order {
            tie(clocks, known, anchors, &of_clock[index], index, &tied);
        }
    }
}

fn add_weight(weight: &mut [u64], anchors: &[Anchor], mine: &[u32], me: usize) {
    for &index in mine {
        let anchor = &anchors[index as usize];
        let other = if anchor.a.clock == me {
            anchor.b.clock
        } else {
            anchor.a.clock
        };
        weight[other] += if anchor.firm { 2 } else { 1 };
    }
}

/// The best kind of source first, then the most anchors, then the first source.
fn reference(known: &[Known], of_clock: &[Vec<u32>]) -> Option<usize> {
    (0..known.len())
        .filter(|&index| known[index].rank > 0)
        .max_by_key(|&index| {
            (
                !of_clock[index].is_empty(),
                known[index].rank,
                of_clock[index].len(),
                std::cmp::Reverse(index),
            )
        })
}

/// Finds one clock's offset from its anchors to tied clocks.
fn tie(
    clocks: &mut [Clock],
    known: &[Known],
    anchors: &[Anchor],
    mine: &[u32],
    me: usize,
    tied: &[bool],
) -> bool {
    let mut constraints: Vec<Constraint> = Vec::with_capacity(mine.len());
    for &index in mine {
        let anchor = &anchors[index as usize];
        let (other, own_is_b) = if anchor.a.clock == me {
            (&anchor.b, false)
        } else {
            (&anchor.a, true)
        };
        if !tied[other.clock] {
            continue;
        }
        let when = clocks[other.clock].raw(other.ns, 9).bounds;
        let there = Bounds {
            low: when.low,
            high: when.high.saturating_add(other.step - 1),
        };
        constraints.push(if own_is_b {
            anchor.bound_b(there)
        } else {
            anchor.bound_a(there)
        });
    }
    let Some(fit) = offset::fit(&constraints, known[me].span) else {
        return false;
    };
    apply(&mut clocks[me], &fit);
    true
}

/// At most this many disagreeing records are cited.
const REJECTED_CITED: usize = 16;

fn apply(clock: &mut Clock, fit: &Fit) {
    clock.stretches = fit
        .segments
        .iter()
        .map(|segment| Stretch {
            from: segment.from,
            offset: segment.offset,
            best: segment.best,
            drift_ppm: segment.drift_ppm,
        })
        .collect();
    clock.anchors = fit.used;
    clock.rejected = fit.rejected.iter().copied().take(REJECTED_CITED).collect();
    clock.aligned = true;
    clock.how = if fit.rejected.is_empty() {
        format!("from {} anchors, all in agreement", fit.used)
    } else {
        format!(
            "from {} anchors; {} disagree and were left out",
            fit.used,
            fit.rejected.len()
        )
    };
}
