//! Ends at a server, and those whose times are of one kind in the order in which their common fate is asked for.

use std::net::IpAddr;

use super::moments::{Moments, Spans};
use super::wire::Side;
use crate::align::clock::When;

/// Where a client is, or its name where no address is known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// Its address.
    Address(IpAddr),
    /// Its name; empty where neither is known.
    Name(Box<str>),
}

/// One end among the ends at a server.
#[derive(Clone, Debug)]
pub struct EndMark {
    /// When.
    pub at: When,
    /// When it was opened.
    pub opened: Option<When>,
    /// Whose it was.
    pub host: Host,
    /// The side whose FIN or RST came first, where packets show it.
    pub first: Option<Side>,
    /// The client's log says that the remote side ended it (EOF or reset), and nothing else.
    pub remote_by_log: bool,
    /// A session was up.
    pub ready: bool,
    /// Its client did not read for long: what the server has sent waits in its host's kernel, whether the process lives or
    /// not, so that an end that comes late speaks for neither.
    pub clogged: bool,
    /// Server's log gives a reason of its own for it (anything but client closed, read or write error, shutdown).
    pub own_reason: bool,
}

/// Ends with times of one kind.
#[derive(Clone, Debug, Default)]
pub struct Kin {
    /// Of sessions that the server's side ended without a reason of its own.
    pub by_server: Moments,
    /// The hosts of those.
    pub hosts: Hosts,
    /// Latest opening and earliest end of every session.
    pub ready: Spans,
}

/// Such ends as they are told.
#[derive(Clone, Debug, Default)]
pub struct Gathering {
    /// See [`Kin::by_server`]: when, and the number of the host.
    by_server: Vec<(When, u32)>,
    /// See [`Kin::ready`].
    ready: Vec<(i64, i64)>,
}

impl Gathering {
    /// Takes an end of a client at the host of this number.
    pub fn add(&mut self, end: &EndMark, host: u32) {
        let first = end.first == Some(Side::Server) || end.first.is_none() && end.remote_by_log;
        if first && end.ready && !end.own_reason {
            self.by_server.push((end.at, host));
        }
        if let Some(opened) = end.opened.filter(|_| end.ready && !end.clogged) {
            self.ready.push((opened.bounds.high, end.at.bounds.low));
        }
    }

    /// Brings them into order.
    pub fn sort(self) -> Kin {
        Kin {
            by_server: Moments::new(self.by_server.iter().map(|(at, _)| *at)),
            hosts: Hosts::new(&self.by_server),
            ready: Spans::new(self.ready),
        }
    }
}

/// Which hosts' connections ended near a moment, told up to two: whether more than one is what matters.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    /// Ends by their earliest moment: that, the latest, and the host's number.
    ends: Vec<(i64, i64, u32)>,
    /// For each of `ends`, how many come before the run of its own host.
    run: Vec<usize>,
    /// The longest from earliest to latest.
    widest: i64,
}

impl Hosts {
    fn new(ends: &[(When, u32)]) -> Self {
        let mut ends: Vec<(i64, i64, u32)> = ends
            .iter()
            .map(|(at, host)| (at.bounds.low, at.bounds.high, *host))
            .collect();
        ends.sort_unstable();
        let mut run = Vec::with_capacity(ends.len());
        for (index, end) in ends.iter().enumerate() {
            let same = index > 0 && ends[index - 1].2 == end.2;
            run.push(if same { run[index - 1] } else { index });
        }
        let widths = ends.iter().map(|(low, high, _)| high.saturating_sub(*low));
        Self {
            widest: widths.max().unwrap_or(0),
            ends,
            run,
        }
    }

    /// Adds hosts to `found` until it has two.
    pub fn near(&self, at: When, slack: i64, found: &mut Vec<u32>) {
        let from = at.bounds.low.saturating_sub(slack);
        let mut left = self
            .ends
            .partition_point(|(low, ..)| low.saturating_sub(slack) <= at.bounds.high);
        while left > 0 && found.len() < 2 {
            let (low, high, host) = self.ends[left - 1];
            if low < from.saturating_sub(self.widest) {
                break;
            }
            if high < from {
                left -= 1;
                continue;
            }
            if !found.contains(&host) {
                found.push(host);
            }
            left = self.run[left - 1];
        }
    }
}
