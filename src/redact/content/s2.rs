//! S2 chunks: the NATS inside is replaced and packed again into as many bytes.

use super::super::mapper::Mapper;
use super::super::packet::BLANK;
use super::ops::Place;
use super::{Step, UNIT_MAX};
use crate::parse::s2::{self, CHECKSUM, Chunk, HEADER, IDENTIFIER};

/// Fields of INFO and CONNECT that are blanked where the block would not fit otherwise: random text does not compress.
const RANDOM: [&str; 5] = [
    "\"sig\":\"",
    "\"nonce\":\"",
    "\"xkey\":\"",
    "\"git_commit\":\"",
    "\"jti\":\"",
];

/// Replaces the chunk at the front.
pub fn step(mapper: &Mapper, held: &mut [u8], last: bool, place: &mut Place) -> Step {
    let Some(head) = held.first_chunk::<HEADER>() else {
        return Step::More;
    };
    let Some((chunk, len)) = s2::header(*head) else {
        // Each flush begins with an identifier: a lost place is found there.
        *place = Place::Line;
        return match memchr::memmem::find(&held[1..], IDENTIFIER) {
            Some(at) => Step::Blank(0, 1 + at as u64),
            None => Step::Blank(0, held.len() as u64),
        };
    };
    let whole = HEADER + len as usize;
    if whole > UNIT_MAX {
        *place = Place::Lost;
        return Step::Blank(HEADER, u64::from(len));
    }
    if held.len() < whole {
        if !last {
            return Step::More;
        }
        if chunk == Chunk::Skipped {
            return Step::Done(held.len());
        }
        *place = Place::Lost;
        return Step::Blank(HEADER, u64::from(len));
    }
    let data = HEADER + CHECKSUM as usize;
    match chunk {
        Chunk::Skipped if !held.starts_with(IDENTIFIER) => held[HEADER..whole].fill(0),
        Chunk::Skipped => {}
        Chunk::Plain => {
            inner(mapper, &mut held[data..whole], place);
            let sum = checksum(&held[data..whole]);
            held[HEADER..data].copy_from_slice(&sum);
        }
        Chunk::Compressed => {
            let Some(mut plain) = s2::decode(&held[data..whole]) else {
                *place = Place::Lost;
                return Step::Blank(HEADER, u64::from(len));
            };
            inner(mapper, &mut plain, place);
            if !pack(&mut held[..whole], &plain) {
                blank_random(&mut plain);
                if !pack(&mut held[..whole], &plain) {
                    *place = Place::Lost;
                    return Step::Blank(HEADER, u64::from(len));
                }
            }
        }
    }
    Step::Done(whole)
}

/// NATS inside something else, in place: units end with the piece.
pub fn inner(mapper: &Mapper, bytes: &mut [u8], place: &mut Place) {
    let mut at = 0;
    while at < bytes.len() {
        let rest = &mut bytes[at..];
        if let Step::Done(len) = place.step(mapper, rest, true) {
            at += len.max(1);
        } else {
            rest.fill(BLANK);
            return;
        }
    }
}

/// A block of `plain` into the room of the chunk's old one; false where it does not fit.
fn pack(chunk: &mut [u8], plain: &[u8]) -> bool {
    let data = HEADER + CHECKSUM as usize;
    let Some(block) = fit(minlz::s2::encode_best(plain), chunk.len() - data) else {
        return false;
    };
    let end = data + block.len();
    let length = (end - HEADER) as u32;
    chunk[1..HEADER].copy_from_slice(&length.to_le_bytes()[..3]);
    chunk[HEADER..data].copy_from_slice(&checksum(plain));
    chunk[data..end].copy_from_slice(&block);
    // What is left becomes a padding chunk (framing format, section 4.4).
    if let Some(padding) = chunk.get_mut(end..).filter(|left| !left.is_empty()) {
        let length = (padding.len() - HEADER) as u32;
        padding.fill(0);
        padding[0] = 0xfe;
        padding[1..HEADER].copy_from_slice(&length.to_le_bytes()[..3]);
    }
    true
}

/// A block of exactly `room` bytes, or at least four less, which is what padding needs.
fn fit(mut block: Vec<u8>, room: usize) -> Option<Vec<u8>> {
    let missing = room.checked_sub(block.len())?;
    if matches!(missing, 1..HEADER) {
        // Its first element is a literal; the length of a literal can be written with up to four bytes more.
        let at = block.iter().position(|&byte| byte < 0x80)? + 1;
        let tag = *block.get(at)?;
        let length = tag >> 2;
        if tag & 3 != 0 || length >= 60 {
            return None;
        }
        block[at] = (59 + missing as u8) << 2;
        let long = u32::from(length).to_le_bytes();
        let behind = at + 1;
        block.splice(behind..behind, long[..missing].iter().copied());
    }
    Some(block)
}

fn blank_random(plain: &mut [u8]) {
    for field in RANDOM {
        let mut at = 0;
        while let Some(found) = memchr::memmem::find(&plain[at..], field.as_bytes()) {
            at += found + field.len();
            let len = memchr::memchr(b'"', &plain[at..]).unwrap_or(0);
            plain[at..at + len].fill(BLANK);
        }
    }
}

/// CRC-32C (RFC 3720 appendix B.4), masked as Snappy's framing format wants it (section 3).
fn checksum(data: &[u8]) -> [u8; 4] {
    const POLYNOMIAL: u32 = 0x82f6_3b78;
    let mut crc = !0_u32;
    for &byte in data {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { POLYNOMIAL } else { 0 };
        }
    }
    (!crc)
        .rotate_right(15)
        .wrapping_add(0xa282_ead8)
        .to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_framing_format() {
        // CRC-32C of "123456789" is e3069283.
        let unmasked = u32::from_le_bytes(checksum(b"123456789"))
            .wrapping_sub(0xa282_ead8)
            .rotate_left(15);
        assert_eq!(unmasked, 0xe306_9283);
    }

    #[test]
    fn blocks_fit_every_room_that_padding_or_a_longer_literal_fills() {
        let plain = b"PUB abc 40\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n";
        let block = minlz::s2::encode_best(plain);
        for more in 0..9 {
            let mut chunk = vec![0; HEADER + CHECKSUM as usize + block.len() + more];
            assert!(pack(&mut chunk, plain), "{more}");
            let (kind, len) = s2::header(*chunk.first_chunk().expect("a header")).expect("a chunk");
            assert_eq!(kind, Chunk::Compressed);
            let end = HEADER + len as usize;
            assert_eq!(
                s2::decode(&chunk[HEADER + CHECKSUM as usize..end]).as_deref(),
                Some(&plain[..]),
                "{more}"
            );
            if end < chunk.len() {
                let (kind, len) =
                    s2::header(*chunk[end..].first_chunk().expect("a header")).expect("padding");
                assert_eq!(
                    (kind, len as usize),
                    (Chunk::Skipped, chunk.len() - end - HEADER),
                    "{more}"
                );
            }
        }
    }
}
