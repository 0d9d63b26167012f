//! `version/bad-client-protocol`: CONNECT with a protocol level that the server refuses.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::Finding;
use crate::attribute::said::{nothing, said};
use crate::parse::server_log::close_reason::CloseReason;

/// Stated by the server.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let level = disconnect
        .session()
        .and_then(|session| session.connect.as_ref()?.protocol);
    let level = level.map_or_else(String::new, |level| format!(" {level}"));
    let summary = || {
        format!(
            "{} refused the protocol level{level} of {}",
            case.server_label(disconnect),
            case.client_label(disconnect)
        )
    };
    Some(
        said(disconnect, &[CloseReason::BadClientProtocolVersion], nothing, summary)?
            .remedy("the client must send \"protocol\":0 or 1 in CONNECT: upgrade or repair the client library"),
    )
}
