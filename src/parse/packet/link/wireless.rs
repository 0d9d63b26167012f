//! IEEE 802.11 data frames, bare and behind the headers of capture programs.

use super::super::{Layer, Packet, be32};
use super::llc;

/// Reads a frame of one of the four wireless link types.
pub fn packet(link: u32, frame: &[u8]) -> Packet {
    let length = match link {
        // Radiotap: a little-endian length.
        127 => frame
            .get(2..4)
            .map(|two| usize::from(u16::from_le_bytes([two[0], two[1]]))),
        // Prism's header is 144 bytes long, unless it is AVS's, which tells its length.
        119 if be32(frame, 0).is_some_and(|magic| magic >> 12 != 0x80211) => Some(144),
        119 | 163 => be32(frame, 4).map(|length| length as usize),
        _ => Some(0),
    };
    match length {
        Some(at) if at <= frame.len() => data_frame(
            frame,
            Layer {
                at,
                ..Layer::default()
            },
        ),
        _ => Packet::Broken("radio header cut off"),
    }
}

/// A data frame: header, LLC and SNAP, then an EtherType. Encrypted and other frames are none of ours.
pub fn data_frame(frame: &[u8], layer: Layer) -> Packet {
    let Some(&[control, flags]) = frame.get(layer.at..).and_then(<[u8]>::first_chunk::<2>) else {
        return Packet::Broken("802.11 header cut off");
    };
    let (kind, subtype) = (control >> 2 & 3, control >> 4);
    if kind != 2 || subtype & 4 != 0 || flags & 0x40 != 0 {
        return Packet::Other;
    }
    let mut length = 24;
    // Between two access points there is a fourth address.
    if flags & 3 == 3 {
        length += 6;
    }
    // Quality of service, and with the order flag high-throughput control.
    if subtype & 8 != 0 {
        length += 2;
        if flags & 0x80 != 0 {
            length += 4;
        }
    }
    llc(frame, layer, length)
}
