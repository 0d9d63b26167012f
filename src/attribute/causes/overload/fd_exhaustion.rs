//! `overload/fd-exhaustion`: no file descriptors left: the kernel completes handshakes, the server cannot accept.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::{Confidence, Finding, Initiator};
use crate::reconstruct::server::ServerEventKind;
use crate::time::SECOND;

/// `Temporary Client Accept Error(... too many open files)` sleeps up to a second between attempts: a connection that
/// came this long before or after such a line met it.
const AROUND: i64 = 3 * SECOND;

/// The connection never got an INFO in time, and the server's log says that accepting failed meanwhile.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let (_, life) = disconnect.life?;
    if disconnect.was_ready() || disconnect.views.iter().any(|view| !view.established()) {
        return None;
    }
    // What the log knew for longer was accepted in time.
    if disconnect.views.is_empty()
        && disconnect.server.is_some()
        && disconnect.logged_lifetime() > SECOND / 10
    {
        return None;
    }
    let (opened, closed) = (disconnect.opened?, disconnect.closed?);
    let errors: Vec<_> = life
        .events
        .iter()
        .filter(|event| matches!(&event.kind, ServerEventKind::AcceptError(what) if what.contains("too many open files")))
        .filter_map(|event| {
            let first = event.first.as_ref().unwrap_or(&event.at);
            Some((first, disconnect.log(first)?, disconnect.log(&event.at)?))
        })
        .collect();
    let (first, last) = (errors.first()?, errors.last()?);
    let met = opened.bounds.low <= last.2.bounds.high + AROUND
        && closed.bounds.high >= first.1.bounds.low - AROUND;
    if !met {
        return None;
    }
    let server = case.server_label(disconnect);
    let summary = format!(
        "{server} had no file descriptors left and could not accept {}",
        case.client_label(disconnect)
    );
    let informed = disconnect
        .views
        .iter()
        .any(super::super::super::wire::View::greeted_in_time);
    let silence = disconnect.views.first().filter(|_| !informed).map(|view| {
        view.evidence(
            view.conn.end.at,
            "the handshake is complete, no INFO ever comes, then this ends the connection",
        )
    });
    let confidence = if disconnect.views.is_empty() {
        Confidence::Likely
    } else {
        Confidence::Shown
    };
    Some(
        Finding::new(confidence, Initiator::Client, summary)
            .because(errors.iter().take(1).map(|(line, _, _)| disconnect.quote(line)))
            .because(silence)
            .remedy("raise the descriptor limit of the nats-server process (LimitNOFILE in its unit, ulimit -n, the container's limit) above max_connections plus routes and files, or lower max_connections below it"),
    )
}
