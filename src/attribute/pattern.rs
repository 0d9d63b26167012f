//! What the closes of one incident have in common that no single one shows: the instant, the age, the beat, the device.

use std::collections::BTreeSet;

use crate::reconstruct::conn::Rst;
use crate::time::SECOND;

use super::Case;
use super::disconnect::spoken;
use super::finding::Close;
use super::wire::View;

/// Fewer than this are no pattern.
const SEVERAL: usize = 3;

/// Clauses for an incident's sentence, the surest first.
pub fn clauses(members: &[&Close], case: &Case) -> Vec<String> {
    // Against a server that lacks room the clients' own retries set the beat.
    let crowded = |close: &&Close| matches!(close.cause, "overload" | "client-config");
    if members.iter().any(crowded) {
        return Vec::new();
    }
    [
        same_instant(members),
        same_age(members),
        beat(members),
        one_device(members, case),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Closes within this are one event of a process, a kernel or a device; people and timers of their own are slower.
const INSTANT: i64 = SECOND / 10;

fn same_instant(members: &[&Close]) -> Option<String> {
    // A server that ended is one cause already.
    if members.iter().any(|close| close.cause == "server-shutdown") {
        return None;
    }
    let times = moments(members)?;
    let within = times.last()? - times.first()?;
    (within <= INSTANT).then(|| format!("all within {}: one common cause", spoken(within)))
}

/// When the members closed, ascending, without attempts, which nobody held open.
fn moments(members: &[&Close]) -> Option<Vec<i64>> {
    let mut times: Vec<i64> = members
        .iter()
        .filter(|close| !close.attempt)
        .map(|close| close.closed_at.map(|when| when.at.0))
        .collect::<Option<_>>()?;
    times.sort_unstable();
    (times.len() >= SEVERAL).then_some(times)
}

/// Connections opened at different moments that lived equally long met a limit of age, not of idleness.
fn same_age(members: &[&Close]) -> Option<String> {
    let mut lives: Vec<(i64, i64)> = members
        .iter()
        .filter(|close| !close.attempt)
        .map(|close| {
            let opened = close.opened_at?;
            Some((close.closed_at?.since(opened), opened.at.0))
        })
        .collect::<Option<_>>()?;
    lives.sort_unstable();
    let (youngest, oldest) = (lives.first()?.0, lives.last()?.0);
    let first = lives.iter().map(|(_, opened)| *opened).min()?;
    let last = lives.iter().map(|(_, opened)| *opened).max()?;
    let equal = oldest - youngest <= oldest / 50;
    let apart = last - first > (oldest / 10).max(INSTANT);
    (lives.len() >= SEVERAL && youngest >= SECOND && equal && apart).then(|| {
        format!(
            "each lived {} to {}: a limit of age",
            spoken(youngest),
            spoken(oldest)
        )
    })
}

/// Closes that come at equal distances follow a scheduler.
fn beat(members: &[&Close]) -> Option<String> {
    let mut beats = moments(members)?;
    beats.dedup_by(|later, earlier| *later - *earlier <= INSTANT);
    let gaps: Vec<i64> = beats.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let (shortest, longest) = (*gaps.iter().min()?, *gaps.iter().max()?);
    let even = longest - shortest <= longest / 20;
    (gaps.len() >= SEVERAL && shortest >= SECOND && even).then(|| {
        let every = (beats[beats.len() - 1] - beats[0]) / gaps.len() as i64;
        format!("one every {}: a timer or a scheduler", spoken(every))
    })
}

/// RSTs from in between with one hop count and one window came from one device.
fn one_device(members: &[&Close], case: &Case) -> Option<String> {
    let resets = |close: &&Close| {
        let disconnect = &case.disconnects[close.joined];
        let name = |rst: &Rst| (rst.ttl, rst.window, rst.options);
        disconnect
            .views
            .iter()
            .find_map(View::closing_rst)
            .map(name)
    };
    let network = |close: &&&Close| close.cause == "network";
    let marks: Vec<_> = members.iter().filter(network).filter_map(resets).collect();
    let kinds: BTreeSet<_> = marks.iter().collect();
    let (ttl, window, _) = *marks.first()?;
    (marks.len() >= SEVERAL && kinds.len() == 1)
        .then(|| format!("their RSTs all arrive with TTL {ttl} and window {window}: one device"))
}

#[cfg(test)]
mod tests {
    use super::{beat, same_age, same_instant};
    use crate::align::clock::When;
    use crate::attribute::finding::Close;
    use crate::time::{Bounds, Instant, SECOND};

    fn when(ns: i64) -> When {
        When {
            at: Instant(ns),
            bounds: Bounds::exact(ns),
            digits: 9,
        }
    }

    /// Closes by their opening and end in seconds.
    fn closes(lives: &[(f64, f64)]) -> Vec<Close> {
        let ns = |seconds: f64| when((seconds * SECOND as f64) as i64);
        lives
            .iter()
            .map(|(opened, closed)| Close {
                opened_at: Some(ns(*opened)),
                closed_at: Some(ns(*closed)),
                ..Close::default()
            })
            .collect()
    }

    fn all(closes: &[Close]) -> Vec<&Close> {
        closes.iter().collect()
    }

    #[test]
    fn one_instant_is_one_cause() {
        let together = closes(&[(0.0, 9.0), (1.0, 9.01), (2.0, 9.02), (3.0, 9.03)]);
        let says = same_instant(&all(&together)).expect("a pattern");
        assert_eq!(says, "all within 30.0 ms: one common cause");
        let apart = closes(&[(0.0, 9.0), (1.0, 9.01), (2.0, 9.02), (3.0, 9.5)]);
        assert_eq!(same_instant(&all(&apart)), None);
        assert_eq!(
            same_instant(&all(&together)[..2]),
            None,
            "two are no pattern"
        );
    }

    #[test]
    fn equal_ages_of_different_openings_are_a_limit() {
        let aged = closes(&[(0.0, 60.0), (10.0, 70.1), (25.0, 85.0), (31.0, 91.2)]);
        let says = same_age(&all(&aged)).expect("a pattern");
        assert_eq!(says, "each lived 60.0 s to 60.2 s: a limit of age");
        let born_together = closes(&[(0.0, 60.0), (0.01, 60.0), (0.02, 60.0), (0.0, 60.0)]);
        assert_eq!(same_age(&all(&born_together)), None);
    }

    #[test]
    fn an_even_beat_is_a_scheduler() {
        let even = closes(&[(0.0, 60.0), (1.0, 120.5), (2.0, 180.0), (3.0, 240.2)]);
        assert!(beat(&all(&even)).is_some_and(|says| says.starts_with("one every 60.")));
        let uneven = closes(&[(0.0, 60.0), (1.0, 100.0), (2.0, 180.0), (3.0, 240.0)]);
        assert_eq!(beat(&all(&uneven)), None);
    }
}
