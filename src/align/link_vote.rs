//! Finding a client log's offset by what it explains, and giving each of its connections to the nearest candidate.
//!
//! Every pair of an event and a candidate votes for the offsets that would make them one. Sharp votes first (a line is
//! written within tens of milliseconds), wide ones where those explain too little.

use std::collections::HashMap;

use super::clock::Clock;
use super::joined::{Joined, LinkBy, Records};
use super::link::Links;
use super::offset::{Constraint, interval};
use super::zone::QUARTER;
use crate::reconstruct::client::{ClientConn, ClientEventKind, ClientStory};
use crate::span::{Cite, LogRef};
use crate::time::{Bounds, SECOND};

/// Events of one story against more candidates than this are not tried: the pairs would outgrow the input.
pub const CANDIDATES: usize = 512;

/// Connections of a story that are used to find the offset, at least.
const EVENTS: usize = 64;

/// Pairs of event and candidate that are tried for one log.
const PAIRS: usize = 65_536;

/// A story and the joined connections that may be its own.
#[derive(Debug)]
pub struct Told {
    /// The story.
    pub story: usize,
    /// Joined connections.
    pub candidates: Vec<usize>,
}

/// A joined connection as something that a client's log may tell of, on the common line.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    joined: usize,
    /// When the client could know that it is connected.
    ready: Option<Bounds>,
    /// When it ended.
    end: Option<Bounds>,
}

/// How far a line may be from what it tells, for finding pairs (bounds are another matter).
#[derive(Clone, Copy, Debug)]
struct Slack {
    /// "connected" after the handshake.
    ready: i64,
    /// The end as told, before or after the end on the wire.
    end: i64,
}

const SHARP: Slack = Slack {
    ready: 60_000_000,
    end: 120_000_000,
};
const WIDE: Slack = Slack {
    ready: SECOND,
    end: SECOND,
};

/// Finds the offsets of the stories' logs, then gives each of their connections to the nearest candidate.
pub fn assign(records: &Records, links: &mut Links, clocks: &[Clock], told: &[Told], by: LinkBy) {
    let offers: Vec<Vec<Candidate>> = told
        .iter()
        .map(|told| {
            let mine = told.candidates.iter().take(CANDIDATES);
            mine.filter(|&&joined| links.joined[joined].client().is_none())
                .map(|&joined| candidate(records, clocks, &links.joined[joined], joined))
                .collect()
        })
        .collect();
    let siblings = siblings(records, clocks);
    let mut costs: Vec<Cost> = Vec::new();
    let mut index = 0;
    while index < told.len() {
        let source = records.clients[told[index].story].source;
        let until = index
            + told[index..]
                .iter()
                .take_while(|told| records.clients[told.story].source == source)
                .count();
        let clock = clocks.get(source.0 as usize).filter(|clock| clock.aligned);
        let own: Vec<(&ClientStory, &[Candidate])> = (index..until)
            .map(|at| (&records.clients[told[at].story], offers[at].as_slice()))
            .collect();
        let offset = match clock {
            Some(clock) => Some((clock.tightest().1, 0)),
            None => find(&own, &siblings, by),
        };
        if let Some((offset, doubt)) = offset {
            for at in index..until {
                links.put_in_doubt(told[at].story, doubt);
                weigh(
                    records,
                    links,
                    told[at].story,
                    &offers[at],
                    offset,
                    by,
                    &mut costs,
                );
            }
        }
        index = until;
    }
    give(links, costs, by);
}

/// Offsets of client logs that are known: other clients on the same machine have the same clock.
fn siblings(records: &Records, clocks: &[Clock]) -> Vec<i64> {
    let mut offsets: Vec<i64> = Vec::new();
    for story in &records.clients {
        if let Some(clock) = clocks
            .get(story.source.0 as usize)
            .filter(|clock| clock.aligned)
        {
            let offset = clock.tightest().1;
            // A few are enough: one for each machine.
            if offsets.len() < 16
                && offsets
                    .iter()
                    .all(|known| (known - offset).abs() > 20_000_000)
            {
                offsets.push(offset);
            }
        }
    }
    offsets
}

/// The offset of one log: a sibling's if it explains nearly everything, else the one with most votes; and how far off it is
/// if another one with as many votes is right.
fn find(own: &[(&ClientStory, &[Candidate])], siblings: &[i64], by: LinkBy) -> Option<(i64, i64)> {
    for (slack, enough) in [(SHARP, 0.75), (WIDE, 0.0)] {
        let mut votes: Vec<Constraint> = Vec::new();
        let mut events = 0;
        for (story, candidates) in own {
            events += vote(story, candidates, slack, &mut votes);
        }
        let explained = |offset: i64| {
            let mut hit: Vec<Cite> = votes
                .iter()
                .filter(|vote| holds(vote, offset))
                .map(|vote| vote.cite)
                .collect();
            hit.sort_unstable();
            hit.dedup();
            hit.len()
        };
        let mut best: Option<(usize, i64)> = None;
        for &sibling in siblings {
            let count = explained(sibling + PROMPT);
            if count * 4 >= events * 3 && best.is_none_or(|best| count > best.0) {
                best = Some((count, sibling));
            }
        }
        if let Some((_, offset)) = best.filter(|best| best.0 > 0) {
            return Some((offset, 0));
        }
        let Some((offset, doubt)) = choose(&votes) else {
            continue;
        };
        let count = explained(offset);
        // By time alone, one coincidence proves nothing.
        let proof = if by == LinkBy::Time { 2 } else { 1 };
        if count >= proof && count as f64 >= enough * events as f64 && count * 2 >= events {
            return Some((offset, doubt));
        }
    }
    None
}

/// Lines mostly come this soon after what they tell.
const PROMPT: i64 = 1_000_000;

/// The event that made a connection, and the one that ended it.
fn ends<'a>(story: &'a ClientStory, own: &ClientConn) -> (Option<&'a LogRef>, Option<&'a LogRef>) {
    let event = |index: Option<usize>| story.events.get(index?);
    let opened = event(own.opened).filter(|event| {
        matches!(
            event.kind,
            ClientEventKind::Connected | ClientEventKind::Reconnected
        )
    });
    let closed = event(own.why.first().copied()).or_else(|| event(own.closed));
    (
        opened.map(|event| event.first.as_ref().unwrap_or(&event.at)),
        closed.map(|event| event.first.as_ref().unwrap_or(&event.at)),
    )
}

/// The log's own time of a line, and its resolution.
fn raw(at: &LogRef) -> Option<(i64, i64)> {
    at.stamp.map(|stamp| (stamp.ns, stamp.resolution()))
}

/// Bounds that a story's events and its candidates put on the offset, for every pair; the number of events.
fn vote(
    story: &ClientStory,
    candidates: &[Candidate],
    slack: Slack,
    votes: &mut Vec<Constraint>,
) -> usize {
    let mut events = 0;
    let mut push = |at: &LogRef, low: i64, high: i64| {
        votes.push(Constraint {
            place: 0,
            raw: 0,
            low,
            high,
            firm: true,
            cite: at.cite,
        });
    };
    let most = (PAIRS / candidates.len().max(1)).max(EVENTS);
    for own in story.conns.iter().take(most) {
        let (opened, closed) = ends(story, own);
        if let Some((at, (ns, step))) = opened.and_then(|at| Some((at, raw(at)?))) {
            events += 1;
            for ready in candidates.iter().filter_map(|candidate| candidate.ready) {
                push(
                    at,
                    ready.low.saturating_sub(ns).saturating_sub(step),
                    (ready.high + slack.ready).saturating_sub(ns),
                );
            }
        }
        if let Some((at, (ns, step))) = closed.and_then(|at| Some((at, raw(at)?))) {
            events += 1;
            for end in candidates.iter().filter_map(|candidate| candidate.end) {
                push(
                    at,
                    (end.low - slack.end)
                        .saturating_sub(ns)
                        .saturating_sub(step),
                    (end.high + slack.end).saturating_sub(ns),
                );
            }
        }
    }
    events
}

/// The offset with most votes; of equally good ones the one nearest to a whole quarter of an hour, that is: to a clock
/// that is right apart from its zone. The second value is its [`doubt`].
fn choose(votes: &[Constraint]) -> Option<(i64, i64)> {
    let mut offered = alternatives(votes.to_vec());
    let (first, depth) = offered.next()?;
    let equals = offered.take_while(|(_, count)| *count == depth);
    let best = std::iter::once(first)
        .chain(equals.map(|(bounds, _)| bounds))
        .map(prompt)
        .min_by_key(|offset| skew(*offset))?;
    Some((best, doubt(best, votes)))
}

/// Offsets that are compared for one log.
const ALTERNATIVES: usize = 64;

/// What most votes allow and how many those are; then the same for the votes that this leaves unexplained, and so on.
fn alternatives(mut left: Vec<Constraint>) -> impl Iterator<Item = (Bounds, usize)> {
    std::iter::from_fn(move || {
        let (bounds, count) = interval(&left)?;
        left.retain(|vote| !holds(vote, bounds.mid()));
        Some((bounds, count))
    })
    .take(ALTERNATIVES)
}

fn holds(vote: &Constraint, offset: i64) -> bool {
    vote.low <= offset && offset <= vote.high
}

/// Within what is possible, lines that follow promptly.
fn prompt(bounds: Bounds) -> i64 {
    let nearest = (bounds.low + QUARTER / 2).div_euclid(QUARTER) * QUARTER;
    let soon = bounds.low + PROMPT.min(bounds.width() / 2);
    nearest.clamp(soon, bounds.high.max(soon))
}

fn skew(offset: i64) -> (i64, i64) {
    let rest = offset.rem_euclid(QUARTER);
    (rest.min(QUARTER - rest), offset.abs())
}

/// How far the farthest of all offsets is that explain as many events as the chosen one, or one less, where a line may have
/// come late. Nothing, where a clock that is right explains all that another would: a coincidence seldom falls there.
fn doubt(chosen: i64, votes: &[Constraint]) -> i64 {
    if skew(chosen).0 <= RIGHT {
        return 0;
    }
    let once = once_each(votes);
    let explained = once.iter().filter(|vote| holds(vote, chosen)).count();
    // Whether one of several candidates at nearly one time is meant.
    let crowded = |bounds: Bounds| {
        let mut raw = votes
            .iter()
            .filter(|vote| vote.low <= bounds.high && bounds.low <= vote.high);
        raw.next()
            .is_some_and(|first| raw.any(|vote| vote.cite == first.cite))
    };
    alternatives(once)
        .take_while(|(_, count)| *count >= explained || *count + 1 == explained && *count >= 2)
        .map(|(bounds, _)| bounds)
        .filter(|bounds| !(bounds.low <= chosen && chosen <= bounds.high) || crowded(*bounds))
        .map(|bounds| {
            let (later, earlier) = (
                bounds.high.saturating_sub(chosen),
                chosen.saturating_sub(bounds.low),
            );
            later.max(earlier)
        })
        .max()
        .unwrap_or(0)
}

/// One event is explained once, by however many candidates at one time: overlapping votes of an event made one.
fn once_each(votes: &[Constraint]) -> Vec<Constraint> {
    let mut sorted = votes.to_vec();
    sorted.sort_unstable_by_key(|vote| (vote.cite, vote.low));
    let mut joined: Vec<Constraint> = Vec::new();
    for vote in sorted {
        match joined.last_mut() {
            Some(last) if last.cite == vote.cite && vote.low <= last.high => {
                last.high = last.high.max(vote.high);
            }
            _ => joined.push(vote),
        }
    }
    joined
}

/// A clock that is kept right is no further off than this.
const RIGHT: i64 = 50_000_000;

/// A possible pair: the better first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cost {
    /// Attempts that failed come after connections: they are the easier to confuse.
    failed: bool,
    /// A log with whole seconds waits for those that know better.
    step: i64,
    /// Distance in nanoseconds.
    apart: i64,
    story: usize,
    conn: usize,
    joined: usize,
}

/// A connection and a client's lines further apart than this are not one.
const APART: i64 = 3 * SECOND;

/// The same where only times tell.
const APART_BY_TIME: i64 = 300_000_000;

/// Weighs each of a story's loose connections against each candidate.
fn weigh(
    records: &Records,
    links: &Links,
    story: usize,
    candidates: &[Candidate],
    offset: i64,
    by: LinkBy,
    costs: &mut Vec<Cost>,
) {
    let own = &records.clients[story];
    let most = if by == LinkBy::Time {
        APART_BY_TIME
    } else {
        APART
    };
    for (conn, client) in own.conns.iter().enumerate() {
        if links.of_client[story][conn].is_some() {
            continue;
        }
        let (opened, closed) = ends(own, client);
        let far = |at: Option<&LogRef>, bounds: Option<Bounds>| {
            let ((ns, step), bounds) = (raw(at?)?, bounds?);
            let (early, late) = (
                ns.saturating_add(offset),
                ns.saturating_add(offset + step - 1),
            );
            Some(
                bounds
                    .low
                    .saturating_sub(late)
                    .max(early.saturating_sub(bounds.high))
                    .max(0),
            )
        };
        let step = opened.or(closed).and_then(raw).map_or(SECOND, |raw| raw.1);
        for candidate in candidates {
            let apart = match (far(opened, candidate.ready), far(closed, candidate.end)) {
                (Some(open), Some(close)) => open + close.min(2 * SECOND),
                (Some(open), None) if candidate.ready.is_some() => {
                    open + if closed.is_some() { SECOND / 10 } else { 0 }
                }
                (None, Some(close)) if opened.is_none() => close,
                _ => continue,
            };
            if apart <= most {
                costs.push(Cost {
                    failed: opened.is_none(),
                    step,
                    apart,
                    story,
                    conn,
                    joined: candidate.joined,
                });
            }
        }
    }
}

/// Gives away, best first, what is still free.
fn give(links: &mut Links, mut costs: Vec<Cost>, by: LinkBy) {
    costs.sort_unstable();
    // How far the second nearest candidate of each connection is beyond the nearest.
    let mut nearest: HashMap<(usize, usize), (i64, i64)> = HashMap::new();
    for cost in &costs {
        let entry = nearest
            .entry((cost.story, cost.conn))
            .or_insert((i64::MAX, i64::MAX));
        if cost.apart < entry.0 {
            *entry = (cost.apart, entry.0);
        } else {
            entry.1 = entry.1.min(cost.apart);
        }
    }
    for cost in costs {
        let (first, second) = nearest[&(cost.story, cost.conn)];
        let clear = cost.apart == first && second.saturating_sub(first) >= CLEARLY;
        let sure = by == LinkBy::NameAndTime && clear;
        links.client(cost.joined, cost.story, cost.conn, by, sure);
    }
}

/// A name and a time decide where no other connection of that name is within this of being as near.
const CLEARLY: i64 = 200_000_000;

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
        let Some(conn) = records.conns.get(leg.conn()) else {
            continue;
        };
        let Some(clock) = clocks
            .get(conn.source.0 as usize)
            .filter(|clock| clock.aligned)
        else {
            continue;
        };
        let session = conn.session.as_ref();
        let ready = session
            .and_then(|session| session.ready_at)
            .or_else(|| session.and_then(|session| session.connect_at))
            .or_else(|| {
                conn.resp
                    .first_data
                    .filter(|_| conn.handshake.syn.is_some())
            })
            .or(conn.handshake.ack);
        found.ready = found.ready.or(ready.map(|at| clock.moment(at).bounds));
        if conn.end.by.is_some() {
            found.end = found.end.or(Some(clock.moment(conn.end.at).bounds));
        }
    }
    if let Some((life, conn)) = joined.server() {
        let entry = &records.servers[life].conns[conn];
        let line = |line: &Option<LogRef>| {
            let line = line.as_ref()?;
            let stamp = line.stamp?;
            Some(clock(line.cite)?.stamp(line.cite.place, stamp).bounds)
        };
        found.ready = found.ready.or_else(|| line(&entry.opened));
        found.end = found.end.or_else(|| line(&entry.closed));
    }
    found
}
