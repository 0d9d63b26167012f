//! The serialisable view of an analysis: the promise behind `--format json` and `ndjson` and inside the HTML page. The types of the
//! other stages are free to change; these fields are only ever added to within a schema version. Documented in `json.rs`.

use std::net::SocketAddr;

use serde::Serialize;
use serde::ser::SerializeSeq;

use super::Shown;
use super::clocks::{self, Clocks};
use super::excerpt;
use crate::align::clock::{Clock, When};
use crate::attribute::finding::{Alternative, Close, Evidence, Incident, Outcome};
use crate::reconstruct::server::{EndManner, ServerLife};
use crate::source::{Source, SourceId};
use crate::span::{Place, Reject};
use crate::time::SECOND;

/// The schema version: raised when a field goes or changes its meaning.
pub const SCHEMA: &str = "natsleuth/1";

/// A whole report.
#[derive(Serialize)]
pub struct ReportView<'a> {
    pub schema: &'static str,
    pub tool: ToolView,
    pub shown: ShownView,
    pub sources: Vec<SourceView<'a>>,
    pub servers: Vec<ServerView<'a>>,
    pub incidents: Vec<IncidentView<'a>>,
    pub closes: Closes<'a>,
    pub advisories: Vec<AdvisoryView<'a>>,
    pub skipped: Vec<SkippedView>,
}

/// Closes, each made when it is written: there may be as many as a server has had clients.
pub struct Closes<'a>(Views<'a>);

impl Serialize for Closes<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.shown.closes.len()))?;
        for &index in &self.0.shown.closes {
            let whole = self.0.shown.analysis.closes.whole(index);
            list.serialize_element(&self.0.close(index, &whole))?;
        }
        list.end()
    }
}

/// A line of `--format ndjson`.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Row<'a> {
    Report {
        schema: &'static str,
        tool: ToolView,
        shown: ShownView,
    },
    Source(SourceView<'a>),
    Server(ServerView<'a>),
    Incident(IncidentView<'a>),
    Close(Box<CloseView<'a>>),
    Advisory(AdvisoryView<'a>),
    Skipped(SkippedView),
}

/// What wrote the report.
#[derive(Serialize)]
pub struct ToolView {
    pub name: &'static str,
    pub version: &'static str,
}

impl ToolView {
    /// This build.
    pub const THIS: Self = Self {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
    };
}

/// How much of the analysis the report holds.
#[derive(Serialize)]
pub struct ShownView {
    pub closes: usize,
    pub closes_of: usize,
    pub incidents: usize,
    pub incidents_of: usize,
}

/// One input.
#[derive(Serialize)]
pub struct SourceView<'a> {
    pub id: String,
    pub path: &'a str,
    pub kind: &'static str,
    pub bytes: u64,
    pub records: u64,
    pub rejected: u64,
    pub foreign: Vec<ForeignView<'a>>,
    pub clock: Option<ClockView<'a>>,
}

/// Lines in nobody's grammar, by shape.
#[derive(Serialize)]
pub struct ForeignView<'a> {
    pub shape: &'a str,
    pub count: u64,
    pub first_line: u64,
}

/// A source's clock.
#[derive(Serialize)]
pub struct ClockView<'a> {
    pub offset_s: f64,
    pub low_s: f64,
    pub high_s: f64,
    pub drift_ppm: f64,
    pub zone: Option<String>,
    pub anchors: usize,
    pub aligned: bool,
    pub given: bool,
    pub stretches: usize,
    pub how: &'a str,
}

/// One server process.
#[derive(Serialize)]
pub struct ServerView<'a> {
    pub name: Option<&'a str>,
    pub id: Option<&'a str>,
    pub version: Option<&'a str>,
    pub started_at: Option<String>,
    pub ended_at: Option<String>,
    pub end: &'static str,
    pub exit: Option<&'a str>,
    pub listen: Option<String>,
    pub cluster: Option<&'a str>,
    pub host: Option<&'a str>,
    pub sources: Vec<String>,
}

/// Closes that share cause, server and moment.
#[derive(Serialize)]
pub struct IncidentView<'a> {
    pub id: &'a str,
    pub cause: &'static str,
    pub detail: &'static str,
    pub confidence: &'static str,
    pub server: Option<&'a str>,
    pub from: Option<String>,
    pub until: Option<String>,
    pub closes: Vec<String>,
    pub summary: &'a str,
    pub remedy: &'a [String],
    pub follows: Option<&'a str>,
}

/// One closed socket.
#[derive(Serialize)]
pub struct CloseView<'a> {
    pub id: &'a str,
    pub incident: Option<&'a str>,
    pub kind: &'static str,
    pub socket: SocketView,
    pub cid: Option<u64>,
    pub client_name: Option<&'a str>,
    pub client_lang: Option<&'a str>,
    pub client_version: Option<&'a str>,
    pub account: Option<&'a str>,
    pub server_name: Option<&'a str>,
    pub opened_at: Option<String>,
    pub closed_at: Option<String>,
    pub closed_between: Option<[String; 2]>,
    pub cause: &'static str,
    pub detail: &'static str,
    pub confidence: &'static str,
    pub initiator: &'static str,
    pub outcome: OutcomeView<'a>,
    pub summary: &'a str,
    pub evidence: Vec<EvidenceView<'a>>,
    pub alternatives: Vec<AlternativeView<'a>>,
    pub missing: &'a [String],
    pub remedy: &'a [String],
    pub wireshark_filter: Option<&'a str>,
}

/// The two ends of a socket.
#[derive(Serialize)]
pub struct SocketView {
    pub client: Option<String>,
    pub server: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_side: Option<String>,
}

/// What became of the client.
#[derive(Serialize)]
pub struct OutcomeView<'a> {
    pub word: &'a str,
    pub after_s: Option<f64>,
    pub attempts: Option<u32>,
    pub server: Option<&'a str>,
    pub budget: Option<&'a str>,
    pub failed_publishes: u64,
    pub timed_out_requests: u64,
    pub evidence: Vec<EvidenceView<'a>>,
}

/// A piece of evidence.
#[derive(Serialize)]
pub struct EvidenceView<'a> {
    pub source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub byte: Option<u64>,
    pub at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_source: Option<String>,
    pub says: &'a str,
    pub weight: &'static str,
}

/// A rival verdict.
#[derive(Serialize)]
pub struct AlternativeView<'a> {
    pub cause: &'static str,
    pub detail: &'static str,
    pub why_not: &'a str,
}

/// An advisory that applies to a version seen.
#[derive(Serialize)]
pub struct AdvisoryView<'a> {
    pub id: &'a str,
    pub says: &'a str,
}

/// Input that was not analysed.
#[derive(Serialize)]
pub struct SkippedView {
    pub source: String,
    pub r#where: Option<String>,
    pub why: String,
    pub count: u64,
}

/// Makes views.
pub struct Views<'a> {
    shown: &'a Shown<'a>,
    clocks: Clocks<'a>,
}

impl<'a> Views<'a> {
    /// Views of what is shown of an analysis.
    pub fn new(shown: &'a Shown<'a>) -> Self {
        Self {
            shown,
            clocks: Clocks::new(shown.analysis),
        }
    }

    /// Everything.
    pub fn report(self) -> ReportView<'a> {
        ReportView {
            schema: SCHEMA,
            tool: ToolView::THIS,
            shown: self.counts(),
            sources: self.sources().collect(),
            servers: self.servers().collect(),
            incidents: self.incidents().collect(),
            advisories: self.advisories().collect(),
            skipped: self.skipped().collect(),
            closes: Closes(self),
        }
    }

    /// The first line of `--format ndjson`.
    pub fn head(&self) -> Row<'a> {
        Row::Report {
            schema: SCHEMA,
            tool: ToolView::THIS,
            shown: self.counts(),
        }
    }

    /// How much is shown, of how much.
    pub fn counts(&self) -> ShownView {
        ShownView {
            closes: self.shown.closes.len(),
            closes_of: self.shown.analysis.closes.len(),
            incidents: self.shown.incidents.len(),
            incidents_of: self.shown.analysis.incidents.len(),
        }
    }

    /// Every source.
    pub fn sources(&self) -> impl Iterator<Item = SourceView<'a>> {
        let analysis = self.shown.analysis;
        analysis.sources.iter().map(|source| self.source(source))
    }

    /// Every server life.
    pub fn servers(&self) -> impl Iterator<Item = ServerView<'a>> {
        let lives = &self.shown.analysis.records.servers;
        lives.iter().map(|life| self.server(life))
    }

    /// The incidents shown.
    pub fn incidents(&self) -> impl Iterator<Item = IncidentView<'a>> {
        let incidents = &self.shown.analysis.incidents;
        self.shown
            .incidents
            .iter()
            .map(|&number| self.incident(&incidents[number]))
    }

    /// Advisories.
    pub fn advisories(&self) -> impl Iterator<Item = AdvisoryView<'a>> {
        let advisories = &self.shown.analysis.advisories;
        advisories
            .iter()
            .map(|(id, says)| AdvisoryView { id, says })
    }

    /// What could not be read.
    pub fn skipped(&self) -> impl Iterator<Item = SkippedView> {
        self.shown.analysis.rejects.iter().map(skipped)
    }

    fn source(&self, source: &'a Source) -> SourceView<'a> {
        let facts = self.shown.analysis.source_facts.get(source.id.0 as usize);
        let foreign = facts.map_or(&[][..], |facts| &facts.foreign);
        SourceView {
            id: source_id(source.id),
            path: &source.path,
            kind: source.kind.word(),
            bytes: source.bytes,
            records: facts.map_or(0, |facts| facts.records),
            rejected: facts.map_or(0, |facts| facts.rejected),
            foreign: foreign
                .iter()
                .map(|(shape, count, first_line)| ForeignView {
                    shape,
                    count: *count,
                    first_line: *first_line,
                })
                .collect(),
            clock: self.clocks.of(source.id).and_then(clock),
        }
    }

    fn server(&self, life: &'a ServerLife) -> ServerView<'a> {
        let at = |log| Some(rfc3339(self.clocks.log(log)?));
        let identity = &life.identity;
        // An unknown end is only where the log stops: no time of an end is claimed.
        let ended = match life.end.manner {
            EndManner::Unknown | EndManner::Running => None,
            _ => life.end.at.as_ref(),
        };
        ServerView {
            name: identity.name.as_deref(),
            id: identity.id.as_deref(),
            version: identity.version.as_deref(),
            started_at: life.started.as_ref().and_then(at),
            ended_at: ended.and_then(at),
            end: end_word(life.end.manner),
            exit: life.end.exit.as_deref(),
            listen: identity.listen.map(|address| address.to_string()),
            cluster: identity.cluster.as_deref(),
            host: identity.host.as_deref(),
            sources: life.sources.iter().copied().map(source_id).collect(),
        }
    }

    fn incident(&self, incident: &'a Incident) -> IncidentView<'a> {
        let analysis = self.shown.analysis;
        let followed = |index: usize| analysis.incidents.get(index);
        IncidentView {
            id: &incident.id,
            cause: incident.cause,
            detail: incident.detail,
            confidence: incident.confidence.word(),
            server: incident.server.as_deref(),
            from: incident.from.map(rfc3339),
            until: incident.until.map(rfc3339),
            closes: incident
                .closes
                .iter()
                .filter_map(|&close| Some(analysis.closes.sketch(close)?.id()))
                .collect(),
            summary: &incident.summary,
            remedy: &incident.remedy,
            follows: incident
                .follows
                .and_then(followed)
                .map(|cause| cause.id.as_str()),
        }
    }

    /// One close: `close` is the whole of the one at `index`.
    pub fn close<'c>(&'c self, index: usize, close: &'c Close) -> CloseView<'c> {
        let analysis = self.shown.analysis;
        let incident = self.shown.incident_of[index];
        CloseView {
            id: &close.id,
            incident: incident.map(|number| analysis.incidents[number].id.as_str()),
            kind: close.kind,
            socket: SocketView {
                client: close.client.map(socket),
                server: close.server.map(socket),
                client_side: close
                    .client_side
                    .filter(|_| close.client_side != close.client)
                    .map(socket),
            },
            cid: close.cid,
            client_name: close.client_name.as_deref(),
            client_lang: close.client_lang.as_deref(),
            client_version: close.client_version.as_deref(),
            account: close.account.as_deref(),
            server_name: close.server_name.as_deref(),
            opened_at: close.opened_at.map(rfc3339),
            closed_at: close.closed_at.map(rfc3339),
            closed_between: close.closed_at.map(between),
            cause: close.cause,
            detail: close.detail,
            confidence: close.confidence.word(),
            initiator: close.initiator.word(),
            outcome: self.outcome(&close.outcome),
            summary: &close.summary,
            evidence: self.evidence(&close.evidence),
            alternatives: close.alternatives.iter().map(alternative).collect(),
            missing: &close.missing,
            remedy: &close.remedy,
            wireshark_filter: close.wireshark_filter.as_deref(),
        }
    }

    fn outcome<'c>(&self, outcome: &'c Outcome) -> OutcomeView<'c> {
        OutcomeView {
            word: if outcome.word.is_empty() {
                "unknown"
            } else {
                outcome.word
            },
            after_s: outcome.after_ns.map(|ns| ns as f64 / SECOND as f64),
            attempts: outcome.attempts,
            server: outcome.server.as_deref(),
            budget: outcome.budget.as_deref(),
            failed_publishes: outcome.failed_publishes,
            timed_out_requests: outcome.timed_out_requests,
            evidence: self.evidence(&outcome.evidence),
        }
    }

    fn evidence<'c>(&self, evidence: &'c [Evidence]) -> Vec<EvidenceView<'c>> {
        evidence
            .iter()
            .map(|piece| {
                let at = piece.at.map(rfc3339);
                let written = piece
                    .at
                    .and_then(|when| self.clocks.as_written(piece.cite.source, when))
                    .filter(|written| Some(written) != at.as_ref());
                let (mut line, mut frame, mut byte) = (None, None, None);
                let cite = excerpt::located(self.shown.analysis, piece.cite);
                match cite.place {
                    Place::Line(number) => line = Some(number),
                    Place::Frame(number) => frame = Some(number),
                    Place::Byte(number) => byte = Some(number),
                }
                EvidenceView {
                    source: source_id(cite.source),
                    line,
                    frame,
                    byte,
                    at,
                    at_source: written,
                    says: &piece.says,
                    weight: if piece.supports { "for" } else { "against" },
                }
            })
            .collect()
    }
}

/// The id of a source in JSON: `s0`, `s1`, ... in report order.
pub fn source_id(source: SourceId) -> String {
    format!("s{}", source.0)
}

/// The word for how a server ended.
pub const fn end_word(manner: EndManner) -> &'static str {
    match manner {
        EndManner::Unknown => "unknown",
        EndManner::Graceful => "graceful",
        EndManner::LameDuck => "lame-duck",
        EndManner::Crash => "crash",
        EndManner::OutOfMemory => "out-of-memory",
        EndManner::OomKill => "oom-kill",
        EndManner::Killed => "killed",
        EndManner::Fatal => "fatal",
        EndManner::Running => "running",
    }
}

/// A moment in UTC with the digits that its source has.
pub fn rfc3339(when: When) -> String {
    when.at.rfc3339(when.digits)
}

fn between(when: When) -> [String; 2] {
    [when.bounds.low, when.bounds.high].map(|ns| crate::time::Instant(ns).rfc3339(9))
}

/// An address as the contract has it: an IPv4 one that a dual-stack socket shows as IPv6 is written as IPv4.
pub fn socket(address: SocketAddr) -> String {
    SocketAddr::new(address.ip().to_canonical(), address.port()).to_string()
}

fn clock(clock: &Clock) -> Option<ClockView<'_>> {
    let (offset_s, low_s, high_s) = clocks::offset_s(clock);
    Some(ClockView {
        offset_s,
        low_s,
        high_s,
        drift_ppm: clock.stretches.first()?.drift_ppm,
        zone: clock.zone_s.map(clocks::zone_word),
        anchors: clock.anchors,
        aligned: clock.aligned,
        given: clock.given,
        stretches: clock.stretches.len(),
        how: &clock.how,
    })
}

fn alternative(rival: &Alternative) -> AlternativeView<'_> {
    AlternativeView {
        cause: rival.cause,
        detail: rival.detail,
        why_not: &rival.why_not,
    }
}

fn skipped(reject: &Reject) -> SkippedView {
    SkippedView {
        source: source_id(reject.source),
        r#where: reject.place.map(excerpt::place_words),
        why: reject.why.clone(),
        count: reject.count,
    }
}
