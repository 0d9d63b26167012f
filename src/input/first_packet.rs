//! The time of a capture's first packet, for putting the pieces of a capture in order. Not for analysis: `parse` reads
//! packets.

/// Nanoseconds since the Unix epoch of the first packet in `head`; `None` without one.
pub fn first_packet(head: &[u8]) -> Option<i128> {
    match head.first_chunk::<4>()? {
        [0xd4, 0xc3, 0xb2, 0xa1] | [0x34, 0xcd, 0xb2, 0xa1] => {
            pcap(head, u32::from_le_bytes, 1_000)
        }
        [0xa1, 0xb2, 0xc3, 0xd4] | [0xa1, 0xb2, 0xcd, 0x34] => {
            pcap(head, u32::from_be_bytes, 1_000)
        }
        [0x4d, 0x3c, 0xb2, 0xa1] => pcap(head, u32::from_le_bytes, 1),
        [0xa1, 0xb2, 0x3c, 0x4d] => pcap(head, u32::from_be_bytes, 1),
        [0x0a, 0x0d, 0x0d, 0x0a] => pcapng(head),
        // RFC 1761: a 16-byte header; the time follows four words of a record.
        b"snoo" => pcap(head.get(8..)?, u32::from_be_bytes, 1_000),
        _ => None,
    }
}

type Word = fn([u8; 4]) -> u32;

fn word(bytes: &[u8], at: usize, read: Word) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|b| read(*b))
}

/// Seconds and a fraction behind the 24-byte file header.
fn pcap(head: &[u8], read: Word, unit: i128) -> Option<i128> {
    let seconds = i128::from(word(head, 24, read)?);
    let fraction = i128::from(word(head, 28, read)?);
    Some(seconds * 1_000_000_000 + fraction * unit)
}

/// The first enhanced packet block, in the resolution of the first interface (draft-ietf-opsawg-pcapng 4.2, 4.3).
fn pcapng(head: &[u8]) -> Option<i128> {
    let read: Word = match head.get(8..12)? {
        [0x1a, 0x2b, 0x3c, 0x4d] => u32::from_be_bytes,
        [0x4d, 0x3c, 0x2b, 0x1a] => u32::from_le_bytes,
        _ => return None,
    };
    let mut at = 0;
    let mut resolution = None;
    loop {
        let kind = word(head, at, read)?;
        let len = word(head, at + 4, read)? as usize;
        if len < 12 || !len.is_multiple_of(4) {
            return None;
        }
        match kind {
            1 if resolution.is_none() => {
                let options = head.get(at + 16..(at + len - 4).min(head.len()))?;
                resolution = Some(tsresol(options, read));
            }
            6 => {
                let high = u64::from(word(head, at + 12, read)?);
                let low = u64::from(word(head, at + 16, read)?);
                let units = i128::from(high << 32 | low);
                return Some(match resolution.unwrap_or(6) {
                    power @ 0..=0x7f => {
                        let per_second = 10_i128.checked_pow(u32::from(power))?;
                        units.checked_mul(1_000_000_000)? / per_second
                    }
                    power => units.checked_mul(1_000_000_000)? >> (power & 0x7f),
                });
            }
            _ => {}
        }
        at = at.checked_add(len)?;
    }
}

/// Option 9 of an interface description; microseconds without one.
fn tsresol(mut options: &[u8], read: Word) -> u8 {
    while let Some(head) = options.first_chunk::<4>() {
        // Code and length are 16 bits each: both halves of a word, in the section's byte order.
        let both = read(*head);
        let (code, len) = if read([1, 0, 0, 0]) == 1 {
            (both & 0xffff, both >> 16)
        } else {
            (both >> 16, both & 0xffff)
        };
        if code == 9 && len == 1 {
            return options.get(4).copied().unwrap_or(6);
        }
        if code == 0 {
            break;
        }
        let next = 4 + (len as usize).next_multiple_of(4);
        options = options.get(next..).unwrap_or_default();
    }
    6
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A section header, an interface with this tsresol, and an enhanced packet at `units`.
    fn ng(big: bool, resolution: u8, units: u64) -> Vec<u8> {
        let w = |n: u32| {
            if big {
                n.to_be_bytes()
            } else {
                n.to_le_bytes()
            }
        };
        let h = |n: u16| {
            if big {
                n.to_be_bytes()
            } else {
                n.to_le_bytes()
            }
        };
        [
            &w(0x0a0d_0d0a)[..],
            &w(28),
            &w(0x1a2b_3c4d),
            &h(1),
            &h(0),
            &[0xff; 8],
            &w(28),
            &w(1),
            &w(32),
            &h(1),
            &h(0),
            &w(0),
            &h(9),
            &h(1),
            &[resolution, 0, 0, 0],
            &h(0),
            &h(0),
            &w(32),
            &w(6),
            &w(32),
            &w(0),
            &w((units >> 32) as u32),
            &w(units as u32),
            &w(0),
            &w(0),
            &w(32),
        ]
        .concat()
    }

    #[test]
    fn first_packets_of_every_format() {
        let second = 1_795_411_255_u32;
        let want = Some(i128::from(second) * 1_000_000_000 + 250_000_000);
        let classic = |magic: u32, fraction: u32, big: bool| {
            let w = |n: u32| {
                if big {
                    n.to_be_bytes()
                } else {
                    n.to_le_bytes()
                }
            };
            [&w(magic)[..], &[0; 20], &w(second), &w(fraction), &[0; 8]].concat()
        };
        for big in [false, true] {
            assert_eq!(first_packet(&classic(0xa1b2_c3d4, 250_000, big)), want);
            assert_eq!(first_packet(&classic(0xa1b2_cd34, 250_000, big)), want);
            assert_eq!(first_packet(&classic(0xa1b2_3c4d, 250_000_000, big)), want);
            let micros = u64::from(second) * 1_000_000 + 250_000;
            assert_eq!(first_packet(&ng(big, 6, micros)), want);
            assert_eq!(first_packet(&ng(big, 9, micros * 1_000)), want);
            assert_eq!(
                first_packet(&ng(big, 0x82, u64::from(second) * 4 + 1)),
                want
            );
        }
        let snoop = [
            &b"snoop\0\0\0"[..],
            &[0, 0, 0, 2, 0, 0, 0, 4],
            &[0; 16],
            &second.to_be_bytes(),
            &250_000_u32.to_be_bytes(),
        ]
        .concat();
        assert_eq!(first_packet(&snoop), want);
    }

    #[test]
    fn a_head_cut_anywhere_has_no_first_packet_or_the_right_one() {
        let whole = ng(false, 6, 1_795_411_255_000_000);
        let want = first_packet(&whole);
        for end in 0..whole.len() {
            let got = first_packet(&whole[..end]);
            assert!(got.is_none() || got == want, "{end}");
        }
    }
}
