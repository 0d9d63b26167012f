//! Applications' own words about NATS: `NATS disconnected: EOF`, `failed to publish order: ...`, `could not connect to
//! nats://...`. Read only where the line speaks of NATS or the log is known to be a NATS client's.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::address;
use super::said::{ClientEventKind, Library, Said, Trouble, Weight};
use super::trouble;

/// Which work an application's words in front of an error are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Context {
    Publish,
    Request,
    Connect,
    Disconnect,
    Close,
}

impl Context {
    /// The event that an error in this context is.
    pub(super) fn event(self, trouble: Trouble) -> ClientEventKind {
        match self {
            Self::Publish => ClientEventKind::PublishFailed(trouble),
            Self::Request => match trouble {
                Trouble::Timeout => ClientEventKind::RequestTimeout,
                trouble => ClientEventKind::PublishFailed(trouble),
            },
            Self::Connect => ClientEventKind::ConnectFailed(trouble),
            Self::Disconnect => ClientEventKind::Disconnected(trouble),
            Self::Close => ClientEventKind::Closed(trouble),
        }
    }
}

/// Words in front of an error, and the work that they name.
const CONTEXTS: &[(&str, Context)] = &[
    ("publish", Context::Publish),
    ("send", Context::Publish),
    ("flush", Context::Publish),
    ("request", Context::Request),
    ("could not connect", Context::Connect),
    ("cannot connect", Context::Connect),
    ("can't connect", Context::Connect),
    ("unable to connect", Context::Connect),
    ("failed to connect", Context::Connect),
    ("fail to connect", Context::Connect),
    ("error connecting", Context::Connect),
    ("connect failed", Context::Connect),
    ("connect error", Context::Connect),
    ("connection failed", Context::Connect),
    ("connection error", Context::Connect),
    ("reconnect error", Context::Connect),
    ("reconnect failed", Context::Connect),
    ("disconnect", Context::Disconnect),
    ("lost connection", Context::Disconnect),
    ("connection lost", Context::Disconnect),
    ("connection closed", Context::Close),
];

static CONTEXT_WORDS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(CONTEXTS.iter().map(|(words, _)| *words))
        .expect("a few short words")
});

/// The work that words in front of an error name: the last one counts, as the nearest.
pub(super) fn context(before: &str) -> Option<Context> {
    // The nearest to the error; of those that end together, the longest.
    CONTEXT_WORDS
        .find_overlapping_iter(before)
        .max_by_key(|found| (found.end(), found.len()))
        .map(|found| CONTEXTS[found.pattern().as_usize()].1)
}

/// The server that a message names: a NATS URL, or an address with a port.
pub(super) fn server(message: &str) -> Option<Box<str>> {
    address::find_url(message)
        .or_else(|| address::find_host_port(message))
        .map(Box::from)
}

/// What an application's own sentence says. `nats`: the log or logger is known to be about NATS.
pub(super) fn read(message: &str, nats: bool) -> Option<Said> {
    let head = &message[..super::catalogue::floor_boundary(message, 400)];
    let lower = head.to_ascii_lowercase();
    let url = address::find_url(head).is_some();
    let address = server(head);
    let port = address
        .as_deref()
        .is_some_and(|server| server.ends_with(":4222"));
    let says_nats = names_nats(&lower);
    // Redis says -ERR too, without quotes.
    let protocol = lower.contains("-err '") || SERVER_SAYS.iter().any(|text| lower.contains(text));
    if !nats && !url && !says_nats && !port && !protocol {
        return None;
    }
    let kind = kind(&lower, head, says_nats || url)?;
    let local = trouble::carried(head).and_then(|error| error.local);
    let weight = if says_nats || url || protocol {
        Weight::Proof
    } else if port {
        Weight::Idiom
    } else {
        Weight::Word
    };
    Some(Said {
        kind,
        weight,
        server: address,
        library: if local.is_some() {
            // Only Go prints both addresses of a socket.
            Library::Go
        } else {
            Library::Unknown
        },
        local,
        name: name(head),
        ..Said::default()
    })
}

/// The server's -ERR texts that nobody else sends.
const SERVER_SAYS: &[&str] = &[
    "authorization violation",
    "user authentication expired",
    "user authentication revoked",
    "account authentication expired",
    "maximum payload violation",
    "maximum control line exceeded",
    "maximum account active connections exceeded",
    "maximum subscriptions exceeded",
    "permissions violation for",
    "unknown protocol operation",
];

/// `nats` as a word; `nats-0` is a host, `nats_total` a metric.
fn names_nats(lower: &str) -> bool {
    lower.match_indices("nats").any(|(at, word)| {
        let bytes = lower.as_bytes();
        let before = at.checked_sub(1).map(|before| bytes[before]);
        let after = bytes.get(at + word.len());
        let inside = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'/' | b'.');
        !before.is_some_and(inside) && !after.is_some_and(|b| inside(*b) && *b != b'.')
    })
}

/// Whole messages of an application that ends.
const LAST_WORDS: &[&str] = &[
    "stopping",
    "stopped",
    "terminating",
    "bye",
    "goodbye",
    "exit",
];

/// The kind, from the words; the most telling first, since `disconnected` holds `connected`.
fn kind(lower: &str, head: &str, of_nats: bool) -> Option<ClientEventKind> {
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let reason = || {
        if let Some(error) = trouble::carried(head) {
            return error.trouble;
        }
        let text = head
            .split_once(": ")
            .map(|(_, text)| text)
            .or_else(|| lower.find("due to ").map(|at| &head[at + 7..]))
            .or_else(|| lower.find("err=").map(|at| &head[at + 4..]))
            .unwrap_or("");
        trouble::trouble(text, Library::Unknown)
    };
    if let Some(kind) = status(lower, reason) {
        return Some(kind);
    }
    if has(&[
        "exiting",
        "shutting down",
        "shutdown complete",
        "received sigterm",
        "received sigint",
    ]) && !has(&["because of error", "server"])
    {
        return Some(ClientEventKind::Exiting);
    }
    let whole = lower.rsplit(": ").next().unwrap_or(lower);
    let whole = whole.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    if LAST_WORDS.contains(&whole) || whole.starts_with("stopping after ") {
        return Some(ClientEventKind::Exiting);
    }
    if let Some(crash) = crash(head) {
        return Some(ClientEventKind::Crash(crash.into()));
    }
    if has(&["draining", "drain complete"]) {
        return Some(ClientEventKind::Draining);
    }
    if has(&["giving up", "gave up", "max reconnect", "maximum reconnect"]) {
        return Some(ClientEventKind::GaveUp);
    }
    if has(&["slow consumer"]) {
        return Some(ClientEventKind::SlowConsumer);
    }
    if has(&["lame duck"]) {
        return Some(ClientEventKind::LameDuck);
    }
    // nats.js gives the server's -ERR as its error's text.
    if lower.contains("'stale connection'") {
        return Some(ClientEventKind::Error(Trouble::ServerError(
            "Stale Connection".into(),
        )));
    }
    if let Some(at) = lower.find("-err ") {
        return Some(ClientEventKind::Error(Trouble::server_error(
            &head[at + 5..],
        )));
    }
    if lower.starts_with("server closed the connection")
        || lower.starts_with("connection closed by server")
    {
        return Some(ClientEventKind::Disconnected(Trouble::Eof));
    }
    if lower.starts_with("socket error: ") {
        return Some(ClientEventKind::Disconnected(reason()));
    }
    if let Some(context) = context(lower)
        && has(&["fail", "error", "could not", "cannot", "can't", "unable"])
        && matches!(
            context,
            Context::Publish | Context::Request | Context::Connect
        )
    {
        return Some(context.event(reason()));
    }
    if has(&["reconnected"]) {
        return Some(ClientEventKind::Reconnected);
    }
    if has(&["reconnecting", "trying to reconnect", "reconnect attempt"]) {
        return Some(ClientEventKind::Reconnecting(None));
    }
    if has(&[
        "disconnected",
        "lost connection",
        "connection lost",
        "disconnect from",
    ]) {
        return Some(ClientEventKind::Disconnected(reason()));
    }
    if has(&[
        "connection closed",
        "connection is closed",
        "connection to nats closed",
        "closed connection",
    ]) {
        return Some(ClientEventKind::Closed(reason()));
    }
    if has(&["closing connection", "closing nats", "disconnecting"]) {
        return Some(ClientEventKind::ClosingByApplication);
    }
    let connected = has(&[
        "connected to",
        "connected as",
        "connected successfully",
        "connection established",
    ]) || lower.trim_end().ends_with("connected")
        || lower.contains("connected ") && has(&["nats"]);
    if connected {
        return Some(ClientEventKind::Connected);
    }
    (of_nats && has(&["exception", "error", "failed"])).then(|| {
        ClientEventKind::Error(match reason() {
            // An unfilled hole of a log format.
            Trouble::Other(text) if &*text == "{}" => Trouble::Unsaid,
            trouble => trouble,
        })
    })
}

/// A JavaScript client's status event in an application's frame: `nats status disconnect 10.0.0.1:4222`,
/// `status: {"type":"reconnecting"}`, `event staleConnection`.
fn status(lower: &str, reason: impl Fn() -> Trouble) -> Option<ClientEventKind> {
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(16)
        .collect();
    let named = words
        .windows(2)
        .position(|pair| matches!(pair[0], "status" | "event" | "type") && is_status(pair[1]))?;
    let kind = match words[named + 1] {
        "disconnect" => ClientEventKind::Disconnected(Trouble::Unsaid),
        "reconnecting" => ClientEventKind::Reconnecting(None),
        "reconnect" => ClientEventKind::Reconnected,
        "staleconnection" => ClientEventKind::Stale,
        "forcereconnect" => ClientEventKind::ClosingByApplication,
        "ldm" => ClientEventKind::LameDuck,
        "ping" | "pingtimer" => ClientEventKind::PingOut(
            words[named + 2..]
                .iter()
                .find_map(|word| word.parse::<u32>().ok()),
        ),
        "update" => ClientEventKind::Discovered,
        "slowconsumer" => ClientEventKind::SlowConsumer,
        "close" => ClientEventKind::Closed(Trouble::Unsaid),
        // Its own stale verdict is an event; as an error the words are the server's.
        "error" if lower.contains("stale connection") => {
            ClientEventKind::Error(Trouble::ServerError("Stale Connection".into()))
        }
        "error" => ClientEventKind::Error(reason()),
        _ => return None,
    };
    Some(kind)
}

/// The types of `nc.status()` in nats.js 2 and 3.
fn is_status(word: &str) -> bool {
    matches!(
        word,
        "disconnect"
            | "reconnecting"
            | "reconnect"
            | "staleconnection"
            | "forcereconnect"
            | "ldm"
            | "ping"
            | "pingtimer"
            | "update"
            | "slowconsumer"
            | "close"
            | "error"
    )
}

/// The first line of a crash, in any language.
fn crash(head: &str) -> Option<&str> {
    let starts = [
        "panic: ",
        "fatal error: ",
        "Exception in thread ",
        "Unhandled exception",
        "Uncaught ",
        "terminate called ",
        "Segmentation fault",
    ];
    let crashes = starts.iter().any(|words| head.starts_with(words))
        || head.starts_with("thread '") && head.contains("panicked at");
    crashes.then(|| &head[..super::catalogue::floor_boundary(head, 200)])
}

/// `... as orders-1` at the end of a connected line.
fn name(head: &str) -> Option<Box<str>> {
    let (before, name) = head.rsplit_once(" as ")?;
    let name = name
        .trim()
        .trim_end_matches(['.', '!'])
        .trim_matches(['"', '\'']);
    let plain = !name.is_empty() && name.len() <= 128 && !name.contains(char::is_whitespace);
    (plain && before.to_ascii_lowercase().contains("connected")).then(|| name.into())
}
