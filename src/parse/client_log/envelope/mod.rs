//! What log frameworks put around a message: time, level, logger, the client's tag.
//!
//! Three shapes cover the field: one JSON object a line (slog, zap, zerolog, logrus, pino, bunyan, winston, structlog,
//! tracing, Serilog's compact format, logstash encoders), `key=value` pairs (slog, logrus, zerolog's console), and
//! words in front of the message (everything else).

mod json;
mod pairs;
mod stamp;
mod words;

use std::borrow::Cow;

use super::said::Library;
use crate::time::Stamp;

/// A message with what stood around it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The program's own time.
    pub stamp: Option<Stamp>,
    /// The line names a level.
    pub level: bool,
    /// Logger, target, category, component.
    pub logger: Option<Cow<'a, str>>,
    /// A tag that may be the client's name: `[orders-1]`, a logger that is no code path, a `client` field.
    pub tag: Option<Cow<'a, str>>,
    /// The message, and error fields behind it.
    pub message: Cow<'a, str>,
    /// The library that this logger belongs to.
    pub library: Library,
    /// The language whose ordinary log layout this is: a hint, used where the words do not decide.
    pub style: Library,
    /// Nothing of a record's start was there: perhaps the next line of a record.
    pub bare: bool,
}

/// Takes the envelope off one line.
pub fn open(body: &[u8]) -> Envelope<'_> {
    let text = without_colours(body);
    let trimmed = text.trim_end();
    let mut envelope = None;
    if trimmed.starts_with('{') && trimmed.ends_with('}') {
        envelope = json::open(trimmed);
    }
    if envelope.is_none() && pairs::looks_like(trimmed) {
        envelope = pairs::open(trimmed);
    }
    let mut envelope = match (envelope, text) {
        (Some(envelope), _) => envelope,
        (None, Cow::Borrowed(text)) => words::open(text),
        (None, Cow::Owned(text)) => owned(words::open(&text)),
    };
    if let Some(logger) = &envelope.logger {
        envelope.library = of_logger(logger);
    }
    envelope
}

/// The program's own time of a line, and nothing else.
pub fn stamp(body: &[u8]) -> Option<Stamp> {
    open(&body[..body.len().min(4096)]).stamp
}

fn owned(envelope: Envelope<'_>) -> Envelope<'static> {
    Envelope {
        stamp: envelope.stamp,
        level: envelope.level,
        logger: envelope.logger.map(|text| Cow::Owned(text.into_owned())),
        tag: envelope.tag.map(|text| Cow::Owned(text.into_owned())),
        message: Cow::Owned(envelope.message.into_owned()),
        library: envelope.library,
        style: envelope.style,
        bare: envelope.bare,
    }
}

/// The library whose code logs under this name.
fn of_logger(logger: &str) -> Library {
    const LOGGERS: &[(&str, Library)] = &[
        ("async_nats", Library::RustAsync),
        ("nats::", Library::RustSync),
        ("nats.aio", Library::Python),
        ("nats.client", Library::Python),
        ("io.nats.client", Library::Java),
        ("i.n.c.impl", Library::Java),
        ("i.n.client", Library::Java),
        ("NATS.Client.Core", Library::DotNetV2),
        ("NATS.Client", Library::DotNetV2),
        ("Gnat", Library::Elixir),
        ("Elixir.Gnat", Library::Elixir),
    ];
    LOGGERS
        .iter()
        .find(|(prefix, _)| logger.starts_with(prefix))
        .map_or(Library::Unknown, |(_, library)| *library)
}

/// Levels as frameworks write them, whatever the case.
pub(super) fn is_level(word: &str) -> bool {
    const LEVELS: &[&str] = &[
        "trace",
        "trce",
        "verbose",
        "vrb",
        "debug",
        "dbug",
        "debg",
        "dbg",
        "info",
        "inf",
        "information",
        "notice",
        "warn",
        "warning",
        "wrn",
        "error",
        "err",
        "eror",
        "fail",
        "fatal",
        "ftl",
        "crit",
        "critical",
        "severe",
        "config",
        "fine",
        "finer",
        "finest",
        "panic",
        "dpanic",
        "emerg",
        "alert",
    ];
    word.len() <= 11 && LEVELS.iter().any(|level| word.eq_ignore_ascii_case(level))
}

/// The text without `ESC[...m`, invalid UTF-8 replaced.
fn without_colours(body: &[u8]) -> Cow<'_, str> {
    if memchr::memchr(0x1b, body).is_none() {
        return String::from_utf8_lossy(body);
    }
    let mut out = Vec::with_capacity(body.len());
    let mut at = 0;
    while at < body.len() {
        if body[at] == 0x1b && body.get(at + 1) == Some(&b'[') {
            let end = body[at + 2..]
                .iter()
                .position(|b| (0x40..=0x7e).contains(b))
                .map_or(body.len(), |length| at + 3 + length);
            at = end;
        } else {
            out.push(body[at]);
            at += 1;
        }
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

#[cfg(test)]
mod tests;
