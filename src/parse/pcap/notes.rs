//! What a pcapng says besides its packets: comments, names, interfaces and their drop counts, decryption secrets.
//!
//! All of it is bounded: a hostile file adds nothing beyond the first few.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pcap_parser::pcapng::{NameRecordType, NameResolutionBlock};

/// Remarks on a capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// Interfaces of all sections, in order of their descriptions.
    pub interfaces: Vec<InterfaceNotes>,
    /// Comments on the whole (frame 0) and on packets, by the packet's number in the file.
    pub comments: Vec<(u64, Box<str>)>,
    /// Names that the file gives to addresses.
    pub names: Vec<(IpAddr, Box<str>)>,
    /// TLS key logs (the text of `SSLKEYLOGFILE`).
    pub tls_secrets: Vec<Box<[u8]>>,
}

/// An interface, by its description and last statistics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InterfaceNotes {
    /// Its name.
    pub name: Option<Box<str>>,
    /// The filter that packets had to pass.
    pub filter: Option<Box<str>>,
    /// Packets that it received, as the capturing system counts.
    pub received: Option<u64>,
    /// Packets dropped by the interface or the system for want of room.
    pub dropped: Option<u64>,
}

impl Notes {
    const INTERFACES: usize = 256;
    const COMMENTS: usize = 256;
    const NAMES: usize = 4096;
    /// Bytes of secrets, all blocks together.
    const SECRETS: usize = 1024 * 1024;
    /// Characters of a text.
    const TEXT: usize = 1000;

    /// Nothing is noted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Packets dropped, over interfaces that have statistics.
    pub fn dropped(&self) -> Option<u64> {
        self.interfaces
            .iter()
            .filter_map(|interface| interface.dropped)
            .reduce(u64::saturating_add)
    }

    /// Adds what another file of the same capture says, whose first frame is `first` of the whole.
    pub fn append(&mut self, other: &Self, first: u64) {
        for interface in &other.interfaces {
            self.interface(interface.clone());
        }
        for (frame, comment) in &other.comments {
            let frame = if *frame == 0 { 0 } else { frame + first - 1 };
            self.keep_comment(frame, comment.clone());
        }
        for (address, name) in &other.names {
            self.name(*address, name);
        }
        for secret in &other.tls_secrets {
            self.secret(secret);
        }
    }

    /// Adds an interface; returns its place, where its statistics go.
    pub(super) fn interface(&mut self, interface: InterfaceNotes) -> Option<usize> {
        (self.interfaces.len() < Self::INTERFACES).then(|| {
            self.interfaces.push(interface);
            self.interfaces.len() - 1
        })
    }

    /// Adds a comment on a frame of the file, or (0) on the whole.
    pub(super) fn comment(&mut self, frame: u64, text: &[u8]) {
        if let Some(text) = text_of(text) {
            self.keep_comment(frame, text);
        }
    }

    fn keep_comment(&mut self, frame: u64, text: Box<str>) {
        let known = self
            .comments
            .iter()
            .any(|(other, comment)| *other == frame && *comment == text);
        if !known && self.comments.len() < Self::COMMENTS {
            self.comments.push((frame, text));
        }
    }

    fn name(&mut self, address: IpAddr, name: &str) {
        let row = (address, name.into());
        if self.names.len() < Self::NAMES && !self.names.contains(&row) {
            self.names.push(row);
        }
    }

    /// A TLS key log.
    pub(super) fn secret(&mut self, secret: &[u8]) {
        let kept: usize = self.tls_secrets.iter().map(|secret| secret.len()).sum();
        if kept + secret.len() <= Self::SECRETS {
            self.tls_secrets.push(secret.into());
        }
    }

    /// A name resolution block.
    pub(super) fn resolution(&mut self, block: &NameResolutionBlock<'_>) {
        for record in &block.nr {
            let value = record.record_value;
            let (address, names): (IpAddr, &[u8]) = match record.record_type {
                NameRecordType::Ipv4 => match value.split_first_chunk::<4>() {
                    Some((four, names)) => (Ipv4Addr::from(*four).into(), names),
                    None => continue,
                },
                NameRecordType::Ipv6 => match value.split_first_chunk::<16>() {
                    Some((sixteen, names)) => (Ipv6Addr::from(*sixteen).into(), names),
                    None => continue,
                },
                _ => continue,
            };
            for name in names.split(|byte| *byte == 0) {
                if let Some(name) = text_of(name) {
                    self.name(address, &name);
                }
            }
        }
    }
}

/// A text as the file has it, cut to a length that people read; `None` when there is none.
pub(super) fn text_of(bytes: &[u8]) -> Option<Box<str>> {
    let text = String::from_utf8_lossy(bytes);
    let text: String = text
        .trim_end_matches('\0')
        .trim()
        .chars()
        .take(Notes::TEXT)
        .collect();
    (!text.is_empty()).then(|| text.into())
}
