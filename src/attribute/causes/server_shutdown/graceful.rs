//! `server-shutdown/graceful`: stopped or restarted on purpose.

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
        &[EndManner::Graceful],
        "was stopped on purpose (signal or service manager)",
    )?;
    Some(finding.remedy("plan restarts in lame duck mode (nats-server --signal ldm) so that clients move before their sockets close"))
}
