//! How the input was read: sources, clocks, what was skipped, advisories for the versions seen.

use std::fmt::Write as _;
use std::io;

use unicode_width::UnicodeWidthStr;

use super::pen::{Indent, Ink, Pen};
use super::{Page, cap};
use crate::align::clock::Clock;
use crate::attribute::finding::SourceFacts;
use crate::report::capture_notes;
use crate::report::clocks::{Clocks, timed};
use crate::report::excerpt;
use crate::report::phrase::{self, bytes, count};
use crate::source::Source;

pub(super) fn write(page: &Page<'_>, pen: &mut Pen<'_>) -> io::Result<()> {
    let analysis = page.shown.analysis;
    if !analysis.sources.is_empty() {
        pen.title("WHAT WAS READ")?;
        let clocks = Clocks::new(analysis);
        let most = page.cap(cap::SOURCES);
        let rows: Vec<[String; 4]> = analysis
            .sources
            .iter()
            .take(most)
            .map(|source| {
                let facts = analysis.source_facts.get(source.id.0 as usize);
                let [kind, size, records] = columns(source, facts);
                [page.shown.path(source.id).into_owned(), kind, size, records]
            })
            .collect();
        let [path, kind, size, records] = [0, 1, 2, 3].map(|column| {
            let widths = rows.iter().map(|row: &[String; 4]| row[column].width());
            widths.max().unwrap_or(0)
        });
        // A path longer than this pushes its own row aside, not the columns of all.
        let path = path.min(pen.width() * 2 / 5);
        for (source, [name, kind_word, bytes, lines]) in analysis.sources.iter().zip(&rows) {
            let facts = analysis.source_facts.get(source.id.0 as usize);
            let clock = clocks.of(source.id).filter(|_| timed(analysis, source));
            let mut clock_words = clock.map_or_else(String::new, phrase::clock);
            let capture = capture_notes::of(analysis, source.id);
            for warning in capture.map(capture_notes::warnings).unwrap_or_default() {
                let _ = write!(clock_words, "; {warning}");
            }
            let fill = " ".repeat(path.saturating_sub(name.width()));
            let about = format!(
                "{fill}  {kind_word:kind$}  {bytes:>size$}  {lines:>records$}  {clock_words}"
            );
            pen.write(
                Indent::hanging(0, 4),
                &[(Ink::Bold, name), (Ink::Plain, about.trim_end())],
            )?;
            if page.options.verbose {
                more(pen, facts, clock)?;
                for remark in capture.map(capture_notes::remarks).unwrap_or_default() {
                    pen.write(Indent::hanging(4, 6), &[(Ink::Dim, &remark)])?;
                }
            }
        }
        if analysis.sources.len() > most {
            let more = count(analysis.sources.len() - most, "more source", "more sources");
            let text = format!("... and {more}; -v lists all");
            pen.write(Indent::default(), &[(Ink::Dim, &text)])?;
        }
    }
    skipped(page, pen)?;
    advisories(page, pen)
}

/// What is known of one source, a column each.
fn columns(source: &Source, facts: Option<&SourceFacts>) -> [String; 3] {
    let kind = source.kind.word().to_owned();
    let size = if source.bytes > 0 {
        bytes(source.bytes)
    } else {
        String::new()
    };
    let mut records = String::new();
    if let Some(facts) = facts {
        let (one, many) = match source.kind.word() {
            "capture" => ("packet", "packets"),
            "log" => ("line", "lines"),
            _ => ("record", "records"),
        };
        records = count(facts.records as usize, one, many);
        if facts.rejected > 0 {
            let _ = write!(records, ", {} unreadable", facts.rejected);
        }
    }
    [kind, size, records]
}

/// How its clock was found, its hash, what was not understood.
fn more(pen: &mut Pen<'_>, facts: Option<&SourceFacts>, clock: Option<&Clock>) -> io::Result<()> {
    if let Some(clock) = clock.filter(|clock| !clock.how.is_empty()) {
        pen.write(Indent::all(4), &[(Ink::Dim, &clock.how)])?;
    }
    if let Some(sum) = facts.and_then(|facts| facts.sha256) {
        pen.write(Indent::all(4), &[(Ink::Dim, &format!("sha256 {sum}"))])?;
    }
    for (shape, number, first) in facts.map_or(&[][..], |facts| &facts.foreign) {
        let text = format!("not understood, {number} like line {first}: {shape}");
        pen.write(Indent::hanging(4, 6), &[(Ink::Dim, &text)])?;
    }
    Ok(())
}

fn skipped(page: &Page<'_>, pen: &mut Pen<'_>) -> io::Result<()> {
    let analysis = page.shown.analysis;
    if analysis.rejects.is_empty() {
        return Ok(());
    }
    pen.title("NOT READ")?;
    let most = page.cap(cap::SKIPPED);
    for reject in analysis.rejects.iter().take(most) {
        let place = reject
            .place
            .map_or_else(String::new, |place| format!(":{}", excerpt::place(place)));
        let source = page.shown.path(reject.source);
        let times = match reject.count {
            0 | 1 => String::new(),
            many => format!(" ({})", count(many as usize, "time", "times")),
        };
        pen.plain(
            Indent::hanging(0, 4),
            &format!("{source}{place}  {}{times}", reject.why),
        )?;
    }
    if analysis.rejects.len() > most {
        let text = format!(
            "... and {} more; -v lists all",
            analysis.rejects.len() - most
        );
        pen.write(Indent::default(), &[(Ink::Dim, &text)])?;
    }
    Ok(())
}

/// Known bugs of the versions seen: context, and nobody's verdict unless a close names one, so they are listed under `-v` only.
fn advisories(page: &Page<'_>, pen: &mut Pen<'_>) -> io::Result<()> {
    let known = &page.shown.analysis.advisories;
    if known.is_empty() {
        return Ok(());
    }
    if !page.options.verbose {
        let closes = page.shown.analysis.closes.sketches();
        let told = closes.filter(|close| close.detail() == "known-bug").count() > 0;
        let part = match (told, known.len()) {
            (true, _) => "",
            (false, 1) => " plays no part in these verdicts",
            (false, _) => " play no part in these verdicts",
        };
        let bugs = count(known.len(), "known bug", "known bugs");
        let text = format!("{bugs} of the versions seen here{part}; -v lists them.");
        pen.blank()?;
        return pen.write(Indent::default(), &[(Ink::Dim, &text)]);
    }
    pen.title("KNOWN BUGS OF THE VERSIONS SEEN")?;
    for (id, says) in known {
        pen.write(
            Indent::hanging(0, 4),
            &[(Ink::Bold, id), (Ink::Plain, "  "), (Ink::Plain, says)],
        )?;
    }
    Ok(())
}
