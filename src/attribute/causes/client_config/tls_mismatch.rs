//! `client-config/tls-mismatch`: one side wants TLS, the other does not.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::{Confidence, Evidence, Finding, Initiator};
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::client::Trouble;
use crate::reconstruct::server::NoteKind;

/// What a server logs when the first record is no TLS (Go's crypto/tls), or no TLS came at all.
const PLAIN: [&str; 3] = [
    "first record does not look like a TLS handshake",
    "i/o timeout",
    "TLS handshake timeout",
];

/// A ClientHello as nats-server's parser quotes it.
const HELLO: [&str; 2] = ["\\x16\\x03", "\u{16}\u{3}"];

/// Told by the wire, by the server's log, or by the client's.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    if disconnect.was_ready()
        && disconnect
            .session()
            .is_some_and(|session| session.ready_at.is_some())
    {
        return None;
    }
    let mut evidence: Vec<Evidence> = Vec::new();
    let mut side = "";
    for view in &disconnect.views {
        let Some(session) = view.session() else {
            continue;
        };
        if let Some(tls) = &session.tls
            && let Some(mismatch) = &tls.mismatch
        {
            evidence.push(view.evidence(tls.at, mismatch.to_string()));
            side = if session.info.as_ref().is_some_and(|info| info.tls_required) {
                "server"
            } else {
                "client"
            };
        } else if let Some(info) = &session.info
            && info.tls_required
            && session.tls.is_none()
            && let Some(at) = session.info_at
            && (session.connect.is_some()
                || session.client.last_op.is_some()
                || ended_on_tls(disconnect))
        {
            evidence
                .push(view.evidence(at, "INFO says tls_required, and no TLS handshake follows"));
            side = "server";
        }
    }
    if let Some(note) = disconnect.note(|note| match note {
        NoteKind::TlsHandshakeError(text) => PLAIN.iter().any(|plain| text.contains(plain)),
        NoteKind::ParserError { snippet, .. } => HELLO.iter().any(|hello| snippet.contains(hello)),
        _ => false,
    }) {
        let plain = matches!(note.kind, NoteKind::TlsHandshakeError(_));
        // A handshake that began and timed out is no mismatch.
        if !plain
            || !disconnect
                .views
                .iter()
                .any(|view| view.session().is_some_and(|session| session.tls.is_some()))
        {
            side = if plain { "server" } else { "client" };
            evidence.push(disconnect.quote(&note.at));
        }
    } else if evidence.is_empty() && disconnect.views.is_empty() && ended_on_tls(disconnect) {
        evidence.extend(
            disconnect
                .stated(&CloseReason::TlsHandshakeError)
                .first()
                .map(|said| said.evidence.clone()),
        );
        side = "server";
        if disconnect
            .note(|note| matches!(note, NoteKind::TlsHandshakeError(_)))
            .is_some()
        {
            return None;
        }
    }
    if let Some(event) = disconnect.trouble(|trouble| match trouble {
        Trouble::Tls(text) | Trouble::Other(text) | Trouble::ServerError(text) => {
            let text = text.to_ascii_lowercase();
            [
                "tls required",
                "secure connection not available",
                "secure connection required",
                "ssl required",
            ]
            .iter()
            .any(|known| text.contains(known))
        }
        _ => false,
    }) {
        evidence.push(disconnect.quote(&event.at));
        side = if side.is_empty() { "one side" } else { side };
    }
    if evidence.is_empty() {
        return None;
    }
    let (server, client) = (case.server_label(disconnect), case.client_label(disconnect));
    let summary = match side {
        "server" => format!("{server} wants TLS, and {client} did not start it"),
        "client" => format!("{client} speaks TLS to {server}, which expects plain text first"),
        _ => format!("{client} and {server} do not agree on whether to use TLS"),
    };
    let remedy = match side {
        "server" => {
            "use a tls:// URL (or the library's TLS option) in the client, or allow_non_tls on the server"
        }
        _ => {
            "take TLS-first out of the client, or set tls { handshake_first } on the server; check that the port is the TLS one"
        }
    };
    let by = if disconnect
        .stated(&CloseReason::TlsHandshakeError)
        .is_empty()
    {
        disconnect.wire_initiator()
    } else {
        Initiator::Server
    };
    Some(
        Finding::new(Confidence::Stated, by, summary)
            .because(evidence)
            .remedy(remedy),
    )
}

fn ended_on_tls(disconnect: &Disconnect) -> bool {
    !disconnect
        .stated(&CloseReason::TlsHandshakeError)
        .is_empty()
}
