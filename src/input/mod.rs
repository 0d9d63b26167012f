//! Input: any mix of files, folders, archives and standard input becomes sources that can be opened again and again.
//!
//! Kinds are sniffed from content. What cannot be used is a reject with its reason, and its path is a source of kind
//! [`Kind::Unknown`] so that the reject has something to point at. Nothing is written but one nameless temporary
//! file, and that only where a compressed archive or standard input outgrows the memory allowed.

mod archive;
mod checksum;
mod date;
mod decompress;
mod encoding;
mod error;
mod first_packet;
mod hints;
mod hold;
pub mod layout;
mod member;
mod peek;
mod piece;
pub mod rotation;
mod sniff;
mod stdin;
mod tar;
mod walk;
mod zip;

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use error::{Broken, Error};
pub use rotation::Group;
pub use sniff::is_aside;

use crate::source::{Checksum, Kind, Source, SourceId};
use crate::span::Reject;
use archive::{Found, Origin, Unpacker};
use decompress::Limits;
use walk::Step;

/// Limits against hostile and merely huge input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputOptions {
    /// How many times its size a compressed stream may expand to.
    pub max_ratio: u64,
    /// Bytes after decompression, over all archives.
    pub max_total: u64,
    /// Archives inside archives.
    pub max_depth: u32,
    /// Bytes of memory for what has to be kept; beyond it a temporary file is used.
    pub memory: u64,
    /// Whether sources are hashed when they are read for the first time.
    pub hash: bool,
}

impl Default for InputOptions {
    fn default() -> Self {
        Self {
            // Deflate ends at 1032; real logs stay under 200, also with zstd and xz.
            max_ratio: 1_000,
            max_total: 256 << 30,
            max_depth: 8,
            memory: 32 << 20,
            hash: false,
        }
    }
}

/// Everything there is to read.
#[derive(Debug, Default)]
pub struct Input {
    /// Sorted by path; a source's id is its index. The same for any order of the arguments.
    pub sources: Vec<Source>,
    /// What was skipped or is incomplete, and why; in source order.
    pub rejects: Vec<Reject>,
    /// The pieces of each log and each capture, oldest first. Every source that is not `Unknown` is in exactly one
    /// group; most groups have one member.
    pub groups: Vec<Group>,
    origins: Vec<Option<Origin>>,
    checksums: Vec<checksum::Slot>,
    options: InputOptions,
}

/// Finds the sources under `paths`; `-` is standard input.
///
/// Fails only for a path that does not exist or cannot be read, and where there is nothing at all to analyse.
pub fn discover(paths: &[PathBuf], options: &InputOptions) -> Result<Input, Error> {
    let mut unpacker = Unpacker::new(options);
    for (path, step) in walk::walk(paths)? {
        let shown = path.to_string_lossy().into_owned();
        match step {
            Step::File(len) => {
                unpacker.blob(shown, hold::Blob::file(path, len), Vec::new(), 0);
            }
            Step::Stream => stdin::pipe(&mut unpacker, &path)?,
            Step::Stdin => stdin::stdin(&mut unpacker),
            Step::Skip(why) => unpacker.skip(shown, 0, why),
        }
    }
    let found = unpacker.found;
    if found.is_empty() {
        let shown: Vec<_> = paths.iter().map(|p| p.to_string_lossy()).collect();
        let paths = shown.join(", ");
        return Err(Error::Nothing { paths });
    }
    Input::new(found, *options)
}

/// True if a file is a zip or tar archive, also a compressed one; from its content.
pub fn is_archive(path: &Path) -> io::Result<bool> {
    let file = std::fs::File::open(path)?;
    let options = InputOptions::default();
    let limits = Limits {
        ratio: options.max_ratio,
        total: options.max_total,
    };
    let seen = peek::Peeked::new(Box::new(file))?.look(limits);
    Ok(matches!(seen.look, sniff::Look::Tar | sniff::Look::Zip))
}

impl Input {
    fn new(mut found: Vec<Found>, options: InputOptions) -> Result<Self, Error> {
        // Stable: what shares a path (members of one name in one archive) stays in the order found.
        found.sort_by(|a, b| a.path.cmp(&b.path));
        if let Some(first) = found.first()
            && found.iter().all(|f| f.kind == Kind::Unknown)
        {
            return Err(Error::NothingUsable {
                first: first.path.clone(),
                why: first
                    .problem
                    .clone()
                    .map_or_else(String::new, |(why, _)| why),
                others: found.len() - 1,
            });
        }
        let mut input = Self {
            options,
            ..Self::default()
        };
        let mut first_packets = Vec::with_capacity(found.len());
        for (index, found) in found.into_iter().enumerate() {
            let Ok(index) = u32::try_from(index) else {
                let max = u32::MAX as usize;
                return Err(Error::TooMany { max });
            };
            let id = SourceId(index);
            if let Some((why, count)) = found.problem {
                input.rejects.push(Reject {
                    source: id,
                    place: None,
                    why,
                    count,
                });
            }
            input.sources.push(Source {
                id,
                hints: hints::hints(&found.path),
                path: found.path,
                kind: found.kind,
                bytes: found.bytes,
            });
            input.origins.push(found.origin);
            input.checksums.push(checksum::Slot::default());
            first_packets.push(found.first_packet);
        }
        input.groups = rotation::groups(&input.sources, &first_packets);
        Ok(input)
    }

    /// The contents of a source: decompressed, as UTF-8 where its text had another encoding; streaming. May be called
    /// again, and from several threads.
    ///
    /// Errors in the middle of the stream carry a [`Broken`] where compressed data is cut, damaged or a bomb.
    pub fn open(&self, id: SourceId) -> io::Result<Box<dyn Read + Send>> {
        let Some(origin) = self.origin(id) else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "this source was skipped",
            ));
        };
        let limits = Limits {
            ratio: self.options.max_ratio,
            total: self.options.max_total,
        };
        let (packing, own) = origin.layers.split_at(origin.packing);
        let mut reader = hold::open_through(&origin.blob, packing, limits)?;
        let checksum = &self.checksums[id.0 as usize];
        if self.options.hash && checksum.get().is_none() {
            reader = Box::new(checksum::Digesting::new(reader, Arc::clone(checksum)));
        }
        let reader = hold::through(reader, own, limits)?;
        encoding::to_utf8(origin.encoding, reader)
    }

    /// The hash of a source, once a reader of it is gone and where [`InputOptions::hash`] asks for it.
    pub fn checksum(&self, id: SourceId) -> Option<Checksum> {
        self.checksums.get(id.0 as usize)?.get().copied()
    }

    /// The file behind a source whose bytes can be read there as they are: for reading in parts and memory mapping.
    pub fn plain_file(&self, id: SourceId) -> Option<&Path> {
        let origin = self.origin(id)?;
        let plain = origin.layers.is_empty() && origin.encoding == sniff::Encoding::Bytes;
        origin.blob.path().filter(|_| plain).map(PathBuf::as_path)
    }

    fn origin(&self, id: SourceId) -> Option<&Origin> {
        self.origins.get(id.0 as usize)?.as_ref()
    }
}
