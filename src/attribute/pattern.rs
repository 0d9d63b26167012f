//! What the closes of one incident have in common that no single one shows: the instant, the age, the beat, the device.

use std::collections::BTreeSet;

use crate::time::{Instant, SECOND};

use super::Case;
use super::disconnect::{Disconnect, spoken};
use super::finding::Close;
use super::wire::View;

/// Fewer than this are no pattern.
const SEVERAL: usize = 3;

/// What of a close a pattern shows in.
#[derive(Clone, Debug, Default)]
pub struct Member {
    cause: &'static str,
    attempt: bool,
    opened: Option<Instant>,
    closed: Option<Instant>,
    /// TTL, window and options of the RST that ended it, where the network did.
    rst: Option<(u8, u16, bool)>,
}

impl Member {
    /// Of one close.
    pub fn new(close: &Close, case: &Case) -> Self {
        let rst = |disconnect: &Disconnect| {
            let rst = disconnect.views.iter().find_map(View::closing_rst)?;
            Some((rst.ttl, rst.window, rst.options))
        };
        Self {
            cause: close.cause,
            attempt: close.attempt,
            opened: close.opened_at.map(|when| when.at),
            closed: close.closed_at.map(|when| when.at),
            rst: (close.cause == "network")
                .then(|| case.with(close.joined, rst))
                .flatten(),
        }
    }
}

/// Clauses for an incident's sentence, the surest first.
pub fn clauses(members: &[Member]) -> Vec<String> {
    // Against a server that lacks room the clients' own retries set the beat.
    let crowded = |close: &Member| matches!(close.cause, "overload" | "client-config");
    if members.iter().any(crowded) {
        return Vec::new();
    }
    [
        same_instant(members),
        same_age(members),
        beat(members),
        one_device(members),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Closes within this are one event of a process, a kernel or a device; people and timers of their own are slower.
const INSTANT: i64 = SECOND / 10;

fn same_instant(members: &[Member]) -> Option<String> {
    // A server that ended is one cause already.
    if members.iter().any(|close| close.cause == "server-shutdown") {
        return None;
    }
    let times = moments(members)?;
    let within = times.last()? - times.first()?;
    (within <= INSTANT).then(|| format!("all within {}: one common cause", spoken(within)))
}

/// When the members closed, ascending, without attempts, which nobody held open.
fn moments(members: &[Member]) -> Option<Vec<i64>> {
    let mut times: Vec<i64> = members
        .iter()
        .filter(|close| !close.attempt)
        .map(|close| close.closed.map(|at| at.0))
        .collect::<Option<_>>()?;
    times.sort_unstable();
    (times.len() >= SEVERAL).then_some(times)
}

/// Connections opened at different moments that lived equally long met a limit of age, not of idleness.
fn same_age(members: &[Member]) -> Option<String> {
    let mut lives: Vec<(i64, i64)> = members
        .iter()
        .filter(|close| !close.attempt)
        .map(|close| {
            let opened = close.opened?;
            Some((close.closed?.since(opened), opened.0))
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
fn beat(members: &[Member]) -> Option<String> {
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
fn one_device(members: &[Member]) -> Option<String> {
    let marks: Vec<_> = members.iter().filter_map(|close| close.rst).collect();
    let kinds: BTreeSet<_> = marks.iter().collect();
    let (ttl, window, _) = *marks.first()?;
    (marks.len() >= SEVERAL && kinds.len() == 1)
        .then(|| format!("their RSTs all arrive with TTL {ttl} and window {window}: one device"))
}

#[cfg(test)]
mod tests {
    use super::{Member, beat, same_age, same_instant};
    use crate::time::{Instant, SECOND};

    /// Closes by their opening and end in seconds.
    fn closes(lives: &[(f64, f64)]) -> Vec<Member> {
        let at = |seconds: f64| Instant((seconds * SECOND as f64) as i64);
        lives
            .iter()
            .map(|(opened, closed)| Member {
                opened: Some(at(*opened)),
                closed: Some(at(*closed)),
                ..Member::default()
            })
            .collect()
    }

    #[test]
    fn one_instant_is_one_cause() {
        let together = closes(&[(0.0, 9.0), (1.0, 9.01), (2.0, 9.02), (3.0, 9.03)]);
        let says = same_instant(&together).expect("a pattern");
        assert_eq!(says, "all within 30.0 ms: one common cause");
        let apart = closes(&[(0.0, 9.0), (1.0, 9.01), (2.0, 9.02), (3.0, 9.5)]);
        assert_eq!(same_instant(&apart), None);
        assert_eq!(same_instant(&together[..2]), None, "two are no pattern");
    }

    #[test]
    fn equal_ages_of_different_openings_are_a_limit() {
        let aged = closes(&[(0.0, 60.0), (10.0, 70.1), (25.0, 85.0), (31.0, 91.2)]);
        let says = same_age(&aged).expect("a pattern");
        assert_eq!(says, "each lived 60.0 s to 60.2 s: a limit of age");
        let born_together = closes(&[(0.0, 60.0), (0.01, 60.0), (0.02, 60.0), (0.0, 60.0)]);
        assert_eq!(same_age(&born_together), None);
    }

    #[test]
    fn an_even_beat_is_a_scheduler() {
        let even = closes(&[(0.0, 60.0), (1.0, 120.5), (2.0, 180.0), (3.0, 240.2)]);
        assert!(beat(&even).is_some_and(|says| says.starts_with("one every 60.")));
        let uneven = closes(&[(0.0, 60.0), (1.0, 100.0), (2.0, 180.0), (3.0, 240.0)]);
        assert_eq!(beat(&uneven), None);
    }
}
