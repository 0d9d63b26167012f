//! Every finding that cites one place: what a line or a packet is evidence for.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use super::answer::label;
use super::excerpt::{self, visible};
use super::phrase::count;
use crate::attribute::finding::{Analysis, Close, Evidence};
use crate::shelf::Held;
use crate::span::{Cite, Place};

/// A finding that cites the place.
#[derive(Debug)]
pub struct Citing<'a> {
    /// The close.
    pub close: Held<'a, Close>,
    /// The evidence that cites it.
    pub evidence: Evidence,
    /// It is about what became of the client afterwards, not about the cause.
    pub afterwards: bool,
}

/// Reads `FILE:LINE`, `CAPTURE:#FRAME` or `FILE:@BYTE`; `CAPTURE:FRAME` is read as a line and matched as a frame too.
pub fn parse(argument: &str) -> Option<(&str, Place)> {
    let (path, place) = argument.rsplit_once(':')?;
    let number = |digits: &str| digits.parse::<u64>().ok();
    let place = if let Some(frame) = place.strip_prefix('#') {
        Place::Frame(number(frame)?)
    } else if let Some(byte) = place.strip_prefix('@') {
        Place::Byte(number(byte)?)
    } else {
        Place::Line(number(place)?)
    };
    (!path.is_empty()).then_some((path, place))
}

/// The findings that cite `place` of the source at `path`, by close. `path` may be the end of a source's path, whole
/// components of it: `server.log` names `logs/server.log`.
pub fn why<'a>(analysis: &'a Analysis, path: &str, place: Place) -> Vec<Citing<'a>> {
    let mut found = Vec::new();
    for close in analysis.closes.iter() {
        let verdict = close.evidence.iter().map(|evidence| (evidence, false));
        let outcome = close.outcome.evidence.iter();
        for (evidence, afterwards) in verdict.chain(outcome.map(|evidence| (evidence, true))) {
            if cites(analysis, evidence.cite, path, place) {
                found.push(Citing {
                    close: close.clone(),
                    evidence: evidence.clone(),
                    afterwards,
                });
            }
        }
    }
    found
}

/// Whether a source's path is `path` or ends with it.
pub fn is_source(analysis: &Analysis, path: &str) -> bool {
    let mut sources = analysis.sources.iter();
    sources.any(|source| ends_with(&source.path, path))
}

/// Writes the findings in words, each with its close.
pub fn write(analysis: &Analysis, path: &str, asked: Place, out: &mut dyn Write) -> io::Result<()> {
    if !is_source(analysis, path) {
        return writeln!(out, "No source is called {}.", visible(path));
    }
    let found = why(analysis, path, asked);
    let place = format!("{}:{}", visible(path), excerpt::place(asked));
    if found.is_empty() {
        writeln!(out, "No finding cites {place}.")?;
        return nearest(analysis, path, asked, out);
    }
    let closes = count(found.len(), "finding", "findings");
    writeln!(out, "{place} is evidence in {closes}:")?;
    for citing in found {
        let close = &citing.close;
        let role = match (citing.afterwards, citing.evidence.supports) {
            (true, _) => "for what came after",
            (_, true) => "for",
            (_, false) => "against",
        };
        writeln!(
            out,
            "\n{} {}, {}: {}",
            close.id,
            label(close.cause, close.detail),
            close.confidence.word(),
            visible(&close.summary)
        )?;
        writeln!(out, "  {role}: {}", visible(&citing.evidence.says))?;
    }
    Ok(())
}

/// The cited places right before and after one that nothing cites, with the closes that cite them.
fn nearest(analysis: &Analysis, path: &str, asked: Place, out: &mut dyn Write) -> io::Result<()> {
    let number = |place: Place| match place {
        Place::Line(number) | Place::Frame(number) | Place::Byte(number) => number,
    };
    let mut cited: BTreeMap<Cite, Vec<String>> = BTreeMap::new();
    for close in analysis.closes.iter() {
        for piece in &close.evidence {
            let cite = excerpt::located(analysis, piece.cite);
            let source = analysis.sources.get(cite.source.0 as usize);
            if source.is_some_and(|source| ends_with(&source.path, path)) {
                let ids = cited.entry(cite).or_default();
                if ids.last() != Some(&close.id) {
                    ids.push(close.id.clone());
                }
            }
        }
    }
    let before = cited
        .iter()
        .filter(|(cite, _)| number(cite.place) < number(asked));
    let after = cited
        .iter()
        .filter(|(cite, _)| number(cite.place) > number(asked));
    let near: Vec<String> = before
        .max_by_key(|(cite, _)| number(cite.place))
        .into_iter()
        .chain(after.min_by_key(|(cite, _)| number(cite.place)))
        .map(|(cite, ids)| {
            const MOST: usize = 4;
            let more = ids.len().saturating_sub(MOST);
            let mut ids = ids
                .iter()
                .take(MOST)
                .cloned()
                .collect::<Vec<_>>()
                .join(", ");
            if more > 0 {
                let _ = write!(ids, " and {more} more");
            }
            format!("{} ({ids})", excerpt::cite(analysis, *cite))
        })
        .collect();
    if near.is_empty() {
        return writeln!(out, "Nothing in it is cited.");
    }
    writeln!(out, "The nearest that one does: {}.", near.join(", "))
}

fn cites(analysis: &Analysis, cite: Cite, path: &str, place: Place) -> bool {
    let cite = excerpt::located(analysis, cite);
    let source = analysis.sources.get(cite.source.0 as usize);
    source.is_some_and(|source| ends_with(&source.path, path))
        && match (cite.place, place) {
            // On the command line a frame needs no mark: a capture has no lines.
            (Place::Frame(frame), Place::Line(number)) => frame == number,
            (cited, asked) => cited == asked,
        }
}

fn ends_with(path: &str, asked: &str) -> bool {
    let asked = asked.trim_start_matches("./");
    path.trim_start_matches("./")
        .strip_suffix(asked)
        .is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn ids(path: &str, place: Place) -> Vec<String> {
        let analysis = sample::killed();
        let found = why(&analysis, path, place);
        found.iter().map(|citing| citing.close.id.clone()).collect()
    }

    #[test]
    fn a_place_as_the_report_writes_it_is_read_back() {
        for (argument, parsed) in [
            ("server.log:12", Some(("server.log", Place::Line(12)))),
            ("a/b.pcap:#4711", Some(("a/b.pcap", Place::Frame(4711)))),
            (
                "z.tgz!/v:1.json:@9",
                Some(("z.tgz!/v:1.json", Place::Byte(9))),
            ),
            ("server.log", None),
            (":3", None),
            ("server.log:x", None),
            ("server.log:-3", None),
        ] {
            assert_eq!(parse(argument), parsed, "{argument}");
        }
    }

    #[test]
    fn every_finding_that_cites_a_place_is_found_and_no_other() {
        assert_eq!(ids("server.log", Place::Line(9)), ["c1", "c2", "c3"]);
        assert_eq!(ids("server.pcap", Place::Frame(343)), ["c2"]);
        assert_eq!(ids("server.pcap", Place::Line(343)), ["c2"]);
        assert_eq!(ids("./client-telemetry-app-0.log", Place::Line(13)), ["c1"]);
        assert_eq!(ids("server.log", Place::Line(11)), [] as [&str; 0]);
        assert_eq!(ids("er.log", Place::Line(9)), [] as [&str; 0]);
    }

    #[test]
    fn the_answer_in_words() {
        let mut out = Vec::new();
        write(&sample::silent_path(), "nats.log", Place::Line(9), &mut out).expect("memory");
        let text = String::from_utf8(out).expect("UTF-8");
        assert!(
            text.starts_with(
                "nats.log:9 is evidence in 2 findings:\n\nc1 network/blackhole, shown: "
            )
        );
        assert_eq!(text.matches("\n  against: [2436]").count(), 2);
        for (path, answer) in [
            (
                "nats.log",
                "No finding cites nats.log:8.\nThe nearest that one does: logs/nats.log:9 (c1, c2).\n",
            ),
            ("x.log", "No source is called x.log.\n"),
        ] {
            let mut out = Vec::new();
            write(&sample::silent_path(), path, Place::Line(8), &mut out).expect("memory");
            assert_eq!(String::from_utf8(out).expect("UTF-8"), answer);
        }
    }
}
