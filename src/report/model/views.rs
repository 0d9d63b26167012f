//! Views made from an analysis: each serialisable type of the report from the type of the stage that found it.

use std::net::SocketAddr;

use super::{
    AdvisoryView, AlternativeView, CaptureView, ClockView, CloseView, Closes, CommentView,
    CrossingView, DelayView, EvidenceView, ForeignView, IncidentView, InterfaceView, OutcomeView,
    PacketView, ReportView, Row, SCHEMA, ServerView, ShownView, SignView, SkippedView, SocketView,
    SourceView, ToolView,
};
use crate::align::clock::{Clock, When};
use crate::attribute::crossing::Crossing;
use crate::attribute::finding::{Alternative, Close, Evidence, Incident, Outcome};
use crate::reconstruct::capture::CaptureFacts;
use crate::reconstruct::server::{EndManner, ServerLife};
use crate::report::clocks::{self, Clocks};
use crate::report::{Shown, capture_notes, excerpt};
use crate::source::{Source, SourceId};
use crate::span::{Cite, Place, Reject};
use crate::time::SECOND;

/// Makes views.
pub struct Views<'a> {
    pub(super) shown: &'a Shown<'a>,
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
            signs: self.signs().collect(),
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
        lives
            .iter()
            .enumerate()
            .map(|(index, life)| self.server(index, life))
    }

    /// What logs say of servers and hosts.
    pub fn signs(&self) -> impl Iterator<Item = SignView<'a>> {
        self.shown.analysis.signs.iter().map(|sign| SignView {
            says: sign.means,
            costs_connections: sign.costs_connections,
            count: sign.count,
            at_least: sign.at_least,
            evidence: self.evidence(&sign.evidence),
        })
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
            sha256: facts
                .and_then(|facts| facts.sha256)
                .map(|sum| sum.to_string()),
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
            capture: capture_notes::of(self.shown.analysis, source.id).map(capture),
            clock: self.clocks.of(source.id).map(clock),
        }
    }

    fn server(&self, index: usize, life: &'a ServerLife) -> ServerView<'a> {
        let ends = &self.shown.analysis.process_ends;
        let end = ends.iter().find(|end| end.life == index);
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
            summary: end.map(|end| end.summary.as_str()),
            evidence: end.map_or_else(Vec::new, |end| self.evidence(&end.evidence)),
            closes: end.map(|end| end.closes),
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
            crossings: close
                .crossings
                .iter()
                .map(|crossing| self.crossing(crossing))
                .collect(),
        }
    }

    fn crossing(&self, crossing: &Crossing) -> CrossingView {
        let packet = |source: SourceId, frame: u64| {
            let cite = excerpt::located(self.shown.analysis, Cite::frame(source, frame));
            let frame = match cite.place {
                Place::Frame(frame) => frame,
                _ => frame,
            };
            PacketView {
                source: source_id(cite.source),
                frame,
            }
        };
        let (near, far) = (crossing.near, crossing.far);
        let seconds = |ns: i64| ns as f64 / SECOND as f64;
        CrossingView {
            from: crossing.from.word(),
            both: crossing.both,
            lost: crossing.lost.iter().map(|&at| packet(near, at)).collect(),
            injected: crossing
                .injected
                .iter()
                .map(|&at| packet(far, at))
                .collect(),
            changed: crossing
                .changed
                .iter()
                .map(|&(left, arrived)| [packet(near, left), packet(far, arrived)])
                .collect(),
            delay_s: crossing.delay.map(|delay| DelayView {
                low: seconds(delay.low),
                median: seconds(delay.median),
                high: seconds(delay.high),
                uncertain: seconds(delay.uncertain),
            }),
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
                    .and_then(|when| self.clocks.as_written(piece.cite, when))
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

fn clock(clock: &Clock) -> ClockView<'_> {
    let (offset_s, low_s, high_s) = clocks::offset_s(clock);
    ClockView {
        offset_s,
        low_s,
        high_s,
        drift_ppm: clock.tightest().2.drift_ppm(),
        zone: clock.zone_s.map(clocks::zone_word),
        anchors: clock.anchors,
        aligned: clock.aligned,
        given: clock.given,
        stretches: clock.stretches.len(),
        how: &clock.how,
    }
}

fn alternative(rival: &Alternative) -> AlternativeView<'_> {
    AlternativeView {
        cause: rival.cause,
        detail: rival.detail,
        why_not: &rival.why_not,
    }
}

fn capture(facts: &CaptureFacts) -> CaptureView<'_> {
    let notes = &facts.notes;
    CaptureView {
        dropped: facts.dropped,
        snapped: facts.snapped,
        cut_short: facts.cut_short,
        interfaces: notes
            .interfaces
            .iter()
            .map(|interface| InterfaceView {
                name: interface.name.as_deref(),
                filter: interface.filter.as_deref(),
                received: interface.received,
                dropped: interface.dropped,
            })
            .collect(),
        comments: notes
            .comments
            .iter()
            .map(|(frame, text)| CommentView {
                frame: (*frame > 0).then_some(*frame),
                text,
            })
            .collect(),
        names: notes
            .names
            .iter()
            .map(|(address, name)| (address.to_string(), &**name))
            .collect(),
    }
}

fn skipped(reject: &Reject) -> SkippedView {
    SkippedView {
        source: source_id(reject.source),
        r#where: reject.place.map(|place| place.to_string()),
        why: reject.why.clone(),
        count: reject.count,
    }
}
