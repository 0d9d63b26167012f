//! Builds a [`Session`] from the bytes of a connection as they are reassembled.
//!
//! Invariant: the result depends on the bytes, their moments and the holes between them, not on how the bytes were cut
//! into calls nor on how the two directions interleave.

use std::sync::Arc;

use super::conn::End;
use super::key_log::KeyRing;
use super::session::Session;
use super::session::direction::Direction;
use super::session::facts::{Facts, Listener, index};
use super::session::speaker::Speaker;
use super::session::verdict::{self, Ended};
use crate::span::Moment;

/// A session in the making; small, since every live connection holds one.
#[derive(Debug)]
pub struct SessionBuilder {
    resp_port: u16,
    keys: Option<Arc<KeyRing>>,
    directions: [Direction; 2],
    speakers: [Speaker; 2],
    facts: Facts,
    /// The end of each direction: when, and by a FIN.
    ended: [Option<Ended>; 2],
}

impl SessionBuilder {
    /// A session on a connection whose responder listens on `resp_port`.
    pub fn new(resp_port: u16) -> Self {
        Self {
            resp_port,
            keys: None,
            directions: Default::default(),
            speakers: Default::default(),
            facts: Facts::default(),
            ended: [None; 2],
        }
    }

    /// The same, with secrets that may open its TLS records.
    pub fn with_keys(resp_port: u16, keys: Arc<KeyRing>) -> Self {
        Self {
            keys: Some(keys),
            ..Self::new(resp_port)
        }
    }

    /// Bytes of one end, in order, each once.
    pub fn data(&mut self, from: End, at: Moment, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.facts.any_from[index(from)] = true;
        let (direction, mut listener) = self.split(from);
        direction.data(at, bytes, &mut listener);
    }

    /// Bytes of one end that the capture does not hold: lost by the capture, or cut off by its snap length.
    pub fn gap(&mut self, from: End, at: Moment, len: u64) {
        if len == 0 {
            return;
        }
        let (direction, mut listener) = self.split(from);
        direction.gap(at, len, &mut listener);
    }

    /// The end of a direction, in order.
    pub fn fin(&mut self, from: End, at: Moment) {
        self.end(from, at, true);
    }

    /// The session, or `None` if no payload byte was ever seen. `end` is the connection's last packet.
    pub fn finish(mut self, end: Moment) -> Option<Box<Session>> {
        self.end(End::Orig, end, false);
        self.end(End::Resp, end, false);
        if self.facts.any_from == [false; 2] {
            return None;
        }
        Some(Box::new(verdict::session(
            self.facts,
            self.speakers,
            self.ended,
            self.resp_port,
        )))
    }

    fn end(&mut self, from: End, at: Moment, by_fin: bool) {
        if self.ended[index(from)].is_some() {
            return;
        }
        self.ended[index(from)] = Some(Ended { at, by_fin });
        if by_fin {
            self.speakers[index(from)].closed(at);
        }
        let (direction, mut listener) = self.split(from);
        direction.end(at, by_fin, &mut listener);
    }

    fn split(&mut self, from: End) -> (&mut Direction, Listener<'_>) {
        let [orig, resp] = &mut self.speakers;
        let (me, peer) = match from {
            End::Orig => (orig, resp),
            End::Resp => (resp, orig),
        };
        (
            &mut self.directions[index(from)],
            Listener {
                from,
                me,
                peer,
                facts: &mut self.facts,
                keys: self.keys.as_deref(),
            },
        )
    }
}
