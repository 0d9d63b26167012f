//! `network/link-down`: the host's own link or address went away.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::{Confidence, Finding, Initiator};
use crate::attribute::path::{Dead, dead_path};
use crate::attribute::unsent::{Unsent, no_way_out, unsent};
use crate::attribute::wire::Side;
use crate::reconstruct::server::ServerEventKind;
use crate::time::SECOND;

/// A link that went down this long before the end explains it: ping timers take that long.
const BEFORE: i64 = 600 * SECOND;

/// A kernel line says so; or the client's own network refuses to route right after; or packets that an end must have sent
/// are missing at its own host.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let at = disconnect.closed?;
    let kernel = disconnect.records.host_events.iter().find(|event| {
        let down = matches!(&event.kind, ServerEventKind::Host(what) if what.contains("link down") || what.contains("Link is Down") || what.contains("carrier"));
        down && disconnect.log(&event.at).is_some_and(|when| (0..BEFORE).contains(&at.since(when)))
    });
    let local = no_way_out(disconnect);
    let unsent = unsent(disconnect);
    // The last router cannot find the host on its link any more (RFC 1812 section 5.2.7.1: host unreachable).
    let unfound = disconnect.views.iter().find_map(|view| {
        let icmp = view.conn.icmp.iter().find(|icmp| {
            icmp.says.contains("host unreachable") || icmp.says.contains("address unreachable")
        })?;
        Some(view.evidence(icmp.at, format!("ICMP from {}: {}", icmp.from, icmp.says)))
    });
    let dead = dead_path(disconnect);
    if let (Some(unfound), Some(dead)) = (&unfound, &dead) {
        let whose = match dead.from {
            Side::Client => case.server_label(disconnect),
            Side::Server => case.client_label(disconnect),
        };
        let summary = format!(
            "the link or address of the host of {whose} went away: the last router no longer finds it"
        );
        return Some(
            Finding::new(Confidence::Shown, Initiator::Network, summary)
                .because(dead.evidence())
                .because([unfound.clone()])
                .rival("network", "blackhole", "a device in the path may answer for a host that is there")
                .remedy("look at that host's interface: cable, switch port, driver, bonding, address lease"),
        );
    }
    let silent = dead.is_some() || unsent.is_some() || disconnect.views.is_empty();
    let told = kernel.is_some() || silent && (local.is_some() || unsent.is_some());
    if !told || !silent && disconnect.first_close().is_some() {
        return None;
    }
    let whose = match unsent.as_ref().map(|unsent| unsent.side) {
        Some(Side::Server) => case.server_label(disconnect),
        Some(Side::Client) | None => case.client_label(disconnect),
    };
    let summary = format!("the network link under {whose} went down");
    let confidence = if kernel.is_some() {
        Confidence::Stated
    } else {
        Confidence::Likely
    };
    let finding = Finding::new(confidence, Initiator::Network, summary)
        .because(kernel.map(|event| disconnect.quote(&event.at)))
        .because(local.map(|event| disconnect.quote(event.first.as_ref().unwrap_or(&event.at))))
        .because(unsent.iter().flat_map(Unsent::evidence))
        .because(dead.iter().flat_map(Dead::evidence))
        .remedy("look at the host's interface: cable, switch port, driver, bonding, address lease");
    Some(if unsent.is_some() {
        finding.rival(
            "network",
            "blackhole",
            "a capture that lost packets at that host would look the same",
        )
    } else {
        finding
    })
}
