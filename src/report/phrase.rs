//! Numbers, times and outcomes as a person would say them.

use crate::align::clock::{Clock, When};
use crate::attribute::finding::Outcome;
use crate::time::{Instant, SECOND};
use std::fmt::Write as _;

use super::clocks::{offset_s, zone_word};
use super::excerpt::visible;

/// Causes that somebody meant, or that belong to a healthy system: counted, not explained at length.
pub fn ordinary(cause: &str) -> bool {
    matches!(cause, "client-close" | "cluster")
}

/// A sentence that begins as sentences do: findings are written to stand inside others too. Names keep their own case.
pub fn sentence(text: &str) -> String {
    let word = text.split(' ').next().unwrap_or("");
    if !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return text.to_owned();
    }
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// `1 close`, `2 closes`, `1 930 closes`.
pub fn count(number: usize, one: &str, many: &str) -> String {
    format!(
        "{} {}",
        thousands(number as u64),
        if number == 1 { one } else { many }
    )
}

/// Digits in groups of three, from five digits on: `1930`, `19 300`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    if digits.len() < 5 {
        return digits;
    }
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

/// A duration with the precision that matters: `230 µs`, `412 ms`, `3.9 s`, `2 min 5 s`, `5 h 12 min`.
pub fn duration(ns: i64) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    let ns = ns.unsigned_abs();
    let second = SECOND as u64;
    let words = if ns == 0 {
        "0 s".to_owned()
    } else if ns < 1_000_000 {
        format!("{} µs", ns.div_ceil(1_000))
    } else if ns < 10_000_000 {
        format!("{:.1} ms", ns as f64 / 1e6)
    } else if ns < second {
        format!("{} ms", ns / 1_000_000)
    } else if ns < 120 * second {
        format!("{:.1} s", ns as f64 / 1e9)
    } else if ns < 7_200 * second {
        let seconds = ns / second;
        format!("{} min {} s", seconds / 60, seconds % 60)
    } else {
        let minutes = ns / second / 60;
        format!("{} h {} min", minutes / 60, minutes % 60)
    };
    format!("{sign}{words}")
}

/// A size: `512 B`, `93 KiB`, `5.7 MiB`.
pub fn bytes(number: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if number < 1024 {
        return format!("{number} B");
    }
    let mut value = number as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let digits = usize::from(value < 10.0);
    format!("{value:.digits$} {}", UNITS[unit])
}

/// Times of one report: the date is left out where all of them share it.
#[derive(Clone, Copy, Debug, Default)]
pub struct TimeStyle {
    /// First characters of the RFC 3339 form that every time shares and that are not repeated.
    skip: usize,
}

impl TimeStyle {
    /// A style for times between these two.
    pub fn between(first: Instant, last: Instant) -> Self {
        let (first, last) = (first.rfc3339(0), last.rfc3339(0));
        let same = |digits: usize| first.get(..digits) == last.get(..digits);
        Self {
            skip: if same(11) { 11 } else { 0 },
        }
    }

    /// `05:19:24.211492`, or with the date where days differ. At most six digits of the second.
    pub fn show(self, when: When) -> String {
        let text = when.at.rfc3339(when.digits.min(6));
        let text = text.get(self.skip..).unwrap_or(&text);
        text.trim_end_matches('Z').replace('T', " ")
    }

    /// The width of the longest time in this style.
    pub const fn width(self) -> usize {
        if self.skip == 0 { 26 } else { 15 }
    }
}

/// What became of a client, in words; empty where nothing is known.
pub fn outcome(outcome: &Outcome) -> String {
    let mut words = match outcome.word {
        "reconnected" => "back".to_owned(),
        "gave-up" => "gave up".to_owned(),
        "exited" => "its process ended".to_owned(),
        "still-down" => "still down at the end of its log".to_owned(),
        "" | "unknown" => String::new(),
        other => other.to_owned(),
    };
    if words.is_empty() {
        return words;
    }
    if let Some(after) = outcome.after_ns {
        let _ = write!(words, " after {}", duration(after));
    }
    if let Some(server) = &outcome.server {
        let _ = write!(words, " on {}", visible(server));
    }
    if let Some(attempts) = outcome.attempts.filter(|&attempts| attempts > 0) {
        let attempts = count(attempts as usize, "attempt", "attempts");
        let _ = write!(words, " ({attempts})");
    }
    if let Some(budget) = &outcome.budget {
        let _ = write!(words, ", as {} allow", visible(budget));
    }
    let mut lost = Vec::new();
    if outcome.failed_publishes > 0 {
        lost.push(count(
            outcome.failed_publishes as usize,
            "publish failed",
            "publishes failed",
        ));
    }
    if outcome.timed_out_requests > 0 {
        lost.push(count(
            outcome.timed_out_requests as usize,
            "request timed out",
            "requests timed out",
        ));
    }
    if !lost.is_empty() {
        let _ = write!(words, "; meanwhile {}", lost.join(" and "));
    }
    words
}

/// `clock 1.5 s behind, within 2.0 ms`.
pub fn clock(clock: &Clock) -> String {
    let zone = clock
        .zone_s
        .filter(|&zone| zone != 0)
        .map_or_else(String::new, |zone| format!("zone {}, ", zone_word(zone)));
    if !clock.aligned {
        return format!("{zone}clock not aligned, own times");
    }
    let (offset, low, high) = offset_s(clock);
    let ns = (offset * SECOND as f64) as i64;
    let apart = match ns {
        0 => "clock as is".to_owned(),
        _ if ns > 0 => format!("clock {} behind", duration(ns)),
        _ => format!("clock {} ahead", duration(-ns)),
    };
    let width = ((high - offset).max(offset - low) * SECOND as f64) as i64;
    let within = if width > 0 {
        format!(", within {}", duration(width))
    } else {
        String::new()
    };
    let by = if clock.given { ", as given" } else { "" };
    format!("{zone}{apart}{within}{by}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_keep_the_precision_that_matters() {
        for (ns, words) in [
            (0, "0 s"),
            (1_500, "2 µs"),
            (2_300_000, "2.3 ms"),
            (412_345_678, "412 ms"),
            (3_912_000_000, "3.9 s"),
            (-90 * SECOND, "-90.0 s"),
            (125 * SECOND, "2 min 5 s"),
            (18_720 * SECOND, "5 h 12 min"),
        ] {
            assert_eq!(duration(ns), words);
        }
    }

    #[test]
    fn sentences_begin_with_a_capital_and_names_with_their_own() {
        for (text, shown) in [
            ("server a was killed", "Server a was killed"),
            ("nats-1 was full", "nats-1 was full"),
            ("=cmd", "=cmd"),
            ("", ""),
        ] {
            assert_eq!(sentence(text), shown);
        }
    }

    #[test]
    fn counts_and_sizes() {
        assert_eq!(count(1, "close", "closes"), "1 close");
        assert_eq!(count(1930, "close", "closes"), "1930 closes");
        assert_eq!(thousands(1_234_567), "1 234 567");
        assert_eq!(bytes(94_751), "93 KiB");
        assert_eq!(bytes(5_981_284), "5.7 MiB");
    }
}
