//! Findings that rest on what the server said.

use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::server::NoteKind;

use super::disconnect::Disconnect;
use super::finding::{Confidence, Finding, Initiator};

/// A finding if the server stated one of `reasons`, in its log, on the wire or through the client's log; its own lines
/// that `notes` picks are quoted too.
pub fn said(
    disconnect: &Disconnect,
    reasons: &[CloseReason],
    notes: impl Fn(&NoteKind) -> bool,
    summary: impl FnOnce() -> String,
) -> Option<Finding> {
    let statements: Vec<_> = reasons
        .iter()
        .flat_map(|reason| disconnect.stated(reason))
        .collect();
    let noted = disconnect.note(&notes);
    if statements.is_empty() && noted.is_none() {
        return None;
    }
    // The server's log outranks a client's: a close that the server logs under another reason of its own is that.
    let contradicted = disconnect
        .reason()
        .is_some_and(|reason| !reasons.contains(reason) && !reason.is_departure());
    let confidence = if contradicted {
        Confidence::Possible
    } else {
        Confidence::Stated
    };
    Some(
        Finding::new(confidence, Initiator::Server, summary())
            .because(
                statements
                    .into_iter()
                    .map(|statement| statement.evidence.clone()),
            )
            .because(noted.map(|note| disconnect.quote(&note.at))),
    )
}

/// No line of the server is picked.
pub const fn nothing(_: &NoteKind) -> bool {
    false
}
