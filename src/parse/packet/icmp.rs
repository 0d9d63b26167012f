//! ICMP (RFC 792) and ICMPv6 (RFC 4443) errors, as far as they quote a TCP segment.

use super::{Host, Packet, Segment, Tunnel, be16, be32};

/// An error about a TCP segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IcmpError {
    /// Who sent the error.
    pub from: Host,
    /// ICMPv6.
    pub v6: bool,
    /// Type and code.
    pub kind: (u8, u8),
    /// Next-hop MTU, where the error carries one.
    pub mtu: Option<u32>,
    /// The quoted segment's sender.
    pub src: Host,
    /// The quoted segment's receiver.
    pub dst: Host,
    /// The quoted ports.
    pub src_port: u16,
    /// Receiver's port.
    pub dst_port: u16,
    /// The quoted sequence number.
    pub seq: u32,
    /// The tunnel it came through.
    pub tunnel: Option<Tunnel>,
}

impl IcmpError {
    /// The error in words.
    pub fn says(&self) -> String {
        let (kind, code) = self.kind;
        let words = match (self.v6, kind, code) {
            (false, 3, 0) => "network unreachable",
            (false, 3, 1) | (true, 1, 3) => "host unreachable",
            (false, 3, 2) => "protocol unreachable",
            (false, 3, 3) | (true, 1, 4) => "port unreachable",
            (false, 3, 4) => {
                return match self.mtu {
                    Some(mtu) if mtu > 0 => format!("fragmentation needed (mtu {mtu})"),
                    _ => "fragmentation needed".to_owned(),
                };
            }
            (true, 2, _) => {
                return format!("packet too big (mtu {})", self.mtu.unwrap_or(0));
            }
            (false, 3, 6) => "network unknown",
            (false, 3, 7) => "host unknown",
            (false, 3, 9 | 10 | 13) | (true, 1, 1) => "administratively prohibited",
            (true, 1, 0) => "no route to destination",
            (true, 1, 5) => "source address failed policy",
            (true, 1, 6) => "route rejected",
            (false, 11, 0) | (true, 3, 0) => "hop count exceeded",
            (false, 11, 1) | (true, 3, 1) => "fragment reassembly time exceeded",
            (false, 12, _) | (true, 4, _) => "parameter problem",
            (false, 4, _) => "source quench",
            (false, 3, _) | (true, 1, _) => {
                return format!("destination unreachable (code {code})");
            }
            _ => return format!("type {kind} code {code}"),
        };
        words.to_owned()
    }
}

/// Reads the message at `at`; `outer` holds the addresses of the packet that carries it.
pub fn error(frame: &[u8], at: usize, outer: &Segment, v6: bool) -> Packet {
    let Some(&[kind, code]) = frame.get(at..).and_then(<[u8]>::first_chunk::<2>) else {
        return Packet::Broken("icmp header cut off");
    };
    let is_error = if v6 {
        (1..=4).contains(&kind)
    } else {
        matches!(kind, 3 | 4 | 11 | 12)
    };
    if !is_error {
        return Packet::Other;
    }
    let mtu = match (v6, kind, code) {
        (false, 3, 4) => be16(frame, at + 6).map(u32::from),
        (true, 2, _) => be32(frame, at + 4),
        _ => None,
    };
    quoted(frame, at + 8).map_or(Packet::Other, |(src, dst, src_port, dst_port, seq)| {
        Packet::Icmp(IcmpError {
            from: outer.src,
            v6,
            kind: (kind, code),
            mtu,
            src,
            dst,
            src_port,
            dst_port,
            seq,
            tunnel: outer.tunnel,
        })
    })
}

/// The head of the packet that an error quotes: at least 8 bytes of TCP are there (RFC 792).
fn quoted(frame: &[u8], at: usize) -> Option<(Host, Host, u16, u16, u32)> {
    let first = *frame.get(at)?;
    let (src, dst, tcp) = match first >> 4 {
        4 => {
            let header = frame.get(at..)?.first_chunk::<20>()?;
            // A later fragment quotes no ports.
            if header[9] != 6 || header[6] & 0x1f != 0 || header[7] != 0 {
                return None;
            }
            (
                Host::v4([header[12], header[13], header[14], header[15]]),
                Host::v4([header[16], header[17], header[18], header[19]]),
                at + usize::from(first & 15) * 4,
            )
        }
        6 => {
            let header = frame.get(at..)?.first_chunk::<40>()?;
            if header[6] != 6 {
                return None;
            }
            let address = |from: usize| {
                header[from..]
                    .first_chunk::<16>()
                    .map(|bytes| Host::v6(*bytes))
            };
            (address(8)?, address(24)?, at + 40)
        }
        _ => return None,
    };
    Some((
        src,
        dst,
        be16(frame, tcp)?,
        be16(frame, tcp + 2)?,
        be32(frame, tcp + 4)?,
    ))
}
