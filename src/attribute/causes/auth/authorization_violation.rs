//! `auth/authorization-violation`: the credentials were refused.

use crate::attribute::Case;
use crate::attribute::causes::cluster::wrong_gateway::turned_away;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::Finding;
use crate::attribute::said::said;
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::server::NoteKind;

const REASONS: &[CloseReason] = &[
    CloseReason::AuthenticationViolation,
    CloseReason::ProxyNotTrusted,
    CloseReason::ProxyRequired,
];

/// Stated by the server.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    // A gateway that finds itself at the wrong cluster is refused in these words too.
    if turned_away(disconnect).is_some() {
        return None;
    }
    let server = case.server_label(disconnect);
    let client = case.client_label(disconnect);
    let user = disconnect
        .session()
        .and_then(|session| session.connect.as_ref())
        .and_then(|connect| connect.user.as_deref())
        .map_or_else(String::new, |user| format!(" (user {user})"));
    let summary = || format!("{server} refused the credentials of {client}{user}");
    Some(
        said(disconnect, REASONS, |note| matches!(note, NoteKind::AuthError(_)), summary)?
            .remedy("compare the credentials that this client uses with the server's authorization {} or accounts {} (or its JWT with the resolver); the server logs the user name with the error"),
    )
}
