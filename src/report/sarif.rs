//! `--format sarif`: SARIF 2.1.0 (OASIS), for viewers and pipelines that collect findings.
//!
//! A result is a close that nobody meant, a rule is a `cause/detail` of the catalogue. Its location is the first thing it cites,
//! what it cites beside that are related locations. A line of a log is a region of its file. A packet or a byte has no region
//! in SARIF's sense, so its place is told as a logical location (`client.pcap:#94`). Levels: `error` for verdicts that are
//! stated or shown, `warning` for those that are likely or possible, `note` for what stays unexplained. Clocks, rivals and
//! outcomes have no home in SARIF: `properties` hold the ids under which the JSON report has them.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde::Serialize;

use super::answer::label;
use super::excerpt::{self, visible};
use super::{RenderOptions, Shown};
use crate::attribute::catalogue::{CATALOGUE, Entry};
use crate::attribute::finding::{Close, Confidence, Evidence};
use crate::source::Source;
use crate::span::{Place, Reject};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool,
    invocations: [Invocation; 1],
    artifacts: Vec<Artifact>,
    results: Results<'a>,
    column_kind: &'static str,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
struct Driver {
    name: &'static str,
    version: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: String,
    short_description: Message,
    help: Help,
}

#[derive(Serialize)]
struct Help {
    text: &'static str,
    markdown: &'static str,
}

#[derive(Serialize)]
struct Message {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    arguments: Vec<String>,
    execution_successful: bool,
    tool_execution_notifications: Vec<Notification>,
}

/// Input that was not analysed.
#[derive(Serialize)]
struct Notification {
    level: &'static str,
    message: Message,
    locations: Vec<Location>,
}

#[derive(Serialize)]
struct Artifact {
    location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hashes: Option<Hashes>,
}

#[derive(Serialize)]
struct Hashes {
    #[serde(rename = "sha-256")]
    sha256: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding<'a> {
    #[serde(rename = "ruleId")]
    rule: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    message: Message,
    locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
    properties: Properties<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Properties<'a> {
    close: String,
    incident: Option<&'a str>,
    confidence: &'static str,
    closed_at: Option<String>,
    client: Option<String>,
    server: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(rename = "physicalLocation")]
    physical: Physical,
    #[serde(rename = "logicalLocations", skip_serializing_if = "Option::is_none")]
    logical: Option<[Logical; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Serialize)]
struct ArtifactLocation {
    uri: String,
    index: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Logical {
    fully_qualified_name: String,
}

/// Results, each made when it is written: there may be as many as a server has had clients.
struct Results<'a>(&'a Shown<'a>);

impl Serialize for Results<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let closes = self.0.lost.iter().copied();
        serializer.collect_seq(closes.map(|index| result(self.0, index)))
    }
}

/// Writes the log, indented, with a line feed at its end.
pub(super) fn write(
    shown: &Shown<'_>,
    options: &RenderOptions,
    out: &mut dyn Write,
) -> io::Result<()> {
    let analysis = shown.analysis;
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: env!("CARGO_PKG_NAME"),
                    version: env!("CARGO_PKG_VERSION"),
                    rules: CATALOGUE.iter().map(rule).collect(),
                },
            },
            invocations: [Invocation {
                arguments: options.command.iter().skip(1).cloned().collect(),
                execution_successful: true,
                tool_execution_notifications: analysis
                    .rejects
                    .iter()
                    .map(|reject| notification(shown, reject))
                    .collect(),
            }],
            artifacts: analysis
                .sources
                .iter()
                .map(|source| artifact(shown, source))
                .collect(),
            results: Results(shown),
            column_kind: "unicodeCodePoints",
        }],
    };
    serde_json::to_writer_pretty(&mut *out, &log)?;
    out.write_all(b"\n")
}

fn rule(entry: &Entry) -> Rule {
    Rule {
        id: entry.name(),
        short_description: Message {
            text: entry.definition(),
        },
        help: Help {
            text: entry.text,
            markdown: entry.text,
        },
    }
}

fn notification(shown: &Shown<'_>, reject: &Reject) -> Notification {
    let place = reject.place.unwrap_or(Place::Byte(0));
    let mut location = location(shown, reject.source.0 as usize, place, None);
    if reject.place.is_none() {
        location.logical = None;
    }
    Notification {
        level: "warning",
        message: Message {
            text: visible(&reject.why).into_owned(),
        },
        locations: vec![location],
    }
}

fn artifact(shown: &Shown<'_>, source: &Source) -> Artifact {
    let index = source.id.0 as usize;
    let facts = shown.analysis.source_facts.get(index);
    Artifact {
        location: ArtifactLocation {
            uri: uri(&source.path),
            index,
        },
        length: Some(source.bytes).filter(|&bytes| bytes > 0),
        hashes: facts.and_then(|facts| facts.sha256).map(|sum| Hashes {
            sha256: sum.to_string(),
        }),
    }
}

fn result<'a>(shown: &Shown<'a>, index: usize) -> Finding<'a> {
    let analysis = shown.analysis;
    let close: &Close = &analysis.closes.whole(index);
    let name = label(close.cause, close.detail);
    // The details of `unexplained` name what is missing; the catalogue has the cause alone.
    let same = |entry: &Entry| {
        entry.cause == close.cause && (entry.detail == close.detail || entry.detail.is_empty())
    };
    let first = close
        .evidence
        .iter()
        .position(|piece| piece.supports && matches!(piece.cite.place, Place::Line(_)))
        .or_else(|| close.evidence.iter().position(|piece| piece.supports))
        .unwrap_or(0);
    let mut cited: Vec<Location> = close
        .evidence
        .iter()
        .map(|piece| evidence(shown, piece))
        .collect();
    let locations = if cited.is_empty() {
        Vec::new()
    } else {
        vec![cited.remove(first)]
    };
    Finding {
        rule_index: CATALOGUE.iter().position(same),
        rule: name,
        level: match (close.cause, close.confidence) {
            ("unexplained", _) => "note",
            (_, Confidence::Stated | Confidence::Shown) => "error",
            (_, Confidence::Likely | Confidence::Possible) => "warning",
        },
        message: Message {
            text: visible(&close.summary).into_owned(),
        },
        locations,
        related_locations: cited,
        properties: Properties {
            close: close.id.clone(),
            incident: shown.incident_of[index].map(|number| analysis.incidents[number].id.as_str()),
            confidence: close.confidence.word(),
            closed_at: close.closed_at.map(super::model::rfc3339),
            client: close
                .client_name
                .as_deref()
                .map(|name| visible(name).into_owned()),
            server: close
                .server_name
                .as_deref()
                .map(|name| visible(name).into_owned()),
        },
    }
}

fn evidence(shown: &Shown<'_>, piece: &Evidence) -> Location {
    let cite = excerpt::located(shown.analysis, piece.cite);
    let against = if piece.supports { "" } else { "against: " };
    let says = format!("{against}{}", visible(&piece.says));
    location(shown, cite.source.0 as usize, cite.place, Some(says))
}

fn location(shown: &Shown<'_>, index: usize, place: Place, says: Option<String>) -> Location {
    let path = shown
        .analysis
        .sources
        .get(index)
        .map_or("", |source| &source.path);
    let (region, logical) = match place {
        Place::Line(start_line) => (Some(Region { start_line }), None),
        Place::Frame(_) | Place::Byte(_) => (
            None,
            Some([Logical {
                fully_qualified_name: format!("{}:{}", visible(path), excerpt::place(place)),
            }]),
        ),
    };
    Location {
        physical: Physical {
            artifact_location: ArtifactLocation {
                uri: uri(path),
                index,
            },
            region,
        },
        logical,
        message: says.map(|text| Message { text }),
    }
}

/// A path as a URI reference (RFC 3986): relative as it was given, absolute as a `file` URI.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len() + 8);
    if path.starts_with('/') {
        uri.push_str("file://");
    } else if path
        .split('/')
        .next()
        .is_some_and(|first| first.contains(':'))
    {
        // A colon in the first segment would read as a scheme (section 4.2).
        uri.push_str("./");
    }
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => uri.push(char::from(byte)),
            b'-' | b'.' | b'_' | b'~' | b'/' | b'!' | b':' | b'@' | b'+' | b'=' | b',' => {
                uri.push(char::from(byte));
            }
            _ => {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::attribute::finding::Analysis;
    use crate::report::{Format, render, sample};

    fn written(analysis: &Analysis) -> Value {
        let mut out = Vec::new();
        render(analysis, Format::Sarif, &RenderOptions::default(), &mut out).expect("memory");
        serde_json::from_slice(&out).expect("JSON")
    }

    #[test]
    fn paths_become_uris() {
        for (path, expected) in [
            ("logs/server.log", "logs/server.log"),
            ("/var/log/nats 1.log", "file:///var/log/nats%201.log"),
            ("b.tgz!/pod/x.log", "b.tgz!/pod/x.log"),
            ("c:x.log", "./c:x.log"),
            ("é#?%.log", "%C3%A9%23%3F%25.log"),
        ] {
            assert_eq!(uri(path), expected);
        }
    }

    #[test]
    fn a_result_for_each_close_that_nobody_meant_at_what_it_cites() {
        let log = written(&sample::silent_path());
        let run = &log["runs"][0];
        let results = run["results"].as_array().expect("results");
        let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
        let artifacts = run["artifacts"].as_array().expect("artifacts");
        assert_eq!(results.len(), 2);
        for result in results {
            let rule = result["ruleIndex"].as_u64().expect("a rule") as usize;
            let id = result["ruleId"].as_str().expect("an id");
            assert!(id.starts_with(rules[rule]["id"].as_str().expect("an id")));
            let places = [&result["locations"], &result["relatedLocations"]];
            for place in places.iter().filter_map(|list| list.as_array()).flatten() {
                let artifact = &place["physicalLocation"]["artifactLocation"];
                let index = artifact["index"].as_u64().expect("an index") as usize;
                assert_eq!(artifact["uri"], artifacts[index]["location"]["uri"]);
                let line = place["physicalLocation"]["region"]["startLine"].is_u64();
                assert!(line != place["logicalLocations"][0].is_object());
            }
        }
        let skipped = &run["invocations"][0]["toolExecutionNotifications"];
        assert!(skipped.as_array().is_some_and(|list| !list.is_empty()));
    }
}
