//! Anchors of a client's log: against captured packets (PONG before "connected", FIN or RST before "disconnected") and,
//! without a capture, against the server's log ("created" before "connected").

use super::anchor::{self, Anchor, Side};
use super::joined::{Joined, Records};
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::client::{ClientConn, ClientEventKind, ClientStory};
use crate::reconstruct::conn::{Conn, End};
use crate::reconstruct::server::ServerConn;
use crate::span::Moment;

/// Anchors of one joined connection. They are looser by the `doubt` about which connections the log tells of, per story.
pub fn anchors(records: &Records, joined: &Joined, doubt: &[i64], out: &mut Vec<Anchor>) {
    let Some((story, conn)) = joined.client() else {
        return;
    };
    let doubt = doubt[story];
    let start = out.len();
    let story = &records.clients[story];
    let own = &story.conns[conn];
    for leg in &joined.conns {
        if let Some(conn) = records.conns.get(leg.conn()) {
            captured(&conn, story, own, out);
        }
    }
    // Packets tie both logs closer than the logs tie each other.
    if let Some((life, conn)) = joined.server()
        && joined.conns.is_empty()
    {
        logged(&records.servers[life].conns[conn], story, own, out);
    }
    if doubt > 0 {
        for anchor in &mut out[start..] {
            *anchor = anchor.looser(doubt);
        }
    }
}

/// How late a client's line may be after a packet of this connection. Callbacks run on a task or thread of their own, behind
/// whatever the application does: 70 ms were seen on a busy machine.
fn lag(conn: &Conn) -> i64 {
    const CALLBACK_LAG: i64 = 60_000_000;
    CALLBACK_LAG + anchor::lag(conn)
}

/// The event that made the connection: its line says "connected" or "reconnected".
fn opened(story: &ClientStory, own: &ClientConn) -> Option<Side> {
    let event = story.events.get(own.opened?)?;
    matches!(
        event.kind,
        ClientEventKind::Connected | ClientEventKind::Reconnected
    )
    .then(|| Side::line(event.first.as_ref().unwrap_or(&event.at)))
    .flatten()
}

/// The first line that tells of its end.
fn ended<'a>(story: &'a ClientStory, own: &ClientConn) -> Option<(Side, &'a ClientEventKind)> {
    let first = own
        .why
        .iter()
        .chain(&own.closed)
        .filter_map(|&index| story.events.get(index))
        .find(|event| {
            matches!(
                event.kind,
                ClientEventKind::Disconnected(_)
                    | ClientEventKind::Closed(_)
                    | ClientEventKind::Stale
                    | ClientEventKind::ClosingByApplication
            )
        })?;
    Some((
        Side::line(first.first.as_ref().unwrap_or(&first.at))?,
        &first.kind,
    ))
}

fn captured(conn: &Conn, story: &ClientStory, own: &ClientConn, out: &mut Vec<Anchor>) {
    let packet = |at: Moment| Side::packet(conn.source, at);
    let session = conn.session.as_ref();
    let server = session
        .and_then(|session| session.server_end)
        .unwrap_or(End::Resp);
    let client = server.other();
    if let Some(line) = opened(story, own) {
        let ready = session.and_then(|session| session.ready_at);
        if let Some(at) = ready.or(conn.handshake.ack) {
            out.push(Anchor::before(packet(at), line));
        }
        if let Some(at) = ready {
            out.push(Anchor::usually(packet(at), line, 0, lag(conn)));
        }
    }
    let Some((line, kind)) = ended(story, own) else {
        return;
    };
    let first_of = |end: End| {
        let rst = conn
            .rsts
            .iter()
            .find(|rst| rst.from == end)
            .map(|rst| rst.at);
        match (conn.flow(end).fin, rst) {
            (Some(fin), Some(rst)) => Some(if rst.frame < fin.frame { rst } else { fin }),
            (fin, rst) => fin.or(rst),
        }
    };
    let (from_server, from_client) = (first_of(server), first_of(client));
    let server_first = match (from_server, from_client) {
        (Some(a), Some(b)) => a.frame < b.frame,
        (a, b) => a.is_some() && b.is_none(),
    };
    match kind {
        ClientEventKind::Disconnected(_) | ClientEventKind::Closed(_)
            if server_first && !own.intended =>
        {
            if let Some(at) = from_server {
                out.push(Anchor::before(packet(at), line));
                out.push(Anchor::usually(packet(at), line, 0, lag(conn)));
            }
        }
        ClientEventKind::ClosingByApplication | ClientEventKind::Stale if !server_first => {
            if let Some(at) = from_client {
                out.push(Anchor::usually(line, packet(at), 0, lag(conn)));
            }
        }
        _ => {
            if let Some(at) = from_client.filter(|_| !server_first) {
                out.push(Anchor::usually(packet(at), line, -lag(conn), lag(conn)));
            }
        }
    }
}

fn logged(entry: &ServerConn, story: &ClientStory, own: &ClientConn, out: &mut Vec<Anchor>) {
    let created = entry.opened.as_ref().and_then(Side::line);
    if let (Some(created), Some(line)) = (created, opened(story, own)) {
        out.push(Anchor::before(created, line));
        out.push(Anchor::usually(created, line, 0, HANDSHAKE_LAG));
    }
    let closed = entry.closed.as_ref().and_then(Side::line);
    let (Some(closed), Some((line, kind))) = (closed, ended(story, own)) else {
        return;
    };
    match (&entry.reason, kind) {
        (
            Some(CloseReason::ClientClosed),
            ClientEventKind::ClosingByApplication | ClientEventKind::Stale,
        ) => {
            out.push(Anchor::usually(line, closed, 0, HANDSHAKE_LAG));
        }
        (
            Some(
                CloseReason::ClientClosed
                | CloseReason::ReadError
                | CloseReason::WriteError
                | CloseReason::StaleConnection
                | CloseReason::SlowConsumerPendingBytes
                | CloseReason::SlowConsumerWriteDeadline,
            )
            | None,
            _,
        ) => {
            out.push(Anchor::usually(closed, line, -HANDSHAKE_LAG, HANDSHAKE_LAG));
        }
        _ => {
            out.push(Anchor::usually(closed, line, 0, HANDSHAKE_LAG));
        }
    }
}

/// From "created" to "connected": INFO, CONNECT, PING, PONG, perhaps TLS, and the lines themselves.
const HANDSHAKE_LAG: i64 = 400_000_000;
