//! Payload in order to the session builder; holes waited for and given up.

use std::sync::Arc;

use super::{Follow, LiveConn, index};
use crate::reconstruct::assembler::{Piece, give_from};
use crate::reconstruct::conn::End;
use crate::reconstruct::session_builder::SessionBuilder;
use crate::span::Moment;

/// The peer has the bytes behind a hole in the capture: how long the missing packet may still turn up, recorded late.
const LATE: i64 = 20_000_000;

impl LiveConn {
    /// Hands payload to the session builder in order; what lies behind a hole is kept.
    pub(super) fn deliver(&mut self, end: End, start: i64, len: u32, payload: &[u8], at: Moment) {
        let me = index(end);
        if let Follow::Undecided(keys) = &self.follow
            && end == End::Resp
        {
            if start > self.delivered[me] {
                return;
            }
            if payload.starts_with(b"INFO {") {
                self.wanted = true;
                self.delivered[0] = self.flows[0].present.front();
                self.delivered[1] = start;
                let port = self.tuple.resp.port();
                let builder = SessionBuilder::with_keys(port, Arc::clone(keys));
                self.follow = Follow::Yes(Box::new(builder));
            } else {
                self.follow = Follow::No;
            }
        }
        let Follow::Yes(builder) = &mut self.follow else {
            return;
        };
        let present = &mut self.flows[me].present;
        let mut give = |piece: Piece<'_>| match piece {
            Piece::Bytes(at, bytes) => builder.data(end, at, bytes),
            Piece::Gap(at, len) => builder.gap(end, at, len),
        };
        if start <= self.delivered[me] {
            self.delivered[me] = give_from(self.delivered[me], start, at, len, payload, &mut give);
            if present.held_bytes() > 0 || present.front() > self.delivered[me] {
                self.delivered[me] = present.release(self.delivered[me], give);
            }
        } else if !present.hold(start, at, len, payload) {
            self.skip_hole(end);
            self.deliver(end, start, len, payload, at);
            return;
        }
        self.give_fin(end, at);
    }

    pub(super) fn give_fin(&mut self, end: End, at: Moment) {
        let me = index(end);
        if let (Follow::Yes(builder), Some(fin_at)) = (&mut self.follow, self.flows[me].fin_at)
            && !self.fin_given[me]
            && self.delivered[me] >= fin_at
        {
            self.fin_given[me] = true;
            builder.fin(end, at);
        }
    }

    /// Gives the first hole up: nobody will fill it.
    pub(super) fn skip_hole(&mut self, end: End) {
        let me = index(end);
        let flow = &mut self.flows[me];
        let Some(behind) = flow.present.hole_end() else {
            // Nothing is missing, yet something is kept: it lies below the front by now.
            self.release(end);
            return;
        };
        let acked = flow.acked;
        let hole = flow.present.skip_hole();
        if acked >= behind {
            flow.flow.capture_lost_bytes += hole;
        }
        flow.hole_since = flow.hole_since.filter(|_| flow.present.has_holes());
        self.release(end);
    }

    pub(super) fn release(&mut self, end: End) {
        let me = index(end);
        let front = self.flows[me].present.front();
        let Follow::Yes(builder) = &mut self.follow else {
            self.delivered[me] = front;
            return;
        };
        let delivered = self.flows[me]
            .present
            .release(self.delivered[me], |piece| match piece {
                Piece::Bytes(at, bytes) => builder.data(end, at, bytes),
                Piece::Gap(at, len) => builder.gap(end, at, len),
            });
        self.delivered[me] = delivered.max(front);
        if delivered < front {
            builder.gap(end, self.last, (front - delivered) as u64);
        }
        let last = self.last;
        self.give_fin(end, last);
    }

    /// The peer has what the capture has not: the hole is the capture's own, and will not be filled.
    pub(super) fn give_up_late(&mut self, end: End, at: Moment) {
        let flow = &self.flows[index(end)];
        let late = flow.hole_since.is_some_and(|since| at.ns - since > LATE);
        let has_it = flow
            .present
            .hole_end()
            .is_some_and(|behind| flow.acked >= behind);
        if late && has_it {
            self.skip_hole(end);
        }
    }

    /// Gives up every hole, to free memory.
    pub fn give_up_holes(&mut self) {
        for end in [End::Orig, End::Resp] {
            while self.flows[index(end)].present.has_holes() {
                self.skip_hole(end);
            }
        }
    }
}
