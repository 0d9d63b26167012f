//! `overload/oom-kill`: the kernel's OOM killer ended the server.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::Finding;
use crate::attribute::server_gone;
use crate::reconstruct::server::EndManner;

/// The kernel's log names the process.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let finding = server_gone::finding(
        disconnect,
        case,
        &[EndManner::OomKill],
        "was ended by the kernel's OOM killer",
    )?;
    Some(finding.remedy(
        "raise the memory limit of the container or unit, or lower what the server holds: max_pending per connection, JetStream max_memory_store; set GOMEMLIMIT below the limit",
    ))
}
