//! A ladder: the last packets, protocol operations and log lines of one connection from every source, in the order of the
//! common line, with what the verdict cites marked.

use crate::align::clock::When;
use crate::align::joined::{Leg, Near};
use crate::attribute::finding::{Analysis, Close, Evidence};
use crate::reconstruct::conn::{Conn, TailPacket};
use crate::reconstruct::session::Verb;
use crate::shelf::Held;
use crate::source::{Kind, SourceId};
use crate::span::{Cite, LogRef, Moment};

use super::clocks::Clocks;

/// One rung.
pub struct Rung {
    /// When, on the common line.
    pub at: Option<When>,
    /// Where to look it up: one place, or two where two captures saw one packet.
    pub cites: Vec<Cite>,
    /// What it is.
    pub what: What,
    /// What the verdict says about it, and whether it speaks for the verdict.
    pub cited: Option<(String, bool)>,
}

/// What a rung shows.
pub enum What {
    /// A packet.
    Packet(Packet),
    /// A protocol operation whose packet is no longer among the last ones.
    Op {
        /// The client sent it.
        from_client: bool,
        /// Its verb.
        verb: Verb,
    },
    /// A log line.
    Line {
        /// Whose.
        side: Side,
        /// Its text.
        text: String,
    },
}

/// A packet on a ladder.
pub struct Packet {
    /// The client sent it.
    pub from_client: bool,
    /// The packet.
    pub tail: TailPacket,
    /// Operations that end in it.
    pub ops: Vec<Verb>,
    /// Nanoseconds from the first capture that saw it to the second, where two did.
    pub travel_ns: Option<i64>,
    /// The other capture of this connection ran, and does not hold it.
    pub alone: bool,
}

/// Whose log a line is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The client's.
    Client,
    /// The server's.
    Server,
    /// Neither: kernel, service manager, proxy.
    Other,
}

/// The rungs of a close by time; at most `most`, the last ones before and around the end and all that is cited.
pub fn rungs(analysis: &Analysis, clocks: &Clocks<'_>, close: &Close, most: usize) -> Vec<Rung> {
    let mut rungs = packets(analysis, clocks, close);
    lines(analysis, clocks, close, &mut rungs);
    for piece in &close.evidence {
        cited(analysis, close, &mut rungs, piece);
    }
    // A rung without a time stands where the verdict lists it: at the end.
    rungs.sort_by_key(|rung| {
        (
            rung.at.is_none(),
            rung.at.map(|when| when.at),
            rung.cites[0],
        )
    });
    let spare = rungs.len().saturating_sub(most);
    let mut left_out = 0;
    rungs.retain(|rung| {
        let out = left_out < spare && rung.cited.is_none();
        left_out += usize::from(out);
        !out
    });
    rungs
}

fn legs<'a>(analysis: &'a Analysis, close: &Close) -> Vec<(Leg, Held<'a, Conn>)> {
    let legs = analysis.joined.get(close.joined);
    let legs = legs.map_or(&[][..], |joined| &joined.conns);
    let mut legs: Vec<(Leg, Held<Conn>)> = legs
        .iter()
        .filter_map(|&leg| Some((leg, analysis.records.conns.get(leg.conn())?)))
        .collect();
    legs.sort_by_key(|(leg, conn)| (rank(leg.near), conn.source));
    legs
}

/// Client's side first.
const fn rank(near: Near) -> u8 {
    match near {
        Near::Client => 0,
        Near::Unknown | Near::Middle => 1,
        Near::Server => 2,
    }
}

/// The packets of every captured view, those that two captures saw merged into one rung.
fn packets(analysis: &Analysis, clocks: &Clocks<'_>, close: &Close) -> Vec<Rung> {
    let legs = legs(analysis, close);
    let mut merged: Vec<Rung> = Vec::new();
    for (_, conn) in &legs {
        let mut used = vec![false; merged.len()];
        for rung in view(clocks, conn) {
            let twin = (0..used.len()).find(|&index| !used[index] && same(&merged[index], &rung));
            let Some(index) = twin else {
                merged.push(rung);
                continue;
            };
            used[index] = true;
            join(&mut merged[index], rung);
        }
    }
    if let [(_, first), (_, second)] = &legs[..] {
        mark_alone(analysis, clocks, &mut merged, [first, second]);
    }
    merged
}

fn view(clocks: &Clocks<'_>, conn: &Conn) -> Vec<Rung> {
    let server = conn.server_end();
    let rung = |moment: Moment, what| Rung {
        at: clocks.moment(conn.source, moment),
        cites: vec![Cite::frame(conn.source, moment.frame)],
        what,
        cited: None,
    };
    let mut rungs: Vec<Rung> = conn
        .tail
        .iter()
        .map(|&tail| {
            rung(
                tail.at,
                What::Packet(Packet {
                    from_client: tail.from != server,
                    tail,
                    ops: Vec::new(),
                    travel_ns: None,
                    alone: false,
                }),
            )
        })
        .collect();
    let Some(session) = &conn.session else {
        return rungs;
    };
    for (talk, from_client) in [(&session.client, true), (&session.server, false)] {
        for &(moment, verb) in &talk.last_ops {
            let packet = conn
                .tail
                .iter()
                .position(|tail| tail.at.frame == moment.frame);
            match packet.map(|index| &mut rungs[index].what) {
                Some(What::Packet(packet)) => packet.ops.push(verb),
                _ => rungs.push(rung(moment, What::Op { from_client, verb })),
            }
        }
    }
    rungs
}

/// The same packet seen by another capture: equal on the wire, and not seconds apart.
fn same(known: &Rung, other: &Rung) -> bool {
    const APART: i64 = 2_000_000_000;
    let near = match (known.at, other.at) {
        (Some(known), Some(other)) => other.since(known).abs() < APART,
        _ => false,
    };
    near && match (&known.what, &other.what) {
        (What::Packet(known), What::Packet(other)) => {
            let wire = |packet: &Packet| {
                let tail = packet.tail;
                (packet.from_client, tail.flags, tail.seq, tail.ack, tail.len)
            };
            wire(known) == wire(other)
        }
        (
            What::Op { from_client, verb },
            What::Op {
                from_client: other_from,
                verb: other_verb,
            },
        ) => (from_client, verb) == (other_from, other_verb),
        _ => false,
    }
}

fn join(known: &mut Rung, other: Rung) {
    known.cites.extend(other.cites);
    let (Some(at), Some(other_at)) = (known.at, other.at) else {
        return;
    };
    if let (What::Packet(packet), What::Packet(twin)) = (&mut known.what, other.what) {
        packet.travel_ns = Some(other_at.since(at).abs());
        if packet.ops.is_empty() {
            packet.ops = twin.ops;
        }
    }
    if other_at.at < at.at {
        known.at = Some(other_at);
        known.cites.rotate_left(1);
    }
}

/// Marks packets that only one of two captures holds, in the time that both kept.
fn mark_alone(
    analysis: &Analysis,
    clocks: &Clocks<'_>,
    rungs: &mut [Rung],
    [first, second]: [&Conn; 2],
) {
    let kept = |conn: &Conn| {
        let from = clocks.moment(conn.source, conn.tail.first()?.at)?;
        let until = clocks.moment(
            conn.source,
            analysis.records.capture_end(conn.source, conn.last),
        )?;
        Some((from, until))
    };
    let (Some(first_kept), Some(second_kept)) = (kept(first), kept(second)) else {
        return;
    };
    for rung in rungs {
        let ([cite], Some(at)) = (&rung.cites[..], rung.at) else {
            continue;
        };
        let (from, until) = if cite.source == first.source {
            second_kept
        } else {
            first_kept
        };
        if let What::Packet(packet) = &mut rung.what {
            packet.alone = from.surely_before(at) && at.surely_before(until);
        }
    }
}

/// The lines of the server's and the client's log about this connection.
fn lines(analysis: &Analysis, clocks: &Clocks<'_>, close: &Close, rungs: &mut Vec<Rung>) {
    let Some(joined) = analysis.joined.get(close.joined) else {
        return;
    };
    let mut refs: Vec<(Side, &LogRef)> = Vec::new();
    let records = &analysis.records;
    if let Some((life, conn)) = joined.server()
        && let Some(life) = records.servers.get(life)
        && let Some(conn) = life.conns.get(conn)
    {
        let notes = conn.notes.iter().map(|note| &note.at);
        let all = conn.opened.iter().chain(notes).chain(&conn.closed);
        refs.extend(all.map(|log| (Side::Server, log)));
    }
    if let Some((story, conn)) = joined.client()
        && let Some(story) = records.clients.get(story)
        && let Some(conn) = story.conns.get(conn)
    {
        let mut indices: Vec<usize> = conn.opened.into_iter().chain(conn.closed).collect();
        indices.extend(&conn.why);
        indices.extend(conn.back);
        // The lines right before the end tell what the client noticed.
        let end = conn.closed.unwrap_or(0);
        indices.extend(end.saturating_sub(4)..end);
        indices.sort_unstable();
        indices.dedup();
        let events = indices
            .into_iter()
            .filter_map(|index| story.events.get(index));
        refs.extend(events.map(|event| (Side::Client, &event.at)));
    }
    for (side, log) in refs {
        if rungs.iter().any(|rung| rung.cites.contains(&log.cite)) {
            continue;
        }
        rungs.push(Rung {
            at: clocks.log(log),
            cites: vec![log.cite],
            what: What::Line {
                side,
                text: log.text.to_string(),
            },
            cited: None,
        });
    }
}

/// Marks the rung that a piece of evidence cites, or adds it.
fn cited(analysis: &Analysis, close: &Close, rungs: &mut Vec<Rung>, piece: &Evidence) {
    let says = (piece.says.clone(), piece.supports);
    let known = rungs
        .iter_mut()
        .find(|rung| rung.cites.contains(&piece.cite));
    if let Some(rung) = known {
        rung.cited = Some(says);
        return;
    }
    rungs.push(Rung {
        at: piece.at,
        cites: vec![piece.cite],
        what: What::Line {
            side: side(analysis, close, piece.cite.source),
            text: piece.says.clone(),
        },
        cited: Some(says),
    });
}

fn side(analysis: &Analysis, close: &Close, source: SourceId) -> Side {
    let records = &analysis.records;
    let kind = analysis.sources.get(source.0 as usize);
    if kind.is_some_and(|source| source.kind == Kind::Capture) {
        return Side::Other;
    }
    let life = close
        .server_life
        .and_then(|index| records.servers.get(index));
    if life.is_some_and(|life| life.sources.contains(&source)) {
        return Side::Server;
    }
    if records.clients.iter().any(|story| story.source == source) {
        return Side::Client;
    }
    if records
        .servers
        .iter()
        .any(|life| life.sources.contains(&source))
    {
        return Side::Server;
    }
    Side::Other
}

/// The flags of a packet as Wireshark lists them.
pub fn flags(flags: u8) -> String {
    const NAMES: [(u8, &str); 6] = [
        (2, "SYN"),
        (1, "FIN"),
        (4, "RST"),
        (8, "PSH"),
        (16, "ACK"),
        (32, "URG"),
    ];
    let names: Vec<&str> = NAMES
        .iter()
        .filter(|(bit, _)| flags & bit != 0)
        .map(|&(_, name)| name)
        .collect();
    names.join(", ")
}

/// A verb as the protocol writes it.
pub const fn verb(verb: Verb) -> &'static str {
    match verb {
        Verb::Info => "INFO",
        Verb::Connect => "CONNECT",
        Verb::Pub => "PUB",
        Verb::Hpub => "HPUB",
        Verb::Sub => "SUB",
        Verb::Unsub => "UNSUB",
        Verb::Msg => "MSG",
        Verb::Hmsg => "HMSG",
        Verb::Ping => "PING",
        Verb::Pong => "PONG",
        Verb::Ok => "+OK",
        Verb::Err => "-ERR",
        Verb::Interest => "interest",
        Verb::Routed => "routed message",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn packets_operations_and_lines_stand_in_order_with_the_cited_ones_marked() {
        let analysis = sample::killed();
        let clocks = Clocks::new(&analysis);
        let rungs = rungs(&analysis, &clocks, &analysis.closes.whole(0), 60);
        let times: Vec<_> = rungs.iter().filter_map(|rung| rung.at).collect();
        assert!(times.windows(2).all(|pair| pair[0].at <= pair[1].at));
        let cited = rungs.iter().filter(|rung| rung.cited.is_some()).count();
        assert_eq!(cited, analysis.closes[0].evidence as usize);
        let delivery = rungs.iter().find_map(|rung| match &rung.what {
            What::Packet(packet) if packet.tail.len == 80 => Some(packet),
            _ => None,
        });
        let delivery = delivery.expect("the last delivery");
        assert_eq!(
            (delivery.from_client, &delivery.ops[..]),
            (false, &[Verb::Msg][..])
        );
        let few = super::rungs(&analysis, &clocks, &analysis.closes.whole(0), 5);
        assert_eq!(few.len(), 5);
        assert_eq!(few.iter().filter(|rung| rung.cited.is_some()).count(), 4);
    }

    #[test]
    fn a_packet_that_two_captures_saw_is_one_rung_and_one_that_got_lost_is_marked() {
        let analysis = sample::two_sided();
        let clocks = Clocks::new(&analysis);
        let rungs = rungs(&analysis, &clocks, &analysis.closes.whole(0), 60);
        let packets: Vec<&Packet> = rungs
            .iter()
            .filter_map(|rung| match &rung.what {
                What::Packet(packet) => Some(packet),
                _ => None,
            })
            .collect();
        assert_eq!(packets.len(), 6);
        let lost: Vec<u32> = packets
            .iter()
            .filter(|packet| packet.alone)
            .map(|packet| packet.tail.seq)
            .collect();
        assert_eq!(lost, [4_146]);
        let shared = packets
            .iter()
            .filter(|packet| packet.travel_ns == Some(300_000));
        assert_eq!(shared.count(), 5);
    }
}
