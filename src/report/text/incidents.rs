//! Incidents, worst first, each with one close told in full.

use std::fmt::Write as _;
use std::io;

use super::pen::{Indent, Ink, Pen};
use super::{Page, cap, close};
use crate::attribute::finding::Incident;
use crate::report::answer::{example, label, worst};
use crate::report::phrase::{count, ordinary, sentence};

pub(super) fn write(page: &Page<'_>, pen: &mut Pen<'_>) -> io::Result<()> {
    let analysis = page.shown.analysis;
    let (ordinary, telling): (Vec<&Incident>, Vec<&Incident>) = page
        .shown
        .incidents
        .iter()
        .map(|&number| &analysis.incidents[number])
        .partition(|incident| ordinary(incident.cause));
    if telling.is_empty() && (ordinary.is_empty() || !page.options.verbose) {
        return Ok(());
    }
    pen.title("INCIDENTS")?;
    let full = page.cap(cap::INCIDENTS);
    for (number, incident) in telling.iter().take(full).enumerate() {
        if number > 0 {
            pen.blank()?;
        }
        told(page, pen, incident)?;
    }
    let rest = telling.get(full..).unwrap_or_default();
    if !rest.is_empty() {
        pen.blank()?;
    }
    for incident in rest.iter().take(cap::MORE_INCIDENTS) {
        head(pen, incident)?;
        pen.plain(Indent::all(4), &sentence(&incident.summary))?;
    }
    if let Some(unnamed) = rest
        .get(cap::MORE_INCIDENTS..)
        .filter(|rest| !rest.is_empty())
    {
        let closes: usize = unnamed.iter().map(|incident| incident.closes.len()).sum();
        let text = format!(
            "... and {} with {}; -v shows all",
            count(unnamed.len(), "more incident", "more incidents"),
            count(closes, "close", "closes")
        );
        pen.write(Indent::default(), &[(Ink::Dim, &text)])?;
    }
    if page.options.verbose {
        for incident in ordinary {
            pen.blank()?;
            told(page, pen, incident)?;
        }
    }
    Ok(())
}

fn head(pen: &mut Pen<'_>, incident: &Incident) -> io::Result<()> {
    let cause = label(incident.cause, incident.detail);
    let confidence = format!("  {}", incident.confidence.word());
    let server = incident
        .server
        .as_ref()
        .map_or_else(String::new, |server| format!(", server {server}"));
    pen.write(
        Indent::hanging(0, 4),
        &[
            (Ink::Bold, &incident.id),
            (Ink::Plain, "  "),
            (close::ink(incident.cause), &cause),
            (Ink::Plain, &confidence),
            (Ink::Plain, &server),
        ],
    )
}

fn told(page: &Page<'_>, pen: &mut Pen<'_>, incident: &Incident) -> io::Result<()> {
    let analysis = page.shown.analysis;
    head(pen, incident)?;
    // The report's first line has just said it.
    if worst(page.shown).is_none_or(|worst| worst.id != incident.id) {
        pen.write(Indent::all(4), &[(Ink::Bold, &sentence(&incident.summary))])?;
    }
    if let Some(cause) = incident
        .follows
        .and_then(|index| analysis.incidents.get(index))
    {
        let text = format!("follows from {}: {}", cause.id, cause.summary);
        pen.plain(Indent::hanging(4, 6), &text)?;
    }
    pen.write(Indent::hanging(4, 6), &[(Ink::Dim, &who(page, incident))])?;
    let Some(example) = &example(page.shown, incident) else {
        return Ok(());
    };
    let alike = match incident.closes.len() {
        0 | 1 => String::new(),
        all => format!(" (1 of {all})"),
    };
    let ends = close::ends(example);
    let head = format!("for example {}{alike}: {ends}", example.id);
    pen.write(
        Indent::hanging(4, 6),
        &[(Ink::Plain, head.trim_end_matches(": "))],
    )?;
    if example.summary != incident.summary {
        pen.plain(Indent::all(6), &sentence(&example.summary))?;
    }
    close::proof(page, pen, example, 6)
}

/// When and who: `05:19:24.211 to 05:19:24.345, 6 closes: orders-0, orders-1 and 4 more`.
fn who(page: &Page<'_>, incident: &Incident) -> String {
    let closes = &page.shown.analysis.closes;
    let mut text = match (incident.from, incident.until) {
        (Some(from), Some(until)) if from.at != until.at => {
            format!("{} to {}, ", page.time.show(from), page.time.show(until))
        }
        (Some(at), _) | (None, Some(at)) => format!("{}, ", page.time.show(at)),
        (None, None) => String::new(),
    };
    let chosen = |index: &&usize| page.shown.closes.binary_search(index).is_ok();
    let shown = incident.closes.iter().filter(chosen).count();
    if shown < incident.closes.len() {
        let _ = write!(text, "{shown} of ");
    }
    text.push_str(&count(incident.closes.len(), "close", "closes"));
    if shown < incident.closes.len() {
        text.push_str(" shown");
    }
    let mut names: Vec<&str> = incident
        .closes
        .iter()
        .filter(chosen)
        .filter_map(|&index| closes.sketch(index)?.client_name.as_deref())
        .filter(|name| !name.is_empty())
        .collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return text;
    }
    let most = page.cap(cap::NAMES);
    let named = names.iter().take(most).copied().collect::<Vec<_>>();
    let _ = write!(text, ": {}", named.join(", "));
    if names.len() > most {
        let _ = write!(text, " and {} more", names.len() - most);
    }
    text
}
