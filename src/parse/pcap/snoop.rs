//! The snoop file of Solaris (RFC 1761).

use super::{Frame, LONGEST_RECORD, Record, u32_at};
use crate::time::SECOND;

/// A snoop file's header.
#[derive(Clone, Debug)]
pub struct Snoop {
    link: u32,
    /// Cumulative drops, as the last record says.
    pub drops: u32,
}

impl Snoop {
    /// Reads the file header; `bytes` holds at least 16.
    pub fn begin(bytes: &[u8]) -> Option<Self> {
        if !bytes.starts_with(b"snoop\0\0\0") || u32_at(bytes, 8, true) != 2 {
            return None;
        }
        // RFC 1761's own numbers: 4 is Ethernet. Others are passed on as unknown links.
        let link = match u32_at(bytes, 12, true) {
            4 => 1,
            other => 0x1_0000 + other,
        };
        Some(Self { link, drops: 0 })
    }

    /// Reads the record at the front of `bytes`.
    pub fn record(&mut self, bytes: &[u8]) -> Record {
        if bytes.len() < 24 {
            return Record::Short(24);
        }
        let len = u32_at(bytes, 0, true);
        let captured = u32_at(bytes, 4, true) as usize;
        let length = u32_at(bytes, 8, true) as usize;
        if length > LONGEST_RECORD || captured + 24 > length {
            return Record::Bad("a packet record longer than any packet");
        }
        if bytes.len() < length {
            return Record::Short(length);
        }
        self.drops = u32_at(bytes, 12, true);
        let seconds = i64::from(u32_at(bytes, 16, true));
        let micros = i64::from(u32_at(bytes, 20, true));
        let frame = Frame {
            ns: seconds * SECOND + micros * 1000,
            link: self.link,
            interface: 0,
            start: 24,
            captured,
            len: len.max(captured as u32),
        };
        Record::Frame(frame, length)
    }
}
