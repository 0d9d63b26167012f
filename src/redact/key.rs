//! The keyed mapping itself: a secret, a pseudo-random function, and a permutation of words that keeps their shape.

use sha2::{Digest, Sha256};

/// Letters of a digit and of a letter; case and everything else stay.
const DIGITS: u32 = 10;
const LETTERS: u32 = 26;
/// Rounds of the Feistel network; NIST SP 800-38G uses ten for words this short.
const ROUNDS: u8 = 10;

/// The secret that makes the mapping. Nothing in the output tells it.
#[derive(Clone)]
pub struct Key([u8; 32]);

/// One position of a word: its value and how many values its class has.
#[derive(Clone, Copy)]
struct Symbol {
    value: u32,
    size: u32,
    base: u32,
}

impl Key {
    /// A key from any bytes, such as a file's; the same bytes make the same mapping.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// A pseudo-random block for a purpose and a text.
    pub fn block(&self, purpose: u8, text: &[u8]) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update([purpose]);
        hash.update(text);
        hash.finalize().into()
    }

    /// Another word of the same length in bytes: letters stay letters of their case, digits digits, characters of other
    /// scripts stay in their script. Different words get different words.
    pub fn word(&self, word: &str) -> String {
        let mut symbols: Vec<Symbol> = word.chars().map(symbol).collect();
        self.permute(&mut symbols);
        symbols
            .iter()
            .zip(word.chars())
            .map(|(symbol, old)| {
                let new = char::from_u32(symbol.base + symbol.value).unwrap_or(old);
                if old.is_ascii_uppercase() {
                    new.to_ascii_uppercase()
                } else {
                    new
                }
            })
            .collect()
    }

    /// Another word over the 32 letters of RFC 4648 base32, as in an nkey.
    pub fn base32(&self, word: &[u8]) -> Vec<u8> {
        let mut symbols: Vec<Symbol> = word
            .iter()
            .map(|&byte| Symbol {
                value: match byte {
                    b'A'..=b'Z' => u32::from(byte - b'A'),
                    _ => u32::from(byte.saturating_sub(b'2')) + 26,
                },
                size: 32,
                base: 0,
            })
            .collect();
        self.permute(&mut symbols);
        symbols
            .iter()
            .map(|symbol| match symbol.value as u8 {
                letter @ 0..26 => b'A' + letter,
                digit => b'2' + digit - 26,
            })
            .collect()
    }

    /// Six bytes to six bytes, the two flag bits of the first (group, locally administered) kept: IEEE 802.
    pub fn mac(&self, mac: [u8; 6]) -> [u8; 6] {
        if mac == [0xff; 6] || mac == [0; 6] {
            return mac;
        }
        let mut symbols: Vec<Symbol> = mac
            .iter()
            .enumerate()
            .map(|(at, &byte)| Symbol {
                value: u32::from(if at == 0 { byte >> 2 } else { byte }),
                size: if at == 0 { 64 } else { 256 },
                base: 0,
            })
            .collect();
        self.permute(&mut symbols);
        let mut new = [0; 6];
        for (byte, symbol) in new.iter_mut().zip(&symbols) {
            *byte = symbol.value as u8;
        }
        new[0] = new[0] << 2 | mac[0] & 3;
        new
    }

    /// A Feistel network over symbols of any classes: each round shifts one half by what the other half hashes to, so that
    /// it can be undone and no two words meet.
    fn permute(&self, symbols: &mut [Symbol]) {
        let mut shape = Vec::with_capacity(symbols.len() * 8);
        for symbol in symbols.iter() {
            shape.extend_from_slice(&symbol.size.to_be_bytes());
            shape.extend_from_slice(&symbol.base.to_be_bytes());
        }
        if let [only] = symbols {
            // A shift that is never zero: one digit or letter always changes.
            if only.size > 1 {
                let [a, b, c, d, ..] = self.block(b'1', &shape);
                let shift = 1 + u32::from_be_bytes([a, b, c, d]) % (only.size - 1);
                only.value = (only.value + shift) % only.size;
            }
            return;
        }
        let middle = symbols.len() / 2;
        for round in 0..ROUNDS {
            let (left, right) = symbols.split_at_mut(middle);
            let (from, to) = if round % 2 == 0 {
                (left, right)
            } else {
                (right, left)
            };
            let mut text = shape.clone();
            text.push(round);
            for symbol in from.iter() {
                text.extend_from_slice(&symbol.value.to_be_bytes());
            }
            for (index, chunk) in to.chunks_mut(8).enumerate() {
                let mut text = text.clone();
                text.extend_from_slice(&(index as u64).to_be_bytes());
                let block = self.block(b'w', &text);
                for (symbol, four) in chunk.iter_mut().zip(block.as_chunks::<4>().0) {
                    symbol.value =
                        (symbol.value + u32::from_be_bytes(*four) % symbol.size) % symbol.size;
                }
            }
        }
    }
}

/// The class of a character: ranges whose characters all take the same number of bytes.
fn symbol(character: char) -> Symbol {
    let code = u32::from(character);
    let class = |first: u32, last: u32| Symbol {
        value: code - first,
        size: last - first + 1,
        base: first,
    };
    match character {
        '0'..='9' => Symbol {
            size: DIGITS,
            ..class(0x30, 0x39)
        },
        'a'..='z' => Symbol {
            size: LETTERS,
            ..class(0x61, 0x7a)
        },
        // Case is put back afterwards: `Pay` and `pay` stay alike.
        'A'..='Z' => Symbol {
            value: code - 0x41,
            size: LETTERS,
            base: 0x61,
        },
        '\u{c0}'..='\u{17f}' => class(0xc0, 0x17f),
        '\u{180}'..='\u{7ff}' => class(0x180, 0x7ff),
        '\u{800}'..='\u{1fff}' => class(0x800, 0x1fff),
        '\u{3040}'..='\u{30ff}' => class(0x3040, 0x30ff),
        '\u{3400}'..='\u{9fff}' => class(0x3400, 0x9fff),
        '\u{ac00}'..='\u{d7a3}' => class(0xac00, 0xd7a3),
        '\u{20000}'..='\u{2ffff}' => class(0x20000, 0x2ffff),
        _ => Symbol {
            value: 0,
            size: 1,
            base: code,
        },
    }
}

/// True for characters that [`Key::word`] changes.
pub fn changes(character: char) -> bool {
    symbol(character).size > 1
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_word_keeps_its_shape_and_loses_its_content() {
        let key = Key::from_bytes(b"k");
        for word in [
            "orders",
            "Orders7",
            "ORDERS",
            "Zahlungsübersicht",
            "注文",
            "заказ",
            "x",
        ] {
            let new = key.word(word);
            assert_ne!(new, word);
            assert_eq!(new.len(), word.len(), "{word} {new}");
            for (a, b) in word.chars().zip(new.chars()) {
                assert_eq!(
                    a.is_ascii_uppercase(),
                    b.is_ascii_uppercase(),
                    "{word} {new}"
                );
                assert_eq!(a.is_ascii_digit(), b.is_ascii_digit(), "{word} {new}");
            }
        }
        assert_eq!(key.word("Orders").to_lowercase(), key.word("orders"));
        assert_ne!(Key::from_bytes(b"l").word("orders"), key.word("orders"));
    }

    #[test]
    fn no_two_words_meet() {
        let key = Key::from_bytes(b"k");
        let two: BTreeSet<String> = (0..100).map(|n| key.word(&format!("{n:02}"))).collect();
        assert_eq!(two.len(), 100);
        let four: BTreeSet<String> = (0..10_000).map(|n| key.word(&format!("a{n:04}"))).collect();
        assert_eq!(four.len(), 10_000);
        for digit in 0..10 {
            let digit = digit.to_string();
            assert_ne!(key.word(&digit), digit);
        }
    }

    #[test]
    fn macs_keep_their_flags() {
        let key = Key::from_bytes(b"k");
        let new = key.mac([0x02, 0x42, 0xac, 1, 2, 3]);
        assert_eq!(new[0] & 3, 2);
        assert_ne!(new, [0x02, 0x42, 0xac, 1, 2, 3]);
        assert_eq!(key.mac([0xff; 6]), [0xff; 6]);
    }

    #[test]
    fn nkeys_stay_base32() {
        let key = Key::from_bytes(b"k");
        let new = key.base32(b"CZ5BW6QX7ZI4N7LQMEPLXF63");
        assert_eq!(new.len(), 24);
        assert!(
            new.iter()
                .all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'))
        );
    }
}
