//! `natsleuth timeline`: every event of every source in one order, as text or one JSON object a line.
//!
//! Each event shows the common time, the time as its source wrote it, and its citation. A `~` before the common time says
//! that the source is not tied to the others: its order against them is not known.

use std::io::{self, Write};

use globset::GlobMatcher;
use serde::Serialize;

use crate::align::timeline::TimelineEvent;
use crate::source::Source;
use crate::span::Place;
use crate::time::Instant;

/// Which events to show; an empty filter shows all.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// Client name or address.
    pub client: Option<GlobMatcher>,
    /// Server name or address.
    pub server: Option<GlobMatcher>,
    /// At or after.
    pub since: Option<Instant>,
    /// At or before.
    pub until: Option<Instant>,
}

impl Shown {
    /// Whether an event is shown. An event whose bounds reach into the time asked for is.
    pub fn holds(&self, event: &TimelineEvent) -> bool {
        let matches = |glob: &Option<GlobMatcher>, texts: &[Option<String>]| {
            glob.as_ref()
                .is_none_or(|glob| texts.iter().flatten().any(|text| glob.is_match(text)))
        };
        let address = event.client_address.map(|address| address.to_string());
        let since = self
            .since
            .is_none_or(|since| event.at.is_some_and(|when| when.bounds.high >= since.0));
        let until = self
            .until
            .is_none_or(|until| event.at.is_some_and(|when| when.bounds.low <= until.0));
        since
            && until
            && matches(&self.client, &[event.client.clone(), address])
            && matches(&self.server, std::slice::from_ref(&event.server))
    }
}

/// Writes the events as aligned text, one a line.
pub fn text(
    events: &[TimelineEvent],
    sources: &[Source],
    shown: &Shown,
    out: &mut dyn Write,
) -> io::Result<()> {
    for event in events.iter().filter(|event| shown.holds(event)) {
        let at = event.at.map_or_else(
            || "-".to_owned(),
            |when| when.at.rfc3339(when.digits.clamp(3, 6)),
        );
        let doubt = if event.aligned { ' ' } else { '~' };
        let who = event.client.as_deref().unwrap_or("-");
        writeln!(
            out,
            "{doubt}{at:<27}  {:<15}  {}  {}  {}",
            event.what,
            visible(who),
            visible(&place(event, sources)),
            visible(&event.says)
        )?;
    }
    Ok(())
}

/// Writes the events as JSON objects, one a line, with the fields of `Row`.
pub fn ndjson(
    events: &[TimelineEvent],
    sources: &[Source],
    shown: &Shown,
    out: &mut dyn Write,
) -> io::Result<()> {
    for event in events.iter().filter(|event| shown.holds(event)) {
        let (line, frame) = match event.cite.place {
            Place::Line(line) => (Some(line), None),
            Place::Frame(frame) => (None, Some(frame)),
            Place::Byte(_) => (None, None),
        };
        let row = Row {
            at: event.at.map(|when| when.at.rfc3339(when.digits)),
            low: event.at.map(|when| Instant(when.bounds.low).rfc3339(9)),
            high: event.at.map(|when| Instant(when.bounds.high).rfc3339(9)),
            aligned: event.aligned,
            original: &event.original,
            source: path(event, sources),
            line,
            frame,
            what: event.what,
            says: &event.says,
            client: event.client.as_deref(),
            client_address: event.client_address.map(|address| address.to_string()),
            server: event.server.as_deref(),
            connection: event.joined,
        };
        serde_json::to_writer(&mut *out, &row)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// One event.
#[derive(Serialize)]
struct Row<'a> {
    /// Best common time, RFC 3339 in UTC.
    at: Option<String>,
    /// The true time is not before this,
    low: Option<String>,
    /// nor after this.
    high: Option<String>,
    /// The source's clock is tied to the others.
    aligned: bool,
    /// The time as the source wrote it; without a zone where it has none.
    original: &'a str,
    source: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frame: Option<u64>,
    what: &'a str,
    says: &'a str,
    client: Option<&'a str>,
    client_address: Option<String>,
    server: Option<&'a str>,
    /// Number of the joined connection: equal for all events of one connection, from whatever source.
    connection: Option<usize>,
}

fn path<'a>(event: &TimelineEvent, sources: &'a [Source]) -> &'a str {
    sources
        .get(event.cite.source.0 as usize)
        .map_or("?", |source| source.path.as_str())
}

fn place(event: &TimelineEvent, sources: &[Source]) -> String {
    let number = match event.cite.place {
        Place::Line(number) | Place::Frame(number) | Place::Byte(number) => number,
    };
    format!("{}:{number}", path(event, sources))
}

/// Control characters of hostile lines never reach a terminal.
fn visible(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control()
                || ('\u{202a}'..='\u{202e}').contains(&c)
                || ('\u{2066}'..='\u{2069}').contains(&c)
            {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::align::clock::When;
    use crate::source::{Hints, Kind, SourceId};
    use crate::span::Cite;
    use crate::time::{Bounds, SECOND};

    fn event(second: i64, client: &str, aligned: bool) -> TimelineEvent {
        TimelineEvent {
            at: Some(When {
                at: Instant(second * SECOND),
                bounds: Bounds {
                    low: second * SECOND - 1000,
                    high: second * SECOND + 1000,
                },
                digits: 6,
            }),
            original: "1970-01-01T01:00:00.000000".to_owned(),
            cite: Cite::line(SourceId(0), 7),
            what: "closed",
            says: "Client connection closed\u{1b}[2J".to_owned(),
            joined: Some(3),
            client: Some(client.to_owned()),
            client_address: Some(([10, 0, 0, 7], 41234).into()),
            server: Some("nats-1".to_owned()),
            aligned,
        }
    }

    fn sources() -> Vec<Source> {
        vec![Source {
            id: SourceId(0),
            path: "nats-1.log".to_owned(),
            kind: Kind::Log,
            bytes: 0,
            hints: Hints::default(),
        }]
    }

    fn glob(pattern: &str) -> Option<GlobMatcher> {
        globset::Glob::new(pattern)
            .ok()
            .map(|glob| glob.compile_matcher())
    }

    #[test]
    fn text_has_time_citation_and_no_control_characters() {
        let mut out = Vec::new();
        text(
            &[event(1, "orders", true), event(2, "bills", false)],
            &sources(),
            &Shown::default(),
            &mut out,
        )
        .expect("memory");
        let out = String::from_utf8(out).expect("UTF-8");
        let lines: Vec<&str> = out.lines().collect();
        assert!(lines[0].starts_with(" 1970-01-01T00:00:01.000000Z"));
        assert!(lines[0].contains("nats-1.log:7") && lines[0].contains("orders"));
        assert!(lines[1].starts_with('~'));
        assert!(!out.contains('\u{1b}'));
    }

    #[test]
    fn filters_by_client_name_or_address_server_and_time() {
        let events = [event(1, "orders", true), event(2, "bills", true)];
        let kept = |shown: &Shown| events.iter().filter(|event| shown.holds(event)).count();
        let with = |client: &str| Shown {
            client: glob(client),
            ..Shown::default()
        };
        assert_eq!(kept(&with("ord*")), 1);
        assert_eq!(kept(&with("10.0.0.7:*")), 2);
        assert_eq!(kept(&with("nobody")), 0);
        let late = Shown {
            since: Some(Instant(SECOND + 500)),
            ..Shown::default()
        };
        assert_eq!(kept(&late), 2, "the first may have been that late");
        let later = Shown {
            since: Some(Instant(SECOND + 1001)),
            ..Shown::default()
        };
        assert_eq!(kept(&later), 1);
        let elsewhere = Shown {
            server: glob("nats-2"),
            ..Shown::default()
        };
        assert_eq!(kept(&elsewhere), 0);
    }

    #[test]
    fn ndjson_rows_name_the_line_and_the_bounds() {
        let mut out = Vec::new();
        ndjson(
            &[event(1, "orders", true)],
            &sources(),
            &Shown::default(),
            &mut out,
        )
        .expect("memory");
        let row: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
        assert_eq!(row["line"], 7);
        assert_eq!(row["low"], "1970-01-01T00:00:00.999999000Z");
        assert_eq!(row["connection"], 3);
        assert!(row.get("frame").is_none());
    }
}
