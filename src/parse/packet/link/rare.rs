//! Link types that few captures have, each a fixed header in front of something known.

use super::super::{Layer, Packet, be16, be32, network};
use super::{ETHERNET, ether_type_payload, ethernet, llc, loopback, ppp, typed, wireless};

/// Reads a frame of a link type that [`super::packet`] does not know.
pub fn packet(link: u32, frame: &[u8]) -> Packet {
    let start = Layer::default();
    let behind = |at: usize| Layer { at, ..start };
    match link {
        // IEEE 802.5 (with its source route, if the sender's first bit says so) and FDDI.
        6 => match frame.get(8..16) {
            Some(rest) if rest[0] & 0x80 != 0 => llc(frame, start, 14 + usize::from(rest[6] & 31)),
            _ => llc(frame, start, 14),
        },
        10 => llc(frame, start, 13),
        // SLIP, behind a header of the capturing system.
        8 => network::packet(frame, behind(16)),
        // ATM: RFC 2684, bare and as on Solaris.
        11 => llc(frame, start, 0),
        123 => llc(frame, start, 4),
        107 => frame_relay(frame),
        // OpenBSD's encapsulating interface and packet filter log (its header's length is rounded up to 4).
        109 => network::packet(frame, behind(12)),
        117 => match frame.first() {
            Some(&length) => {
                network::packet(frame, behind(usize::from(length).next_multiple_of(4)))
            }
            None => Packet::Broken("pflog header cut off"),
        },
        // IP over IEEE 1394, InfiniBand, Solaris's ipnet.
        138 => typed(frame, start, 16),
        242 => match be16(frame, 0) {
            Some(ether_type) => ether_type_payload(frame, start, ether_type, 4),
            None => Packet::Broken("ethertype cut off"),
        },
        226 => network::packet(frame, behind(24)),
        // PPP with the direction in place of the address, or in front.
        166 => ppp(frame, behind(2)),
        204 => ppp(frame, behind(1)),
        // Per-packet information and Apple's PKTAP: headers that tell their length and what follows.
        192 => match (frame.get(2..4), frame.get(4..8)) {
            (Some(length), Some(inner)) => inside(
                frame,
                u32::from_le_bytes([inner[0], inner[1], inner[2], inner[3]]),
                usize::from(u16::from_le_bytes([length[0], length[1]])),
            ),
            _ => Packet::Broken("ppi header cut off"),
        },
        258 => match (be32(frame, 0), be32(frame, 8)) {
            (Some(length), Some(inner)) => {
                inside(frame, inner.swap_bytes(), length.swap_bytes() as usize)
            }
            _ => Packet::Broken("pktap header cut off"),
        },
        // Tags of switch chips, inside the Ethernet header or in front of it.
        281 | 284 => typed(frame, start, 16),
        285 => typed(frame, start, 20),
        282 => ethernet(frame, behind(4)),
        _ => Packet::UnknownLink,
    }
}

/// What a header of `length` bytes says it holds.
fn inside(frame: &[u8], link: u32, length: usize) -> Packet {
    let layer = Layer {
        at: length,
        ..Layer::default()
    };
    if length == 0 || length > frame.len() {
        return Packet::Broken("header of the capture program cut off");
    }
    match link {
        ETHERNET => ethernet(frame, layer),
        0 | 108 => loopback(frame, layer),
        12 | 14 | 101 => network::packet(frame, layer),
        105 => wireless::data_frame(frame, layer),
        _ => Packet::UnknownLink,
    }
}

/// Frame relay (RFC 2427): an address, whose last byte is odd, control 3, perhaps padding, a protocol identifier.
fn frame_relay(frame: &[u8]) -> Packet {
    let Some(last) = frame.iter().take(4).position(|byte| byte & 1 == 1) else {
        return Packet::Broken("frame relay address cut off");
    };
    let mut at = last + 1;
    // Cisco's own: an EtherType behind the address.
    if let Some(0x800 | 0x86dd) = be16(frame, at) {
        return typed(frame, Layer::default(), at);
    }
    at += 1;
    if frame.get(at) == Some(&0) {
        at += 1;
    }
    match frame.get(at) {
        Some(0xcc | 0x8e) => network::packet(
            frame,
            Layer {
                at: at + 1,
                ..Layer::default()
            },
        ),
        Some(0x80) => typed(frame, Layer::default(), at + 4),
        _ => Packet::Other,
    }
}
