//! `journalctl -o json`: one object a line, `MESSAGE` as text or, where it is not printable, as an array of bytes.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::Unwrapped;
use crate::time::Stamp;

/// Fields of one entry, however it was written.
pub(super) fn entry(fields: &Map<String, Value>) -> Option<Unwrapped<'static>> {
    let micros = number(fields.get("__REALTIME_TIMESTAMP")?)?;
    let body = message(fields.get("MESSAGE")?)?;
    let text = |key: &str| fields.get(key).and_then(Value::as_str);
    let stream = match (text("_HOSTNAME"), text("_SYSTEMD_UNIT").or(text("UNIT"))) {
        (Some(host), Some(unit)) => Some(format!("{host}/{unit}")),
        (host, unit) => host.or(unit).map(str::to_owned),
    };
    Some(Unwrapped {
        outer: Some(Stamp::utc(micros.checked_mul(1_000)?, 6)),
        stream: text("CONTAINER_NAME")
            .map(str::to_owned)
            .or(stream)
            .map(Cow::Owned),
        program: text("SYSLOG_IDENTIFIER")
            .or(text("_COMM"))
            .map(|name| Cow::Owned(name.to_owned())),
        pid: fields
            .get("_PID")
            .or(fields.get("SYSLOG_PID"))
            .and_then(number)
            .and_then(|pid| u32::try_from(pid).ok()),
        severity: fields
            .get("PRIORITY")
            .and_then(number)
            .and_then(|severity| u8::try_from(severity).ok()),
        body: Cow::Owned(body),
        partial: false,
    })
}

/// A number that may be written as text.
fn number(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_i64(),
    }
}

fn message(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.clone().into_bytes()),
        Value::Array(bytes) => bytes
            .iter()
            .map(|byte| byte.as_u64().and_then(|byte| u8::try_from(byte).ok()))
            .collect(),
        _ => None,
    }
}
