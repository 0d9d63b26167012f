//! One connection in several captures (or twice in one, on both sides of a NAT or proxy): equal initial sequence
//! numbers, the same INFO identity, the same four-tuple. No clocks are needed for any of these.

use std::collections::HashMap;
use std::net::SocketAddr;

use super::joined::{Link, LinkBy, Records};
use super::link::Links;
use crate::reconstruct::conn_sketch::ConnSketch;

/// Groups the captured connections.
pub fn group(records: &Records) -> Links {
    let conns = records.conns.sketches();
    let mut groups = Groups {
        parent: (0..conns.len()).collect(),
        links: Vec::new(),
    };
    let mut by_isn: HashMap<(u32, u32), usize> = HashMap::new();
    let mut by_identity: HashMap<(&str, u64), usize> = HashMap::new();
    let mut by_attempt: HashMap<(u32, u16, u16), usize> = HashMap::new();
    for (index, conn) in conns.iter().enumerate() {
        match (conn.isn[0], conn.isn[1]) {
            (Some(orig), Some(resp)) => {
                let first = *by_isn.entry((orig, resp)).or_insert(index);
                groups.join(first, index, LinkBy::SequenceAndPayload);
            }
            // A SYN that nobody answered, or that only one capture saw answered.
            (Some(orig), None) => {
                let key = (orig, conn.tuple.orig.port(), conn.tuple.resp.port());
                let first = *by_attempt.entry(key).or_insert(index);
                groups.join(first, index, LinkBy::SequenceAndPayload);
            }
            _ => {}
        }
        if let Some(identity) = conn.identity() {
            let first = *by_identity.entry(identity).or_insert(index);
            groups.join(first, index, LinkBy::ServerIdAndCid);
        }
    }
    for (index, conn) in conns.iter().enumerate() {
        if let (Some(orig), Some(_)) = (conn.isn[0], conn.isn[1]) {
            let key = (orig, conn.tuple.orig.port(), conn.tuple.resp.port());
            if let Some(&first) = by_attempt.get(&key)
                && conns[first].source != conn.source
            {
                groups.join(first, index, LinkBy::SequenceAndPayload);
            }
        }
    }
    by_tuple(conns, &mut groups);
    let root: Vec<usize> = (0..conns.len()).map(|index| groups.root(index)).collect();
    Links::from_groups(records, &root, &groups.links)
}

/// Connections whose beginning a capture missed: the four-tuple, where it is unique in both captures.
fn by_tuple(conns: &[Box<ConnSketch>], groups: &mut Groups) {
    let mut uses: HashMap<(SocketAddr, SocketAddr), Vec<usize>> = HashMap::new();
    for (index, conn) in conns.iter().enumerate() {
        uses.entry((conn.tuple.orig, conn.tuple.resp))
            .or_default()
            .push(index);
    }
    for (index, conn) in conns.iter().enumerate() {
        if conn.isn.iter().all(Option::is_some) {
            continue;
        }
        let Some(same) = uses.get(&(conn.tuple.orig, conn.tuple.resp)) else {
            continue;
        };
        let unique = |source| {
            same.iter()
                .filter(|&&other| conns[other].source == source)
                .count()
                == 1
        };
        if !unique(conn.source) {
            continue;
        }
        for &other in same {
            let there = &conns[other];
            let contradicts =
                |a: Option<u32>, b: Option<u32>| matches!((a, b), (Some(a), Some(b)) if a != b);
            if there.source != conn.source
                && unique(there.source)
                && !contradicts(conn.isn[0], there.isn[0])
                && !contradicts(conn.isn[1], there.isn[1])
                && !matches!((conn.identity(), there.identity()), (Some(a), Some(b)) if a != b)
            {
                groups.join(other, index, LinkBy::AddressAndPort);
            }
        }
    }
}

/// Disjoint sets of connections; the smallest index of a set is its root.
struct Groups {
    parent: Vec<usize>,
    links: Vec<(usize, Link)>,
}

impl Groups {
    fn root(&mut self, mut index: usize) -> usize {
        while self.parent[index] != index {
            self.parent[index] = self.parent[self.parent[index]];
            index = self.parent[index];
        }
        index
    }

    fn join(&mut self, a: usize, b: usize, by: LinkBy) {
        let (a, b) = (self.root(a), self.root(b));
        if a != b {
            self.parent[a.max(b)] = a.min(b);
            self.links.push((a.min(b), Link { by, sure: true }));
        }
    }
}
