//! One server as seen by all its connections: what the fate of many tells that the fate of one cannot.

use std::collections::HashMap;
use std::net::SocketAddr;

use rayon::prelude::*;

use crate::align::clock::When;
use crate::shelf::Name;
use crate::source::SourceId;
use crate::span::Cite;
use crate::time::SECOND;

use super::closing_order::{Closed, ClosingOrder, Held, Order};
use super::disconnect::Disconnect;
use super::farewell::Farewell;
use super::finding::Evidence;
use super::kin::{Gathering, Host, Kin};
use super::life_end::LAST_WORDS;
use super::moments::{Moments, Spans};
use super::told::Told;

/// An answer to a connection attempt.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Index of the disconnect in the case.
    pub disconnect: usize,
    /// When the answer came, or the last SYN went.
    pub at: When,
    /// Refused: the host is up and nobody listens.
    pub refused: bool,
    /// The place.
    pub evidence: Evidence,
}

/// A server process's INFO on the wire.
#[derive(Clone, Debug)]
pub struct Seen {
    /// When.
    pub at: When,
    /// The packet.
    pub frame: u64,
    /// Its capture.
    pub source: SourceId,
    /// Index of the disconnect in the case.
    pub disconnect: u32,
    /// INFO's server_id.
    pub server_id: Name,
}

impl Seen {
    /// As evidence.
    pub fn evidence(&self) -> Evidence {
        Evidence {
            cite: Cite::frame(self.source, self.frame),
            at: Some(self.at),
            says: format!("INFO of server {}", short(&self.server_id)),
            supports: true,
        }
    }
}

/// A server address with all that happened there.
#[derive(Clone, Debug, Default)]
pub struct Endpoint {
    /// Indices of server lives at this address.
    pub lives: Vec<usize>,
    /// Its address, where known.
    pub address: Option<SocketAddr>,
    /// Ends that may have come with the server's own, by time.
    ends: Vec<Ended>,
    /// Attempts that failed, by time.
    pub attempts: Vec<Attempt>,
    /// INFOs seen, by time.
    pub infos: Vec<Seen>,
    /// When the server's log has a connection that was accepted and found reset within milliseconds.
    pub stillborn: Vec<When>,
    /// When the server's log notices an end of a client's making.
    pub noticed: Vec<When>,
    /// How many connections it refused over a limit of connections.
    pub over_limit: usize,
    /// Goodbyes of the server, by time.
    farewells: Vec<(When, Farewell)>,
    /// Numbers of its clients' hosts.
    hosts: HashMap<Host, u32>,
    gathered: Gathered,
    index: Index,
}

/// An end among those of a server.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// When.
    pub at: When,
    /// Index of the disconnect in the case.
    pub disconnect: u32,
}

/// What connections tell that only the index needs, until it is made.
#[derive(Clone, Debug, Default)]
struct Gathered {
    coarse: Gathering,
    fine: Gathering,
    /// See [`Index::open`].
    open: Vec<(i64, i64)>,
    held: Vec<Held>,
    closed: Vec<Closed>,
}

/// Ends at one instant are within this of each other: a kernel or a shutting server closes hundreds of sockets within
/// milliseconds; a second leaves room for timestamps without a fraction.
const INSTANT: i64 = SECOND / 2;

/// A stopping server, and the kernel of a dead one, are done with all connections within this.
const ONE_ACT: i64 = SECOND / 20;

/// A common fate.
#[derive(Clone, Copy, Debug)]
pub struct CommonFate {
    /// Ends at that instant, remote-first.
    pub together: usize,
    /// Connections of this server that were open across it, counted up to one.
    pub survivors: usize,
    /// Client hosts or names among the ended, counted up to two.
    pub hosts: usize,
}

impl Endpoint {
    /// Ends that may have come with the server's own, by time: asked for once.
    pub fn take_ends(&mut self) -> Vec<Ended> {
        std::mem::take(&mut self.ends)
    }

    /// How many of the server's connections ended at this instant by the server's side, and whether any lived on.
    pub fn common_fate(&self, at: When) -> CommonFate {
        let fine = if at.digits < 3 { SECOND } else { INSTANT };
        let index = &self.index;
        let (mut together, mut survived) = (0, false);
        let mut hosts = Vec::new();
        for (kin, slack) in [(&index.coarse, SECOND), (&index.fine, fine)] {
            together += kin.by_server.near(at, slack);
            kin.hosts.near(at, slack, &mut hosts);
            let later = at.at.0.saturating_add(LAST_WORDS);
            survived |= kin.ready.any_across(
                at.bounds.low,
                later.max(at.bounds.high.saturating_add(slack)),
            );
        }
        CommonFate {
            together,
            survivors: usize::from(survived),
            hosts: hosts.len(),
        }
    }

    /// The first attempt after `at` (within `within`) that was refused while nothing answered in between.
    pub fn refused_after(&self, at: When, within: i64) -> Option<&Attempt> {
        let refused = &self.index.refused;
        let from = refused
            .partition_point(|attempt| self.attempts[*attempt].at.at.since(at.at) <= -SECOND / 20);
        let attempt = &self.attempts[*refused.get(from)?];
        (attempt.at.at.since(at.at) < within).then_some(attempt)
    }

    /// The last INFO before a moment, and where those after it begin.
    fn infos_around(&self, at: When) -> Option<(&Seen, usize)> {
        let before = self.infos.partition_point(|seen| seen.at.at < at.at);
        let after = self.infos.partition_point(|seen| seen.at.at <= at.at);
        Some((&self.infos[before.checked_sub(1)?], after))
    }

    /// Server ids before and after a moment, if they differ: the process was replaced.
    pub fn replaced_across(&self, at: When) -> Option<(&Seen, &Seen)> {
        let (before, after) = self.infos_around(at)?;
        let after = self.infos.get(after)?;
        (before.server_id != after.server_id).then_some((before, after))
    }

    /// The same process speaks before and after a moment: it did not die there.
    pub fn same_process_across(&self, at: When) -> Option<&Seen> {
        let (before, after) = self.infos_around(at)?;
        let own = self.index.infos_of.get(&before.server_id)?;
        let next = own.get(own.partition_point(|info| (*info as usize) < after))?;
        self.infos.get(*next as usize)
    }

    /// When somebody was greeted first after a moment: the server takes connections again.
    pub fn greeted_after(&self, at: When) -> Option<When> {
        let next = self.infos.partition_point(|seen| seen.at.at <= at.at);
        Some(self.infos.get(next)?.at)
    }

    /// Somebody was greeted between two moments.
    pub fn spoke_between(&self, from: When, until: When) -> bool {
        let next = self.infos.partition_point(|seen| seen.at.at <= from.at);
        self.infos
            .get(next)
            .is_some_and(|seen| seen.at.at < until.at)
    }

    /// Another connection of this server was open and well across a moment.
    pub fn alive_at(&self, at: When) -> bool {
        let near = self
            .infos
            .partition_point(|seen| seen.at.at.since(at.at) <= -2 * SECOND);
        self.index.open.any_across(at.at.0, at.at.0)
            || self
                .infos
                .get(near)
                .is_some_and(|seen| seen.at.at.since(at.at) < 2 * SECOND)
    }

    /// How many connections the server accepted at this instant whose clients had left before.
    pub fn dead_on_arrival(&self, logged: When) -> usize {
        self.index.stillborn.near(logged, SECOND / 20)
    }

    /// How many ends the server noticed at this instant.
    pub fn noticed_together(&self, logged: When) -> usize {
        self.index.noticed.near(logged, SECOND / 20)
    }

    /// In which order a connection was closed with others.
    pub fn closing_order(&self, disconnect: &Disconnect) -> Option<Order> {
        self.index.closing_order.of(disconnect.index)
    }

    /// How the process took leave of those that ended at this instant: what one heard tells of all.
    pub fn farewell(&self, at: When) -> Option<&Farewell> {
        let from = self
            .farewells
            .partition_point(|(when, _)| when.at.since(at.at) < -ONE_ACT);
        let mut near = self.farewells[from..]
            .iter()
            .take_while(|(when, _)| when.at.since(at.at) <= ONE_ACT);
        let (_, first) = near.next()?;
        near.all(|(_, other)| other.said == first.said)
            .then_some(first)
    }
}

/// What is asked of an endpoint for every disconnect, sorted to be found quickly.
#[derive(Clone, Debug, Default)]
struct Index {
    /// Ends whose time has no fraction, and those whose time has.
    coarse: Kin,
    fine: Kin,
    /// Opening and end of connections with a session.
    open: Spans,
    /// Indices of refused attempts.
    refused: Vec<usize>,
    /// For each server id the indices of its INFOs.
    infos_of: HashMap<Name, Vec<u32>>,
    stillborn: Moments,
    noticed: Moments,
    closing_order: ClosingOrder,
}

impl Endpoint {
    /// Brings what was told into order, and makes the index.
    pub fn sort(&mut self) {
        self.ends
            .sort_unstable_by_key(|end| (end.at.at, end.disconnect));
        self.attempts
            .sort_by_key(|attempt| (attempt.at.at, attempt.disconnect));
        self.infos.par_sort_unstable_by_key(|seen| {
            (seen.at.at, seen.disconnect, seen.source, seen.frame)
        });
        self.lives.sort_unstable();
        let mut infos_of: HashMap<Name, Vec<u32>> = HashMap::new();
        for (index, seen) in self.infos.iter().enumerate() {
            infos_of
                .entry(seen.server_id)
                .or_default()
                .push(index as u32);
        }
        self.farewells.sort_by_key(|(when, _)| when.at);
        let gathered = std::mem::take(&mut self.gathered);
        self.index = Index {
            coarse: gathered.coarse.sort(),
            fine: gathered.fine.sort(),
            open: Spans::new(gathered.open),
            refused: (0..self.attempts.len())
                .filter(|attempt| self.attempts[*attempt].refused)
                .collect(),
            infos_of,
            stillborn: Moments::new(self.stillborn.iter().copied()),
            noticed: Moments::new(self.noticed.iter().copied()),
            closing_order: ClosingOrder::new(&gathered.held, &gathered.closed),
        };
    }

    /// Makes room for what this many connections tell.
    pub fn reserve(&mut self, count: usize) {
        self.gathered.open.reserve_exact(count);
        self.gathered.held.reserve_exact(count);
        self.infos.reserve_exact(count);
    }

    /// Takes what one connection tells.
    pub fn add(&mut self, told: Told) {
        self.attempts.extend(told.attempts);
        self.infos.extend(told.infos);
        self.noticed.extend(told.noticed);
        self.stillborn.extend(told.stillborn);
        let gathered = &mut self.gathered;
        gathered.held.extend(told.held);
        gathered.closed.extend(told.closed);
        if let Some(end) = told.end {
            if told.aside.may_be_gone {
                self.ends.push(Ended {
                    at: end.at,
                    // Lists in memory have fewer than 2^32 members.
                    disconnect: told.index as u32,
                });
            }
            let kin = match end.at.digits {
                0..3 => &mut gathered.coarse,
                _ => &mut gathered.fine,
            };
            let next = self.hosts.len() as u32;
            kin.add(&end, *self.hosts.entry(end.host.clone()).or_insert(next));
            let opened = end.opened.filter(|_| end.ready);
            let open = opened.map(|opened| (opened.at.0, end.at.at.0));
            gathered.open.extend(open);
        }
        self.farewells.extend(told.farewell);
        self.over_limit += usize::from(told.over_limit);
    }
}

/// The first characters of a server id, enough to tell two apart.
pub fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}
