//! Clocks on their way to being solved: what the user knows of them, which files share one, the records that show them,
//! and afterwards their zones and the sentences about those that stay alone.

use std::collections::HashMap;

use rayon::prelude::*;

use super::AlignOptions;
use super::anchor::{Anchor, LINE_LAG, LINE_SWAP, Side};
use super::anchors::Anchors;
use super::clock::{Clock, Stretch};
use super::joined::Records;
use super::link::Links;
use super::solve::{self, CAPTURE, Known};
use super::words::{self, Located};
use super::zone::{self, QUARTER};
use super::{envelope, lines, turn};
use crate::input::rotation;
use crate::source::{Source, SourceId};
use crate::span::{LogRef, Place};
use crate::time::{Basis, SECOND};

/// Clocks on their way to being solved.
pub struct Setup {
    /// As far as they are solved.
    pub clocks: Vec<Clock>,
    known: Vec<Known>,
    /// What most stamps of each source count from.
    basis: Vec<Option<Basis>>,
    /// Zones given by the user, by source.
    zones: Vec<Option<i32>>,
    anchors: Anchors,
    /// The count of changes to the links that the clocks are solved for.
    solved: Option<usize>,
}

/// Lines with two times that are used for each source: the two clocks are read in the same moment, a few tell it all.
const WRAPPED: usize = 2000;

impl Setup {
    pub fn new(records: &Records, sources: &[Source], options: &AlignOptions) -> Self {
        let count = sources.len();
        let mut setup = Self {
            clocks: (0..count)
                .map(|index| Clock::own(SourceId(index as u32)))
                .collect(),
            known: (0..count)
                .map(|shared| Known {
                    shared,
                    ..Known::default()
                })
                .collect(),
            basis: vec![None; count],
            zones: vec![None; count],
            anchors: Anchors::default(),
            solved: None,
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
                clock.stretches = vec![Stretch::exact(*offset)];
                clock.given = true;
                clock.aligned = true;
                "given by --clock".clone_into(&mut clock.how);
            }
        }
        setup.share(records, sources);
        setup.read(records);
        setup
    }

    /// The files of a rotated log or capture were written on one clock.
    fn share(&mut self, records: &Records, sources: &[Source]) {
        let mut first_packets: Vec<Option<i128>> = vec![None; sources.len()];
        for conn in records.conns.sketches() {
            if let Some(first) = first_packets.get_mut(conn.source.0 as usize) {
                let at = i128::from(conn.first.ns);
                *first = Some(first.map_or(at, |first| first.min(at)));
            }
        }
        for group in rotation::groups(sources, &first_packets) {
            let members: Vec<usize> = group.members.iter().map(|id| id.0 as usize).collect();
            if members.iter().any(|&member| self.clocks[member].given) {
                continue;
            }
            for (file, &member) in members.iter().enumerate() {
                self.known[member].shared = members[0];
                self.clocks[member].file = file as u64;
            }
        }
    }

    fn see(&mut self, clock: usize, place: Place, ns: i64, rank: u32) {
        if clock < self.known.len() {
            self.rank(clock, rank);
            let place = self.clocks[clock].place(place);
            let shared = self.known[clock].shared;
            self.known[shared].records.push((place, ns));
        }
    }

    fn rank(&mut self, clock: usize, rank: u32) {
        if let Some(known) = self.known.get_mut(clock) {
            known.rank = known.rank.max(rank);
        }
    }

    /// Notes the first and the last packet of every connection.
    fn read_packets(&mut self, records: &Records) {
        // A list of hundreds of thousands that grows leaves as much again behind.
        let mut expected = vec![0; self.known.len()];
        for conn in records.conns.sketches() {
            if let Some(known) = self.known.get(conn.source.0 as usize) {
                expected[known.shared] += 2;
            }
        }
        for (known, expected) in self.known.iter_mut().zip(expected) {
            known.records.reserve_exact(expected);
        }
        for conn in records.conns.sketches() {
            for moment in [conn.first, conn.last] {
                let place = Place::Frame(moment.frame);
                self.see(conn.source.0 as usize, place, moment.ns, CAPTURE);
            }
        }
    }

    /// Notes every kept record of every clock, the turns of their order, and the wrappers' clocks.
    fn read(&mut self, records: &Records) {
        for conn in records.conns.sketches() {
            let near_server = matches!(conn.ttl, [Some(orig), Some(resp)] if orig.1 < resp.1);
            let rank = if near_server { CAPTURE + 1 } else { CAPTURE };
            self.rank(conn.source.0 as usize, rank);
        }
        // The clock of a lone capture is compared with nothing.
        if self.known.len() > 1 {
            self.read_packets(records);
        }
        let mut outer_of = vec![None; self.clocks.len()];
        let mut lines: Vec<&LogRef> = Vec::new();
        lines::each(records, |line| lines.push(line));
        let mut counts = vec![0_usize; self.clocks.len()];
        for line in lines.iter().filter(|line| line.outer.is_some()) {
            if let Some(count) = counts.get_mut(line.cite.source.0 as usize) {
                *count += 1;
            }
        }
        // Every so manieth line, so that the whole life of both clocks is told.
        let strides: Vec<usize> = counts.iter().map(|count| count / WRAPPED + 1).collect();
        for line in lines {
            let source = line.cite.source.0 as usize;
            if source >= outer_of.len() {
                continue;
            }
            if let Some(stamp) = line.stamp {
                self.basis[source] = self.basis[source].or(Some(stamp.basis));
                self.see(source, line.cite.place, stamp.ns, 1);
            }
            let Some(outer) = line.outer else { continue };
            let clock = *outer_of[source].get_or_insert_with(|| {
                self.clocks.push(Clock {
                    outer: true,
                    ..Clock::own(line.cite.source)
                });
                self.known.push(Known {
                    shared: self.clocks.len() - 1,
                    ..Known::default()
                });
                self.basis.push(Some(outer.basis));
                self.zones.push(None);
                self.clocks.len() - 1
            });
            self.see(clock, line.cite.place, outer.ns, 1);
            counts[source] += 1;
            if let Some(own) =
                Side::line(line).filter(|_| counts[source].is_multiple_of(strides[source]))
            {
                let wrapper = Side {
                    clock,
                    ns: outer.ns,
                    step: outer.resolution(),
                    cite: line.cite,
                };
                self.anchors
                    .list
                    .push(Anchor::about_before(own, wrapper, LINE_SWAP));
                self.anchors
                    .list
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
        let turns = turn::turns(records, self.known.len(), |line| {
            let clock = line.cite.source.0 as usize;
            let place = self.clocks.get(clock)?.place(line.cite.place);
            Some((self.known[clock].shared, place))
        });
        for (known, turns) in self.known.iter_mut().zip(turns) {
            known.records.par_sort_unstable();
            known.turns = turns;
        }
    }

    /// A clock without anchors: its own times, in the order in which its process wrote them.
    fn own(&self, index: usize) -> Clock {
        let clock = &self.clocks[index];
        let mut own = Clock {
            outer: clock.outer,
            file: clock.file,
            ..Clock::own(clock.source)
        };
        let turns = &self.known[self.known[index].shared].turns;
        turn::extend(&mut own.stretches, turns, &[]);
        own
    }

    /// Gathers what stays as it is whatever logs are linked to.
    pub fn anchor(&mut self, records: &Records, links: &Links, lives: &HashMap<&str, Vec<usize>>) {
        self.anchors.gather_fixed(records, links, lives);
    }

    /// Solves the clocks as far as links now tell.
    pub fn solve(&mut self, records: &Records, links: &Links) {
        if self.solved.replace(links.changes) == Some(links.changes) {
            return;
        }
        self.anchors.gather_linked(records, links);
        for index in 0..self.clocks.len() {
            if !self.clocks[index].given {
                self.clocks[index] = self.own(index);
            }
        }
        solve::solve(&mut self.clocks, &self.known, &self.anchors.list);
    }

    /// Zones, and the common line itself brought to UTC where the reference has no zone.
    pub fn finish(&mut self, located: Located) {
        for (clock, known) in self.clocks.iter_mut().zip(&self.known) {
            words::tell(clock, known.is_capture(), located);
        }
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
                if clock.aligned {
                    zone::compare(clock, zone);
                } else {
                    for stretch in &mut clock.stretches {
                        zone::set(stretch, zone);
                    }
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
                let last = &clock.stretches[clock.stretches.len() - 1];
                offsets.push(last.offset(last.tightest).1);
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
                stretch.shift(zone);
            }
            if *basis == Some(Basis::Civil) {
                zone::note(clock);
            }
        }
    }

    /// A clock that is known only to within seconds, and may be right, is taken at its word: hosts keep time better than
    /// that.
    fn trust_what_may_be_right(&mut self) {
        for clock in self
            .clocks
            .iter_mut()
            .filter(|clock| clock.aligned && !clock.given)
        {
            for stretch in &mut clock.stretches {
                let (bounds, best) = stretch.offset(stretch.tightest);
                let whole = (best + QUARTER / 2).div_euclid(QUARTER) * QUARTER;
                if bounds.width() > SECOND && (bounds.low..=bounds.high).contains(&whole) {
                    stretch.best.offset += (whole - best) as f64;
                }
            }
        }
    }

    /// The clocks; what they were solved from is let go.
    pub fn into_clocks(self) -> Vec<Clock> {
        self.clocks
    }

    pub fn unaligned(&mut self, records: &Records, sources: &[Source]) -> Vec<String> {
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
            let is_capture = envelope::is_capture(&records.conns, clock.source);
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
