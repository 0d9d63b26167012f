//! Slow consumer or slow path: what the packets say of a receiver that the server gave up on.

use crate::reconstruct::client::Trouble;
use crate::time::SECOND;

use super::disconnect::{Disconnect, spoken, times};
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
                "the client's receive window was zero {}, {total} in all",
                times(flow.zero_windows)
            ),
        ));
    }
    None
}

/// How long the client did not read, where its window was shut for long.
fn longest_shut(view: &View) -> Option<i64> {
    let flow = view.flow(Side::Client);
    let open_end = flow
        .zero_window_since
        .map(|since| view.conn.last.ns - since.ns);
    Some(flow.zero_window_ns.max(open_end.unwrap_or(0))).filter(|shut| *shut > NOT_READING)
}

/// Weighs the statement against the packets.
pub fn judge(disconnect: &Disconnect, reading: Reading) -> Option<Finding> {
    // Only packets: the server cuts a message off in the middle, without -ERR, in front of a closed window.
    let finding = match reading.finding {
        Some(finding) => Some(finding),
        None => from_packets(disconnect, reading.deadline),
    };
    let mut finding = finding?;
    let closed = disconnect.views.iter().find_map(not_reading);
    let dead = dead_path(disconnect).filter(|dead| dead.from == Side::Server);
    let open_window = disconnect.views.iter().any(|view| {
        let flow = view.flow(Side::Client);
        flow.zero_windows == 0 && flow.window.is_some_and(|window| window > 0)
    });
    let lossy = disconnect.views.iter().any(|view| {
        let flow = view.flow(Side::Server);
        flow.retransmissions >= 5 && view.loss_share(Side::Server) > 0.02
    });
    let names = Names::of_client(disconnect);
    let shut = disconnect.views.iter().filter_map(longest_shut).max();
    if closed.is_none() && (dead.is_some() || open_window && lossy) {
        return None;
    }
    // The client counted its own unanswered PINGs meanwhile: it was running, and the path was not.
    let counted = disconnect.trouble(|trouble| *trouble == Trouble::Stale);
    if closed.is_none() && disconnect.views.is_empty() && counted.is_some() {
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
            .remedy("client: take messages off the subscription faster (more workers, hand work to another thread), or spread them over a queue group")
            .remedy(match shut.filter(|_| reading.deadline) {
                Some(shut) => format!(
                    "server: {} was outlasted by a client that did not read for {} in all; a longer one than that would have kept it, and with it up to max_pending of memory",
                    reading.limit,
                    spoken(shut)
                ),
                None => format!("server: {} decides how much patience it has; raise it only if such stalls are expected", reading.limit),
            })
            .remedy(format!("{}: {} is how much the client itself lets pile up", names.library, names.pending_limits)),
    )
}

fn from_packets(disconnect: &Disconnect, deadline: bool) -> Option<Finding> {
    // Pending bytes or deadline cannot be told apart on the wire; the deadline is the one that a closed window meets first
    // unless the server piles up max_pending sooner.
    if disconnect.server.is_some() || !disconnect.statements.is_empty() {
        return None;
    }
    let view = disconnect.views.iter().find(|view| {
        let closer = view
            .closer()
            .is_some_and(|close| close.side == Side::Server && !close.rst);
        let flow = view.flow(Side::Client);
        let long = flow.zero_window_ns > NOT_READING || flow.zero_window_since.is_some();
        closer
            && long
            && view
                .session()
                .is_some_and(|session| session.errors.is_empty())
    })?;
    // A write that meets its deadline is cut where the kernel's buffer was full, in the middle of a message; what was
    // queued beyond max_pending is dropped between messages.
    let cut = view.talk(Side::Server)?.cut;
    if cut.is_some() != deadline {
        return None;
    }
    let which = if deadline {
        ("slow-consumer", "pending-bytes")
    } else {
        ("slow-consumer", "write-deadline")
    };
    Some(
        Finding::new(
            Confidence::Likely,
            Initiator::Server,
            "the server closed the connection without a word, in front of a client that did not read",
        )
        .because(cut.map(|cut| {
            let says = format!("the message that is cut off: {} of {} bytes", cut.present, cut.declared);
            view.evidence(cut.at, says)
        }))
        .because(view.closer().map(|close| view.evidence(close.at, "the server closes, without -ERR")))
        .rival(which.0, which.1, "both look alike on the wire; the server's log names the one")
        .missing("the server's log: `Slow Consumer Detected` names the limit"),
    )
}
