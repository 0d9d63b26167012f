//! `client-fault/process-exit`: killed or crashed; the kernel closed the socket.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::{Confidence, Finding, Initiator};
use crate::attribute::path::{dead_path, stalled};
use crate::attribute::wire::Side;
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::client::{ClientEventKind, ClientOutcome};

/// The client's side ended first, in order, and its log says nothing of it and nothing afterwards, or tells of a crash.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let story = disconnect.story?;
    let conn = disconnect.client?;
    let crash = story.events.iter().find(|event| {
        matches!(event.kind, ClientEventKind::Crash(_))
            && disconnect.log(&event.at).is_some_and(|at| {
                disconnect
                    .closed
                    .is_some_and(|closed| at.since(closed).abs() < 5 * crate::time::SECOND)
            })
    });
    // A log that never says anything at a close says nothing by its silence.
    let talks = case.tells_of_meant_closes(story.library);
    let cut = matches!(
        disconnect.reason(),
        Some(CloseReason::ReadError | CloseReason::WriteError)
    ) && disconnect.joined.next().is_none();
    let silent = (talks || cut)
        && conn.closed.is_none()
        && matches!(conn.outcome, ClientOutcome::Silent | ClientOutcome::Unknown);
    let client_first = match disconnect.first_close() {
        Some(first) => first.close.side == Side::Client,
        None => disconnect.reason().is_some_and(CloseReason::is_departure),
    };
    let other = disconnect.server_gave_reason();
    if !client_first
        || other
        || conn.intended
        || !(silent || crash.is_some())
        || case.gone(disconnect).is_some()
    {
        return None;
    }
    if dead_path(disconnect).is_some() || stalled(disconnect, Side::Server).is_some() {
        return None;
    }
    let client = case.client_label(disconnect);
    let confidence = if crash.is_some() {
        Confidence::Shown
    } else {
        Confidence::Possible
    };
    let what = if crash.is_some() {
        "crashed"
    } else {
        "ended without a word: its log stops, and its kernel closed the socket"
    };
    let last = story.last.as_ref().filter(|_| crash.is_none()).map(|last| {
        let mut quote = disconnect.quote(last);
        quote.says = format!("the last line of its log: {}", quote.says);
        quote
    });
    let close = disconnect.first_close().map(|first| {
        first
            .view
            .evidence(first.close.at, "the client's side closes first")
    });
    Some(
        Finding::new(confidence, Initiator::Client, format!("{client} {what}"))
            .because(crash.map(|event| disconnect.quote(&event.at)))
            .because(last)
            .because(close)
            .because(disconnect.statements.iter().map(|said| said.evidence.clone()))
            .rival("client-close", "normal", "a program that exits without logging looks the same")
            .missing("the exit status of the client's process (container, systemd, kernel log)")
            .remedy("find out how the client's process ended: exit status, OOM kill, deployment; its own log does not say"),
    )
}
