//! Times without a date or without a year, given both by their neighbours: a dated line of the same source, or the
//! wrapper's own time. Never by today's date.

use crate::reconstruct::client::ClientStory;
use crate::span::LogRef;
use crate::time::{Basis, SECOND, Stamp};

use super::settle::Draft;

const DAY: i64 = 86_400 * SECOND;
/// The year-less basis counts in 1972; a leap year ahead or behind is found by trying.
const YEARS: std::ops::RangeInclusive<i32> = 1972..=2200;

/// Resolves what can be resolved, in all stories of one source.
pub(super) fn resolve(drafts: &mut [Draft]) {
    for draft in drafts {
        story(&mut draft.story);
    }
}

fn story(story: &mut ClientStory) {
    let dated = |at: &LogRef| {
        [at.stamp, at.outer]
            .into_iter()
            .flatten()
            .find(|stamp| matches!(stamp.basis, Basis::Utc | Basis::Civil))
    };
    let mut reference = refs(story).iter().find_map(|at| dated(at));
    for at in refs_mut(story) {
        let near = dated(at).or(reference);
        if let (Some(stamp), Some(near)) = (at.stamp, near) {
            at.stamp = Some(resolved(stamp, near));
        }
        reference = dated(at).or(reference);
    }
}

/// A stamp with the date or year that brings it nearest to a dated one.
fn resolved(stamp: Stamp, near: Stamp) -> Stamp {
    match stamp.basis {
        Basis::TimeOfDay => {
            let midnight = near.ns.div_euclid(DAY) * DAY;
            let ns = [-DAY, 0, DAY]
                .into_iter()
                .map(|day| midnight + day + stamp.ns)
                .min_by_key(|ns| ns.abs_diff(near.ns))
                .unwrap_or(stamp.ns);
            Stamp::civil(ns, stamp.digits)
        }
        Basis::YearLess => {
            let base = chrono::DateTime::from_timestamp_nanos(stamp.ns).naive_utc();
            let ns = YEARS
                .filter_map(|year| chrono::Datelike::with_year(&base, year))
                .filter_map(|time| time.and_utc().timestamp_nanos_opt())
                .min_by_key(|ns| ns.abs_diff(near.ns))
                .unwrap_or(stamp.ns);
            Stamp::civil(ns, stamp.digits)
        }
        _ => stamp,
    }
}

fn refs(story: &ClientStory) -> Vec<&LogRef> {
    story
        .first
        .iter()
        .chain(
            story
                .events
                .iter()
                .flat_map(|event| event.first.iter().chain([&event.at])),
        )
        .chain(story.last.iter())
        .collect()
}

fn refs_mut(story: &mut ClientStory) -> Vec<&mut LogRef> {
    story
        .first
        .iter_mut()
        .chain(
            story
                .events
                .iter_mut()
                .flat_map(|event| event.first.iter_mut().chain([&mut event.at])),
        )
        .chain(
            story
                .failures
                .iter_mut()
                .flat_map(|failure| [&mut failure.first, &mut failure.last]),
        )
        .chain(story.last.iter_mut())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_give_date_and_year() {
        let near = Stamp::civil(1_795_410_805 * SECOND, 0);
        let evening = Stamp {
            ns: 23 * 3_600 * SECOND,
            basis: Basis::TimeOfDay,
            digits: 3,
        };
        // 05:13 of the 23rd: 23:00 of the day before is nearer than that of the same day.
        let want = 1_795_410_805 / 86_400 * 86_400 - 3_600;
        assert_eq!(resolved(evening, near), Stamp::civil(want * SECOND, 3));
        let new_year = Stamp {
            ns: (366 * 86_400 + 2 * 365 * 86_400 - 60) * SECOND,
            basis: Basis::YearLess,
            digits: 0,
        };
        let january = Stamp::utc(1_798_761_600 * SECOND, 0);
        assert_eq!(
            resolved(new_year, january).ns,
            (1_798_761_600 - 60) * SECOND
        );
    }
}
