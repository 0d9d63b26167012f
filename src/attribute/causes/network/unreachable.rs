//! `network/unreachable`: ICMP says so, or SYNs go unanswered while the server is known to be up.

use crate::attribute::Case;
use crate::attribute::disconnect::{Disconnect, times};
use crate::attribute::finding::{Confidence, Finding, Initiator};
use crate::attribute::path::{Dead, dead_path};
use crate::attribute::wire::View;
use crate::reconstruct::client::Trouble;
use crate::reconstruct::conn::{IcmpSeen, Manner};
use crate::time::SECOND;

/// Attempts that the network refused or swallowed.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let (server, client) = (case.server_label(disconnect), case.client_label(disconnect));
    let remedy = "compare the route and the firewall rules (security group, NetworkPolicy) for this client's address and the server's port";
    // An established connection outlives stray ICMP errors (RFC 1122 section 4.2.3.9): a prohibition explains a path that
    // stayed dead from then on; a host or network that a router no longer finds is a link's or a route's failure.
    let dead = dead_path(disconnect);
    if disconnect.was_ready() && dead.is_none() {
        return None;
    }
    let explains = |view: &View, icmp: &IcmpSeen| {
        !icmp.says.contains("port unreachable")
            && !icmp.says.contains("fragmentation")
            && !icmp.says.contains("too big")
            && dead.is_none_or(|dead| {
                icmp.says.contains("prohibited")
                    && view
                        .when(icmp.at)
                        .at
                        .since(dead.view.when(dead.path.since).at)
                        > -SECOND
            })
    };
    if let Some((view, icmp)) = disconnect.views.iter().find_map(|view| {
        let icmp = view.conn.icmp.iter().find(|icmp| explains(view, icmp))?;
        Some((*view, icmp))
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
                .because(dead.iter().flat_map(Dead::evidence))
                .remedy(remedy),
        );
    }
    if disconnect.was_ready() {
        return None;
    }
    if let Some(event) =
        disconnect.trouble(|trouble| matches!(trouble, Trouble::Unreachable | Trouble::NoNetwork))
    {
        let summary = format!("{client} has no route to {server}");
        return Some(
            Finding::new(Confidence::Stated, Initiator::Network, summary)
                .because([disconnect.quote(&event.at)])
                .remedy(remedy),
        );
    }
    if let Some(finding) = refused_by_another(disconnect, case) {
        return Some(finding);
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

/// The same process greeted others before and after: its listener was there, and something in front of it refused the SYN.
fn refused_by_another(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let mut views = disconnect.views.iter();
    let view = views.find(|view| view.conn.end.manner == Manner::Refused)?;
    let endpoint = case.endpoint(disconnect)?;
    let after = endpoint.same_process_across(disconnect.closed?)?;
    let summary = format!(
        "a RST refused the SYN of {}, although {} was up and took other connections",
        case.client_label(disconnect),
        case.server_label(disconnect)
    );
    Some(
        Finding::new(Confidence::Likely, Initiator::Network, summary)
            .because([
                view.evidence(view.conn.end.at, "the SYN is answered by a RST"),
                after.evidence(),
            ])
            .rival("overload", "accept-queue", "a kernel with net.ipv4.tcp_abort_on_overflow refuses what its accept queue cannot take")
            .remedy("look for a rule that rejects new connections (iptables or nftables REJECT with tcp-reset, a security group, a load balancer without a healthy member) between these two addresses"),
    )
}
