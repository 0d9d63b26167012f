//! The head of a nats-server line: `[PID] 2026/11/23 05:12:01.123456 [INF] text` (logger/log.go), where pid and time
//! may be missing, and the Windows event text `pid[PID][NOTICE]: text`.

use crate::parse::timestamp::{SERVER_LEN, server_time, timestamp};
use crate::time::Stamp;

/// Levels, by the server's labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// `[TRC]`: protocol lines.
    Trace,
    /// `[DBG]`
    Debug,
    /// `[INF]`
    Info,
    /// `[WRN]`, since 1.4.0.
    Warning,
    /// `[ERR]`
    Error,
    /// `[FTL]`: the process ends after it.
    Fatal,
}

impl Level {
    /// The level of a three-letter label.
    pub fn from_label(label: &[u8]) -> Option<Self> {
        Some(match label {
            b"TRC" => Self::Trace,
            b"DBG" => Self::Debug,
            b"INF" => Self::Info,
            b"WRN" => Self::Warning,
            b"ERR" => Self::Error,
            b"FTL" => Self::Fatal,
            _ => return None,
        })
    }

    /// The level of a syslog severity as nats-server maps them (logger/syslog.go). Trace shares notice with info.
    pub const fn from_severity(severity: u8) -> Self {
        match severity {
            0..=2 => Self::Fatal,
            3 => Self::Error,
            4 => Self::Warning,
            7 => Self::Debug,
            _ => Self::Info,
        }
    }
}

/// A nats-server line, head and text apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerLine<'a> {
    /// Process id; 1 in most containers.
    pub pid: Option<u32>,
    /// The server's own time, without a zone (local time, or UTC with `logtime_utc`).
    pub stamp: Option<Stamp>,
    /// Level.
    pub level: Level,
    /// What follows the label and one space.
    pub text: &'a [u8],
}

/// Reads a line that has a level label. `None`: not a nats-server line.
pub fn line(body: &[u8]) -> Option<ServerLine<'_>> {
    let mut rest = body;
    let mut pid = None;
    if let Some((number, after)) = bracketed_pid(body) {
        pid = Some(number);
        rest = after;
    } else if let Some(windows) = windows_event(body) {
        return Some(windows);
    }
    let mut stamp = None;
    if rest.first().is_some_and(u8::is_ascii_digit) {
        let used = if let Some(time) = server_time(rest) {
            stamp = Some(time);
            SERVER_LEN
        } else {
            let (time, used) = timestamp(rest)?;
            stamp = Some(time);
            used
        };
        rest = rest.get(used..)?.strip_prefix(b" ")?;
    }
    let (level, text) = label(rest)?;
    Some(ServerLine {
        pid,
        stamp,
        level,
        text,
    })
}

/// `[INF] text`; the space is missing where an empty text's line was trimmed.
fn label(input: &[u8]) -> Option<(Level, &[u8])> {
    if input.len() < 5 || input[0] != b'[' || input[4] != b']' {
        return None;
    }
    let level = Level::from_label(&input[1..4])?;
    let text = &input[5..];
    match text.split_first() {
        None => Some((level, text)),
        Some((b' ', text)) => Some((level, text)),
        Some(_) => None,
    }
}

/// `[PID] rest`.
fn bracketed_pid(input: &[u8]) -> Option<(u32, &[u8])> {
    let rest = input.strip_prefix(b"[")?;
    let length = rest.iter().take(11).position(|b| *b == b']')?;
    let pid = decimal(&rest[..length])?;
    Some((pid, rest[length + 1..].strip_prefix(b" ")?))
}

/// `pid[PID][NOTICE]: text` (logger/syslog_windows.go).
fn windows_event(input: &[u8]) -> Option<ServerLine<'_>> {
    let rest = input.strip_prefix(b"pid[")?;
    let length = rest.iter().take(11).position(|b| *b == b']')?;
    let pid = decimal(&rest[..length])?;
    let rest = rest[length + 1..].strip_prefix(b"[")?;
    let length = rest.iter().take(8).position(|b| *b == b']')?;
    let level = match &rest[..length] {
        b"NOTICE" => Level::Info,
        b"WARN" => Level::Warning,
        b"ERROR" => Level::Error,
        b"FATAL" => Level::Fatal,
        b"DEBUG" => Level::Debug,
        b"TRACE" => Level::Trace,
        _ => return None,
    };
    Some(ServerLine {
        pid: Some(pid),
        stamp: None,
        level,
        text: rest[length + 1..].strip_prefix(b": ")?,
    })
}

fn decimal(input: &[u8]) -> Option<u32> {
    if input.is_empty() || !input.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(input).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads() {
        let samples: &[(&str, Option<u32>, bool, Level, &str)] = &[
            (
                "[15491] 2026/11/23 05:19:24.006512 [INF] Starting nats-server",
                Some(15491),
                true,
                Level::Info,
                "Starting nats-server",
            ),
            ("[1] [DBG] text", Some(1), false, Level::Debug, "text"),
            (
                "2026/11/23 05:19:24.006512 [WRN] text",
                None,
                true,
                Level::Warning,
                "text",
            ),
            ("[INF] text", None, false, Level::Info, "text"),
            ("[7] [INF]", Some(7), false, Level::Info, ""),
            (
                "pid[4242][WARN]: text",
                Some(4242),
                false,
                Level::Warning,
                "text",
            ),
        ];
        for (text, pid, stamped, level, rest) in samples {
            let read = line(text.as_bytes()).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(read.pid, *pid, "{text}");
            assert_eq!(read.stamp.is_some(), *stamped, "{text}");
            assert_eq!(read.level, *level, "{text}");
            assert_eq!(read.text, rest.as_bytes(), "{text}");
        }
    }

    #[test]
    fn other_programs_lines() {
        for text in [
            "",
            "[INFO] text",
            "2026/11/23 05:12:01 [app] text",
            "[main] [INF] text",
            "[12345678901234] [INF] x",
            "[1] 2026/11/23 05:19:24.006512 text",
            "[INF]text",
            "panic: boom",
        ] {
            assert_eq!(line(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn cut_anywhere_is_no_panic() {
        let text = b"[15491] 2026/11/23 05:19:24.006512 [INF] Starting";
        for cut in 0..text.len() {
            let read = line(&text[..cut]);
            assert_eq!(read.is_some(), cut >= 40, "{cut}");
        }
    }
}
