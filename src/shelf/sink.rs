//! Where a record is written before it is put away. Nearly all of what comes is numbers of a few bytes, which are not worth
//! the call for each that the serialiser's own slice makes.

use postcard::ser_flavors::Flavor;
use postcard::{Error, Result};

/// A slice that is filled from its beginning; gives what was filled.
pub struct Sink<'a> {
    bytes: &'a mut [u8],
    filled: usize,
}

impl<'a> Sink<'a> {
    /// An empty one.
    pub const fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes, filled: 0 }
    }

    /// Copies `N` bytes if there are as many.
    #[inline]
    fn pieces<'d, const N: usize>(&mut self, mut data: &'d [u8]) -> Option<&'d [u8]> {
        while let Some((piece, rest)) = data.split_first_chunk::<N>() {
            let to = self.bytes.get_mut(self.filled..)?.first_chunk_mut::<N>()?;
            *to = *piece;
            self.filled += N;
            data = rest;
        }
        Some(data)
    }
}

/// Bytes from which on a call costs less than pieces.
const LONG: usize = 32;

impl<'a> Flavor for Sink<'a> {
    type Output = &'a mut [u8];

    #[inline]
    fn try_push(&mut self, byte: u8) -> Result<()> {
        let to = self.bytes.get_mut(self.filled);
        *to.ok_or(Error::SerializeBufferFull)? = byte;
        self.filled += 1;
        Ok(())
    }

    #[inline]
    fn try_extend(&mut self, data: &[u8]) -> Result<()> {
        if data.len() >= LONG {
            let to = self.bytes.get_mut(self.filled..self.filled + data.len());
            to.ok_or(Error::SerializeBufferFull)?.copy_from_slice(data);
            self.filled += data.len();
            return Ok(());
        }
        let mut copy = || {
            let rest = self.pieces::<8>(data)?;
            let rest = self.pieces::<4>(rest)?;
            let rest = self.pieces::<2>(rest)?;
            self.pieces::<1>(rest)
        };
        copy().map(|_| ()).ok_or(Error::SerializeBufferFull)
    }

    fn finalize(self) -> Result<&'a mut [u8]> {
        Ok(&mut self.bytes[..self.filled])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lengths_arrive_and_none_overflows() {
        let data: Vec<u8> = (0..=99).collect();
        for len in 0..data.len() {
            for room in [len, len + 3, len + 40] {
                let mut bytes = vec![0; room + 1];
                let mut sink = Sink::new(&mut bytes);
                sink.try_push(7).expect("room for one");
                sink.try_extend(&data[..len]).expect("room for all");
                let written = sink.finalize().expect("what was written");
                assert_eq!((written[0], &written[1..]), (7, &data[..len]));
            }
            let mut bytes = vec![0; len];
            let mut sink = Sink::new(&mut bytes);
            assert!(sink.try_extend(&data[..=len]).is_err());
        }
    }
}
