//! `version/minimum-version`: a leafnode refused for being too old.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::Finding;
use crate::attribute::said::{nothing, said};
use crate::parse::server_log::close_reason::CloseReason;

/// Stated by the server.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let summary = || {
        format!(
            "{} refused a leafnode that is older than its leafnodes {{ min_version }}",
            case.server_label(disconnect)
        )
    };
    Some(
        said(
            disconnect,
            &[CloseReason::MinimumVersionRequired],
            nothing,
            summary,
        )?
        .remedy("upgrade the connecting server, or lower leafnodes { min_version } on the hub"),
    )
}
