//! One time line and one connection: a clock for every source, and the parts of each connection joined over sources.
//!
//! Joins that need no clock come first (server_id and cid, sequence numbers, addresses); their records are anchors, from
//! which the clocks are solved; with clocks, what only time can tell is joined; those joins give anchors for the clocks
//! that are still loose.
//!
//! Invariant: recorded times are never rewritten, and an order that the bounds do not show is never claimed.

mod agree;
pub mod anchor;
mod anchor_client;
mod anchor_server;
mod anchors;
mod chain;
pub mod clock;
mod envelope;
pub mod joined;
mod lines;
pub mod link;
mod link_capture;
mod link_client;
mod link_server;
mod link_vote;
mod near;
pub mod offset;
mod setup;
pub mod solve;
mod step;
pub mod superseded;
pub mod timeline;
mod turn;
mod words;
pub mod zone;

use rayon::prelude::*;

use clock::{Clock, When};
use joined::{Joined, Records};
use setup::Setup;

use crate::reconstruct::facts::{self, SourceFacts};
use crate::source::{Source, SourceId};
use crate::span::{LogRef, Moment};
use crate::time::Basis;

/// What the user knows better.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlignOptions {
    /// Zone of a source's civil times: path or glob, seconds east of UTC.
    pub zones: Vec<(String, i32)>,
    /// What to add to a source's times: path or glob, nanoseconds.
    pub clocks: Vec<(String, i64)>,
}

/// The common line and the joined connections.
#[derive(Clone, Debug, Default)]
pub struct Alignment {
    /// One clock a source, by source id; wrappers' clocks follow.
    pub clocks: Vec<Clock>,
    /// Every connection with its parts, by time.
    pub joined: Vec<Joined>,
    /// Sentences: what could not be aligned, and what would allow it.
    pub unaligned: Vec<String>,
}

/// Aligns all sources and joins the parts of each connection.
pub fn align(
    records: &Records,
    facts: &[SourceFacts],
    sources: &[Source],
    options: &AlignOptions,
) -> Alignment {
    let (mut setup, mut links) = rayon::join(
        || Setup::new(records, sources, options),
        || link_capture::group(records),
    );
    let lives = link_server::lives_by_id(records);
    link_server::exact(records, &mut links, &lives);
    near::places(records, &mut links.joined);
    setup.anchor(records, &links, &lives);
    setup.solve(records, &links);
    link_server::by_address(records, &mut links, &setup.clocks);
    links.lone_servers(records);
    link_client::exact(records, &mut links);
    setup.solve(records, &links);
    link_client::by_name(records, &mut links, &setup.clocks);
    setup.solve(records, &links);
    link_client::by_time(records, &mut links, &setup.clocks);
    setup.solve(records, &links);
    links.lone_clients();
    near::sides(records, &mut links.joined);
    setup.finish(&|cite| facts::located(&records.captures, facts, cite));
    let mut alignment = Alignment {
        unaligned: setup.unaligned(records, sources),
        clocks: setup.into_clocks(),
        joined: links.into_joined(),
    };
    alignment.sort(records);
    chain::note(records, &mut alignment);
    superseded::note(records, &mut alignment);
    alignment
}

impl Alignment {
    /// A log line on the common line: by the program's own time, else by its wrapper's.
    pub fn log(&self, at: &LogRef) -> Option<When> {
        let usable = |basis: Basis| matches!(basis, Basis::Utc | Basis::Civil);
        if let Some(stamp) = at.stamp {
            let clock = self.clocks.get(at.cite.source.0 as usize)?;
            return (clock.aligned || usable(stamp.basis))
                .then(|| clock.stamp(at.cite.place, stamp));
        }
        let stamp = at.outer.filter(|stamp| usable(stamp.basis))?;
        let own = self
            .clocks
            .iter()
            .find(|clock| clock.outer && clock.source == at.cite.source)?;
        Some(own.stamp(at.cite.place, stamp))
    }

    /// A packet on the common line.
    pub fn moment(&self, source: SourceId, at: Moment) -> When {
        self.clocks
            .get(source.0 as usize)
            .map_or_else(|| Clock::own(source).moment(at), |clock| clock.moment(at))
    }

    /// When a connection was opened, by the best part that tells.
    pub fn opened(&self, records: &Records, joined: &Joined) -> Option<When> {
        let captured = joined
            .conns
            .iter()
            .map(|leg| &records.conns[leg.conn()])
            .map(|conn| self.moment(conn.source, conn.first));
        let server = || {
            self.log(
                joined
                    .server()
                    .and_then(|(life, conn)| records.servers[life].conns[conn].opened.as_ref())?,
            )
        };
        let client = || {
            let (story, conn) = joined.client()?;
            let story = &records.clients[story];
            let conn = &story.conns[conn];
            self.log(&story.events.get(conn.opened.or(conn.closed)?)?.at)
        };
        captured
            .min_by_key(|when| when.at)
            .or_else(server)
            .or_else(client)
    }

    /// When a connection ended, by the best part that tells.
    pub fn ended(&self, records: &Records, joined: &Joined) -> Option<When> {
        let captured = joined
            .conns
            .iter()
            .map(|leg| &records.conns[leg.conn()])
            .filter(|conn| conn.end().by.is_some())
            .map(|conn| self.moment(conn.source, conn.end().at));
        let server = || {
            self.log(
                joined
                    .server()
                    .and_then(|(life, conn)| records.servers[life].conns[conn].closed.as_ref())?,
            )
        };
        let client = || {
            let (story, conn) = joined.client()?;
            let story = &records.clients[story];
            self.log(&story.events.get(story.conns[conn].closed?)?.at)
        };
        captured
            .min_by_key(|when| when.at)
            .or_else(server)
            .or_else(client)
    }

    /// Joined connections by time; those without any time last. Nothing refers to them by index yet.
    fn sort(&mut self, records: &Records) {
        let mut joined = std::mem::take(&mut self.joined);
        joined.par_sort_by_cached_key(|one| {
            let opened = self.opened(records, one);
            let when = opened.or_else(|| self.ended(records, one));
            when.map_or(i64::MAX, |when| when.at.0)
        });
        self.joined = joined;
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod world;
