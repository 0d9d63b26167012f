//! `operator/kicked`: `$SYS.REQ.SERVER.<id>.KICK`.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::Finding;
use crate::attribute::said::said;
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::server::NoteKind;

/// Stated by the server.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let summary = || {
        format!(
            "an administrator kicked {} off {}",
            case.client_label(disconnect),
            case.server_label(disconnect)
        )
    };
    Some(
        said(
            disconnect,
            &[CloseReason::Kicked],
            |note| *note == NoteKind::Kicked,
            summary,
        )?
        .remedy("ask who sent $SYS.REQ.SERVER.<id>.KICK at that time (nats server request kick)"),
    )
}
