//! `network/mtu-blackhole`: large segments vanish, small ones pass.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::{Confidence, Finding, Initiator};
use crate::attribute::path::dead_path;

/// The smallest segment that a path may refuse: IPv6's minimum MTU less headers (RFC 8200 section 5).
const LARGE: u32 = 1200;

/// Ethernet's MSS with timestamps, where the handshake was not captured.
const USUAL_MSS: u32 = 1448;

/// What was lost to the end is larger than anything that ever got through, and smaller segments got through meanwhile.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let dead = dead_path(disconnect)?;
    let flow = dead.view.flow(dead.from);
    let told = dead.view.conn.icmp.iter().find(|icmp| {
        icmp.says.contains("fragmentation needed") || icmp.says.contains("packet too big")
    });
    // Offloading shows segments larger than any that goes out: the wire's are at most the peer's MSS.
    let mss = dead
        .view
        .flow(dead.from.other())
        .mss
        .map_or(USUAL_MSS, u32::from);
    let (lost, passed) = (flow.largest_lost.min(mss), flow.largest_acked.min(mss));
    let sized = lost >= LARGE && passed > 0 && passed < lost;
    let alive = dead
        .view
        .flow(dead.from.other())
        .last_packet
        .is_some_and(|last| last.ns > dead.path.since.ns);
    if told.is_none() && !(sized && alive && dead.path.run.count >= 3) {
        return None;
    }
    let summary = format!(
        "large segments vanish between {} and {}: {} bytes never arrive, {} bytes do",
        case.client_label(disconnect),
        case.server_label(disconnect),
        lost,
        passed
    );
    let confidence = if told.is_some() {
        Confidence::Stated
    } else {
        Confidence::Shown
    };
    Some(
        Finding::new(confidence, Initiator::Network, summary)
            .because(dead.evidence())
            .because(told.map(|icmp| dead.view.evidence(icmp.at, format!("ICMP from {}: {}", icmp.from, icmp.says))))
            .remedy("let ICMP fragmentation needed (type 3 code 4; ICMPv6 type 2) pass the firewalls, or lower the MTU or clamp the MSS on the tunnel (iptables -t mangle ... TCPMSS --clamp-mss-to-pmtu)"),
    )
}
