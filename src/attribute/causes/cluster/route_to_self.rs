//! `cluster/route-to-self`: a server dialled itself, noticed it and closed the connection.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::{Confidence, Evidence, Finding, Initiator};
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::server::{ConnKind, ServerEventKind};
use crate::time::SECOND;

/// The server writes `Detected route to self` right after it closed the route (`processRouteInfo` in server/route.go).
const RIGHT_AFTER: i64 = SECOND / 20;

/// The words of that line.
const DETECTED: &str = "Detected route to self";

/// Its log says so within moments of the close; or both ends introduce themselves with one server id.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    if disconnect.kind() != ConnKind::Route {
        return None;
    }
    let ordinary = |reason: &CloseReason| {
        matches!(
            reason,
            CloseReason::DuplicateRoute | CloseReason::ClientClosed
        )
    };
    if !disconnect.reason().is_none_or(ordinary) {
        return None;
    }
    let logged = detected(disconnect);
    let shown = same_id_both_ways(disconnect);
    let confidence = match (&logged, &shown) {
        (Some(_), _) => Confidence::Stated,
        (None, Some(_)) => Confidence::Shown,
        (None, None) => return None,
    };
    let summary = format!(
        "{} connected to itself, noticed it and closed the route: its own address is among its routes",
        case.server_label(disconnect)
    );
    Some(
        Finding::new(confidence, Initiator::Server, summary)
            .because(
                disconnect
                    .statements
                    .iter()
                    .map(|said| said.evidence.clone()),
            )
            .because(logged)
            .because(shown),
    )
}

/// The line about the address of this connection's peer, or about a host name that may stand for it.
fn detected(disconnect: &Disconnect) -> Option<Evidence> {
    let (_, life) = disconnect.life?;
    let conn = disconnect.server?;
    let closed = disconnect.log(conn.closed.as_ref()?)?;
    let ip = conn.peer?.ip().to_string();
    let event = life.events.iter().find(|event| {
        let ServerEventKind::Other(what) = &event.kind else {
            return false;
        };
        let url = what.split('"').nth(1).unwrap_or_default();
        let host = url.rsplit("//").next().unwrap_or_default();
        let named = host.starts_with(|first: char| first.is_ascii_alphabetic());
        let ours = what.contains(DETECTED) && (named || host.contains(&ip));
        let near = |at| {
            disconnect
                .log(at)
                .is_some_and(|at| at.since(closed).abs() < RIGHT_AFTER)
        };
        ours && (near(&event.at) || event.first.as_ref().is_some_and(near))
    })?;
    Some(disconnect.quote(&event.at))
}

/// INFO in both directions names one server.
fn same_id_both_ways(disconnect: &Disconnect) -> Option<Evidence> {
    disconnect.views.iter().find_map(|view| {
        let session = view.session()?;
        let (there, here) = (session.info.as_ref()?, session.client_info.as_ref()?);
        let same = !there.server_id.is_empty() && there.server_id == here.server_id;
        let at = session.info_at.filter(|_| same)?;
        Some(view.evidence(at, "INFO in both directions names the same server_id"))
    })
}
