//! Layouts of time that only client-side frameworks use, on top of [`crate::parse::timestamp`].

use crate::parse::timestamp::timestamp as common;
use crate::time::{Basis, SECOND, Stamp};

/// The time at the start of `text` and its length in bytes.
pub(super) fn leading(text: &str) -> Option<(Stamp, usize)> {
    java_util_logging(text).or_else(|| common(text.as_bytes()))
}

/// `Nov 23, 2026 5:13:25 AM`: `java.util.logging.SimpleFormatter` in an English locale.
fn java_util_logging(text: &str) -> Option<(Stamp, usize)> {
    let (date, rest) = text.split_at_checked(text.find(", ")? + 2)?;
    let mut words = rest.splitn(4, ' ');
    let (year, clock, half) = (words.next()?, words.next()?, words.next()?);
    let half = half.get(..2)?;
    let noon = match half {
        "AM" => 0,
        "PM" => 12,
        _ => return None,
    };
    let mut parts = clock.split(':');
    let hour: u32 = parts
        .next()?
        .parse()
        .ok()
        .filter(|hour| (1..=12).contains(hour))?;
    let (minute, second) = (parts.next()?, parts.next()?);
    let hour = hour % 12 + noon;
    let month_day = date.trim_end_matches(", ");
    let canonical = format!("{month_day} {year} {hour:02}:{minute}:{second}");
    let (stamp, used) = common(canonical.as_bytes())?;
    let length = date.len() + year.len() + 1 + clock.len() + 1 + half.len();
    (used == canonical.len()).then_some((stamp, length))
}

/// A time as a JSON value or a `key=value` value: text, or a count since the epoch in any unit, perhaps a fraction.
pub(super) fn value(text: &str) -> Option<Stamp> {
    let text = text.trim();
    if let Some((stamp, used)) = leading(text)
        && used == text.len()
    {
        return Some(stamp);
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let plain = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(fraction) {
        return None;
    }
    let count: i64 = whole.parse().ok()?;
    // 2001 to 2286 in each unit: the ranges do not meet.
    let (unit, unit_digits) = match whole.len() {
        10 => (SECOND, 0),
        13 => (1_000_000, 3),
        16 => (1_000, 6),
        19 => (1, 9),
        _ => return None,
    };
    let kept = &fraction[..fraction.len().min(9)];
    let part = if kept.is_empty() {
        0
    } else {
        kept.parse::<i64>().ok()? * 10_i64.pow(9 - kept.len() as u32) / (SECOND / unit)
    };
    Some(Stamp {
        ns: count.checked_mul(unit)?.checked_add(part)?,
        basis: Basis::Utc,
        digits: (unit_digits + kept.len() as u8).min(9),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_layouts_are_read() {
        let morning = leading("Nov 23, 2026 5:13:25 AM io.nats").unwrap();
        assert_eq!(morning.1, "Nov 23, 2026 5:13:25 AM".len());
        assert_eq!(morning.0, Stamp::civil(1_795_410_805 * SECOND, 0));
        let noon = leading("Nov 23, 2026 12:13:25 PM x").unwrap();
        assert_eq!(noon.0.ns - morning.0.ns, 7 * 3_600 * SECOND);
        assert_eq!(
            value("1795410805.25"),
            Some(Stamp::utc(1_795_410_805_250_000_000, 2))
        );
        assert_eq!(
            value("1795410805123"),
            Some(Stamp::utc(1_795_410_805_123_000_000, 3))
        );
        assert_eq!(
            value("2026-11-23T05:13:25.5Z"),
            Some(Stamp::utc(1_795_410_805_500_000_000, 1))
        );
        assert_eq!(value("4222"), None);
    }
}
