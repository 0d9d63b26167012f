//! `cluster/wrong-gateway`: a gateway connection reached a cluster of another name, or one that does not know it.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::Finding;
use crate::attribute::said::{nothing, said};
use crate::parse::server_log::close_reason::CloseReason;

/// Stated by the server.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let server = case.server_label(disconnect);
    let summary = || format!("{server} refused a gateway connection: the cluster names do not fit");
    let named = disconnect
        .server
        .into_iter()
        .flat_map(|conn| &conn.notes)
        .find(|note| {
            let text = &note.at.text;
            text.contains("Failing connection to gateway")
                || text.contains("Rejecting connection from gateway")
        });
    let finding = said(disconnect, &[CloseReason::WrongGateway], nothing, summary)?;
    Some(finding.because(named.map(|note| disconnect.quote(&note.at))).remedy(
        "compare gateway { name } of every cluster with the gateways list of every other, names and ports; with reject_unknown_cluster the caller must be in the list too",
    ))
}
