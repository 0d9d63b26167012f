//! All records onto one line of time, and the parts of one connection joined.
//!
//! Invariant: nothing here reads bytes of sources, and nothing claims an order tighter than the bounds of the clocks.

pub mod clock;
pub mod joined;

use clock::{Clock, When};
use joined::{Joined, Records};

use crate::source::{Source, SourceId};
use crate::span::{LogRef, Moment};

/// What the command line says about clocks.
#[derive(Clone, Debug, Default)]
pub struct AlignOptions {
    /// Source path or glob, zone in seconds east of UTC.
    pub zones: Vec<(String, i32)>,
    /// Source path or glob, nanoseconds to add.
    pub clocks: Vec<(String, i64)>,
}

/// One time line, and the parts of each connection joined.
#[derive(Debug, Default)]
pub struct Alignment {
    /// The clock of each source, by source id; outer clocks after.
    pub clocks: Vec<Clock>,
    /// Connections.
    pub joined: Vec<Joined>,
    /// Which pairs could not be aligned, and what would allow it.
    pub unaligned: Vec<String>,
}

impl Alignment {
    /// A log line on the common line.
    pub fn log(&self, at: &LogRef) -> Option<When> {
        Some(self.clocks.get(at.cite.source.0 as usize)?.stamp(at.stamp?))
    }

    /// A packet on the common line.
    pub fn moment(&self, source: SourceId, at: Moment) -> When {
        self.clocks[source.0 as usize].moment(at)
    }
}

/// Aligns and joins.
pub fn align(_records: &Records, _sources: &[Source], _options: &AlignOptions) -> Alignment {
    Alignment::default()
}
