//! The first look at a line, made for speed: most lines of a debug or trace log are messages and pings, of which counts
//! and the last few are enough. Fixed offsets and memchr; whatever is not plainly one of those lines is looked at in full.

use memchr::memchr;

use super::record::ConnKind;
use crate::parse::timestamp::SERVER_LEN;

/// What a glance shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glance {
    /// Needs a full look.
    Look,
    /// A banner may begin here: a full look, and what came before belongs to the process before.
    Banner,
    /// Of a server process, and of no use: payloads, subscriptions, internal clients.
    Idle(u32),
    /// Of a connection: process, connection, what.
    Routine(u32, ConnKind, u64, Routine),
}

/// Lines of which counts or the last few are enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Routine {
    /// PUB, HPUB: from a client, whatever the arrow.
    Published,
    /// MSG and its kin with `<<-`.
    MessageLeft,
    /// MSG and its kin with `->>`.
    MessageRight,
    /// PING, PONG, ping timers: the last few matter.
    Ping,
    /// Anything else that is traced.
    Other,
}

/// Offset of the label in `2026/11/23 05:12:01.123456 [TRC] text`.
const LABEL: usize = SERVER_LEN + 1;

/// Looks at a line without its LF.
pub fn glance(line: &[u8]) -> Glance {
    head(line).unwrap_or(Glance::Look)
}

fn head(line: &[u8]) -> Option<Glance> {
    // `[PID] `
    if *line.first()? != b'[' {
        return None;
    }
    let mut pid = 0_u32;
    let mut at = 1;
    loop {
        match *line.get(at)? {
            digit @ b'0'..=b'9' => {
                pid = pid.checked_mul(10)?.checked_add(u32::from(digit - b'0'))?;
            }
            b']' if at > 1 => break,
            _ => return None,
        }
        at += 1;
    }
    let rest = line.get(at + 2..)?;
    let text = rest.get(LABEL + 6..)?;
    if rest[4] != b'/' || rest[19] != b'.' || rest[LABEL - 1] != b' ' || rest[LABEL + 4] != b']' {
        return None;
    }
    match &rest[LABEL..LABEL + 4] {
        b"[TRC" => traced(pid, text),
        b"[DBG" => debugged(pid, text),
        _ if text.starts_with(b"Starting ") || text.starts_with(b"STREAM: ") => {
            Some(Glance::Banner)
        }
        _ => None,
    }
}

fn traced(pid: u32, text: &[u8]) -> Option<Glance> {
    if !text.first()?.is_ascii_digit() && text[0] != b'[' {
        return Some(Glance::Idle(pid));
    }
    let (kind, id, rest) = tag(text)?;
    let arrow = rest.get(..4)?;
    if rest[4..].starts_with(b"MSG_PAYLOAD: ") {
        return Some(Glance::Routine(pid, kind, id, Routine::Other));
    }
    let verb = rest.get(5..)?;
    let verb = &verb[..verb.iter().take(8).position(|b| matches!(b, b' ' | b']'))?];
    let what = match (verb, arrow) {
        (b"PUB" | b"HPUB", _) => Routine::Published,
        (b"MSG" | b"HMSG" | b"RMSG" | b"LMSG", b"<<- ") => Routine::MessageLeft,
        (b"MSG" | b"HMSG" | b"RMSG" | b"LMSG", b"->> ") => Routine::MessageRight,
        (b"PING" | b"PONG", b"<<- " | b"->> ") => Routine::Ping,
        (
            b"SUB" | b"UNSUB" | b"DELSUB" | b"+OK" | b"OK" | b"RS+" | b"RS-" | b"LS+" | b"LS-"
            | b"A+" | b"A-" | b"INFO",
            _,
        ) => Routine::Other,
        _ => return None,
    };
    Some(Glance::Routine(pid, kind, id, what))
}

fn debugged(pid: u32, text: &[u8]) -> Option<Glance> {
    let (kind, id, rest) = tag(text)?;
    let routine = rest.ends_with(b" Ping Timer") || rest.starts_with(b"Delaying PING due to ");
    // A name with `%` shifts words about; the full look knows such lines.
    (routine && memchr(b'%', rest).is_none()).then_some(Glance::Routine(
        pid,
        kind,
        id,
        Routine::Ping,
    ))
}

/// Kind and number of a tag, and the text after it and its quoted parts.
fn tag(text: &[u8]) -> Option<(ConnKind, u64, &[u8])> {
    let blank = memchr(b' ', text.get(..64.min(text.len()))?)?;
    let rest = text[blank..].strip_prefix(b" - ")?;
    let (kind, rest) = match rest.get(..4)? {
        b"cid:" => (ConnKind::Client, &rest[4..]),
        b"rid:" => (ConnKind::Route, &rest[4..]),
        b"gid:" => (ConnKind::Gateway, &rest[4..]),
        b"lid:" => (ConnKind::Leafnode, &rest[4..]),
        b"wid:" => (ConnKind::WebSocket, &rest[4..]),
        b"mid:" => (ConnKind::Mqtt, &rest[4..]),
        _ => return None,
    };
    let mut id = 0_u64;
    let mut at = 0;
    while let Some(digit @ b'0'..=b'9') = rest.get(at) {
        id = id.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
        at += 1;
    }
    let mut rest = rest.get(at..)?.strip_prefix(b" - ")?;
    while rest.first() == Some(&b'"') {
        rest = after_quote(&rest[1..])?.strip_prefix(b" - ")?;
    }
    Some((kind, id, rest))
}

/// What follows the closing quote.
fn after_quote(text: &[u8]) -> Option<&[u8]> {
    let mut from = 0;
    loop {
        let at = from + memchr(b'"', &text[from..])?;
        let escapes = text[..at].iter().rev().take_while(|b| **b == b'\\').count();
        if escapes % 2 == 0 {
            return Some(&text[at + 1..]);
        }
        from = at + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "[77] 2026/11/23 05:12:01.123456";

    #[test]
    fn what_needs_no_full_look() {
        let samples = [
            (
                "[TRC] 10.0.0.1:5 - cid:42 - <<- [PUB a.b 5]",
                ConnKind::Client,
                42,
                Routine::Published,
            ),
            (
                r#"[TRC] 10.0.0.1:5 - cid:42 - "v1:go:a\" - <<- [PING]" - "$G/user:x" - ->> [MSG a 1 5]"#,
                ConnKind::Client,
                42,
                Routine::MessageRight,
            ),
            (
                "[TRC] [::1]:5 - rid:3 - <<- [RMSG $G a 5]",
                ConnKind::Route,
                3,
                Routine::MessageLeft,
            ),
            (
                "[TRC] 10.0.0.1:5 - cid:42 - ->> [PONG]",
                ConnKind::Client,
                42,
                Routine::Ping,
            ),
            (
                "[TRC] 10.0.0.1:5 - cid:42 - <<- MSG_PAYLOAD: [\"x\"]",
                ConnKind::Client,
                42,
                Routine::Other,
            ),
            (
                "[DBG] 10.0.0.1:5 - cid:42 - Client Ping Timer",
                ConnKind::Client,
                42,
                Routine::Ping,
            ),
        ];
        for (text, kind, id, what) in samples {
            let line = format!("{HEAD} {text}");
            assert_eq!(
                glance(line.as_bytes()),
                Glance::Routine(77, kind, id, what),
                "{line}"
            );
        }
        let internal = format!("{HEAD} [TRC] ACCOUNT - <<- [PUB $SYS.x 7]");
        assert_eq!(glance(internal.as_bytes()), Glance::Idle(77));
    }

    #[test]
    fn what_does() {
        for text in [
            "[TRC] 10.0.0.1:5 - cid:42 - <<- [CONNECT {}]",
            "[TRC] 10.0.0.1:5 - cid:42 - ->> [-ERR Stale Connection]",
            "[DBG] 10.0.0.1:5 - cid:42 - Client connection closed: Client Closed",
            r#"[DBG] 10.0.0.1:5 - cid:42 - "v1:go:5%!d(string=Client)" - %!s(MISSING) Ping Timer"#,
            "[INF] 10.0.0.1:5 - cid:42 - Slow Consumer Detected: x",
            "[ERR] anything",
        ] {
            let line = format!("{HEAD} {text}");
            assert_eq!(glance(line.as_bytes()), Glance::Look, "{line}");
        }
        for text in [
            "",
            "panic: x",
            "[77] [TRC] 1.1.1.1:1 - cid:1 - ->> [PING]",
            "{\"log\":\"\"}",
        ] {
            assert_eq!(glance(text.as_bytes()), Glance::Look, "{text}");
        }
        let banner = format!("{HEAD} [INF] Starting nats-server");
        assert_eq!(glance(banner.as_bytes()), Glance::Banner);
    }

    #[test]
    fn cut_anywhere_is_no_panic() {
        let line = format!("{HEAD} [TRC] 10.0.0.1:5 - cid:42 - \"v1:go:a\\\"b\" - ->> [MSG a 1 5]");
        for cut in 0..line.len() {
            let _ = glance(&line.as_bytes()[..cut]);
        }
    }
}
