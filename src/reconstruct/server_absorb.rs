//! Two accounts of one server process made one: its log's next file, or monitoring data beside its log.

use std::collections::BTreeMap;

use super::identity;
use super::limits;
use super::server::{ServerConn, ServerLife};
use crate::span::LogRef;

/// `later` is the same process in its next file.
pub fn continue_with(life: &mut ServerLife, later: ServerLife) {
    for source in &later.sources {
        if !life.sources.contains(source) {
            life.sources.push(*source);
        }
    }
    identity::fill(&mut life.identity, &later.identity);
    life.ready = life.ready.take().or(later.ready);
    life.last = later.last.or(life.last.take());
    let lame_duck = life.end.lame_duck.take();
    let evidence = std::mem::take(&mut life.end.evidence);
    life.end = later.end;
    life.end.lame_duck = life.end.lame_duck.take().or(lame_duck);
    life.end.evidence.splice(0..0, evidence);
    life.events.extend(later.events);
    life.debug |= later.debug;
    life.trace |= later.trace;
    // What was set later holds.
    let earlier = std::mem::replace(&mut life.limits, later.limits);
    limits::fill(&mut life.limits, &earlier);
    add_conns(&mut life.conns, later.conns, true);
}

/// `seen` is what monitoring data tells of the same process.
pub fn absorb(life: &mut ServerLife, seen: ServerLife) {
    for source in &seen.sources {
        if !life.sources.contains(source) {
            life.sources.push(*source);
        }
    }
    identity::fill(&mut life.identity, &seen.identity);
    limits::fill(&mut life.limits, &seen.limits);
    life.events.extend(seen.events);
    let opened: BTreeMap<u64, &LogRef> = life
        .conns
        .iter()
        .filter_map(|conn| Some((conn.id, conn.opened.as_ref()?)))
        .collect();
    let conns = seen.conns.iter();
    let twice = conns.filter_map(|conn| Some((conn.opened.as_ref()?, *opened.get(&conn.id)?)));
    let started = seen.started.as_ref().zip(life.started.as_ref());
    let twice = twice.chain(started).take(TOLD_TWICE);
    life.told_twice
        .extend(twice.map(|(seen, line)| (bare(seen), bare(line))));
    add_conns(&mut life.conns, seen.conns, false);
}

/// Moments of one document that tie its clock to the log's: more would not tie it better.
const TOLD_TWICE: usize = 64;

/// A place and its time, without what stands there.
fn bare(at: &LogRef) -> LogRef {
    LogRef {
        text: "".into(),
        ..at.clone()
    }
}

/// Adds connections by number. Where both know something, the log's own lines hold; `later` ones hold for the end.
fn add_conns(conns: &mut Vec<ServerConn>, others: Vec<ServerConn>, later: bool) {
    let mut index: BTreeMap<u64, usize> = conns
        .iter()
        .enumerate()
        .map(|(at, conn)| (conn.id, at))
        .collect();
    for other in others {
        let Some(at) = index.get(&other.id) else {
            index.insert(other.id, conns.len());
            conns.push(other);
            continue;
        };
        let conn = &mut conns[*at];
        conn.peer = conn.peer.or(other.peer);
        conn.forwarded = conn.forwarded.or(other.forwarded);
        for (slot, told) in [
            (&mut conn.name, other.name),
            (&mut conn.lang, other.lang),
            (&mut conn.version, other.version),
            (&mut conn.account, other.account),
            (&mut conn.user, other.user),
            (&mut conn.remote, other.remote),
        ] {
            if slot.is_none() {
                *slot = told;
            }
        }
        conn.opened = conn.opened.take().or(other.opened);
        conn.closed = conn.closed.take().or(other.closed);
        conn.reason = conn.reason.take().or(other.reason);
        if later {
            conn.in_msgs += other.in_msgs;
            conn.out_msgs += other.out_msgs;
            conn.last = other.last.or(conn.last.take());
            for note in other.notes {
                super::server_conns::push_bounded(&mut conn.notes, note);
            }
        } else {
            conn.in_msgs = conn.in_msgs.max(other.in_msgs);
            conn.out_msgs = conn.out_msgs.max(other.out_msgs);
        }
    }
    conns.sort_by_key(|conn| conn.id);
}
