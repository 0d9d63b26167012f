//! The serialisable view of an analysis: the promise behind `--format json` and `ndjson` and inside the HTML page. The types of the
//! other stages are free to change; these fields are only ever added to within a schema version. Documented in `json.rs`.

mod views;

use serde::Serialize;
use serde::ser::SerializeSeq;

pub use views::{Views, end_word, rfc3339, socket, source_id};

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
    pub signs: Vec<SignView<'a>>,
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
    Sign(SignView<'a>),
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
    pub sha256: Option<String>,
    pub records: u64,
    pub rejected: u64,
    pub foreign: Vec<ForeignView<'a>>,
    pub capture: Option<CaptureView<'a>>,
    pub clock: Option<ClockView<'a>>,
}

/// What a capture says of itself.
#[derive(Serialize)]
pub struct CaptureView<'a> {
    pub dropped: Option<u64>,
    pub snapped: bool,
    pub cut_short: bool,
    pub interfaces: Vec<InterfaceView<'a>>,
    pub comments: Vec<CommentView<'a>>,
    pub names: Vec<(String, &'a str)>,
}

/// An interface of a capture.
#[derive(Serialize)]
pub struct InterfaceView<'a> {
    pub name: Option<&'a str>,
    pub filter: Option<&'a str>,
    pub received: Option<u64>,
    pub dropped: Option<u64>,
}

/// A comment in a capture.
#[derive(Serialize)]
pub struct CommentView<'a> {
    pub frame: Option<u64>,
    pub text: &'a str,
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
    pub summary: Option<&'a str>,
    pub evidence: Vec<EvidenceView<'a>>,
    pub closes: Option<usize>,
}

/// What logs say of a server or a host and not of one connection.
#[derive(Serialize)]
pub struct SignView<'a> {
    pub says: &'static str,
    pub costs_connections: bool,
    pub count: u64,
    pub at_least: bool,
    pub evidence: Vec<EvidenceView<'a>>,
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
    pub crossings: Vec<CrossingView>,
}

/// One side's last packets between a capture near each end.
#[derive(Serialize)]
pub struct CrossingView {
    pub from: &'static str,
    pub both: u32,
    pub lost: Vec<PacketView>,
    pub injected: Vec<PacketView>,
    pub changed: Vec<[PacketView; 2]>,
    pub delay_s: Option<DelayView>,
}

/// A packet to open.
#[derive(Serialize)]
pub struct PacketView {
    pub source: String,
    pub frame: u64,
}

/// One-way delays.
#[derive(Serialize)]
pub struct DelayView {
    pub low: f64,
    pub median: f64,
    pub high: f64,
    pub uncertain: f64,
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
