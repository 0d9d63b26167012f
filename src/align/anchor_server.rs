//! Anchors between a captured connection and a server's log (facts d.2; order of calls from server/client.go: "created"
//! is written before INFO is sent, "closed" before the socket is closed).

use std::collections::{BTreeMap, HashMap};

use super::anchor::{Anchor, LINE_LAG, LINE_SWAP, Side, lag};
use super::joined::{Joined, Near, Records};
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::conn::{Conn, End, Manner, RstOrigin};
use crate::reconstruct::server::{ConnKind, NoteKind, ServerConn, ServerEventKind, ServerLife};
use crate::span::Moment;

/// Which end of the captured connection is the server that the log belongs to.
fn server_end(conn: &Conn, entry: &ServerConn) -> End {
    match entry.peer {
        // The log of a soliciting server (route, gateway, leafnode remote): its peer is the responder.
        Some(peer) if peer == conn.tuple.resp && peer != conn.tuple.orig => End::Orig,
        _ => conn.server_end(),
    }
}

/// First RST in the name of `end` that its own kernel may have sent on its own account.
pub fn own_rst(conn: &Conn, end: End) -> Option<Moment> {
    conn.rsts
        .iter()
        .find(|rst| {
            rst.from == end
                && matches!(rst.origin, RstOrigin::OwnActive | RstOrigin::Unknown)
                && !rst.in_reply
        })
        .map(|rst| rst.at)
}

/// Anchors of one joined connection.
pub fn anchors(records: &Records, joined: &Joined, out: &mut Vec<Anchor>) {
    let Some((life, conn)) = joined.server() else {
        return;
    };
    let entry = &records.servers[life].conns[conn];
    for leg in &joined.conns {
        let Some(captured) = &records.conns.get(leg.conn()) else {
            continue;
        };
        if server_end(captured, entry) == End::Resp {
            open(captured, entry, out);
            notes(captured, entry, out);
        }
        close(captured, entry, leg.near, out);
    }
}

fn open(conn: &Conn, entry: &ServerConn, out: &mut Vec<Anchor>) {
    let Some(created) = entry.opened.as_ref().and_then(Side::line) else {
        return;
    };
    let packet = |at: Moment| Side::packet(conn.source, at);
    // The server accepts after the handshake's last ACK has reached it, and that ACK was captured on its way.
    let lower = conn.handshake.ack.or(conn.handshake.syn);
    if let Some(at) = lower {
        out.push(Anchor::before(packet(at), created));
        out.push(Anchor::usually(packet(at), created, 0, lag(conn)));
    }
    let session = conn.session.as_ref();
    let upper = match entry.kind {
        // Created only after the upgrade, whose answer comes first.
        ConnKind::WebSocket | ConnKind::Mqtt => session.and_then(|session| session.info_at),
        _ => session
            .and_then(|session| session.info_at)
            .or(conn.resp.first_data),
    };
    if let Some(at) = upper {
        out.push(Anchor::before(created, packet(at)));
    }
}

fn close(conn: &Conn, entry: &ServerConn, near: Near, out: &mut Vec<Anchor>) {
    let Some(line) = &entry.closed else {
        return;
    };
    let Some(closed) = Side::line(line) else {
        return;
    };
    let server = server_end(conn, entry);
    let client = server.other();
    let packet = |at: Moment| Side::packet(conn.source, at);
    let server_fin = earliest(conn.flow(server).fin, own_rst(conn, server));
    let client_fin = goodbye(conn, client);
    let slow = matches!(
        entry.reason,
        Some(CloseReason::SlowConsumerPendingBytes | CloseReason::SlowConsumerWriteDeadline)
    );
    if let Some(at) = conn
        .handshake
        .ack
        .or(conn.handshake.syn)
        .filter(|_| server == End::Resp)
    {
        out.push(Anchor::before(packet(at), closed));
    }
    if let Some(at) = server_fin {
        out.push(Anchor::about_before(closed, packet(at), LINE_SWAP));
        // A slow consumer's FIN waits behind the send buffer: seconds to minutes (facts, fact 6).
        if !slow && conn.flow(server).retransmissions == 0 {
            out.push(Anchor::usually(closed, packet(at), 0, lag(conn)));
        }
    }
    match &entry.reason {
        Some(CloseReason::ClientClosed) | None => {
            if let Some(fin) =
                client_fin.filter(|fin| server_fin.is_none_or(|server| fin.frame < server.frame))
                && entry.reason.is_some()
            {
                out.push(Anchor::before(packet(fin), closed));
                if near != Near::Client || server_fin.is_some() {
                    out.push(Anchor::usually(packet(fin), closed, 0, lag(conn)));
                }
            }
        }
        Some(CloseReason::ReadError | CloseReason::WriteError) => {
            let rst = conn
                .rsts
                .iter()
                .find(|rst| rst.from == client)
                .map(|rst| rst.at);
            if let Some(at) =
                rst.filter(|rst| server_fin.is_none_or(|server| rst.frame < server.frame))
            {
                // The server may have been told by another RST, one that this capture did not see.
                out.push(Anchor::usually(packet(at), closed, 0, lag(conn)));
            }
        }
        _ => {}
    }
}

/// The packet by which `end` left, at the latest: its FIN, or where something within the stream says goodbye before that
/// (TLS close_notify, RFC 8446 section 6.1; a WebSocket close frame; MQTT DISCONNECT), its last data.
fn goodbye(conn: &Conn, end: End) -> Option<Moment> {
    let flow = conn.flow(end);
    let fin = flow.fin?;
    let within = conn
        .session
        .as_ref()
        .is_some_and(|session| session.is_carried());
    let last = flow
        .last_data
        .filter(|last| within && last.frame < fin.frame);
    Some(last.unwrap_or(fin))
}

/// Lines that the server writes when it sends -ERR, and what must have come before.
fn notes(conn: &Conn, entry: &ServerConn, out: &mut Vec<Anchor>) {
    let Some(session) = conn.session.as_ref() else {
        return;
    };
    let packet = |at: Moment| Side::packet(conn.source, at);
    let accepted = conn.handshake.ack.or(conn.handshake.syn);
    for note in &entry.notes {
        let words: &[&str] = match note.kind {
            NoteKind::AuthError(_) => &["authorization violation"],
            NoteKind::AuthTimeout => &["authentication timeout", "authorization timeout"],
            NoteKind::MaxConnections => &["maximum connections exceeded"],
            NoteKind::MaxPayload { .. } => &["maximum payload violation"],
            NoteKind::MaxControlLine { .. } => &["maximum control line exceeded"],
            NoteKind::ParserError { .. } => &["unknown protocol operation", "parser error"],
            NoteKind::Stale => &["stale connection"],
            _ => continue,
        };
        let Some(line) = Side::line(&note.at) else {
            continue;
        };
        let before = match note.kind {
            NoteKind::AuthError(_) => session.connect_at.or(accepted),
            _ => accepted,
        };
        if let Some(at) = before {
            out.push(Anchor::before(packet(at), line));
        }
        let error = session.errors.iter().find(|error| {
            error.from_server
                && words
                    .iter()
                    .any(|word| error.text.to_lowercase().contains(word))
        });
        if let Some(error) = error {
            out.push(Anchor::about_before(line, packet(error.at), LINE_SWAP));
            out.push(Anchor::usually(
                line,
                packet(error.at),
                -LINE_SWAP,
                lag(conn),
            ));
        }
    }
}

fn earliest(a: Option<Moment>, b: Option<Moment>) -> Option<Moment> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b.frame < a.frame { b } else { a }),
        (a, b) => a.or(b),
    }
}

/// Anchors between whole server lives and captures: nobody gets INFO from a server before it starts or after it ended.
/// These are all that a log without DBG lines has, together with the lines about errors.
pub fn life_anchors(records: &Records, lives: &HashMap<&str, Vec<usize>>, out: &mut Vec<Anchor>) {
    if lives.is_empty() {
        return;
    }
    let of_lives = || {
        let numbered = records.conns.sketches().enumerate();
        numbered.filter_map(|(index, sketch)| {
            let life = *lives.get(&*sketch.server_id?)?.first()?;
            Some(((life, sketch.source.0), index, sketch))
        })
    };
    // For each life and capture: first and last INFO, last FIN that the server sent on its own. Hardly any connection
    // can be the first or last of a storm, and only those that can are looked at.
    let mut seen: BTreeMap<(usize, u32), Seen> = BTreeMap::new();
    for (key, index, sketch) in of_lives() {
        let seen = seen.entry(key).or_default();
        let earlier = seen.first_answer.is_none_or(|at| sketch.first < at);
        if earlier && let Some(conn) = records.conns.get(index) {
            seen.hear_first(&conn);
        }
    }
    for (key, index, sketch) in of_lives().rev() {
        let seen = seen.entry(key).or_default();
        let later = |known: Option<Moment>| known.is_none_or(|at| sketch.last > at);
        let by_client = sketch.end().by == Some(sketch.server_end().other())
            && matches!(sketch.end().manner, Manner::Fin | Manner::HalfClosed);
        if (later(seen.last_info) || !by_client && later(seen.last_fin))
            && let Some(conn) = records.conns.get(index)
        {
            seen.hear_last(&conn);
        }
    }
    for ((life, source), seen) in seen {
        let server = &records.servers[life];
        let packet = |at: Moment| Side::packet(crate::source::SourceId(source), at);
        let start = server
            .started
            .as_ref()
            .or(server.first.as_ref())
            .and_then(Side::line);
        if let (Some(start), Some(at)) = (
            start.filter(|_| server.started.is_some()),
            seen.first_answer,
        ) {
            out.push(Anchor::before(start, packet(at)));
        }
        let exiting = event(server, |kind| matches!(kind, ServerEventKind::Exiting));
        let stopping = event(server, |kind| {
            matches!(
                kind,
                ServerEventKind::ShutdownInitiated | ServerEventKind::SignalTrapped(_)
            )
        });
        if let (Some(exiting), Some(at)) = (exiting, seen.last_info) {
            out.push(Anchor::about_before(packet(at), exiting, PATH));
        }
        if let (Some(stopping), Some(at)) = (stopping, seen.last_fin)
            && server.end.lame_duck.is_none()
        {
            out.push(Anchor::usually(stopping, packet(at), 0, LINE_LAG));
        }
    }
}

/// Anchors between a server's log and its monitoring data: a connection's `start` is set right before its line is written
/// (server/client.go, `createClient`), the process's right before its banner (server/server.go, `NewServer`).
pub fn monitoring_anchors(records: &Records, out: &mut Vec<Anchor>) {
    for life in &records.servers {
        let banner = life.started.as_ref().map(|line| line.cite);
        for (seen, line) in &life.told_twice {
            let lag = if banner == Some(line.cite) {
                LINE_LAG
            } else {
                ACCEPT_LAG
            };
            if let (Some(seen), Some(line)) = (Side::line(seen), Side::line(line)) {
                out.push(Anchor::about_before(seen, line, LINE_SWAP));
                out.push(Anchor::usually(seen, line, 0, lag));
            }
        }
    }
}

/// Between a connection's `start` and its line lie a few statements of one thread.
const ACCEPT_LAG: i64 = 2_000_000;

/// Generous one-way delay of a path, for packets captured behind it.
const PATH: i64 = 200_000_000;

/// What connections of one life in one capture show of its beginning and end.
#[derive(Default)]
struct Seen {
    first_answer: Option<Moment>,
    last_info: Option<Moment>,
    last_fin: Option<Moment>,
}

impl Seen {
    fn hear_first(&mut self, conn: &Conn) {
        let info_at = conn.session.as_ref().and_then(|session| session.info_at);
        if let Some(at) = conn.handshake.syn_ack.or(info_at) {
            self.first_answer = Some(self.first_answer.map_or(at, |first| first.min(at)));
        }
    }

    fn hear_last(&mut self, conn: &Conn) {
        let Some(session) = conn.session.as_ref() else {
            return;
        };
        self.last_info = self.last_info.max(session.info_at);
        let server = conn.server_end();
        let fin = conn.flow(server).fin.filter(|fin| {
            conn.flow(server.other())
                .fin
                .is_none_or(|own| fin.frame < own.frame)
        });
        // A FIN that waits behind a full send buffer, or that is sent again, is not of the moment of its close.
        let client = conn.flow(server.other());
        let prompt = client.zero_windows == 0 && conn.flow(server).retransmissions == 0;
        self.last_fin = self
            .last_fin
            .max(fin.filter(|_| session.errors.is_empty() && prompt));
    }
}

fn event(server: &ServerLife, wanted: impl Fn(&ServerEventKind) -> bool) -> Option<Side> {
    server
        .events
        .iter()
        .find(|event| wanted(&event.kind))
        .and_then(|event| Side::line(&event.at))
}
