//! The nameless temporary file behind shelves. Nothing is left behind whatever becomes of the process.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{OnceLock, RwLock};

/// Bytes that a writer reserves and writes at once.
const AREA: usize = 256 << 10;

/// The file, made when something is first written, and what it had no room for.
#[derive(Debug, Default)]
pub struct Spool {
    file: OnceLock<Option<File>>,
    end: AtomicU64,
    /// Areas that could not be written, by where they begin.
    kept: RwLock<BTreeMap<u64, Vec<u8>>>,
}

/// Where a record lies: where it begins, and how long it is, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(u64);

impl Span {
    /// Bits of the length.
    const LEN: u32 = 24;

    /// `None` for a record of 16 MiB and more, and beyond the first tebibyte.
    fn new(at: u64, len: usize) -> Option<Self> {
        let fits = at >> (64 - Self::LEN) == 0 && len >> Self::LEN == 0;
        fits.then_some(Self(at << Self::LEN | len as u64))
    }

    const fn at(self) -> u64 {
        self.0 >> Self::LEN
    }

    const fn len(self) -> usize {
        (self.0 & ((1 << Self::LEN) - 1)) as usize
    }
}

/// A writer's part of the spool that is not full yet.
#[derive(Debug, Default)]
pub struct Area {
    start: u64,
    bytes: Vec<u8>,
}

impl Area {
    /// Writes a record; returns where it lies, or nothing where that cannot be told. It can be read after [`Area::flush`].
    pub fn write(&mut self, spool: &Spool, record: &[u8]) -> Option<Span> {
        if self.bytes.len() + record.len() > AREA || self.bytes.is_empty() {
            self.flush(spool);
            let room = AREA.max(record.len());
            self.start = spool.end.fetch_add(room as u64, Ordering::Relaxed);
            self.bytes.reserve(room);
        }
        let span = Span::new(self.start + self.bytes.len() as u64, record.len())?;
        self.bytes.extend_from_slice(record);
        Some(span)
    }

    /// Hands what was written to the file, or keeps it where there is none.
    pub fn flush(&mut self, spool: &Spool) {
        if self.bytes.is_empty() {
            return;
        }
        let written = spool
            .file()
            .is_some_and(|file| write_at(file, &self.bytes, self.start).is_ok());
        if written {
            self.bytes.clear();
        } else {
            let bytes = std::mem::take(&mut self.bytes);
            if let Ok(mut kept) = spool.kept.write() {
                kept.insert(self.start, bytes);
            }
        }
    }
}

impl Spool {
    /// One that keeps everything in memory.
    #[cfg(test)]
    pub fn without_a_file() -> Self {
        Self {
            file: OnceLock::from(None),
            ..Self::default()
        }
    }

    fn file(&self) -> Option<&File> {
        self.file.get_or_init(|| tempfile::tempfile().ok()).as_ref()
    }

    /// Reads a record.
    ///
    /// # Panics
    /// If the temporary file cannot be read back: there is nothing to go on with, as with memory that fails.
    pub fn read<R>(&self, span: Span, take: impl FnOnce(&[u8]) -> R) -> R {
        let (at, len) = (span.at(), span.len());
        thread_local! {
            static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        }
        if let Ok(kept) = self.kept.read()
            && let Some((start, bytes)) = kept.range(..=at).next_back()
            && let Some(record) = bytes.get((at - start) as usize..)
            && record.len() >= len
        {
            return take(&record[..len]);
        }
        BUFFER.with_borrow_mut(|buffer| {
            buffer.resize(buffer.len().max(len), 0);
            let file = self.file().expect("a file that was written to");
            read_at(file, &mut buffer[..len], at).expect("the temporary file can be read back");
            take(&buffer[..len])
        })
    }
}

#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, at)
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(windows)]
fn read_at(file: &File, mut bytes: &mut [u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let n = std::os::windows::fs::FileExt::seek_read(file, bytes, at)?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes = &mut bytes[n..];
        at += n as u64;
    }
    Ok(())
}

#[cfg(windows)]
fn write_at(file: &File, mut bytes: &[u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let n = std::os::windows::fs::FileExt::seek_write(file, bytes, at)?;
        bytes = &bytes[n..];
        at += n as u64;
    }
    Ok(())
}
