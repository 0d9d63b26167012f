//! An analysis as flat tables for data bases: what `--format parquet` writes, and the data set of a batch.

use crate::align::clock::When;
use crate::attribute::finding::{Analysis, Close, Incident};
use crate::source::Source;
use crate::time::SECOND;

use super::model::source_id;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// UTF-8.
    Text,
    /// A count.
    Int,
    /// Seconds or the like.
    Float,
    /// Microseconds since the Unix epoch, UTC.
    Time,
}

/// One value; `Null` in any column.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Nothing known.
    Null,
    /// For [`Type::Text`].
    Text(String),
    /// For [`Type::Int`] and [`Type::Time`].
    Int(i64),
    /// For [`Type::Float`].
    Float(f64),
}

/// A row a closed socket.
pub const CLOSES: &[(&str, Type)] = &[
    ("id", Type::Text),
    ("incident", Type::Text),
    ("opened_at", Type::Time),
    ("closed_at", Type::Time),
    ("cause", Type::Text),
    ("detail", Type::Text),
    ("confidence", Type::Text),
    ("initiator", Type::Text),
    ("kind", Type::Text),
    ("client", Type::Text),
    ("client_side", Type::Text),
    ("server", Type::Text),
    ("cid", Type::Int),
    ("client_name", Type::Text),
    ("client_lang", Type::Text),
    ("client_version", Type::Text),
    ("account", Type::Text),
    ("server_name", Type::Text),
    ("server_version", Type::Text),
    ("outcome", Type::Text),
    ("after_s", Type::Float),
    ("attempts", Type::Int),
    ("failed_publishes", Type::Int),
    ("timed_out_requests", Type::Int),
    ("summary", Type::Text),
];

/// A row an incident.
pub const INCIDENTS: &[(&str, Type)] = &[
    ("id", Type::Text),
    ("from", Type::Time),
    ("until", Type::Time),
    ("cause", Type::Text),
    ("detail", Type::Text),
    ("confidence", Type::Text),
    ("server", Type::Text),
    ("closes", Type::Int),
    ("follows", Type::Text),
    ("summary", Type::Text),
];

/// A row a source.
pub const SOURCES: &[(&str, Type)] = &[
    ("id", Type::Text),
    ("path", Type::Text),
    ("kind", Type::Text),
    ("bytes", Type::Int),
    ("records", Type::Int),
    ("rejected", Type::Int),
    ("sha256", Type::Text),
    ("host", Type::Text),
    ("pod", Type::Text),
    ("container", Type::Text),
];

/// A name and a type for each column of a table.
pub type Columns = [(&'static str, Type)];

/// The row of a close, of [`CLOSES`]; `incident` is the id of the one that holds it.
pub fn close(analysis: &Analysis, close: &Close, incident: Option<&str>) -> Vec<Cell> {
    let servers = &analysis.records.servers;
    let life = close.server_life.and_then(|life| servers.get(life));
    vec![
        text(&close.id),
        maybe(incident),
        time(close.opened_at),
        time(close.closed_at),
        text(close.cause),
        text(close.detail),
        text(close.confidence.word()),
        text(close.initiator.word()),
        text(close.kind),
        shown(close.client),
        shown(close.client_side),
        shown(close.server),
        number(close.cid),
        maybe(close.client_name.as_deref()),
        maybe(close.client_lang.as_deref()),
        maybe(close.client_version.as_deref()),
        maybe(close.account.as_deref()),
        maybe(close.server_name.as_deref()),
        maybe(life.and_then(|life| life.identity.version.as_deref())),
        text(close.outcome.word),
        close
            .outcome
            .after_ns
            .map_or(Cell::Null, |ns| Cell::Float(ns as f64 / SECOND as f64)),
        number(close.outcome.attempts.map(u64::from)),
        number(Some(close.outcome.failed_publishes)),
        number(Some(close.outcome.timed_out_requests)),
        text(&close.summary),
    ]
}

/// The row of an incident, of [`INCIDENTS`].
pub fn incident(analysis: &Analysis, incident: &Incident) -> Vec<Cell> {
    let follows = incident.follows.and_then(|i| analysis.incidents.get(i));
    vec![
        text(&incident.id),
        time(incident.from),
        time(incident.until),
        text(incident.cause),
        text(incident.detail),
        text(incident.confidence.word()),
        maybe(incident.server.as_deref()),
        number(Some(incident.closes.len() as u64)),
        maybe(follows.map(|i| i.id.as_str())),
        text(&incident.summary),
    ]
}

/// The row of a source, of [`SOURCES`].
pub fn source(analysis: &Analysis, source: &Source) -> Vec<Cell> {
    let facts = analysis.source_facts.get(source.id.0 as usize);
    vec![
        Cell::Text(source_id(source.id)),
        text(&source.path),
        text(source.kind.word()),
        number(Some(source.bytes)),
        number(facts.map(|f| f.records)),
        number(facts.map(|f| f.rejected)),
        shown(facts.and_then(|f| f.sha256)),
        maybe(source.hints.host.as_deref()),
        maybe(source.hints.pod.as_deref()),
        maybe(source.hints.container.as_deref()),
    ]
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn maybe(text: Option<&str>) -> Cell {
    text.map_or(Cell::Null, |t| Cell::Text(t.to_owned()))
}

fn shown(value: Option<impl ToString>) -> Cell {
    value.map_or(Cell::Null, |v| Cell::Text(v.to_string()))
}

fn number(value: Option<u64>) -> Cell {
    value.map_or(Cell::Null, |n| {
        Cell::Int(i64::try_from(n).unwrap_or(i64::MAX))
    })
}

fn time(when: Option<When>) -> Cell {
    when.map_or(Cell::Null, |w| Cell::Int(w.at.0.div_euclid(1_000)))
}
