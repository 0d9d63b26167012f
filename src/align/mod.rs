//! One time line and one connection: a clock for every source, and the parts of each connection joined over sources.
//!
//! Joins that need no clock come first (server_id and cid, sequence numbers, addresses); their records are anchors, from
//! which the clocks are solved; with clocks, what only time can tell is joined; those joins give anchors for the clocks
//! that are still loose.
//!
//! Invariant: recorded times are never rewritten, and an order that the bounds do not show is never claimed.

pub mod anchor;
mod anchor_client;
mod anchor_server;
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
pub mod solve;
pub mod timeline;
pub mod zone;

use anchor::{Anchor, LINE_LAG, LINE_SWAP, Side};
use clock::{Clock, When};
use joined::{Joined, Records};
use link::Links;
use solve::Known;

use crate::source::{Source, SourceId};
use crate::span::{LogRef, Moment};
use crate::time::{Basis, Bounds, SECOND};

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
pub fn align(records: &Records, sources: &[Source], options: &AlignOptions) -> Alignment {
    let mut setup = Setup::new(records, sources, options);
    let mut links = link_capture::group(records);
    link_server::exact(records, &mut links);
    near::note(records, &mut links.joined);
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
    near::note(records, &mut links.joined);
    setup.finish(records, sources);
    let mut alignment = Alignment {
        unaligned: setup.unaligned(records, sources),
        clocks: setup.clocks,
        joined: links.joined,
    };
    alignment.sort(records);
    chain::note(records, &mut alignment);
    alignment
}

impl Alignment {
    /// A log line on the common line: by the program's own time, else by its wrapper's.
    pub fn log(&self, at: &LogRef) -> Option<When> {
        let usable = |basis: Basis| matches!(basis, Basis::Utc | Basis::Civil);
        if let Some(stamp) = at.stamp {
            let clock = self.clocks.get(at.cite.source.0 as usize)?;
            return (clock.aligned || usable(stamp.basis))
                .then(|| clock.raw(stamp.ns, stamp.digits));
        }
        let stamp = at.outer.filter(|stamp| usable(stamp.basis))?;
        let own = self
            .clocks
            .iter()
            .find(|clock| clock.outer && clock.source == at.cite.source)?;
        Some(own.raw(stamp.ns, stamp.digits))
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
            .map(|leg| &records.conns[leg.conn])
            .map(|conn| self.moment(conn.source, conn.first));
        let server = || {
            self.log(
                joined
                    .server
                    .and_then(|(life, conn)| records.servers[life].conns[conn].opened.as_ref())?,
            )
        };
        let client = || {
            let (story, conn) = joined.client?;
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
            .map(|leg| &records.conns[leg.conn])
            .filter(|conn| conn.end.by.is_some())
            .map(|conn| self.moment(conn.source, conn.end.at));
        let server = || {
            self.log(
                joined
                    .server
                    .and_then(|(life, conn)| records.servers[life].conns[conn].closed.as_ref())?,
            )
        };
        let client = || {
            let (story, conn) = joined.client?;
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
        let mut keyed: Vec<(i64, usize)> = self
            .joined
            .iter()
            .enumerate()
            .map(|(index, one)| {
                let when = self
                    .opened(records, one)
                    .or_else(|| self.ended(records, one));
                (when.map_or(i64::MAX, |when| when.at.0), index)
            })
            .collect();
        keyed.sort_unstable();
        let mut take = |(_, index): &(i64, usize)| std::mem::take(&mut self.joined[*index]);
        self.joined = keyed.iter().map(&mut take).collect();
    }
}

/// Clocks on their way to being solved.
struct Setup {
    clocks: Vec<Clock>,
    known: Vec<Known>,
    /// What most stamps of each source count from.
    basis: Vec<Option<Basis>>,
    /// Zones given by the user, by source.
    zones: Vec<Option<i32>>,
    /// Lines with two times, as anchors between a source's own clock and its wrapper's.
    wrapped: Vec<Anchor>,
}

/// Lines with two times that are used for each source: the two clocks are read in the same moment, a few tell it all.
const WRAPPED: usize = 2000;

impl Setup {
    fn new(records: &Records, sources: &[Source], options: &AlignOptions) -> Self {
        let count = sources.len();
        let mut setup = Self {
            clocks: (0..count)
                .map(|index| Clock::own(SourceId(index as u32)))
                .collect(),
            known: vec![
                Known {
                    span: (i64::MAX, i64::MIN),
                    rank: 0,
                };
                count
            ],
            basis: vec![None; count],
            zones: vec![None; count],
            wrapped: Vec::new(),
        };
        for (index, source) in sources.iter().enumerate() {
            if let Some((_, zone)) = options
                .zones
                .iter()
                .find(|(pattern, _)| names(pattern, &source.path))
            {
                setup.zones[index] = Some(*zone);
            }
            if let Some((_, offset)) = options
                .clocks
                .iter()
                .find(|(pattern, _)| names(pattern, &source.path))
            {
                let clock = &mut setup.clocks[index];
                clock.stretches[0].offset = Bounds::exact(*offset);
                clock.stretches[0].best = *offset;
                clock.given = true;
                clock.aligned = true;
                "given by --clock".clone_into(&mut clock.how);
            }
        }
        setup.spans(records);
        setup
    }

    fn see(&mut self, clock: usize, ns: i64, rank: u32) {
        if let Some(known) = self.known.get_mut(clock) {
            known.span = (known.span.0.min(ns), known.span.1.max(ns));
            known.rank = known.rank.max(rank);
        }
    }

    fn spans(&mut self, records: &Records) {
        for conn in records.conns.sketches() {
            let source = conn.source.0 as usize;
            let near_server = matches!(conn.ttl, [Some(orig), Some(resp)] if orig.1 < resp.1);
            self.see(source, conn.first.ns, if near_server { 8 } else { 7 });
            self.see(source, conn.last.ns, 7);
        }
        let mut outer_of = vec![None; self.clocks.len()];
        let mut lines: Vec<&LogRef> = Vec::new();
        lines::each(records, |line| lines.push(line));
        let mut counts = vec![0_usize; self.clocks.len()];
        for line in lines {
            let source = line.cite.source.0 as usize;
            if source >= outer_of.len() {
                continue;
            }
            if let Some(stamp) = line.stamp {
                self.basis[source] = self.basis[source].or(Some(stamp.basis));
                self.see(source, stamp.ns, 1);
            }
            let Some(outer) = line.outer else { continue };
            let clock = *outer_of[source].get_or_insert_with(|| {
                self.clocks.push(Clock {
                    outer: true,
                    ..Clock::own(line.cite.source)
                });
                self.known.push(Known {
                    span: (i64::MAX, i64::MIN),
                    rank: 0,
                });
                self.basis.push(Some(outer.basis));
                self.zones.push(None);
                self.clocks.len() - 1
            });
            self.see(clock, outer.ns, 1);
            counts[source] += 1;
            if let Some(own) = Side::line(line).filter(|_| counts[source] <= WRAPPED) {
                let wrapper = Side {
                    clock,
                    ns: outer.ns,
                    step: outer.resolution(),
                    cite: line.cite,
                };
                self.wrapped
                    .push(Anchor::about_before(own, wrapper, LINE_SWAP));
                self.wrapped
                    .push(Anchor::usually(own, wrapper, 0, LINE_LAG));
            }
        }
        for life in &records.servers {
            for source in &life.sources {
                if let Some(known) = self
                    .known
                    .get_mut(source.0 as usize)
                    .filter(|known| known.rank > 0)
                {
                    known.rank = known.rank.max(4);
                }
            }
        }
        for known in &mut self.known {
            if known.span.0 > known.span.1 {
                known.span = (0, 0);
            }
        }
    }

    fn solve(&mut self, records: &Records, links: &Links) {
        let mut anchors = self.wrapped.clone();
        for joined in &links.joined {
            envelope::anchors(&records.conns, joined, &mut anchors);
            anchor_server::anchors(records, joined, &mut anchors);
            anchor_client::anchors(records, joined, &mut anchors);
        }
        let lives = link_server::lives_by_id(records);
        anchor_server::life_anchors(records, &lives, &mut anchors);
        for clock in &mut self.clocks {
            if !clock.given {
                *clock = Clock {
                    outer: clock.outer,
                    ..Clock::own(clock.source)
                };
            }
        }
        solve::solve(&mut self.clocks, &self.known, &anchors);
    }

    /// Zones, and the common line itself brought to UTC where the reference has no zone.
    fn finish(&mut self, records: &Records, sources: &[Source]) {
        let _ = (records, sources);
        let civil = |basis: Option<Basis>| matches!(basis, Some(Basis::Civil));
        let utc_tied = self
            .clocks
            .iter()
            .zip(&self.basis)
            .any(|(clock, basis)| clock.given || (clock.aligned && basis.is_none()));
        if !utc_tied {
            self.shift_to_utc();
        }
        self.trust_what_may_be_right();
        for index in 0..self.clocks.len() {
            let clock = &mut self.clocks[index];
            if let Some(zone) = self.zones[index] {
                clock.zone_s = Some(zone);
                clock.given = true;
                if !clock.aligned {
                    let middle = -i64::from(zone) * SECOND;
                    clock.stretches[0].offset = Bounds {
                        low: middle - SECOND,
                        high: middle + SECOND,
                    };
                    clock.stretches[0].best = middle;
                    clock.aligned = true;
                    "zone given by --tz; how far its clock was off is not known"
                        .clone_into(&mut clock.how);
                }
            }
            if civil(self.basis[index]) && (clock.anchors > 0 || clock.given) {
                zone::note(clock);
            }
        }
    }

    /// No capture and nothing given: the line is the reference log's own time. Where a source with a zone is tied to it,
    /// or the reference's zone was given, the line is moved by whole quarters of an hour to UTC.
    fn shift_to_utc(&mut self) {
        let mut offsets: Vec<i64> = Vec::new();
        for (clock, basis) in self.clocks.iter().zip(&self.basis) {
            if clock.aligned && *basis == Some(Basis::Utc) {
                offsets.push(clock.stretches[clock.stretches.len() - 1].best);
            }
        }
        offsets.sort_unstable();
        let from_given = || {
            let index = self
                .clocks
                .iter()
                .position(|clock| clock.aligned && clock.anchors == 0)?;
            Some(i64::from(self.zones[index]?) * SECOND)
        };
        let Some(zone) = offsets
            .get(offsets.len() / 2)
            .and_then(|offset| zone::of_offset(-offset))
            .map(|zone| i64::from(zone) * SECOND)
            .or_else(from_given)
        else {
            return;
        };
        for (clock, basis) in self.clocks.iter_mut().zip(&self.basis) {
            if !clock.aligned {
                continue;
            }
            for stretch in &mut clock.stretches {
                stretch.best = stretch.best.saturating_sub(zone);
                stretch.offset.low = stretch.offset.low.saturating_sub(zone);
                stretch.offset.high = stretch.offset.high.saturating_sub(zone);
            }
            if *basis == Some(Basis::Civil) {
                zone::note(clock);
            }
        }
    }

    /// A clock that is known only to within seconds, and may be right, is taken at its word: hosts keep time better than
    /// that.
    fn trust_what_may_be_right(&mut self) {
        const QUARTER: i64 = 900 * SECOND;
        for clock in self
            .clocks
            .iter_mut()
            .filter(|clock| clock.aligned && !clock.given)
        {
            for stretch in clock
                .stretches
                .iter_mut()
                .filter(|stretch| stretch.offset.width() > SECOND)
            {
                let whole = (stretch.best + QUARTER / 2).div_euclid(QUARTER) * QUARTER;
                if (stretch.offset.low..=stretch.offset.high).contains(&whole) {
                    stretch.best = whole;
                }
            }
        }
    }

    fn unaligned(&mut self, records: &Records, sources: &[Source]) -> Vec<String> {
        let reference = self
            .clocks
            .iter()
            .position(|clock| clock.aligned && (clock.given || clock.anchors == 0));
        let name = |index: usize| {
            sources
                .get(self.clocks[index].source.0 as usize)
                .map_or("?", |source| source.path.as_str())
                .to_owned()
        };
        let mut sentences = Vec::new();
        let mut hows = Vec::new();
        for (index, clock) in self.clocks.iter().enumerate() {
            if clock.aligned || clock.outer || self.known[index].rank == 0 {
                continue;
            }
            let is_capture = envelope::is_capture(records.conns.sketches(), clock.source);
            let allow = if is_capture {
                "a capture of the same connections, or a server log with debug lines, would allow it; --clock sets it by hand"
            } else {
                "debug lines in the server's log, or a capture that holds the same connections from their start, would allow it; --tz and --clock set it by hand"
            };
            let against = reference.map_or_else(|| "any other source".to_owned(), name);
            sentences.push(format!("{} could not be aligned with {against}: no records of both are known to be the same moment; {allow}", name(index)));
            hows.push((index, allow));
        }
        for (index, allow) in hows {
            self.clocks[index].how = format!("not aligned: {allow}");
        }
        sentences
    }
}

/// A path as given, its last part, or a glob over the path.
fn names(pattern: &str, path: &str) -> bool {
    pattern == path
        || path.rsplit(['/', '!']).next() == Some(pattern)
        || globset::Glob::new(pattern).is_ok_and(|glob| glob.compile_matcher().is_match(path))
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod world;
