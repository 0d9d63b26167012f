//! The TCP header (RFC 9293 section 3.1) and the options that matter (RFC 7323, RFC 2018).

use super::{Host, Packet, Tunnel, be16, be32};

/// FIN flag.
pub const FIN: u8 = 1;
/// SYN flag.
pub const SYN: u8 = 2;
/// RST flag.
pub const RST: u8 = 4;
/// PSH flag.
pub const PSH: u8 = 8;
/// ACK flag.
pub const ACK: u8 = 16;
/// URG flag.
pub const URG: u8 = 32;

/// A TCP segment with what its IP header says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    /// Sender.
    pub src: Host,
    /// Receiver.
    pub dst: Host,
    /// Sender's port.
    pub src_port: u16,
    /// Receiver's port.
    pub dst_port: u16,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number; only meaningful with [`ACK`].
    pub ack: u32,
    /// The lower six flag bits.
    pub flags: u8,
    /// Window as sent, unscaled.
    pub window: u16,
    /// Hop count: TTL or hop limit.
    pub ttl: u8,
    /// IPv4 identification.
    pub ip_id: Option<u16>,
    /// Options.
    pub options: Options,
    /// Payload bytes on the wire.
    pub len: u32,
    /// Where the captured payload lies in the frame.
    pub payload_start: u32,
    /// How many payload bytes were captured.
    pub payload_len: u32,
    /// The tunnel it came through.
    pub tunnel: Option<Tunnel>,
}

impl Segment {
    /// All of `flags` are set.
    pub const fn has(&self, flags: u8) -> bool {
        self.flags & flags == flags
    }

    /// SEG.LEN: payload, with SYN and FIN counting one each (RFC 9293 section 3.3.1).
    pub const fn seg_len(&self) -> u32 {
        self.len + (self.flags & SYN != 0) as u32 + (self.flags & FIN != 0) as u32
    }
}

/// TCP options.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Maximum segment size.
    pub mss: Option<u16>,
    /// Window scale, at most 14 (RFC 7323 section 2.3).
    pub window_scale: Option<u8>,
    /// SACK is permitted.
    pub sack_permitted: bool,
    /// SACK blocks.
    pub sacks: u8,
    /// The first SACK block lies below the acknowledgement number: a duplicate report (RFC 2883).
    pub dsack: bool,
    /// Timestamp value and echo.
    pub timestamps: Option<(u32, u32)>,
    /// Bytes of options, padding included.
    pub len: u8,
    /// The frame ends within them: what is missing here may have been offered.
    pub cut: bool,
}

/// Reads the segment at `at`; its IP payload ends at `end` on the wire, counted like places in the frame, and the frame
/// may hold less. `segment` already has the addresses.
pub fn segment(frame: &[u8], at: usize, end: usize, mut segment: Segment) -> Packet {
    let Some(header) = frame.get(at..).and_then(<[u8]>::first_chunk::<20>) else {
        return Packet::Broken("tcp header cut off");
    };
    segment.src_port = u16::from_be_bytes([header[0], header[1]]);
    segment.dst_port = u16::from_be_bytes([header[2], header[3]]);
    segment.seq = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
    segment.ack = u32::from_be_bytes([header[8], header[9], header[10], header[11]]);
    segment.flags = header[13] & 0x3f;
    segment.window = u16::from_be_bytes([header[14], header[15]]);
    let length = usize::from(header[12] >> 4) * 4;
    if length < 20 || at + length > end {
        return Packet::Broken("tcp data offset impossible");
    }
    if length > 20 {
        let options = &frame[at + 20..frame.len().min(at + length)];
        segment.options = if let [1, 1, 8, 10, a, b, c, d, e, f, g, h] = *options {
            Options {
                timestamps: Some((
                    u32::from_be_bytes([a, b, c, d]),
                    u32::from_be_bytes([e, f, g, h]),
                )),
                ..Options::default()
            }
        } else {
            read_options(options, segment.ack)
        };
        segment.options.len = (length - 20) as u8;
        segment.options.cut = frame.len() < at + length;
    }
    segment.len = (end - at - length) as u32;
    segment.payload_start = (at + length).min(frame.len()) as u32;
    segment.payload_len = (frame.len().min(end) as u32).saturating_sub(segment.payload_start);
    Packet::Tcp(segment)
}

fn read_options(mut bytes: &[u8], ack: u32) -> Options {
    let mut options = Options::default();
    while let [kind, rest @ ..] = bytes {
        match kind {
            0 => break,
            1 => {
                bytes = rest;
                continue;
            }
            _ => {}
        }
        let length = usize::from(rest.first().copied().unwrap_or(0));
        if length < 2 || length > bytes.len() {
            // Cut off by the snap length, its blocks are still known to be there.
            if *kind == 5 && length >= 10 {
                options.sacks = (length / 8) as u8;
            }
            break;
        }
        let value = &bytes[2..length];
        match (kind, value.len()) {
            (2, 2) => options.mss = be16(value, 0),
            (3, 1) => options.window_scale = Some(value[0].min(14)),
            (4, 0) => options.sack_permitted = true,
            (5, 8..) => {
                options.sacks = (value.len() / 8) as u8;
                let left = be32(value, 0).unwrap_or(ack);
                options.dsack = (left.wrapping_sub(ack) as i32) < 0;
            }
            (8, 8) => options.timestamps = be32(value, 0).zip(be32(value, 4)),
            _ => {}
        }
        bytes = &bytes[length..];
    }
    options
}
