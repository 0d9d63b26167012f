//! `network/proxy-closed`: an intermediary closed both legs; neither end meant it.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::{Confidence, Evidence, Finding, Initiator};
use crate::attribute::wire::{Side, View};
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::client::Trouble;
use crate::reconstruct::server::ConnKind;

/// Each end says, in its log or on its wire, that the other closed in order.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    if case.gone(disconnect).is_some() || disconnect.intended() || !disconnect.was_ready() {
        return None;
    }
    // An end that says goodbye within its stream (TLS, WebSocket, MQTT) leaves the first FIN to the other.
    let plain = matches!(
        disconnect.kind(),
        ConnKind::Client | ConnKind::Route | ConnKind::Gateway | ConnKind::Leafnode
    );
    if !plain && disconnect.views.iter().any(goodbye_unread) {
        return None;
    }
    let legs = disconnect.views.iter().any(|view| view.leg.client_leg);
    // The server's side: the client's end closed first. A relay that dies with unread data resets.
    let at_server: Option<Evidence> = disconnect
        .views
        .iter()
        .filter(|view| {
            !view.leg.client_leg
                && (view.near_server() || disconnect.views.iter().any(|other| other.leg.client_leg))
        })
        .find_map(|view| {
            let close = view
                .closer()
                .filter(|close| close.side == Side::Client && (legs || !close.rst))?;
            Some(view.evidence(
                close.at,
                "on the server's leg the client's side closes first",
            ))
        })
        .or_else(|| {
            disconnect
                .stated(&CloseReason::ClientClosed)
                .first()
                .map(|said| said.evidence.clone())
        });
    // The client's side: the server's end closed first.
    let at_client: Option<Evidence> = disconnect
        .views
        .iter()
        .filter(|view| view.leg.client_leg || view.near_client())
        .find_map(|view| {
            let close = view
                .closer()
                .filter(|close| close.side == Side::Server && (legs || !close.rst))?;
            Some(view.evidence(
                close.at,
                "on the client's leg the server's side closes first",
            ))
        })
        .or_else(|| {
            disconnect
                .trouble(|trouble| *trouble == Trouble::Eof)
                .map(|event| disconnect.quote(&event.at))
        });
    let (Some(at_server), Some(at_client)) = (at_server, at_client) else {
        return None;
    };
    // The two must come from different places: one capture's FIN cannot be both.
    let other = disconnect.server_gave_reason();
    if other || at_server.cite == at_client.cite {
        return None;
    }
    let client_said_so = disconnect.views.iter().any(|view| {
        view.near_client()
            && view
                .closer()
                .is_some_and(|close| close.side == Side::Client)
    });
    if client_said_so {
        return None;
    }
    let summary = format!(
        "something between {} and {} closed the connection towards both: each end saw the other close first",
        case.client_label(disconnect),
        case.server_label(disconnect)
    );
    let confidence = if legs {
        Confidence::Shown
    } else {
        Confidence::Likely
    };
    Some(
        Finding::new(confidence, Initiator::Network, summary)
            .because([at_server, at_client])
            .remedy("look at the proxy or load balancer in the path: its idle and maximum connection timeouts (haproxy: timeout client, timeout server, timeout tunnel; nginx stream: proxy_timeout), its reloads; keep the client's ping interval below its idle timer"),
    )
}

/// A goodbye within the stream would not have been read: its words were cut off, or it began before the capture.
fn goodbye_unread(view: &View) -> bool {
    view.session().is_none_or(|session| !session.is_carried())
}
