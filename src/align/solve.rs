//! The joint solution: clocks are tied to the reference one after the other, best anchored first, each by all anchors to
//! clocks already tied; a second round lets the later ones tighten the earlier ones. Where that makes a clock step and several
//! disagree, another reference may make only one of them disagree: its own clock was the one that was stepped.

use std::cmp::Reverse;

use super::anchor::Anchor;
use super::clock::Clock;
use super::offset::{self, Constraint, Fit, Order};
use super::turn::{self, Turn};
use crate::span::Cite;
use crate::time::Bounds;

/// What is known of a clock before anchors.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// How good a reference it is: larger is better; 0 where nothing shows its time.
    pub rank: u32,
    /// The clock that it shares with the other files of a rotated set: an index, its own where there are none.
    pub shared: usize,
    /// Place and raw time of each kept record, by place. Of a shared clock its first file has all.
    pub records: Vec<(u64, i64)>,
    /// Where its records begin to run earlier. Of a shared clock its first file has all.
    pub turns: Vec<Turn>,
}

/// The rank of a clock that stamps packets, at least.
pub const CAPTURE: u32 = 7;

impl Known {
    /// It stamps packets.
    pub const fn is_capture(&self) -> bool {
        self.rank >= CAPTURE
    }
}

/// What is said of the reference.
const REFERENCE: &str = "the reference: other clocks are given relative to it";

/// Rounds of tightening after the first.
const ROUNDS: usize = 1;

/// Ties `clocks` together by `anchors`, in place. Clocks that are `given` keep their offset and serve as reference.
/// `known` has one row a clock.
pub fn solve(clocks: &mut [Clock], known: &[Known], anchors: &[Anchor]) {
    let mut solving = Solving {
        known,
        anchors,
        of_clock: vec![Vec::new(); clocks.len()],
        members: vec![Vec::new(); clocks.len()],
        tied: vec![None; clocks.len()],
        rejected: vec![Vec::new(); clocks.len()],
        places: known
            .iter()
            .map(|known| known.turns.iter().map(|turn| turn.place).collect())
            .collect(),
    };
    for (index, known) in known.iter().enumerate() {
        solving.members[known.shared].push(index);
    }
    for (index, anchor) in anchors.iter().enumerate() {
        let (Some(a), Some(b)) = (known.get(anchor.a.clock), known.get(anchor.b.clock)) else {
            continue;
        };
        if a.shared != b.shared {
            solving.of_clock[a.shared].push(index as u32);
            solving.of_clock[b.shared].push(index as u32);
        }
    }
    for (index, clock) in clocks.iter().enumerate() {
        if clock.given {
            solving.tied[index] = Some(Tie { firm: true });
        }
    }
    if solving.tied.iter().any(Option::is_some) {
        solving.run(clocks);
        return;
    }
    let references = solving.references();
    let Some((first, others)) = references.split_first() else {
        return;
    };
    let before = clocks.to_vec();
    solving.run_from(*first, clocks);
    if !clocks.iter().any(is_stepped) {
        return;
    }
    let mut fewest = at_odds(clocks, known);
    for reference in others.iter().take(OTHER_REFERENCES) {
        // That one clock was stepped explains more than that several others were, or have records that are wrong.
        if fewest < 2 {
            break;
        }
        let mut other = before.clone();
        solving.run_from(*reference, &mut other);
        let aligned = |clocks: &[Clock]| clocks.iter().filter(|clock| clock.aligned).count();
        let odd = at_odds(&other, known);
        if odd < fewest && aligned(&other) == aligned(clocks) {
            fewest = odd;
            clocks.clone_from_slice(&other);
        }
    }
}

/// How many other sources are tried for the reference where several clocks are at odds with the best one.
const OTHER_REFERENCES: usize = 3;

/// What ntpd steps a clock by at least, rather than slewing it (its `step` threshold).
const STEP: i64 = 128_000_000;

/// Stretches of it are further apart than drift takes them.
fn is_stepped(clock: &Clock) -> bool {
    clock.steps().any(|(_, by)| by.saturating_abs() >= STEP)
}

/// How many clocks were stepped or have records that disagree; the files of a rotated set share one.
fn at_odds(clocks: &[Clock], known: &[Known]) -> usize {
    let counts = |(index, clock): &(usize, &Clock)| {
        let odd = clock.left_out > 0 || is_stepped(clock);
        clock.aligned && !clock.outer && known[*index].shared == *index && odd
    };
    clocks.iter().enumerate().filter(counts).count()
}

/// How a clock was tied.
#[derive(Clone, Copy, Debug)]
struct Tie {
    /// By causality alone, through clocks that were.
    firm: bool,
}

struct Solving<'a> {
    known: &'a [Known],
    anchors: &'a [Anchor],
    /// Anchors of each clock, under the first file of a shared one.
    of_clock: Vec<Vec<u32>>,
    /// The files that share each clock.
    members: Vec<Vec<usize>>,
    tied: Vec<Option<Tie>>,
    /// Records of each clock that disagreed when it was tied, in order.
    rejected: Vec<Vec<Cite>>,
    /// Places of turns.
    places: Vec<Vec<u64>>,
}

impl Solving<'_> {
    /// Ties all clocks to one, which has the time of the common line.
    fn run_from(&mut self, reference: usize, clocks: &mut [Clock]) {
        self.tied.fill(None);
        self.rejected.fill(Vec::new());
        self.tied[reference] = Some(Tie { firm: true });
        for &member in &self.members[reference] {
            clocks[member].aligned = true;
            REFERENCE.clone_into(&mut clocks[member].how);
        }
        self.run(clocks);
    }

    fn run(&mut self, clocks: &mut [Clock]) {
        let mut order = Vec::new();
        let mut weight: Vec<u64> = vec![0; clocks.len()];
        for index in 0..clocks.len() {
            if self.tied[index].is_some() {
                self.add_weight(&mut weight, index);
            }
        }
        let mut failed = vec![false; clocks.len()];
        // The clock with most anchors to tied ones comes next.
        while let Some(next) = (0..clocks.len())
            .filter(|&index| self.tied[index].is_none() && !failed[index] && weight[index] > 0)
            .max_by_key(|&index| (weight[index], Reverse(index)))
        {
            if self.tie(clocks, next) {
                order.push(next);
                self.add_weight(&mut weight, next);
                failed.fill(false);
            } else {
                failed[next] = true;
            }
        }
        // One alone has only the reference, which stays as it is.
        let rounds = if order.len() > 1 { ROUNDS } else { 0 };
        for _ in 0..rounds {
            for &index in &order {
                self.tie(clocks, index);
            }
        }
    }

    fn add_weight(&self, weight: &mut [u64], me: usize) {
        for &index in &self.of_clock[me] {
            let anchor = &self.anchors[index as usize];
            let a = self.known[anchor.a.clock].shared;
            let other = if a == me {
                self.known[anchor.b.clock].shared
            } else {
                a
            };
            weight[other] += if anchor.firm { 2 } else { 1 };
        }
    }

    /// Sources that can be the reference, the best first: by kind, then the most anchors, then the first source.
    fn references(&self) -> Vec<usize> {
        let rank = |index: usize| {
            let members = self.members[index].iter();
            members.map(|&member| self.known[member].rank).max()
        };
        let mut references: Vec<usize> = (0..self.known.len())
            .filter(|&index| rank(index).is_some_and(|rank| rank > 0))
            .collect();
        references.sort_by_cached_key(|&index| {
            Reverse((
                !self.of_clock[index].is_empty(),
                rank(index),
                self.of_clock[index].len(),
                Reverse(index),
            ))
        });
        references
    }

    /// Finds one clock's offset from its anchors to tied clocks.
    fn tie(&mut self, clocks: &mut [Clock], me: usize) -> bool {
        let mut constraints: Vec<Constraint> = Vec::with_capacity(self.of_clock[me].len());
        for &index in &self.of_clock[me] {
            let anchor = &self.anchors[index as usize];
            let own_is_b = self.known[anchor.b.clock].shared == me;
            let (own, other) = if own_is_b {
                (&anchor.b, &anchor.a)
            } else {
                (&anchor.a, &anchor.b)
            };
            let others = self.known[other.clock].shared;
            let Some(tie) = self.tied[others] else {
                continue;
            };
            // A record whose time its own clock does not bear out says nothing of another one, though it may seem to agree.
            if self.rejected[others].binary_search(&other.cite).is_ok() {
                continue;
            }
            let when = clocks[other.clock]
                .raw(other.cite.place, other.ns, 9)
                .bounds;
            let there = Bounds {
                low: when.low,
                high: when.high.saturating_add(other.step - 1),
            };
            let mut constraint = if own_is_b {
                anchor.bound_b(there)
            } else {
                anchor.bound_a(there)
            };
            constraint.place = clocks[own.clock].place(own.cite.place);
            constraint.firm &= tie.firm;
            constraints.push(constraint);
        }
        let order = Order {
            records: &self.known[me].records,
            turns: &self.places[me],
        };
        let Some(mut fit) = offset::fit(constraints, order) else {
            return false;
        };
        turn::extend(&mut fit.stretches, &self.known[me].turns, &fit.anchored);
        for &member in &self.members[me] {
            apply(&mut clocks[member], &fit);
        }
        self.tied[me] = Some(Tie { firm: fit.firm });
        self.rejected[me] = fit.rejected;
        true
    }
}

/// At most this many disagreeing records are cited.
const REJECTED_CITED: usize = 16;

fn apply(clock: &mut Clock, fit: &Fit) {
    clock.stretches.clone_from(&fit.stretches);
    clock.anchors = fit.used;
    clock.left_out = fit.rejected.len();
    clock.rejected = fit
        .rejected
        .iter()
        .copied()
        .filter(|cite| cite.source == clock.source)
        .take(REJECTED_CITED)
        .collect();
    clock.aligned = true;
}
