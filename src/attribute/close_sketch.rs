//! What of a close is always at hand: what reports count, group and order by.

use std::net::IpAddr;

use super::finding::{Close, Confidence};
use crate::align::clock::When;
use crate::shelf::word::{self, Word};
use crate::shelf::{Index, Name, Shelved};
use crate::time::{Bounds, Instant};

/// A close in short. There are as many as a storm had reconnects, so that each byte counts.
#[derive(Clone, Debug)]
pub struct CloseSketch {
    closed_at: When,
    span: [Instant; 2],
    /// Its place in the list, from 1.
    pub number: u32,
    joined: u32,
    server_life: Index,
    /// Pieces of evidence.
    pub evidence: u32,
    /// Things to do.
    pub remedies: u32,
    cause: Name,
    detail: Name,
    /// Client name.
    pub client_name: Option<Name>,
    /// Client library.
    pub client_lang: Option<Name>,
    /// Its version.
    pub client_version: Option<Name>,
    /// Where the client is: its own address, else the one that the server sees.
    pub host: Option<IpAddr>,
    /// Confidence.
    pub confidence: Confidence,
    /// It never became a session.
    pub attempt: bool,
    is_timed: bool,
    is_proven: bool,
}

/// Stands where there is no time.
const NEVER: When = When {
    at: Instant(0),
    bounds: Bounds { low: 0, high: 0 },
    digits: 0,
};

impl CloseSketch {
    /// When it was closed.
    pub fn closed_at(&self) -> Option<When> {
        self.is_timed.then_some(self.closed_at)
    }

    /// The first and the last moment that its evidence names.
    pub fn span(&self) -> Option<(Instant, Instant)> {
        self.is_proven.then_some((self.span[0], self.span[1]))
    }

    /// `c12`.
    pub fn id(&self) -> String {
        format!("c{}", self.number)
    }

    /// Cause.
    pub fn cause(&self) -> Word {
        self.cause.text()
    }

    /// Detail.
    pub fn detail(&self) -> Word {
        self.detail.text()
    }

    /// Index into the joined list.
    pub const fn joined(&self) -> usize {
        self.joined as usize
    }

    /// Index of the server life it went to.
    pub fn server_life(&self) -> Option<usize> {
        self.server_life.get()
    }
}

impl Shelved for Close {
    type Sketch = CloseSketch;

    fn sketch(&self) -> CloseSketch {
        let moments = || self.evidence.iter().filter_map(|piece| Some(piece.at?.at));
        // Lists in memory have fewer than 2^32 members.
        let span = moments().min().zip(moments().max());
        let (first, last) = span.unwrap_or((NEVER.at, NEVER.at));
        CloseSketch {
            closed_at: self.closed_at.unwrap_or(NEVER),
            span: [first, last],
            number: self
                .id
                .strip_prefix('c')
                .and_then(|number| number.parse().ok())
                .unwrap_or(0),
            joined: self.joined as u32,
            server_life: Index::of(self.server_life),
            evidence: self.evidence.len() as u32,
            remedies: self.remedy.len() as u32,
            cause: word::name(self.cause),
            detail: word::name(self.detail),
            client_name: self.client_name,
            client_lang: self.client_lang,
            client_version: self.client_version,
            host: self.client_side.or(self.client).map(|address| address.ip()),
            confidence: self.confidence,
            attempt: self.attempt,
            is_timed: self.closed_at.is_some(),
            is_proven: span.is_some(),
        }
    }

    fn recall(&mut self, sketch: &CloseSketch) {
        self.id = sketch.id();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sketch_is_short() {
        assert!(size_of::<CloseSketch>() <= 112);
    }
}
