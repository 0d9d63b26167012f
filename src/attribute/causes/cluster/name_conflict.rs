//! `cluster/name-conflict`: cluster, gateway or server names that do not fit together.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::Finding;
use crate::attribute::said::{nothing, said};
use crate::parse::server_log::close_reason::CloseReason;

const REASONS: &[CloseReason] = &[
    CloseReason::ClusterNameConflict,
    CloseReason::ClusterNamesIdentical,
    CloseReason::DuplicateServerName,
];

/// Stated by the server.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let summary = || {
        format!(
            "{} refused a peer whose name conflicts with its own configuration",
            case.server_label(disconnect)
        )
    };
    Some(said(disconnect, REASONS, nothing, summary)?.remedy(
        "give every server its own server_name, all servers of one cluster the same cluster { name }, and a leafnode's cluster another name than its hub's",
    ))
}
