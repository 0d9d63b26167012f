//! Tables of captures, one row a record, for people (text) and for programs (TSV, ndjson). Rows are made as records end and
//! put away, so that a table of any length takes little memory.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use super::table::{Columns, Type};
use crate::shelf::{Put, Shelf, Shelved};

/// Formats of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowFormat {
    /// Aligned columns.
    Text,
    /// Tab-separated values with a header line.
    Tsv,
    /// One JSON object a line.
    Ndjson,
}

/// A record's row in one format: its cells with tabs between, or its object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row(Box<str>);

impl Row {
    /// From cells, none of which holds a tab.
    pub fn of_cells<const N: usize>(cells: &[String; N]) -> Self {
        Self(cells.join("\t").into())
    }

    /// From an object.
    pub fn of_object(object: &serde_json::Value) -> Self {
        Self(object.to_string().into())
    }
}

impl Shelved for Row {
    type Sketch = ();

    fn sketch(&self) {}
}

/// Writes a table of rows that were made for `format`.
pub fn write(
    rows: impl IntoIterator<Item = Put<Row>>,
    columns: &Columns,
    format: RowFormat,
    out: &mut dyn Write,
) -> io::Result<()> {
    if format != RowFormat::Text {
        if format == RowFormat::Tsv {
            let titles: Vec<&str> = columns.iter().map(|column| column.0).collect();
            writeln!(out, "{}", titles.join("\t"))?;
        }
        for row in rows {
            writeln!(out, "{}", row.whole().0)?;
        }
        return Ok(());
    }
    let mut shelf = Shelf::default();
    shelf.extend(rows);
    let titles = || columns.iter().map(|column| column.0);
    let mut widths: Vec<usize> = titles().map(str::len).collect();
    for row in shelf.iter() {
        for (width, cell) in widths.iter_mut().zip(row.0.split('\t')) {
            *width = (*width).max(cell.chars().count());
        }
    }
    line(titles(), columns, &widths, out)?;
    for row in shelf.iter() {
        line(row.0.split('\t'), columns, &widths, out)?;
    }
    Ok(())
}

/// A line of cells below one another: numbers to the right, words to the left.
fn line<'a>(
    cells: impl Iterator<Item = &'a str>,
    columns: &Columns,
    widths: &[usize],
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut text = String::new();
    for (place, ((cell, width), column)) in cells.zip(widths).zip(columns).enumerate() {
        if place > 0 {
            text.push_str("  ");
        }
        let pad = width.saturating_sub(cell.chars().count());
        let number = matches!(column.1, Type::Int | Type::Float);
        let (before, after) = if number { (pad, 0) } else { (0, pad) };
        text.extend(std::iter::repeat_n(' ', before));
        text.push_str(cell);
        text.extend(std::iter::repeat_n(' ', after));
    }
    writeln!(out, "{}", text.trim_end())
}
