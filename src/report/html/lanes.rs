//! What the lanes of the time line are drawn from: sources with their clocks, lives of servers, incidents.

use serde::Serialize;

use super::data::Data;
use crate::report::clocks::timed;
use crate::report::excerpt::visible;
use crate::report::model::end_word;
use crate::report::phrase;
use crate::span::LogRef;

/// A source's stretch of time and its clock.
#[derive(Serialize)]
pub(super) struct SourceLane {
    path: String,
    from: Option<f64>,
    until: Option<f64>,
    low_us: f64,
    high_us: f64,
    aligned: bool,
    clock: String,
}

/// A server's life.
#[derive(Serialize)]
pub(super) struct ServerLane {
    name: String,
    from: Option<f64>,
    until: Option<f64>,
    started: bool,
    end: &'static str,
}

/// An incident's stretch of time.
#[derive(Serialize)]
pub(super) struct IncidentRow {
    id: String,
    cause: &'static str,
    detail: &'static str,
    from: Option<f64>,
    until: Option<f64>,
}

impl Data<'_> {
    pub fn incidents(&self) -> Vec<IncidentRow> {
        self.shown
            .incidents
            .iter()
            .map(|&number| &self.shown.analysis.incidents[number])
            .map(|incident| IncidentRow {
                id: incident.id.clone(),
                cause: incident.cause,
                detail: incident.detail,
                from: self.when(incident.from),
                until: self.when(incident.until),
            })
            .collect()
    }

    pub fn sources(&self) -> Vec<SourceLane> {
        let analysis = self.shown.analysis;
        let mut extents: Vec<Option<(f64, f64)>> = vec![None; analysis.sources.len()];
        let mut reach = |source: usize, at: Option<f64>| {
            if let (Some(slot), Some(at)) = (extents.get_mut(source), at) {
                *slot = Some(slot.map_or((at, at), |(from, until)| (from.min(at), until.max(at))));
            }
        };
        for capture in &analysis.records.captures {
            for moment in [capture.first, capture.last] {
                let when = self.clocks.moment(capture.source, moment);
                reach(capture.source.0 as usize, self.when(when));
            }
        }
        let servers = analysis.records.servers.iter();
        let lives = servers.flat_map(|life| [&life.first, &life.last]);
        let clients = analysis.records.clients.iter();
        let stories = clients.flat_map(|story| [&story.first, &story.last]);
        for log in lives.chain(stories).flatten() {
            reach(log.cite.source.0 as usize, self.log(log));
        }
        for &index in &self.shown.closes {
            for piece in &analysis.closes.whole(index).evidence {
                reach(piece.cite.source.0 as usize, self.when(piece.at));
            }
        }
        analysis
            .sources
            .iter()
            .zip(extents)
            .filter_map(|(source, extent)| {
                let clock = self
                    .clocks
                    .of(source.id)
                    .filter(|_| timed(self.shown.analysis, source))?;
                let (offset, best, _) = clock.tightest();
                Some(SourceLane {
                    path: self.shown.path(source.id).into_owned(),
                    from: extent.map(|(from, _)| from),
                    until: extent.map(|(_, until)| until),
                    low_us: offset.low.saturating_sub(best) as f64 / 1e3,
                    high_us: offset.high.saturating_sub(best) as f64 / 1e3,
                    aligned: clock.aligned,
                    clock: phrase::clock(clock),
                })
            })
            .collect()
    }

    fn log(&self, log: &LogRef) -> Option<f64> {
        self.when(self.clocks.log(log))
    }

    pub fn servers(&self) -> Vec<ServerLane> {
        let analysis = self.shown.analysis;
        // A server that went without a word lived until its sockets closed, whenever its last line was.
        let mut sockets: Vec<Option<f64>> = vec![None; analysis.records.servers.len()];
        for close in analysis.closes.sketches() {
            let life = close.server_life().and_then(|life| sockets.get_mut(life));
            if let (Some(last), Some(at)) = (life, self.when(close.closed_at())) {
                *last = Some(last.map_or(at, |last| last.max(at)));
            }
        }
        let lives = analysis.records.servers.iter().zip(sockets);
        lives
            .map(|(life, socket)| {
                let identity = &life.identity;
                let address = identity.listen.map(|address| address.to_string());
                let name = identity.name.as_deref().or(address.as_deref());
                let at = |log: &Option<LogRef>| log.as_ref().and_then(|log| self.log(log));
                let ends = [at(&life.last), at(&life.end.at), socket];
                ServerLane {
                    name: visible(name.unwrap_or("a server")).into_owned(),
                    from: at(&life.started).or_else(|| at(&life.first)),
                    until: ends.into_iter().flatten().reduce(f64::max),
                    started: life.started.is_some(),
                    end: end_word(life.end.manner),
                }
            })
            .collect()
    }
}
