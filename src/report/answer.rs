//! The answer: what happened, how much of it, and what that rests on. Three sentences that can be read alone.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Shown;
use super::clocks::timed;
use super::excerpt::visible;
use super::phrase::{count, ordinary, sentence, thousands};
use crate::attribute::finding::{Close, Incident};
use crate::attribute::process_end::ProcessEnd;
use crate::attribute::signs::Sign;
use crate::shelf::Held;
use crate::time::Instant;

/// Causes named in the second sentence.
const NAMED: usize = 6;

/// The worst incident shown that nobody meant: what the headline tells.
pub fn worst<'a>(shown: &Shown<'a>) -> Option<&'a Incident> {
    let incidents = &shown.analysis.incidents;
    let mut telling = shown.incidents.iter().map(|&number| &incidents[number]);
    telling.find(|incident| !ordinary(incident.cause))
}

/// What happened, worst first.
pub fn headline(shown: &Shown<'_>) -> String {
    let analysis = shown.analysis;
    if let Some(incident) = worst(shown) {
        return full_stop(&incident.summary);
    }
    let closes = shown.closes.len();
    let unnamed = untold(shown).rfind(|end| !end.names_connections);
    if let Some(end) = unnamed.filter(|_| shown.lost.is_empty()) {
        let end = full_stop(&end.summary);
        return match closes {
            0 => format!("{end} No connection that closed with it is named in this input."),
            _ => format!("{end} Which connections closed with it is not in this input."),
        };
    }
    let costly = signs(shown).find(|sign| sign.costs_connections);
    if let Some(sign) = costly.filter(|_| shown.lost.is_empty()) {
        let lines = match sign.count {
            1 => "one line".to_owned(),
            many => format!("{} lines", thousands(many)),
        };
        return format!(
            "{} (by {lines} of the logs). Which connections is not in this input.",
            sentence(sign.means)
        );
    }
    match shown.lost.first() {
        Some(&index) => full_stop(&analysis.closes.whole(index).summary),
        None if closes == 0 && shown.partial() => "No close matches what was asked for.".to_owned(),
        None if closes == 0 => "No closed connection was found in this input.".to_owned(),
        None if closes == 1 => {
            "No connection was lost: the one that closed was closed on purpose.".to_owned()
        }
        None => format!(
            "No connection was lost: all {} that closed were closed on purpose.",
            thousands(closes as u64)
        ),
    }
}

/// Ends of server processes that no close tells of; none where closes are left out of what is shown.
pub fn untold<'a>(shown: &Shown<'a>) -> impl DoubleEndedIterator<Item = &'a ProcessEnd> {
    let ends = &shown.analysis.process_ends;
    let all = !shown.partial();
    ends.iter().filter(move |end| all && end.untold())
}

/// Signs of trouble, where no close that nobody meant tells of one; all of them where everything is asked for.
pub fn signs<'a>(shown: &Shown<'a>) -> impl Iterator<Item = &'a Sign> {
    let signs = &shown.analysis.signs;
    let alone = !shown.partial() && shown.lost.is_empty();
    signs.iter().filter(move |_| alone)
}

/// Why no close tells of a server's end.
pub const fn unnamed(end: &ProcessEnd) -> &'static str {
    if end.names_connections {
        "a connection that it held then: none is named in this input"
    } else {
        "its connections: nats-server names them only with debug: true (-D)"
    }
}

/// A finding as a sentence of its own.
fn full_stop(summary: &str) -> String {
    let stop = if summary.ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    format!("{}{stop}", sentence(summary))
}

/// How many closes, by cause; empty where there are none.
pub fn counts(shown: &Shown<'_>) -> String {
    let analysis = shown.analysis;
    if shown.closes.is_empty() {
        return String::new();
    }
    let mut causes: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let (mut meant, mut routine) = (0, 0);
    for &index in &shown.closes {
        let close = &analysis.closes[index];
        if close.cause() == "client-close" && close.detail() != "probe" {
            meant += 1;
        } else if ordinary(close.cause()) {
            routine += 1;
        } else {
            *causes.entry((close.cause(), close.detail())).or_default() += 1;
        }
    }
    let mut ranked: Vec<_> = causes.into_iter().collect();
    ranked.sort_by_key(|&(cause, number)| {
        (cause.0 == "unexplained", std::cmp::Reverse(number), cause)
    });
    let mut parts: Vec<String> = ranked
        .iter()
        .take(NAMED)
        .map(|((cause, detail), number)| {
            format!("{} {}", thousands(*number as u64), label(cause, detail))
        })
        .collect();
    if ranked.len() > NAMED {
        let rest: usize = ranked[NAMED..].iter().map(|(_, number)| number).sum();
        parts.push(format!("{rest} of other causes"));
    }
    if meant > 0 {
        parts.push(format!("{} closed on purpose", thousands(meant)));
    }
    if routine > 0 {
        parts.push(format!("{} routine", thousands(routine)));
    }
    let all = count(analysis.closes.len(), "close", "closes");
    let closes = if shown.partial() {
        format!("{} of {all} shown", thousands(shown.closes.len() as u64))
    } else {
        all
    };
    format!("{closes}: {}.", parts.join(", "))
}

/// What the answer rests on.
pub fn basis(shown: &Shown<'_>) -> String {
    let analysis = shown.analysis;
    let mut text = format!(
        "From {}",
        count(analysis.sources.len(), "source", "sources")
    );
    let folder = shown.folder.trim_end_matches('/');
    if !folder.is_empty() {
        let _ = write!(text, " in {}", visible(folder));
    }
    if let Some((first, last)) = shown.span {
        let (from, until) = (first.rfc3339(0), last.rfc3339(0));
        let same_day = from.get(..11) == until.get(..11);
        let until = if same_day {
            until.get(11..).unwrap_or(&until)
        } else {
            &until
        };
        let plain = |text: &str| text.replace('T', " ").trim_end_matches('Z').to_owned();
        let _ = write!(
            text,
            "; times are UTC, {} to {}",
            plain(&from),
            plain(until)
        );
    }
    let apart = analysis
        .clocks
        .iter()
        .filter(|clock| {
            let source = analysis.sources.get(clock.source.0 as usize);
            !clock.outer && !clock.aligned && source.is_some_and(|source| timed(analysis, source))
        })
        .count();
    if apart > 0 && analysis.sources.len() > 1 {
        let clocks = count(apart, "clock is", "clocks are");
        let _ = write!(text, "; {clocks} not aligned with the others");
    }
    let skipped: u64 = analysis.rejects.iter().map(|reject| reject.count).sum();
    if skipped > 0 {
        let parts = count(skipped as usize, "record", "records");
        let _ = write!(text, "; {parts} could not be read");
    }
    text.push('.');
    text
}

/// The close shown that tells an incident best: a session rather than an attempt, as sure as the incident, and with the
/// most to cite.
pub fn example<'a>(shown: &Shown<'a>, incident: &Incident) -> Option<Held<'a, Close>> {
    let closes = &shown.analysis.closes;
    let mut best: Option<usize> = None;
    let rank = |index: usize| {
        let close = &closes[index];
        (!close.attempt, close.confidence, close.evidence)
    };
    for index in &incident.closes {
        if shown.closes.binary_search(index).is_err() {
            continue;
        }
        if best.is_none_or(|best| rank(*index) > rank(best)) {
            best = Some(*index);
        }
    }
    closes.get(best?)
}

/// The first and the last moment of everything shown; where no close is, of what servers' logs tell instead.
pub fn span(shown: &Shown<'_>) -> Option<(Instant, Instant)> {
    let analysis = shown.analysis;
    let moments = shown.closes.iter().flat_map(|&index| {
        let close = &analysis.closes[index];
        let evidence = close.span().map(|(first, last)| [first, last]);
        let closed = close.closed_at().map(|when| when.at);
        closed.into_iter().chain(evidence.into_iter().flatten())
    });
    let told = untold(shown).flat_map(|end| &end.evidence);
    let told = told.chain(signs(shown).flat_map(|sign| &sign.evidence));
    let told = told.filter_map(|piece| Some(piece.at?.at));
    let moments = moments.chain(told.filter(|_| shown.closes.is_empty()));
    let mut span: Option<(Instant, Instant)> = None;
    for at in moments {
        span = Some(span.map_or((at, at), |(first, last)| (first.min(at), last.max(at))));
    }
    span
}

/// `network/blackhole`, or the cause alone where there is no detail.
pub fn label(cause: &str, detail: &str) -> String {
    if detail.is_empty() {
        cause.to_owned()
    } else {
        format!("{cause}/{detail}")
    }
}
