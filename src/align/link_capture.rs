//! One connection in several captures (or twice in one, on both sides of a NAT or proxy): equal initial sequence
//! numbers, the same INFO identity, the same four-tuple. No clocks are needed for any of these.

use std::collections::HashMap;

use rayon::prelude::*;

use super::joined::{Link, LinkBy, Records};
use super::link::Links;
use crate::reconstruct::conn::{Conn, FourTuple};
use crate::reconstruct::conn_sketch::ConnSketch;
use crate::shelf::{Name, Shelf};

/// Groups the captured connections.
pub fn group(records: &Records) -> Links {
    let conns = &records.conns;
    let mut groups = Groups {
        parent: (0..conns.len() as u32).collect(),
        links: Vec::new(),
    };
    by_numbers(conns, &mut groups);
    by_identity(conns, &mut groups);
    by_tuple(conns, &mut groups);
    let root: Vec<u32> = (0..conns.len() as u32)
        .map(|index| groups.root(index))
        .collect();
    Links::from_groups(records, &root, &groups.links)
}

/// The index of each in the list of connections, of which there are fewer than 2^32: each has an index in memory.
fn numbered(conns: &Shelf<Conn>) -> impl Iterator<Item = (u32, &ConnSketch)> {
    (0..).zip(conns.sketches())
}

fn by_numbers(conns: &Shelf<Conn>, groups: &mut Groups) {
    let mut both: Vec<((u32, u32), u32)> = Vec::with_capacity(conns.len());
    let mut by_attempt: HashMap<(u32, u16, u16), u32> = HashMap::new();
    let attempt = |conn: &ConnSketch, orig| (orig, conn.orig().port(), conn.resp().port());
    for (index, conn) in numbered(conns) {
        match conn.isn() {
            [Some(orig), Some(resp)] => both.push(((orig, resp), index)),
            // A SYN that nobody answered, or that only one capture saw answered.
            [Some(orig), None] => {
                let first = *by_attempt.entry(attempt(conn, orig)).or_insert(index);
                groups.join(first, index, LinkBy::SequenceAndPayload);
            }
            _ => {}
        }
    }
    groups.join_equal(both, LinkBy::SequenceAndPayload);
    if by_attempt.is_empty() {
        return;
    }
    for (index, conn) in numbered(conns) {
        if let [Some(orig), Some(_)] = conn.isn()
            && let Some(&first) = by_attempt.get(&attempt(conn, orig))
            && conns[first as usize].source != conn.source
        {
            groups.join(first, index, LinkBy::SequenceAndPayload);
        }
    }
}

fn by_identity(conns: &Shelf<Conn>, groups: &mut Groups) {
    let mut known: Vec<((Name, u64), u32)> = Vec::with_capacity(conns.len());
    known.extend(numbered(conns).filter_map(|(index, conn)| Some((conn.identity()?, index))));
    groups.join_equal(known, LinkBy::ServerIdAndCid);
}

/// Connections whose beginning a capture missed: the four-tuple, where it is unique in both captures.
fn by_tuple(conns: &Shelf<Conn>, groups: &mut Groups) {
    let whole = |conn: &ConnSketch| conn.isn().iter().all(Option::is_some);
    let mut uses: HashMap<FourTuple, Vec<u32>> = conns
        .sketches()
        .filter(|conn| !whole(conn))
        .map(|conn| (conn.tuple(), Vec::new()))
        .collect();
    if uses.is_empty() {
        return;
    }
    for (index, conn) in numbered(conns) {
        if let Some(uses) = uses.get_mut(&conn.tuple()) {
            uses.push(index);
        }
    }
    for (index, conn) in numbered(conns) {
        if whole(conn) {
            continue;
        }
        let Some(same) = uses.get(&conn.tuple()) else {
            continue;
        };
        let unique = |source| {
            same.iter()
                .filter(|&&other| conns[other as usize].source == source)
                .count()
                == 1
        };
        if !unique(conn.source) {
            continue;
        }
        for &other in same {
            let there = &conns[other as usize];
            let contradicts =
                |a: Option<u32>, b: Option<u32>| matches!((a, b), (Some(a), Some(b)) if a != b);
            let ([orig, resp], [orig_there, resp_there]) = (conn.isn(), there.isn());
            if there.source != conn.source
                && unique(there.source)
                && !contradicts(orig, orig_there)
                && !contradicts(resp, resp_there)
                && !matches!((conn.identity(), there.identity()), (Some(a), Some(b)) if a != b)
            {
                groups.join(other, index, LinkBy::AddressAndPort);
            }
        }
    }
}

/// Disjoint sets of connections; the smallest index of a set is its root.
struct Groups {
    parent: Vec<u32>,
    links: Vec<(u32, Link)>,
}

impl Groups {
    fn root(&mut self, mut index: u32) -> u32 {
        let parent = &mut self.parent;
        while parent[index as usize] != index {
            parent[index as usize] = parent[parent[index as usize] as usize];
            index = parent[index as usize];
        }
        index
    }

    /// Joins what has the same key. Sorted, as a table of hundreds of thousands takes more memory.
    fn join_equal<K: Ord + Copy + Send>(&mut self, mut keyed: Vec<(K, u32)>, by: LinkBy) {
        keyed.par_sort_unstable();
        for equal in keyed.chunk_by(|a, b| a.0 == b.0) {
            for (_, index) in &equal[1..] {
                self.join(equal[0].1, *index, by);
            }
        }
    }

    fn join(&mut self, a: u32, b: u32, by: LinkBy) {
        let (a, b) = (self.root(a), self.root(b));
        if a != b {
            self.parent[a.max(b) as usize] = a.min(b);
            self.links.push((a.min(b), Link { by, sure: true }));
        }
    }
}
