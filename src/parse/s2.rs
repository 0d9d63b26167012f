//! The chunks of an S2 stream, which wraps compressed routes and leafnodes since nats-server 2.10.0. S2 is Snappy's
//! framing with larger blocks and repeat codes; blocks are decoded by a library.
//!
//! nats-server begins each flush with the stream identifier, so a reader that lost its place finds it again there.

/// Bytes of a chunk header: type and length, little-endian.
pub const HEADER: usize = 4;
/// The stream identifier with its chunk header.
pub const IDENTIFIER: &[u8; 10] = b"\xff\x06\0\0S2sTwO";
/// Bytes of checksum before the data of a block.
pub const CHECKSUM: u32 = 4;
/// Longest block before compression.
pub const BLOCK_MAX: usize = 4 << 20;

/// What a chunk holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunk {
    /// A compressed block.
    Compressed,
    /// A block as it is.
    Plain,
    /// Identifier, padding, index: nothing to read.
    Skipped,
}

/// Reads a chunk header: what it holds, and how many bytes follow; `None` when it is none.
pub fn header(bytes: [u8; HEADER]) -> Option<(Chunk, u32)> {
    let len = u32::from_le_bytes([bytes[1], bytes[2], bytes[3], 0]);
    let chunk = match bytes[0] {
        0 => Chunk::Compressed,
        1 => Chunk::Plain,
        0xff if len == 6 => Chunk::Skipped,
        0x80..=0xfe => Chunk::Skipped,
        _ => return None,
    };
    let limit = (BLOCK_MAX + BLOCK_MAX / 6 + 64) as u32;
    let block = chunk != Chunk::Skipped;
    (len <= limit && (!block || len > CHECKSUM)).then_some((chunk, len))
}

/// Decodes a compressed block without its checksum; `None` when it is broken or larger than [`BLOCK_MAX`].
pub fn decode(block: &[u8]) -> Option<Vec<u8>> {
    if minlz::decode_len(block).ok()?.0 > BLOCK_MAX {
        return None;
    }
    minlz::decode(block).ok()
}

#[cfg(test)]
mod tests {
    use super::{Chunk, IDENTIFIER, decode, header};

    /// Fifteen bytes: a literal of eleven, then four more of its last one.
    const BLOCK: &[u8] = b"\x0f\x28PUB a 4\r\nxx\x01\x01";

    #[test]
    fn blocks() {
        assert_eq!(decode(BLOCK).as_deref(), Some(&b"PUB a 4\r\nxxxxxx"[..]));
    }

    #[test]
    fn headers() {
        assert_eq!(
            header(IDENTIFIER[..4].try_into().unwrap()),
            Some((Chunk::Skipped, 6))
        );
        assert_eq!(header([1, 10, 0, 0]), Some((Chunk::Plain, 10)));
        assert_eq!(header([0, 0, 0, 1]), Some((Chunk::Compressed, 65536)));
        assert_eq!(header([0xfe, 0, 0, 1]), Some((Chunk::Skipped, 65536)));
        for wrong in [
            [2, 1, 0, 0],
            [0, 4, 0, 0],
            [0, 0xff, 0xff, 0xff],
            [0x7f, 1, 0, 0],
            [0xff, 7, 0, 0],
        ] {
            assert_eq!(header(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn broken_blocks_and_bombs() {
        assert_eq!(decode(&[]), None);
        assert_eq!(decode(&[0xff, 0xff, 0xff, 0xff, 0x0f, 0]), None);
        for n in 0..BLOCK.len() {
            assert_eq!(decode(&BLOCK[..n]), None, "{n}");
        }
    }
}
