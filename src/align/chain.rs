//! Reconnects of one client: the next connection after each, by its log, else by name and address.

use std::net::IpAddr;

use rayon::prelude::*;

use super::Alignment;
use super::joined::{Joined, Records};
use super::link_client;

/// A new connection may be seen opening this long before the end of the old one is seen: two clocks, two captures.
const OVERLAP: i64 = 20_000_000;

/// Fills in [`Joined::next`].
pub fn note(records: &Records, alignment: &mut Alignment) {
    by_story(records, &mut alignment.joined);
    let mut taken = vec![false; alignment.joined.len()];
    for following in alignment.joined.iter().filter_map(Joined::next) {
        taken[following] = true;
    }
    let joined = &alignment.joined;
    let named = joined.par_iter().enumerate();
    let mut named: Vec<(&str, u32)> = named
        .filter_map(|(index, one)| Some((link_client::name(records, one)?, index as u32)))
        .collect();
    // Sorted rather than gathered: most clients of a storm have one connection, and no list of their own is worth it.
    let client = |(name, index): &(_, u32)| (*name, address(records, &joined[*index as usize]));
    named.par_sort_unstable_by(|a, b| {
        let by_address = || client(a).1.cmp(&client(b).1);
        a.0.cmp(b.0).then_with(by_address).then(a.1.cmp(&b.1))
    });
    let mut found = Vec::new();
    for chain in named.chunk_by(|a, b| client(a) == client(b)) {
        if chain.len() > 1 {
            let chain = chain.iter().map(|(_, index)| *index as usize);
            follow(records, alignment, chain, &mut taken, &mut found);
        }
    }
    for (index, next) in found {
        alignment.joined[index].set_next(Some(next));
    }
}

/// Finds what follows each connection of one client; no two clients share a connection.
fn follow(
    records: &Records,
    alignment: &Alignment,
    chain: impl Iterator<Item = usize>,
    taken: &mut [bool],
    found: &mut Vec<(usize, usize)>,
) {
    let mut opens: Vec<(Option<i64>, usize)> = chain
        .map(|index| {
            let opened = alignment.opened(records, &alignment.joined[index]);
            (opened.map(|when| when.at.0), index)
        })
        .collect();
    opens.sort_unstable();
    let mut ends: Vec<(i64, usize)> = opens
        .iter()
        .filter_map(|(_, index)| {
            let one = &alignment.joined[*index];
            let ended = alignment.ended(records, one)?;
            one.next().is_none().then_some((ended.at.0, *index))
        })
        .collect();
    ends.sort_unstable();
    let mut from = 0;
    for (end, index) in ends {
        // Ends ascend, so what opened before this one's end opened before all later ones'.
        while opens
            .get(from)
            .is_some_and(|(open, _)| open.is_none_or(|open| open < end - OVERLAP))
        {
            from += 1;
        }
        let next = opens[from..].iter().map(|(_, other)| *other);
        if let Some(next) = next
            .filter(|other| *other != index)
            .find(|other| !taken[*other])
        {
            taken[next] = true;
            found.push((index, next));
        }
    }
}

/// A story lists its connections in order.
fn by_story(records: &Records, joined: &mut [Joined]) {
    let mut of_story: Vec<Vec<(usize, usize)>> = vec![Vec::new(); records.clients.len()];
    for (index, one) in joined.iter().enumerate() {
        if let Some((story, conn)) = one.client() {
            of_story[story].push((conn, index));
        }
    }
    for mut conns in of_story {
        conns.sort_unstable();
        for pair in conns.windows(2) {
            joined[pair[0].1].set_next(Some(pair[1].1));
        }
    }
}

/// Where the client is, as far from the server as it is known.
fn address(records: &Records, joined: &Joined) -> Option<IpAddr> {
    let captured = joined
        .conns
        .first()
        .map(|leg| records.conns[leg.conn()].orig().ip());
    captured.or_else(|| {
        joined
            .server()
            .and_then(|(life, conn)| Some(records.servers[life].conns[conn].peer?.ip()))
    })
}
