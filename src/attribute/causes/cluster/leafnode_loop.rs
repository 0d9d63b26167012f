//! `cluster/leafnode-loop`: a leafnode connection would close a loop, and was refused.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::Finding;
use crate::attribute::said::{nothing, said};
use crate::parse::server_log::close_reason::CloseReason;

/// The words of the line and of the -ERR (`processLeafSub` in server/leafnode.go).
const DETECTED: &str = "Loop detected for leafnode";

/// Stated by the server, whose close reason is only `Protocol Violation`.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let told = |text: &str| text.contains(DETECTED);
    let noted = disconnect
        .server
        .into_iter()
        .flat_map(|conn| &conn.notes)
        .find(|note| told(&note.at.text));
    let said_so = disconnect
        .statements
        .iter()
        .any(|said| told(&said.evidence.says));
    if !said_so && noted.is_none() {
        return None;
    }
    let server = case.server_label(disconnect);
    let summary = || {
        format!(
            "{server} refused a leafnode connection that closes a loop: a subject came back to where it had been sent from"
        )
    };
    let finding = said(
        disconnect,
        &[CloseReason::ProtocolViolation],
        nothing,
        summary,
    )?;
    Some(finding.because(noted.map(|note| disconnect.quote(&note.at))).remedy(
        "make the leafnode topology of each account a tree: one way between any two servers, no cluster both by routes and by leafnodes; the remote tries again after the delay that the message names",
    ))
}
