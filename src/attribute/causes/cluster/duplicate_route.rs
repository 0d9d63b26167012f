//! `cluster/duplicate-route`: the mesh had this route already.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::{Confidence, Finding};
use crate::attribute::said::said;
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::server::{ConnKind, NoteKind};
use crate::time::SECOND;

/// A duplicate is closed while the mesh forms: within this of its start.
const FORMING: i64 = 5 * SECOND;

/// Stated on one side; on the other it reads `Client Closed` (facts, section c.x).
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let server = case.server_label(disconnect);
    let summary =
        || format!("{server} closed a second route to a server that it already had one to");
    let route = disconnect.kind() == ConnKind::Route;
    let stated = said(
        disconnect,
        &[CloseReason::DuplicateRoute],
        |note| route && matches!(note, NoteKind::Duplicate(_)),
        summary,
    );
    if stated.is_some() {
        return stated;
    }
    let young = disconnect.lifetime().is_some_and(|lived| lived < FORMING);
    let unsaid = matches!(disconnect.reason(), None | Some(CloseReason::ClientClosed))
        && disconnect
            .statements
            .iter()
            .all(|said| said.reason == CloseReason::ClientClosed);
    let seen = disconnect.reason().is_some()
        || disconnect
            .first_close()
            .is_some_and(|first| !first.close.rst);
    if !route || !young || !unsaid || !seen {
        return None;
    }
    let summary = || {
        format!(
            "a route of {server} was closed while the mesh formed, as servers do with duplicates"
        )
    };
    let evidence = disconnect
        .statements
        .iter()
        .map(|said| said.evidence.clone());
    let packet = disconnect.first_close().map(|first| {
        first
            .view
            .evidence(first.close.at, "the route ends young, without -ERR")
    });
    Some(
        Finding::new(Confidence::Likely, disconnect.wire_initiator(), summary())
            .because(evidence)
            .because(packet),
    )
}
