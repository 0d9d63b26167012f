//! `network/packet-loss`: retransmissions and holes until a deadline passed; some segments still got through.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::{Confidence, Evidence, Finding, Initiator};
use crate::attribute::path::{Dead, dead_path};
use crate::attribute::slow::not_reading;
use crate::attribute::stale;
use crate::attribute::wire::{Side, View};
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::client::Trouble;
use crate::time::SECOND;

/// Ordinary paths lose far less than this share of their segments; TCP stalls above it (throughput falls with the square
/// root of the loss rate, and retransmission timers back off).
const LOSSY: f64 = 0.05;

/// Fewer retransmissions than this are an accident.
const SEVERAL: u64 = 4;

/// No library gives up on a silent server sooner, unless it is told to.
const PATIENCE: i64 = 2 * SECOND;

fn loss(view: &View) -> Option<(Side, u64)> {
    [Side::Server, Side::Client]
        .into_iter()
        .map(|side| (side, view.flow(side).retransmissions))
        .find(|(side, count)| *count >= SEVERAL && view.loss_share(*side) >= LOSSY)
}

/// A connection that died over a deadline (stale, write deadline, the client's own patience) on a lossy path.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let deadline = stale::stated(disconnect)
        || !disconnect
            .stated(&CloseReason::SlowConsumerWriteDeadline)
            .is_empty()
        || !disconnect
            .stated(&CloseReason::SlowConsumerPendingBytes)
            .is_empty()
        || disconnect.client_gave_up_waiting().is_some()
        || !disconnect
            .stated(&CloseReason::AuthenticationTimeout)
            .is_empty();
    // A client that leaves in order while single segments are being sent again need not leave because of them.
    let soon = |dead: &Dead| {
        disconnect.first_close().is_some_and(|first| {
            let close = first.view.when(first.close.at).at;
            let waited = close.since(dead.view.when(dead.path.since).at);
            first.close.side == Side::Client && !first.close.rst && waited < PATIENCE
        })
    };
    let lost = deadline || disconnect.lost_by_log();
    let dead = dead_path(disconnect).filter(|dead| lost || !(dead.heard() && soon(dead)));
    if dead.is_none() && !deadline || disconnect.intended() || !disconnect.was_ready() {
        return None;
    }
    if disconnect.views.is_empty() {
        return from_logs(disconnect, case);
    }
    if disconnect
        .views
        .iter()
        .any(|view| not_reading(view).is_some())
    {
        return None;
    }
    let (view, (side, count)) = disconnect
        .views
        .iter()
        .find_map(|view| Some((*view, loss(view)?)))
        .or_else(|| {
            let dead = dead.filter(Dead::lossy)?;
            Some((dead.view, (dead.from, u64::from(dead.path.run.count))))
        })?;
    if let Some(dead) = &dead
        && !dead.lossy()
        && disconnect.views.iter().all(|view| !mixed(view))
    {
        return None;
    }
    if dead.is_none() && !mixed(&view) && !deadline {
        return None;
    }
    let percent = (view.loss_share(side) * 100.0).round();
    let summary = format!(
        "the path between {} and {} lost packets until a deadline passed: {count} retransmissions ({percent} % of what the {} sent)",
        case.client_label(disconnect),
        case.server_label(disconnect),
        side.word()
    );
    let worst = view.flow(side).worst_retransmissions.as_deref();
    let evidence: Vec<Evidence> = worst
        .map(|run| {
            view.evidence(
                run.first,
                format!(
                    "first of {} retransmissions in a row without progress",
                    run.count
                ),
            )
        })
        .into_iter()
        .chain(dead.iter().flat_map(Dead::evidence))
        .collect();
    Some(
        Finding::new(Confidence::Shown, Initiator::Network, summary)
            .because(evidence)
            .because(disconnect.client_gave_up_waiting())
            .because(disconnect.statements.iter().map(|said| said.evidence.clone()))
            .remedy("find the lossy link: interface error and drop counters (ip -s link, ethtool -S) on both hosts and the switches between, mtr in both directions; a capture on both ends shows on which side segments vanish"),
    )
}

/// Some retransmissions were answered: loss, not silence.
fn mixed(view: &View) -> bool {
    [Side::Client, Side::Server].into_iter().any(|side| {
        let flow = view.flow(side);
        // All in one run is one silence, even if the path came back after it.
        let last = flow
            .worst_retransmissions
            .as_deref()
            .map_or(0, |run| u64::from(run.count));
        flow.retransmissions - flow.spurious_retransmissions > last + 1
    })
}

/// Logs alone: the server could not get its data out while the client counted unanswered PINGs. A client that does not
/// read would not have missed PONGs and said so.
fn from_logs(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let slow: Vec<_> = [
        CloseReason::SlowConsumerWriteDeadline,
        CloseReason::SlowConsumerPendingBytes,
    ]
    .iter()
    .flat_map(|reason| disconnect.stated(reason))
    .map(|said| said.evidence.clone())
    .collect();
    let counted = disconnect.trouble(|trouble| *trouble == Trouble::Stale)?;
    if slow.is_empty() {
        return None;
    }
    let summary = format!(
        "the path between {} and {} failed in both directions: the server could not write, the client missed PONGs",
        case.client_label(disconnect),
        case.server_label(disconnect)
    );
    Some(
        Finding::new(Confidence::Likely, Initiator::Network, summary)
            .because(slow)
            .because([disconnect.quote(&counted.at)])
            .rival("slow-consumer", "write-deadline", "a client that read too slowly logs the same on the server's side; a capture would show its window")
            .missing("a capture on either side"),
    )
}
