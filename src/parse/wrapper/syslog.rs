//! Syslog, as daemons and journald print it: RFC 3164 with and without priority, the same with an ISO time (rsyslog,
//! nats-server's own remote_syslog, `journalctl -o short-iso`, `short-full`, `short-unix`), and RFC 5424.

use std::borrow::Cow;

use super::{Unwrapped, utf8, word};
use crate::parse::timestamp::timestamp;
use crate::time::{Basis, Stamp};

/// Either form.
pub(super) fn strip(line: &[u8]) -> Option<Unwrapped<'_>> {
    let (priority, rest) = match priority(line) {
        Some((priority, rest)) => (Some(priority), rest),
        None => (None, line),
    };
    if let Some(rest) = priority.and_then(|_| rest.strip_prefix(b"1 ")) {
        return rfc5424(rest, priority);
    }
    rfc3164(rest, priority)
}

/// `<PRI>`.
fn priority(line: &[u8]) -> Option<(u8, &[u8])> {
    let rest = line.strip_prefix(b"<")?;
    let end = rest.iter().take(4).position(|b| *b == b'>')?;
    Some((utf8(&rest[..end])?.parse().ok()?, &rest[end + 1..]))
}

/// `TIME HOST TAG[PID]: text`.
fn rfc3164(line: &[u8], priority: Option<u8>) -> Option<Unwrapped<'_>> {
    let (stamp, rest) = time(line)?;
    let (host, rest) = word(rest)?;
    let (program, pid, body) = tag(rest)?;
    if host.is_empty() || level_word(host) {
        return None;
    }
    // Without a priority and with a year, a client's `TIME LEVEL module: text` looks the same but for the pid.
    let kernel = program == b"kernel";
    if priority.is_none() && stamp.basis != Basis::YearLess && pid.is_none() && !kernel {
        return None;
    }
    Some(Unwrapped {
        outer: Some(stamp),
        stream: Some(Cow::Borrowed(utf8(host)?)),
        program: Some(Cow::Borrowed(utf8(program)?)),
        pid,
        severity: priority.map(|priority| priority & 7),
        body: Cow::Borrowed(body),
        partial: false,
    })
}

/// The time in front, and the text after its blank. `short-full` puts the day's name before an ISO date.
fn time(line: &[u8]) -> Option<(Stamp, &[u8])> {
    let (stamp, used) = timestamp(line).or_else(|| {
        let (day, rest) = word(line)?;
        let (stamp, used) = timestamp(rest)?;
        (day.len() == 3).then_some((stamp, used + 4))
    })?;
    let known = matches!(stamp.basis, Basis::YearLess | Basis::Utc) || line.get(10) == Some(&b'T');
    let rest = line[used..].strip_prefix(b" ")?;
    known.then_some((stamp, rest))
}

/// `TAG[PID]: ` or `TAG: `.
fn tag(input: &[u8]) -> Option<(&[u8], Option<u32>, &[u8])> {
    let end = input
        .iter()
        .take(128)
        .position(|b| matches!(b, b'[' | b':' | b' '))?;
    let (program, rest) = input.split_at(end);
    if program.is_empty() {
        return None;
    }
    if let Some(inside) = rest.strip_prefix(b"[") {
        let close = inside.iter().take(12).position(|b| *b == b']')?;
        let pid = utf8(&inside[..close])?.parse().ok()?;
        let body = inside[close + 1..].strip_prefix(b":")?;
        return Some((program, Some(pid), body.strip_prefix(b" ").unwrap_or(body)));
    }
    let body = rest.strip_prefix(b":")?;
    // `host:port` and the like are no tags.
    if !body.is_empty() && body[0] != b' ' {
        return None;
    }
    Some((program, None, body.get(1..).unwrap_or(b"")))
}

/// Words that stand where a host would in clients' lines.
fn level_word(text: &[u8]) -> bool {
    const LEVELS: &[&str] = &[
        "trace", "debug", "info", "notice", "warn", "warning", "error", "fatal", "critical",
        "panic", "err", "inf", "dbg", "wrn", "trc",
    ];
    let text = text.strip_prefix(b"[").unwrap_or(text);
    let text = text.strip_suffix(b"]").unwrap_or(text);
    LEVELS
        .iter()
        .any(|level| text.eq_ignore_ascii_case(level.as_bytes()))
}

/// `TIME HOST APP PROCID MSGID [SD] text`, after `<PRI>1 ` (RFC 5424 section 6).
fn rfc5424(line: &[u8], priority: Option<u8>) -> Option<Unwrapped<'_>> {
    let (time, rest) = word(line)?;
    let outer = timestamp(time).map(|(stamp, _)| stamp);
    let (host, rest) = word(rest)?;
    let (app, rest) = word(rest)?;
    let (procid, rest) = word(rest)?;
    let (_msgid, rest) = word(rest)?;
    let body = structured_data(rest)?;
    let present = |text: &'_ [u8]| (text != b"-").then_some(()).is_some();
    Some(Unwrapped {
        outer,
        stream: present(host)
            .then(|| utf8(host))
            .flatten()
            .map(Cow::Borrowed),
        program: present(app).then(|| utf8(app)).flatten().map(Cow::Borrowed),
        pid: utf8(procid).and_then(|text| text.parse().ok()),
        severity: priority.map(|priority| priority & 7),
        body: Cow::Borrowed(body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body)),
        partial: false,
    })
}

/// The text after `-` or `[id key="value"]...`.
fn structured_data(input: &[u8]) -> Option<&[u8]> {
    if let Some(rest) = input.strip_prefix(b"-") {
        return Some(rest.strip_prefix(b" ").unwrap_or(rest));
    }
    let mut at = 0;
    while input.get(at) == Some(&b'[') {
        let mut quoted = false;
        loop {
            at += 1;
            match *input.get(at)? {
                b'\\' if quoted => at += 1,
                b'"' => quoted = !quoted,
                b']' if !quoted => break,
                _ => {}
            }
        }
        at += 1;
    }
    if at == 0 {
        return None;
    }
    let rest = input.get(at..)?;
    Some(rest.strip_prefix(b" ").unwrap_or(rest))
}
