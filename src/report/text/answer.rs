//! The answer: three lines that can be read alone.

use std::collections::BTreeMap;
use std::io;

use super::pen::{Indent, Ink, Pen};
use super::{Page, cap, span};
use crate::report::phrase::{count, ordinary};

pub(super) fn write(page: &Page<'_>, pen: &mut Pen<'_>) -> io::Result<()> {
    headline(page, pen)?;
    others(page, pen)?;
    basis(page, pen)
}

/// What happened, worst first.
fn headline(page: &Page<'_>, pen: &mut Pen<'_>) -> io::Result<()> {
    let analysis = page.shown.analysis;
    let worst = page
        .shown
        .incidents
        .iter()
        .map(|&number| &analysis.incidents[number])
        .find(|incident| !ordinary(incident.cause));
    let text = match worst {
        Some(incident) => incident.summary.clone(),
        None => match lost(page).first() {
            Some(&index) => analysis.closes[index].summary.clone(),
            None if page.shown.closes.is_empty() && page.shown.partial() => {
                "No close matches what was asked for.".to_owned()
            }
            None if page.shown.closes.is_empty() => {
                "No closed connection was found in this input.".to_owned()
            }
            None => format!(
                "No connection was lost: all {} that closed were closed on purpose.",
                count(page.shown.closes.len(), "connection", "connections")
            ),
        },
    };
    pen.write(Indent::all(0), &[(Ink::Bold, &text)])
}

/// What else happened, counted by cause.
fn others(page: &Page<'_>, pen: &mut Pen<'_>) -> io::Result<()> {
    let analysis = page.shown.analysis;
    let mut causes: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut meant = 0;
    for &index in &page.shown.closes {
        let close = &analysis.closes[index];
        if ordinary(close.cause) {
            meant += 1;
        } else {
            *causes.entry((close.cause, close.detail)).or_default() += 1;
        }
    }
    if page.shown.closes.is_empty() {
        return Ok(());
    }
    let mut ranked: Vec<_> = causes.into_iter().collect();
    ranked.sort_by_key(|&(cause, number)| (std::cmp::Reverse(number), cause));
    let mut parts: Vec<String> = ranked
        .iter()
        .take(cap::NAMES)
        .map(|((cause, detail), number)| format!("{number} {}", label(cause, detail)))
        .collect();
    if ranked.len() > cap::NAMES {
        let rest: usize = ranked[cap::NAMES..].iter().map(|(_, number)| number).sum();
        parts.push(format!("{rest} of other causes"));
    }
    if meant > 0 {
        parts.push(format!("{meant} meant or ordinary"));
    }
    let closes = if page.shown.partial() {
        format!(
            "{} of {} shown",
            page.shown.closes.len(),
            count(analysis.closes.len(), "close", "closes")
        )
    } else {
        count(page.shown.closes.len(), "close", "closes")
    };
    pen.plain(Indent::all(0), &format!("{closes}: {}.", parts.join(", ")))
}

/// What the answer rests on.
fn basis(page: &Page<'_>, pen: &mut Pen<'_>) -> io::Result<()> {
    let analysis = page.shown.analysis;
    let mut text = format!(
        "From {}",
        count(analysis.sources.len(), "source", "sources")
    );
    if let Some((first, last)) = span(page.shown) {
        let (from, until) = (first.rfc3339(0), last.rfc3339(0));
        let until = if from.get(..11) == until.get(..11) {
            until.get(11..).unwrap_or(&until).to_owned()
        } else {
            until.replace('T', " ")
        };
        text.push_str(&format!(
            "; times are UTC, {} to {}",
            from.replace('T', " ").trim_end_matches('Z'),
            until.trim_end_matches('Z')
        ));
    }
    let apart = analysis
        .clocks
        .iter()
        .filter(|clock| !clock.outer && !clock.aligned)
        .count();
    if apart > 0 && analysis.sources.len() > 1 {
        let clocks = count(apart, "clock is", "clocks are");
        text.push_str(&format!("; {clocks} not aligned with the others"));
    }
    let skipped: u64 = analysis.rejects.iter().map(|reject| reject.count).sum();
    if skipped > 0 {
        let parts = count(skipped as usize, "record", "records");
        text.push_str(&format!("; {parts} could not be read"));
    }
    text.push('.');
    pen.write(Indent::all(0), &[(Ink::Dim, &text)])
}

/// Closes shown that nobody meant.
pub(super) fn lost(page: &Page<'_>) -> Vec<usize> {
    let closes = &page.shown.analysis.closes;
    page.shown
        .closes
        .iter()
        .copied()
        .filter(|&index| !ordinary(closes[index].cause))
        .collect()
}

/// `network/blackhole`, or the cause alone where there is no detail.
pub(super) fn label(cause: &str, detail: &str) -> String {
    if detail.is_empty() {
        cause.to_owned()
    } else {
        format!("{cause}/{detail}")
    }
}
