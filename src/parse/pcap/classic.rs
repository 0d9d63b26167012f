//! The classic pcap file: a header of 24 bytes, then records of a header and a packet.

use pcap_parser::parse_pcap_header;

use super::{Frame, LONGEST_RECORD, Record, Resolution, u32_at};
use crate::time::SECOND;

/// Magic numbers, as little-endian numbers: microseconds, nanoseconds, and Kuznetsov's "modified" format, whose record
/// headers are 8 bytes longer; each in both byte orders.
const MAGIC: [(u32, bool, bool, bool); 6] = [
    (0xa1b2_c3d4, false, false, false),
    (0xd4c3_b2a1, true, false, false),
    (0xa1b2_3c4d, false, true, false),
    (0x4d3c_b2a1, true, true, false),
    (0xa1b2_cd34, false, false, true),
    (0x34cd_b2a1, true, false, true),
];

/// The header of a classic file, as far as its records depend on it.
#[derive(Clone, Debug)]
pub struct Classic {
    big: bool,
    nano: bool,
    record_header: usize,
    link: u32,
    snaplen: u32,
}

/// One of the known magic numbers.
pub fn is_magic(bytes: [u8; 4]) -> bool {
    let magic = u32::from_le_bytes(bytes);
    MAGIC.iter().any(|row| row.0 == magic)
}

impl Classic {
    /// Reads the file header; `bytes` holds at least 24.
    pub fn begin(bytes: &[u8]) -> Option<Self> {
        let magic = u32_at(bytes, 0, false);
        let &(_, big, nano, modified) = MAGIC.iter().find(|row| row.0 == magic)?;
        let (snaplen, network) = if let Ok((_, header)) = parse_pcap_header(bytes) {
            (header.snaplen, header.network.0 as u32)
        } else {
            // The swapped modified format is unknown to pcap-parser; same fields, same places.
            (u32_at(bytes, 16, big), u32_at(bytes, 20, big))
        };
        let major = if big { bytes[5] } else { bytes[4] };
        (major == 2).then_some(Self {
            big,
            nano,
            record_header: if modified { 24 } else { 16 },
            // The upper bits hold the length of a frame check sequence.
            link: network & 0xffff,
            snaplen,
        })
    }

    fn ns(&self, bytes: &[u8]) -> i64 {
        let seconds = i64::from(u32_at(bytes, 0, self.big));
        let fraction = u64::from(u32_at(bytes, 4, self.big));
        let resolution = if self.nano {
            Resolution::NANO
        } else {
            Resolution::MICRO
        };
        seconds * SECOND + resolution.ns(fraction)
    }

    /// Reads the record at the front of `bytes`.
    pub fn record(&self, bytes: &[u8]) -> Record {
        if bytes.len() < self.record_header {
            return Record::Short(self.record_header);
        }
        let captured = u32_at(bytes, 8, self.big) as usize;
        let len = u32_at(bytes, 12, self.big);
        if captured > LONGEST_RECORD {
            return Record::Bad("a packet record longer than any packet");
        }
        // A file appended to this one: its magic number stands where seconds do, a time in the year 2055.
        if let Some(first) = bytes.first_chunk::<4>()
            && is_magic(*first)
            && bytes
                .get(4..8)
                .is_some_and(|version| matches!(version, [2, 0, 4, 0] | [0, 2, 0, 4]))
        {
            return Record::Bad("a second file header");
        }
        if bytes.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) && captured == 0x1a2b_3c4d {
            return Record::Bad("a second file header");
        }
        let length = self.record_header + captured;
        if bytes.len() < length {
            return Record::Short(length);
        }
        let frame = Frame {
            ns: self.ns(bytes),
            link: self.link,
            interface: if self.record_header == 24 {
                u32_at(bytes, 16, self.big)
            } else {
                0
            },
            start: self.record_header,
            captured,
            len: len.max(captured as u32),
        };
        Record::Frame(frame, length)
    }

    /// `bytes` begin like a record not far in time from `last_ns`, and another one follows it.
    pub fn believable(&self, bytes: &[u8], last_ns: i64) -> bool {
        const NEAR: i64 = 86_400 * SECOND;
        let plausible = |bytes: &[u8]| {
            let captured = u32_at(bytes, 8, self.big);
            let len = u32_at(bytes, 12, self.big);
            let limit = if self.nano { SECOND as u32 } else { 1_000_000 };
            bytes.len() >= self.record_header
                && u32_at(bytes, 4, self.big) < limit
                && (self.ns(bytes) - last_ns).abs() < NEAR
                && captured <= len
                && captured > 0
                && captured <= self.snaplen.clamp(1, 262_144)
                && len <= 262_144
        };
        plausible(bytes)
            && bytes
                .get(self.record_header + u32_at(bytes, 8, self.big) as usize..)
                .is_some_and(|next| next.is_empty() || plausible(next))
    }
}
