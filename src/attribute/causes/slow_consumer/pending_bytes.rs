//! `slow-consumer/pending-bytes`: the receiver reads too slowly; `max_pending` reached.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::Finding;
use crate::attribute::said::said;
use crate::attribute::slow::{Reading, judge};
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::server::NoteKind;

/// Stated by the server, and the path was well as far as packets show.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let server = case.server_label(disconnect);
    let client = case.client_label(disconnect);
    let note = |note: &NoteKind| matches!(note, NoteKind::SlowConsumerPending { .. });
    let limit = match disconnect.note(note).map(|note| &note.kind) {
        Some(NoteKind::SlowConsumerPending { max_pending }) => *max_pending,
        _ => None,
    };
    let limit = limit.or_else(|| disconnect.life?.1.limits.max_pending);
    let over = limit.map_or_else(
        || "max_pending".to_owned(),
        |limit| format!("max_pending ({limit} bytes)"),
    );
    let summary = || format!("{server} closed {client}: it read too slowly, {over} waited for it");
    let finding = said(
        disconnect,
        &[CloseReason::SlowConsumerPendingBytes],
        note,
        summary,
    );
    judge(
        disconnect,
        Reading {
            finding,
            limit: &over,
            deadline: false,
        },
    )
}
