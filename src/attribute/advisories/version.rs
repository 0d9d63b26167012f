//! A released version and the ranges of advisories: three numbers, compared in order.
//!
//! Fixes are released in parallel on several lines (2.11.x, 2.12.x, 2.14.x), so a range is a list of intervals and a larger
//! number does not imply a fix.

use std::fmt;

/// A version as INFO, CONNECT or a banner tells it, without what follows the three numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Major, minor, patch.
    pub numbers: [u32; 3],
}

impl Version {
    /// Reads `2.10.22`, `v2.10.22`, `2.11.0-RC.1`, `2.8.2+commit`, `1.1.8.0` (a fourth number is dropped) and `2.10`
    /// (patch 0). A pre-release counts as the release that it announces.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches(['v', 'V']);
        let text = text.split(['-', '+', ' ']).next()?;
        let mut numbers = [0; 3];
        let mut count = 0;
        for (at, part) in text.split('.').enumerate() {
            let number = part.parse().ok()?;
            if let Some(slot) = numbers.get_mut(at) {
                *slot = number;
            }
            count += 1;
        }
        (2..=4).contains(&count).then_some(Self { numbers })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(f, "{major}.{minor}.{patch}")
    }
}

/// Versions from `low` (inclusive) to `high` (exclusive); a missing end is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// First version in the range.
    pub low: Option<Version>,
    /// First version after the range.
    pub high: Option<Version>,
}

impl Range {
    /// Reads `>=2.0.0, <2.11.11`, `<2.10.12` or `>=2.14.0`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut range = Self::default();
        for bound in text.split(',').map(str::trim) {
            if let Some(version) = bound.strip_prefix(">=") {
                range.low = Some(Version::parse(version)?);
            } else {
                range.high = Some(Version::parse(bound.strip_prefix('<')?)?);
            }
        }
        Some(range)
    }

    /// Whether `version` lies in it.
    pub fn holds(&self, version: Version) -> bool {
        self.low.is_none_or(|low| low <= version) && self.high.is_none_or(|high| version < high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_as_peers_tell_them() {
        for (text, numbers) in [
            ("2.10.22", [2, 10, 22]),
            ("v2.9.10", [2, 9, 10]),
            ("2.11.0-RC.1", [2, 11, 0]),
            ("2.8.2+5d1c0ffee", [2, 8, 2]),
            ("1.1.8.0", [1, 1, 8]),
            ("2.10", [2, 10, 0]),
            ("2.15.0-dev", [2, 15, 0]),
        ] {
            assert_eq!(Version::parse(text), Some(Version { numbers }), "{text}");
        }
        for text in [
            "",
            "2",
            "development",
            "2.x.1",
            "1.2.3.4.5",
            "2.-1.0",
            "99999999999.0.0",
        ] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    #[test]
    fn order_is_by_number_and_not_by_text() {
        let version = |text| Version::parse(text).unwrap();
        assert!(version("2.9.25") < version("2.10.0"));
        assert!(version("2.11.17") < version("2.12.0"));
        assert_eq!(version("2.11.0-RC.1"), version("2.11.0"));
    }

    #[test]
    fn ranges_hold_their_low_end_only() {
        let range = Range::parse(">=2.12.0, <2.12.2").unwrap();
        let holds = |text| range.holds(Version::parse(text).unwrap());
        assert!(!holds("2.11.17") && holds("2.12.0") && holds("2.12.1") && !holds("2.12.2"));
        assert!(
            Range::parse("<2.10.12")
                .unwrap()
                .holds(Version::parse("1.4.1").unwrap())
        );
        assert!(Range::parse("~2.10").is_none());
        assert!(Range::parse(">=2.10.0, ").is_none());
    }
}
