//! `--format ndjson`: the objects of [`json`](super::json), one a line, each with a `type`: first `report` (what wrote it, and how
//! much is shown), then `source`, `server`, `sign`, `incident`, `close`, `advisory` and `skipped`. Nothing is held back for the end,
//! so a reader may stop anywhere.

use std::io::{self, Write};

use super::Shown;
use super::model::{Row, Views};

/// Writes a line for each object.
pub(super) fn write(shown: &Shown<'_>, out: &mut dyn Write) -> io::Result<()> {
    let views = Views::new(shown);
    line(out, &views.head())?;
    for source in views.sources() {
        line(out, &Row::Source(source))?;
    }
    for server in views.servers() {
        line(out, &Row::Server(server))?;
    }
    for sign in views.signs() {
        line(out, &Row::Sign(sign))?;
    }
    for incident in views.incidents() {
        line(out, &Row::Incident(incident))?;
    }
    for &index in &shown.closes {
        let whole = shown.analysis.closes.whole(index);
        line(out, &Row::Close(Box::new(views.close(index, &whole))))?;
    }
    for advisory in views.advisories() {
        line(out, &Row::Advisory(advisory))?;
    }
    for skipped in views.skipped() {
        line(out, &Row::Skipped(skipped))?;
    }
    Ok(())
}

fn line(out: &mut dyn Write, row: &Row<'_>) -> io::Result<()> {
    serde_json::to_writer(&mut *out, row)?;
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use crate::report::{Format, RenderOptions, render, sample};

    #[test]
    fn every_line_is_an_object_with_a_type_and_the_json_reports_fields() {
        let analysis = sample::silent_path();
        let write = |format| {
            let mut out = Vec::new();
            render(&analysis, format, &RenderOptions::default(), &mut out).expect("memory");
            String::from_utf8(out).expect("UTF-8")
        };
        let report: serde_json::Value = serde_json::from_str(&write(Format::Json)).expect("JSON");
        let mut closes = Vec::new();
        for line in write(Format::Ndjson).lines() {
            let mut row: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let object = row.as_object_mut().expect("an object");
            let kind = object.remove("type").expect("a type");
            if kind == "close" {
                closes.push(row);
            }
        }
        assert_eq!(report["closes"], serde_json::Value::Array(closes));
    }
}
