//! `overload/out-of-memory`: the Go runtime could not get memory.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::Finding;
use crate::attribute::server_gone;
use crate::reconstruct::server::EndManner;

/// `fatal error: out of memory` on the server's stderr.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let finding = server_gone::finding(
        disconnect,
        case,
        &[EndManner::OutOfMemory],
        "ran out of memory",
    )?;
    Some(finding.remedy(
        "find what filled it (slow consumers hold up to max_pending each, 64 MB by default): lower max_pending or write_deadline, raise the address-space limit (ulimit -v, LimitAS), set GOMEMLIMIT",
    ))
}
