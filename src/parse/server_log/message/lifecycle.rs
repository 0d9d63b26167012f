//! Opened, pinged, closed: server/client.go.

use super::super::close_reason::CloseReason;
use super::super::record::NoteKind;
use super::{ConnMessage, ConnPhrase, words};

/// Checked first: the commonest lines of a debug log.
pub(super) const CONN: &[ConnPhrase] = &[
    ConnPhrase {
        head: "<Kind> connection created",
        implies: None,
        note: |_| Some(NoteKind::Created),
    },
    ConnPhrase {
        head: "<Kind> connection closed",
        implies: None,
        note: |rest| Some(NoteKind::Closed(closed_reason(rest))),
    },
    ConnPhrase {
        head: "<Kind> Ping Timer",
        implies: None,
        note: |_| Some(NoteKind::PingTimer),
    },
    ConnPhrase {
        head: "Delaying PING due to ",
        implies: None,
        note: |_| Some(NoteKind::DelayedPing),
    },
    ConnPhrase {
        head: "Stale Client Connection",
        implies: Some(CloseReason::StaleConnection),
        note: |_| Some(NoteKind::Stale),
    },
    ConnPhrase {
        head: "Stale Leaf Node Connection",
        implies: Some(CloseReason::StaleConnection),
        note: |_| Some(NoteKind::Stale),
    },
    ConnPhrase {
        head: "Client connected",
        implies: None,
        note: |_| None,
    },
    ConnPhrase {
        head: "Error flushing: ",
        implies: Some(CloseReason::WriteError),
        note: |rest| Some(NoteKind::WriteError(words(rest))),
    },
    ConnPhrase {
        head: "Error compressing data: ",
        implies: Some(CloseReason::WriteError),
        note: |rest| Some(NoteKind::WriteError(words(rest))),
    },
    ConnPhrase {
        head: "Error during compression: ",
        implies: Some(CloseReason::WriteError),
        note: |rest| Some(NoteKind::WriteError(words(rest))),
    },
    ConnPhrase {
        head: "read error: ",
        implies: Some(CloseReason::ReadError),
        note: |rest| Some(NoteKind::ReadError(words(rest))),
    },
    // Up to 1.1.0.
    ConnPhrase {
        head: "Error reading from client: ",
        implies: None,
        note: |rest| Some(NoteKind::ReadError(words(rest))),
    },
    ConnPhrase {
        head: "Readloop processing time: ",
        implies: None,
        note: |rest| Some(NoteKind::ReadloopTime(words(rest))),
    },
    // A leafnode's -ERR closes nothing here, and up to 0.7.2 no reason existed.
    ConnPhrase {
        head: "=Leafnode Error ",
        implies: None,
        note: peer_error,
    },
    ConnPhrase {
        head: "=LeafNode Error ",
        implies: None,
        note: peer_error,
    },
    ConnPhrase {
        head: "=Client error ",
        implies: None,
        note: peer_error,
    },
    // The peer sent an -ERR line; the close for it is called a parse error.
    ConnPhrase {
        head: "<Kind> Error ",
        implies: Some(CloseReason::ParseError),
        note: peer_error,
    },
];

#[allow(clippy::unnecessary_wraps, reason = "the shape of every phrase")]
fn peer_error(rest: &str) -> Option<NoteKind> {
    Some(NoteKind::PeerError(words(rest.trim_matches(['"', '\'']))))
}

/// The reason in `: <reason>[ - Remote: <name>][ - Account: <acc>][ account: <acc>]`; none before 2.1.7.
fn closed_reason(rest: &str) -> Option<CloseReason> {
    let rest = rest.strip_prefix(": ")?;
    let end = [" - Remote: ", " - Account: ", " account: "]
        .iter()
        .filter_map(|word| rest.find(word))
        .min()
        .unwrap_or(rest.len());
    let text = rest[..end].trim();
    (!text.is_empty()).then(|| CloseReason::from_text(text))
}

/// What some messages append after their words.
pub(super) fn complete<'a>(message: &mut ConnMessage<'a>, rest: &'a str) {
    if !matches!(
        message.note,
        Some(NoteKind::Created | NoteKind::Closed(_) | NoteKind::WrongPort(_))
    ) {
        return;
    }
    message.remote = value_after(rest, "Remote: ");
    message.account = value_after(rest, "for account: ")
        .or_else(|| value_after(rest, "ccount: "))
        .or_else(|| value_after(rest, "Account:"));
}

/// The word after `key`, up to the next blank.
fn value_after<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let rest = text[text.find(key)? + key.len()..].trim_start();
    let value = rest.split(' ').next()?;
    (!value.is_empty()).then_some(value)
}
