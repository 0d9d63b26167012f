//! `slow-consumer/max-control-line`: a protocol line longer than `max_control_line`.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::Finding;
use crate::attribute::said::said;
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::server::NoteKind;

/// Stated by the server.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let server = case.server_label(disconnect);
    let client = case.client_label(disconnect);
    let limit = disconnect
        .life
        .and_then(|(_, life)| life.limits.max_control_line);
    let limit = limit.map_or_else(
        || "max_control_line (4096 by default)".to_owned(),
        |limit| format!("max_control_line ({limit})"),
    );
    let length = disconnect
        .session()
        .map(|session| session.client.longest_line)
        .filter(|length| *length > 0);
    let line = length.map_or_else(
        || "a protocol line".to_owned(),
        |length| format!("a protocol line of {length} bytes or more"),
    );
    let summary = || format!("{server} closed {client}: {line} is longer than {limit}");
    let note = |note: &NoteKind| matches!(note, NoteKind::MaxControlLine { .. });
    Some(said(disconnect, &[CloseReason::MaxControlLineExceeded], note, summary)?.remedy(format!(
        "shorten subject, reply and queue names (or the CONNECT options: long JWTs count), or raise {limit} on the server"
    )))
}
