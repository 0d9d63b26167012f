//! Addresses: prefixes that two addresses share stay shared, and an address keeps the kind it has (private, link-local,
//! multicast), because that much of it is needed to read a path. After Crypto-PAn (Xu, Fan, Ammar, Moon: "Prefix-Preserving
//! IP Address Anonymization", 2002), with SHA-256 in place of AES.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Mutex;

use super::key::Key;

/// Blocks that map to themselves (IANA special-purpose registries): first address and prefix length.
const KINDS_V4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

const KINDS_V6: &[(Ipv6Addr, u32)] = &[
    (Ipv6Addr::UNSPECIFIED, 16),
    (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96),
    (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 16),
];

/// Addresses remembered: more than any bundle has; beyond it they are worked out again.
const REMEMBERED: usize = 1 << 20;

/// The mapping of addresses.
pub struct Addresses {
    key: Key,
    known: Mutex<HashMap<IpAddr, IpAddr>>,
}

impl Addresses {
    /// The mapping that a key makes.
    pub fn new(key: Key) -> Self {
        Self {
            key,
            known: Mutex::new(HashMap::new()),
        }
    }

    /// The address that stands for `ip`. Loopback, unspecified, broadcast and multicast name nobody and stay.
    pub fn map(&self, ip: IpAddr) -> IpAddr {
        let stays = match ip {
            IpAddr::V4(v4) => v4.is_broadcast(),
            IpAddr::V6(_) => false,
        };
        if stays || ip.is_loopback() || ip.is_unspecified() || ip.is_multicast() {
            return ip;
        }
        if let Some(new) = self.lookup(ip) {
            return new;
        }
        let new = match ip {
            IpAddr::V4(v4) => IpAddr::V4(self.v4(v4)),
            // IPv4 in IPv6 is the same host as without.
            IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
                Some(v4) => match self.map(IpAddr::V4(v4)) {
                    IpAddr::V4(v4) => IpAddr::V6(v4.to_ipv6_mapped()),
                    other @ IpAddr::V6(_) => other,
                },
                None => IpAddr::V6(self.v6(v6)),
            },
        };
        if let Ok(mut known) = self.known.lock() {
            if known.len() >= REMEMBERED {
                known.clear();
            }
            known.insert(ip, new);
        }
        new
    }

    fn lookup(&self, ip: IpAddr) -> Option<IpAddr> {
        self.known.lock().ok()?.get(&ip).copied()
    }

    fn v4(&self, ip: Ipv4Addr) -> Ipv4Addr {
        let kinds = KINDS_V4
            .iter()
            .map(|&(first, len)| (u128::from(u32::from(first)) << 96, len));
        let new = self.flip(b'4', u128::from(u32::from(ip)) << 96, 32, &kinds);
        Ipv4Addr::from_bits((new >> 96) as u32)
    }

    fn v6(&self, ip: Ipv6Addr) -> Ipv6Addr {
        let kinds = KINDS_V6
            .iter()
            .map(|&(first, len)| (u128::from(first), len));
        Ipv6Addr::from_bits(self.flip(b'6', u128::from(ip), 128, &kinds))
    }

    /// Flips each bit by what the bits before it hash to, except on the way to a block that has to stay.
    fn flip(
        &self,
        version: u8,
        ip: u128,
        bits: u32,
        kinds: &(impl Iterator<Item = (u128, u32)> + Clone),
    ) -> u128 {
        let mut new = ip;
        for at in 0..bits {
            let before = if at == 0 {
                0
            } else {
                ip >> (128 - at) << (128 - at)
            };
            let on_the_way = kinds.clone().any(|(first, len)| {
                at < len && (at == 0 || first >> (128 - at) == ip >> (128 - at))
            });
            if on_the_way {
                continue;
            }
            let mut text = before.to_be_bytes().to_vec();
            text.push(at as u8);
            if self.key.block(version, &text)[0] & 1 == 1 {
                new ^= 1 << (127 - at);
            }
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(a: IpAddr, b: IpAddr) -> u32 {
        match (a, b) {
            (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
            (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
            _ => 0,
        }
    }

    #[test]
    fn shared_prefixes_stay_exactly_as_long() {
        let map = Addresses::new(Key::from_bytes(b"k"));
        let all: Vec<IpAddr> = [
            "10.77.1.2",
            "10.77.1.3",
            "10.77.2.2",
            "10.0.0.1",
            "192.168.7.9",
            "192.168.7.200",
            "8.8.8.8",
            "8.8.4.4",
            "172.25.210.2",
            "172.31.0.1",
            "100.64.1.1",
            "203.0.113.9",
            "2001:db8::1",
            "2001:db8::2",
            "2001:db8:1::1",
            "fd00::1",
            "fd00::2",
            "fe80::1",
        ]
        .iter()
        .map(|ip| ip.parse().expect("an address"))
        .collect();
        for &a in &all {
            assert_ne!(map.map(a), a);
            for &b in &all {
                assert_eq!(shared(map.map(a), map.map(b)), shared(a, b), "{a} {b}");
            }
        }
    }

    #[test]
    fn kinds_of_addresses_stay() {
        let map = Addresses::new(Key::from_bytes(b"k"));
        let v4 = |text: &str| match map.map(text.parse().expect("an address")) {
            IpAddr::V4(ip) => ip,
            IpAddr::V6(ip) => panic!("{ip}"),
        };
        for private in ["10.1.2.3", "172.16.0.9", "172.31.255.1", "192.168.3.4"] {
            assert!(v4(private).is_private());
        }
        assert!(v4("169.254.1.1").is_link_local());
        for public in [
            "8.8.8.8",
            "11.0.0.1",
            "172.32.0.1",
            "192.167.1.1",
            "100.128.0.1",
        ] {
            assert!(!v4(public).is_private(), "{public}");
        }
        for same in [
            "127.0.0.1",
            "0.0.0.0",
            "224.0.0.251",
            "::",
            "::1",
            "ff02::1",
            "255.255.255.255",
        ] {
            let same: IpAddr = same.parse().expect("an address");
            assert_eq!(map.map(same), same);
        }
        let mapped = map.map("::ffff:10.1.2.3".parse().expect("an address"));
        assert_eq!(
            mapped.to_canonical(),
            map.map("10.1.2.3".parse().expect("an address"))
        );
    }
}
