//! Anchors of a client's log: against captured packets (PONG before "connected", FIN or RST before "disconnected") and,
//! without a capture, against the server's log ("created" before "connected").

use std::collections::BTreeMap;

use super::anchor::{self, Anchor, Side};
use super::anchor_server::own_rst;
use super::joined::{Joined, Near, Records};
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::client::{ClientConn, ClientEventKind, ClientStory, Library, Trouble};
use crate::reconstruct::conn::{Conn, ConnEnd, Manner};
use crate::reconstruct::server::ServerConn;
use crate::reconstruct::session::Session;
use crate::span::{Moment, Place};
use crate::time::SECOND;

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
            captured(&conn, leg.near, story, own, out);
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

/// Callbacks run on a task or thread of their own, behind whatever the application does: 70 ms were seen on a busy machine.
const CALLBACK_LAG: i64 = 60_000_000;

/// How late a client's line may be after a packet of this connection.
fn lag(conn: &Conn) -> i64 {
    CALLBACK_LAG + anchor::lag(conn)
}

/// Over so long two clocks drift apart by less than what tells a prompt line from a late one.
const TOGETHER: i64 = 50 * SECOND;

/// One of so many lines was not late.
const SEVERAL: usize = 3;

/// Of several lines of one log soon after each other, the one that comes soonest after its packet did not wait for a callback:
/// it is as prompt as a server's line.
pub fn promptest(anchors: &mut [Anchor]) {
    let mut near: BTreeMap<(usize, usize, i64), (usize, i64, usize)> = BTreeMap::new();
    for (index, anchor) in anchors.iter().enumerate() {
        let late = matches!(anchor.b.cite.place, Place::Line(_)) && anchor.least == 0;
        if !late || anchor.firm || anchor.most < CALLBACK_LAG {
            continue;
        }
        let apart = anchor.b.ns.saturating_sub(anchor.a.ns);
        let key = (anchor.a.clock, anchor.b.clock, anchor.a.ns / TOGETHER);
        let (count, least, at) = near.entry(key).or_insert((0, apart, index));
        *count += 1;
        if apart < *least {
            (*least, *at) = (apart, index);
        }
    }
    for (count, _, at) in near.into_values() {
        if count >= SEVERAL {
            anchors[at].most -= CALLBACK_LAG;
        }
    }
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

fn captured(conn: &Conn, near: Near, story: &ClientStory, own: &ClientConn, out: &mut Vec<Anchor>) {
    let packet = |at: Moment| Side::packet(conn.source, at);
    let session = conn.session.as_deref();
    let server = conn.server_end();
    if let Some(line) = opened(story, own) {
        let ready = session.and_then(|session| session.ready_at);
        let waits = waits_for_pong(session, story.library);
        if let Some(at) = ready.filter(|_| waits).or(conn.handshake.ack) {
            out.push(Anchor::before(packet(at), line));
        }
        if let Some(at) = ready {
            let early = conn.handshake.ack.filter(|_| !waits);
            let least = early.map_or(0, |ack| (ack.ns - at.ns).min(0));
            out.push(Anchor::usually(packet(at), line, least, lag(conn)));
        }
    }
    let Some((line, kind)) = ended(story, own) else {
        return;
    };
    // The first FIN or RST.
    let ConnEnd { manner, by, at } = conn.end;
    let Some(by) = by.filter(|_| manner != Manner::Unanswered) else {
        return;
    };
    let rst = conn.flow(by).fin != Some(at);
    // A FIN, or a RST that answers nothing.
    let unasked = !rst || own_rst(conn, by) == Some(at);
    let lag = lag(conn);
    match kind {
        ClientEventKind::Disconnected(trouble) | ClientEventKind::Closed(trouble)
            if by == server && !own.intended =>
        {
            let told = match trouble {
                Trouble::Eof
                | Trouble::Reset
                | Trouble::BrokenPipe
                | Trouble::StaleOrEof
                | Trouble::Tls(_)
                | Trouble::ServerError(_)
                | Trouble::Auth(_) => true,
                // A client that gave up by itself may be answered long after.
                Trouble::Unsaid | Trouble::NoError => unasked,
                _ => false,
            };
            if !told {
                return;
            }
            // It may leave on the server's -ERR, without waiting for the close.
            let error = session.and_then(|session| {
                let mut errors = session.errors.iter().filter(|error| error.from_server);
                errors.find(|error| error.at.frame < at.frame)
            });
            let told_at = error.map_or(at, |error| error.at);
            // It may have been told by a RST of another, which this capture did not see.
            if !rst || near == Near::Client {
                out.push(Anchor::before(packet(told_at), line));
            }
            let least = told_at.ns - at.ns;
            out.push(Anchor::usually(packet(at), line, least, lag));
        }
        ClientEventKind::ClosingByApplication if by != server && unasked => {
            out.push(Anchor::usually(line, packet(at), 0, lag));
        }
        // Some close first, and say then that it was stale.
        _ if by != server && unasked => {
            out.push(Anchor::usually(packet(at), line, -lag, lag));
        }
        _ => {}
    }
}

/// Libraries say "connected" after PONG, and so does what is built on them. What people write themselves may call a sent
/// CONNECT connected: neither line nor CONNECT names a library, or they name two.
fn waits_for_pong(session: Option<&Session>, by_log: Library) -> bool {
    let connect = session.and_then(|session| session.connect.as_ref());
    let by_wire = connect.and_then(|connect| {
        let lang = connect.lang.as_deref()?;
        Some(Library::of_connect(lang, connect.version.as_deref()))
    });
    match (by_wire.unwrap_or_default(), by_log) {
        (Library::Unknown, by_log) => by_log != Library::Unknown,
        (_, Library::Unknown) => true,
        (by_wire, by_log) => by_wire.speaks(by_log),
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
