//! JSON around lines by log shippers and their exports: Loki (`logcli -o jsonl`, API answers), Elasticsearch and Beats,
//! Fluentd and Fluent Bit, CloudWatch (`aws logs get-log-events`), Google Cloud Logging, Vector, journald.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{Unwrapped, journal};
use crate::parse::timestamp::timestamp;
use crate::time::Stamp;

/// Where the text is, best first; a dot goes into an object.
const TEXT_KEYS: &[&str] = &[
    "line",
    "log",
    "message",
    "@message",
    "textPayload",
    "event.original",
    "_raw",
    "body",
];

/// Where the time is.
const TIME_KEYS: &[&str] = &[
    "timestamp",
    "@timestamp",
    "time",
    "_time",
    "ts",
    "timestampOsTime",
    "date",
    "eventTimestamp",
];

/// Where the stream's name is.
const STREAM_KEYS: &[&str] = &[
    "kubernetes.pod.name",
    "kubernetes.pod_name",
    "labels.pod",
    "stream.pod",
    "resource.labels.pod_name",
    "logStreamName",
    "@logStream",
    "container.name",
    "container_name",
    "labels.instance",
    "host.name",
    "hostname",
    "host",
];

/// Keys that only shippers write: then any text inside is taken out, a client's too.
const MARKS: &[&str] = &[
    "kubernetes",
    "labels",
    "textPayload",
    "logStreamName",
    "@logStream",
    "ingestionTime",
    "agent",
    "container_id",
    "_raw",
];

/// One line of a JSON object of a shipper, and whether the object is surely one.
pub(super) fn strip(line: &[u8]) -> Option<(Unwrapped<'static>, bool)> {
    if line.first() != Some(&b'{') || line.last() != Some(&b'}') {
        return None;
    }
    let Value::Object(object) = serde_json::from_slice(line).ok()? else {
        return None;
    };
    record(&object)
}

fn record(object: &Map<String, Value>) -> Option<(Unwrapped<'static>, bool)> {
    if object.contains_key("__REALTIME_TIMESTAMP") {
        return Some((journal::entry(object)?, true));
    }
    // Elasticsearch wraps what Beats sent once more.
    if let Some(Value::Object(source)) = object.get("_source") {
        return record(source).map(|(line, _)| (line, true));
    }
    let text = TEXT_KEYS.iter().find_map(|key| string(object, key))?;
    let outer = TIME_KEYS
        .iter()
        .find_map(|key| lookup(object, key))
        .and_then(time);
    let stream = STREAM_KEYS.iter().find_map(|key| string(object, key));
    let sure = MARKS.iter().any(|mark| object.contains_key(*mark));
    let line = Unwrapped {
        outer,
        stream: stream.map(|name| Cow::Owned(name.to_owned())),
        body: Cow::Owned(text.trim_end_matches(['\n', '\r']).as_bytes().to_vec()),
        ..Unwrapped::default()
    };
    Some((line, sure))
}

fn lookup<'v>(object: &'v Map<String, Value>, path: &str) -> Option<&'v Value> {
    if let Some(value) = object.get(path) {
        return Some(value);
    }
    let (first, rest) = path.split_once('.')?;
    lookup(object.get(first)?.as_object()?, rest)
}

fn string<'v>(object: &'v Map<String, Value>, path: &str) -> Option<&'v str> {
    lookup(object, path)?.as_str()
}

/// A time as text or as an epoch count.
fn time(value: &Value) -> Option<Stamp> {
    let text = match value {
        Value::String(text) => Cow::Borrowed(text.as_str()),
        Value::Number(number) => Cow::Owned(number.to_string()),
        _ => return None,
    };
    timestamp(text.as_bytes()).map(|(stamp, _)| stamp)
}

/// Lines of a whole document that a log store's API answered with.
pub type Exported = Vec<Unwrapped<'static>>;

/// The lines in a document: Loki's `data.result[].values`, CloudWatch's `events`, Elasticsearch's `hits.hits`, or a plain
/// array of shippers' records. `None`: it is something else.
pub fn document(value: &Value) -> Option<Exported> {
    if let Some(results) = value.pointer("/data/result").and_then(Value::as_array) {
        return Some(results.iter().flat_map(loki_stream).collect());
    }
    let rows = value
        .pointer("/hits/hits")
        .or_else(|| value.get("events"))
        .or(Some(value))
        .and_then(Value::as_array)?;
    let mut lines: Exported = rows
        .iter()
        .filter_map(|row| record(row.as_object()?))
        .map(|(line, _)| line)
        .collect();
    oldest_first(&mut lines);
    (!lines.is_empty()).then_some(lines)
}

/// `{"stream": {labels}, "values": [["nanoseconds", "line"], ...]}`.
fn loki_stream(result: &Value) -> Exported {
    let labels = result.get("stream");
    let name = ["pod", "container", "instance", "host", "filename", "job"]
        .iter()
        .find_map(|key| labels?.get(key)?.as_str())
        .map(str::to_owned);
    let rows = result.get("values").and_then(Value::as_array);
    let mut lines: Exported = rows
        .into_iter()
        .flatten()
        .filter_map(|row| {
            Some(Unwrapped {
                outer: time(row.get(0)?),
                stream: name.clone().map(Cow::Owned),
                body: Cow::Owned(row.get(1)?.as_str()?.trim_end().as_bytes().to_vec()),
                ..Unwrapped::default()
            })
        })
        .collect();
    oldest_first(&mut lines);
    lines
}

/// Stores answer newest first unless asked otherwise; lines of one moment then stand in falling order as well.
fn oldest_first(lines: &mut [Unwrapped<'_>]) {
    let mut times = lines.iter().filter_map(|line| line.outer);
    if let (Some(first), Some(last)) = (times.next(), times.next_back())
        && first.ns > last.ns
    {
        lines.reverse();
    }
    if lines.iter().all(|line| line.outer.is_some()) {
        lines.sort_by_key(|line| line.outer.map(|stamp| stamp.ns));
    }
}
