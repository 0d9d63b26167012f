//! `server-shutdown/crash`: the process died by itself.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::Finding;
use crate::attribute::server_gone;
use crate::reconstruct::server::EndManner;

/// The process ended in this manner, and this socket with it.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let finding = server_gone::finding(
        disconnect,
        case,
        &[EndManner::Crash, EndManner::Fatal],
        "crashed",
    )?;
    Some(finding.remedy("read the panic or fatal error on the server's stderr, compare it with known bugs of this version (natsleuth advisories), and upgrade"))
}
