//! `client-close/probe`: never a NATS client: a health check, a port scan, HTTP or TLS by mistake.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::{Confidence, Finding, Initiator};
use crate::attribute::wire::{Side, View};
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::server::{ConnKind, NoteKind};
use crate::time::SECOND;

/// Another protocol was spoken; or the peer connected, said nothing and left at once by itself.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    if disconnect.was_ready()
        || !matches!(
            disconnect.kind(),
            ConnKind::Client | ConnKind::WebSocket | ConnKind::Mqtt
        )
    {
        return None;
    }
    let server = case.server_label(disconnect);
    let from = disconnect
        .client_addresses()
        .0
        .map_or_else(|| "somebody".to_owned(), |address| address.to_string());
    let remedy = "if it is a load balancer's or Kubernetes' health check, let it ask http://HOST:8222/healthz instead; otherwise find out what runs at that address";
    let http = |text: &str| {
        ["GET /", "HEAD /", "POST /", "OPTIONS ", "HTTP/1", "SSH-"]
            .iter()
            .any(|verb| text.contains(verb))
    };
    let note = disconnect
        .note(|note| matches!(note, NoteKind::ParserError { snippet, .. } if http(snippet)));
    let other = disconnect.views.iter().find_map(|view| {
        let what = view
            .other_protocol()
            .filter(|what| *what != "probe" && !what.contains("TLS"))?;
        Some(
            view.evidence(
                view.flow(Side::Client)
                    .first_data
                    .unwrap_or(view.conn.first),
                format!("{from} speaks {what}"),
            ),
        )
    });
    if note.is_some() || other.is_some() {
        let summary = format!("{from} is no NATS client: it spoke another protocol to {server}");
        return Some(
            Finding::new(Confidence::Stated, Initiator::Client, summary)
                .because(note.map(|note| disconnect.quote(&note.at)))
                .because(other)
                .remedy(remedy),
        );
    }
    let lived = disconnect.lifetime()?;
    let silent = disconnect.views.iter().any(|view| {
        left_without_a_word(view)
            // Without an INFO nobody can say that it would not have spoken.
            && view.greeted_in_time()
            && view.wait_for_greeting().is_none_or(|waited| waited < SECOND)
    });
    // Gone before any server could have greeted it: no client's patience is that short.
    let at_once = disconnect.views.iter().any(|view| {
        left_without_a_word(view)
            && view
                .wait_for_greeting()
                .is_some_and(|waited| waited < SECOND / 100)
    });
    let logged = disconnect.views.is_empty()
        && disconnect
            .server
            .is_some_and(|conn| conn.name.is_none() && conn.lang.is_none())
        && matches!(disconnect.reason(), Some(CloseReason::ClientClosed))
        && disconnect.client.is_none()
        && lived < SECOND / 10
        && case.names_clients(disconnect);
    if !silent && !at_once && !logged {
        return None;
    }
    let summary = format!(
        "{from} connected to {server}, said nothing and left: a health check or a port scan"
    );
    let evidence = disconnect
        .statements
        .iter()
        .map(|said| said.evidence.clone());
    let confidence = if silent {
        Confidence::Shown
    } else if at_once {
        Confidence::Likely
    } else {
        Confidence::Possible
    };
    Some(
        Finding::new(confidence, Initiator::Client, summary)
            .because(evidence)
            .remedy(remedy),
    )
}

/// The client closed first and had sent nothing, as a capture tells that holds the connection from its start.
fn left_without_a_word(view: &View) -> bool {
    view.conn.handshake.syn.is_some()
        && view.established()
        && view.flow(Side::Client).bytes == 0
        && view
            .closer()
            .is_some_and(|close| close.side == Side::Client)
}
