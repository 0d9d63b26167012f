//! Where a process's own lines begin to run earlier than those before them: its clock was set back (NTP, the end of
//! summer time in a log without zones). Lines of one process are in order to within tens of microseconds (facts a.1), so
//! this needs no other source; how much the clock was set back is known from below, by the lines themselves.

use super::clock::{Line, Stretch};
use super::joined::Records;
use crate::span::LogRef;
use crate::time::{Basis, SECOND};

/// A place from which lines run earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The first place after it.
    pub place: u64,
    /// How much earlier the first line after it is than the last one before it.
    pub back: i64,
    /// The times carry no zone: summer time may have ended.
    pub civil: bool,
}

/// Lines of one process are swapped by less than this, even where a logging thread was stuck.
const SWAPPED: i64 = 1_500_000_000;

/// An hour, in nanoseconds: what the end of summer time sets clocks back by.
const HOUR: i64 = 3600 * SECOND;

/// Turns of every clock. `find` gives a line's clock and place.
pub fn turns(
    records: &Records,
    count: usize,
    find: impl Fn(&LogRef) -> Option<(usize, u64)>,
) -> Vec<Vec<Turn>> {
    let mut turns = vec![Vec::new(); count];
    let mut own: Vec<(usize, u64, i64, bool)> = Vec::new();
    let add = |line: &LogRef, own: &mut Vec<(usize, u64, i64, bool)>| {
        if let Some(stamp) = line.stamp
            && let Some((clock, place)) = find(line)
            && matches!(stamp.basis, Basis::Utc | Basis::Civil)
        {
            own.push((clock, place, stamp.ns, stamp.basis == Basis::Civil));
        }
    };
    for life in &records.servers {
        super::lines::of_life(life, |line| add(line, &mut own));
        scan(&mut own, &mut turns);
    }
    for story in &records.clients {
        super::lines::of_story(story, |line| add(line, &mut own));
        scan(&mut own, &mut turns);
    }
    for turns in &mut turns {
        turns.sort_unstable_by_key(|turn| (turn.place, turn.back));
        turns.dedup_by_key(|turn| turn.place);
    }
    turns
}

/// Finds the turns of one process's lines and empties the list.
fn scan(own: &mut Vec<(usize, u64, i64, bool)>, turns: &mut [Vec<Turn>]) {
    own.sort_unstable();
    own.dedup_by_key(|line| (line.0, line.1));
    for (index, pair) in own.windows(2).enumerate() {
        let (last, next) = (pair[0], pair[1]);
        let back = last.2.saturating_sub(next.2);
        // One line out of order is no step: lines before it are late as well, and those after it run on from it.
        let goes_on = own
            .get(index + 2)
            .is_none_or(|third| third.0 != last.0 || third.2 < last.2.saturating_sub(SWAPPED / 2));
        let led_up = index
            .checked_sub(1)
            .map(|before| own[before])
            .is_none_or(|before| {
                before.0 != last.0 || before.2 > next.2.saturating_add(SWAPPED / 2)
            });
        if last.0 == next.0 && back >= SWAPPED && goes_on && led_up {
            turns[last.0].push(Turn {
                place: next.1,
                back,
                civil: last.3,
            });
        }
    }
    own.clear();
}

/// Gives the parts between turns that no anchor reaches the offset of their neighbour, set back. `anchored` are the
/// places of agreeing anchors, ascending.
pub fn extend(stretches: &mut Vec<Stretch>, turns: &[Turn], anchored: &[u64]) {
    let reaches = |from: u64, until: u64| {
        let next = anchored.partition_point(|place| *place < from);
        anchored.get(next).is_some_and(|place| *place < until)
    };
    let from = |part: usize| if part == 0 { 0 } else { turns[part - 1].place };
    let until = |part: usize| turns.get(part).map_or(u64::MAX, |turn| turn.place);
    let known = (0..=turns.len())
        .find(|&part| reaches(from(part), until(part)))
        .unwrap_or(0);
    for part in known + 1..=turns.len() {
        let (start, end) = (from(part), until(part));
        let is_told = stretches
            .iter()
            .any(|stretch| (start..end).contains(&stretch.from));
        if !reaches(start, end) && !is_told {
            let at = stretches.partition_point(|stretch| stretch.from < start);
            let set = set(&stretches[at.saturating_sub(1)], turns[part - 1], 1);
            stretches.insert(at, Stretch { from: start, ..set });
        }
    }
    for part in (0..known).rev() {
        let (start, end) = (from(part), until(part));
        let set = set(&stretches[0], turns[part], -1);
        stretches[0].from = stretches[0].from.max(end);
        stretches.insert(0, Stretch { from: start, ..set });
    }
}

/// The stretch on the other side of a turn: `side` is 1 after it, -1 before it.
fn set(from: &Stretch, turn: Turn, side: i64) -> Stretch {
    let hour = (turn.back + HOUR - 1) / HOUR * HOUR;
    let is_summer_time = turn.civil && hour - turn.back <= HOUR / 2;
    // The true time between the two lines is not known; a whole hour is the best guess where summer time can end.
    let most = if is_summer_time {
        hour
    } else {
        turn.back + HOUR
    };
    let best = if is_summer_time { hour } else { turn.back };
    let mut set = from.clone();
    set.base = set.base.saturating_add(side * best);
    let rests = [turn.back - best, most - best];
    set.corners = from
        .corners
        .iter()
        .flat_map(|corner| {
            rests.map(|rest| Line {
                offset: corner.offset + (side * rest) as f64,
                ..*corner
            })
        })
        .collect();
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(place: u64, back: i64, civil: bool) -> Turn {
        Turn { place, back, civil }
    }

    #[test]
    fn summer_time_ends_by_a_whole_hour() {
        let mut stretches = vec![Stretch::exact(-2 * HOUR)];
        extend(
            &mut stretches,
            &[turn(50, HOUR - 7 * SECOND, true)],
            &[10, 20],
        );
        assert_eq!(stretches[1].from, 50);
        let (bounds, best) = stretches[1].offset(0);
        assert_eq!(best, -HOUR);
        assert_eq!((bounds.low, bounds.high), (-HOUR - 7 * SECOND, -HOUR));
    }

    #[test]
    fn anchors_after_the_turn_alone_reach_back_over_it() {
        let mut stretches = vec![Stretch::exact(5 * SECOND)];
        extend(&mut stretches, &[turn(50, 3 * SECOND, false)], &[60]);
        assert_eq!(stretches.len(), 2);
        assert_eq!((stretches[0].from, stretches[1].from), (0, 50));
        assert_eq!(stretches[0].offset(0).1, 2 * SECOND);
        assert_eq!(stretches[0].offset(0).0.high, 2 * SECOND);
        assert_eq!(stretches[1].offset(0).1, 5 * SECOND);
    }

    #[test]
    fn anchors_on_both_sides_decide_alone() {
        let mut stretches = vec![Stretch::exact(0)];
        extend(&mut stretches, &[turn(50, 3 * SECOND, false)], &[40, 60]);
        assert_eq!(stretches, [Stretch::exact(0)]);
    }
}
