//! `overload/fd-exhaustion`: no file descriptors left: the kernel completes handshakes, the server cannot accept.

use crate::attribute::Case;
use crate::attribute::disconnect::{Disconnect, spoken};
use crate::attribute::finding::{Confidence, Finding, Initiator};
use crate::reconstruct::server::ServerEventKind;
use crate::time::SECOND;

/// `Temporary Client Accept Error(... too many open files)` sleeps up to a second between attempts: a connection that
/// came this long before or after such a line met it.
const AROUND: i64 = 3 * SECOND;

/// The longest that a server sleeps after a failed accept (`ACCEPT_MAX_SLEEP` in server/const.go): one that waits longer
/// was not merely unlucky.
const LONGEST_SLEEP: i64 = SECOND;

/// What helps, with the settings that decide.
const REMEDY: &str = "raise the descriptor limit of the nats-server process (LimitNOFILE in its unit, ulimit -n, the container's limit) above max_connections plus routes and files, or lower max_connections below it";

/// The connection never got an INFO in time, and the server's log says that accepting failed meanwhile; or, without
/// that log, packets show the server serving others all the while.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    if disconnect.was_ready() || disconnect.views.iter().any(|view| !view.established()) {
        return None;
    }
    if disconnect.life.is_some() {
        from_log(disconnect, case)
    } else {
        from_packets(disconnect, case)
    }
}

fn from_log(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let (_, life) = disconnect.life?;
    // What the log knew for longer was accepted in time.
    if disconnect.views.is_empty()
        && disconnect.server.is_some()
        && disconnect.logged_lifetime() > SECOND / 10
    {
        return None;
    }
    let closed = disconnect.closed?;
    let opened = disconnect.opened.unwrap_or(closed);
    let errors: Vec<_> = life
        .events
        .iter()
        .filter(|event| matches!(&event.kind, ServerEventKind::AcceptError(what) if what.contains("too many open files")))
        .filter_map(|event| {
            let first = event.first.as_ref().unwrap_or(&event.at);
            let (began, ended) = (disconnect.log(first)?, disconnect.log(&event.at)?);
            let nearer = closed.since(began) <= ended.since(closed);
            Some((if nearer { first } else { &event.at }, began, ended))
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
            .because(
                errors
                    .iter()
                    .take(1)
                    .map(|(line, _, _)| disconnect.quote(line)),
            )
            .because(silence)
            .remedy(REMEDY),
    )
}

/// Packets alone: the kernel took the connection, the process ran and did not accept it. Descriptors are what accepting
/// needs and serving does not.
fn from_packets(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let view = disconnect.views.iter().find(|view| view.established())?;
    let waited = view.wait_for_greeting()?;
    if view.greeted_in_time() || !case.speaks_nats(disconnect) || waited < LONGEST_SLEEP {
        return None;
    }
    let elsewhere = case.served_others_meanwhile(disconnect)?;
    let summary = format!(
        "{} served its other connections and did not accept {}, which left after {} without a greeting: no file descriptors left",
        case.server_label(disconnect),
        case.client_label(disconnect),
        spoken(waited)
    );
    let taken = view.conn.handshake.ack.unwrap_or(view.conn.first);
    Some(
        Finding::new(Confidence::Likely, Initiator::Client, summary)
            .because([
                view.evidence(taken, "the kernel completes the handshake"),
                elsewhere,
                view.evidence(view.conn.end.at, "the client leaves, no INFO came before"),
            ])
            .rival("overload", "server-stall", "a server whose accepting hangs on a lock looks the same, and so does a load balancer that takes connections for a server it cannot reach")
            .missing("the server's log: `Temporary Client Accept Error(... too many open files)`; `/proc/PID/limits` and `ls /proc/PID/fd | wc -l` on its host")
            .remedy(REMEDY),
    )
}
