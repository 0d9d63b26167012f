//! Where results go and how they look: the file, its format, colour, width.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use natsleuth::report::Format;
use natsleuth::report::output::Output;
use natsleuth::report::rows::RowFormat;

/// Where a result goes.
#[derive(Debug, Args)]
pub struct Target {
    /// Write here instead of standard output; `-` is standard output
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    pub path: Option<PathBuf>,
    /// Replace an existing output file
    #[arg(long)]
    pub force: bool,
}

/// How text looks.
#[derive(Clone, Copy, Debug, Args)]
pub struct Look {
    /// Colour
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

/// When to colour.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE wins
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Report formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormatName {
    /// For reading
    Text,
    /// One JSON object
    Json,
    /// One JSON object a line
    Ndjson,
    /// A table of closes
    Csv,
    /// A table of incidents
    CsvIncidents,
    /// A Parquet table of closes
    Parquet,
    /// A Parquet table of incidents
    ParquetIncidents,
    /// SARIF 2.1.0, for viewers of findings: closes that nobody meant, at the lines they cite
    Sarif,
    /// One self-contained page
    Html,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Text => Self::Text,
            FormatName::Json => Self::Json,
            FormatName::Ndjson => Self::Ndjson,
            FormatName::Csv => Self::Csv,
            FormatName::CsvIncidents => Self::CsvIncidents,
            FormatName::Parquet => Self::Parquet,
            FormatName::ParquetIncidents => Self::ParquetIncidents,
            FormatName::Sarif => Self::Sarif,
            FormatName::Html => Self::Html,
        }
    }
}

/// Formats of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TableName {
    /// Columns
    Text,
    /// Tab separated values
    Tsv,
    /// One JSON object a line
    Ndjson,
}

impl From<TableName> for RowFormat {
    fn from(name: TableName) -> Self {
        match name {
            TableName::Text => Self::Text,
            TableName::Tsv => Self::Tsv,
            TableName::Ndjson => Self::Ndjson,
        }
    }
}

/// Formats of lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListName {
    /// For reading
    Text,
    /// One JSON object a line
    Ndjson,
}

impl Target {
    /// As the library knows it.
    pub fn output(&self) -> Output {
        Output::new(self.path.as_deref(), self.force)
    }
}

impl Look {
    /// Whether to colour what goes to `output`.
    pub fn color(self, output: &Output) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                let set = |name| {
                    std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0")
                };
                // no-color.org: any value that is not empty.
                let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                *output == Output::Stdout
                    && (set("CLICOLOR_FORCE") || !refused && io::stdout().is_terminal())
            }
        }
    }
}

/// Columns of the terminal where text goes to one, else 100.
pub fn width(output: &Output) -> usize {
    if *output != Output::Stdout {
        return 100;
    }
    let columns = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok());
    columns
        .or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)))
        .unwrap_or(100)
        .clamp(40, 200)
}
