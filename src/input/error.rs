//! What can fail while looking for sources: only a path that the user named, or finding nothing at all.

use std::io;
use std::path::PathBuf;

/// Why there is no [`super::Input`]. Everything smaller is a reject inside it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A path on the command line does not exist.
    #[error("no such file or folder: {path}")]
    Missing {
        /// As it was given.
        path: PathBuf,
    },
    /// A path on the command line exists and cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// As it was given.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The paths hold no file at all.
    #[error("no files in {paths}: give a folder with nats-server logs, client logs or captures")]
    Nothing {
        /// The paths, joined.
        paths: String,
    },
    /// Files were found, and none of them can be analysed.
    #[error("nothing to analyse: {first}: {why}{}", more(*.others))]
    NothingUsable {
        /// The first one that was skipped.
        first: String,
        /// Why.
        why: String,
        /// How many more were skipped.
        others: usize,
    },
    /// More files than a source id can count.
    #[error("too many files: at most {max} can be analysed in one go")]
    TooMany {
        /// The limit.
        max: usize,
    },
}

impl Error {
    /// True when trying again later may help: the system failed, not the input.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unreadable { .. })
    }
}

fn more(others: usize) -> String {
    match others {
        0 => String::new(),
        n => format!(" (and {n} more that were skipped)"),
    }
}

/// Why reading stopped in the middle of compressed data. Travels inside an [`io::Error`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The data ends before its format says so.
    #[error("the {format} data ends early: the file is cut, its beginning was read")]
    Cut {
        /// Name of the format.
        format: &'static str,
    },
    /// The data is not what its format allows.
    #[error("the {format} data is broken: {why}")]
    Damaged {
        /// Name of the format.
        format: &'static str,
        /// What the decoder said.
        why: String,
    },
    /// It grows more than allowed.
    #[error(
        "expands more than {limit} times, which looks like a decompression bomb (the limit can be raised)"
    )]
    Ratio {
        /// The limit.
        limit: u64,
    },
    /// It is larger than allowed.
    #[error(
        "expands to more than {limit} bytes, the limit for all archives together (it can be raised)"
    )]
    Total {
        /// The limit.
        limit: u64,
    },
}

impl Broken {
    /// The reason inside an I/O error, if it is one of ours.
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// True for the two limits against decompression bombs.
    pub const fn is_bomb(&self) -> bool {
        matches!(self, Self::Ratio { .. } | Self::Total { .. })
    }
}

impl From<Broken> for io::Error {
    fn from(broken: Broken) -> Self {
        let kind = match broken {
            Broken::Cut { .. } => io::ErrorKind::UnexpectedEof,
            _ => io::ErrorKind::InvalidData,
        };
        Self::new(kind, broken)
    }
}
