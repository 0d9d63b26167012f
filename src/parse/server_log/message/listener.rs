//! Listeners: accepting, WebSocket, MQTT, PROXY protocol, the monitoring port.

use super::super::close_reason::CloseReason;
use super::super::record::{NoteKind, ServerEventKind};
use super::{ConnPhrase, ServerMessage, ServerPhrase, ServerSaid, Topic, words};

const fn mqtt(head: &'static str) -> ConnPhrase {
    ConnPhrase {
        head,
        implies: Some(CloseReason::ProtocolViolation),
        note: |rest| Some(NoteKind::BadProtocol(words(rest))),
    }
}

pub(super) const CONN: &[ConnPhrase] = &[
    mqtt("the first packet should be a CONNECT"),
    mqtt("received a second CONNECT packet"),
    mqtt("unable to connect: "),
    mqtt("received unknown packet type "),
    // This one stays; the other, of the same id, is closed.
    ConnPhrase {
        head: "Replacing old client ",
        implies: None,
        note: |rest| Some(NoteKind::Duplicate(words(rest))),
    },
    ConnPhrase {
        head: "Closing because a remote connection has started with the same client ID",
        implies: Some(CloseReason::DuplicateClientId),
        note: |rest| Some(NoteKind::Duplicate(words(rest.trim_start_matches(": ")))),
    },
];

const fn event(head: &'static str, kind: fn(&str, &str) -> Option<ServerSaid>) -> ServerPhrase {
    ServerPhrase { head, said: kind }
}

pub(super) const SERVER: &[ServerPhrase] = &[
    event("websocket: ", |_, text| {
        Some(ServerSaid::Event(ServerEventKind::Other(words(text))))
    }),
    event("monitoring: ", |_, _| None),
    event("Websocket not configured with TLS", |_, _| None),
    event("Error reading PROXY protocol header from ", |_, text| {
        Some(ServerSaid::Event(ServerEventKind::Other(words(text))))
    }),
    event("PROXY protocol enabled for client connections", |_, _| None),
    event("Accept error: ", |_, text| {
        Some(ServerSaid::Event(ServerEventKind::AcceptError(words(text))))
    }),
];

/// `Temporary Client Accept Error(...)`, `Client Accept Error: ...`, `<Name> accept loop exiting..`,
/// `<ip:port> - websocket handshake error: ...`.
pub(super) fn with_leading_name(text: &str) -> Option<ServerMessage> {
    let said = if text.contains(" Accept Error") || text.contains(" Accept error") {
        Some(ServerSaid::Event(ServerEventKind::AcceptError(words(text))))
    } else if text.ends_with("accept loop exiting..") {
        None
    } else if text.contains(" - websocket handshake error: ") {
        Some(ServerSaid::Event(ServerEventKind::Other(words(text))))
    } else {
        return None;
    };
    Some(ServerMessage {
        topic: Some(Topic::Listener),
        said,
        implies: None,
    })
}
