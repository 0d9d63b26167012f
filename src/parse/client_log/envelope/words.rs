//! Words in front of a message: `2026-11-23 05:19:17,430 INFO orders-1: Connected`, in the order that each framework
//! has its own idea of. The head is read token by token until something is no longer head.

use std::borrow::Cow;

use super::super::said::Library;
use super::{Envelope, is_level, stamp};

/// More tokens than this are a message.
const MOST_TOKENS: usize = 8;

/// First words of messages that look like a logger with its colon.
const NO_LOGGERS: &[&str] = &[
    "nats",
    "error",
    "err",
    "warning",
    "publish",
    "request",
    "connect",
    "connected",
    "disconnected",
    "reconnected",
    "reconnecting",
    "closed",
    "exiting",
    "status",
    "event",
    "panic",
    "fatal",
    "subscribe",
    "flush",
    "drain",
    "disconnect",
    "reconnect",
    "ldm",
    "update",
    "staleconnection",
    "pingtimer",
    "dial",
    "read",
    "write",
    "exception",
];

/// Takes the head off a line.
pub(super) fn open(text: &str) -> Envelope<'_> {
    let mut envelope = Envelope::default();
    let mut rest = text.trim_start();
    let indented = rest.len() < text.len();
    for _ in 0..MOST_TOKENS {
        let Some(next) = token(&mut envelope, rest) else {
            break;
        };
        rest = next.trim_start();
    }
    envelope.bare =
        envelope.stamp.is_none() && !envelope.level && envelope.tag.is_none() && indented;
    envelope.message = Cow::Borrowed(rest);
    envelope
}

/// Reads one token of the head into the envelope; the rest behind it.
fn token<'a>(envelope: &mut Envelope<'a>, rest: &'a str) -> Option<&'a str> {
    if envelope.stamp.is_none()
        && let Some((stamp, used)) = stamp::leading(rest)
    {
        if rest.as_bytes().get(4) == Some(&b'/') {
            envelope.style = Library::Go;
        } else if rest.as_bytes().get(19) == Some(&b',') {
            envelope.style = Library::Python;
        }
        envelope.stamp = Some(stamp);
        return Some(rest[used..].trim_start_matches([':', '|', ',']));
    }
    if let Some(inner) = rest.strip_prefix('[') {
        return bracket(envelope, inner);
    }
    if let Some(inner) = rest.strip_prefix('<') {
        let (word, after) = inner.split_once('>')?;
        envelope.level |= is_level(word);
        return is_level(word).then_some(after.trim_start_matches(':'));
    }
    if envelope.logger.is_some()
        && let Some(after) = rest.strip_prefix(": ")
    {
        return Some(after);
    }
    if let Some(after) = rest.strip_prefix("- ").or_else(|| rest.strip_prefix("| ")) {
        let headed = envelope.stamp.is_some() || envelope.level;
        return headed.then_some(after);
    }
    let word = rest.split([' ', '\t']).next()?;
    level(envelope, word, rest)
        .or_else(|| logger(envelope, word, rest))
        .or_else(|| thread_or_pid(envelope, word, rest))
}

/// `[...]`: a time, a level, a thread, a pid, or a name.
fn bracket<'a>(envelope: &mut Envelope<'a>, inner: &'a str) -> Option<&'a str> {
    let (word, after) = inner.split_once(']')?;
    let after = after.trim_start_matches(':');
    let word = word.trim();
    // Brackets that belong to messages.
    if matches!(word, "MSG" | "Error")
        || word.starts_with("SSL:")
        || word.starts_with("Errno")
        || word.contains("://")
    {
        return None;
    }
    if envelope.stamp.is_none()
        && let Some(stamp) = stamp::value(word)
    {
        envelope.stamp = Some(stamp);
        return Some(after);
    }
    if envelope.stamp.is_none()
        && let Some((stamp, used)) = stamp::leading(word)
    {
        // Serilog's `[05:12:00 INF]`, env_logger's `[2026-11-23T05:12:00Z INFO  target]`.
        let mut words = word[used..].split_whitespace();
        let (level, target) = (words.next()?, words.next());
        if !is_level(level) || words.next().is_some() {
            return None;
        }
        envelope.stamp = Some(stamp);
        envelope.level = true;
        if let Some(target) = target {
            set_logger(envelope, target);
        }
        return Some(after);
    }
    if is_level(word) {
        envelope.level = true;
        return Some(after);
    }
    let plain =
        !word.is_empty() && word.len() <= 80 && word.bytes().all(|b| (0x20..0x7f).contains(&b));
    if !plain {
        return None;
    }
    // A thread stands before the level (logback, log4j); a name stands before the message.
    let thread = next_is_level(after) || word.bytes().all(|b| b.is_ascii_digit());
    if !thread && !word.contains(' ') && envelope.tag.is_none() {
        envelope.tag = Some(Cow::Borrowed(word));
        if envelope.style == Library::Unknown && !envelope.level {
            envelope.style = Library::JsV2;
        }
    }
    Some(after)
}

fn next_is_level(rest: &str) -> bool {
    let word = rest
        .trim_start()
        .split([' ', ':', '\t'])
        .next()
        .unwrap_or("")
        .trim_matches(['[', ']']);
    is_level(word)
}

/// `INFO`, `INFO:`, `info:`, `ERROR:logger:message` (Python's basicConfig), `info: Category[1001]` (.NET).
fn level<'a>(envelope: &mut Envelope<'a>, word: &'a str, rest: &'a str) -> Option<&'a str> {
    if envelope.level {
        return None;
    }
    let bare = word.trim_end_matches([':', ',', '|']);
    if is_level(bare) && (bare.len() == word.len() || !NO_LOGGERS.contains(&bare)) {
        // "error connecting", "Fatal: ..." at the start of a message are words, not levels, unless a head stands before
        // them or they are written as levels are.
        let shouted = bare.bytes().all(|b| b.is_ascii_uppercase());
        let headed = envelope.stamp.is_some() && bare.len() != word.len();
        // winston writes `error: ...`; `Error: ...` is the message of many programs.
        let lower = bare.bytes().all(|b| b.is_ascii_lowercase());
        let titled = word.ends_with(':') && lower && envelope.stamp.is_none();
        if shouted
            || headed
            || titled
            || envelope.stamp.is_some() && rest[word.len()..].starts_with("  ")
        {
            envelope.level = true;
            return Some(&rest[word.len()..]);
        }
        return lower_level(envelope, word, rest);
    }
    let (level, after) = word.split_once(':')?;
    if is_level(level) && level.bytes().all(|b| b.is_ascii_uppercase()) && !after.is_empty() {
        let message = &rest[level.len() + 1..];
        let (name, message) = message.split_once(':')?;
        if name.contains(' ') || name.is_empty() {
            return None;
        }
        envelope.level = true;
        envelope.style = Library::Python;
        set_logger(envelope, name);
        return Some(message);
    }
    None
}

/// A lower-case level without a colon counts behind a time, and where no sentence goes on with it.
fn lower_level<'a>(envelope: &mut Envelope<'a>, word: &'a str, rest: &'a str) -> Option<&'a str> {
    let sentence = [
        "connecting",
        "closing",
        "during",
        "in",
        "while",
        "from",
        "on",
        ":",
        "handling",
        "reconnecting",
    ];
    let next = rest[word.len()..]
        .split_whitespace()
        .next()
        .unwrap_or("")
        .trim_end_matches(':');
    let levels = envelope.stamp.is_some()
        && !sentence.contains(&next)
        && !word.ends_with(':')
        && word.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
    if levels {
        envelope.level = true;
        return Some(&rest[word.len()..]);
    }
    None
}

/// `name:` or `a.b.C -` behind a level; `a.b.C[1001]` behind .NET's.
fn logger<'a>(envelope: &mut Envelope<'a>, word: &'a str, rest: &'a str) -> Option<&'a str> {
    if envelope.logger.is_some() {
        return None;
    }
    let after = &rest[word.len()..];
    let path = |name: &str| {
        (name.contains('.') || name.contains("::"))
            && name.bytes().all(|b| {
                b.is_ascii_alphanumeric() || matches!(b, b'.' | b':' | b'_' | b'-' | b'$' | b'/')
            })
            && name.bytes().any(|b| b.is_ascii_alphabetic())
            && !name.contains("://")
    };
    if let Some((category, id)) = word.split_once('[')
        && path(category)
        && id.trim_end_matches(']').bytes().all(|b| b.is_ascii_digit())
    {
        set_logger(envelope, category);
        return Some(after);
    }
    if let Some(name) = word.strip_suffix(':') {
        let token = !name.is_empty()
            && name.len() <= 128
            && name.bytes().all(|b| {
                b.is_ascii_alphanumeric()
                    || matches!(b, b'.' | b':' | b'_' | b'-' | b'$' | b'/' | b'#' | b'@')
            });
        let says = NO_LOGGERS.contains(&name.to_ascii_lowercase().as_str());
        let headed = envelope.level || envelope.stamp.is_some() && path(name);
        if token && headed && !says {
            set_logger(envelope, name);
            return Some(after);
        }
        return None;
    }
    if envelope.level && path(word) && !after.trim().is_empty() {
        set_logger(envelope, word);
        return Some(after);
    }
    // java.util.logging's first line: time, class, method.
    if envelope.stamp.is_some()
        && !envelope.level
        && path(word)
        && after.split_whitespace().count() == 1
    {
        set_logger(envelope, word);
        return Some("");
    }
    // Python's "%(asctime)s - %(name)s - %(levelname)s - %(message)s".
    if envelope.stamp.is_some() && !envelope.level && after.trim_start().starts_with("- ") {
        let level = after.trim_start().trim_start_matches("- ");
        if next_is_level(level) {
            set_logger(envelope, word);
            return Some(after);
        }
    }
    // zap's console: time TAB level TAB logger TAB message.
    if envelope.level && after.starts_with('\t') && !word.is_empty() && !word.contains('=') {
        set_logger(envelope, word);
        return Some(after);
    }
    None
}

/// A pid or a thread between time and level: `12345`, `---`, `(main)`, `ThreadId(01)`.
fn thread_or_pid<'a>(envelope: &mut Envelope<'a>, word: &'a str, rest: &'a str) -> Option<&'a str> {
    let headed = envelope.stamp.is_some() || envelope.level;
    let skip = headed
        && (word == "---"
            || word.len() <= 8
                && !word.is_empty()
                && word.bytes().all(|b| b.is_ascii_digit())
                && next_is_level(&rest[word.len()..])
            || word.len() <= 8
                && !word.is_empty()
                && word.bytes().all(|b| b.is_ascii_digit())
                && rest[word.len()..].starts_with(" --- ")
            || word.starts_with("ThreadId(")
            || word.starts_with('(') && word.ends_with(')') && next_is_level(&rest[word.len()..]));
    skip.then(|| &rest[word.len()..])
}

/// A logger, which names the client when it is no path of code.
fn set_logger<'a>(envelope: &mut Envelope<'a>, name: &'a str) {
    envelope.logger = Some(Cow::Borrowed(name));
}
