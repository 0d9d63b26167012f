//! `overload/accept-queue`: SYNs or completed handshakes that nobody accepts.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::{Confidence, Finding, Initiator};
use crate::reconstruct::conn::Manner;
use crate::reconstruct::server::ServerEventKind;

/// The kernel of a full accept queue drops the final ACK or the SYN: SYN,ACKs repeat although the client acknowledged
/// them, or SYNs go unanswered while the server's capture sees them arrive and its other connections live.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    if disconnect.was_ready() {
        return None;
    }
    let server = case.server_label(disconnect);
    let summary = format!(
        "{server} did not accept the connection of {}: its accept queue was full",
        case.client_label(disconnect)
    );
    let flooded = disconnect.records.host_events.iter().find(
        |event| matches!(&event.kind, ServerEventKind::Host(what) if what.contains("SYN flooding")),
    );
    let repeated = disconnect.views.iter().find(|view| {
        let shake = &view.conn.handshake;
        // One that went again before the client's answer came was lost on the way.
        let after = shake.last_syn_ack > shake.ack;
        view.near_server() && shake.syn_acks >= 2 && shake.ack.is_some() && after
    });
    let unanswered = disconnect.views.iter().find(|view| {
        view.near_server()
            && view.conn.end.manner == Manner::Unanswered
            && view.conn.handshake.syns >= 2
    });
    let alive = case
        .endpoint(disconnect)
        .is_some_and(|endpoint| disconnect.closed.is_some_and(|at| endpoint.alive_at(at)));
    let evidence = match (repeated, unanswered) {
        (Some(view), _) => view.evidence(
            view.conn.handshake.ack?,
            "client completes the handshake, the server repeats its SYN,ACK: not accepted",
        ),
        (None, Some(view)) if alive || flooded.is_some() => view.evidence(
            view.conn.handshake.last_syn?,
            "SYN arrives at the server's host and gets no answer, while its other connections live",
        ),
        _ => return None,
    };
    let confidence = if flooded.is_some() {
        Confidence::Shown
    } else {
        Confidence::Likely
    };
    Some(
        Finding::new(confidence, Initiator::Client, summary)
            .because([evidence])
            .because(flooded.map(|event| disconnect.quote(&event.at)))
            .missing("`nstat -az TcpExtListenOverflows TcpExtListenDrops` on the server's host")
            .remedy("give the server processor time, raise net.core.somaxconn, and spread reconnects (reconnect jitter of the clients)"),
    )
}
