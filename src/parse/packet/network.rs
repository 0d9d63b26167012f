//! IPv4 (RFC 791) and IPv6 (RFC 8200): from the IP header to the transport.

use etherparse::{Ipv6ExtensionSlice, LaxIpSlice};

use super::{Fragment, Host, Layer, Packet, Segment, TunnelKind, icmp, link, tcp, tunnel};

const ICMP: u8 = 1;
const IPIP: u8 = 4;
const TCP: u8 = 6;
const UDP: u8 = 17;
const IPV6: u8 = 41;
const GRE: u8 = 47;
const ICMPV6: u8 = 58;
const ETHERIP: u8 = 97;
const MPLS: u8 = 137;

/// The short way: an IPv4 header without options at `at`, not fragmented, with TCP inside. `None` sends the packet the
/// long way.
pub fn plain_ipv4(frame: &[u8], at: usize) -> Option<Packet> {
    let header = frame.get(at..)?.first_chunk::<20>()?;
    let total = usize::from(u16::from_be_bytes([header[2], header[3]]));
    // More fragments, or an offset; and lengths that need thought (0 with segmentation offload).
    if header[9] != TCP || header[6] & 0x3f != 0 || header[7] != 0 || total < 40 {
        return None;
    }
    let segment = Segment {
        src: Host::v4([header[12], header[13], header[14], header[15]]),
        dst: Host::v4([header[16], header[17], header[18], header[19]]),
        ttl: header[8],
        ip_id: Some(u16::from_be_bytes([header[4], header[5]])),
        ..Segment::default()
    };
    Some(tcp::segment(frame, at + 20, at + total, segment))
}

/// An IP packet of either version at `layer.at`.
pub fn packet(frame: &[u8], layer: Layer) -> Packet {
    let Some(bytes) = frame.get(layer.at..) else {
        return Packet::Broken("ip header cut off");
    };
    let Ok((ip, stopped)) = LaxIpSlice::from_slice(bytes) else {
        return Packet::Broken("ip header cut off or malformed");
    };
    let payload = ip.payload();
    let payload_at = layer.at + (payload.payload.as_ptr() as usize - bytes.as_ptr() as usize);
    let (mut segment, total, fragment) = match &ip {
        LaxIpSlice::Ipv4(v4) => {
            let header = v4.header();
            let fragment = v4.is_payload_fragmented().then(|| {
                (
                    u32::from(header.identification()),
                    usize::from(header.fragments_offset().value()) * 8,
                    header.more_fragments(),
                )
            });
            let segment = Segment {
                src: Host::v4(header.source()),
                dst: Host::v4(header.destination()),
                ttl: header.ttl(),
                ip_id: Some(header.identification()),
                ..Segment::default()
            };
            (segment, usize::from(header.total_len()), fragment)
        }
        LaxIpSlice::Ipv6(v6) => {
            let header = v6.header();
            let fragment = v6.is_payload_fragmented().then(|| {
                v6.extensions().clone().into_iter().find_map(|extension| {
                    let Ipv6ExtensionSlice::Fragment(fragment) = extension else {
                        return None;
                    };
                    Some((
                        fragment.identification(),
                        usize::from(fragment.fragment_offset().value()) * 8,
                        fragment.more_fragments(),
                    ))
                })
            });
            let segment = Segment {
                src: Host::v6(header.source()),
                dst: Host::v6(header.destination()),
                ttl: header.hop_limit(),
                ..Segment::default()
            };
            let total = match header.payload_length() {
                0 => 0,
                length => 40 + usize::from(length),
            };
            (segment, total, fragment.flatten())
        }
    };
    segment.tunnel = layer.tunnel;
    // A total length of 0 is a packet that the network card was to cut up (segmentation offload): it ends with the frame.
    let end = layer.at + if total == 0 { bytes.len() } else { total };
    if let Some((id, offset, more)) = fragment {
        return Packet::Fragment(Fragment {
            src: segment.src,
            dst: segment.dst,
            protocol: payload.ip_number.0,
            id,
            ttl: segment.ttl,
            offset: offset as u32,
            more,
            start: payload_at as u32,
            len: (frame.len().min(end).saturating_sub(payload_at)) as u32,
            tunnel: layer.tunnel,
        });
    }
    if stopped.is_some() && payload.ip_number.0 != TCP {
        return Packet::Broken("ip extension header cut off or malformed");
    }
    let protocol = payload.ip_number.0;
    transport(frame, layer, protocol, payload_at, end, segment)
}

fn transport(
    frame: &[u8],
    layer: Layer,
    protocol: u8,
    at: usize,
    end: usize,
    segment: Segment,
) -> Packet {
    match protocol {
        TCP => tcp::segment(frame, at, end, segment),
        UDP => tunnel::over_udp(frame, layer, at),
        ICMP => icmp::error(frame, at, &segment, false),
        ICMPV6 => icmp::error(frame, at, &segment, true),
        GRE => tunnel::gre(frame, layer, at),
        ETHERIP => tunnel::ether_ip(frame, layer, at),
        MPLS => match layer.inside(at) {
            Some(inner) => link::mpls(frame, inner),
            None => Packet::Broken("headers nested too deep"),
        },
        IPIP | IPV6 => match layer.tunnelled(at, TunnelKind::IpInIp, 0) {
            Some(inner) => packet(frame, inner),
            None => Packet::Broken("headers nested too deep"),
        },
        _ => Packet::Other,
    }
}
