//! Rows that Windows' Event Viewer saves as text (tabs) or CSV: `Level, Date and Time, Source, Event ID, Task Category`,
//! then the event's text. nats-server as a Windows service logs there unless it has a log file
//! (logger/syslog_windows.go: source `NATS-Server`, text `pid[77][NOTICE]: ...`).
//!
//! The date is in the order of the machine that saved it, which a row alone may not tell: see [`date_order`].

use std::borrow::Cow;

use chrono::NaiveDate;

use super::{Unwrapped, utf8};
use crate::parse::timestamp::{clock_ns, date_ns};
use crate::time::Stamp;

/// Which part of a row's date comes first, where the year does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateOrder {
    /// `11/23/2026`.
    Month,
    /// `23/11/2026`, `23.11.2026`.
    Day,
}

/// What the viewer says where it has no message file for the source: the event's text follows on a line of its own.
const NO_MESSAGE_FILE: &[u8] = b"The description for Event ID";

/// A row, taken apart.
struct Row<'a> {
    /// The date's numbers as written.
    date: [u32; 3],
    /// What stands between them.
    mark: u8,
    /// Nanoseconds since midnight.
    clock: i64,
    /// The clock has twelve hours.
    halves: bool,
    source: &'a str,
    text: &'a [u8],
}

/// Takes a row off. Its body is empty where the text follows on another line.
pub(super) fn strip(line: &[u8], order: Option<DateOrder>) -> Option<Unwrapped<'_>> {
    let row = row(line)?;
    let order = order.unwrap_or_else(|| row.usual_order());
    let quoted = row.text.strip_prefix(b"\"");
    let body = match quoted.unwrap_or(row.text) {
        text if text.starts_with(NO_MESSAGE_FILE) => Cow::Borrowed(&b""[..]),
        _ => quoted.map_or(Cow::Borrowed(row.text), unquoted),
    };
    Some(Unwrapped {
        outer: Some(Stamp::civil(row.time(order)?, 0)),
        program: Some(Cow::Borrowed(row.source)),
        body,
        ..Unwrapped::default()
    })
}

/// The order of the dates in these lines: a number above twelve is no month; and rows stand in order of time, oldest or
/// newest first. `None`: there is no row, or nothing tells.
pub(super) fn date_order<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Option<DateOrder> {
    let rows: Vec<Row<'_>> = lines.filter_map(row).collect();
    let times = |order| -> Option<Vec<i64>> { rows.iter().map(|row| row.time(order)).collect() };
    match (times(DateOrder::Month), times(DateOrder::Day)) {
        (Some(_), None) => Some(DateOrder::Month),
        (None, Some(_)) => Some(DateOrder::Day),
        (Some(month), Some(day)) => {
            let ordered = |times: &[i64]| times.is_sorted() || times.iter().rev().is_sorted();
            match (ordered(&month), ordered(&day)) {
                (true, false) => Some(DateOrder::Month),
                (false, true) => Some(DateOrder::Day),
                _ => None,
            }
        }
        (None, None) => None,
    }
}

impl Row<'_> {
    /// The order that goes with how the rest is written: `M/D/Y h:mm AM` is the United States', where Windows has
    /// most of its twelve-hour clocks; everyone else who puts the year last begins with the day.
    fn usual_order(&self) -> DateOrder {
        if self.mark == b'/' && self.halves {
            DateOrder::Month
        } else {
            DateOrder::Day
        }
    }

    /// The row's time, counted as though it were UTC.
    fn time(&self, order: DateOrder) -> Option<i64> {
        let [first, second, third] = self.date;
        let (year, month, day) = match order {
            _ if first > 999 => (first, second, third),
            DateOrder::Month => (third, first, second),
            DateOrder::Day => (third, second, first),
        };
        let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
        date_ns(date)?.checked_add(self.clock)
    }
}

/// `LEVEL TIME SOURCE ID CATEGORY TEXT` with tabs or commas between.
fn row(line: &[u8]) -> Option<Row<'_>> {
    let level = line
        .iter()
        .take(32)
        .position(|b| matches!(b, b'\t' | b','))?;
    let separator = line[level];
    let mut fields = line.splitn(6, |b| *b == separator);
    let named = !fields.next()?.iter().any(u8::is_ascii_digit);
    let (date, mark, clock, halves) = moment(utf8(fields.next()?)?)?;
    let source = utf8(fields.next()?)?;
    let id = fields.next()?;
    let _category = fields.next()?;
    let text = fields.next()?;
    let numbered = !id.is_empty() && id.iter().all(u8::is_ascii_digit);
    (named && level > 0 && numbered && !source.is_empty()).then_some(Row {
        date,
        mark,
        clock,
        halves,
        source,
        text,
    })
}

/// `11/23/2026 5:12:00 AM`, `23.11.2026 05:12:00`, `2026-11-23 05:12:00`: the date's numbers and what stands between
/// them, nanoseconds since midnight, and whether the clock has twelve hours.
fn moment(text: &str) -> Option<([u32; 3], u8, i64, bool)> {
    let (date, rest) = text.split_once([' ', ','])?;
    let mark = *date.as_bytes().iter().find(|b| !b.is_ascii_digit())?;
    if !matches!(mark, b'/' | b'.' | b'-') {
        return None;
    }
    let date = three(date.trim_end_matches('.'), char::from(mark))?;
    date.iter().any(|part| *part > 999).then_some(())?;
    let rest = rest.trim_start();
    let end = rest
        .find(|c: char| !(c.is_ascii_digit() || c == ':'))
        .unwrap_or(rest.len());
    let [hour, minute, second] = three(&rest[..end], ':')?;
    let half = rest[end..].trim_start();
    let halves = !half.is_empty();
    let hour = match half.as_bytes().first() {
        None => hour,
        Some(b'a' | b'A') if hour <= 12 => hour % 12,
        Some(b'p' | b'P') if hour <= 12 => hour % 12 + 12,
        Some(_) => return None,
    };
    let clock = clock_ns(hour.into(), minute.into(), second.into())?;
    Some((date, mark, clock, halves))
}

/// Three numbers.
fn three(text: &str, between: char) -> Option<[u32; 3]> {
    let mut parts = text.split(between).map(|part| part.parse().ok());
    let three = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(three)
}

/// A CSV field after its first quote; a text of several lines has no quote at its end.
fn unquoted(text: &[u8]) -> Cow<'_, [u8]> {
    let text = text.strip_suffix(b"\"").unwrap_or(text);
    if !text.contains(&b'"') {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().peekable();
    while let Some(byte) = bytes.next() {
        out.push(*byte);
        if *byte == b'"' && bytes.peek() == Some(&&b'"') {
            bytes.next();
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::SECOND;

    fn time(row: &str) -> Option<i64> {
        let rows = [row.as_bytes()];
        let stamp = strip(rows[0], date_order(rows.into_iter()))?.outer?;
        Some(stamp.ns / SECOND)
    }

    /// 2026-11-23 17:12:00 counted as UTC.
    const EVENING: i64 = 1_795_453_920;

    #[test]
    fn dates_of_every_order() {
        for text in [
            "11/23/2026 5:12:00 PM",
            "11/23/2026 5:12:00\u{202f}PM",
            "23/11/2026 5:12:00 PM",
            "23/11/2026 17:12:00",
            "23.11.2026 17:12:00",
            "23-11-2026 17:12:00",
            "2026-11-23 17:12:00",
            "2026/11/23 17:12:00",
        ] {
            let row = format!("Information\t{text}\tNATS-Server\t1\tNone\tpid[77][NOTICE]: x");
            assert_eq!(time(&row), Some(EVENING), "{text}");
        }
        for text in [
            "11/23/2026 25:12:00",
            "31/31/2026 05:12:00",
            "11/23/5000 05:12:00",
            "11/23/5000 05:12:00",
            "yesterday",
            "",
        ] {
            let row = format!("Information\t{text}\tNATS-Server\t1\tNone\tx");
            assert_eq!(time(&row), None, "{text}");
        }
    }

    #[test]
    fn what_one_row_leaves_open_the_others_tell() {
        let row = |text: &str| format!("Information,{text},NATS-Server,1,None,x");
        let order = |rows: &[&str]| {
            let rows: Vec<String> = rows.iter().map(|text| row(text)).collect();
            date_order(rows.iter().map(String::as_bytes))
        };
        assert_eq!(order(&["1/2/2026 1:00:00 PM"]), None);
        // Newest first, over the end of a month.
        let over = ["1/2/2026 1:00:00 PM", "31/1/2026 1:00:00 PM"];
        assert_eq!(order(&over), Some(DateOrder::Day));
        // No number above twelve: only in one order do the rows run one way.
        let days = [
            "11/12/2026 09:00:00",
            "12/12/2026 09:00:00",
            "01/01/2027 09:00:00",
        ];
        assert_eq!(order(&days), None);
        let days = [
            "11/11/2026 09:00:00",
            "12/11/2026 09:00:00",
            "01/12/2026 09:00:00",
        ];
        assert_eq!(order(&days), Some(DateOrder::Day));
        assert_eq!(order(&[]), None);
    }
}
