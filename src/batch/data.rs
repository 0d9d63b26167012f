//! The rows of the data set: closes, incidents and sources of one bundle, by UTC day.

use std::collections::BTreeMap;

use crate::align::clock::When;
use crate::attribute::finding::Analysis;
use crate::time::SECOND;

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

/// Rows of one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Names and types.
    pub columns: &'static [(&'static str, Type)],
    /// As many cells a row as there are columns.
    pub rows: Vec<Vec<Cell>>,
}

/// Tables by kind (`closes`, ...) and day. The day of what has no time is [`NO_DAY`].
pub type Tables = BTreeMap<(&'static str, String), Table>;

/// What readers of Hive-partitioned data sets take for no value.
pub const NO_DAY: &str = "__HIVE_DEFAULT_PARTITION__";

/// A row a closed socket.
pub const CLOSES: &[(&str, Type)] = &[
    ("bundle", Type::Text),
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
    ("bundle", Type::Text),
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

/// A row a source, on the day of the bundle's first close.
pub const SOURCES: &[(&str, Type)] = &[
    ("bundle", Type::Text),
    ("id", Type::Text),
    ("path", Type::Text),
    ("kind", Type::Text),
    ("bytes", Type::Int),
    ("records", Type::Int),
    ("rejected", Type::Int),
    ("host", Type::Text),
    ("pod", Type::Text),
    ("container", Type::Text),
];

/// All rows of one bundle.
pub fn tables(bundle: &str, analysis: &Analysis) -> Tables {
    let mut tables = Tables::new();
    let mut add = |kind, columns, day: String, row: Vec<Cell>| {
        debug_assert_eq!(row.len(), <[(&str, Type)]>::len(columns));
        let table = tables.entry((kind, day)).or_insert(Table {
            columns,
            rows: Vec::new(),
        });
        table.rows.push(row);
    };
    let mut incident_of = vec![None; analysis.closes.len()];
    for incident in &analysis.incidents {
        for &close in &incident.closes {
            if let Some(slot) = incident_of.get_mut(close) {
                *slot = Some(incident.id.as_str());
            }
        }
    }
    for (close, incident) in analysis.closes.iter().zip(incident_of) {
        let life = close
            .server_life
            .and_then(|i| analysis.records.servers.get(i));
        let row = vec![
            text(bundle),
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
            maybe(life.and_then(|l| l.identity.version.as_deref())),
            text(close.outcome.word),
            close
                .outcome
                .after_ns
                .map_or(Cell::Null, |ns| Cell::Float(ns as f64 / SECOND as f64)),
            number(close.outcome.attempts.map(u64::from)),
            number(Some(close.outcome.failed_publishes)),
            number(Some(close.outcome.timed_out_requests)),
            text(&close.summary),
        ];
        add("closes", CLOSES, day(close.closed_at), row);
    }
    for incident in &analysis.incidents {
        let follows = incident.follows.and_then(|i| analysis.incidents.get(i));
        let row = vec![
            text(bundle),
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
        ];
        add("incidents", INCIDENTS, day(incident.from), row);
    }
    let first = analysis
        .closes
        .sketches()
        .iter()
        .filter_map(|c| c.closed_at)
        .min_by_key(|w| w.at);
    for source in &analysis.sources {
        let facts = analysis.source_facts.get(source.id.0 as usize);
        let row = vec![
            text(bundle),
            Cell::Text(format!("s{}", source.id.0)),
            text(&source.path),
            text(source.kind.word()),
            number(Some(source.bytes)),
            number(facts.map(|f| f.records)),
            number(facts.map(|f| f.rejected)),
            maybe(source.hints.host.as_deref()),
            maybe(source.hints.pod.as_deref()),
            maybe(source.hints.container.as_deref()),
        ];
        add("sources", SOURCES, day(first), row);
    }
    tables
}

/// The UTC day of a moment.
fn day(when: Option<When>) -> String {
    when.map(|w| w.at.rfc3339(0))
        .and_then(|text| text.split_once('T').map(|(day, _)| day.to_owned()))
        .unwrap_or_else(|| NO_DAY.to_owned())
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
