//! Timestamps as logs write them, without guessing: a text without a zone, a year or a date stays without it.
//!
//! One grammar for every log: nats-server's and Go's `2026/11/23 05:12:01.123456`, ISO 8601 and RFC 3339 in their
//! usual variations, syslog's `Nov 23 05:12:00`, C's `Mon Nov 23 05:12:00 2026`, access logs' `23/Nov/2026:05:12:01
//! +0000`, times of day, and epoch counts in seconds, milli-, micro- or nanoseconds.

use chrono::NaiveDate;

use crate::time::{Basis, SECOND, Stamp};

/// Month names as C, syslog and Go abbreviate them.
const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

/// Day names.
const DAYS: [&[u8; 3]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];

/// The year that [`Basis::YearLess`] counts in: a leap year, so that 29 February exists.
const LEAP_YEAR: i32 = 1972;

/// Epoch counts before this (2001-09-09) or with other lengths are taken for ordinary numbers.
const EPOCH_DIGITS: [(usize, i64); 4] = [(10, SECOND), (13, 1_000_000), (16, 1_000), (19, 1)];

/// The timestamp at the start of `input`, and how many bytes it takes. The byte after it is no digit and no letter.
pub fn timestamp(input: &[u8]) -> Option<(Stamp, usize)> {
    let first = *input.first()?;
    let (stamp, used) = if first.is_ascii_digit() {
        numeric_date(input)
            .or_else(|| time_of_day(input))
            .or_else(|| access_log(input))
            .or_else(|| epoch(input))?
    } else {
        month_first(input)?
    };
    match input.get(used) {
        Some(next) if next.is_ascii_alphanumeric() => None,
        _ => Some((stamp, used)),
    }
}

/// `2026/11/23 05:12:01.123456` at exactly this place and with exactly these six digits: what every nats-server
/// since 0.6.0 writes (logger/log.go, Go's `LstdFlags|Lmicroseconds`). Takes [`SERVER_LEN`] bytes.
pub fn server_time(input: &[u8]) -> Option<Stamp> {
    let text: &[u8; SERVER_LEN] = input.get(..SERVER_LEN)?.try_into().ok()?;
    let separators = text[4] == b'/'
        && text[7] == b'/'
        && text[10] == b' '
        && text[13] == b':'
        && text[16] == b':'
        && text[19] == b'.';
    if !separators {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(
        digits(&text[..4])? as i32,
        digits(&text[5..7])? as u32,
        digits(&text[8..10])? as u32,
    )?;
    let clock = clock_ns(
        digits(&text[11..13])?,
        digits(&text[14..16])?,
        digits(&text[17..19])?,
    )?;
    let ns = date_ns(date)?.checked_add(clock + digits(&text[20..26])? * 1_000)?;
    Some(Stamp::civil(ns, 6))
}

/// Length of the time that [`server_time`] reads.
pub const SERVER_LEN: usize = 26;

/// `Y-M-D` or `Y/M/D`, then perhaps a time, a fraction and a zone.
fn numeric_date(input: &[u8]) -> Option<(Stamp, usize)> {
    let separator = *input.get(4)?;
    if !matches!(separator, b'-' | b'/' | b'.') || input.get(7) != Some(&separator) {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(
        digits(&input[..4])? as i32,
        digits(&input[5..7])? as u32,
        digits(input.get(8..10)?)? as u32,
    )?;
    if !matches!(input.get(10), Some(b' ' | b'T' | b't' | b'_' | b',')) {
        return None;
    }
    let mut at = 11;
    if input.get(10) == Some(&b',') && input.get(11) == Some(&b' ') {
        at = 12;
    }
    let (clock, fraction_digits, used) = clock(&input[at..])?;
    at += used;
    let ns = date_ns(date)?.checked_add(clock)?;
    Some(match zone(&input[at..]) {
        Some((seconds, used)) => (
            Stamp::utc(ns.checked_sub(seconds * SECOND)?, fraction_digits),
            at + used,
        ),
        None => (Stamp::civil(ns, fraction_digits), at),
    })
}

/// `05:12:01.123`, perhaps with a zone, which then says nothing without a date and is left alone.
fn time_of_day(input: &[u8]) -> Option<(Stamp, usize)> {
    let (ns, digits, used) = clock(input)?;
    let stamp = Stamp {
        ns,
        basis: Basis::TimeOfDay,
        digits,
    };
    Some((stamp, used))
}

/// `23/Nov/2026:05:12:01 +0000`.
fn access_log(input: &[u8]) -> Option<(Stamp, usize)> {
    if input.get(2) != Some(&b'/') || input.get(6) != Some(&b'/') || input.get(11) != Some(&b':') {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(
        digits(&input[7..11])? as i32,
        month(&input[3..6])?,
        digits(&input[..2])? as u32,
    )?;
    let (clock, fraction, used) = clock(&input[12..])?;
    let ns = date_ns(date)?.checked_add(clock)?;
    let at = 12 + used;
    Some(match zone(&input[at..]) {
        Some((seconds, used)) => (Stamp::utc(ns - seconds * SECOND, fraction), at + used),
        None => (Stamp::civil(ns, fraction), at),
    })
}

/// Seconds, milli-, micro- or nanoseconds since the Unix epoch, told apart by their length; seconds may have a fraction.
fn epoch(input: &[u8]) -> Option<(Stamp, usize)> {
    let length = input.iter().take_while(|b| b.is_ascii_digit()).count();
    let (_, unit) = *EPOCH_DIGITS.iter().find(|(digits, _)| *digits == length)?;
    let value = digits(&input[..length])?.checked_mul(unit)?;
    if unit != SECOND {
        return Some((Stamp::utc(value, (length - 10) as u8), length));
    }
    let (fraction, fraction_digits, used) = fraction(&input[length..]);
    Some((
        Stamp::utc(value.checked_add(fraction)?, fraction_digits),
        length + used,
    ))
}

/// `Nov 23 05:12:00`, `Nov 23 2026 05:12:00`, `Mon Nov 23 05:12:00 2026`, `Mon, 23 Nov 2026 05:12:00 GMT`.
fn month_first(input: &[u8]) -> Option<(Stamp, usize)> {
    let mut at = 0;
    let day_name = input.get(..3)?;
    if DAYS.iter().any(|name| *name == day_name) {
        at = 3;
        if input.get(at) == Some(&b',') {
            at += 1;
        }
        at += spaces(&input[at..]);
        if input.get(at)?.is_ascii_digit() {
            return day_first(input, at);
        }
    }
    let month = month(input.get(at..at + 3)?)?;
    at += 3;
    at += some_spaces(&input[at..])?;
    let (day, used) = number(&input[at..], 1, 2)?;
    at += used;
    at += some_spaces(&input[at..])?;
    let mut year = None;
    if input.get(at + 4) == Some(&b' ')
        && let Some((value, 4)) = number(&input[at..], 4, 4)
    {
        year = Some(value);
        at += 5;
    }
    let (clock, fraction, used) = clock(&input[at..])?;
    at += used;
    // C's `ctime` and `dmesg -T` put the year last.
    if year.is_none()
        && input.get(at) == Some(&b' ')
        && let Some((value, 4)) = number(&input[at + 1..], 4, 4)
        && (1970..2262).contains(&value)
        && !matches!(input.get(at + 5), Some(b':' | b'/' | b'-' | b'.'))
    {
        year = Some(value);
        at += 5;
    }
    let date = NaiveDate::from_ymd_opt(year.map_or(LEAP_YEAR, |y| y as i32), month, day as u32)?;
    let stamp = Stamp {
        ns: date_ns(date)?.checked_add(clock)?,
        basis: if year.is_some() {
            Basis::Civil
        } else {
            Basis::YearLess
        },
        digits: fraction,
    };
    Some((stamp, at))
}

/// `23 Nov 2026 05:12:00 GMT` from `at` on (RFC 2822 and HTTP dates).
fn day_first(input: &[u8], mut at: usize) -> Option<(Stamp, usize)> {
    let (day, used) = number(&input[at..], 1, 2)?;
    at += used;
    at += some_spaces(&input[at..])?;
    let month = month(input.get(at..at + 3)?)?;
    at += 3;
    at += some_spaces(&input[at..])?;
    let (year, used) = number(&input[at..], 4, 4)?;
    at += used;
    at += some_spaces(&input[at..])?;
    let (clock, fraction, used) = clock(&input[at..])?;
    at += used;
    let date = NaiveDate::from_ymd_opt(year as i32, month, day as u32)?;
    let ns = date_ns(date)?.checked_add(clock)?;
    Some(match zone(&input[at..]) {
        Some((seconds, used)) => (Stamp::utc(ns - seconds * SECOND, fraction), at + used),
        None => (Stamp::civil(ns, fraction), at),
    })
}

/// `hh:mm:ss` with a fraction after `.` or `,`: nanoseconds since midnight, digits of the fraction, bytes.
fn clock(input: &[u8]) -> Option<(i64, u8, usize)> {
    if input.get(2) != Some(&b':') || input.get(5) != Some(&b':') {
        return None;
    }
    let whole = clock_ns(
        digits(&input[..2])?,
        digits(&input[3..5])?,
        digits(input.get(6..8)?)?,
    )?;
    let (fraction, digits, used) = fraction(&input[8..]);
    Some((whole + fraction, digits, 8 + used))
}

/// Nanoseconds since midnight. A leap second is the second after `:59`.
pub fn clock_ns(hour: i64, minute: i64, second: i64) -> Option<i64> {
    (hour < 24 && minute < 60 && second <= 60)
        .then_some(((hour * 60 + minute) * 60 + second) * SECOND)
}

/// `.123456` or `,123`: nanoseconds, digits (digits beyond nine are read and cut), bytes. Nothing there is no error.
fn fraction(input: &[u8]) -> (i64, u8, usize) {
    if !matches!(input.first(), Some(b'.' | b',')) {
        return (0, 0, 0);
    }
    let length = input[1..].iter().take_while(|b| b.is_ascii_digit()).count();
    if length == 0 {
        return (0, 0, 0);
    }
    let kept = length.min(9);
    let value = digits(&input[1..=kept]).unwrap_or(0) * 10_i64.pow(9 - kept as u32);
    (value, kept as u8, 1 + length)
}

/// `Z`, `+01:00`, `+0100`, `+01`, ` UTC`, ` GMT`, ` +0000`: seconds east of UTC, bytes.
fn zone(input: &[u8]) -> Option<(i64, usize)> {
    let space = usize::from(input.first() == Some(&b' '));
    let rest = &input[space..];
    if space == 0 && matches!(rest.first(), Some(b'Z' | b'z')) {
        return Some((0, 1));
    }
    if rest.starts_with(b"UTC") || rest.starts_with(b"GMT") {
        return Some((0, space + 3));
    }
    let sign = match rest.first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = digits(rest.get(1..3)?)?;
    let (minutes, used) = if rest.get(3) == Some(&b':') {
        (digits(rest.get(4..6)?)?, 6)
    } else if let Some(minutes) = rest.get(3..5).and_then(digits) {
        (minutes, 5)
    } else if space == 0 {
        (0, 3)
    } else {
        return None;
    };
    let after_is_digit = rest.get(used).is_some_and(u8::is_ascii_digit);
    (hours < 24 && minutes < 60 && !after_is_digit)
        .then_some((sign * (hours * 60 + minutes) * 60, space + used))
}

/// Nanoseconds from 1970 to a day's midnight, counted as though in UTC.
pub fn date_ns(date: NaiveDate) -> Option<i64> {
    let days = date.signed_duration_since(NaiveDate::default()).num_days();
    days.checked_mul(86_400 * SECOND)
}

fn month(input: &[u8]) -> Option<u32> {
    let index = MONTHS.iter().position(|name| *name == input)?;
    Some(index as u32 + 1)
}

fn spaces(input: &[u8]) -> usize {
    input.iter().take_while(|b| **b == b' ').count()
}

fn some_spaces(input: &[u8]) -> Option<usize> {
    match spaces(input) {
        0 => None,
        count => Some(count),
    }
}

/// A number of `least` to `most` digits at the start, and its length.
fn number(input: &[u8], least: usize, most: usize) -> Option<(i64, usize)> {
    let length = input
        .iter()
        .take(most)
        .take_while(|b| b.is_ascii_digit())
        .count();
    (length >= least)
        .then(|| digits(&input[..length]))
        .flatten()
        .map(|value| (value, length))
}

/// All of `input` as a decimal number; at most 19 digits.
fn digits(input: &[u8]) -> Option<i64> {
    if input.is_empty() || input.len() > 19 {
        return None;
    }
    input.iter().try_fold(0_i64, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value.checked_mul(10)?.checked_add(i64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Instant;

    /// 2026-11-23 05:12:01 counted as UTC.
    const WHOLE: i64 = 1_795_410_721 * SECOND;

    #[test]
    fn every_form() {
        let samples: &[(&str, Basis, i64, u8)] = &[
            (
                "2026/11/23 05:12:01.123456",
                Basis::Civil,
                WHOLE + 123_456_000,
                6,
            ),
            ("2026/11/23 05:12:01", Basis::Civil, WHOLE, 0),
            (
                "2026-11-23T05:12:01.123456789Z",
                Basis::Utc,
                WHOLE + 123_456_789,
                9,
            ),
            ("2026-11-23T06:12:01+01:00", Basis::Utc, WHOLE, 0),
            (
                "2026-11-23T06:12:01.5+0100",
                Basis::Utc,
                WHOLE + 500_000_000,
                1,
            ),
            ("2026-11-22 21:12:01 -0800", Basis::Utc, WHOLE, 0),
            ("2026-11-23 05:12:01 UTC", Basis::Utc, WHOLE, 0),
            (
                "2026-11-23 05:12:01,123",
                Basis::Civil,
                WHOLE + 123_000_000,
                3,
            ),
            (
                "2026-11-23T05:12:01.1234567890123Z",
                Basis::Utc,
                WHOLE + 123_456_789,
                9,
            ),
            ("Mon Nov 23 05:12:01 2026", Basis::Civil, WHOLE, 0),
            ("Nov 23 2026 05:12:01", Basis::Civil, WHOLE, 0),
            ("Mon, 23 Nov 2026 05:12:01 GMT", Basis::Utc, WHOLE, 0),
            ("23/Nov/2026:05:12:01 +0000", Basis::Utc, WHOLE, 0),
            ("1795410721", Basis::Utc, WHOLE, 0),
            ("1795410721.250", Basis::Utc, WHOLE + 250_000_000, 3),
            ("1795410721123", Basis::Utc, WHOLE + 123_000_000, 3),
            ("1795410721123456", Basis::Utc, WHOLE + 123_456_000, 6),
            ("1795410721123456789", Basis::Utc, WHOLE + 123_456_789, 9),
            (
                "05:12:01.123",
                Basis::TimeOfDay,
                18_721 * SECOND + 123_000_000,
                3,
            ),
        ];
        for (text, basis, ns, digits) in samples {
            let (stamp, used) = timestamp(text.as_bytes()).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(
                (stamp.basis, stamp.ns, stamp.digits, used),
                (*basis, *ns, *digits, text.len()),
                "{text}"
            );
            // Text may follow after anything that is no letter and no digit.
            let followed = format!("{text}] text");
            assert_eq!(
                timestamp(followed.as_bytes()),
                Some((stamp, text.len())),
                "{followed}"
            );
        }
    }

    #[test]
    fn a_year_is_never_guessed() {
        for (text, length) in [
            ("Nov 23 05:12:01 host", 15),
            ("Nov  3 05:12:01 host", 15),
            ("Feb 29 00:00:00", 15),
        ] {
            let (stamp, used) = timestamp(text.as_bytes()).expect(text);
            assert_eq!((stamp.basis, used), (Basis::YearLess, length), "{text}");
            assert!(Instant(stamp.ns).rfc3339(0).starts_with("1972-"), "{text}");
        }
    }

    #[test]
    fn refused() {
        for text in [
            "",
            "hello",
            "2026/13/23 05:12:01",
            "2026/11/23 25:12:01",
            "2026/11/23",
            "12345",
            "17954107210",
            "Nov 31 05:12:01",
            "2026-11-23T05:12",
            "05:12",
            "1795410721x",
            "9999-11-23T05:12:01Z",
        ] {
            assert_eq!(timestamp(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn the_server_s_own_form_reads_alike_on_both_ways() {
        let text = b"2026/11/23 05:12:01.123456";
        assert_eq!(
            timestamp(text),
            server_time(text).map(|stamp| (stamp, SERVER_LEN))
        );
        assert_eq!(server_time(b"2026/11/23 05:12:01.12345"), None);
        assert_eq!(server_time(b"2026/11/23 05:12:01,123456"), None);
    }

    #[test]
    fn cut_anywhere_it_is_shorter_or_nothing() {
        for text in [
            "2026-11-23T05:12:01.123456789+01:00",
            "Mon Nov 23 05:12:01 2026",
            "1795410721123456789",
        ] {
            for cut in 0..text.len() {
                if let Some((_, used)) = timestamp(&text.as_bytes()[..cut]) {
                    assert!(used <= cut);
                }
            }
        }
    }
}
