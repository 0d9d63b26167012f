//! Tunnels, unwrapped: VXLAN (RFC 7348, with GPE), Geneve (RFC 8926), GRE (RFC 2784, 2890; PPTP's, RFC 2637), ERSPAN, IP
//! in IP, MPLS in UDP (RFC 7510), L2TP (RFC 2661), GTP (3GPP TS 29.281), Teredo (RFC 4380), EtherIP (RFC 3378).

use std::fmt;

use super::{Layer, Packet, be16, be32, link, network};

/// The innermost tunnel that a packet came through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tunnel {
    /// Its kind.
    pub kind: TunnelKind,
    /// Network identifier, key or session; 0 where there is none.
    pub id: u32,
}

/// Kinds of tunnels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "tunnels by their usual names")]
pub enum TunnelKind {
    Vxlan,
    Geneve,
    Gre,
    Erspan,
    IpInIp,
    Mpls,
    L2tp,
    Gtp,
    Teredo,
    EtherIp,
}

impl fmt::Display for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.kind {
            TunnelKind::Vxlan => "VXLAN",
            TunnelKind::Geneve => "Geneve",
            TunnelKind::Gre => "GRE",
            TunnelKind::Erspan => "ERSPAN",
            TunnelKind::L2tp => "L2TP",
            TunnelKind::Gtp => "GTP",
            TunnelKind::IpInIp => return f.write_str("IP-in-IP"),
            TunnelKind::Mpls => return f.write_str("MPLS-in-UDP"),
            TunnelKind::Teredo => return f.write_str("Teredo"),
            TunnelKind::EtherIp => return f.write_str("EtherIP"),
        };
        write!(f, "{name} {}", self.id)
    }
}

/// A UDP datagram at `at`: a tunnel if its destination port is one of theirs (Teredo's, if either is).
pub fn over_udp(frame: &[u8], layer: Layer, at: usize) -> Packet {
    let payload = at + 8;
    match be16(frame, at + 2) {
        // 4789 is IANA's; 8472 is what Linux took before and flannel still takes.
        Some(4789 | 8472) => vxlan(frame, layer, payload),
        Some(4790) => vxlan_gpe(frame, layer, payload),
        Some(6081) => geneve(frame, layer, payload),
        Some(6635) => match layer.tunnelled(payload, TunnelKind::Mpls, 0) {
            Some(inner) => link::mpls(frame, inner),
            None => TOO_DEEP,
        },
        Some(1701) => l2tp(frame, layer, payload),
        Some(2152) => gtp(frame, layer, payload),
        Some(3544) => teredo(frame, layer, payload),
        _ if be16(frame, at) == Some(3544) => teredo(frame, layer, payload),
        _ => Packet::Other,
    }
}

const TOO_DEEP: Packet = Packet::Broken("headers nested too deep");

/// An IP packet of this version begins at `at`: what a datagram to a port that others use too must show.
fn looks_like_ip(frame: &[u8], at: usize, versions: &[u8]) -> bool {
    frame
        .get(at)
        .is_some_and(|first| versions.contains(&(first >> 4)))
}

/// The generic protocol extension says what is inside.
fn vxlan_gpe(frame: &[u8], layer: Layer, at: usize) -> Packet {
    let (Some(next), Some(id)) = (frame.get(at + 3), be32(frame, at + 4)) else {
        return Packet::Other;
    };
    let Some(inner) = layer.tunnelled(at + 8, TunnelKind::Vxlan, id >> 8) else {
        return TOO_DEEP;
    };
    match next {
        1 | 2 => network::packet(frame, inner),
        3 => link::ethernet(frame, inner),
        5 => link::mpls(frame, inner),
        _ => Packet::Other,
    }
}

/// An L2TP version 2 data message, with PPP inside.
fn l2tp(frame: &[u8], layer: Layer, at: usize) -> Packet {
    let Some(flags) = be16(frame, at) else {
        return Packet::Other;
    };
    // Type (control), version.
    if flags & 0x8000 != 0 || flags & 15 != 2 {
        return Packet::Other;
    }
    let ids = at + 2 + if flags & 0x4000 != 0 { 2 } else { 0 };
    let mut inner_at = ids + 4 + if flags & 0x0800 != 0 { 4 } else { 0 };
    if flags & 0x0200 != 0 {
        let Some(padding) = be16(frame, inner_at) else {
            return Packet::Other;
        };
        inner_at += 2 + usize::from(padding);
    }
    let session = be32(frame, ids).unwrap_or(0);
    match layer.tunnelled(inner_at, TunnelKind::L2tp, session) {
        Some(inner) => link::ppp(frame, inner),
        None => TOO_DEEP,
    }
}

/// A GTP version 1 user packet (message type 255), behind its extension headers.
fn gtp(frame: &[u8], layer: Layer, at: usize) -> Packet {
    let (Some(&[flags, 255]), Some(id)) = (
        frame.get(at..).and_then(<[u8]>::first_chunk::<2>),
        be32(frame, at + 4),
    ) else {
        return Packet::Other;
    };
    if flags >> 4 != 3 {
        return Packet::Other;
    }
    let mut inner_at = at + 8;
    if flags & 7 != 0 {
        inner_at += 4;
        // Extension headers: length in units of 4 first, the next one's type last.
        for _ in 0..8 {
            if flags & 4 == 0 || frame.get(inner_at - 1).is_none_or(|next| *next == 0) {
                break;
            }
            let length = frame
                .get(inner_at)
                .map_or(0, |units| usize::from(*units) * 4);
            if length == 0 {
                return Packet::Other;
            }
            inner_at += length;
        }
    }
    inner_ip(frame, layer, inner_at, TunnelKind::Gtp, id, &[4, 6])
}

/// Teredo: IPv6, perhaps behind an authentication and an origin indication.
fn teredo(frame: &[u8], layer: Layer, mut at: usize) -> Packet {
    if be16(frame, at) == Some(1)
        && let Some(&[client, value]) = frame.get(at + 2..).and_then(<[u8]>::first_chunk::<2>)
    {
        at += 13 + usize::from(client) + usize::from(value);
    }
    if be16(frame, at) == Some(0) {
        at += 8;
    }
    inner_ip(frame, layer, at, TunnelKind::Teredo, 0, &[6])
}

fn inner_ip(
    frame: &[u8],
    layer: Layer,
    at: usize,
    kind: TunnelKind,
    id: u32,
    versions: &[u8],
) -> Packet {
    if !looks_like_ip(frame, at, versions) {
        return Packet::Other;
    }
    match layer.tunnelled(at, kind, id) {
        Some(inner) => network::packet(frame, inner),
        None => TOO_DEEP,
    }
}

/// Ethernet in IP: a version, then the frame.
pub fn ether_ip(frame: &[u8], layer: Layer, at: usize) -> Packet {
    match layer.tunnelled(at + 2, TunnelKind::EtherIp, 0) {
        Some(inner) => link::ethernet(frame, inner),
        None => TOO_DEEP,
    }
}

fn vxlan(frame: &[u8], layer: Layer, at: usize) -> Packet {
    // The I flag says that the network identifier is valid.
    let (Some(flags), Some(id)) = (frame.get(at), be32(frame, at + 4)) else {
        return Packet::Other;
    };
    if flags & 0x08 == 0 {
        return Packet::Other;
    }
    match layer.tunnelled(at + 8, TunnelKind::Vxlan, id >> 8) {
        Some(inner) => link::ethernet(frame, inner),
        None => TOO_DEEP,
    }
}

fn geneve(frame: &[u8], layer: Layer, at: usize) -> Packet {
    let (Some(&first), Some(ether_type), Some(id)) =
        (frame.get(at), be16(frame, at + 2), be32(frame, at + 4))
    else {
        return Packet::Other;
    };
    if first >> 6 != 0 {
        return Packet::Other;
    }
    let inner_at = at + 8 + usize::from(first & 0x3f) * 4;
    match layer.tunnelled(inner_at, TunnelKind::Geneve, id >> 8) {
        Some(inner) => link::ether_type_payload(frame, inner, ether_type, inner_at),
        None => TOO_DEEP,
    }
}

/// A GRE header at `at`.
pub fn gre(frame: &[u8], layer: Layer, at: usize) -> Packet {
    let (Some(flags), Some(protocol)) = (be16(frame, at), be16(frame, at + 2)) else {
        return Packet::Broken("gre header cut off");
    };
    if flags & 7 == 1 && protocol == 0x880b {
        return pptp(frame, layer, at, flags);
    }
    if flags & 7 != 0 {
        return Packet::Other;
    }
    let mut inner_at = at + 4;
    if flags & 0x8000 != 0 {
        inner_at += 4;
    }
    let mut key = 0;
    if flags & 0x2000 != 0 {
        key = be32(frame, inner_at).unwrap_or(0);
        inner_at += 4;
    }
    let sequenced = flags & 0x1000 != 0;
    if sequenced {
        inner_at += 4;
    }
    let Some(inner) = layer.tunnelled(inner_at, TunnelKind::Gre, key) else {
        return TOO_DEEP;
    };
    // ERSPAN type I is GRE's payload without sequence number and without a header of its own.
    if protocol == 0x88be && !sequenced {
        return link::ethernet(frame, inner);
    }
    link::ether_type_payload(frame, inner, protocol, inner_at)
}

/// PPTP's GRE: length and call in place of the key, then numbers of packets sent and received where flags say so.
fn pptp(frame: &[u8], layer: Layer, at: usize, flags: u16) -> Packet {
    let call = be16(frame, at + 6).map_or(0, u32::from);
    // Without a number of its own it carries no payload.
    if flags & 0x1000 == 0 {
        return Packet::Other;
    }
    let inner_at = at + 12 + if flags & 0x80 != 0 { 4 } else { 0 };
    match layer.tunnelled(inner_at, TunnelKind::Gre, call) {
        Some(inner) => link::ppp(frame, inner),
        None => TOO_DEEP,
    }
}

/// An ERSPAN header of type II (8 bytes) or III (12, and 8 more if its last bit says so).
pub fn erspan(frame: &[u8], layer: Layer, third: bool) -> Packet {
    let Some(session) = be16(frame, layer.at + 2) else {
        return Packet::Broken("erspan header cut off");
    };
    let mut length = 8;
    if third {
        length = 12;
        if frame.get(layer.at + 11).is_some_and(|byte| byte & 1 != 0) {
            length += 8;
        }
    }
    let id = u32::from(session & 0x3ff);
    match layer.tunnelled(layer.at + length, TunnelKind::Erspan, id) {
        Some(inner) => link::ethernet(frame, inner),
        None => TOO_DEEP,
    }
}
