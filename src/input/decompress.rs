//! Compressed streams: one decoder per format, each behind limits on how far it may expand.

use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::Broken;

/// A reader that can move to the thread that parses it.
pub type Bytes<'a> = Box<dyn Read + Send + 'a>;

/// A compression that is looked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// RFC 1952, several members in a row allowed.
    Gzip,
    /// bzip2, several streams in a row allowed.
    Bzip2,
    /// xz, several streams in a row allowed.
    Xz,
    /// Zstandard, RFC 8878.
    Zstd,
    /// LZ4 frames (not the legacy format).
    Lz4,
    /// Bare deflate, RFC 1951: members of zip archives.
    Deflate,
}

/// Memory that an xz stream may ask for: `xz -9` needs 65 MiB, a hostile header may claim gigabytes.
const XZ_MEMORY: u64 = 128 << 20;

/// Below this much output nothing is called a bomb: short, very regular files compress a thousandfold.
const RATIO_FLOOR: u64 = 16 << 20;

impl Codec {
    /// The name in messages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
            Self::Deflate => "deflate",
        }
    }

    /// The compression whose magic number stands at the start of `head`.
    pub fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0x1f, 0x8b, 0x08, ..] => Some(Self::Gzip),
            [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..]
                if rest.starts_with(b"1AY&SY") || rest.starts_with(b"\x17\x72\x45\x38\x50\x90") =>
            {
                Some(Self::Bzip2)
            }
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            // A frame, or a skippable frame in front of one (pzstd, seekable zstd).
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            [0x04, 0x22, 0x4d, 0x18, ..] => Some(Self::Lz4),
            _ => None,
        }
    }
}

/// How far compressed data may expand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Output bytes per input byte.
    pub ratio: u64,
    /// Output bytes of one stream.
    pub total: u64,
}

/// The decompressed stream of `inner`, within `limits`. Errors are [`Broken`].
pub fn decoder<'a>(codec: Codec, inner: Bytes<'a>, limits: Limits) -> io::Result<Bytes<'a>> {
    let consumed = Arc::new(AtomicU64::new(0));
    let counted = BufReader::with_capacity(
        64 << 10,
        Counted {
            inner,
            count: Arc::clone(&consumed),
        },
    );
    let decoder: Bytes<'a> = match codec {
        Codec::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(counted)),
        Codec::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(counted)),
        Codec::Xz => {
            let stream = liblzma::stream::Stream::new_stream_decoder(
                XZ_MEMORY,
                liblzma::stream::CONCATENATED,
            )
            .map_err(io::Error::other)?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(counted, stream))
        }
        Codec::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(counted)?),
        Codec::Lz4 => Box::new(lz4_flex::frame::FrameDecoder::new(counted)),
        Codec::Deflate => Box::new(flate2::bufread::DeflateDecoder::new(counted)),
    };
    Ok(Box::new(Guard {
        codec,
        inner: decoder,
        consumed,
        produced: 0,
        limits,
    }))
}

/// Counts what passes through.
struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.count.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// A decoder with its limits; says in words what its errors mean.
struct Guard<'a> {
    codec: Codec,
    inner: Bytes<'a>,
    consumed: Arc<AtomicU64>,
    produced: u64,
    limits: Limits,
}

impl Read for Guard<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut read = self.inner.read(buf);
        // The lz4 decoder answers 0 at the end of each frame; another frame may follow.
        if self.codec == Codec::Lz4 && matches!(read, Ok(0)) {
            read = self.inner.read(buf);
        }
        let n = read.map_err(|error| self.explain(error))?;
        self.produced += n as u64;
        if self.produced > self.limits.total {
            let limit = self.limits.total;
            return Err(Broken::Total { limit }.into());
        }
        let consumed = self.consumed.load(Ordering::Relaxed).max(1);
        if self.produced > RATIO_FLOOR && self.produced / consumed > self.limits.ratio {
            let limit = self.limits.ratio;
            return Err(Broken::Ratio { limit }.into());
        }
        Ok(n)
    }
}

impl Guard<'_> {
    fn explain(&self, error: io::Error) -> io::Error {
        if error.kind() == io::ErrorKind::Interrupted || Broken::of(&error).is_some() {
            return error;
        }
        let format = self.codec.word();
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return Broken::Cut { format }.into();
        }
        let why = error.to_string();
        Broken::Damaged { format, why }.into()
    }
}

#[cfg(test)]
pub mod tests {
    use std::io::Write;

    use super::*;

    pub const WIDE: Limits = Limits {
        ratio: 1_000,
        total: 1 << 40,
    };

    pub fn pack(codec: Codec, data: &[u8]) -> Vec<u8> {
        match codec {
            Codec::Gzip => {
                let mut w = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                w.write_all(data).unwrap();
                w.finish().unwrap()
            }
            Codec::Deflate => {
                let mut w =
                    flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
                w.write_all(data).unwrap();
                w.finish().unwrap()
            }
            Codec::Bzip2 => {
                let mut w = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
                w.write_all(data).unwrap();
                w.finish().unwrap()
            }
            Codec::Xz => {
                let mut w = liblzma::write::XzEncoder::new(Vec::new(), 1);
                w.write_all(data).unwrap();
                w.finish().unwrap()
            }
            Codec::Zstd => zstd::encode_all(data, 1).unwrap(),
            Codec::Lz4 => {
                let mut w = lz4_flex::frame::FrameEncoder::new(Vec::new());
                w.write_all(data).unwrap();
                w.finish().unwrap()
            }
        }
    }

    const ALL: [Codec; 6] = [
        Codec::Gzip,
        Codec::Bzip2,
        Codec::Xz,
        Codec::Zstd,
        Codec::Lz4,
        Codec::Deflate,
    ];

    fn unpack(codec: Codec, packed: &[u8], limits: Limits) -> (Vec<u8>, Option<Broken>) {
        let mut out = Vec::new();
        let error = decoder(codec, Box::new(packed), limits)
            .unwrap()
            .read_to_end(&mut out)
            .err();
        (out, error.map(|e| Broken::of(&e).unwrap().clone()))
    }

    fn text() -> Vec<u8> {
        (0..5_000_u32)
            .flat_map(|i| format!("line {i} of {}\n", i.wrapping_mul(2_654_435_761)).into_bytes())
            .collect()
    }

    #[test]
    fn every_codec_gives_back_what_was_packed_also_twice_in_a_row() {
        let text = text();
        for codec in ALL {
            let packed = pack(codec, &text);
            assert_eq!(
                unpack(codec, &packed, WIDE),
                (text.clone(), None),
                "{codec:?}"
            );
            if codec != Codec::Deflate {
                assert_eq!(Codec::of(&packed), Some(codec));
                let twice = [packed.clone(), packed].concat();
                let (out, error) = unpack(codec, &twice, WIDE);
                assert_eq!((out.len(), error), (text.len() * 2, None), "{codec:?}");
            }
        }
    }

    #[test]
    fn a_cut_stream_gives_its_beginning_and_says_so() {
        let text = text();
        for codec in ALL {
            let packed = pack(codec, &text);
            let (out, error) = unpack(codec, &packed[..packed.len() / 2], WIDE);
            assert!(text.starts_with(&out), "{codec:?}");
            assert_eq!(
                error,
                Some(Broken::Cut {
                    format: codec.word()
                }),
                "{codec:?}"
            );
        }
    }

    #[test]
    fn damage_is_an_error_and_never_a_panic() {
        let text = text();
        for codec in ALL {
            let packed = pack(codec, &text);
            for at in (0..packed.len()).step_by(packed.len() / 29) {
                let mut bad = packed.clone();
                bad[at] ^= 0x55;
                let (out, _) = unpack(codec, &bad, WIDE);
                assert!(out.len() <= text.len() * 40, "{codec:?} at {at}");
            }
        }
    }

    #[test]
    fn limits_stop_bombs() {
        let zeros = vec![0; 17 << 20];
        for codec in ALL {
            let packed = pack(codec, &zeros);
            let tight = Limits {
                ratio: 20,
                total: 1 << 40,
            };
            let (out, error) = unpack(codec, &packed, tight);
            assert_eq!(error, Some(Broken::Ratio { limit: 20 }), "{codec:?}");
            assert!(out.len() < 17 << 20);
            let small = Limits {
                ratio: 1 << 30,
                total: 1 << 20,
            };
            let (_, error) = unpack(codec, &packed, small);
            assert_eq!(error, Some(Broken::Total { limit: 1 << 20 }), "{codec:?}");
        }
    }
}
