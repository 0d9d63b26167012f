//! Tar archives, read header by header: every size that a header claims is checked before anything is kept.
//!
//! The `tar` crate decodes header fields. Its own iterator is not used: it reads extended headers of any claimed
//! length into memory, and it stops at the first hole instead of saying where it is.

use std::io::{self, Read};

use tar::{EntryType, Header};

/// Bytes of a header, and the unit that contents are padded to.
const BLOCK: u64 = 512;

/// Longest extended header (long name, pax records) that is believed; PATH_MAX is 4096.
const MAX_EXTENDED: u64 = 64 << 10;

/// True for a block with a valid tar checksum.
pub fn is_header(block: &[u8; 512]) -> bool {
    let header = Header::from_byte_slice(block);
    // An all-zero block has a valid-looking sum of blanks only; a name is always there.
    block[0] != 0
        && header.cksum().is_ok_and(|sum| {
            let blanked = block[..148].iter().chain(&block[156..]);
            let computed: u32 = blanked.map(|&b| u32::from(b)).sum::<u32>() + 8 * 32;
            sum == computed
        })
}

/// One member, its contents still to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name as written; not to be trusted.
    pub name: String,
    /// What it is.
    pub kind: MemberKind,
    /// Size of its contents.
    pub size: u64,
    /// Where its contents begin in the archive.
    pub start: u64,
}

const SPARSE: MemberKind = MemberKind::Other("a sparse file, which is not supported");

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberKind {
    /// An ordinary file.
    File,
    /// A folder.
    Folder,
    /// Anything else, in words.
    Other(&'static str),
}

/// Why reading headers stopped.
#[derive(Debug)]
pub enum Stop {
    /// The bytes at this offset are no header.
    BadHeader(u64),
    /// The archive ends inside a header or a member.
    Cut(u64),
    /// The reader failed.
    Read(io::Error),
}

/// Walks a tar stream.
pub struct Headers<R> {
    reader: R,
    at: u64,
    /// Bytes of the current member, padding included, that nobody has read yet.
    pending: u64,
}

impl<R: Read> Headers<R> {
    /// Starts at the first header.
    pub const fn new(reader: R) -> Self {
        Self {
            reader,
            at: 0,
            pending: 0,
        }
    }

    /// The next member; `Ok(None)` at the end.
    pub fn next(&mut self) -> Result<Option<Member>, Stop> {
        self.skip()?;
        let mut long_name = None;
        let mut pax = Pax::default();
        loop {
            let mut block = [0; 512];
            let at = self.at;
            match read_full(&mut self.reader, &mut block).map_err(Stop::Read)? {
                0 => return Ok(None),
                512 => self.at += BLOCK,
                _ => return Err(Stop::Cut(at)),
            }
            // Zero blocks end an archive; another one may follow (`cat a.tar b.tar`).
            if block.iter().all(|&b| b == 0) {
                continue;
            }
            if !is_header(&block) {
                return Err(Stop::BadHeader(at));
            }
            let header = Header::from_byte_slice(&block);
            let size = header.entry_size().map_err(|_| Stop::BadHeader(at))?;
            let kind = header.entry_type();
            if matches!(kind, EntryType::GNULongName | EntryType::XHeader) {
                let data = self.extended(size)?;
                if kind == EntryType::XHeader {
                    pax = Pax::read(&data);
                } else {
                    long_name = Some(data);
                }
                continue;
            }
            if matches!(kind, EntryType::GNULongLink | EntryType::XGlobalHeader) {
                self.pending = padded(size);
                self.skip()?;
                continue;
            }
            let size = pax.size.unwrap_or(size);
            let name = pax
                .path
                .or(long_name)
                .unwrap_or_else(|| header.path_bytes().into_owned());
            let name = name.split(|&b| b == 0).next().unwrap_or_default();
            let kind = kind_of(kind, pax.sparse);
            // Links, devices and folders have no contents whatever their size field says.
            let has_contents = kind == MemberKind::File || kind == SPARSE;
            let size = if has_contents { size } else { 0 };
            self.pending = padded(size);
            return Ok(Some(Member {
                name: String::from_utf8_lossy(name).into_owned(),
                kind,
                size,
                start: self.at,
            }));
        }
    }

    /// The contents of the member that [`Headers::next`] gave last.
    pub fn contents(&mut self, member: &Member) -> Contents<'_, R> {
        Contents {
            left: member.size.min(self.pending),
            headers: self,
        }
    }

    fn extended(&mut self, size: u64) -> Result<Vec<u8>, Stop> {
        let at = self.at;
        if size > MAX_EXTENDED {
            return Err(Stop::BadHeader(at - BLOCK));
        }
        let mut data = vec![0; size as usize];
        if read_full(&mut self.reader, &mut data).map_err(Stop::Read)? < data.len() {
            return Err(Stop::Cut(at));
        }
        self.at += size;
        self.pending = padded(size) - size;
        self.skip()?;
        Ok(data)
    }

    /// Passes over what is left of the current member.
    fn skip(&mut self) -> Result<(), Stop> {
        let want = self.pending;
        self.pending = 0;
        let skipped =
            io::copy(&mut (&mut self.reader).take(want), &mut io::sink()).map_err(Stop::Read)?;
        let at = self.at;
        self.at = self.at.saturating_add(skipped);
        if skipped < want {
            return Err(Stop::Cut(at));
        }
        Ok(())
    }
}

/// Reads one member of a stream; ends where the member ends, fails where the archive ends before it.
pub struct Contents<'h, R> {
    headers: &'h mut Headers<R>,
    left: u64,
}

impl<R: Read> Read for Contents<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let want = buf
            .len()
            .min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if want == 0 {
            return Ok(0);
        }
        let n = self.headers.reader.read(&mut buf[..want])?;
        if n == 0 {
            return Err(super::error::Broken::Cut { format: "tar" }.into());
        }
        self.left -= n as u64;
        self.headers.pending -= n as u64;
        self.headers.at += n as u64;
        Ok(n)
    }
}

fn kind_of(kind: EntryType, sparse: bool) -> MemberKind {
    match kind {
        _ if sparse => SPARSE,
        EntryType::Regular | EntryType::Continuous => MemberKind::File,
        EntryType::Directory => MemberKind::Folder,
        EntryType::Symlink => MemberKind::Other("a symbolic link"),
        EntryType::Link => MemberKind::Other("a hard link"),
        EntryType::Char | EntryType::Block => MemberKind::Other("a device node"),
        EntryType::Fifo => MemberKind::Other("a named pipe"),
        EntryType::GNUSparse => SPARSE,
        _ => MemberKind::Other("not a file"),
    }
}

fn padded(size: u64) -> u64 {
    size.checked_next_multiple_of(BLOCK).unwrap_or(u64::MAX)
}

fn read_full(reader: &mut impl Read, buf: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buf.len() {
        match reader.read(&mut buf[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}

/// What matters of a pax extended header (POSIX.1-2017, pax, "Extended Header"): records `LENGTH KEY=VALUE\n`.
#[derive(Default)]
struct Pax {
    path: Option<Vec<u8>>,
    size: Option<u64>,
    sparse: bool,
}

impl Pax {
    fn read(mut data: &[u8]) -> Self {
        let mut pax = Self::default();
        while let Some(blank) = data.iter().position(|&b| b == b' ') {
            let length = std::str::from_utf8(&data[..blank])
                .ok()
                .and_then(|n| n.parse::<usize>().ok());
            let Some(record) = length.and_then(|n| data.get(blank + 1..n)) else {
                break;
            };
            data = &data[blank + 1 + record.len()..];
            let record = record.strip_suffix(b"\n").unwrap_or(record);
            let Some(equals) = record.iter().position(|&b| b == b'=') else {
                continue;
            };
            let (key, value) = (&record[..equals], &record[equals + 1..]);
            match key {
                b"path" => pax.path = Some(value.to_vec()),
                b"size" => {
                    pax.size = std::str::from_utf8(value).ok().and_then(|v| v.parse().ok());
                }
                _ if key.starts_with(b"GNU.sparse.") => pax.sparse = true,
                _ => {}
            }
        }
        pax
    }
}
