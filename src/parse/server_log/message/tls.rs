//! TLS: server/client.go `doTLSHandshake`, server/server.go.

use super::super::close_reason::CloseReason;
use super::super::record::{NoteKind, ServerEventKind};
use super::{ConnPhrase, IdentityItem, ServerPhrase, ServerSaid, leading_number, words};

const fn failed(head: &'static str) -> ConnPhrase {
    ConnPhrase {
        head,
        implies: Some(CloseReason::TlsHandshakeError),
        note: |rest| Some(NoteKind::TlsHandshakeError(words(rest))),
    }
}

pub(super) const CONN: &[ConnPhrase] = &[
    ConnPhrase {
        head: "Starting TLS ",
        implies: None,
        note: |_| Some(NoteKind::TlsStarted),
    },
    ConnPhrase {
        head: "TLS handshake complete",
        implies: None,
        note: |_| Some(NoteKind::TlsDone),
    },
    ConnPhrase {
        head: "TLS version ",
        implies: None,
        note: |_| None,
    },
    failed("TLS handshake error: "),
    failed("TLS client handshake error: "),
    failed("TLS route handshake error: "),
    failed("TLS gateway handshake error: "),
    failed("TLS leafnode handshake error: "),
    failed("TLS mqtt handshake error: "),
    failed("TLS websocket handshake error: "),
    ConnPhrase {
        head: "TLS handshake timeout",
        implies: Some(CloseReason::TlsHandshakeError),
        note: |_| Some(NoteKind::TlsHandshakeError("timeout".into())),
    },
    ConnPhrase {
        head: "TLS ",
        implies: None,
        note: |_| None,
    },
];

const fn context(head: &'static str) -> ServerPhrase {
    ServerPhrase {
        head,
        said: |_, _| None,
    }
}

pub(super) const SERVER: &[ServerPhrase] = &[
    ServerPhrase {
        head: "Rejected ",
        said: |rest, text| {
            Some(ServerSaid::Event(
                match (leading_number(rest), rest.contains("TLS rate limiting")) {
                    (Some(count), true) => ServerEventKind::TlsRateLimited(count),
                    _ => ServerEventKind::Other(words(text)),
                },
            ))
        },
    },
    ServerPhrase {
        head: "TLS required for client connections",
        said: |_, _| Some(ServerSaid::Identity(IdentityItem::Tls(true))),
    },
    ServerPhrase {
        head: "TLS available for client connections",
        said: |_, _| Some(ServerSaid::Identity(IdentityItem::Tls(false))),
    },
    context("Clients that are not using \"TLS Handshake First\""),
    ServerPhrase {
        head: "Disconnect ",
        said: |_, text| Some(ServerSaid::Event(ServerEventKind::Other(words(text)))),
    },
    context("Received OCSP status"),
    context("TLS "),
];
