//! A source as records that can be left out one by one: lines of a log, packets of a capture, or the whole of it.

use std::io::{self, Read};

use crate::source::Kind;

/// Longest line and longest record that is believed.
const RECORD_MAX: usize = 64 << 20;

/// One record, with its bytes as they stand in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// A header that other records need: it stays where any of them stays.
    pub header: bool,
    /// The packet inside: its link type and where it begins.
    pub packet: Option<(u32, usize)>,
}

/// Reads a source to its end, or to where it is broken.
pub fn read(kind: Kind, input: &mut dyn Read) -> io::Result<Vec<Record>> {
    let mut bytes = Vec::new();
    let result = input.read_to_end(&mut bytes);
    // Of broken input what came before is analysed; an error without a byte is one.
    if bytes.is_empty() {
        result?;
    }
    Ok(match kind {
        Kind::Capture if bytes.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) => blocks(&bytes),
        Kind::Capture => classic(&bytes),
        Kind::Log => bytes
            .split_inclusive(|&byte| byte == b'\n')
            .map(|line| plain(line, false))
            .collect(),
        _ => vec![plain(&bytes, false)],
    })
}

fn plain(bytes: &[u8], header: bool) -> Record {
    Record {
        bytes: bytes.to_vec(),
        header,
        packet: None,
    }
}

/// A classic pcap: 24 bytes, then 16 bytes before each packet. Of another format the whole is one record.
fn classic(bytes: &[u8]) -> Vec<Record> {
    const FILE: usize = 24;
    const HEAD: usize = 16;
    let big = match bytes.get(..4) {
        Some([0xd4 | 0x4d, 0xc3 | 0x3c, 0xb2, 0xa1]) => false,
        Some([0xa1, 0xb2, 0xc3 | 0x3c, 0xd4 | 0x4d]) => true,
        _ => return vec![plain(bytes, false)],
    };
    let Some(header) = bytes.get(..FILE) else {
        return vec![plain(bytes, false)];
    };
    let link = number(header, 20, big) & 0x0fff_ffff;
    let mut records = vec![plain(header, true)];
    let mut at = FILE;
    while bytes.len() >= at + HEAD {
        let end = at + HEAD + number(bytes, at + 8, big) as usize;
        let Some(record) = bytes
            .get(at..end)
            .filter(|record| record.len() < RECORD_MAX)
        else {
            break;
        };
        records.push(Record {
            packet: Some((link, HEAD)),
            ..plain(record, false)
        });
        at = end;
    }
    records
}

/// A pcapng: blocks that hold packets can go, the others stay.
fn blocks(bytes: &[u8]) -> Vec<Record> {
    let mut records = Vec::new();
    let (mut at, mut big) = (0, false);
    let mut links: Vec<u32> = Vec::new();
    while bytes.len() >= at + 12 {
        let section = bytes[at..at + 4] == [0x0a, 0x0d, 0x0d, 0x0a];
        if section {
            big = bytes[at + 8..at + 12] == [0x1a, 0x2b, 0x3c, 0x4d];
            links.clear();
        }
        let length = number(bytes, at + 4, big) as usize;
        let Some(block) = bytes
            .get(at..at + length)
            .filter(|block| (12..RECORD_MAX).contains(&block.len()))
        else {
            break;
        };
        let kind = if section { 0 } else { number(block, 0, big) };
        let half = |at: usize| {
            let two = [block[at], block[at + 1]];
            usize::from(if big {
                u16::from_be_bytes(two)
            } else {
                u16::from_le_bytes(two)
            })
        };
        let interface = match kind {
            1 => {
                links.push(half(8) as u32);
                None
            }
            2 => Some((half(8), 28)),
            3 => Some((0, 12)),
            6 => Some((number(block, 8, big) as usize, 28)),
            _ => None,
        };
        let packet =
            interface.map(|(id, start)| (links.get(id).copied().unwrap_or(u32::MAX), start));
        records.push(Record {
            packet,
            ..plain(block, packet.is_none())
        });
        at += length;
    }
    records
}

fn number(bytes: &[u8], at: usize, big: bool) -> u32 {
    let four = bytes
        .get(at..)
        .and_then(<[u8]>::first_chunk::<4>)
        .copied()
        .unwrap_or_default();
    if big {
        u32::from_be_bytes(four)
    } else {
        u32::from_le_bytes(four)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_the_file_again() {
        let file = include_bytes!("../../fixtures/captures/idle-timeout.pcap");
        let records = read(Kind::Capture, &mut &file[..]).expect("records");
        assert!(records.len() > 10 && records[0].header);
        let again: Vec<u8> = records
            .iter()
            .flat_map(|record| record.bytes.clone())
            .collect();
        assert_eq!(again, file);
        assert!(
            records[1..]
                .iter()
                .all(|record| record.packet.is_some() && !record.header)
        );

        let log = b"one\ntwo\r\nthree";
        let records = read(Kind::Log, &mut &log[..]).expect("records");
        assert_eq!(records.len(), 3);
        assert_eq!(records[2].bytes, b"three");
    }

    #[test]
    fn a_cut_capture_gives_what_is_whole() {
        let file = include_bytes!("../../fixtures/captures/idle-timeout.pcap");
        let whole = read(Kind::Capture, &mut &file[..]).expect("records").len();
        let cut = read(Kind::Capture, &mut &file[..file.len() - 1])
            .expect("records")
            .len();
        assert_eq!(cut, whole - 1);
    }
}
