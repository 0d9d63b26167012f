//! Tunnels, unwrapped: VXLAN (RFC 7348), Geneve (RFC 8926), GRE (RFC 2784, 2890), ERSPAN, IP in IP.

use std::fmt;

use super::{Layer, Packet, be16, be32, link};

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
}

impl fmt::Display for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.kind {
            TunnelKind::Vxlan => "VXLAN",
            TunnelKind::Geneve => "Geneve",
            TunnelKind::Gre => "GRE",
            TunnelKind::Erspan => "ERSPAN",
            TunnelKind::IpInIp => return f.write_str("IP-in-IP"),
        };
        write!(f, "{name} {}", self.id)
    }
}

/// A UDP datagram at `at`: a tunnel if its destination port is one of theirs.
pub fn over_udp(frame: &[u8], layer: Layer, at: usize) -> Packet {
    let payload = at + 8;
    match be16(frame, at + 2) {
        // 4789 is IANA's; 8472 is what Linux took before and flannel still takes.
        Some(4789 | 8472) => vxlan(frame, layer, payload),
        Some(6081) => geneve(frame, layer, payload),
        _ => Packet::Other,
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
        None => Packet::Broken("headers nested too deep"),
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
        None => Packet::Broken("headers nested too deep"),
    }
}

/// A GRE header at `at`.
pub fn gre(frame: &[u8], layer: Layer, at: usize) -> Packet {
    let (Some(flags), Some(protocol)) = (be16(frame, at), be16(frame, at + 2)) else {
        return Packet::Broken("gre header cut off");
    };
    // Version 0 only; version 1 is PPTP.
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
        return Packet::Broken("headers nested too deep");
    };
    // ERSPAN type I is GRE's payload without sequence number and without a header of its own.
    if protocol == 0x88be && !sequenced {
        return link::ethernet(frame, inner);
    }
    link::ether_type_payload(frame, inner, protocol, inner_at)
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
        None => Packet::Broken("headers nested too deep"),
    }
}
