//! `server-shutdown/lame-duck`: lame duck mode moved its clients away.

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
        &[EndManner::LameDuck],
        "went into lame duck mode and moved its clients away",
    )?;
    Some(finding.remedy("nothing to repair if clients reconnected; give them time with lame_duck_duration and lame_duck_grace_period, and more than one server to go to"))
}
