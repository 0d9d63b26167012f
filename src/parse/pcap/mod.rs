//! Capture files to frames: pcap (every magic number), pcapng and snoop, concatenated as they come.
//!
//! [`Reader`] frames records inside a buffer of its own and says where each frame lies, so that a full buffer can be
//! handed to another thread without copying a packet. It reads forward only: a pipe will do, and memory does not grow
//! with the file. Hostile lengths are refused, and the reader looks for the next believable record behind them.
//!
//! Record headers are read here by hand, since they are most of the work on a large file; whole blocks go through
//! pcap-parser. Its time conversion is not used: 0.17 returns no resolution for powers of two and reads `if_tsoffset`
//! as little-endian in every section.

mod block;
mod classic;
mod notes;
mod resolution;
mod snoop;

use std::io::Read;
use std::ops::Range;

pub use notes::{InterfaceNotes, Notes};
use resolution::Resolution;

/// Bytes read at a time: small enough to stay in a core's nearest caches between reading and decoding.
const CHUNK: usize = 64 * 1024;

/// The longest record believed. Wireshark refuses packets above 256 KiB on every link type that can carry TCP; blocks of
/// decryption secrets may be longer, those of other kinds (journal entries) are then skipped unread.
const LONGEST_RECORD: usize = 1024 * 1024;

/// A captured packet, by its place in the reader's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Capture time, nanoseconds since the Unix epoch.
    pub ns: i64,
    /// Link type, as the registry at tcpdump.org numbers it.
    pub link: u32,
    /// Which interface of its section or file.
    pub interface: u32,
    /// Where its first captured byte lies in [`Reader::bytes`].
    pub start: usize,
    /// How many bytes were captured.
    pub captured: usize,
    /// How long it was on the wire.
    pub len: u32,
}

/// What the reader found next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// A packet.
    Frame(Frame),
    /// The text of a TLS key log (pcapng's Decryption Secrets Block), where it lies in [`Reader::bytes`].
    Secrets(Range<usize>),
    /// The buffer is used up: call [`Reader::refill`].
    Refill,
    /// No more input.
    End,
}

/// Something wrong with the file itself, with the byte where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Byte offset in the (decompressed) input.
    pub offset: u64,
    /// What was found.
    pub why: &'static str,
}

/// The shape of the records that follow.
#[derive(Clone, Debug)]
enum Format {
    /// Nothing read yet.
    Start,
    Classic(classic::Classic),
    Block(block::Section),
    Snoop(snoop::Snoop),
    /// Neither a header nor a record is known: everything is skipped until one is found.
    Lost,
}

/// One attempt to read a record at the front of a slice.
enum Record {
    /// A frame, relative to the slice, and the record's length.
    Frame(Frame, usize),
    /// Decryption secrets, relative to the slice, and the record's length.
    Secrets(Range<usize>, usize),
    /// No frame in this record; its length.
    Other(usize),
    /// More bytes are needed: this many in all.
    Short(usize),
    /// A record without interest that is longer than any buffer; its length.
    Skip(u64),
    /// No believable record.
    Bad(&'static str),
}

/// Reads one capture.
pub struct Reader<R> {
    input: R,
    /// Bytes read at a time.
    chunk: usize,
    buffer: Vec<u8>,
    /// The unread part of the buffer.
    start: usize,
    end: usize,
    /// Input offset of the buffer's first byte.
    base: u64,
    /// Bytes wanted before the next record can be read.
    wanted: usize,
    /// Bytes to drop unread.
    skip: u64,
    eof: bool,
    format: Format,
    last_ns: i64,
    /// Packets so far.
    frames: u64,
    notes: Notes,
    troubles: Vec<Trouble>,
    trouble_count: u64,
    cut_short: bool,
    read_error: Option<std::io::Error>,
}

impl<R: Read> Reader<R> {
    /// How many troubles are kept; all are counted.
    const TROUBLES: usize = 32;

    /// A reader at the start of `input`.
    pub fn new(input: R) -> Self {
        Self::in_chunks(input, CHUNK)
    }

    /// The same, reading so many bytes at a time.
    pub fn in_chunks(input: R, chunk: usize) -> Self {
        Self {
            input,
            chunk,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            base: 0,
            wanted: 0,
            skip: 0,
            eof: false,
            format: Format::Start,
            last_ns: 0,
            frames: 0,
            notes: Notes::default(),
            troubles: Vec::new(),
            trouble_count: 0,
            cut_short: false,
            read_error: None,
        }
    }

    /// The buffer that frames lie in, until the next [`Reader::refill`].
    pub fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// Input bytes consumed so far.
    pub fn position(&self) -> u64 {
        self.base + self.start as u64
    }

    /// What was wrong with the file, the first few.
    pub fn troubles(&self) -> &[Trouble] {
        &self.troubles
    }

    /// How many things were wrong.
    pub fn trouble_count(&self) -> u64 {
        self.trouble_count
    }

    /// The input ended inside a record.
    pub fn cut_short(&self) -> bool {
        self.cut_short
    }

    /// The error that ended the input early, if one did.
    pub fn read_error(&self) -> Option<&std::io::Error> {
        self.read_error.as_ref()
    }

    /// Packets that the capturing system says it dropped, of the sections read so far.
    pub fn dropped(&self) -> Option<u64> {
        match &self.format {
            Format::Snoop(snoop) => Some(u64::from(snoop.drops)),
            _ => self.notes.dropped(),
        }
    }

    /// What the file says besides packets, as far as it was read.
    pub fn notes(&self) -> &Notes {
        &self.notes
    }

    /// The next packet of the buffer.
    pub fn step(&mut self) -> Step {
        loop {
            let rest = &self.buffer[self.start..self.end];
            if rest.len() < self.wanted || rest.is_empty() {
                if !self.eof {
                    return Step::Refill;
                }
                if !rest.is_empty() && !matches!(self.format, Format::Lost) {
                    self.cut_short = true;
                }
                return Step::End;
            }
            let record = match &mut self.format {
                Format::Start => self.begin(),
                Format::Classic(classic) => classic.record(rest),
                Format::Block(section) => section.record(rest, self.frames, &mut self.notes),
                Format::Snoop(snoop) => snoop.record(rest),
                Format::Lost => {
                    self.start = self.end;
                    self.wanted = 1;
                    continue;
                }
            };
            match record {
                Record::Frame(mut frame, length) => {
                    frame.start += self.start;
                    self.start += length;
                    self.wanted = 0;
                    self.last_ns = frame.ns;
                    self.frames += 1;
                    return Step::Frame(frame);
                }
                Record::Secrets(range, length) => {
                    let range = self.start + range.start..self.start + range.end;
                    self.start += length;
                    self.wanted = 0;
                    return Step::Secrets(range);
                }
                Record::Other(length) => {
                    self.start += length;
                    self.wanted = 0;
                }
                Record::Short(wanted) => self.wanted = wanted.max(self.end - self.start + 1),
                Record::Skip(length) => {
                    let here = length.min((self.end - self.start) as u64);
                    self.start += here as usize;
                    self.skip = length - here;
                    self.wanted = 0;
                }
                Record::Bad(why) => self.resynchronise(why),
            }
        }
    }

    /// Reads on, into `fresh`, and gives the used buffer back. Frames found so far lie in the returned one.
    pub fn refill(&mut self, mut fresh: Vec<u8>) -> Vec<u8> {
        let rest = self.end - self.start;
        let spare = self.chunk / 4;
        let size = self.chunk.max(self.wanted + spare).max(rest + spare);
        if fresh.len() < size {
            fresh.resize(size, 0);
        }
        fresh[..rest].copy_from_slice(&self.buffer[self.start..self.end]);
        self.base += self.start as u64;
        let used = std::mem::replace(&mut self.buffer, fresh);
        self.start = 0;
        self.end = rest;
        while !self.eof && (self.end < self.wanted.max(1) || self.end * 2 < self.buffer.len()) {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.eof = true,
                Ok(count) => {
                    self.end += count;
                    let dropped = self.skip.min((self.end - self.start) as u64);
                    self.start += dropped as usize;
                    self.skip -= dropped;
                    if self.start == self.end && self.start > 0 {
                        self.base += self.start as u64;
                        self.start = 0;
                        self.end = 0;
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.read_error = Some(error);
                    self.eof = true;
                }
            }
        }
        if self.eof && self.skip > 0 {
            self.cut_short = true;
        }
        used
    }

    /// Finds out what the file is.
    fn begin(&mut self) -> Record {
        let rest = &self.buffer[self.start..self.end];
        match header(rest) {
            Header::Known(format, length) => {
                self.format = format;
                Record::Other(length)
            }
            Header::Short(wanted) => Record::Short(wanted),
            Header::Unknown => {
                self.format = Format::Lost;
                self.trouble("neither a pcap, a pcapng nor a snoop header");
                Record::Other(0)
            }
        }
    }

    fn trouble(&mut self, why: &'static str) {
        self.trouble_count += 1;
        if self.troubles.len() < Self::TROUBLES {
            let offset = self.position();
            self.troubles.push(Trouble { offset, why });
        }
    }

    /// After bytes that are no record: goes on at the next file header or at the next believable record.
    fn resynchronise(&mut self, why: &'static str) {
        let rest = &self.buffer[self.start..self.end];
        // A section header that was just refused for its length is no way to go on.
        let refused = matches!(self.format, Format::Block(_));
        if let Header::Known(format, length) = header(rest)
            && (length > 0 || !refused)
        {
            // Files written one behind the other (`cat a.pcap b.pcap`).
            self.format = format;
            self.start += length;
            self.wanted = 0;
            return;
        }
        if let (Header::Short(wanted), false) = (header(rest), self.eof) {
            self.wanted = wanted;
            return;
        }
        self.trouble(why);
        let rest = &self.buffer[self.start..self.end];
        let found = (1..rest.len()).find(|&at| match &self.format {
            Format::Classic(classic) => {
                classic.believable(&rest[at..], self.last_ns)
                    || matches!(header(&rest[at..]), Header::Known(..))
            }
            Format::Block(section) => section.believable(&rest[at..]),
            _ => matches!(header(&rest[at..]), Header::Known(..)),
        });
        // Nothing in this buffer: drop it, except for a tail that may hold the start of a header.
        let tail = if self.eof { 0 } else { 64 };
        self.start += found.unwrap_or(rest.len().saturating_sub(tail).max(1));
        self.wanted = if found.is_some() { 0 } else { 256 };
    }
}

/// What a slice begins with.
enum Header {
    Known(Format, usize),
    Short(usize),
    Unknown,
}

/// Reads a file or section header at the front of `bytes`.
fn header(bytes: &[u8]) -> Header {
    let Some(magic) = bytes.first_chunk::<4>() else {
        return Header::Short(4);
    };
    match magic {
        [0x0a, 0x0d, 0x0d, 0x0a] => {
            if bytes.len() < 12 {
                return Header::Short(12);
            }
            match block::Section::begin(bytes) {
                // The header block itself is read as a record, which may be long.
                Some(section) => Header::Known(Format::Block(section), 0),
                None => Header::Unknown,
            }
        }
        b"snoo" => {
            if bytes.len() < 16 {
                return Header::Short(16);
            }
            match snoop::Snoop::begin(bytes) {
                Some(snoop) => Header::Known(Format::Snoop(snoop), 16),
                None => Header::Unknown,
            }
        }
        _ if classic::is_magic(*magic) => {
            if bytes.len() < 24 {
                return Header::Short(24);
            }
            match classic::Classic::begin(bytes) {
                Some(classic) => Header::Known(Format::Classic(classic), 24),
                None => Header::Unknown,
            }
        }
        _ => Header::Unknown,
    }
}

/// A little- or big-endian 32-bit number at `at`; 0 behind the end, which callers have excluded.
fn u32_at(bytes: &[u8], at: usize, big: bool) -> u32 {
    match bytes.get(at..).and_then(<[u8]>::first_chunk::<4>) {
        Some(four) if big => u32::from_be_bytes(*four),
        Some(four) => u32::from_le_bytes(*four),
        None => 0,
    }
}

#[cfg(test)]
mod tests;
