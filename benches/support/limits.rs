//! Inputs at the limits, the same bytes at every run: one connection of many gigabytes, one client's endless log, folders of
//! thousands of files, whole or broken.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// Largest segment that IPv4 carries behind a TCP header without options.
const SEGMENT: u32 = 65_495;
/// Bytes of Ethernet, IPv4 and TCP headers.
const HEADERS: usize = 54;
/// A client's and a server's port.
const PORTS: [u16; 2] = [40_000, 4222];

const FIN: u8 = 1;
const SYN: u8 = 2;
const ACK: u8 = 16;

/// Writes a capture with a snap length of its headers: one connection that the server sends `bytes` bytes on, and that the
/// client then closes. A gigabyte takes a megabyte.
pub fn connection(out: &mut impl Write, bytes: u64) -> io::Result<()> {
    for field in [0xa1b2_3c4d_u32, 0x0004_0002, 0, 0, HEADERS as u32, 1] {
        out.write_all(&field.to_le_bytes())?;
    }
    let mut tape = Tape {
        out,
        seq: [1_000, 5_000],
        ns: 1_700_000_000_000_000_000,
    };
    tape.segment(0, SYN, 0)?;
    tape.segment(1, SYN | ACK, 0)?;
    tape.segment(0, ACK, 0)?;
    let mut sent = 0;
    let mut count = 0_u32;
    while sent < bytes {
        tape.segment(1, ACK, SEGMENT)?;
        sent += u64::from(SEGMENT);
        count += 1;
        if count.is_multiple_of(8) {
            tape.segment(0, ACK, 0)?;
        }
    }
    tape.segment(0, FIN | ACK, 0)?;
    tape.segment(1, FIN | ACK, 0)?;
    tape.segment(0, ACK, 0)
}

struct Tape<'a, W> {
    out: &'a mut W,
    seq: [u32; 2],
    ns: u64,
}

impl<W: Write> Tape<'_, W> {
    /// A segment of one end, its payload cut off.
    fn segment(&mut self, from: usize, flags: u8, len: u32) -> io::Result<()> {
        self.ns += 100_000;
        let mut frame = [0_u8; HEADERS];
        frame[12..16].copy_from_slice(&[8, 0, 0x45, 0]);
        frame[16..18].copy_from_slice(&((len + 40) as u16).to_be_bytes());
        frame[20..24].copy_from_slice(&[0x40, 0, 64, 6]);
        frame[26..30].copy_from_slice(&[10, 0, 0, 1 + from as u8]);
        frame[30..34].copy_from_slice(&[10, 0, 0, 2 - from as u8]);
        frame[34..36].copy_from_slice(&PORTS[from].to_be_bytes());
        frame[36..38].copy_from_slice(&PORTS[1 - from].to_be_bytes());
        frame[38..42].copy_from_slice(&self.seq[from].to_be_bytes());
        if flags & ACK != 0 {
            frame[42..46].copy_from_slice(&self.seq[1 - from].to_be_bytes());
        }
        frame[46..50].copy_from_slice(&[0x50, flags, 0xff, 0xff]);
        let advance = len + u32::from(flags & (SYN | FIN) != 0);
        self.seq[from] = self.seq[from].wrapping_add(advance);
        for field in [
            (self.ns / 1_000_000_000) as u32,
            (self.ns % 1_000_000_000) as u32,
            HEADERS as u32,
            HEADERS as u32 + len,
        ] {
            self.out.write_all(&field.to_le_bytes())?;
        }
        self.out.write_all(&frame)
    }
}

/// Writes the log of one client: connected, `lines` lines of its application's own, disconnected and back every million lines.
pub fn client_log(out: &mut impl Write, lines: u64) -> io::Result<()> {
    let stamp = |line: u64| {
        let ms = line * 7;
        let (hours, minutes) = (ms / 3_600_000 % 24, ms / 60_000 % 60);
        let day = 1 + ms / 86_400_000 % 28;
        format!(
            "2026-11-{day:02} {hours:02}:{minutes:02}:{:02}.{:03}",
            ms / 1000 % 60,
            ms % 1000
        )
    };
    writeln!(out, "{} INFO connected as orders-0", stamp(0))?;
    for line in 1..=lines {
        let at = stamp(line);
        match line % 1_000_000 {
            0 => writeln!(out, "{at} INFO reconnected to NATS")?,
            999_999 => writeln!(out, "{at} WARN disconnected from NATS: EOF")?,
            rest => writeln!(
                out,
                "{at} INFO order {line} handled in {} ms by worker {}",
                rest % 90,
                rest % 7
            )?,
        }
    }
    Ok(())
}

/// Fills a folder with `count` small logs of clients, each with one connection.
pub fn bundle(folder: &Path, count: u64) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for index in 0..count {
        let mut log = Vec::new();
        client_log(&mut log, 20 + index % 30)?;
        let at = 60 + index % 1000;
        writeln!(
            log,
            "2026-11-01 {:02}:{:02}:00.{:03} WARN disconnected from NATS: EOF",
            at / 60,
            at % 60,
            index % 1000
        )?;
        fs::write(folder.join(format!("client-{index:05}.log")), log)?;
    }
    Ok(())
}

/// Fills a folder with `count` files that are all broken: captures, archives and compressed files cut off or with their middle
/// overwritten, and plain noise.
pub fn broken(folder: &Path, count: u64) -> io::Result<()> {
    const HEADS: [(&str, &[u8]); 5] = [
        ("pcap", &[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0]),
        ("pcapng", &[0x0a, 0x0d, 0x0d, 0x0a, 0xff, 0xff, 0xff, 0x7f]),
        ("gz", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]),
        ("zip", b"PK\x03\x04\x14\0\0\0\x08\0"),
        ("bin", &[]),
    ];
    fs::create_dir_all(folder)?;
    let mut seed = 7_u64;
    for index in 0..count {
        let (ending, head) = HEADS[(index % HEADS.len() as u64) as usize];
        let mut bytes = head.to_vec();
        for _ in 0..64 + index % 512 {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            bytes.push((seed >> 56) as u8);
        }
        fs::write(folder.join(format!("broken-{index:05}.{ending}")), bytes)?;
    }
    Ok(())
}
