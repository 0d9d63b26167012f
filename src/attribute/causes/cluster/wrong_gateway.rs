//! `cluster/wrong-gateway`: a gateway connection reached a cluster of another name, or one that does not know it.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::{Confidence, Evidence, Finding, Initiator};
use crate::attribute::said::{nothing, said};
use crate::attribute::wire::Side;
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::server::{ConnKind, ServerConn};
use crate::time::SECOND;

/// Stated by one end; the other reads an -ERR where a CONNECT belongs, and calls that an authentication error.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let server = case.server_label(disconnect);
    let summary =
        || format!("a gateway connection with {server} was refused: the cluster names do not fit");
    let named = disconnect
        .server
        .into_iter()
        .flat_map(|conn| &conn.notes)
        .find(|note| {
            let text = &note.at.text;
            text.contains("Failing connection to gateway")
                || text.contains("Rejecting connection from gateway")
        });
    let finding = said(disconnect, &[CloseReason::WrongGateway], nothing, summary)
        .map(|finding| finding.because(named.map(|note| disconnect.quote(&note.at))))
        .or_else(|| {
            let (confidence, evidence) = turned_away(disconnect)?;
            Some(Finding::new(confidence, Initiator::Client, summary()).because(evidence))
        })?;
    Some(finding.remedy(
        "compare gateway { name } of every cluster with the gateways list of every other, names and ports; with reject_unknown_cluster the caller must be in the list too",
    ))
}

/// The end that dialled found another cluster than it wanted and said so in place of its CONNECT (nats-server
/// server/gateway.go `processGatewayInfo`); the end that was dialled refuses that as a failed authentication.
pub fn turned_away(disconnect: &Disconnect) -> Option<(Confidence, Vec<Evidence>)> {
    let wire = disconnect.views.iter().find_map(|view| {
        let errors = &view.session()?.errors;
        let error = errors
            .iter()
            .find(|error| !error.from_server && error.text.contains("wanted to connect to"))?;
        let who = Side::Client.word();
        Some(view.evidence(error.at, format!("the {who} sends -ERR '{}'", error.text)))
    });
    if let Some(evidence) = wire {
        return Some((Confidence::Stated, vec![evidence]));
    }
    let refused = disconnect.reason() == Some(&CloseReason::AuthenticationViolation);
    if disconnect.kind() != ConnKind::Gateway || !refused {
        return None;
    }
    let own = disconnect.server?;
    let closed = disconnect.log(own.closed.as_ref()?);
    // What the other cluster's log says of its end, or this one's of its own calls to the same host.
    let line = |conn: &ServerConn, here: bool| {
        let same_host = conn.peer.map(|peer| peer.ip()) == own.peer.map(|peer| peer.ip());
        let at = conn.closed.as_ref().filter(|_| {
            conn.kind == ConnKind::Gateway && conn.reason == Some(CloseReason::WrongGateway)
        })?;
        // Lines without times have no distance: the same host has to do.
        let apart = disconnect.log(at).zip(closed);
        let near = apart.is_none_or(|(at, closed)| at.since(closed).abs() < SECOND);
        (near && here == same_host).then(|| disconnect.quote(at))
    };
    let own_life = disconnect.life.map(|(index, _)| index);
    let lives = disconnect.records.servers.iter().enumerate();
    let evidence = lives
        .flat_map(|(index, life)| {
            life.conns
                .iter()
                .map(move |conn| (own_life == Some(index), conn))
        })
        .find_map(|(here, conn)| line(conn, here))?;
    Some((
        Confidence::Likely,
        vec![disconnect.quote(own.closed.as_ref()?), evidence],
    ))
}
