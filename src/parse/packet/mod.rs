//! Frames to TCP segments and to ICMP errors that quote TCP; every other packet is only named.
//!
//! Tolerant: lengths that contradict each other are read as far as there are bytes, checksums are not judged (captures
//! on a sending host hold packets before the network card filled them in). Nothing here panics, whatever the bytes;
//! nesting of tunnels is bounded. Places are offsets into the frame, so that results own no bytes.
//!
//! Ethernet, IPv4 and TCP without options to speak of, which is nearly every packet, take a short way of their own;
//! IPv6 extension headers, authentication headers and oddly cut packets go through etherparse.

pub mod fragment;
mod icmp;
mod link;
mod network;
mod tcp;
mod tunnel;

use std::net::{IpAddr, Ipv6Addr};

pub use fragment::{Defragmenter, Fragment};
pub use icmp::IcmpError;
pub use tcp::{ACK, FIN, Options, PSH, RST, SYN, Segment, URG};
pub use tunnel::{Tunnel, TunnelKind};

/// An address, IPv4 as IPv4-mapped IPv6: one size, cheap to compare and to hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Host(pub u128);

impl Host {
    /// An IPv4 address in network order.
    pub const fn v4(bytes: [u8; 4]) -> Self {
        Self(0xffff_0000_0000 | u32::from_be_bytes(bytes) as u128)
    }

    /// An IPv6 address in network order.
    pub const fn v6(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }

    /// The address.
    pub fn ip(self) -> IpAddr {
        Ipv6Addr::from_bits(self.0).to_canonical()
    }
}

impl From<IpAddr> for Host {
    fn from(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => Self::v4(ip.octets()),
            IpAddr::V6(ip) => Self::v6(ip.octets()),
        }
    }
}

/// What a frame is to us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// A TCP segment.
    Tcp(Segment),
    /// An ICMP error about a TCP segment.
    Icmp(IcmpError),
    /// A piece of an IP packet: give it to a [`Defragmenter`].
    Fragment(Fragment),
    /// Something else, which is well.
    Other,
    /// Cut or malformed before its TCP header was complete.
    Broken(&'static str),
    /// A link type that is not known here.
    UnknownLink,
}

/// Where in a frame, and inside which tunnel, a layer begins.
#[derive(Clone, Copy, Debug, Default)]
struct Layer {
    at: usize,
    tunnel: Option<Tunnel>,
    /// Headers unwrapped so far.
    depth: u8,
}

impl Layer {
    /// More nested headers than any network has.
    const DEEPEST: u8 = 8;

    fn inside(self, at: usize) -> Option<Self> {
        (self.depth < Self::DEEPEST).then_some(Self {
            at,
            depth: self.depth + 1,
            ..self
        })
    }

    fn tunnelled(self, at: usize, kind: TunnelKind, id: u32) -> Option<Self> {
        Some(Self {
            tunnel: Some(Tunnel { kind, id }),
            ..self.inside(at)?
        })
    }
}

/// Reads one frame of a link type (numbers of the tcpdump.org registry).
pub fn packet(link: u32, frame: &[u8]) -> Packet {
    if link == link::ETHERNET
        && let Some([0x08, 0x00, 0x45]) = frame.get(12..15)
        && let Some(packet) = network::plain_ipv4(frame, 14)
    {
        return packet;
    }
    link::packet(link, frame)
}

/// Reads a packet from its IP header on, as [`Defragmenter`] gives it back.
pub fn ip_packet(bytes: &[u8], tunnel: Option<Tunnel>) -> Packet {
    network::packet(
        bytes,
        Layer {
            tunnel,
            ..Layer::default()
        },
    )
}

/// A big-endian 16-bit number.
fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes
        .get(at..)?
        .first_chunk::<2>()
        .map(|two| u16::from_be_bytes(*two))
}

/// A big-endian 32-bit number.
fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..)?
        .first_chunk::<4>()
        .map(|four| u32::from_be_bytes(*four))
}

#[cfg(test)]
mod tests;
