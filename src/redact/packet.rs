//! One frame in place: addresses of every layer and of what tunnels and ICMP errors carry are replaced, payloads that are
//! not TCP are blanked, and checksums follow. Lengths, ports, flags, counters and options that tell about TCP stay.
//!
//! Checksums are changed by the difference (RFC 1624): a right one stays right, also where the capture cut the packet, and
//! one that the sender's card had yet to fill in stays as wrong as it was.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::mapper::Mapper;

/// Headers inside headers that are followed, as in `parse::packet`.
const DEEPEST: u8 = 8;
/// What payloads that are not kept become.
pub const BLANK: u8 = b'x';

/// A TCP segment in the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Sender's address and port, as captured.
    pub src: (IpAddr, u16),
    /// Receiver's.
    pub dst: (IpAddr, u16),
    /// Sequence number.
    pub seq: u32,
    /// Flags: the lower byte.
    pub flags: u8,
    /// Where its payload lies in the frame.
    pub at: usize,
    /// Payload bytes that the capture holds.
    pub captured: usize,
    /// Payload bytes on the wire.
    pub len: usize,
}

/// A checksum and what it covers.
#[derive(Clone, Debug)]
struct Sum {
    at: usize,
    covers: [Range<usize>; 2],
    /// Zero means that there is none (UDP over IPv4).
    optional: bool,
}

/// What was done to a frame, and what is still to do.
#[derive(Clone, Debug, Default)]
pub struct Rewritten {
    /// The segment whose payload is not yet replaced.
    pub segment: Option<Segment>,
    /// Outermost first.
    sums: Vec<Sum>,
}

impl Rewritten {
    /// Brings the checksums up to date, innermost first. `old` is the frame as it was captured.
    pub fn fix(&self, old: &[u8], new: &mut [u8]) {
        for sum in self.sums.iter().rev() {
            let (Some(before), true) = (be16(old, sum.at), sum.at + 2 <= new.len()) else {
                continue;
            };
            if sum.optional && before == 0 {
                continue;
            }
            let mut total = u64::from(!before);
            for range in &sum.covers {
                let end = range.end.min(old.len());
                let mut at = range.start;
                while at < end {
                    let word = |bytes: &[u8]| {
                        let low = if at + 1 < end { bytes[at + 1] } else { 0 };
                        u16::from_be_bytes([bytes[at], low])
                    };
                    let (was, is) = (word(old), word(new));
                    if was != is {
                        total += u64::from(!was) + u64::from(is);
                    }
                    at += 2;
                }
            }
            while total > 0xffff {
                total = (total & 0xffff) + (total >> 16);
            }
            let mut after = !(total as u16);
            if sum.optional && after == 0 {
                after = 0xffff;
            }
            new[sum.at..sum.at + 2].copy_from_slice(&after.to_be_bytes());
        }
    }
}

/// Rewrites a frame of a link type (numbers of the tcpdump.org registry). The payload of [`Rewritten::segment`] and the
/// checksums are left to do. `None` for a link type that is not known: nothing of the frame may be kept.
pub fn rewrite(mapper: &Mapper, link: u32, frame: &mut [u8]) -> Option<Rewritten> {
    let mut walk = Walk {
        mapper,
        frame,
        depth: 0,
        done: Rewritten::default(),
    };
    walk.link(link)?;
    Some(walk.done)
}

struct Walk<'a> {
    mapper: &'a Mapper,
    frame: &'a mut [u8],
    depth: u8,
    done: Rewritten,
}

/// Where a transport's pseudo header takes its addresses from.
#[derive(Clone)]
struct Pseudo {
    addresses: Range<usize>,
    src: IpAddr,
    dst: IpAddr,
}

impl Walk<'_> {
    fn link(&mut self, link: u32) -> Option<()> {
        match link {
            1 => self.ethernet(0),
            0 | 108 => self.ip(4),
            9 | 50 => {
                let at = if self.frame.starts_with(&[0xff, 0x03]) {
                    2
                } else {
                    0
                };
                self.ppp(at);
            }
            51 => self.ppp(6),
            12 | 14 | 101 | 228 | 229 => self.ip(0),
            104 => self.typed(2),
            113 => {
                self.cooked_address(4, 6);
                self.typed(14);
            }
            276 => {
                if self.frame.get(11) == Some(&6) {
                    self.mac(12);
                }
                match be16(self.frame, 0) {
                    Some(kind) => self.ether_type(kind, 20),
                    None => self.blank(0),
                }
            }
            105 => self.wireless(0),
            127 => match self.frame.get(2..4) {
                Some(&[low, high]) => self.wireless(usize::from(u16::from_le_bytes([low, high]))),
                _ => self.blank(0),
            },
            219 => self.mpls(0),
            239 => self.netfilter(),
            _ => return None,
        }
        Some(())
    }

    fn ethernet(&mut self, at: usize) {
        self.mac(at);
        self.mac(at + 6);
        match be16(self.frame, at + 12) {
            Some(length) if length < 0x600 => match self.frame.get(at + 14..at + 20) {
                Some([0xaa, 0xaa, 3, 0, 0, 0]) => self.typed(at + 20),
                _ => self.blank(at + 14),
            },
            Some(_) => self.typed(at + 12),
            None => self.blank(at),
        }
    }

    /// An EtherType at `at` and what follows it.
    fn typed(&mut self, at: usize) {
        match be16(self.frame, at) {
            Some(kind) => self.ether_type(kind, at + 2),
            None => self.blank(at),
        }
    }

    fn ether_type(&mut self, kind: u16, at: usize) {
        if self.depth == DEEPEST {
            self.blank(at);
            return;
        }
        self.depth += 1;
        match kind {
            0x0800 | 0x86dd => self.ip(at),
            0x0806 => self.arp(at),
            0x8100 | 0x88a8 | 0x9100 | 0x9200 | 0x9300 => self.typed(at + 2),
            0x8847 | 0x8848 => self.mpls(at),
            0x8864 => self.ppp(at + 6),
            0x6558 => self.ethernet(at),
            0x88be => self.ethernet(at + 8),
            0x22eb => {
                let more = self.frame.get(at + 11).is_some_and(|byte| byte & 1 != 0);
                self.ethernet(at + if more { 20 } else { 12 });
            }
            _ => self.blank(at),
        }
        self.depth -= 1;
    }

    fn arp(&mut self, at: usize) {
        if self.frame.get(at + 4..at + 6) != Some(&[6, 4]) || self.frame.len() < at + 28 {
            self.blank(at);
            return;
        }
        for (mac, ip) in [(8, 14), (18, 24)] {
            self.mac(at + mac);
            self.v4(at + ip);
        }
        self.blank(at + 28);
    }

    fn mpls(&mut self, at: usize) {
        let mut at = at;
        for _ in 0..16 {
            let Some(&flags) = self.frame.get(at + 2) else {
                break;
            };
            at += 4;
            if flags & 1 == 0 {
                continue;
            }
            match self.frame.get(at).map(|byte| byte >> 4) {
                Some(4 | 6) => self.ip(at),
                Some(0) => self.nested(|walk| walk.ethernet(at + 4), at),
                _ => self.blank(at),
            }
            return;
        }
        self.blank(at);
    }

    fn nested(&mut self, inner: impl FnOnce(&mut Self), at: usize) {
        if self.depth == DEEPEST {
            self.blank(at);
            return;
        }
        self.depth += 1;
        inner(self);
        self.depth -= 1;
    }

    fn ppp(&mut self, at: usize) {
        let (protocol, at) = match self.frame.get(at) {
            Some(&byte) if byte & 1 == 1 => (u16::from(byte), at + 1),
            _ => (be16(self.frame, at).unwrap_or(0), at + 2),
        };
        match protocol {
            0x21 | 0x57 => self.nested(|walk| walk.ip(at), at),
            0x281 => self.nested(|walk| walk.mpls(at), at),
            _ => self.blank(at),
        }
    }

    fn wireless(&mut self, at: usize) {
        let Some(&[control, flags]) = self.frame.get(at..).and_then(<[u8]>::first_chunk::<2>)
        else {
            return;
        };
        for address in [4, 10, 16] {
            self.mac(at + address);
        }
        let mut length = 24;
        if flags & 3 == 3 {
            self.mac(at + 24);
            length += 6;
        }
        let subtype = control >> 4;
        if subtype & 8 != 0 {
            length += 2;
            if flags & 0x80 != 0 {
                length += 4;
            }
        }
        let data = control >> 2 & 3 == 2 && subtype & 4 == 0 && flags & 0x40 == 0;
        match self.frame.get(at + length..at + length + 6) {
            Some([0xaa, 0xaa, 3, 0, 0, 0]) if data => self.typed(at + length + 6),
            _ => self.blank(at + length),
        }
    }

    /// Netfilter log rows: only the packet (9) and its time (3) stay; log prefixes and hardware addresses go.
    fn netfilter(&mut self) {
        let mut at = 4;
        while let Some(&[l0, l1, t0, t1]) = self.frame.get(at..).and_then(<[u8]>::first_chunk::<4>)
        {
            let length = usize::from(u16::from_le_bytes([l0, l1]));
            if length < 4 {
                break;
            }
            let end = (at + length).min(self.frame.len());
            match u16::from_le_bytes([t0, t1]) & 0x7fff {
                9 => {
                    let mut packet = Walk {
                        mapper: self.mapper,
                        frame: &mut self.frame[..end],
                        depth: self.depth,
                        done: std::mem::take(&mut self.done),
                    };
                    packet.ip(at + 4);
                    self.done = packet.done;
                }
                3 => {}
                _ => self.frame[at + 4..end].fill(0),
            }
            at += length.next_multiple_of(4);
        }
    }

    fn ip(&mut self, at: usize) {
        match self.frame.get(at).map(|byte| byte >> 4) {
            Some(4) => self.ipv4(at),
            Some(6) => self.ipv6(at),
            _ => self.blank(at),
        }
    }

    fn ipv4(&mut self, at: usize) {
        let header = usize::from(self.frame[at] & 15) * 4;
        if header < 20 || self.frame.len() < at + 20 {
            self.blank(at);
            return;
        }
        let total = usize::from(be16(self.frame, at + 2).unwrap_or(0));
        let protocol = self.frame[at + 9];
        let (src, dst) = (self.v4(at + 12), self.v4(at + 16));
        // Options hold addresses (record route, source route): no-operation instead.
        let options = at + 20..(at + header).min(self.frame.len());
        self.frame[options].fill(1);
        self.sum(at + 10, [at..at + header, 0..0], false);
        let end = if total == 0 {
            self.frame.len()
        } else {
            at + total
        };
        let fragment = be16(self.frame, at + 6).unwrap_or(0);
        let pseudo = Pseudo {
            addresses: at + 12..at + 20,
            src,
            dst,
        };
        self.transport(
            protocol,
            at + header,
            end,
            &pseudo,
            fragment & 0x3fff != 0,
            fragment & 0x1fff != 0,
        );
    }

    fn ipv6(&mut self, at: usize) {
        if self.frame.len() < at + 40 {
            self.blank(at);
            return;
        }
        let payload = usize::from(be16(self.frame, at + 4).unwrap_or(0));
        let (src, dst) = (self.v6(at + 8), self.v6(at + 24));
        let end = if payload == 0 {
            self.frame.len()
        } else {
            at + 40 + payload
        };
        let pseudo = Pseudo {
            addresses: at + 8..at + 40,
            src,
            dst,
        };
        let (mut next, mut here) = (self.frame[at + 6], at + 40);
        let (mut fragment, mut later) = (false, false);
        for _ in 0..8 {
            let Some(&[following, length]) =
                self.frame.get(here..).and_then(<[u8]>::first_chunk::<2>)
            else {
                break;
            };
            let size = match next {
                0 | 43 | 60 => 8 + usize::from(length) * 8,
                44 => 8,
                51 => 8 + usize::from(length) * 4,
                _ => break,
            };
            if next == 44 {
                let offset = be16(self.frame, here + 2).unwrap_or(0);
                (fragment, later) = (offset & 0xfff9 != 0, offset & 0xfff8 != 0);
            } else if next == 43 {
                // Addresses of a source route.
                let data = (here + 8).min(self.frame.len())..(here + size).min(self.frame.len());
                self.frame[data].fill(0);
            }
            (next, here) = (following, here + size);
        }
        self.transport(next, here, end, &pseudo, fragment, later);
    }

    /// `fragment`: not the whole packet; `later`: not its beginning either.
    fn transport(
        &mut self,
        protocol: u8,
        at: usize,
        end: usize,
        pseudo: &Pseudo,
        fragment: bool,
        later: bool,
    ) {
        // What lies behind the packet is padding, which cards fill from old packets.
        self.blank_with(end, 0);
        if later {
            self.blank(at);
            return;
        }
        let covers = [pseudo.addresses.clone(), at..end];
        match protocol {
            6 => self.tcp(at, end, pseudo, fragment),
            17 => {
                let port = be16(self.frame, at + 2);
                self.sum(at + 6, covers, true);
                match port {
                    Some(4789 | 8472) if !fragment => {
                        self.nested(|walk| walk.ethernet(at + 16), at + 8);
                    }
                    Some(6081) if !fragment => self.geneve(at + 8),
                    _ => self.blank(at + 8),
                }
            }
            1 => {
                self.sum(at + 2, [at..end, 0..0], false);
                self.icmp(at, end);
            }
            58 => {
                self.sum(at + 2, covers, false);
                self.icmpv6(at, end);
            }
            47 if !fragment => self.gre(at, end),
            4 | 41 if !fragment => self.nested(|walk| walk.ip(at), at),
            _ => self.blank(at),
        }
    }

    fn tcp(&mut self, at: usize, end: usize, pseudo: &Pseudo, fragment: bool) {
        let Some(&offset) = self.frame.get(at + 12) else {
            self.blank(at + 8);
            return;
        };
        let header = usize::from(offset >> 4) * 4;
        if header < 20 {
            self.blank(at + 8);
            return;
        }
        self.tcp_options(at + 20, at + header);
        self.sum(at + 16, [pseudo.addresses.clone(), at..end], false);
        let payload = at + header;
        let port = |back: usize| be16(self.frame, at + back).unwrap_or(0);
        let seq = self
            .frame
            .get(at + 4..at + 8)
            .and_then(|bytes| bytes.try_into().ok());
        let segment = Segment {
            src: (pseudo.src, port(0)),
            dst: (pseudo.dst, port(2)),
            seq: u32::from_be_bytes(seq.unwrap_or_default()),
            flags: self.frame.get(at + 13).copied().unwrap_or(0),
            at: payload,
            captured: self.frame.len().min(end).saturating_sub(payload),
            len: end.saturating_sub(payload),
        };
        if fragment {
            self.blank(payload);
        } else {
            self.done.segment = Some(segment);
        }
    }

    /// Options that tell about the connection stay; cookies, keys and addresses of middle boxes go.
    fn tcp_options(&mut self, start: usize, end: usize) {
        let end = end.min(self.frame.len());
        let mut at = start;
        while at < end {
            let kind = self.frame[at];
            match kind {
                0 => break,
                1 => at += 1,
                _ => {
                    let length = self
                        .frame
                        .get(at + 1)
                        .map_or(0, |&length| usize::from(length));
                    if length < 2 {
                        break;
                    }
                    // Segment size, window scale, SACK, timestamps: RFC 9293 section 3.2, RFC 7323, RFC 2018.
                    if !matches!(kind, 2 | 3 | 4 | 5 | 8) {
                        let data = (at + 2).min(end)..(at + length).min(end);
                        self.frame[data].fill(0);
                    }
                    at += length;
                }
            }
        }
    }

    fn icmp(&mut self, at: usize, end: usize) {
        match self.frame.get(at) {
            Some(3 | 4 | 11 | 12) => self.quoted(at + 8, end),
            Some(5) => {
                self.v4(at + 4);
                self.quoted(at + 8, end);
            }
            _ => self.blank(at + 8),
        }
    }

    fn icmpv6(&mut self, at: usize, end: usize) {
        match self.frame.get(at) {
            Some(1..=4) => self.quoted(at + 8, end),
            Some(135 | 136) if self.frame.len() >= at + 24 => {
                self.v6(at + 8);
                let mut option = at + 24;
                // Link-layer addresses (RFC 4861 section 4.6.1).
                while let (Some(1 | 2), Some(1)) =
                    (self.frame.get(option), self.frame.get(option + 1))
                {
                    self.mac(option + 2);
                    option += 8;
                }
                self.blank_with(option, 0);
            }
            _ => self.blank(at + 8),
        }
    }

    /// The head of a packet that an ICMP error quotes.
    fn quoted(&mut self, at: usize, end: usize) {
        let end = end.min(self.frame.len());
        let (protocol, transport, addresses) = match self.frame.get(at).map(|byte| byte >> 4) {
            Some(4) if end >= at + 20 => {
                let header = usize::from(self.frame[at] & 15) * 4;
                self.v4(at + 12);
                self.v4(at + 16);
                let options = (at + 20).min(end)..(at + header.max(20)).min(end);
                self.frame[options].fill(1);
                self.sum(at + 10, [at..at + header, 0..0], false);
                (self.frame[at + 9], at + header, at + 12..at + 20)
            }
            Some(6) if end >= at + 40 => {
                self.v6(at + 8);
                self.v6(at + 24);
                (self.frame[at + 6], at + 40, at + 8..at + 40)
            }
            _ => {
                self.blank(at);
                return;
            }
        };
        // Ports and sequence number; the TCP header where it is whole; no data.
        let header = match (protocol, self.frame.get(transport + 12)) {
            (6, Some(offset)) => usize::from(offset >> 4) * 4,
            _ => 8,
        };
        if protocol == 6 && transport + 18 <= end {
            self.tcp_options(transport + 20, (transport + header).min(end));
            self.sum(transport + 16, [addresses, transport..end], false);
        }
        self.blank(transport + header);
    }

    fn geneve(&mut self, at: usize) {
        let (Some(&first), Some(kind)) = (self.frame.get(at), be16(self.frame, at + 2)) else {
            self.blank(at);
            return;
        };
        let inner = at + 8 + usize::from(first & 0x3f) * 4;
        let options = (at + 8).min(self.frame.len())..inner.min(self.frame.len());
        self.frame[options].fill(0);
        self.ether_type(kind, inner);
    }

    fn gre(&mut self, at: usize, end: usize) {
        let (Some(flags), Some(protocol)) = (be16(self.frame, at), be16(self.frame, at + 2)) else {
            self.blank(at);
            return;
        };
        if flags & 7 != 0 {
            self.blank(at + 4);
            return;
        }
        let mut inner = at + 4;
        if flags & 0x8000 != 0 {
            self.sum(inner, [at..end, 0..0], false);
            inner += 4;
        }
        for flag in [0x2000, 0x1000] {
            if flags & flag != 0 {
                inner += 4;
            }
        }
        if protocol == 0x88be && flags & 0x1000 == 0 {
            self.nested(|walk| walk.ethernet(inner), inner);
        } else {
            self.ether_type(protocol, inner);
        }
    }

    fn sum(&mut self, at: usize, covers: [Range<usize>; 2], optional: bool) {
        self.done.sums.push(Sum {
            at,
            covers,
            optional,
        });
    }

    fn cooked_address(&mut self, length_at: usize, at: usize) {
        if be16(self.frame, length_at) == Some(6) {
            self.mac(at);
        }
    }

    fn mac(&mut self, at: usize) {
        if let Some(mac) = self
            .frame
            .get_mut(at..)
            .and_then(<[u8]>::first_chunk_mut::<6>)
        {
            *mac = self.mapper.mac(*mac);
        }
    }

    /// Replaces an IPv4 address and gives the old one.
    fn v4(&mut self, at: usize) -> IpAddr {
        let Some(octets) = self
            .frame
            .get_mut(at..)
            .and_then(<[u8]>::first_chunk_mut::<4>)
        else {
            return IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        };
        let old = IpAddr::V4(Ipv4Addr::from(*octets));
        if let IpAddr::V4(new) = self.mapper.ip(old) {
            *octets = new.octets();
        }
        old
    }

    /// Replaces an IPv6 address and gives the old one.
    fn v6(&mut self, at: usize) -> IpAddr {
        let Some(octets) = self
            .frame
            .get_mut(at..)
            .and_then(<[u8]>::first_chunk_mut::<16>)
        else {
            return IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        };
        let old = IpAddr::V6(Ipv6Addr::from(*octets));
        if let IpAddr::V6(new) = self.mapper.ip(old) {
            *octets = new.octets();
        }
        old
    }

    /// Blanks the frame from `at` on.
    fn blank(&mut self, at: usize) {
        self.blank_with(at, BLANK);
    }

    fn blank_with(&mut self, at: usize, byte: u8) {
        if let Some(rest) = self.frame.get_mut(at..) {
            rest.fill(byte);
        }
    }
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes
        .get(at..)?
        .first_chunk::<2>()
        .map(|two| u16::from_be_bytes(*two))
}
