//! A verdict as data: cause, confidence, evidence for and against, what is missing, what to do.

pub use super::close_sketch::CloseSketch;
pub use crate::reconstruct::facts::SourceFacts;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

use super::crossing::Crossing;
use super::process_end::ProcessEnd;
use super::signs::Sign;
use crate::align::clock::{Clock, When};
use crate::align::joined::Records;
use crate::shelf::word::{self, Word};
use crate::shelf::{Name, Shelf};
use crate::source::Source;
use crate::span::{Cite, Reject};

/// The whole result: what a report shows.
#[derive(Debug, Default)]
pub struct Analysis {
    /// Every source, in id order.
    pub sources: Vec<Source>,
    /// What each source held: records read, rejected, and its clock.
    pub source_facts: Vec<SourceFacts>,
    /// The clock of each source, by source id (a second one for wrappers' clocks may follow).
    pub clocks: Vec<Clock>,
    /// Everything reconstructed, for renderers that show more than verdicts.
    pub records: Records,
    /// The parts of each connection, joined.
    pub joined: Vec<crate::align::joined::Joined>,
    /// Every closed socket, by time.
    pub closes: Shelf<Close>,
    /// Closes grouped by cause, server and moment, worst first.
    pub incidents: Vec<Incident>,
    /// Server processes whose end is known, in the order of their ends.
    pub process_ends: Vec<ProcessEnd>,
    /// What logs tell of servers and hosts and not of one connection, what costs connections first.
    pub signs: Vec<Sign>,
    /// What could not be read.
    pub rejects: Vec<Reject>,
    /// Advisories that apply to versions seen, without being a verdict: id and one sentence.
    pub advisories: Vec<(String, String)>,
}

/// How sure a verdict is. Ordered: `Possible < Likely < Shown < Stated`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Confidence {
    /// It fits; rivals remain, and are listed.
    #[default]
    Possible,
    /// It fits, and the rivals do not.
    Likely,
    /// Packets or timing prove it.
    Shown,
    /// An end said so and nothing speaks against it.
    Stated,
}

impl Confidence {
    /// The word in reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Shown => "shown",
            Self::Stated => "stated",
        }
    }
}

/// A piece of evidence.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The place to open.
    pub cite: Cite,
    /// When, on the common line.
    pub at: Option<When>,
    /// What it says: the quoted line, or the packet in words.
    pub says: String,
    /// For the verdict, or against it.
    pub supports: bool,
}

/// Who ended a connection on the wire.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Initiator {
    /// The client's side.
    Client,
    /// The server's side.
    Server,
    /// Something in between.
    Network,
    /// Not known.
    #[default]
    Unknown,
}

impl Initiator {
    /// The word in reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
            Self::Network => "network",
            Self::Unknown => "unknown",
        }
    }
}

/// What became of the client.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// `reconnected`, `gave-up`, `exited`, `still-down`, `unknown`.
    #[serde(with = "word")]
    pub word: Word,
    /// Nanoseconds until it was back.
    pub after_ns: Option<i64>,
    /// Attempts made.
    pub attempts: Option<u32>,
    /// Where it reconnected to.
    pub server: Option<String>,
    /// Its reconnect budget in words with the library's own option names, where it gave up.
    pub budget: Option<String>,
    /// Publishes that failed meanwhile.
    pub failed_publishes: u64,
    /// Requests that timed out meanwhile.
    pub timed_out_requests: u64,
    /// The lines that show it.
    pub evidence: Vec<Evidence>,
}

/// A rival verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alternative {
    /// Its cause.
    #[serde(with = "word")]
    pub cause: Word,
    /// Its detail.
    #[serde(with = "word")]
    pub detail: Word,
    /// Why it lost, or what would decide.
    pub why_not: String,
}

/// One closed socket with its verdict.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Close {
    /// Stable id: `c1`, `c2`, ... by time.
    pub id: String,
    /// Index into the joined list.
    pub joined: usize,
    /// The client's address as the server sees it where known, else as the capture shows it.
    pub client: Option<SocketAddr>,
    /// The client's own address where it differs (NAT, proxy).
    pub client_side: Option<SocketAddr>,
    /// The server's address.
    pub server: Option<SocketAddr>,
    /// `client`, `route`, `gateway`, `leafnode`, `websocket`, `mqtt`.
    #[serde(with = "word")]
    pub kind: Word,
    /// The server's number for it.
    pub cid: Option<u64>,
    /// Client name.
    pub client_name: Option<Name>,
    /// Client library as CONNECT says (`go`, `nats.js`, ...).
    pub client_lang: Option<Name>,
    /// Its version.
    pub client_version: Option<Name>,
    /// Account.
    pub account: Option<String>,
    /// Server name.
    pub server_name: Option<String>,
    /// Index of the server life it went to.
    pub server_life: Option<usize>,
    /// It never became a session: an attempt that was refused, unanswered or turned away.
    pub attempt: bool,
    /// When it was opened.
    pub opened_at: Option<When>,
    /// When it was closed.
    pub closed_at: Option<When>,
    /// Cause.
    #[serde(with = "word")]
    pub cause: Word,
    /// Detail. For `unexplained`, a short word for what is missing.
    #[serde(with = "word")]
    pub detail: Word,
    /// Confidence.
    pub confidence: Confidence,
    /// Who ended it.
    pub initiator: Initiator,
    /// What became of the client.
    pub outcome: Outcome,
    /// One sentence that stands alone.
    pub summary: String,
    /// Evidence, by time.
    pub evidence: Vec<Evidence>,
    /// Rivals.
    pub alternatives: Vec<Alternative>,
    /// Evidence that would decide or strengthen.
    pub missing: Vec<String>,
    /// What to do, each naming a setting that exists or a next step.
    pub remedy: Vec<String>,
    /// Display filter for the captured connection.
    pub wireshark_filter: Option<String>,
    /// What became of its last packets between a capture near each end.
    pub crossings: Vec<Crossing>,
}

/// Closes that share cause, server and moment.
#[derive(Clone, Debug, Default)]
pub struct Incident {
    /// `i1`, `i2`, ... worst first.
    pub id: String,
    /// Cause.
    pub cause: &'static str,
    /// Detail.
    pub detail: &'static str,
    /// The strongest confidence among its closes.
    pub confidence: Confidence,
    /// Server name or address.
    pub server: Option<String>,
    /// First close.
    pub from: Option<When>,
    /// Last close.
    pub until: Option<When>,
    /// Indices into [`Analysis::closes`].
    pub closes: Vec<usize>,
    /// One sentence that stands alone.
    pub summary: String,
    /// What to do.
    pub remedy: Vec<String>,
    /// The incident (index) that led to this one.
    pub follows: Option<usize>,
}

/// What one rule concludes about one close. The register adds cause and detail.
#[derive(Clone, Debug, Default)]
pub struct Finding {
    /// How sure.
    pub confidence: Confidence,
    /// Who ended the connection, as this rule reads it.
    pub initiator: Initiator,
    /// One sentence that stands alone.
    pub summary: String,
    /// Evidence for and against.
    pub evidence: Vec<Evidence>,
    /// What would decide or strengthen.
    pub missing: Vec<String>,
    /// What to do.
    pub remedy: Vec<String>,
    /// Rivals that this rule itself cannot exclude: cause, detail, why.
    pub rivals: Vec<Alternative>,
}

impl Finding {
    /// A finding with its headline.
    pub fn new(confidence: Confidence, initiator: Initiator, summary: impl Into<String>) -> Self {
        Self {
            confidence,
            initiator,
            summary: summary.into(),
            ..Self::default()
        }
    }

    /// Adds evidence for.
    #[must_use]
    pub fn because(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        self.evidence.extend(evidence);
        self
    }

    /// Adds evidence against.
    #[must_use]
    pub fn despite(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        self.evidence
            .extend(evidence.into_iter().map(|item| Evidence {
                supports: false,
                ..item
            }));
        self
    }

    /// Adds what is missing.
    #[must_use]
    pub fn missing(mut self, what: impl Into<String>) -> Self {
        self.missing.push(what.into());
        self
    }

    /// Adds a remedy.
    #[must_use]
    pub fn remedy(mut self, what: impl Into<String>) -> Self {
        self.remedy.push(what.into());
        self
    }

    /// Adds a rival.
    #[must_use]
    pub fn rival(
        mut self,
        cause: &'static str,
        detail: &'static str,
        why: impl Into<String>,
    ) -> Self {
        self.rivals.push(Alternative {
            cause,
            detail,
            why_not: why.into(),
        });
        self
    }
}
