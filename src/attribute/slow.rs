//! Slow consumer or slow path: what the packets say of a receiver that the server gave up on.

use crate::time::SECOND;

use super::disconnect::{Disconnect, spoken};
use super::finding::{Confidence, Evidence, Finding, Initiator};
use super::path::dead_path;
use super::settings::Names;
use super::wire::{Side, View};

/// What a rule of slow consumers knows already.
#[derive(Debug)]
pub struct Reading<'a> {
    /// The server's statement, if any.
    pub finding: Option<Finding>,
    /// The limit in words.
    pub limit: &'a str,
    /// It is the write deadline.
    pub deadline: bool,
}

/// A window closed for this long before the end is a receiver that does not read.
const NOT_READING: i64 = SECOND / 2;

/// The client's window was closed or starved towards the end.
pub fn not_reading(view: &View) -> Option<Evidence> {
    let flow = view.flow(Side::Client);
    if let Some(since) = flow.zero_window_since {
        let lasted = spoken(view.conn.last.ns - since.ns);
        return Some(view.evidence(
            since,
            format!(
                "the client's receive window is zero from here on ({lasted}): it does not read"
            ),
        ));
    }
    if flow.zero_window_ns > NOT_READING {
        let total = spoken(flow.zero_window_ns);
        let at = flow.last_packet.unwrap_or(view.conn.last);
        return Some(view.evidence(
            at,
            format!(
                "the client's receive window was zero {} times, {total} in all",
                flow.zero_windows
            ),
        ));
    }
    None
}

/// Weighs the statement against the packets.
pub fn judge(disconnect: &Disconnect, reading: Reading) -> Option<Finding> {
    let closed = disconnect.views.iter().find_map(not_reading);
    let dead = dead_path(disconnect).filter(|dead| dead.from == Side::Server);
    let open_window = disconnect.views.iter().any(|view| {
        let flow = view.flow(Side::Client);
        flow.zero_windows == 0 && flow.window.is_some_and(|window| window > 0)
    });
    let lossy = disconnect.views.iter().find(|view| {
        let flow = view.flow(Side::Server);
        flow.retransmissions >= 5 && view.loss_share(Side::Server) > 0.02
    });
    let names = Names::of(disconnect.client_identity().1.as_deref());
    let mut finding = match (reading.finding, &closed) {
        (Some(finding), _) => finding,
        // Only packets: the server cuts a message off in the middle, without -ERR, in front of a closed window.
        (None, Some(_)) => from_packets(disconnect, reading.deadline)?,
        (None, None) => return None,
    };
    if closed.is_none() && (dead.is_some() || open_window && lossy.is_some()) {
        return None;
    }
    if closed.is_none() && disconnect.views.is_empty() {
        finding.confidence = finding.confidence.min(Confidence::Likely);
        finding = finding
            .rival("network", "packet-loss", "a lossy or dead path logs the same line; a capture would show retransmissions instead of a closed window")
            .missing("a capture on either side: a zero window shows a slow reader, retransmissions show the path");
    }
    Some(
        finding
            .because(closed)
            .remedy(format!(
                "client: take messages off the subscription faster (more workers, hand work to another thread), or spread them over a queue group; {} pending limit: {}",
                names.library, names.pending_limits
            ))
            .remedy(format!("server: {} decides how much patience it has; raise it only if such stalls are expected", reading.limit)),
    )
}

fn from_packets(disconnect: &Disconnect, deadline: bool) -> Option<Finding> {
    // Pending bytes or deadline cannot be told apart on the wire; the deadline is the one that a closed window meets first
    // unless the server piles up max_pending sooner.
    if disconnect.server.is_some() || !disconnect.statements.is_empty() {
        return None;
    }
    let view = disconnect.views.iter().find(|view| {
        let cut = view
            .talk(Side::Server)
            .is_some_and(|talk| talk.cut.is_some());
        let closer = view
            .closer()
            .is_some_and(|close| close.side == Side::Server);
        closer && cut && not_reading(view).is_some()
    })?;
    let stalled = view.flow(Side::Client).zero_window_ns.max(
        view.flow(Side::Client)
            .zero_window_since
            .map_or(0, |since| view.conn.last.ns - since.ns),
    );
    // write_deadline is 10 s (2 s before 2.2.0) where nothing else is set; data that piles up hits max_pending before.
    let sent = view.flow(Side::Server).bytes;
    let pending = sent > 8 * 1024 * 1024 && stalled < 2 * SECOND;
    if pending == deadline {
        return None;
    }
    let cut = view.talk(Side::Server)?.cut?;
    let which = if deadline {
        ("slow-consumer", "pending-bytes")
    } else {
        ("slow-consumer", "write-deadline")
    };
    Some(
        Finding::new(
            Confidence::Likely,
            Initiator::Server,
            format!(
                "the server cut the connection in the middle of a message ({} of {} bytes) in front of a client that did not read",
                cut.present, cut.declared
            ),
        )
        .because([view.evidence(cut.at, "the message that is cut off")])
        .because(view.closer().map(|close| view.evidence(close.at, "the server closes, without -ERR")))
        .rival(which.0, which.1, "both look alike on the wire; the server's log names the one")
        .missing("the server's log: `Slow Consumer Detected` names the limit"),
    )
}
