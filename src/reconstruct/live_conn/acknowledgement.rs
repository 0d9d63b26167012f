//! What an acknowledgement says about the flow that it acknowledges, and the named kinds of repeated ones.

use super::{LiveConn, index};
use crate::parse::packet::{FIN, SYN, Segment};
use crate::reconstruct::anomaly::{name, note};
use crate::reconstruct::conn::End;
use crate::reconstruct::flow::Probe;
use crate::reconstruct::seq::Seq;
use crate::span::Moment;

/// New acknowledgements after a silence, beyond which what follows is a conversation and no fatal exchange.
const CONVERSATION: u32 = 8;

impl LiveConn {
    /// What the acknowledgement says about the peer's flow.
    pub(super) fn acknowledge(
        &mut self,
        end: End,
        segment: &Segment,
        start: i64,
        at: Moment,
    ) -> &'static str {
        /// Acknowledgements further away than any window reaches are not believed.
        const FARTHEST: i64 = 1 << 30;
        let (me, peer) = (index(end), index(end.other()));
        let acked = Seq(segment.ack);
        let mut seen = "";
        if self.flows[peer].place.is_none() {
            self.flows[peer].begin_midstream(acked);
        }
        let Some(place) = self.flows[peer].place else {
            return seen;
        };
        let position = place.position(acked);
        if segment.options.sacks > 0 {
            self.flows[me].flow.sack_acks += 1;
        }
        let answered = self.flows[peer].probing;
        if position > self.flows[peer].acked && position - self.flows[peer].next < FARTHEST {
            let flow = &mut self.flows[peer];
            if position > flow.next {
                note(&mut self.anomalies, name::ACK_LOST_SEGMENT, end, at);
                seen = name::ACK_LOST_SEGMENT;
                // No segment brought the flow this far, so none tells whether what is missing was sent earlier; the time
                // since now does.
                flow.habits.ip_id_at_next = None;
                flow.habits.tsval_at_next = None;
                flow.hole_since.get_or_insert(at.ns);
            }
            let data = position > 1;
            flow.acknowledged(position);
            if let Some(place) = &mut flow.place {
                place.follow(acked);
            }
            self.flows[me].flow.last_new_ack = Some(at);
            if data {
                self.acks_since_silence = self.acks_since_silence.saturating_add(1);
                if self.acks_since_silence > CONVERSATION {
                    self.last_silence = None;
                }
            }
            self.flows[me].duplicate_acks = 0;
        } else if segment.len == 0 && segment.flags & (SYN | FIN) == 0 {
            let own = &self.flows[me];
            let same = own.last_ack == Some(position) && start == own.next;
            if same && answered != Probe::None {
                self.flows[peer].unanswered_probes = 0;
                self.flows[peer].probing = Probe::None;
                seen = if answered == Probe::KeepAlive {
                    name::KEEP_ALIVE_ACK
                } else {
                    name::ZERO_WINDOW_PROBE_ACK
                };
                note(&mut self.anomalies, seen, end, at);
            } else if same && segment.window != 0 {
                let sacks = segment.options.sacks > 0;
                if own.raw_window == Some(segment.window) || sacks {
                    self.flows[me].flow.duplicate_acks += 1;
                    self.flows[me].duplicate_acks += 1;
                    seen = name::DUPLICATE_ACK;
                } else {
                    seen = name::WINDOW_UPDATE;
                }
                note(&mut self.anomalies, seen, end, at);
            }
        }
        let latest = self.flows[me].last_ack.unwrap_or(i64::MIN);
        self.flows[me].last_ack = Some(latest.max(position));
        self.give_up_late(end.other(), at);
        seen
    }
}
