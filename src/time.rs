//! Time as sources tell it, and time on the common line: two types that are never mixed.
//!
//! A [`Stamp`] is what a log line or a packet says, on its source's own clock, perhaps without a zone. An
//! [`Instant`] is a place on the common line. Only `align` turns the first into the second, with an uncertainty.

pub mod fixed;

use serde::{Deserialize, Serialize};
use std::fmt;

/// Nanoseconds in a second.
pub const SECOND: i64 = 1_000_000_000;

/// What a [`Stamp`] counts from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// Nanoseconds since the Unix epoch: the text carried a zone, or the value was an epoch count or a capture time.
    #[default]
    Utc,
    /// A calendar time without a zone, counted as though it were UTC.
    Civil,
    /// A time of day without a date, in nanoseconds since midnight.
    TimeOfDay,
    /// A date without a year (syslog), counted as though in 1972, a leap year.
    YearLess,
    /// Nanoseconds since boot (kernel ring buffer).
    Boot,
}

/// A time exactly as a source gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// Nanoseconds since what `basis` says.
    pub ns: i64,
    /// What `ns` counts from.
    pub basis: Basis,
    /// Digits of the second that the source wrote (0 to 9): its resolution is `10^-digits` s.
    pub digits: u8,
}

impl Stamp {
    /// A stamp on the UTC basis.
    pub const fn utc(ns: i64, digits: u8) -> Self {
        Self {
            ns,
            basis: Basis::Utc,
            digits,
        }
    }

    /// A stamp without a zone.
    pub const fn civil(ns: i64, digits: u8) -> Self {
        Self {
            ns,
            basis: Basis::Civil,
            digits,
        }
    }

    /// The smallest step that the source can express, in nanoseconds.
    pub fn resolution(self) -> i64 {
        10_i64.pow(9 - u32::from(self.digits.min(9)))
    }
}

/// A moment on the common line: nanoseconds since the Unix epoch, UTC.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Instant(pub i64);

impl Instant {
    /// Nanoseconds from `earlier` to `self`, saturating.
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// RFC 3339 in UTC with `digits` digits of the second; out-of-range values print as seconds.
    pub fn rfc3339(self, digits: u8) -> String {
        let digits = usize::from(digits.min(9));
        let (seconds, nanos) = (self.0.div_euclid(SECOND), self.0.rem_euclid(SECOND) as u32);
        let Some(time) = chrono::DateTime::from_timestamp(seconds, nanos) else {
            return format!("{seconds}.{nanos:09}s");
        };
        let head = time.format("%Y-%m-%dT%H:%M:%S");
        if digits == 0 {
            format!("{head}Z")
        } else {
            format!("{head}.{}Z", &format!("{nanos:09}")[..digits])
        }
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339(6))
    }
}

/// An interval of nanoseconds that holds the true value: an offset, or a moment with its uncertainty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// The smallest possible value.
    pub low: i64,
    /// The largest possible value.
    pub high: i64,
}

impl Bounds {
    /// A value known exactly.
    pub const fn exact(value: i64) -> Self {
        Self {
            low: value,
            high: value,
        }
    }

    /// The middle, used as the single best value.
    pub fn mid(self) -> i64 {
        self.low.midpoint(self.high)
    }

    /// High minus low.
    pub fn width(self) -> i64 {
        self.high.saturating_sub(self.low)
    }
}
