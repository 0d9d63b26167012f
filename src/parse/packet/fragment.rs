//! IP fragments put together again, within bounds.

use std::collections::{HashMap, VecDeque};

use super::{Host, Tunnel};

/// A piece of an IP packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// Sender.
    pub src: Host,
    /// Receiver.
    pub dst: Host,
    /// Protocol of the whole.
    pub protocol: u8,
    /// Identification.
    pub id: u32,
    /// Hop count.
    pub ttl: u8,
    /// Where in the whole's payload this piece lies.
    pub offset: u32,
    /// More pieces follow.
    pub more: bool,
    /// Where its bytes lie in the frame.
    pub start: u32,
    /// How many bytes were captured.
    pub len: u32,
    /// The tunnel it came through.
    pub tunnel: Option<Tunnel>,
}

type Key = (Host, Host, u8, u32, Option<Tunnel>);

/// Packets being put together. Bounded: the oldest is given up when there are too many.
#[derive(Debug, Default)]
pub struct Defragmenter {
    partial: HashMap<Key, Partial>,
    order: VecDeque<Key>,
}

#[derive(Debug, Default)]
struct Partial {
    pieces: Vec<(u32, Vec<u8>)>,
    held: usize,
    total: Option<u32>,
}

impl Defragmenter {
    /// Packets kept at once.
    const MOST: usize = 64;
    /// Pieces of one packet: 65 535 bytes in pieces of at least 512 in practice.
    const PIECES: usize = 128;

    /// Takes a piece; returns the whole packet, from its IP header on, when this piece completes it. The header is made
    /// anew from what all pieces share.
    pub fn add(&mut self, fragment: &Fragment, frame: &[u8]) -> Option<Vec<u8>> {
        let start = fragment.start as usize;
        let bytes = frame.get(start..start + fragment.len as usize)?;
        let key = (
            fragment.src,
            fragment.dst,
            fragment.protocol,
            fragment.id,
            fragment.tunnel,
        );
        if !self.partial.contains_key(&key) {
            if self.order.len() >= Self::MOST
                && let Some(oldest) = self.order.pop_front()
            {
                self.partial.remove(&oldest);
            }
            self.order.push_back(key);
        }
        let partial = self.partial.entry(key).or_default();
        let end = fragment.offset as usize + bytes.len();
        if end > 65_535 || partial.pieces.len() >= Self::PIECES {
            return None;
        }
        if !fragment.more {
            partial.total = Some(end as u32);
        }
        // The first copy of a piece wins, as in Linux; overlapping pieces are left to the length check.
        if partial
            .pieces
            .iter()
            .any(|(offset, _)| *offset == fragment.offset)
        {
            return None;
        }
        partial.held += bytes.len();
        partial.pieces.push((fragment.offset, bytes.to_vec()));
        if partial.total != Some(partial.held as u32) {
            return None;
        }
        let mut partial = self.partial.remove(&key)?;
        self.order.retain(|other| *other != key);
        partial.pieces.sort_by_key(|(offset, _)| *offset);
        let mut payload = Vec::with_capacity(partial.held);
        for (offset, piece) in partial.pieces {
            if offset as usize != payload.len() {
                return None;
            }
            payload.extend_from_slice(&piece);
        }
        Some(with_header(fragment, &payload))
    }
}

/// An IP header in front of a payload.
fn with_header(fragment: &Fragment, payload: &[u8]) -> Vec<u8> {
    let (src, dst) = (fragment.src.0.to_be_bytes(), fragment.dst.0.to_be_bytes());
    let mut packet = Vec::with_capacity(40 + payload.len());
    if fragment.src.ip().is_ipv4() {
        let total = (payload.len() + 20).min(65_535) as u16;
        packet.extend_from_slice(&[0x45, 0]);
        packet.extend_from_slice(&total.to_be_bytes());
        packet.extend_from_slice(&(fragment.id as u16).to_be_bytes());
        packet.extend_from_slice(&[0, 0, fragment.ttl, fragment.protocol, 0, 0]);
        packet.extend_from_slice(&src[12..]);
        packet.extend_from_slice(&dst[12..]);
    } else {
        packet.extend_from_slice(&[0x60, 0, 0, 0]);
        packet.extend_from_slice(&(payload.len() as u16).to_be_bytes());
        packet.extend_from_slice(&[fragment.protocol, fragment.ttl]);
        packet.extend_from_slice(&src);
        packet.extend_from_slice(&dst);
    }
    packet.extend_from_slice(payload);
    packet
}
