//! Tables of captures, one row a record, for people (text) and for programs (TSV, ndjson). Rows are made as records end and
//! put away, so that a table of any length takes little memory.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

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

/// What a table's columns are called, and which of them hold numbers.
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    /// Titles.
    pub titles: &'static [&'static str],
    /// Titles of columns whose cells stand to the right.
    pub numbers: &'static [&'static str],
}

/// Writes a table of rows that were made for `format`.
pub fn write(
    rows: impl IntoIterator<Item = Put<Row>>,
    columns: Columns,
    format: RowFormat,
    out: &mut dyn Write,
) -> io::Result<()> {
    if format != RowFormat::Text {
        if format == RowFormat::Tsv {
            writeln!(out, "{}", columns.titles.join("\t"))?;
        }
        for row in rows {
            writeln!(out, "{}", row.whole().0)?;
        }
        return Ok(());
    }
    let mut shelf = Shelf::default();
    shelf.extend(rows);
    let mut widths: Vec<usize> = columns.titles.iter().map(|title| title.len()).collect();
    for row in shelf.iter() {
        for (width, cell) in widths.iter_mut().zip(row.0.split('\t')) {
            *width = (*width).max(cell.chars().count());
        }
    }
    columns.line(columns.titles.iter().copied(), &widths, out)?;
    for row in shelf.iter() {
        columns.line(row.0.split('\t'), &widths, out)?;
    }
    Ok(())
}

impl Columns {
    fn line<'a>(
        &self,
        cells: impl Iterator<Item = &'a str>,
        widths: &[usize],
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mut text = String::new();
        for (column, (cell, width)) in cells.zip(widths).enumerate() {
            if column > 0 {
                text.push_str("  ");
            }
            let pad = width.saturating_sub(cell.chars().count());
            let number = self.numbers.contains(&self.titles[column]);
            let (before, after) = if number { (pad, 0) } else { (0, pad) };
            text.extend(std::iter::repeat_n(' ', before));
            text.push_str(cell);
            text.extend(std::iter::repeat_n(' ', after));
        }
        writeln!(out, "{}", text.trim_end())
    }
}
