//! Bytes that can be read again: a file, a part of one, or what had to be kept of a stream.
//!
//! Members of plain tar and zip archives are parts of the archive's file and cost nothing. What comes out of a
//! stream (a compressed tar, stdin) is kept, compressed, in memory up to a limit and beyond that in a temporary
//! file that has no name, so nothing is left behind whatever happens to the process.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;

use super::decompress::{Bytes, Codec, Limits, decoder};

/// Where bytes live.
#[derive(Clone, Debug)]
enum Place {
    /// A file of the user's.
    File(Arc<PathBuf>),
    /// Kept in memory.
    Memory(Arc<Chunks>),
    /// Kept in the nameless temporary file.
    Spool(Arc<File>),
}

/// A range of stored bytes; cheap to copy, opened as often as needed.
#[derive(Clone, Debug)]
pub struct Blob {
    place: Place,
    start: u64,
    len: u64,
}

impl Blob {
    /// A whole file of `len` bytes.
    pub fn file(path: PathBuf, len: u64) -> Self {
        Self {
            place: Place::File(Arc::new(path)),
            start: 0,
            len,
        }
    }

    /// Its size in bytes.
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Where it begins in what it is a part of.
    pub const fn start(&self) -> u64 {
        self.start
    }

    /// The part of `len` bytes at `start`; `None` where that is outside.
    pub fn part(&self, start: u64, len: u64) -> Option<Self> {
        let end = start.checked_add(len)?;
        (end <= self.len).then(|| Self {
            place: self.place.clone(),
            start: self.start + start,
            len,
        })
    }

    /// The path, where this is a whole file.
    pub fn path(&self) -> Option<&PathBuf> {
        match &self.place {
            Place::File(path) if self.start == 0 => Some(path),
            _ => None,
        }
    }

    /// A reader from the first byte on; also seeks.
    pub fn open(&self) -> io::Result<BlobReader> {
        let handle = match &self.place {
            Place::File(path) => Handle::File(Arc::new(File::open(path.as_path())?)),
            Place::Memory(bytes) => Handle::Memory(Arc::clone(bytes)),
            Place::Spool(file) => Handle::File(Arc::clone(file)),
        };
        Ok(BlobReader {
            handle,
            start: self.start,
            len: self.len,
            at: 0,
        })
    }
}

enum Handle {
    File(Arc<File>),
    Memory(Arc<Chunks>),
}

/// Bytes in memory, in chunks: what grows does not have to be copied to where there is more room.
#[derive(Debug, Default)]
struct Chunks(Vec<Vec<u8>>);

impl Chunks {
    /// Size of each but the last.
    const SIZE: usize = 1 << 20;

    fn len(&self) -> u64 {
        self.0.last().map_or(0, |last| {
            ((self.0.len() - 1) * Self::SIZE + last.len()) as u64
        })
    }

    fn extend(&mut self, mut data: &[u8]) {
        while !data.is_empty() {
            if self.0.last().is_none_or(|last| last.len() == Self::SIZE) {
                self.0.push(Vec::new());
            }
            let Some(last) = self.0.last_mut() else {
                return;
            };
            let (now, later) = data.split_at(data.len().min(Self::SIZE - last.len()));
            last.extend_from_slice(now);
            data = later;
        }
    }

    /// Copies what is at `from`, as much as one chunk holds of it.
    fn read_at(&self, buf: &mut [u8], from: u64) -> usize {
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let chunk = self.0.get(from / Self::SIZE).map_or(&[][..], |chunk| chunk);
        let rest = chunk.get(from % Self::SIZE..).unwrap_or_default();
        let n = buf.len().min(rest.len());
        buf[..n].copy_from_slice(&rest[..n]);
        n
    }
}

/// Reads a [`Blob`]. Readers of the same file do not disturb each other: all reads carry their position.
pub struct BlobReader {
    handle: Handle,
    start: u64,
    len: u64,
    at: u64,
}

impl Read for BlobReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let left = self.len.saturating_sub(self.at);
        let want = buf.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        if want == 0 {
            return Ok(0);
        }
        let from = self.start + self.at;
        let n = match &self.handle {
            Handle::File(file) => read_at(file, &mut buf[..want], from)?,
            Handle::Memory(chunks) => chunks.read_at(&mut buf[..want], from),
        };
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for BlobReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(n) => Some(n),
            SeekFrom::End(n) => self.len.checked_add_signed(n),
            SeekFrom::Current(n) => self.at.checked_add_signed(n),
        };
        self.at = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(unix)]
fn read_at(file: &File, buf: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buf, at)
}

#[cfg(windows)]
fn read_at(file: &File, buf: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buf, at)
}

fn write_at(mut file: &File, data: &[u8], at: u64) -> io::Result<()> {
    file.seek(SeekFrom::Start(at))?;
    file.write_all(data)
}

/// What was kept of a stream.
pub struct Kept {
    /// The bytes as stored.
    pub blob: Blob,
    /// The compression that [`Holder::keep`] added, to be taken off first when reading.
    pub codec: Option<Codec>,
    /// Bytes that came out of the stream.
    pub bytes: u64,
    /// Why the stream ended before its end; what came before it was kept.
    pub broken: Option<io::Error>,
}

/// Keeps streams, in memory and then in a temporary file.
pub struct Holder {
    memory_left: u64,
    spool: Option<(Arc<File>, u64)>,
}

impl Holder {
    /// A holder that may use `memory` bytes of memory.
    pub const fn new(memory: u64) -> Self {
        Self {
            memory_left: memory,
            spool: None,
        }
    }

    /// Reads `stream` to its end or its first error and keeps it; compressed where `pack` asks for it (not worth it
    /// for what is compressed already). Fails only where the temporary file fails.
    pub fn keep(&mut self, stream: &mut (dyn Read + Send), pack: bool) -> io::Result<Kept> {
        let mut shelf = Shelf {
            holder: self,
            memory: Chunks::default(),
            spooled: None,
        };
        let (bytes, broken) = if pack {
            // Level 1: about as fast as the disk, and logs shrink tenfold.
            let mut encoder = zstd::stream::write::Encoder::new(&mut shelf, 1)?;
            let copied = copy(stream, &mut encoder)?;
            encoder.finish()?;
            copied
        } else {
            copy(stream, &mut shelf)?
        };
        let blob = shelf.finish();
        Ok(Kept {
            blob,
            codec: pack.then_some(Codec::Zstd),
            bytes,
            broken,
        })
    }
}

/// Copies until the end or the first read error, which is a value: only writing can fail.
fn copy(from: &mut (dyn Read + Send), to: &mut dyn Write) -> io::Result<(u64, Option<io::Error>)> {
    let mut buf = vec![0; 64 << 10];
    let mut bytes = 0;
    loop {
        match from.read(&mut buf) {
            Ok(0) => return Ok((bytes, None)),
            Ok(n) => {
                to.write_all(&buf[..n])?;
                bytes += n as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Ok((bytes, Some(e))),
        }
    }
}

/// One stream on its way into the holder.
struct Shelf<'h> {
    holder: &'h mut Holder,
    memory: Chunks,
    /// Where it begins in the temporary file, once it outgrew the memory.
    spooled: Option<u64>,
}

impl Write for Shelf<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.spooled.is_none() {
            if self.memory.len() + data.len() as u64 <= self.holder.memory_left {
                self.memory.extend(data);
                return Ok(data.len());
            }
            let (file, end) = match self.holder.spool.take() {
                Some(spool) => spool,
                None => (Arc::new(tempfile::tempfile()?), 0),
            };
            self.spooled = Some(end);
            let mut at = end;
            for chunk in std::mem::take(&mut self.memory).0 {
                write_at(&file, &chunk, at)?;
                at += chunk.len() as u64;
            }
            self.holder.spool = Some((file, at));
        }
        if let Some((file, end)) = &mut self.holder.spool {
            write_at(file, data, *end)?;
            *end += data.len() as u64;
        }
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shelf<'_> {
    fn finish(self) -> Blob {
        if let (Some(start), Some((file, end))) = (self.spooled, &self.holder.spool) {
            return Blob {
                place: Place::Spool(Arc::clone(file)),
                start,
                len: end - start,
            };
        }
        let mut memory = self.memory;
        if let Some(last) = memory.0.last_mut() {
            last.shrink_to_fit();
        }
        let len = memory.len();
        self.holder.memory_left -= len;
        Blob {
            place: Place::Memory(Arc::new(memory)),
            start: 0,
            len,
        }
    }
}

/// Opens `blob` through `layers`, outermost first.
pub fn open_through(blob: &Blob, layers: &[Codec], limits: Limits) -> io::Result<Bytes<'static>> {
    through(Box::new(blob.open()?), layers, limits)
}

/// Decompresses `reader` by `layers`, outermost first.
pub fn through(
    mut reader: Bytes<'static>,
    layers: &[Codec],
    limits: Limits,
) -> io::Result<Bytes<'static>> {
    for &codec in layers {
        reader = decoder(codec, reader, limits)?;
    }
    Ok(reader)
}

#[cfg(test)]
mod tests {
    use super::super::decompress::tests::WIDE;
    use super::*;

    fn noise(seed: u32, len: usize) -> Vec<u8> {
        let mut x = seed | 1;
        (0..len)
            .map(|_| {
                x ^= x << 13;
                x ^= x >> 17;
                x ^= x << 5;
                x as u8
            })
            .collect()
    }

    #[test]
    fn streams_are_kept_in_memory_then_in_the_spool_and_read_back_in_any_order() {
        let mut holder = Holder::new(100_000);
        let streams: Vec<_> = (0..6).map(|i| noise(i, 40_000 + i as usize)).collect();
        let kept: Vec<_> = streams
            .iter()
            .enumerate()
            .map(|(i, s)| holder.keep(&mut &s[..], i % 2 == 0).unwrap())
            .collect();
        let in_memory = kept
            .iter()
            .filter(|k| matches!(k.blob.place, Place::Memory(_)))
            .count();
        assert_eq!(in_memory, 2);
        for (stream, kept) in streams.iter().zip(&kept).rev() {
            let layers: Vec<_> = kept.codec.into_iter().collect();
            let mut out = Vec::new();
            open_through(&kept.blob, &layers, WIDE)
                .unwrap()
                .read_to_end(&mut out)
                .unwrap();
            assert!(out == *stream);
            assert_eq!(kept.bytes, stream.len() as u64);
        }
    }

    #[test]
    fn a_part_stays_inside_its_blob() {
        let mut holder = Holder::new(1 << 20);
        let blob = holder.keep(&mut &b"0123456789"[..], false).unwrap().blob;
        let mut text = String::new();
        let part = blob.part(3, 4).unwrap();
        part.open().unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "3456");
        assert!(part.part(2, 3).is_none());
        assert!(blob.part(u64::MAX, 2).is_none());
    }
}
