//! The result of an analysis for people and programs: one model, several renderers.
//!
//! Invariant: renderers decide nothing. Every cause, confidence and sentence comes from the [`Analysis`]; what is decided here
//! is order on the page, how much is shown, and how it is escaped. Nothing here prints: all output goes to a writer.

mod advice;
mod answer;
mod capture_notes;
mod clocks;
mod excerpt;
mod ladder;
mod phrase;

mod csv;
mod html;
mod json;
mod model;
mod ndjson;
mod sarif;
mod text;

pub mod advisories;
pub mod carve;
pub mod conns;
pub mod explain;
pub mod output;
pub mod parquet_table;
mod prose;
pub mod rows;
pub mod schema;
pub mod sessions;
pub mod table;
pub mod timeline;
pub mod why;

#[cfg(test)]
mod sample;

use std::borrow::Cow;
use std::io::{self, Write};

use crate::attribute::finding::Analysis;
use crate::source::SourceId;
use crate::span::Cite;
use crate::time::Instant;

/// Output formats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For reading in a terminal.
    #[default]
    Text,
    /// One JSON object.
    Json,
    /// One JSON object a line, each with a `type`.
    Ndjson,
    /// A table of closes, a row each.
    Csv,
    /// A table of incidents, a row each.
    CsvIncidents,
    /// A Parquet table of closes.
    Parquet,
    /// A Parquet table of incidents.
    ParquetIncidents,
    /// SARIF 2.1.0: a result for each close that nobody meant, at the lines it cites.
    Sarif,
    /// One self-contained page.
    Html,
}

impl Format {
    /// Not text: of no use on a terminal.
    pub const fn is_binary(self) -> bool {
        matches!(self, Self::Parquet | Self::ParquetIncidents)
    }

    /// Says what went in by its hash, so that a reader elsewhere can check that it is the same.
    pub const fn names_input(self) -> bool {
        matches!(self, Self::Json | Self::Ndjson | Self::Sarif | Self::Html)
    }
}

/// How to render.
#[derive(Clone, Debug)]
pub struct RenderOptions {
    /// Colour the text report with ANSI sequences.
    pub color: bool,
    /// Columns that the text report may use.
    pub width: usize,
    /// Only the answer, the incidents and what to do about them.
    pub summary: bool,
    /// Everything: no grouping, no caps.
    pub verbose: bool,
    /// The command that was executed, shown in the HTML report.
    pub command: Vec<String>,
    /// What of the analysis is shown.
    pub shown: Filter,
}

impl Default for RenderOptions {
    fn default() -> Self {
        Self {
            color: false,
            width: 100,
            summary: false,
            verbose: false,
            command: Vec::new(),
            shown: Filter::default(),
        }
    }
}

/// A selection of closes. Reports say how many it leaves out.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Indices into [`Analysis::closes`]; `None` shows all.
    pub closes: Option<Vec<usize>>,
}

/// A place as it follows a path and a colon: `12` for a line, `#34` for a frame.
pub fn place(place: crate::span::Place) -> String {
    excerpt::place(place)
}

/// Text with everything that a terminal or a page would obey written out instead.
pub fn visible(text: &str) -> Cow<'_, str> {
    excerpt::visible(text)
}

/// Writes `analysis` to `out`.
pub fn render(
    analysis: &Analysis,
    format: Format,
    options: &RenderOptions,
    out: &mut dyn Write,
) -> io::Result<()> {
    let shown = Shown::new(analysis, &options.shown);
    match format {
        Format::Text => text::write(&shown, options, out),
        Format::Json => json::write(&shown, out),
        Format::Ndjson => ndjson::write(&shown, out),
        Format::Csv => csv::closes(&shown, out),
        Format::CsvIncidents => csv::incidents(&shown, out),
        Format::Parquet => parquet_table::closes(&shown, out),
        Format::ParquetIncidents => parquet_table::incidents(&shown, out),
        Format::Sarif => sarif::write(&shown, options, out),
        Format::Html => html::write(&shown, options, out),
    }
}

/// An analysis with what of it is shown.
pub(crate) struct Shown<'a> {
    /// The whole.
    pub analysis: &'a Analysis,
    /// Indices of the closes to show, ascending.
    pub closes: Vec<usize>,
    /// Those of them that nobody meant.
    pub lost: Vec<usize>,
    /// The first and the last moment of everything shown.
    pub span: Option<(Instant, Instant)>,
    /// Indices of the incidents that hold at least one of them, in the analysis's order.
    pub incidents: Vec<usize>,
    /// For every close, the incident that holds it.
    pub incident_of: Vec<Option<usize>>,
    /// How times are written.
    pub time: phrase::TimeStyle,
    /// The folder that holds every source, with its slash: said once and left out of citations.
    pub folder: &'a str,
}

impl<'a> Shown<'a> {
    /// Applies `filter`; indices out of range are ignored.
    pub fn new(analysis: &'a Analysis, filter: &Filter) -> Self {
        let all = analysis.closes.len();
        let mut chosen = vec![filter.closes.is_none(); all];
        for &index in filter.closes.iter().flatten() {
            if let Some(flag) = chosen.get_mut(index) {
                *flag = true;
            }
        }
        let mut incident_of = vec![None; all];
        for (number, incident) in analysis.incidents.iter().enumerate() {
            for &close in &incident.closes {
                if let Some(slot) = incident_of.get_mut(close) {
                    *slot = Some(number);
                }
            }
        }
        let incidents = (0..analysis.incidents.len())
            .filter(|&number| {
                filter.closes.is_none()
                    || analysis.incidents[number]
                        .closes
                        .iter()
                        .any(|&close| chosen.get(close) == Some(&true))
            })
            .collect();
        let closes: Vec<usize> = (0..all).filter(|&index| chosen[index]).collect();
        let meant = |index: usize| phrase::ordinary(analysis.closes[index].cause());
        let mut shown = Self {
            analysis,
            time: phrase::TimeStyle::default(),
            folder: excerpt::folder(analysis),
            lost: closes
                .iter()
                .copied()
                .filter(|&index| !meant(index))
                .collect(),
            closes,
            span: None,
            incidents,
            incident_of,
        };
        shown.span = answer::span(&shown);
        if let Some((first, last)) = shown.span {
            shown.time = phrase::TimeStyle::between(first, last);
        }
        shown
    }

    /// A citation without the common folder: `server.log:123`, `client.pcap:#4711`.
    pub fn cite(&self, cite: Cite) -> String {
        let cite = excerpt::located(self.analysis, cite);
        format!("{}:{}", self.path(cite.source), excerpt::place(cite.place))
    }

    /// The path of a source without the common folder.
    pub fn path(&self, source: SourceId) -> Cow<'a, str> {
        let source = self.analysis.sources.get(source.0 as usize);
        source.map_or(Cow::Borrowed("?"), |source| {
            let path = source.path.strip_prefix(self.folder);
            excerpt::visible(path.unwrap_or(&source.path))
        })
    }

    /// Something is left out.
    pub fn partial(&self) -> bool {
        self.closes.len() < self.analysis.closes.len()
    }
}
