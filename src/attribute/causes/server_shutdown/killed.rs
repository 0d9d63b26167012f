//! `server-shutdown/killed`: the process was killed, or vanished without a word.

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
        &[EndManner::Killed],
        "was killed or vanished without a word",
    )?;
    Some(finding.remedy("find who sent SIGKILL: the service manager after its stop timeout (TimeoutStopSec, terminationGracePeriodSeconds), a container runtime, an operator; keep the server's stderr and the kernel log"))
}
