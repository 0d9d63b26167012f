//! `network/unreachable`: ICMP says so, or SYNs go unanswered while the server is known to be up.

use crate::attribute::Case;
use crate::attribute::disconnect::{Disconnect, times};
use crate::attribute::finding::{Confidence, Finding, Initiator};
use crate::reconstruct::client::Trouble;
use crate::reconstruct::conn::Manner;

/// Attempts that the network refused or swallowed.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let (server, client) = (case.server_label(disconnect), case.client_label(disconnect));
    let remedy = "compare the route and the firewall rules (security group, NetworkPolicy) for this client's address and the server's port";
    if disconnect.was_ready() {
        return None;
    }
    if let Some((view, icmp)) = disconnect.views.iter().find_map(|view| {
        Some((
            *view,
            view.conn.icmp.iter().find(|icmp| {
                !icmp.says.contains("port unreachable")
                    && !icmp.says.contains("fragmentation")
                    && !icmp.says.contains("too big")
            })?,
        ))
    }) {
        let summary = format!(
            "the network says that {server} cannot be reached from {client}: {}",
            icmp.says
        );
        return Some(
            Finding::new(Confidence::Stated, Initiator::Network, summary)
                .because(
                    [view.evidence(icmp.at, format!("ICMP from {}: {}", icmp.from, icmp.says))],
                )
                .remedy(remedy),
        );
    }
    if let Some(event) = disconnect.trouble(|trouble| *trouble == Trouble::Unreachable) {
        let summary = format!("{client} has no route to {server}");
        return Some(
            Finding::new(Confidence::Stated, Initiator::Network, summary)
                .because([disconnect.quote(&event.at)])
                .remedy(remedy),
        );
    }
    let view = disconnect
        .views
        .iter()
        .find(|view| view.conn.end.manner == Manner::Unanswered)?;
    let at = disconnect.closed?;
    let alive = case
        .endpoint(disconnect)
        .is_some_and(|endpoint| endpoint.alive_at(at));
    let syns = view.conn.handshake.syns;
    let evidence = view.evidence(
        view.conn.handshake.syn?,
        format!("SYN, sent {}, never answered", times(u64::from(syns))),
    );
    let (confidence, known) = if alive {
        (Confidence::Shown, ", although the server was up")
    } else {
        (Confidence::Possible, "")
    };
    let summary = format!("{client} cannot reach {server}: its SYNs go unanswered{known}");
    let finding = Finding::new(confidence, Initiator::Network, summary)
        .because([evidence])
        .remedy(remedy);
    Some(if alive {
        finding
    } else {
        finding
            .rival("server-shutdown", "host-down", "a host that is gone answers no SYN either; anything that shows the server alive then would decide")
            .missing("the server's log, or any other connection to it at that time")
    })
}
