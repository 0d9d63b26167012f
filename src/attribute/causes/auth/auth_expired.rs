//! `auth/auth-expired`: the user's or account's JWT reached its end while connected.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::Finding;
use crate::attribute::said::said;
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::server::NoteKind;

/// Stated by the server.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let server = case.server_label(disconnect);
    let client = case.client_label(disconnect);
    let summary =
        || format!("{server} closed {client}: its credentials expired while it was connected");
    Some(
        said(disconnect, &[CloseReason::AuthenticationExpired], |note| *note == NoteKind::AuthExpired, summary)?
            .remedy("issue the user's (or account's) JWT again with a later expiry and renew it before it ends; a client that reads its credentials file at each reconnect picks it up by itself"),
    )
}
