//! The SHA-256 of a source, taken from the bytes that pass while it is read.

use std::io::{self, Read};
use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};

use crate::source::Checksum;

/// Where the checksum of a source appears once it was read.
pub type Slot = Arc<OnceLock<Checksum>>;

/// Passes bytes on and digests them. Dropped before the end, it reads the rest, so that the checksum is of the whole; a read
/// that fails leaves none.
pub struct Digesting<R: Read> {
    reader: R,
    hasher: Sha256,
    slot: Slot,
    failed: bool,
}

impl<R: Read> Digesting<R> {
    /// A reader whose checksum will be in `slot`.
    pub fn new(reader: R, slot: Slot) -> Self {
        Self {
            reader,
            hasher: Sha256::new(),
            slot,
            failed: false,
        }
    }
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = match self.reader.read(buf) {
            Ok(count) => count,
            Err(error) => {
                self.failed |= error.kind() != io::ErrorKind::Interrupted;
                return Err(error);
            }
        };
        self.hasher.update(&buf[..count]);
        Ok(count)
    }
}

impl<R: Read> Drop for Digesting<R> {
    fn drop(&mut self) {
        let mut rest = vec![0; 64 << 10];
        while !self.failed {
            // An error sets `failed`, an interruption is tried again.
            if matches!(self.read(&mut rest), Ok(0)) {
                break;
            }
        }
        if !self.failed {
            let digest = std::mem::take(&mut self.hasher).finalize();
            let _ = self.slot.set(Checksum(digest.into()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-2, appendix B.1.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn the_whole_is_digested_however_little_was_read() {
        for wanted in [0, 1, 3, 10] {
            let slot = Slot::default();
            let mut reader = Digesting::new(&b"abc"[..], Arc::clone(&slot));
            let mut read = Vec::new();
            reader
                .by_ref()
                .take(wanted)
                .read_to_end(&mut read)
                .expect("memory");
            drop(reader);
            assert_eq!(slot.get().map(ToString::to_string).as_deref(), Some(ABC));
        }
    }

    #[test]
    fn what_cannot_be_read_to_its_end_has_no_checksum() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::InvalidData.into())
            }
        }
        let slot = Slot::default();
        drop(Digesting::new(
            (&b"abc"[..]).chain(Broken),
            Arc::clone(&slot),
        ));
        assert_eq!(slot.get(), None);
    }
}
