//! The parts of the page that need no script.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::escape::text;
use crate::attribute::finding::{Close, Evidence, Incident};
use crate::attribute::process_end::ProcessEnd;
use crate::report::answer::{self, label};
use crate::report::clocks::Clocks;
use crate::report::clocks::timed;
use crate::report::phrase::{self, bytes, count, ordinary, sentence, thousands};
use crate::report::{RenderOptions, Shown, advice, capture_notes, excerpt};

/// Incidents told in full.
const INCIDENTS: usize = 60;
/// Closes in the table that a reader without scripts sees.
const CLOSES: usize = 2_000;

/// A card for each incident.
pub(super) fn incidents(shown: &Shown<'_>, out: &mut dyn Write) -> io::Result<()> {
    let all = shown.incidents.len();
    for &number in shown.incidents.iter().take(INCIDENTS) {
        incident(shown, &shown.analysis.incidents[number], out)?;
    }
    let mut untold = answer::untold(shown).peekable();
    if all == 0 && untold.peek().is_none() && answer::signs(shown).next().is_none() {
        writeln!(out, "<p class=\"quiet\">None.</p>")?;
    }
    for end in untold {
        process_end(shown, end, out)?;
    }
    for sign in answer::signs(shown) {
        let name = sentence(sign.means);
        card(shown, "sign", &name, None, &sign.evidence, out)?;
    }
    if all > INCIDENTS {
        let more = count(all - INCIDENTS, "more incident", "more incidents");
        writeln!(
            out,
            "<p class=\"quiet\">And {more}: their closes are in the table below.</p>"
        )?;
    }
    Ok(())
}

/// A server's end that no close tells of.
fn process_end(shown: &Shown<'_>, end: &ProcessEnd, out: &mut dyn Write) -> io::Result<()> {
    let tag = end.name.unwrap_or("server");
    let (title, missing) = (sentence(&end.summary), answer::unnamed(end));
    card(shown, tag, &title, Some(missing), &end.evidence, out)
}

/// A card that stands for no close.
fn card(
    shown: &Shown<'_>,
    tag: &str,
    title: &str,
    missing: Option<&str>,
    pieces: &[Evidence],
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(
        out,
        "<article class=\"card\"><div class=\"head\"><span class=\"tag\">{}</span></div><h3><bdi>{}</bdi></h3><ol class=\"evidence\">",
        text(tag),
        text(title),
    )?;
    for piece in pieces {
        evidence(shown, piece, out)?;
    }
    write!(out, "</ol>")?;
    if let Some(missing) = missing {
        write!(
            out,
            "<ul class=\"points\"><li><span class=\"lead\">missing:</span> {}</li></ul>",
            text(missing)
        )?;
    }
    writeln!(out, "</article>")
}

fn incident(shown: &Shown<'_>, incident: &Incident, out: &mut dyn Write) -> io::Result<()> {
    let analysis = shown.analysis;
    writeln!(
        out,
        "<article class=\"card {}\" id=\"{}\"><div class=\"head\"><span class=\"id\">{}</span> \
         <span class=\"tag\">{}</span> <span class=\"word\">{}</span></div><h3><bdi>{}</bdi></h3>",
        text(incident.cause),
        text(&incident.id),
        text(&incident.id),
        text(&label(incident.cause, incident.detail)),
        incident.confidence.word(),
        text(&sentence(&incident.summary)),
    )?;
    let when = match (incident.from, incident.until) {
        (Some(from), Some(until)) if from.at != until.at => {
            format!("{} to {}, ", shown.time.show(from), shown.time.show(until))
        }
        (Some(at), _) | (None, Some(at)) => format!("{}, ", shown.time.show(at)),
        (None, None) => String::new(),
    };
    writeln!(
        out,
        "<p class=\"quiet\">{}<a href=\"#incident={}\">{}</a></p>",
        text(&when),
        text(&incident.id),
        count(incident.closes.len(), "close", "closes")
    )?;
    if let Some(cause) = incident
        .follows
        .and_then(|index| analysis.incidents.get(index))
    {
        writeln!(
            out,
            "<p>Follows from <a href=\"#{0}\">{0}</a>: <bdi>{1}</bdi></p>",
            text(&cause.id),
            text(&cause.summary)
        )?;
    }
    if let Some(example) = answer::example(shown, incident) {
        let alike = match incident.closes.len() {
            0 | 1 => String::new(),
            all => format!(" (1 of {})", thousands(all as u64)),
        };
        let open = if ordinary(incident.cause) {
            ""
        } else {
            " open"
        };
        writeln!(
            out,
            "<details class=\"example\"{open}><summary>How it shows, in {}{alike}</summary>",
            text(&example.id)
        )?;
        if example.summary != incident.summary {
            writeln!(
                out,
                "<p><bdi>{}</bdi></p>",
                text(&sentence(&example.summary))
            )?;
        }
        proof(shown, &example, out)?;
        writeln!(out, "</details>")?;
    }
    writeln!(out, "</article>")
}

/// Evidence, rivals, what is missing.
fn proof(shown: &Shown<'_>, close: &Close, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<ol class=\"evidence\">")?;
    for piece in &close.evidence {
        evidence(shown, piece, out)?;
    }
    writeln!(out, "</ol>")?;
    if close.alternatives.is_empty() && close.missing.is_empty() {
        return Ok(());
    }
    writeln!(out, "<ul class=\"points\">")?;
    for rival in &close.alternatives {
        writeln!(
            out,
            "<li><span class=\"lead\">rather than {}:</span> <bdi>{}</bdi></li>",
            text(&label(rival.cause, rival.detail)),
            text(&rival.why_not)
        )?;
    }
    for missing in &close.missing {
        writeln!(
            out,
            "<li><span class=\"lead\">missing:</span> <bdi>{}</bdi></li>",
            text(missing)
        )?;
    }
    writeln!(out, "</ul>")
}

fn evidence(shown: &Shown<'_>, piece: &Evidence, out: &mut dyn Write) -> io::Result<()> {
    let (class, word) = if piece.supports {
        ("", "")
    } else {
        (
            " class=\"against\"",
            "<span class=\"against-word\">against: </span>",
        )
    };
    let at = piece.at.map_or_else(String::new, |when| {
        format!(
            "<time datetime=\"{}\">{}</time>",
            when.at.rfc3339(when.digits),
            text(&shown.time.show(when))
        )
    });
    writeln!(
        out,
        "<li{class}><span>{at}</span><bdi class=\"cite\">{}</bdi><span>{word}<q>{}</q></span></li>",
        text(&shown.cite(piece.cite)),
        text(&piece.says)
    )
}

/// The table of closes for a reader without scripts.
pub(super) fn closes(shown: &Shown<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<table><thead><tr><th>Close</th><th>Time</th><th>Client</th><th>Address</th><th>Cause</th><th>What happened</th></tr>\
         </thead><tbody>"
    )?;
    for &index in shown.closes.iter().take(CLOSES) {
        let close = shown.analysis.closes.whole(index);
        let address = close
            .client
            .map_or_else(String::new, |client| client.to_string());
        writeln!(
            out,
            "<tr class=\"row {}\"><td>{}</td><td class=\"time\">{}</td><td class=\"name\"><bdi>{}</bdi></td>\
             <td class=\"mono\">{}</td><td>{}, {}</td><td><bdi>{}</bdi> {}</td></tr>",
            text(close.cause),
            text(&close.id),
            text(
                &close
                    .closed_at
                    .map_or_else(String::new, |when| shown.time.show(when))
            ),
            text(close.client_name.as_deref().unwrap_or("")),
            text(&address),
            text(&label(close.cause, close.detail)),
            close.confidence.word(),
            text(&close.summary),
            text(&phrase::outcome(&close.outcome)),
        )?;
    }
    writeln!(out, "</tbody></table>")?;
    if shown.closes.len() > CLOSES {
        let more = count(shown.closes.len() - CLOSES, "more close", "more closes");
        writeln!(
            out,
            "<p>And {more}: a browser with scripts, or another format, shows them.</p>"
        )?;
    }
    Ok(())
}

/// What to do.
pub(super) fn remedies(shown: &Shown<'_>, out: &mut dyn Write) -> io::Result<()> {
    let advices = advice::gathered(shown, false);
    if advices.is_empty() {
        return writeln!(out, "<p class=\"quiet\">Nothing.</p>");
    }
    for advice in advices {
        let mut about = advice.about;
        let more = about.len().saturating_sub(12);
        about.truncate(12);
        let mut about = about.join(", ");
        if more > 0 {
            let _ = write!(about, " and {more} more");
        }
        writeln!(
            out,
            "<div class=\"card {}\"><div class=\"head\"><span class=\"tag\">{}</span> <span class=\"word\">{}</span></div>\
             <ul class=\"points\">",
            text(advice.cause),
            text(&label(advice.cause, advice.detail)),
            text(&about)
        )?;
        for step in &*advice.steps {
            writeln!(out, "<li><bdi>{}</bdi></li>", marked(step))?;
        }
        writeln!(out, "</ul></div>")?;
    }
    Ok(())
}

/// Text in which `back-quoted` words are code.
fn marked(step: &str) -> String {
    let mut shown = String::new();
    for (number, part) in step.split('`').enumerate() {
        let part = text(part);
        if number % 2 == 1 {
            let _ = write!(shown, "<code>{part}</code>");
        } else {
            shown.push_str(&part.to_string());
        }
    }
    shown
}

/// Sources with their clocks, what was skipped, advisories.
pub(super) fn reading(shown: &Shown<'_>, out: &mut dyn Write) -> io::Result<()> {
    let analysis = shown.analysis;
    let clocks = Clocks::new(analysis);
    writeln!(
        out,
        "<div class=\"wide\"><table><thead><tr><th>Source</th><th>Kind</th><th>Size</th><th>Records</th><th>Clock</th></tr></thead><tbody>"
    )?;
    for source in &analysis.sources {
        let facts = analysis.source_facts.get(source.id.0 as usize);
        let mut records = thousands(facts.map_or(0, |facts| facts.records));
        if let Some(rejected) = facts.map(|facts| facts.rejected).filter(|&many| many > 0) {
            let _ = write!(records, ", {} unreadable", thousands(rejected));
        }
        let capture = capture_notes::of(analysis, source.id);
        for warning in capture.map(capture_notes::warnings).unwrap_or_default() {
            let _ = write!(records, ", {warning}");
        }
        let clock = clocks.of(source.id).filter(|_| timed(analysis, source));
        let how = clock.map_or("", |clock| &clock.how);
        let sum = facts.and_then(|facts| facts.sha256);
        writeln!(
            out,
            "<tr><td><bdi class=\"cite\">{}</bdi>{}</td><td>{}</td><td>{}</td><td>{records}</td><td>{}<div class=\"quiet\"><bdi>{}</bdi></div></td></tr>",
            text(&shown.path(source.id)),
            sum.map_or_else(String::new, |sum| format!(
                "<div class=\"sum\">SHA-256 {sum}</div>"
            )),
            source.kind.word(),
            bytes(source.bytes),
            text(&clock.map_or_else(String::new, phrase::clock)),
            text(how)
        )?;
    }
    writeln!(out, "</tbody></table></div>")?;
    if !analysis.rejects.is_empty() {
        writeln!(out, "<h3>Not read</h3><ul class=\"points\">")?;
        for reject in analysis.rejects.iter().take(200) {
            let place = reject
                .place
                .map_or_else(String::new, |place| format!(":{}", excerpt::place(place)));
            writeln!(
                out,
                "<li><bdi class=\"cite\">{}{}</bdi> <bdi>{}</bdi> ({})</li>",
                text(&shown.path(reject.source)),
                text(&place),
                text(&reject.why),
                count(reject.count as usize, "time", "times")
            )?;
        }
        writeln!(out, "</ul>")?;
    }
    if !analysis.advisories.is_empty() {
        writeln!(
            out,
            "<details><summary>{}</summary><ul class=\"points\">",
            if analysis
                .closes
                .iter()
                .any(|close| close.detail == "known-bug")
            {
                count(
                    analysis.advisories.len(),
                    "known bug of the versions seen",
                    "known bugs of the versions seen",
                )
            } else {
                count(
                    analysis.advisories.len(),
                    "known bug of the versions seen, in no verdict here",
                    "known bugs of the versions seen, in no verdict here",
                )
            }
        )?;
        for (id, says) in &analysis.advisories {
            writeln!(
                out,
                "<li><strong>{}</strong> <bdi>{}</bdi></li>",
                text(id),
                text(says)
            )?;
        }
        writeln!(out, "</ul></details>")?;
    }
    Ok(())
}

/// The command, the version and what went in.
pub(super) fn footer(
    shown: &Shown<'_>,
    options: &RenderOptions,
    out: &mut dyn Write,
) -> io::Result<()> {
    let total: u64 = shown
        .analysis
        .sources
        .iter()
        .map(|source| source.bytes)
        .sum();
    writeln!(
        out,
        "<p>natsleuth {}, {} with {} read.</p>",
        text(env!("CARGO_PKG_VERSION")),
        count(shown.analysis.sources.len(), "source", "sources"),
        bytes(total)
    )?;
    if !options.command.is_empty() {
        let command: Vec<String> = options.command.iter().map(|word| quoted(word)).collect();
        writeln!(
            out,
            "<p>Command: <code><bdi>{}</bdi></code></p>",
            text(&command.join(" "))
        )?;
    }
    Ok(())
}

/// A word as a shell would take it back.
fn quoted(word: &str) -> String {
    let plain = |char: char| char.is_alphanumeric() || "-_./:=,+@%".contains(char);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
