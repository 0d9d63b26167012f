//! Text in other encodings, turned into UTF-8 while it is read.

use std::io::{self, Read};

use super::decompress::Bytes;
use super::sniff::Encoding;

/// `reader` as UTF-8 without a byte order mark.
pub fn to_utf8(encoding: Encoding, mut reader: Bytes<'static>) -> io::Result<Bytes<'static>> {
    match encoding {
        Encoding::Bytes => Ok(reader),
        Encoding::Utf8Mark => {
            let mut mark = [0; 3];
            reader.read_exact(&mut mark)?;
            Ok(reader)
        }
        Encoding::LeadingZeros => Ok(Box::new(AfterZeros {
            inner: reader,
            begun: false,
        })),
        Encoding::Utf16Le => Ok(Box::new(Utf16::new(reader, u16::from_le_bytes))),
        Encoding::Utf16Be => Ok(Box::new(Utf16::new(reader, u16::from_be_bytes))),
    }
}

/// Drops zero bytes until the first other byte.
struct AfterZeros<R> {
    inner: R,
    begun: bool,
}

impl<R: Read> Read for AfterZeros<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let n = self.inner.read(buf)?;
            if self.begun || n == 0 {
                return Ok(n);
            }
            if let Some(first) = buf[..n].iter().position(|&b| b != 0) {
                self.begun = true;
                buf.copy_within(first..n, 0);
                return Ok(n - first);
            }
        }
    }
}

/// UTF-16 units to UTF-8; what is not valid becomes the replacement character, a byte order mark anywhere (files
/// that were appended to each other) nothing.
struct Utf16<R> {
    inner: R,
    unit: fn([u8; 2]) -> u16,
    raw: Vec<u8>,
    /// An odd byte, and the first half of a pair, that wait for the next read.
    odd: Option<u8>,
    high: Option<u16>,
    out: Vec<u8>,
    at: usize,
}

impl<R: Read> Utf16<R> {
    fn new(inner: R, unit: fn([u8; 2]) -> u16) -> Self {
        Self {
            inner,
            unit,
            raw: vec![0; 32 << 10],
            odd: None,
            high: None,
            out: Vec::new(),
            at: 0,
        }
    }

    /// Decodes the next piece; false at the end.
    fn refill(&mut self) -> io::Result<bool> {
        self.out.clear();
        self.at = 0;
        let n = self.inner.read(&mut self.raw)?;
        if n == 0 {
            let incomplete = self.high.take().is_some() | self.odd.take().is_some();
            if incomplete {
                self.push(char::REPLACEMENT_CHARACTER);
            }
            return Ok(incomplete);
        }
        for i in 0..n {
            let byte = self.raw[i];
            match self.odd.take() {
                None => self.odd = Some(byte),
                Some(first) => self.take((self.unit)([first, byte])),
            }
        }
        Ok(true)
    }

    fn take(&mut self, unit: u16) {
        let units = self.high.take().into_iter().chain([unit]);
        if matches!(unit, 0xd800..=0xdbff) {
            if units.count() == 2 {
                self.push(char::REPLACEMENT_CHARACTER);
            }
            self.high = Some(unit);
            return;
        }
        for c in char::decode_utf16(units) {
            let c = c.unwrap_or(char::REPLACEMENT_CHARACTER);
            if c != '\u{feff}' {
                self.push(c);
            }
        }
    }

    fn push(&mut self, c: char) {
        self.out
            .extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.at == self.out.len() {
            if !self.refill()? {
                return Ok(0);
            }
        }
        let n = buf.len().min(self.out.len() - self.at);
        buf[..n].copy_from_slice(&self.out[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time.
    struct Drip(io::Cursor<Vec<u8>>);

    impl Read for Drip {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            self.0.read(&mut buf[..1])
        }
    }

    fn decoded(encoding: Encoding, bytes: &[u8]) -> String {
        let whole: Bytes<'static> = Box::new(io::Cursor::new(bytes.to_vec()));
        let drip: Bytes<'static> = Box::new(Drip(io::Cursor::new(bytes.to_vec())));
        let [a, b] = [whole, drip].map(|reader| {
            let mut text = String::new();
            to_utf8(encoding, reader)
                .unwrap()
                .read_to_string(&mut text)
                .unwrap();
            text
        });
        assert_eq!(a, b);
        a
    }

    #[test]
    fn utf16_becomes_utf8_whatever_the_read_sizes() {
        let text = "\u{feff}[1] 2026/11/23 [INF] größe \u{1f980}\r\n";
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decoded(Encoding::Utf16Le, &le), &text[3..]);
        assert_eq!(decoded(Encoding::Utf16Be, &be), &text[3..]);
    }

    #[test]
    fn broken_utf16_gives_replacement_characters() {
        let lone_high = [b'a', 0, 0x3e, 0xd8, b'b', 0];
        assert_eq!(decoded(Encoding::Utf16Le, &lone_high), "a\u{fffd}b");
        assert_eq!(decoded(Encoding::Utf16Le, &[b'a', 0, b'b']), "a\u{fffd}");
        let two_highs = [0x3e, 0xd8, 0x3e, 0xd8, 0x80, 0xdd];
        assert_eq!(decoded(Encoding::Utf16Le, &two_highs), "\u{fffd}\u{1f980}");
    }

    #[test]
    fn leading_zeros_are_dropped_and_later_ones_kept() {
        let bytes = [&[0; 300][..], b"a\0b\n"].concat();
        assert_eq!(decoded(Encoding::LeadingZeros, &bytes), "a\0b\n");
        assert_eq!(decoded(Encoding::LeadingZeros, &[0; 99]), "");
    }

    #[test]
    fn a_utf8_mark_is_taken_off() {
        assert_eq!(decoded(Encoding::Utf8Mark, b"\xef\xbb\xbfabc"), "abc");
    }
}
