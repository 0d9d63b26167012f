//! `cluster/duplicate-client-id`: an MQTT client with the same client id connected and took over.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::Finding;
use crate::attribute::said::{nothing, said};
use crate::parse::server_log::close_reason::CloseReason;

/// Stated by the server.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let summary = || {
        format!(
            "{} closed an MQTT connection: another one with the same client id took over",
            case.server_label(disconnect)
        )
    };
    Some(
        said(
            disconnect,
            &[CloseReason::DuplicateClientId],
            nothing,
            summary,
        )?
        .remedy("give every MQTT client its own client id"),
    )
}
