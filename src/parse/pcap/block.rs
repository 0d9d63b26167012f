//! pcapng: blocks, sections, interfaces (draft-ietf-opsawg-pcapng).

use pcap_parser::pcapng::{Block, OptionCode, PcapNGOption, parse_block_be, parse_block_le};

use super::{Frame, LONGEST_RECORD, Record, Resolution, u32_at};

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const NAME_RESOLUTION: u32 = 4;
const INTERFACE_STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;
const DECRYPTION_SECRETS: u32 = 10;

/// Secrets in the format of a TLS key log (draft-ietf-opsawg-pcapng section 4.7).
const TLS_KEY_LOG: u32 = 0x544c_534b;

/// Interfaces believed in one section: more than any machine has.
const MOST_INTERFACES: usize = 65_536;

/// The longest block of secrets that is read: about eighty thousand lines of a key log.
const LONGEST_SECRETS: usize = 16 * 1024 * 1024;

/// The section being read.
#[derive(Clone, Debug)]
pub struct Section {
    big: bool,
    interfaces: Vec<Interface>,
    /// Drops of sections that are over.
    dropped_before: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Interface {
    link: u32,
    snaplen: u32,
    resolution: Resolution,
    dropped: Option<u64>,
}

impl Section {
    /// Reads the byte order of a section header block; `bytes` holds at least 12.
    pub fn begin(bytes: &[u8]) -> Option<Self> {
        let big = match bytes.get(8..12)? {
            [0x1a, 0x2b, 0x3c, 0x4d] => true,
            [0x4d, 0x3c, 0x2b, 0x1a] => false,
            _ => return None,
        };
        Some(Self {
            big,
            interfaces: Vec::new(),
            dropped_before: None,
        })
    }

    /// Packets dropped, summed over interfaces that have statistics.
    pub fn dropped(&self) -> Option<u64> {
        let own = self
            .interfaces
            .iter()
            .filter_map(|interface| interface.dropped);
        own.chain(self.dropped_before)
            .fold(None, |sum: Option<u64>, drops| {
                Some(sum.unwrap_or(0).saturating_add(drops))
            })
    }

    /// Reads the block at the front of `bytes`.
    pub fn record(&mut self, bytes: &[u8]) -> Record {
        if bytes.len() < 12 {
            return Record::Short(12);
        }
        let kind = u32_at(bytes, 0, self.big);
        if kind == SECTION_HEADER {
            // Its own byte order may differ from the section before.
            let Some(next) = Self::begin(bytes) else {
                return Record::Bad("a section header without byte-order magic");
            };
            let dropped_before = self.dropped();
            *self = Self {
                dropped_before,
                ..next
            };
        }
        let length = u32_at(bytes, 4, self.big) as usize;
        if length < 12 || !length.is_multiple_of(4) {
            return Record::Bad("a block with an impossible length");
        }
        let limit = if kind == DECRYPTION_SECRETS {
            LONGEST_SECRETS
        } else {
            LONGEST_RECORD
        };
        if length > limit {
            let known = kind <= ENHANCED_PACKET;
            return if known {
                Record::Bad("a packet record longer than any packet")
            } else {
                Record::Skip(length as u64)
            };
        }
        if bytes.len() < length {
            return Record::Short(length);
        }
        let block = &bytes[..length];
        if u32_at(block, length - 4, self.big) as usize != length {
            return Record::Bad("a block whose two lengths differ");
        }
        match kind {
            ENHANCED_PACKET => self.packet(block, u32_at(block, 8, self.big)),
            OBSOLETE_PACKET => {
                // Interface (16 bits) and drops (16 bits) where the enhanced block has a 32-bit interface.
                let both = u32_at(block, 8, self.big);
                let interface = if self.big { both >> 16 } else { both & 0xffff };
                self.packet(block, interface)
            }
            SIMPLE_PACKET => self.simple(block),
            INTERFACE_DESCRIPTION => {
                self.interface(block);
                Record::Other(length)
            }
            INTERFACE_STATISTICS => {
                self.statistics(block);
                Record::Other(length)
            }
            DECRYPTION_SECRETS => self.secrets(block),
            _ => Record::Other(length),
        }
    }

    /// Secrets of other kinds (WireGuard, ZigBee, SSH) are passed over.
    fn secrets(&self, block: &[u8]) -> Record {
        if block.len() < 20 || u32_at(block, 8, self.big) != TLS_KEY_LOG {
            return Record::Other(block.len());
        }
        let len = u32_at(block, 12, self.big) as usize;
        if len > block.len() - 20 {
            return Record::Bad("decryption secrets longer than their block");
        }
        Record::Secrets(16..16 + len, block.len())
    }

    fn packet(&self, block: &[u8], id: u32) -> Record {
        if block.len() < 32 {
            return Record::Bad("a packet block shorter than its header");
        }
        let captured = u32_at(block, 20, self.big) as usize;
        if captured > block.len() - 32 {
            return Record::Bad("a packet longer than its block");
        }
        let Some(interface) = self.interfaces.get(id as usize) else {
            return Record::Other(block.len());
        };
        let high = u64::from(u32_at(block, 12, self.big));
        let low = u64::from(u32_at(block, 16, self.big));
        let frame = Frame {
            ns: interface.resolution.ns(high << 32 | low),
            link: interface.link,
            interface: id,
            start: 28,
            captured,
            len: u32_at(block, 24, self.big).max(captured as u32),
        };
        Record::Frame(frame, block.len())
    }

    fn simple(&self, block: &[u8]) -> Record {
        let Some(interface) = self.interfaces.first() else {
            return Record::Other(block.len());
        };
        if block.len() < 16 {
            return Record::Bad("a packet block shorter than its header");
        }
        let len = u32_at(block, 8, self.big);
        let snaplen = if interface.snaplen == 0 {
            u32::MAX
        } else {
            interface.snaplen
        };
        let frame = Frame {
            ns: 0,
            link: interface.link,
            interface: 0,
            start: 12,
            captured: (len.min(snaplen) as usize).min(block.len() - 16),
            len,
        };
        Record::Frame(frame, block.len())
    }

    fn parse<'a>(&self, block: &'a [u8]) -> Option<Block<'a>> {
        let parsed = if self.big {
            parse_block_be(block)
        } else {
            parse_block_le(block)
        };
        parsed.ok().map(|(_, block)| block)
    }

    fn interface(&mut self, block: &[u8]) {
        if self.interfaces.len() >= MOST_INTERFACES || block.len() < 20 {
            return;
        }
        // Link type and snap length stand at fixed places; a malformed option costs only the options.
        let both = u32_at(block, 8, self.big);
        let link = if self.big { both >> 16 } else { both & 0xffff };
        let mut interface = Interface {
            link,
            snaplen: u32_at(block, 12, self.big),
            resolution: Resolution::MICRO,
            dropped: None,
        };
        if let Some(Block::InterfaceDescription(description)) = self.parse(block) {
            let option = |code| find(&description.options, code);
            let tsresol = option(OptionCode::IfTsresol)
                .and_then(<[u8]>::first)
                .copied()
                .unwrap_or(6);
            let tsoffset =
                option(OptionCode::IfTsoffset).map_or(0, |value| self.number(value) as i64);
            if let Some(resolution) = Resolution::new(tsresol, tsoffset) {
                interface.resolution = resolution;
            }
        }
        self.interfaces.push(interface);
    }

    fn statistics(&mut self, block: &[u8]) {
        let Some(Block::InterfaceStatistics(statistics)) = self.parse(block) else {
            return;
        };
        let drops = [OptionCode::IsbIfDrop, OptionCode::IsbOsDrop]
            .into_iter()
            .filter_map(|code| find(&statistics.options, code))
            .map(|value| self.number(value))
            .fold(None, |sum: Option<u64>, drops| {
                Some(sum.unwrap_or(0).saturating_add(drops))
            });
        if let Some(interface) = self.interfaces.get_mut(statistics.if_id as usize) {
            // Statistics are cumulative: the last block of an interface counts.
            interface.dropped = drops.or(interface.dropped);
        }
    }

    /// An 8-byte option value in the section's byte order.
    fn number(&self, value: &[u8]) -> u64 {
        match value.first_chunk::<8>() {
            Some(eight) if self.big => u64::from_be_bytes(*eight),
            Some(eight) => u64::from_le_bytes(*eight),
            None => 0,
        }
    }

    /// `bytes` begin like a block of a known kind.
    pub fn believable(&self, bytes: &[u8]) -> bool {
        let length = u32_at(bytes, 4, self.big) as usize;
        let kind = u32_at(bytes, 0, self.big);
        let known = kind == SECTION_HEADER
            || (INTERFACE_DESCRIPTION..=ENHANCED_PACKET).contains(&kind) && kind != NAME_RESOLUTION;
        known
            && length.is_multiple_of(4)
            && (12..=LONGEST_RECORD).contains(&length)
            && bytes
                .get(length - 4..length)
                .is_some_and(|four| u32_at(four, 0, self.big) as usize == length)
    }
}

/// The first value of an option.
fn find<'a>(options: &'a [PcapNGOption], code: OptionCode) -> Option<&'a [u8]> {
    options
        .iter()
        .find(|option| option.code == code)
        .and_then(|option| option.as_bytes().ok())
}
