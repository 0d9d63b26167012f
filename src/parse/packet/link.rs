//! Link layers: from a frame's first byte to its network layer.

mod rare;
mod wireless;

use super::{Layer, Packet, be16, network, tunnel};

/// LINKTYPE_ETHERNET.
pub const ETHERNET: u32 = 1;

const ARP: u16 = 0x0806;
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;

/// Reads a frame of any known link type.
pub fn packet(link: u32, frame: &[u8]) -> Packet {
    let start = Layer::default();
    match link {
        ETHERNET => ethernet(frame, start),
        // BSD loopback: a protocol family of 4 bytes, in the byte order of the capturing machine (0) or the network's (108).
        0 | 108 => loopback(frame, start),
        // PPP: with or without address and control bytes; 50 is HDLC-like framing, PPP's or Cisco's; 51 is PPP over
        // Ethernet.
        50 if matches!(frame.first_chunk(), Some([0x0f | 0x8f, 0])) => typed(frame, start, 2),
        9 | 50 => ppp(frame, start),
        51 => ppp_over_ethernet(frame, start),
        // Raw IP: 12 and 14 are its values on BSDs; 228 and 229 name the version.
        12 | 14 | 101 | 228 | 229 => network::packet(frame, start),
        // Cisco HDLC: two bytes, then an EtherType.
        104 => typed(frame, start, 2),
        113 => cooked(frame, start, 14, 16),
        // Linux cooked v2 has the protocol in front.
        276 => cooked(frame, start, 0, 20),
        105 | 119 | 127 | 163 => wireless::packet(link, frame),
        // MPLS without a link header.
        219 => mpls(frame, start),
        // Netfilter log: family, version, resource id, then type-length-value rows; 9 is the packet.
        239 => netfilter(frame, start),
        _ => rare::packet(link, frame),
    }
}

/// An Ethernet header at `layer.at`.
pub fn ethernet(frame: &[u8], layer: Layer) -> Packet {
    match be16(frame, layer.at + 12) {
        // Below 1536 it is a length: IEEE 802.3 with LLC, perhaps with SNAP, which ends in an EtherType.
        Some(length) if length < 0x600 => llc(frame, layer, 14),
        Some(_) => typed(frame, layer, 12),
        None => Packet::Broken("ethernet header cut off"),
    }
}

/// An LLC header (IEEE 802.2) `skip` bytes into the layer: SNAP, which ends in an EtherType, or IP's own service point.
pub fn llc(frame: &[u8], layer: Layer, skip: usize) -> Packet {
    let at = layer.at + skip;
    match frame.get(at..) {
        Some([0xaa, 0xaa, 3, 0, 0, 0, ..]) => typed(frame, layer, skip + 6),
        Some([6, 6, 3, ..]) => ether_type_payload(frame, layer, IPV4, at + 3),
        _ => Packet::Other,
    }
}

/// An EtherType `skip` bytes into the layer, with what follows it.
pub fn typed(frame: &[u8], layer: Layer, skip: usize) -> Packet {
    match be16(frame, layer.at + skip) {
        Some(ether_type) => ether_type_payload(frame, layer, ether_type, layer.at + skip + 2),
        None => Packet::Broken("ethertype cut off"),
    }
}

/// The payload of an EtherType, at `at`.
pub fn ether_type_payload(frame: &[u8], layer: Layer, ether_type: u16, at: usize) -> Packet {
    let Some(next) = layer.inside(at) else {
        return Packet::Broken("headers nested too deep");
    };
    match ether_type {
        IPV4 | IPV6 => network::packet(frame, next),
        ARP => Packet::Other,
        // VLAN tags, single, QinQ, and the older QinQ numbers: tag control, then an EtherType.
        0x8100 | 0x88a8 | 0x9100 | 0x9200 | 0x9300 => typed(frame, next, 2),
        // VN-Tag and E-Tag (IEEE 802.1BR) of virtual switches.
        0x8926 => typed(frame, next, 4),
        0x893f => typed(frame, next, 6),
        0x8847 | 0x8848 => mpls(frame, next),
        0x8864 => ppp_over_ethernet(frame, next),
        0x880b => ppp(frame, next),
        // Transparent Ethernet bridging (GRE, Geneve).
        0x6558 => ethernet(frame, next),
        // ERSPAN type II and III, when GRE says so.
        0x88be | 0x22eb => tunnel::erspan(frame, next, ether_type == 0x22eb),
        _ => Packet::Other,
    }
}

/// An MPLS label stack: 4 bytes a label, the last has the bottom bit; then IP, told by its version.
pub fn mpls(frame: &[u8], layer: Layer) -> Packet {
    let mut at = layer.at;
    for _ in 0..16 {
        let Some(&flags) = frame.get(at + 2) else {
            return Packet::Broken("mpls label cut off");
        };
        at += 4;
        if flags & 1 == 0 {
            continue;
        }
        let Some(next) = layer.inside(at) else {
            return Packet::Broken("headers nested too deep");
        };
        return match frame.get(at).map(|byte| byte >> 4) {
            Some(4 | 6) => network::packet(frame, next),
            // A pseudowire: control word of zeros, then Ethernet.
            Some(0) => match layer.inside(at + 4) {
                Some(next) => ethernet(frame, next),
                None => Packet::Other,
            },
            _ => Packet::Other,
        };
    }
    Packet::Broken("mpls label stack without an end")
}

fn loopback(frame: &[u8], layer: Layer) -> Packet {
    match frame.get(layer.at..).and_then(<[u8]>::first_chunk::<4>) {
        // The family is small: whichever end it stands at tells the byte order. 2 is IPv4 everywhere; IPv6 is 10, 24,
        // 28 or 30 by system.
        Some([0, 0, 0, family] | [family, 0, 0, 0]) if matches!(family, 2 | 10 | 24 | 28 | 30) => {
            network::packet(
                frame,
                Layer {
                    at: layer.at + 4,
                    ..layer
                },
            )
        }
        Some(_) => Packet::Other,
        None => Packet::Broken("loopback header cut off"),
    }
}

/// PPP, with or without address and control bytes.
pub fn ppp(frame: &[u8], layer: Layer) -> Packet {
    let skip = match frame.get(layer.at..) {
        Some([0xff, 0x03, ..]) => 2,
        _ => 0,
    };
    ppp_payload(frame, layer, layer.at + skip)
}

fn ppp_over_ethernet(frame: &[u8], layer: Layer) -> Packet {
    ppp_payload(frame, layer, layer.at + 6)
}

fn ppp_payload(frame: &[u8], layer: Layer, at: usize) -> Packet {
    let (protocol, at) = match frame.get(at) {
        // Protocol field compression: an odd first byte is the whole protocol.
        Some(&byte) if byte & 1 == 1 => (u16::from(byte), at + 1),
        Some(_) => match be16(frame, at) {
            Some(protocol) => (protocol, at + 2),
            None => return Packet::Broken("ppp protocol cut off"),
        },
        None => return Packet::Broken("ppp header cut off"),
    };
    let Some(next) = layer.inside(at) else {
        return Packet::Broken("headers nested too deep");
    };
    match protocol {
        0x21 | 0x57 => network::packet(frame, next),
        0x281 => mpls(frame, next),
        _ => Packet::Other,
    }
}

fn cooked(frame: &[u8], layer: Layer, protocol_at: usize, length: usize) -> Packet {
    match be16(frame, protocol_at) {
        Some(protocol) if frame.len() >= length => {
            ether_type_payload(frame, layer, protocol, length)
        }
        _ => Packet::Broken("cooked header cut off"),
    }
}

fn netfilter(frame: &[u8], layer: Layer) -> Packet {
    let mut at = 4;
    while let Some(&[l0, l1, t0, t1]) = frame.get(at..).and_then(<[u8]>::first_chunk::<4>) {
        let length = usize::from(u16::from_le_bytes([l0, l1]));
        if u16::from_le_bytes([t0, t1]) & 0x7fff == 9 {
            return network::packet(
                frame,
                Layer {
                    at: at + 4,
                    ..layer
                },
            );
        }
        if length < 4 {
            break;
        }
        at += length.next_multiple_of(4);
    }
    Packet::Other
}
