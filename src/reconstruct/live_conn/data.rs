//! A segment with payload or FIN: new, sent again, out of order, or behind a hole.

use super::{LiveConn, index};
use crate::parse::packet::Segment;
use crate::reconstruct::anomaly::{name, note};
use crate::reconstruct::conn::{End, Sample};
use crate::reconstruct::seq::Seq;
use crate::span::Moment;

/// Packets that are out of order rather than sent again, if nothing else tells, arrive within this time (Wireshark's
/// default), or within a round trip.
const REORDERED: i64 = 3_000_000;

/// A fast retransmission comes this soon after the receiver's last packet (Wireshark's value).
const FAST: i64 = 20_000_000;

impl LiveConn {
    /// A segment with payload.
    pub(super) fn data(
        &mut self,
        end: End,
        segment: &Segment,
        payload: &[u8],
        start: i64,
        at: Moment,
    ) -> &'static str {
        let (me, peer) = (index(end), index(end.other()));
        let len = segment.len;
        let stop = start + i64::from(len);
        let window = self.flows[peer].window();
        let flow = &mut self.flows[me];
        let next = flow.next;
        // Behind the farthest window: not of this stream.
        if start - next >= 1 << 30 || next - stop >= 1 << 30 {
            return "";
        }
        let had_holes = flow.present.has_holes();
        let added = flow.present.add(start, stop);
        flow.flow.bytes += u64::from(added.new);
        let mut seen = "";
        let advances = stop > next;
        // What lies before an empty segment's number was sent before it.
        let sent = next.max(flow.empty_ahead);
        if start > sent {
            seen = name::LOST_SEGMENT;
        } else if start < sent {
            let receiver = &self.flows[peer];
            let last = receiver.flow.last_packet.map_or(i64::MIN, |last| last.ns);
            // Behind the receiver's FIN its last packet may be a RST, which asks for nothing.
            let asked_for = receiver.duplicate_acks >= 2
                && receiver.fin_at.is_none()
                && at.ns.saturating_sub(last) < FAST
                && receiver.last_ack == Some(start);
            seen = if added.new == 0 && stop <= self.flows[me].acked {
                name::SPURIOUS_RETRANSMISSION
            } else if added.new == len && !self.sent_later(me, segment, at) {
                name::OUT_OF_ORDER
            } else if asked_for {
                name::FAST_RETRANSMISSION
            } else {
                name::RETRANSMISSION
            };
        }
        let flow = &mut self.flows[me];
        if seen == name::OUT_OF_ORDER {
            flow.flow.out_of_order += 1;
        } else if !seen.is_empty() && seen != name::LOST_SEGMENT {
            flow.retransmitted(start, len, at);
        }
        if advances {
            flow.next = stop;
            if let Some(place) = &mut flow.place {
                place.follow(Seq(segment.seq).plus(len));
            }
            flow.habits.reached(segment);
            flow.sent(start.max(next), stop, at);
            flow.flow.first_data.get_or_insert(at);
            flow.flow.last_data = Some(at);
            if start >= next {
                self.samples.offer(Sample {
                    from: end,
                    seq: start as u32,
                    len,
                    ns: at.ns,
                    frame: at.frame,
                });
            }
        }
        // The byte behind the window's edge was filled: the sender must now wait.
        if let (Some(window), Some(acked)) = (window, self.flows[peer].last_ack)
            && window > 0
            && self.flows[peer].scale.is_some()
            && stop - acked == window as i64
        {
            note(&mut self.anomalies, name::WINDOW_FULL, end, at);
            if seen.is_empty() {
                seen = name::WINDOW_FULL;
            }
        }
        if !seen.is_empty() && seen != name::WINDOW_FULL {
            note(&mut self.anomalies, seen, end, at);
        }
        self.deliver(end, start, len, payload, at);
        let flow = &mut self.flows[me];
        if !flow.present.has_holes() {
            flow.hole_since = None;
        } else if !had_holes {
            flow.hole_since = Some(at.ns);
        }
        self.give_up_late(end, at);
        seen
    }

    /// A segment that fills a hole was sent after the one that showed the hole: a retransmission of what the capture
    /// missed; else it was only overtaken.
    pub(super) fn sent_later(&self, me: usize, segment: &Segment, at: Moment) -> bool {
        let flow = &self.flows[me];
        let habits = &flow.habits;
        if let (Some(id), Some(before)) = (segment.ip_id, habits.ip_id_at_next)
            && id != before
            && habits.ids_count_up()
        {
            return (id.wrapping_sub(before) as i16) > 0;
        }
        if let (Some((tsval, _)), Some(before)) = (segment.options.timestamps, habits.tsval_at_next)
            && tsval != before
        {
            return Seq(tsval).since(Seq(before)) > 0;
        }
        let since = flow.hole_since.unwrap_or(at.ns);
        at.ns - since > self.handshake.rtt().unwrap_or(0).max(REORDERED)
    }

    pub(super) fn finish_flow(
        &mut self,
        end: End,
        segment: &Segment,
        start: i64,
        at: Moment,
    ) -> &'static str {
        let me = index(end);
        let fin_at = start + i64::from(segment.len);
        self.ended_by.get_or_insert((end, at));
        let flow = &mut self.flows[me];
        if flow.fin_at.is_some() {
            if segment.len > 0 {
                return "";
            }
            flow.retransmitted(fin_at, 0, at);
            note(&mut self.anomalies, name::RETRANSMISSION, end, at);
            return name::RETRANSMISSION;
        }
        flow.fin_at = Some(fin_at);
        flow.flow.fin = Some(at);
        if fin_at + 1 > flow.next {
            flow.next = fin_at + 1;
        }
        self.give_fin(end, at);
        ""
    }
}
