//! What of a close is always at hand: what reports count, group and order by.

use std::net::IpAddr;
use std::sync::Arc;

use super::finding::{Close, Confidence};
use crate::align::clock::When;
use crate::shelf::Shelved;
use crate::shelf::word::{Word, shared};
use crate::time::Instant;

/// A close in short.
#[derive(Clone, Debug)]
pub struct CloseSketch {
    /// Its place in the list, from 1.
    pub number: u32,
    /// Index into the joined list.
    pub joined: usize,
    /// Cause.
    pub cause: Word,
    /// Detail.
    pub detail: Word,
    /// Confidence.
    pub confidence: Confidence,
    /// It never became a session.
    pub attempt: bool,
    /// When it was closed.
    pub closed_at: Option<When>,
    /// The first and the last moment that its evidence names.
    pub span: Option<(Instant, Instant)>,
    /// Pieces of evidence.
    pub evidence: usize,
    /// Things to do.
    pub remedies: usize,
    /// Index of the server life it went to.
    pub server_life: Option<usize>,
    /// Client name.
    pub client_name: Option<Arc<str>>,
    /// Client library.
    pub client_lang: Option<Arc<str>>,
    /// Its version.
    pub client_version: Option<Arc<str>>,
    /// Where the client is: its own address, else the one that the server sees.
    pub host: Option<IpAddr>,
}

impl CloseSketch {
    /// `c12`.
    pub fn id(&self) -> String {
        format!("c{}", self.number)
    }
}

impl Shelved for Close {
    type Sketch = CloseSketch;

    fn sketch(&self) -> CloseSketch {
        let moments = || self.evidence.iter().filter_map(|piece| Some(piece.at?.at));
        let name = |name: &Option<String>| name.as_deref().map(shared);
        CloseSketch {
            number: self
                .id
                .strip_prefix('c')
                .and_then(|number| number.parse().ok())
                .unwrap_or(0),
            joined: self.joined,
            cause: self.cause,
            detail: self.detail,
            confidence: self.confidence,
            attempt: self.attempt,
            closed_at: self.closed_at,
            span: moments().min().zip(moments().max()),
            evidence: self.evidence.len(),
            remedies: self.remedy.len(),
            server_life: self.server_life,
            client_name: name(&self.client_name),
            client_lang: name(&self.client_lang),
            client_version: name(&self.client_version),
            host: self.client_side.or(self.client).map(|address| address.ip()),
        }
    }

    fn recall(&mut self, sketch: &CloseSketch) {
        self.id = sketch.id();
    }
}
