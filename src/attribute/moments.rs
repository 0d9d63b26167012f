//! Moments of many connections, in order: how many may lie near another, found by halving, since a server's bad minute
//! holds as many closes as it had clients.

use crate::align::clock::When;

/// Moments with their uncertainties.
#[derive(Clone, Debug, Default)]
pub struct Moments {
    /// Earliest of each, ascending.
    lows: Vec<i64>,
    /// Latest of each, ascending.
    highs: Vec<i64>,
}

impl Moments {
    /// Sorts them.
    pub fn new(moments: impl IntoIterator<Item = When>) -> Self {
        let (mut lows, mut highs): (Vec<i64>, Vec<i64>) = moments
            .into_iter()
            .map(|when| (when.bounds.low, when.bounds.high))
            .unzip();
        lows.sort_unstable();
        highs.sort_unstable();
        Self { lows, highs }
    }

    /// How many are [`near`](super::disconnect::near) `at`: all but those wholly after and those wholly before it.
    pub fn near(&self, at: When, slack: i64) -> usize {
        let begun = self
            .lows
            .partition_point(|low| low.saturating_sub(slack) <= at.bounds.high);
        let over = self
            .highs
            .partition_point(|high| *high < at.bounds.low.saturating_sub(slack));
        begun.saturating_sub(over)
    }
}

/// Spans of time, to ask for one that begins before a moment and ends after another.
#[derive(Clone, Debug, Default)]
pub struct Spans {
    /// Beginnings, ascending, each with the latest end so far.
    spans: Vec<(i64, i64)>,
}

impl Spans {
    /// Sorts them.
    pub fn new(spans: impl IntoIterator<Item = (i64, i64)>) -> Self {
        let mut spans: Vec<(i64, i64)> = spans.into_iter().collect();
        spans.sort_unstable();
        let mut latest = i64::MIN;
        for (_, end) in &mut spans {
            latest = latest.max(*end);
            *end = latest;
        }
        Self { spans }
    }

    /// One begins before `from` and ends after `until`.
    pub fn any_across(&self, from: i64, until: i64) -> bool {
        let begun = self.spans.partition_point(|(begin, _)| *begin < from);
        self.spans[..begun]
            .last()
            .is_some_and(|(_, end)| *end > until)
    }
}

#[cfg(test)]
mod tests {
    use super::super::disconnect::near;
    use super::*;
    use crate::time::Bounds;
    use crate::time::Instant;

    fn when(at: i64, before: i64, after: i64) -> When {
        When {
            at: Instant(at),
            bounds: Bounds {
                low: at - before,
                high: at + after,
            },
            digits: 9,
        }
    }

    #[test]
    fn counts_what_a_scan_counts() {
        let moments: Vec<When> = (0..200)
            .map(|index| when(index * 37 % 211, index % 7, index % 11))
            .collect();
        let sorted = Moments::new(moments.iter().copied());
        let spans = Spans::new(moments.iter().map(|when| (when.bounds.low, when.at.0)));
        for at in -20..240 {
            for slack in [0, 1, 5, 40] {
                let asked = when(at, slack / 2, 3);
                let scanned = moments
                    .iter()
                    .filter(|when| near(**when, asked, slack))
                    .count();
                assert_eq!(sorted.near(asked, slack), scanned, "{at} {slack}");
                let across = moments
                    .iter()
                    .any(|when| when.bounds.low < at && when.at.0 > at + slack);
                assert_eq!(spans.any_across(at, at + slack), across, "{at} {slack}");
            }
        }
        assert!(!Spans::default().any_across(0, 0));
    }
}
