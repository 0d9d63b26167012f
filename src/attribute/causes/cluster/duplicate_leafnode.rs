//! `cluster/duplicate-leafnode`: the same leafnode connected again and the older connection gave way.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::Finding;
use crate::attribute::said::{nothing, said};
use crate::parse::server_log::close_reason::CloseReason;

/// Stated by the server.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let summary = || {
        format!(
            "the hub replaced the leafnode connection between {} and {} by a newer one of the same leafnode",
            case.client_label(disconnect),
            case.server_label(disconnect)
        )
    };
    Some(said(disconnect, &[CloseReason::DuplicateRemoteLeafnodeConnection], nothing, summary)?.remedy(
        "if it repeats: two servers share a server_name, or two remotes entries of one server lead to the same hub and account",
    ))
}
