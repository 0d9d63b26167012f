//! One close: its line, its evidence with citations, its rivals.

use std::fmt::Write as _;
use std::io;

use super::pen::{Indent, Ink, Pen};
use super::{Page, cap};
use crate::attribute::crossing::Crossing;
use crate::attribute::finding::{Close, Evidence};
use crate::report::answer::label;
use crate::report::model::socket;
use crate::report::phrase::{self, ordinary};
use crate::span::Cite;

/// Who it was: `10.0.0.7:41234 -> 10.0.0.1:4222, cid 9`.
pub(super) fn ends(close: &Close) -> String {
    let mut parts = Vec::new();
    match (close.client, close.server) {
        (Some(client), Some(server)) => {
            parts.push(format!("{} -> {}", socket(client), socket(server)));
        }
        (Some(client), None) => parts.push(socket(client)),
        (None, Some(server)) => parts.push(format!("to {}", socket(server))),
        (None, None) => {}
    }
    if let Some(side) = close.client_side
        && close.client_side != close.client
    {
        parts.push(format!("{} at the client", socket(side)));
    }
    if let Some(cid) = close.cid {
        parts.push(format!("cid {cid}"));
    }
    if !matches!(close.kind, "" | "client") {
        parts.push(close.kind.to_owned());
    }
    parts.join(", ")
}

/// The colour of a cause.
pub(super) fn ink(cause: &str) -> Ink {
    match cause {
        _ if ordinary(cause) => Ink::Good,
        "unexplained" => Ink::Doubt,
        _ => Ink::Bad,
    }
}

/// The line of a close: time, id, cause, confidence, who ended it, what became of the client.
pub(super) fn line(
    page: &Page<'_>,
    pen: &mut Pen<'_>,
    close: &Close,
    indent: usize,
) -> io::Result<()> {
    let at = close
        .closed_at
        .map_or_else(|| "time unknown".to_owned(), |when| page.time.show(when));
    let cause = label(close.cause, close.detail);
    let initiator = match close.initiator.word() {
        "unknown" => String::new(),
        by => format!(", ended by the {by}"),
    };
    let outcome = match phrase::outcome(&close.outcome) {
        words if words.is_empty() => words,
        words => format!(", {words}"),
    };
    let rest = format!(", {}{initiator}{outcome}", close.confidence.word());
    pen.write(
        Indent::hanging(indent, indent + 2),
        &[
            (Ink::Dim, &at),
            (Ink::Plain, "  "),
            (Ink::Bold, &close.id),
            (Ink::Plain, "  "),
            (ink(close.cause), &cause),
            (Ink::Plain, &rest),
        ],
    )
}

/// The evidence, the rivals and what is missing.
pub(super) fn proof(
    page: &Page<'_>,
    pen: &mut Pen<'_>,
    close: &Close,
    indent: usize,
) -> io::Result<()> {
    let pieces: Vec<&Evidence> = close.evidence.iter().collect();
    quotes(page, pen, &pieces, indent, &close.id)?;
    for rival in &close.alternatives {
        let name = label(rival.cause, rival.detail);
        pen.write(
            Indent::hanging(indent, indent + 2),
            &[
                (Ink::Doubt, "rather than "),
                (Ink::Plain, &name),
                (Ink::Plain, ": "),
                (Ink::Plain, &rival.why_not),
            ],
        )?;
    }
    for missing in &close.missing {
        pen.write(
            Indent::hanging(indent, indent + 2),
            &[(Ink::Doubt, "missing: "), (Ink::Plain, missing)],
        )?;
    }
    if page.options.verbose {
        if !close.outcome.evidence.is_empty() {
            pen.write(Indent::all(indent), &[(Ink::Dim, "and afterwards:")])?;
            let pieces: Vec<&Evidence> = close.outcome.evidence.iter().collect();
            quotes(page, pen, &pieces, indent, &close.id)?;
        }
        for crossing in &close.crossings {
            let says = crossing_words(page, crossing);
            pen.write(
                Indent::hanging(indent, indent + 2),
                &[(Ink::Dim, "between the captures: "), (Ink::Plain, &says)],
            )?;
        }
        if let Some(filter) = &close.wireshark_filter {
            pen.write(
                Indent::hanging(indent, indent + 2),
                &[(Ink::Dim, "in Wireshark: "), (Ink::Plain, filter)],
            )?;
        }
    }
    Ok(())
}

/// What became of one side's last packets: `of the client's last packets 40 arrived, 3 were lost (client.pcap:#301 to #304), one
/// way 1.2 ms (0.9 to 3.0, clocks within 0.1)`.
fn crossing_words(page: &Page<'_>, crossing: &Crossing) -> String {
    let mut words = format!(
        "of the {}'s last packets {} arrived",
        crossing.from.word(),
        crossing.both
    );
    let mut tell = |what: &str, source, frames: &[u64]| {
        if let (Some(&first), Some(&last)) = (frames.first(), frames.last()) {
            let _ = write!(
                words,
                ", {} {what} ({}",
                frames.len(),
                page.shown.cite(Cite::frame(source, first))
            );
            if last != first {
                let _ = write!(words, " to {}", page.shown.cite(Cite::frame(source, last)));
            }
            words.push(')');
        }
    };
    tell("lost", crossing.near, &crossing.lost);
    tell(
        "arrived without having left",
        crossing.far,
        &crossing.injected,
    );
    let changed: Vec<u64> = crossing.changed.iter().map(|pair| pair.1).collect();
    tell("with another window", crossing.far, &changed);
    if let Some(delay) = crossing.delay {
        let ms = |ns: i64| ns as f64 / 1e6;
        let _ = write!(
            words,
            ", one way {:.3} ms ({:.3} to {:.3}, clocks within {:.3})",
            ms(delay.median),
            ms(delay.low),
            ms(delay.high),
            ms(delay.uncertain)
        );
    }
    words
}

pub(super) fn quotes(
    page: &Page<'_>,
    pen: &mut Pen<'_>,
    pieces: &[&Evidence],
    indent: usize,
    id: &str,
) -> io::Result<()> {
    let most = page.cap(cap::EVIDENCE);
    let kept = chosen(pieces, most);
    let cites: Vec<String> = kept
        .iter()
        .map(|piece| page.shown.cite(piece.cite))
        .collect();
    let time_width = page.time.width();
    // Long paths get a line of their own instead of pushing every quotation to the right edge.
    let longest = cites.iter().map(String::len).max().unwrap_or(0);
    let beside = indent + time_width + longest + 4 <= pen.width() / 2;
    for (piece, cite) in kept.iter().zip(&cites) {
        let at = piece
            .at
            .map_or_else(String::new, |when| page.time.show(when));
        let weight = if piece.supports { "" } else { "but: " };
        let at = format!("{at:time_width$}  ");
        let lines = page.cap(cap::QUOTE_LINES);
        let lines = if lines == usize::MAX { 0 } else { lines };
        if beside {
            let cite = format!("{cite:longest$}  ");
            let column = indent + at.len() + cite.len();
            quote(
                pen,
                indent,
                column,
                lines,
                &[
                    (Ink::Dim, &at),
                    (Ink::Dim, &cite),
                    (Ink::Doubt, weight),
                    (Ink::Plain, &piece.says),
                ],
            )?;
        } else {
            pen.write(Indent::all(indent), &[(Ink::Dim, &at), (Ink::Dim, cite)])?;
            let column = indent + 4;
            quote(
                pen,
                column,
                column,
                lines,
                &[(Ink::Doubt, weight), (Ink::Plain, &piece.says)],
            )?;
        }
    }
    if kept.len() < pieces.len() {
        let more = pieces.len() - kept.len();
        let text = format!("... and {more} more; -v shows all, `--format json` has them as {id}");
        pen.write(Indent::all(indent), &[(Ink::Dim, &text)])?;
    }
    Ok(())
}

fn quote(
    pen: &mut Pen<'_>,
    first: usize,
    rest: usize,
    lines: usize,
    pieces: &[(Ink, &str)],
) -> io::Result<()> {
    pen.write(Indent { first, rest, lines }, pieces)
}

/// At most `most` pieces in their order: what speaks against is kept first, then the beginning and the end.
fn chosen<'a>(pieces: &[&'a Evidence], most: usize) -> Vec<&'a Evidence> {
    if pieces.len() <= most {
        return pieces.to_vec();
    }
    let against = pieces.iter().filter(|piece| !piece.supports).count();
    let room = most.saturating_sub(against.min(most / 2));
    let (head, tail) = (room / 2, room - room / 2);
    let supporting = pieces.len() - against;
    let (mut nth_for, mut nth_against) = (0, 0);
    let mut kept = Vec::new();
    for piece in pieces {
        let keep = if piece.supports {
            nth_for += 1;
            nth_for <= head || nth_for > supporting.saturating_sub(tail)
        } else {
            nth_against += 1;
            nth_against <= most / 2
        };
        if keep {
            kept.push(*piece);
        }
    }
    kept
}
