//! The cheap question: can this line matter at all. Application logs are huge and mostly foreign.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use memchr::memmem;

/// Every sentence that matters holds one of these; a test keeps it so.
const NEEDLES: &[&str] = &[
    "onnect",
    "ONNECT",
    "CONN",
    "NATS",
    "nats",
    "Nats",
    "lose",
    "CLOSED",
    "losing",
    "rror",
    "ERR",
    "xit",
    "tale",
    "onsumer",
    "rain",
    "DRAIN",
    "ame duck",
    "imeout",
    "TIMEOUT",
    "timed out",
    "esponders",
    "ublish",
    "anic",
    "Traceback",
    "xception",
    "EXPIRED",
    "VIOLATION",
    "EXCEEDED",
    "Errno",
    "EOF",
    "ldm",
    "ping",
    "Ping",
    "PING",
    "PONG",
    "type:",
    "\"type\"",
    "status: ",
    "Status change",
    "event",
    "Known server",
    "Discovered server",
    "known servers",
    "server info",
    "ServerInfo",
    "initial info",
    "Aborting",
    "isposing",
    "etry loop",
    "ropped",
    "Protocol",
    "protocol",
    "ayload",
    "nsufficient Buffer",
    "ermission",
    "no reply",
    "context deadline",
    "unknown op",
    "roken pipe",
    "EPIPE",
    "queue",
    "iscarded",
    "eartbeat",
    "WriteTimeout",
    "Socket",
    "SSL",
    "attempt",
    "shutting down",
    "hutdown",
    "SIGTERM",
    "SIGINT",
    "!!! ",
    "update: ",
    "getaddrinfo",
    "Stack: (",
    "expected",
    "Nkey",
    "notificed",
    "invalid line",
    "server_id",
];

static FILTER: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder()
        .build(NEEDLES)
        .expect("a few short words")
});

static RECEIVED: LazyLock<memmem::Finder<'static>> =
    LazyLock::new(|| memmem::Finder::new(b": received "));

/// Whether a line can matter to a client's story.
pub fn may_matter(body: &[u8]) -> bool {
    FILTER.is_match(body)
}

/// A line of a client's ordinary work: it proves the client, and is only counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Routine {
    /// A message arrived (async-nats at DEBUG).
    Message,
    /// A PING or PONG passed.
    Ping,
}

/// async-nats's per-message lines, which make up nearly all of its DEBUG logs.
pub fn routine(body: &[u8]) -> Option<Routine> {
    if let Some(frame) = frame(body) {
        return Some(frame);
    }
    let head = &body[..body.len().min(160)];
    let at = RECEIVED.find(head)?;
    let rest = &head[at + 11..];
    if memmem::find(&head[..at], b"nats").is_none() {
        None
    } else if rest.starts_with(b"MESSAGE") {
        Some(Routine::Message)
    } else if rest.starts_with(b"PING") || rest.starts_with(b"PONG") {
        Some(Routine::Ping)
    } else {
        None
    }
}

/// The JavaScript client's debug option prints every frame, CR LF as control pictures.
fn frame(body: &[u8]) -> Option<Routine> {
    let rest = body
        .strip_prefix(b"> ")
        .or_else(|| body.strip_prefix(b"< "))?;
    if !rest.ends_with("␍␊".as_bytes()) {
        return None;
    }
    match rest {
        [b'P', b'I' | b'O', b'N', b'G', ..] if rest.len() <= 16 => Some(Routine::Ping),
        [b'M' | b'H', b'S' | b'M', ..] | [b'P' | b'H' | b'S' | b'U', b'U' | b'P' | b'N', ..] => {
            Some(Routine::Message)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::all_rows;
    use super::super::said::Weight;
    use super::super::template::Template;
    use super::*;

    #[test]
    fn no_sentence_is_filtered_out() {
        for row in all_rows() {
            // A bare word matters only inside a line that passes by its other words.
            let words = Template::new(row.text).literals();
            assert!(
                may_matter(words.as_bytes()) || row.weight == Weight::Bare,
                "{words}"
            );
        }
    }

    #[test]
    fn ordinary_work_is_counted_not_read() {
        assert_eq!(
            routine(b"2026-11-23T05:21:03.676595Z DEBUG async_nats: received MESSAGE: sid=1, subject=lab"),
            Some(Routine::Message)
        );
        assert_eq!(
            routine(b"2026-11-23T05:21:05.824381Z DEBUG async_nats: received PING"),
            Some(Routine::Ping)
        );
        assert_eq!(
            routine(b"2026-11-23T05:21:05.824381Z DEBUG async_nats: received INFO: server_id=N"),
            None
        );
        assert_eq!(
            routine("< PUB foo 1␍␊x␍␊".as_bytes()),
            Some(Routine::Message)
        );
        assert_eq!(routine("> PONG␍␊".as_bytes()), Some(Routine::Ping));
        assert_eq!(routine("> -ERR 'Stale Connection'␍␊".as_bytes()), None);
        assert_eq!(routine("> INFO {}␍␊".as_bytes()), None);
        assert!(!may_matter(b"10.1.2.3 GET /index.html 200 12ms"));
    }
}
