//! Reconnects of one client: the next connection after each, by its log, else by name and address.

use std::collections::HashMap;
use std::net::IpAddr;

use super::Alignment;
use super::joined::{Joined, Records};
use super::link_client;

/// A new connection may be seen opening this long before the end of the old one is seen: two clocks, two captures.
const OVERLAP: i64 = 20_000_000;

/// Fills in [`Joined::next`].
pub fn note(records: &Records, alignment: &mut Alignment) {
    let opens: Vec<Option<i64>> = alignment
        .joined
        .iter()
        .map(|one| alignment.opened(records, one).map(|when| when.at.0))
        .collect();
    let ends: Vec<Option<i64>> = alignment
        .joined
        .iter()
        .map(|one| alignment.ended(records, one).map(|when| when.at.0))
        .collect();
    let mut next: Vec<Option<usize>> = vec![None; alignment.joined.len()];
    by_story(records, &alignment.joined, &mut next);
    let mut chains: Vec<Vec<usize>> = Vec::new();
    let mut by_client: HashMap<(&str, Option<IpAddr>), usize> = HashMap::new();
    for (index, one) in alignment.joined.iter().enumerate() {
        if let Some(name) = link_client::name(records, one) {
            let chain = *by_client
                .entry((name, address(records, one)))
                .or_insert_with(|| {
                    chains.push(Vec::new());
                    chains.len() - 1
                });
            chains[chain].push(index);
        }
    }
    let mut taken = vec![false; next.len()];
    for following in next.iter().flatten() {
        taken[*following] = true;
    }
    for mut chain in chains {
        chain.sort_by_key(|&index| (opens[index], index));
        let mut ended: Vec<usize> = chain
            .iter()
            .copied()
            .filter(|&index| next[index].is_none() && ends[index].is_some())
            .collect();
        ended.sort_by_key(|&index| (ends[index], index));
        let mut from = 0;
        for index in ended {
            let Some(end) = ends[index] else { continue };
            // Ends ascend, so what opened before this one's end opened before all later ones'.
            while from < chain.len() && opens[chain[from]].is_none_or(|open| open < end - OVERLAP) {
                from += 1;
            }
            if let Some(&following) = chain[from..]
                .iter()
                .find(|&&other| other != index && !taken[other])
            {
                taken[following] = true;
                next[index] = Some(following);
            }
        }
    }
    for (one, next) in alignment.joined.iter_mut().zip(next) {
        one.next = next;
    }
}

/// A story lists its connections in order.
fn by_story(records: &Records, joined: &[Joined], next: &mut [Option<usize>]) {
    let mut of_story: Vec<Vec<(usize, usize)>> = vec![Vec::new(); records.clients.len()];
    for (index, one) in joined.iter().enumerate() {
        if let Some((story, conn)) = one.client {
            of_story[story].push((conn, index));
        }
    }
    for mut conns in of_story {
        conns.sort_unstable();
        for pair in conns.windows(2) {
            next[pair[0].1] = Some(pair[1].1);
        }
    }
}

/// Where the client is, as far from the server as it is known.
fn address(records: &Records, joined: &Joined) -> Option<IpAddr> {
    let captured = joined
        .conns
        .first()
        .map(|leg| records.conns[leg.conn].tuple.orig.ip());
    captured.or_else(|| {
        joined
            .server
            .and_then(|(life, conn)| Some(records.servers[life].conns[conn].peer?.ip()))
    })
}
