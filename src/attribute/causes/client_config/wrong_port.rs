//! `client-config/wrong-port`: the client protocol spoken to a port of another kind.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::{Confidence, Finding, Initiator};
use crate::attribute::said::said;
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::client::Trouble;
use crate::reconstruct::server::NoteKind;

/// Stated by the server; or the peer answered HTTP, as the monitoring port does.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let client = case.client_label(disconnect);
    let remedy =
        "point the client at the port of `Listening for client connections` in the server's log";
    let summary = || {
        format!(
            "{client} spoke the client protocol to a port of {} that is not for clients",
            case.server_label(disconnect)
        )
    };
    if let Some(finding) = said(
        disconnect,
        &[CloseReason::WrongPort],
        |note| matches!(note, NoteKind::WrongPort(_)),
        summary,
    ) {
        return Some(finding.remedy(remedy));
    }
    let told = disconnect
        .trouble(|trouble| matches!(trouble, Trouble::NotNats(text) if text.contains("HTTP")))?;
    Some(
        Finding::new(Confidence::Stated, Initiator::Client, summary())
            .because([disconnect.quote(&told.at)])
            .remedy(remedy),
    )
}
