//! Lines that a `%` in a client's name corrupted: the tag is a Printf format, so Go consumes or reports the arguments
//! in the wrong places (`%!d(string=Client)`, `%!s(MISSING)`). Known words are looked for instead of the template.

use super::super::close_reason::CloseReason;
use super::super::record::NoteKind;
use super::{ConnMessage, Topic};

/// Reasons, longest first, so that `Client Closed` does not hide in another.
const REASONS: &[&str] = &[
    "Maximum Account Connections Exceeded",
    "Maximum Message Payload Exceeded",
    "Maximum Control Line Exceeded",
    "Maximum Subscriptions Exceeded",
    "Maximum Connections Exceeded",
    "Slow Consumer (Write Deadline)",
    "Slow Consumer (Pending Bytes)",
    "Bad Client Protocol Version",
    "Authentication Failure",
    "Authentication Timeout",
    "Authentication Expired",
    "TLS Handshake Failure",
    "Credentials Revoked",
    "Protocol Violation",
    "Duplicate Client ID",
    "Stale Connection",
    "Server Shutdown",
    "Missing Account",
    "Incorrect Port",
    "Client Closed",
    "Write Error",
    "Parse Error",
    "Read Error",
    "Kicked",
];

/// Whether Go's formatter complains in this text.
pub fn is_corrupted(text: &str) -> bool {
    text.contains("%!")
}

/// What a corrupted message about one connection says: `whole` is the line's text, tag included.
pub fn corrupted(whole: &str) -> Option<ConnMessage<'static>> {
    if !is_corrupted(whole) {
        return None;
    }
    let note = if whole.contains("connection closed") {
        let reason = REASONS.iter().find(|reason| whole.contains(**reason));
        NoteKind::Closed(reason.map(|text| CloseReason::from_text(text)))
    } else if whole.contains("connection created") {
        NoteKind::Created
    } else if whole.contains("Ping Timer") {
        NoteKind::PingTimer
    } else {
        return None;
    };
    Some(ConnMessage {
        topic: Some(Topic::Lifecycle),
        note: Some(note),
        ..ConnMessage::default()
    })
}
