//! Client logs' connections: by cid or local port where lines carry them, else by client name and times, else by times.
//!
//! A client log's clock is not known yet. The offset that explains most of its events by opens and closes of
//! connections that may be its own is found first, then each of its connections is given to the nearest.

use std::collections::HashMap;

use super::clock::Clock;
use super::joined::{Joined, LinkBy, Records};
use super::link::Links;
use super::link_capture::info;
use super::offset::{Constraint, FAR, interval};
use crate::reconstruct::client::{ClientEventKind, ClientStory, Library};
use crate::reconstruct::conn::End;
use crate::span::{Cite, LogRef};
use crate::time::{Bounds, SECOND};

/// A joined connection as something that a client's log may tell of.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    /// The joined connection.
    joined: usize,
    /// When the client could know that it is connected, on the common line.
    ready: Option<Bounds>,
    /// When it ended.
    end: Option<Bounds>,
}

/// Joins client connections that name the server's cid or their own port.
pub fn exact(records: &Records, links: &mut Links) {
    let mut by_port: HashMap<std::net::SocketAddr, Vec<usize>> = HashMap::new();
    let mut by_cid: HashMap<u64, Vec<usize>> = HashMap::new();
    for (index, joined) in links.joined.iter().enumerate() {
        for address in addresses(records, joined) {
            let uses = by_port.entry(address).or_default();
            if uses.last() != Some(&index) {
                uses.push(index);
            }
        }
        if let Some(cid) = cid(records, joined) {
            by_cid.entry(cid).or_default().push(index);
        }
    }
    for (index, story) in records.clients.iter().enumerate() {
        for (conn, own) in story.conns.iter().enumerate() {
            let events = || {
                own.opened
                    .iter()
                    .chain(&own.why)
                    .chain(&own.closed)
                    .filter_map(|&event| story.events.get(event))
            };
            let by_local = events()
                .filter_map(|event| by_port.get(&event.local?))
                .find(|uses| uses.len() == 1);
            let by_number = || {
                events()
                    .filter_map(|event| by_cid.get(&event.cid?))
                    .find_map(|uses| {
                        let fits: Vec<usize> = uses
                            .iter()
                            .copied()
                            .filter(|&index| may_be(records, &links.joined[index], story))
                            .collect();
                        <[usize; 1]>::try_from(fits).ok().map(|[only]| only)
                    })
            };
            if let Some(joined) = by_local.map(|uses| uses[0]).or_else(by_number) {
                links.client(joined, index, conn, LinkBy::ClientCidOrPort, true);
            }
        }
    }
}

/// The client's address as each part shows it.
fn addresses<'a>(
    records: &'a Records,
    joined: &'a Joined,
) -> impl Iterator<Item = std::net::SocketAddr> + 'a {
    let server = joined
        .server
        .and_then(|(life, conn)| records.servers[life].conns[conn].peer);
    joined
        .conns
        .iter()
        .map(|leg| records.conns[leg.conn].tuple.orig)
        .chain(server)
}

fn cid(records: &Records, joined: &Joined) -> Option<u64> {
    joined
        .server
        .map(|(life, conn)| records.servers[life].conns[conn].id)
        .or_else(|| {
            joined
                .conns
                .iter()
                .find_map(|leg| info(&records.conns[leg.conn])?.client_id)
        })
}

/// The client name that the connection gave itself.
pub fn name<'a>(records: &'a Records, joined: &Joined) -> Option<&'a str> {
    let connect = |conn: usize| {
        records.conns[conn]
            .session
            .as_ref()?
            .connect
            .as_ref()?
            .name
            .as_deref()
    };
    joined
        .conns
        .iter()
        .find_map(|leg| connect(leg.conn))
        .or_else(|| {
            joined
                .server
                .and_then(|(life, conn)| records.servers[life].conns[conn].name.as_deref())
        })
        .filter(|name| !name.is_empty())
}

/// The client library that the connection gave.
fn lang<'a>(records: &'a Records, joined: &Joined) -> Option<&'a str> {
    let connect = |conn: usize| {
        records.conns[conn]
            .session
            .as_ref()?
            .connect
            .as_ref()?
            .lang
            .as_deref()
    };
    joined
        .conns
        .iter()
        .find_map(|leg| connect(leg.conn))
        .or_else(|| {
            joined
                .server
                .and_then(|(life, conn)| records.servers[life].conns[conn].lang.as_deref())
        })
}

/// Nothing that the connection says of its client speaks against this story.
fn may_be(records: &Records, joined: &Joined, story: &ClientStory) -> bool {
    if name(records, joined)
        .is_some_and(|name| story.name_from_text && !same_name(&story.name, name))
    {
        return false;
    }
    lang(records, joined).is_none_or(|lang| speaks(story.library, lang))
}

/// Whether a library writes this `lang` into CONNECT (facts 4.1); unknown ones may be anything.
fn speaks(library: Library, lang: &str) -> bool {
    match library {
        Library::Unknown => true,
        Library::Go | Library::NatsCli => lang == "go",
        Library::Python => lang.starts_with("python"),
        Library::RustAsync | Library::RustSync => lang == "rust",
        Library::JsV1 | Library::JsV2 | Library::JsV3 => {
            !matches!(lang, "go" | "rust" | "java" | "C") && !lang.starts_with("python")
        }
        Library::Java => lang == "java",
        Library::DotNetV1 | Library::DotNetV2 => {
            lang.starts_with('.') || lang.contains("NET") || lang == "C#"
        }
        Library::C => lang == "C" || lang == "c",
        Library::Ruby => lang.contains("ruby"),
        Library::Elixir => lang == "elixir",
        Library::Swift => lang.eq_ignore_ascii_case("swift"),
    }
}

/// Equal, or one is the other behind a separator: the log's file stem `client-orders-0` and the client `orders-0`.
pub fn same_name(story: &str, name: &str) -> bool {
    let ends = |long: &str, short: &str| {
        !short.is_empty()
            && long.strip_suffix(short).is_some_and(|head| {
                head.is_empty() || head.ends_with(['-', '_', '.', '/', ' ', ':'])
            })
    };
    ends(story, name) || ends(name, story)
}

/// Events of one story against more candidates than this are not tried: the pairs would outgrow the input.
const CANDIDATES: usize = 512;

/// Events of a story that are used to find the offset.
const EVENTS: usize = 64;

/// Joins the rest by name and time, and then, for stories whose name nothing else knows, by time.
pub fn by_time(records: &Records, links: &mut Links, clocks: &[Clock]) {
    let mut named: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut names: Vec<&str> = Vec::new();
    for (index, joined) in links.joined.iter().enumerate() {
        if let Some(name) = name(records, joined) {
            let uses = named.entry(name).or_default();
            if uses.is_empty() {
                names.push(name);
            }
            uses.push(index);
        }
    }
    let mut pool: Vec<Vec<usize>> = Vec::with_capacity(records.clients.len());
    let mut claimed: HashMap<usize, usize> = HashMap::new();
    for (index, story) in records.clients.iter().enumerate() {
        let found = candidates_by_name(&named, &story.name, links.joined.len());
        for &joined in &found {
            claimed.entry(joined).or_insert(index);
        }
        pool.push(found);
    }
    let mut sources: Vec<u32> = records.clients.iter().map(|story| story.source.0).collect();
    sources.sort_unstable();
    sources.dedup();
    for &source in &sources {
        let stories: Vec<usize> = (0..records.clients.len())
            .filter(|&story| records.clients[story].source.0 == source && !pool[story].is_empty())
            .collect();
        assign(
            records,
            links,
            clocks,
            source,
            &stories,
            &pool,
            LinkBy::NameAndTime,
        );
    }
    // Stories that no name points at: whatever speaks their library and is nobody else's.
    for index in 0..pool.len() {
        let story = &records.clients[index];
        if pool[index].is_empty() {
            let open: Vec<usize> = (0..links.joined.len())
                .filter(|joined| {
                    links.joined[*joined].client.is_none()
                        && !claimed.contains_key(joined)
                        && may_be(records, &links.joined[*joined], story)
                })
                .take(CANDIDATES + 1)
                .collect();
            if open.len() <= CANDIDATES {
                pool[index] = open;
                assign(
                    records,
                    links,
                    clocks,
                    story.source.0,
                    &[index],
                    &pool,
                    LinkBy::Time,
                );
            }
        }
    }
}

/// Connections under this story's name: the name itself, its suffixes behind a separator, or names that end in it.
fn candidates_by_name(named: &HashMap<&str, Vec<usize>>, story: &str, _all: usize) -> Vec<usize> {
    let starts = std::iter::once(0).chain(
        story
            .match_indices(['-', '_', '.', '/', ' ', ':'])
            .map(|(at, _)| at + 1),
    );
    for start in starts.take(16) {
        if let Some(uses) = named.get(&story[start..]) {
            return uses.clone();
        }
    }
    Vec::new()
}

/// The log's own time of an event, on its own clock.
fn raw(at: &LogRef) -> Option<(i64, i64)> {
    at.stamp.map(|stamp| (stamp.ns, stamp.resolution()))
}

/// How late "connected" may be after the handshake, for finding pairs (not for bounds).
const READY_LAG: i64 = SECOND;

/// How far an end as a client tells it may be from the end on the wire, for finding pairs.
const END_APART: i64 = SECOND;

/// Finds the offset of a client log over its stories, then gives each connection to the nearest candidate.
fn assign(
    records: &Records,
    links: &mut Links,
    clocks: &[Clock],
    source: u32,
    stories: &[usize],
    pool: &[Vec<usize>],
    by: LinkBy,
) {
    let mut all: Vec<(usize, Vec<Candidate>)> = Vec::new();
    let mut votes: Vec<Constraint> = Vec::new();
    let mut events = 0;
    for &story in stories {
        let candidates: Vec<Candidate> = pool[story]
            .iter()
            .filter(|&&joined| {
                links.joined[joined]
                    .client
                    .is_none_or(|client| client.0 == story)
            })
            .take(CANDIDATES)
            .map(|&joined| candidate(records, clocks, &links.joined[joined], joined))
            .collect();
        events += vote(&records.clients[story], &candidates, &mut votes);
        all.push((story, candidates));
    }
    let known = clocks.get(source as usize).filter(|clock| clock.aligned);
    let Some(offset) = known
        .map(|clock| clock.stretches[0].offset)
        .or_else(|| choose(&votes))
    else {
        return;
    };
    let explained = votes
        .iter()
        .filter(|vote| vote.low <= offset.mid() && offset.mid() <= vote.high)
        .count();
    // By time alone, one coincidence proves nothing.
    if by == LinkBy::Time && known.is_none() && (explained < 2 || explained * 2 < events) {
        return;
    }
    for (story, candidates) in all {
        give(records, links, story, &candidates, offset.mid(), by);
    }
}

/// Bounds that a story's events and its candidates put on the offset, for every pair; the number of events.
fn vote(story: &ClientStory, candidates: &[Candidate], votes: &mut Vec<Constraint>) -> usize {
    let mut events = 0;
    let mut push = |at: &LogRef, low: i64, high: i64| {
        votes.push(Constraint {
            raw: 0,
            low,
            high,
            firm: true,
            cite: at.cite,
        });
    };
    for own in story.conns.iter().take(EVENTS) {
        let opened = own.opened.and_then(|event| story.events.get(event));
        let closed = own.closed.and_then(|event| story.events.get(event));
        if let Some((at, (ns, step))) = opened.and_then(|event| Some((&event.at, raw(&event.at)?)))
        {
            events += 1;
            for ready in candidates.iter().filter_map(|candidate| candidate.ready) {
                push(at, ready.low - ns - step, ready.high + READY_LAG - ns);
            }
        }
        if let Some((at, (ns, step))) = closed.and_then(|event| Some((&event.at, raw(&event.at)?)))
        {
            events += 1;
            for end in candidates.iter().filter_map(|candidate| candidate.end) {
                push(
                    at,
                    end.low - END_APART - ns - step,
                    end.high + END_APART - ns,
                );
            }
        }
    }
    events
}

/// The offset with most votes; of equally good ones the one nearest to a whole quarter of an hour, that is: to a clock
/// that is right apart from its zone.
fn choose(votes: &[Constraint]) -> Option<Bounds> {
    let (first, depth) = interval(votes)?;
    let skew = |bounds: Bounds| {
        let quarter = 900 * SECOND;
        let rest = bounds.mid().rem_euclid(quarter);
        (rest.min(quarter - rest), bounds.mid().abs())
    };
    let mut best = first;
    let mut left: Vec<Constraint> = votes.to_vec();
    for _ in 0..CANDIDATES {
        // Take what the last best one explains away, and look for another as good.
        let Some(at) = interval(&left) else {
            break;
        };
        if at.1 < depth {
            break;
        }
        if skew(at.0) < skew(best) {
            best = at.0;
        }
        left.retain(|vote| !(vote.low <= at.0.mid() && at.0.mid() <= vote.high));
    }
    (best.low > -FAR / 2 && best.high < FAR / 2).then_some(best)
}

/// Each of a story's connections, in order, to the nearest of the candidates that is free.
fn give(
    records: &Records,
    links: &mut Links,
    story: usize,
    candidates: &[Candidate],
    offset: i64,
    by: LinkBy,
) {
    let own = &records.clients[story];
    let mut costs: Vec<(i64, usize, usize)> = Vec::new();
    for (conn, client) in own.conns.iter().enumerate() {
        let time = |event: Option<usize>| Some(raw(&own.events.get(event?)?.at)?.0 + offset);
        let (opened, closed) = (time(client.opened), time(client.closed));
        for candidate in candidates {
            let far = |time: Option<i64>, bounds: Option<Bounds>| {
                let (time, bounds) = (time?, bounds?);
                Some((bounds.low - time).max(time - bounds.high).max(0))
            };
            let failed = client.opened.is_none()
                && client
                    .closed
                    .and_then(|event| own.events.get(event))
                    .is_some_and(|event| matches!(event.kind, ClientEventKind::ConnectFailed(_)));
            let cost = match (far(opened, candidate.ready), far(closed, candidate.end)) {
                (Some(open), Some(close)) => open + close.min(2 * SECOND),
                (Some(open), None) => open + SECOND,
                (None, Some(close)) if client.opened.is_none() => {
                    close + if failed { SECOND / 2 } else { 0 }
                }
                _ => continue,
            };
            if cost <= APART {
                costs.push((cost, conn, candidate.joined));
            }
        }
    }
    costs.sort_unstable();
    for &(_, conn, joined) in &costs {
        let sure = by == LinkBy::NameAndTime
            && costs
                .iter()
                .filter(|cost| cost.1 == conn && links.joined[cost.2].client.is_none())
                .count()
                <= 1;
        links.client(joined, story, conn, by, sure);
    }
}

/// A connection and a client's lines further apart than this are not one.
const APART: i64 = 3 * SECOND;

fn candidate(records: &Records, clocks: &[Clock], joined: &Joined, index: usize) -> Candidate {
    let clock = |cite: Cite| {
        clocks
            .get(cite.source.0 as usize)
            .filter(|clock| clock.aligned)
    };
    let mut found = Candidate {
        joined: index,
        ready: None,
        end: None,
    };
    for leg in &joined.conns {
        let conn = &records.conns[leg.conn];
        let Some(clock) = clocks
            .get(conn.source.0 as usize)
            .filter(|clock| clock.aligned)
        else {
            continue;
        };
        let session = conn.session.as_ref();
        let ready = session
            .and_then(|session| session.ready_at)
            .or_else(|| {
                conn.resp
                    .first_data
                    .filter(|_| conn.handshake.syn.is_some())
            })
            .or(conn.handshake.ack);
        found.ready = found.ready.or(ready.map(|at| clock.moment(at).bounds));
        let ended = conn
            .end
            .by
            .is_some_and(|end| matches!(end, End::Orig | End::Resp));
        if ended {
            found.end = found.end.or(Some(clock.moment(conn.end.at).bounds));
        }
    }
    if let Some((life, conn)) = joined.server {
        let entry = &records.servers[life].conns[conn];
        let line = |line: &Option<LogRef>| {
            let line = line.as_ref()?;
            let stamp = line.stamp?;
            Some(clock(line.cite)?.raw(stamp.ns, stamp.digits).bounds)
        };
        found.ready = found.ready.or_else(|| line(&entry.opened));
        found.end = found.end.or_else(|| line(&entry.closed));
    }
    found
}
