//! Which connection a segment belongs to: a key without direction, and hashing for it.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::SocketAddr;

use super::mix::{ODD, mix};
use crate::parse::packet::{Host, IcmpError, Segment, Tunnel};

/// An address and a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// The address.
    pub host: Host,
    /// The port.
    pub port: u16,
}

impl Endpoint {
    /// Sender and receiver of a segment.
    pub const fn both(segment: &Segment) -> (Self, Self) {
        let src = Self {
            host: segment.src,
            port: segment.src_port,
        };
        let dst = Self {
            host: segment.dst,
            port: segment.dst_port,
        };
        (src, dst)
    }

    /// Sender and receiver of the segment that an ICMP error quotes.
    pub const fn quoted(error: &IcmpError) -> (Self, Self) {
        let src = Self {
            host: error.src,
            port: error.src_port,
        };
        let dst = Self {
            host: error.dst,
            port: error.dst_port,
        };
        (src, dst)
    }

    /// As a socket address.
    pub fn socket(self) -> SocketAddr {
        SocketAddr::new(self.host.ip(), self.port)
    }
}

/// Two endpoints in an order of their own, and the tunnel between them: the same for both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    low: Host,
    high: Host,
    low_port: u16,
    high_port: u16,
    tunnel: Option<Tunnel>,
}

impl Key {
    /// The key of two endpoints, and whether the first is the lower.
    pub fn new(src: Endpoint, dst: Endpoint, tunnel: Option<Tunnel>) -> (Self, bool) {
        let forward = src <= dst;
        let (low, high) = if forward { (src, dst) } else { (dst, src) };
        let key = Self {
            low: low.host,
            high: high.host,
            low_port: low.port,
            high_port: high.port,
            tunnel,
        };
        (key, forward)
    }

    /// The key of a segment, and whether its sender is the lower endpoint.
    pub fn of(segment: &Segment) -> (Self, bool) {
        let (src, dst) = Endpoint::both(segment);
        Self::new(src, dst, segment.tunnel)
    }

    /// The lower endpoint.
    pub const fn low(&self) -> Endpoint {
        Endpoint {
            host: self.low,
            port: self.low_port,
        }
    }

    /// A number that stands for the whole key, the tunnel included.
    pub fn print(&self, hash: &KeyHash) -> u64 {
        let tunnel = self.tunnel.map_or(0, |tunnel| {
            1 + (u64::from(tunnel.id) << 8) + tunnel.kind as u64
        });
        mix(hash.hash_one(self) ^ tunnel, ODD)
    }

    /// The tunnel.
    pub const fn tunnel(&self) -> Option<Tunnel> {
        self.tunnel
    }
}

impl std::hash::Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // The tunnel is left out: it differs between few keys, and equality tells them apart.
        let (low, high) = (self.low.0, self.high.0);
        state.write_u64(low as u64 ^ (low >> 64) as u64 ^ u64::from(self.low_port) << 48);
        state.write_u64(high as u64 ^ (high >> 64) as u64 ^ u64::from(self.high_port) << 48);
    }
}

/// Hashes keys by folded multiplication with secret numbers, so that a hostile capture cannot aim at one bucket.
/// Nothing visible depends on the order that results.
#[derive(Clone, Debug)]
pub struct KeyHash {
    secret: (u64, u64),
}

impl Default for KeyHash {
    fn default() -> Self {
        let random = RandomState::new();
        Self {
            secret: (random.hash_one(1_u8) | 1, random.hash_one(2_u8) | 1),
        }
    }
}

impl KeyHash {
    /// Which of `shards` the connection between two endpoints belongs to: the same for both directions, and for every run,
    /// since it decides who works, not what results.
    pub fn shard(one: Endpoint, other: Endpoint, shards: usize) -> usize {
        let mixed = |end: Endpoint| mix(end.host.0 as u64 ^ u64::from(end.port) << 48, ODD);
        (mixed(one).wrapping_add(mixed(other)) >> 16) as usize % shards.max(1)
    }
}

impl BuildHasher for KeyHash {
    type Hasher = KeyHasher;

    fn build_hasher(&self) -> KeyHasher {
        KeyHasher {
            state: self.secret.0,
            secret: self.secret.1,
        }
    }
}

/// The hasher of [`KeyHash`].
#[derive(Clone, Debug)]
pub struct KeyHasher {
    state: u64,
    secret: u64,
}

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.state = mix(self.state ^ word, self.secret);
    }

    fn finish(&self) -> u64 {
        self.state
    }
}
