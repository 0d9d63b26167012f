//! Where a fact was read: the only way to cite.

use std::fmt;

use crate::source::SourceId;
use crate::time::{Stamp, fixed};
use serde::{Deserialize, Serialize};

/// A place inside a source that a reader can open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Place {
    /// A line of a text source, counted from 1.
    Line(u64),
    /// A packet of a capture, counted from 1 as Wireshark's `frame.number` does.
    Frame(u64),
    /// A byte offset, where there is neither line nor frame.
    Byte(u64),
}

/// In words: `line 123`, `frame 4711`, `byte 2048`.
impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(out, "line {line}"),
            Self::Frame(frame) => write!(out, "frame {frame}"),
            Self::Byte(byte) => write!(out, "byte {byte}"),
        }
    }
}

/// A citation: source and place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Cite {
    /// Which source.
    pub source: SourceId,
    /// Where in it.
    pub place: Place,
}

impl Cite {
    /// A line of a text source.
    pub const fn line(source: SourceId, line: u64) -> Self {
        Self {
            source,
            place: Place::Line(line),
        }
    }

    /// A packet of a capture.
    pub const fn frame(source: SourceId, frame: u64) -> Self {
        Self {
            source,
            place: Place::Frame(frame),
        }
    }
}

/// A packet's moment: when the capture saw it, and which packet it was.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Moment {
    /// Capture time, nanoseconds since the Unix epoch on the capture's clock.
    #[serde(with = "fixed")]
    pub ns: i64,
    /// Frame number in its file, from 1.
    pub frame: u64,
}

/// A log line that matters: its time or times, its place, and enough of its text to quote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRef {
    /// The time written by the program itself.
    pub stamp: Option<Stamp>,
    /// The time written by a wrapper around it (docker, CRI, journald, syslog): a second clock.
    pub outer: Option<Stamp>,
    /// Source and line.
    pub cite: Cite,
    /// The line without its wrapper, cut to [`LogRef::QUOTE`] bytes, invalid UTF-8 replaced, controls escaped by the renderer.
    pub text: Box<str>,
}

impl LogRef {
    /// How many bytes of a line are kept to quote.
    pub const QUOTE: usize = 400;
}

/// Something that could not be read, with its place; the rest of the source was analysed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// Which source.
    pub source: SourceId,
    /// Where in it, as the file itself numbers it; `None` means the whole source.
    pub place: Option<Place>,
    /// What was being read, what was expected, what was found. Lower case, no full stop.
    pub why: String,
    /// How many like it (same source, same reason) this stands for.
    pub count: u64,
}
