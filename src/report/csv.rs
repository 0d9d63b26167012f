//! `--format csv`: a table of closes, and another of incidents, as RFC 4180 has it (CRLF, quotes doubled).
//!
//! A cell that a spreadsheet would run as a formula (first character `=`, `+`, `-` or `@`, numbers apart) gets an apostrophe
//! before it, and control characters are written out: names in logs are hostile.

use std::io::{self, Write};

use super::Shown;
use super::excerpt::{self, visible};
use super::model::{CloseView, Views};

const CLOSES: &[&str] = &[
    "id",
    "incident",
    "closed_at",
    "opened_at",
    "cause",
    "detail",
    "confidence",
    "initiator",
    "kind",
    "client",
    "client_side",
    "server",
    "cid",
    "client_name",
    "client_lang",
    "client_version",
    "account",
    "server_name",
    "outcome",
    "after_s",
    "attempts",
    "failed_publishes",
    "timed_out_requests",
    "summary",
    "cites",
    "wireshark_filter",
];

const INCIDENTS: &[&str] = &[
    "id",
    "cause",
    "detail",
    "confidence",
    "server",
    "from",
    "until",
    "closes",
    "follows",
    "summary",
    "remedy",
];

/// Writes a row for each close.
pub(super) fn closes(shown: &Shown<'_>, out: &mut dyn Write) -> io::Result<()> {
    row(out, CLOSES.iter().copied())?;
    let views = Views::new(shown);
    for &index in &shown.closes {
        let whole = shown.analysis.closes.whole(index);
        let cites: Vec<String> = whole
            .evidence
            .iter()
            .map(|piece| excerpt::cite(shown.analysis, piece.cite))
            .collect();
        let cells = close(views.close(index, &whole), cites.join("; "));
        debug_assert_eq!(cells.len(), CLOSES.len());
        row(out, cells.iter().map(String::as_str))?;
    }
    Ok(())
}

/// Writes a row for each incident.
pub(super) fn incidents(shown: &Shown<'_>, out: &mut dyn Write) -> io::Result<()> {
    row(out, INCIDENTS.iter().copied())?;
    for incident in Views::new(shown).incidents() {
        let number = incident.closes.len().to_string();
        let remedy = incident.remedy.join(" ");
        let cells = [
            incident.id,
            incident.cause,
            incident.detail,
            incident.confidence,
            incident.server.unwrap_or(""),
            incident.from.as_deref().unwrap_or(""),
            incident.until.as_deref().unwrap_or(""),
            &number,
            incident.follows.unwrap_or(""),
            incident.summary,
            &remedy,
        ];
        row(out, cells.into_iter())?;
    }
    Ok(())
}

fn close(close: CloseView<'_>, cites: String) -> Vec<String> {
    let word = |text: Option<&str>| text.unwrap_or("").to_owned();
    let number = |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
    let outcome = close.outcome;
    vec![
        close.id.to_owned(),
        word(close.incident),
        close.closed_at.unwrap_or_default(),
        close.opened_at.unwrap_or_default(),
        close.cause.to_owned(),
        close.detail.to_owned(),
        close.confidence.to_owned(),
        close.initiator.to_owned(),
        close.kind.to_owned(),
        close.socket.client.unwrap_or_default(),
        close.socket.client_side.unwrap_or_default(),
        close.socket.server.unwrap_or_default(),
        number(close.cid),
        word(close.client_name),
        word(close.client_lang),
        word(close.client_version),
        word(close.account),
        word(close.server_name),
        outcome.word.to_owned(),
        outcome
            .after_s
            .map_or_else(String::new, |seconds| seconds.to_string()),
        number(outcome.attempts.map(u64::from)),
        outcome.failed_publishes.to_string(),
        outcome.timed_out_requests.to_string(),
        close.summary.to_owned(),
        cites,
        word(close.wireshark_filter),
    ]
}

fn row<'c>(out: &mut dyn Write, cells: impl Iterator<Item = &'c str>) -> io::Result<()> {
    for (number, text) in cells.enumerate() {
        if number > 0 {
            out.write_all(b",")?;
        }
        out.write_all(cell(text).as_bytes())?;
    }
    out.write_all(b"\r\n")
}

fn cell(text: &str) -> String {
    let text = visible(text);
    let formula = text.starts_with(['=', '+', '-', '@']) && text.parse::<f64>().is_err();
    let guard = if formula { "'" } else { "" };
    if text.contains(['"', ',', ';', '\'']) || formula {
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    } else {
        text.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Format, RenderOptions, render, sample};

    #[test]
    fn cells_are_quoted_guarded_and_never_break_a_row() {
        for (text, shown) in [
            ("plain", "plain"),
            ("-1.5", "-1.5"),
            ("a,b \"c\"", "\"a,b \"\"c\"\"\""),
            ("=1+1", "\"'=1+1\""),
            ("@sum(a1)", "\"'@sum(a1)\""),
            ("two\r\nlines", "two\\r\\nlines"),
        ] {
            assert_eq!(cell(text), shown);
        }
    }

    #[test]
    fn a_row_for_each_close_and_incident() {
        for (format, rows) in [(Format::Csv, 5), (Format::CsvIncidents, 3)] {
            for analysis in [sample::killed(), sample::hostile()] {
                let mut out = Vec::new();
                render(&analysis, format, &RenderOptions::default(), &mut out).expect("memory");
                let text = String::from_utf8(out).expect("UTF-8");
                assert_eq!(text.split_terminator("\r\n").count(), rows, "{text}");
            }
        }
        let mut out = Vec::new();
        let options = RenderOptions::default();
        render(&sample::silent_path(), Format::Csv, &options, &mut out).expect("memory");
        insta::assert_snapshot!("silent_path.csv", String::from_utf8(out).expect("UTF-8"));
    }
}
