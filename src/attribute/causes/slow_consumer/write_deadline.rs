//! `slow-consumer/write-deadline`: the receiver reads too slowly; one write outlasted `write_deadline`.

use crate::attribute::Case;
use crate::attribute::disconnect::{Disconnect, spoken};
use crate::attribute::finding::Finding;
use crate::attribute::said::said;
use crate::attribute::slow::{Reading, judge};
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::server::NoteKind;

/// Stated by the server, and the path was well as far as packets show.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let server = case.server_label(disconnect);
    let client = case.client_label(disconnect);
    let note = |note: &NoteKind| matches!(note, NoteKind::SlowConsumerDeadline { .. });
    let deadline = match disconnect.note(note).map(|note| &note.kind) {
        Some(NoteKind::SlowConsumerDeadline { deadline_ns, .. }) => *deadline_ns,
        _ => None,
    };
    let deadline = deadline.or_else(|| disconnect.life?.1.limits.write_deadline);
    let over = deadline.map_or_else(
        || "write_deadline".to_owned(),
        |ns| format!("write_deadline ({})", spoken(ns)),
    );
    let summary =
        || format!("{server} closed {client}: it read too slowly, one write outlasted {over}");
    let finding = said(
        disconnect,
        &[CloseReason::SlowConsumerWriteDeadline],
        note,
        summary,
    );
    judge(
        disconnect,
        Reading {
            finding,
            limit: &over,
            deadline: true,
        },
    )
}
