//! Captured connections and a server log's connections: by server_id and cid, then by address and port.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

use super::clock::Clock;
use super::joined::{Joined, LinkBy, Records};
use super::link::Links;
use crate::reconstruct::conn::Manner;
use crate::time::SECOND;

/// Server lives by their id. A life whose log does not hold its banner gets its id from connections that only it can
/// have: the same cid and the same address in INFO and in its log.
pub fn lives_by_id(records: &Records) -> HashMap<&str, Vec<usize>> {
    let mut lives: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut nameless: HashMap<(u64, SocketAddr), Vec<usize>> = HashMap::new();
    for (index, life) in records.servers.iter().enumerate() {
        if let Some(id) = &life.identity.id {
            lives.entry(id).or_default().push(index);
        } else {
            for conn in &life.conns {
                if let Some(peer) = conn.peer {
                    nameless.entry((conn.id, peer)).or_default().push(index);
                }
            }
        }
    }
    if nameless.is_empty() {
        return lives;
    }
    let mut votes: HashMap<&str, Vec<(usize, usize)>> = HashMap::new();
    for conn in records.conns.sketches() {
        let Some((server, cid)) = conn
            .identity()
            .filter(|(server, _)| !lives.contains_key(server.text()))
        else {
            continue;
        };
        for life in nameless.get(&(cid, conn.orig())).into_iter().flatten() {
            let votes = votes.entry(server.text()).or_default();
            match votes.iter_mut().find(|vote| vote.0 == *life) {
                Some(vote) => vote.1 += 1,
                None => votes.push((*life, 1)),
            }
        }
    }
    let mut elected: Vec<(&str, usize)> = Vec::new();
    #[allow(
        clippy::iter_over_hash_type,
        reason = "the result goes into a map again"
    )]
    for (server, votes) in votes {
        if let Some((life, _)) = votes
            .iter()
            .max_by_key(|vote| (vote.1, std::cmp::Reverse(vote.0)))
        {
            elected.push((server, *life));
        }
    }
    for (server, life) in elected {
        lives.insert(server, vec![life]);
    }
    lives
}

/// Joins by equality of server_id and cid, and notes the server life.
pub fn exact(records: &Records, links: &mut Links, lives: &HashMap<&str, Vec<usize>>) {
    if lives.is_empty() {
        return;
    }
    for index in 0..links.joined.len() {
        let found = links.joined[index]
            .conns
            .iter()
            .find_map(|leg| records.conns[leg.conn()].identity());
        let server_id = links.joined[index]
            .conns
            .iter()
            .find_map(|leg| records.conns[leg.conn()].server_id);
        let Some(candidates) = server_id.and_then(|id| lives.get(id.text())) else {
            continue;
        };
        links.joined[index].set_server_life(candidates.first().copied());
        let Some((_, cid)) = found else {
            continue;
        };
        for &life in candidates {
            if let Ok(conn) = records.servers[life]
                .conns
                .binary_search_by_key(&cid, |conn| conn.id)
                && links.server(index, life, conn, LinkBy::ServerIdAndCid, true)
            {
                break;
            }
        }
    }
    by_known_server(records, links);
}

/// Joins what tells its server and not its cid (a snap length that cuts INFO) by the client's address, where that is used
/// once in the captures and once in the server's log.
fn by_known_server(records: &Records, links: &mut Links) {
    let key = |joined: &Joined| {
        let peer = records.conns[joined.conns.first()?.conn()].orig();
        Some((joined.server_life()?, peer))
    };
    // The addresses of what is not joined yet, each with all its uses in captures and in the log.
    let loose = links
        .joined
        .iter()
        .filter(|joined| joined.server().is_none());
    let mut uses: BTreeMap<(usize, SocketAddr), [Vec<usize>; 2]> = loose
        .filter_map(key)
        .map(|key| (key, Default::default()))
        .collect();
    if uses.is_empty() {
        return;
    }
    for (index, joined) in links.joined.iter().enumerate() {
        if let Some([captured, _]) = key(joined).and_then(|key| uses.get_mut(&key)) {
            captured.push(index);
        }
    }
    for (life, server) in records.servers.iter().enumerate() {
        for (conn, entry) in server.conns.iter().enumerate() {
            let peer = entry.peer.map(|peer| (life, peer));
            if let Some([_, logged]) = peer.and_then(|key| uses.get_mut(&key)) {
                logged.push(conn);
            }
        }
    }
    for ((life, _), [captured, logged]) in uses {
        if let (&[index], &[conn]) = (&captured[..], &logged[..]) {
            links.server(index, life, conn, LinkBy::AddressAndPort, true);
        }
    }
}

/// How much earlier than its packets a log line may be, beyond the bounds of the clocks.
const EARLY: i64 = 5 * SECOND;
/// How much later: a stuck server accepts from its queue what came minutes ago.
const OPEN_APART: i64 = 600 * SECOND;

/// Joins what INFO does not tell (encrypted from the first byte, capture starts late) by address and port; a port that
/// was used again is told apart by time where clocks are aligned, else by order.
pub fn by_address(records: &Records, links: &mut Links, clocks: &[Clock]) {
    let mut logged: HashMap<SocketAddr, Vec<(usize, usize)>> = HashMap::new();
    for (life, server) in records.servers.iter().enumerate() {
        for (conn, entry) in server.conns.iter().enumerate() {
            if links.of_server[life][conn].is_none()
                && let Some(peer) = entry.peer
            {
                logged.entry(peer).or_default().push((life, conn));
            }
        }
    }
    let mut captured: HashMap<SocketAddr, Vec<usize>> = HashMap::new();
    let mut peers: Vec<SocketAddr> = Vec::new();
    for (index, joined) in links.joined.iter().enumerate() {
        if joined.server().is_some() {
            continue;
        }
        for leg in &joined.conns {
            let conn = &records.conns[leg.conn()];
            if matches!(
                conn.end().manner,
                Manner::Refused | Manner::Unanswered | Manner::Unreachable
            ) {
                continue;
            }
            let peer = conn.orig();
            if logged.contains_key(&peer) {
                let uses = captured.entry(peer).or_default();
                if uses.is_empty() {
                    peers.push(peer);
                }
                if uses.last() != Some(&index) {
                    uses.push(index);
                }
            }
        }
    }
    peers.sort_unstable();
    for peer in peers {
        pair(records, links, clocks, &captured[&peer], &logged[&peer]);
    }
}

/// Pairs the uses of one address in captures with those in logs.
fn pair(
    records: &Records,
    links: &mut Links,
    clocks: &[Clock],
    captured: &[usize],
    logged: &[(usize, usize)],
) {
    let fits = |links: &Links, index: usize, life: usize| {
        links.joined[index]
            .server_life()
            .is_none_or(|known| known == life)
            && links.joined[index].conns.iter().all(|leg| {
                let identity = &records.servers[life].identity;
                let there = records.conns[leg.conn()].resp();
                let others = identity.other_listeners.iter().map(|(_, listen)| *listen);
                let mut listeners = identity.listen.into_iter().chain(others).peekable();
                listeners.peek().is_none() || listeners.any(|listen| leg_may_listen(listen, there))
            })
    };
    let mut costs: Vec<(i64, usize, usize, usize)> = Vec::new();
    let mut timed = true;
    for &index in captured {
        for &(life, conn) in logged {
            if !fits(links, index, life) {
                continue;
            }
            match distance(records, links, clocks, index, life, conn) {
                Some(distance) if distance <= OPEN_APART => {
                    costs.push((distance, index, life, conn));
                }
                Some(_) => {}
                None => {
                    timed = false;
                    costs.push((0, index, life, conn));
                }
            }
        }
    }
    if timed {
        costs.sort_unstable();
        let sure = costs.len() == 1;
        for (_, index, life, conn) in costs {
            links.server(
                index,
                life,
                conn,
                LinkBy::AddressAndPort,
                sure || captured.len() == 1,
            );
        }
    } else if captured.len() == logged.len() {
        // Both lists are in their own order of time.
        let sure = captured.len() == 1;
        for (&index, &(life, conn)) in captured.iter().zip(logged) {
            if fits(links, index, life) {
                links.server(index, life, conn, LinkBy::AddressAndPort, sure);
            }
        }
    } else if let [(_, index, life, conn)] = costs[..] {
        links.server(index, life, conn, LinkBy::AddressAndPort, true);
    }
}

/// A listener at `listen` can be what `there` reached; port translation is left to INFO.
fn leg_may_listen(listen: SocketAddr, there: SocketAddr) -> bool {
    listen.port() == there.port() && (listen.ip().is_unspecified() || listen.ip() == there.ip())
}

/// How far the log's line is outside of the captured connection's life; `None` where clocks do not tell.
fn distance(
    records: &Records,
    links: &Links,
    clocks: &[Clock],
    index: usize,
    life: usize,
    conn: usize,
) -> Option<i64> {
    let entry = &records.servers[life].conns[conn];
    let line = [&entry.opened, &entry.closed, &entry.last]
        .into_iter()
        .find_map(Option::as_ref)?;
    let line_clock = clocks
        .get(line.cite.source.0 as usize)
        .filter(|clock| clock.aligned)?;
    let at = line_clock.stamp(line.cite.place, line.stamp?).bounds;
    links.joined[index]
        .conns
        .iter()
        .filter_map(|leg| {
            let captured = &records.conns[leg.conn()];
            let clock = clocks
                .get(captured.source.0 as usize)
                .filter(|clock| clock.aligned)?;
            let first = clock.moment(captured.first).bounds;
            let last = clock.moment(captured.last).bounds;
            let until = if entry.opened.is_some() {
                first.high
            } else {
                last.high
            };
            let early = first.low.saturating_sub(at.high);
            if early > EARLY {
                return Some(i64::MAX);
            }
            Some(early.max(at.low.saturating_sub(until)).max(0))
        })
        .min()
}
