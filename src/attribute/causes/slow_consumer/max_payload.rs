//! `slow-consumer/max-payload`: a message larger than `max_payload`.

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
    let noted = disconnect
        .note(|note| matches!(note, NoteKind::MaxPayload { .. }))
        .map(|note| &note.kind);
    let (mut size, mut limit) = match noted {
        Some(NoteKind::MaxPayload { size, limit }) => (*size, *limit),
        _ => (None, None),
    };
    limit = limit
        .or_else(|| disconnect.info()?.max_payload)
        .or_else(|| disconnect.life?.1.limits.max_payload);
    size = size
        .or_else(|| {
            disconnect
                .session()
                .map(|session| session.client.largest_message)
        })
        .filter(|size| limit.is_none_or(|limit| *size > limit));
    let size = size.map_or_else(
        || "a message".to_owned(),
        |size| format!("a message of {size} bytes"),
    );
    let over = limit.map_or_else(
        || "max_payload".to_owned(),
        |limit| format!("max_payload ({limit})"),
    );
    let summary = || format!("{server} closed {client}: {size} is larger than {over}");
    let note = |note: &NoteKind| matches!(note, NoteKind::MaxPayload { .. });
    Some(said(disconnect, &[CloseReason::MaxPayloadExceeded], note, summary)?.remedy(format!(
        "make the message smaller (chunk it, or put it in an object store bucket), or raise {over} on the server; above 8 MB the server advises against it"
    )))
}
