//! The rows of the data set: closes, incidents and sources of one bundle, by UTC day, each with the bundle's name.

use std::collections::BTreeMap;

use crate::align::clock::When;
use crate::attribute::finding::{Analysis, CloseSketch};
use crate::report::table::{self, CLOSES, Cell, Columns, INCIDENTS, SOURCES, Type};

/// Rows of one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Names and types.
    pub columns: Vec<(&'static str, Type)>,
    /// As many cells a row as there are columns.
    pub rows: Vec<Vec<Cell>>,
}

/// Tables by kind (`closes`, ...) and day. The day of what has no time is [`NO_DAY`].
pub type Tables = BTreeMap<(&'static str, String), Table>;

/// What readers of Hive-partitioned data sets take for no value.
pub const NO_DAY: &str = "__HIVE_DEFAULT_PARTITION__";

/// All rows of one bundle.
pub fn tables(bundle: &str, analysis: &Analysis) -> Tables {
    let mut tables = Tables::new();
    let mut add = |kind, columns: &Columns, day: String, row: Vec<Cell>| {
        debug_assert_eq!(row.len(), columns.len());
        let table = tables.entry((kind, day)).or_insert_with(|| Table {
            columns: [&[("bundle", Type::Text)], columns].concat(),
            rows: Vec::new(),
        });
        let mut cells = vec![Cell::Text(bundle.to_owned())];
        cells.extend(row);
        table.rows.push(cells);
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
        let row = table::close(analysis, &close, incident);
        add("closes", CLOSES, day(close.closed_at), row);
    }
    for incident in &analysis.incidents {
        let row = table::incident(analysis, incident);
        add("incidents", INCIDENTS, day(incident.from), row);
    }
    // Sources stand on the day of the bundle's first close.
    let closes = analysis.closes.sketches();
    let first = closes
        .filter_map(CloseSketch::closed_at)
        .min_by_key(|w| w.at);
    for source in &analysis.sources {
        let row = table::source(analysis, source);
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
