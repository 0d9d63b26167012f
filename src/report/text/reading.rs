//! How the input was read: sources, clocks, what was skipped, advisories for the versions seen.

use std::fmt::Write as _;
use std::io;

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
        for source in analysis.sources.iter().take(most) {
            let facts = analysis.source_facts.get(source.id.0 as usize);
            one(
                page,
                pen,
                source,
                facts,
                clocks.of(source.id).filter(|_| timed(analysis, source)),
            )?;
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

fn one(
    page: &Page<'_>,
    pen: &mut Pen<'_>,
    source: &Source,
    facts: Option<&SourceFacts>,
    clock: Option<&Clock>,
) -> io::Result<()> {
    let mut about = format!("  {}", source.kind.word());
    if source.bytes > 0 {
        let _ = write!(about, ", {}", bytes(source.bytes));
    }
    if let Some(facts) = facts {
        let (one, many) = match source.kind.word() {
            "capture" => ("packet", "packets"),
            "log" => ("line", "lines"),
            _ => ("record", "records"),
        };
        let _ = write!(about, ", {}", count(facts.records as usize, one, many));
        if facts.rejected > 0 {
            let _ = write!(about, ", {} unreadable", facts.rejected);
        }
    }
    let capture = capture_notes::of(page.shown.analysis, source.id);
    for warning in capture.map(capture_notes::warnings).unwrap_or_default() {
        let _ = write!(about, ", {warning}");
    }
    if let Some(clock) = clock {
        let _ = write!(about, "; {}", phrase::clock(clock));
    }
    pen.write(
        Indent::hanging(0, 4),
        &[
            (Ink::Bold, &page.shown.path(source.id)),
            (Ink::Plain, &about),
        ],
    )?;
    if !page.options.verbose {
        return Ok(());
    }
    if let Some(clock) = clock.filter(|clock| !clock.how.is_empty()) {
        pen.write(Indent::all(4), &[(Ink::Dim, &clock.how)])?;
    }
    for remark in capture.map(capture_notes::remarks).unwrap_or_default() {
        pen.write(Indent::hanging(4, 6), &[(Ink::Dim, &remark)])?;
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

/// Advisories named without `-v`: they are context, and nobody's verdict.
const ADVISORIES: usize = 3;

fn advisories(page: &Page<'_>, pen: &mut Pen<'_>) -> io::Result<()> {
    let analysis = page.shown.analysis;
    if analysis.advisories.is_empty() {
        return Ok(());
    }
    pen.title("KNOWN OF THE VERSIONS SEEN")?;
    let shown = if page.options.verbose {
        usize::MAX
    } else {
        ADVISORIES
    };
    for (id, says) in analysis.advisories.iter().take(shown) {
        pen.write(
            Indent::hanging(0, 4),
            &[(Ink::Bold, id), (Ink::Plain, "  "), (Ink::Plain, says)],
        )?;
    }
    if let Some(rest) = analysis
        .advisories
        .len()
        .checked_sub(shown)
        .filter(|rest| *rest > 0)
    {
        let text =
            format!("and {rest} more; -v lists them, `natsleuth advisories ID` explains one");
        pen.write(Indent::default(), &[(Ink::Dim, &text)])?;
    }
    Ok(())
}
