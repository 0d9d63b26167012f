//! One JSON object a line. Frameworks disagree on every key, so fields are found by name and by value.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::Envelope;
use super::stamp;

const TIME: &[&str] = &[
    "time",
    "timestamp",
    "@timestamp",
    "ts",
    "@t",
    "Timestamp",
    "t",
    "datetime",
    "asctime",
    "eventTime",
    "date",
    "instant",
];
const MESSAGE: &[&str] = &[
    "msg",
    "message",
    "@m",
    "Message",
    "event",
    "RenderedMessage",
    "@mt",
    "MessageTemplate",
    "body",
    "text",
    "log",
];
const LEVEL: &[&str] = &[
    "level",
    "lvl",
    "severity",
    "@l",
    "Level",
    "LogLevel",
    "levelname",
    "level_name",
    "status",
];
const LOGGER: &[&str] = &[
    "logger",
    "logger_name",
    "loggerName",
    "target",
    "name",
    "Category",
    "category",
    "SourceContext",
    "module",
    "component",
    "caller",
];
const CLIENT: &[&str] = &[
    "client",
    "client_name",
    "clientName",
    "nats_client",
    "nats_name",
    "conn",
    "connection",
    "conn_name",
    "connection_name",
];
/// Fields that finish a message: `msg: "disconnected", error: "EOF"`.
const TAIL: &[&str] = &[
    "error",
    "err",
    "reason",
    "exception",
    "Exception",
    "@x",
    "exc_info",
    "stack_trace",
    "url",
    "server",
    "addr",
    "address",
    "data",
    "server_url",
    "connected_url",
    "subject",
];

/// Objects nested deeper or longer than this are somebody's data, not a log record.
const LONGEST: usize = 64 * 1024;

/// The envelope of one JSON record; `None` when it is not one.
pub(super) fn open(text: &str) -> Option<Envelope<'static>> {
    if text.len() > LONGEST {
        return None;
    }
    let object: Map<String, Value> = serde_json::from_str(text).ok()?;
    // tracing's json and some encoders keep the event's own fields apart.
    let inner = ["fields", "Properties", "attributes", "attrs"]
        .iter()
        .find_map(|key| object.get(*key).and_then(Value::as_object));
    let find = |keys: &[&str]| {
        keys.iter().find_map(|key| {
            object
                .get(*key)
                .or_else(|| inner.and_then(|inner| inner.get(*key)))
        })
    };
    let status = status(&object);
    let message = match status {
        Some(status) => status,
        None => words(find(MESSAGE)?)?,
    };
    let mut message = message;
    for key in TAIL {
        let value = object
            .get(*key)
            .or_else(|| inner.and_then(|inner| inner.get(*key)));
        if let Some(more) = value.and_then(words)
            && !more.is_empty()
            && !message.contains(&more)
        {
            message.push_str(if message.ends_with(':') { " " } else { ": " });
            message.push_str(&more);
        }
    }
    if let Some(inner) = inner {
        for (key, value) in inner {
            if !MESSAGE.contains(&key.as_str())
                && !TAIL.contains(&key.as_str())
                && !CLIENT.contains(&key.as_str())
                && let Some(value) = scalar(value)
            {
                for part in [" ", key, "=", &value] {
                    message.push_str(part);
                }
            }
        }
    }
    let time = find(TIME).and_then(|value| match value {
        Value::String(text) => stamp::value(text),
        Value::Number(number) => stamp::value(&number.to_string()),
        Value::Object(instant) => instant
            .get("epochSecond")
            .and_then(Value::as_i64)
            .and_then(|seconds| stamp::value(&seconds.to_string())),
        _ => None,
    });
    Some(Envelope {
        stamp: time,
        level: find(LEVEL).is_some(),
        logger: find(LOGGER).and_then(words).map(Cow::Owned),
        tag: find(CLIENT).and_then(scalar).map(Cow::Owned),
        message: Cow::Owned(message),
        ..Envelope::default()
    })
}

/// A status object of the JavaScript client, printed with `JSON.stringify`, as the line it would be.
fn status(object: &Map<String, Value>) -> Option<String> {
    const TYPES: &[&str] = &[
        "disconnect",
        "reconnect",
        "reconnecting",
        "staleConnection",
        "ldm",
        "update",
        "error",
        "pingTimer",
        "ping",
        "close",
        "forceReconnect",
        "slowConsumer",
    ];
    let kind = object
        .get("type")?
        .as_str()
        .filter(|kind| TYPES.contains(kind))?;
    let rest = ["data", "server", "error", "pendingPings"]
        .iter()
        .find_map(|key| object.get(*key).and_then(scalar))
        .unwrap_or_default();
    Some(format!("status: {kind} {rest}").trim_end().to_owned())
}

/// A string or a number as text.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// A value as words: a string, a number, or an error object's name and message.
fn words(value: &Value) -> Option<String> {
    if let Value::Object(error) = value {
        let part = |keys: &[&str]| keys.iter().find_map(|key| error.get(*key).and_then(scalar));
        let message = part(&["message", "msg", "Message", "exceptionMessage"])?;
        return Some(
            match part(&["name", "type", "code", "className", "exceptionClass"]) {
                Some(name) if !message.contains(&name) => format!("{name}: {message}"),
                _ => message,
            },
        );
    }
    scalar(value)
}
