//! pcapng blocks as far as an annotated capture needs them (draft-ietf-opsawg-pcapng): section header, interface
//! description, name resolution, decryption secrets, enhanced packet; little-endian.

use std::io::{self, Write};
use std::net::IpAddr;

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const NAMES: u32 = 4;
const PACKET: u32 = 6;
const SECRETS: u32 = 10;

const COMMENT: u16 = 1;
const APPLICATION: u16 = 4;
const INTERFACE_NAME: u16 = 2;
const INTERFACE_DESCRIPTION: u16 = 3;
const RESOLUTION: u16 = 9;

/// The longest comment written: option lengths are 16 bits, and nobody reads more.
const LONGEST: usize = 4_000;

/// A packet to write.
pub struct Packet<'a> {
    /// Number of its interface.
    pub interface: u32,
    /// Nanoseconds since the Unix epoch.
    pub ns: i64,
    /// What was captured.
    pub data: &'a [u8],
    /// Its length on the wire.
    pub len: u32,
    /// Comments.
    pub comments: &'a [String],
}

/// Begins the file.
pub fn section(out: &mut dyn Write, comment: &str) -> io::Result<()> {
    let mut body = Vec::new();
    body.extend(0x1a2b_3c4d_u32.to_le_bytes());
    body.extend([1, 0, 0, 0]);
    // The section's length is not known in advance.
    body.extend((-1_i64).to_le_bytes());
    option(&mut body, COMMENT, comment.as_bytes());
    option(
        &mut body,
        APPLICATION,
        concat!("natsleuth ", env!("CARGO_PKG_VERSION")).as_bytes(),
    );
    end_of_options(&mut body);
    block(out, SECTION, &body)
}

/// Declares the next interface, with times in nanoseconds.
pub fn interface(out: &mut dyn Write, link: u16, name: &str, about: &str) -> io::Result<()> {
    let mut body = Vec::new();
    body.extend(link.to_le_bytes());
    body.extend([0, 0]);
    // No limit on a packet's length.
    body.extend(0_u32.to_le_bytes());
    option(&mut body, INTERFACE_NAME, name.as_bytes());
    option(&mut body, INTERFACE_DESCRIPTION, about.as_bytes());
    option(&mut body, RESOLUTION, &[9]);
    end_of_options(&mut body);
    block(out, INTERFACE, &body)
}

/// Names hosts.
pub fn names<'n>(
    out: &mut dyn Write,
    names: impl Iterator<Item = (IpAddr, &'n str)>,
) -> io::Result<()> {
    let mut body = Vec::new();
    for (address, name) in names {
        let mut record = match address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        let kind: u16 = if address.is_ipv4() { 1 } else { 2 };
        record.extend(cut(name.as_bytes()));
        record.push(0);
        body.extend(kind.to_le_bytes());
        body.extend((record.len() as u16).to_le_bytes());
        body.extend(&record);
        pad(&mut body);
    }
    body.extend([0; 4]);
    block(out, NAMES, &body)
}

/// Writes a TLS key log, for Wireshark to decrypt what follows.
pub fn secrets(out: &mut dyn Write, log: &[u8]) -> io::Result<()> {
    let mut body = 0x544c_534b_u32.to_le_bytes().to_vec();
    body.extend((log.len() as u32).to_le_bytes());
    body.extend(log);
    pad(&mut body);
    block(out, SECRETS, &body)
}

/// Writes a packet.
pub fn packet(out: &mut dyn Write, packet: &Packet<'_>) -> io::Result<()> {
    let ns = packet.ns.max(0) as u64;
    let mut body = Vec::with_capacity(packet.data.len() + 64);
    body.extend(packet.interface.to_le_bytes());
    body.extend(((ns >> 32) as u32).to_le_bytes());
    body.extend((ns as u32).to_le_bytes());
    body.extend((packet.data.len() as u32).to_le_bytes());
    body.extend(packet.len.to_le_bytes());
    body.extend(packet.data);
    pad(&mut body);
    for comment in packet.comments {
        option(&mut body, COMMENT, comment.as_bytes());
    }
    if !packet.comments.is_empty() {
        end_of_options(&mut body);
    }
    block(out, PACKET, &body)
}

fn block(out: &mut dyn Write, kind: u32, body: &[u8]) -> io::Result<()> {
    let length = (body.len() as u32 + 12).to_le_bytes();
    out.write_all(&kind.to_le_bytes())?;
    out.write_all(&length)?;
    out.write_all(body)?;
    out.write_all(&length)
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = cut(value);
    body.extend(code.to_le_bytes());
    body.extend((value.len() as u16).to_le_bytes());
    body.extend(value);
    pad(body);
}

fn end_of_options(body: &mut Vec<u8>) {
    body.extend([0; 4]);
}

/// Cut to [`LONGEST`] bytes, between characters of UTF-8.
fn cut(text: &[u8]) -> &[u8] {
    let mut end = text.len().min(LONGEST);
    while end < text.len() && text[end] & 0xc0 == 0x80 {
        end -= 1;
    }
    &text[..end]
}

/// Values and packet data end on multiples of four bytes.
fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}
