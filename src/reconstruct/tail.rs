//! The last packets of a connection, in a ring that grows only as far as it is filled.

use super::conn::{Conn, TailPacket};

/// The ring.
#[derive(Clone, Debug, Default)]
pub struct Tail {
    packets: Vec<TailPacket>,
    oldest: usize,
}

impl Tail {
    /// Adds a packet; the oldest one goes when the ring is full.
    pub fn push(&mut self, packet: TailPacket) {
        if self.packets.len() < Conn::TAIL {
            if self.packets.capacity() == 0 {
                // Room for a short connection at once.
                self.packets.reserve_exact(16);
            }
            self.packets.push(packet);
        } else {
            self.packets[self.oldest] = packet;
            self.oldest = (self.oldest + 1) % Conn::TAIL;
        }
    }

    /// The packets, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &TailPacket> {
        let (newer, older) = (&self.packets[..self.oldest], &self.packets[self.oldest..]);
        newer.iter().rev().chain(older.iter().rev())
    }

    /// The packets, oldest first.
    pub fn finish(mut self) -> Vec<TailPacket> {
        self.packets.rotate_left(self.oldest);
        self.packets.shrink_to_fit();
        self.packets
    }
}
