//! `key=value` pairs: slog's and logrus's text handlers, zap's and zerolog's console cousins, `lager`.

use std::borrow::Cow;

use super::Envelope;
use super::stamp;

/// Whether a line is made of pairs and holds a message.
pub(super) fn looks_like(text: &str) -> bool {
    let first = text.split(' ').next().unwrap_or("");
    let starts = first.split_once('=').is_some_and(|(key, _)| {
        matches!(
            key,
            "time" | "ts" | "t" | "timestamp" | "level" | "lvl" | "msg" | "severity"
        )
    });
    starts && (text.contains(" msg=") || text.contains(" message=") || text.starts_with("msg="))
}

/// The envelope of one line of pairs.
pub(super) fn open(text: &str) -> Option<Envelope<'static>> {
    let mut envelope = Envelope::default();
    let mut message = None;
    let mut tail = String::new();
    for (key, value) in pairs(text) {
        match key {
            "time" | "ts" | "t" | "timestamp" if envelope.stamp.is_none() => {
                envelope.stamp = stamp::value(&value);
            }
            "level" | "lvl" | "severity" => envelope.level = true,
            "msg" | "message" if message.is_none() => message = Some(value.into_owned()),
            "logger" | "component" | "target" | "module" => {
                envelope.logger = Some(Cow::Owned(value.into_owned()));
            }
            "client" | "client_name" | "clientName" | "name" | "conn" | "connection" => {
                envelope.tag = Some(Cow::Owned(value.into_owned()));
            }
            "err" | "error" | "reason" => {
                tail.insert_str(0, &format!(": {value}"));
            }
            "caller" | "source" | "file" | "func" => {}
            _ => {
                for part in [" ", key, "=", &value] {
                    tail.push_str(part);
                }
            }
        }
    }
    let message = message?;
    envelope.message = Cow::Owned(message + &tail);
    Some(envelope)
}

/// The pairs of a line, quotes and their escapes undone.
fn pairs(text: &str) -> Vec<(&str, Cow<'_, str>)> {
    let mut found = Vec::new();
    let mut rest = text;
    // Lines of thousands of pairs are data.
    while found.len() < 64 {
        rest = rest.trim_start();
        let Some((key, value)) = rest.split_once('=') else {
            break;
        };
        let key = key.rsplit(' ').next().unwrap_or(key);
        if let Some(quoted) = value.strip_prefix('"') {
            let Some(end) = closing_quote(quoted) else {
                break;
            };
            let inner = &quoted[..end];
            let value = if inner.contains('\\') {
                Cow::Owned(unescape(inner))
            } else {
                Cow::Borrowed(inner)
            };
            found.push((key, value));
            rest = &quoted[end + 1..];
        } else {
            let end = value.find(' ').unwrap_or(value.len());
            found.push((key, Cow::Borrowed(&value[..end])));
            rest = &value[end..];
        }
    }
    found
}

/// Where the quote that a value opened closes.
fn closing_quote(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return Some(at),
            _ => at += 1,
        }
    }
    None
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('r') => out.push('\r'),
                Some(other) => out.push(other),
                None => {}
            },
            (c, false) => out.push(c),
        }
    }
    out
}
