//! One direction of a connection as it goes by: what was sent, sent again, acknowledged, and what the window allowed.
//!
//! A passive observer's variables (`next`, `acked`, `window`), not an endpoint's. RFC 9293 section 3.3.1 for positions,
//! RFC 7323 for window scaling; the tests of Wireshark's `tcp.analysis` where they name something.

use std::collections::VecDeque;

use super::assembler::Assembler;
use super::conn::{Flow, RetransmissionRun};
use super::seq::{Seq, Unwrap};
use crate::parse::packet::{FIN, SYN, Segment};
use crate::span::Moment;

/// A flow and what is needed to judge its next segment.
#[derive(Clone, Debug, Default)]
pub struct FlowState {
    /// The result so far.
    pub flow: Flow,
    /// Sequence numbers to positions; `None` until a number of this flow was seen.
    pub place: Option<Unwrap>,
    /// Which payload bytes were seen.
    pub present: Assembler,
    /// Position behind everything sent, SYN and FIN included.
    pub next: i64,
    /// Position that an empty segment carried, where it lay behind `next`: what is between was sent and never seen.
    pub empty_ahead: i64,
    /// Position up to which the peer acknowledged.
    pub acked: i64,
    /// Position of the FIN.
    pub fin_at: Option<i64>,
    /// The acknowledgement that this end sent last, a position of the peer's.
    pub last_ack: Option<i64>,
    /// Equal acknowledgements of this end in a row.
    pub duplicate_acks: u32,
    /// The window field as sent last; `None` before the first packet.
    pub raw_window: Option<u16>,
    /// The snap length cut this end's SYN in front of where a window scale may stand.
    pub unknown_scale: bool,
    /// The window scale that holds for this end's window; `None` when the handshake was not seen.
    pub scale: Option<u8>,
    /// Since when the window is zero.
    pub zero_since: Option<Moment>,
    /// The last packet was a keepalive or a zero-window probe: its answer is no duplicate acknowledgement.
    pub probing: Probe,
    /// Keepalives or probes in a row without an answer.
    pub unanswered_probes: u32,
    /// Since when there is a hole in front.
    pub hole_since: Option<i64>,
    /// IP identifications and timestamps of its own packets.
    pub habits: Habits,
    sent: VecDeque<Sent>,
    run: Option<Box<RetransmissionRun>>,
    recent: Recent,
}

/// What the last packet of an end asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Probe {
    /// Nothing.
    #[default]
    None,
    /// A keepalive.
    KeepAlive,
    /// A zero-window probe.
    ZeroWindow,
}

/// A first transmission that is not acknowledged yet.
#[derive(Clone, Copy, Debug)]
struct Sent {
    start: i64,
    end: i64,
    at: Moment,
    again: bool,
}

/// How an end fills in header fields that a middlebox gets wrong.
#[derive(Clone, Copy, Debug, Default)]
pub struct Habits {
    /// Packets that are no RST.
    pub packets: u32,
    /// The last IP identification that was not 0, on a packet that is no RST.
    pub ip_id: Option<u16>,
    /// Packets whose identification went on from the one before by a small step.
    pub steps: u32,
    /// Packets with identification 0.
    pub zeros: u32,
    /// Packets after the SYN carry timestamps.
    pub timestamps: bool,
    /// The last timestamp value.
    pub tsval: Option<u32>,
    /// The identification of the packet that carried the highest position.
    pub ip_id_at_next: Option<u16>,
    /// Its timestamp.
    pub tsval_at_next: Option<u32>,
}

/// The largest step between two identifications of one sender that still counts as going on.
pub const ID_STEP: u16 = 1024;

impl Habits {
    /// The segment carried the highest position so far.
    pub fn reached(&mut self, segment: &Segment) {
        self.ip_id_at_next = segment.ip_id;
        self.tsval_at_next = segment.options.timestamps.map(|stamps| stamps.0);
    }

    fn note(&mut self, segment: &Segment) {
        self.packets = self.packets.saturating_add(1);
        match segment.ip_id {
            Some(0) => self.zeros += 1,
            Some(id) => {
                if let Some(last) = self.ip_id
                    && (1..=ID_STEP).contains(&id.wrapping_sub(last))
                {
                    self.steps += 1;
                }
                self.ip_id = Some(id);
            }
            None => {}
        }
        if let Some((tsval, _)) = segment.options.timestamps {
            self.timestamps = true;
            self.tsval = Some(tsval);
        }
    }

    /// Identifications mostly go on from one packet to the next.
    pub const fn ids_count_up(&self) -> bool {
        self.steps >= 2 && self.steps * 2 >= self.packets.saturating_sub(self.zeros + 1)
    }
}

/// The last few packets, to know a packet that the capture recorded twice.
#[derive(Clone, Copy, Debug, Default)]
struct Recent {
    /// Their sequence numbers: hardly any is met again, and then nothing else is looked at.
    seqs: [u32; 4],
    marks: [Mark; 4],
    at: u8,
}

#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    ns: i64,
    ack: u32,
    len: u32,
    tsval: u32,
    ip_id: u16,
    window: u16,
    flags: u8,
    options: u8,
    interface: u32,
}

impl Recent {
    /// The same IPv4 identification does not come back within this time for other bytes.
    const SAME_ID: i64 = 1_000_000_000;
    /// Packets without identification: retransmissions take a round trip at least, copies do not.
    const NO_ID: i64 = 1_000_000;

    /// The peer sent its SYN once more: a SYN-ACK after it answers that one. Linux gives every SYN-ACK the identification 0.
    fn forget_syn_ack(&mut self) {
        for mark in &mut self.marks {
            if mark.flags & SYN != 0 {
                *mark = Mark::default();
            }
        }
    }

    /// Says whether the packet was just seen, and remembers it if not.
    fn seen(&mut self, segment: &Segment, ns: i64, interface: u32) -> bool {
        let mark = Mark {
            ns,
            ack: segment.ack,
            len: segment.len,
            tsval: segment.options.timestamps.map_or(0, |stamps| stamps.0),
            ip_id: segment.ip_id.unwrap_or(0),
            window: segment.window,
            flags: segment.flags,
            options: segment.options.len,
            interface,
        };
        let seen = self.seqs.iter().zip(&self.marks).any(|(seq, old)| {
            let same = *seq == segment.seq
                && old.ip_id == mark.ip_id
                && old.ack == mark.ack
                && old.len == mark.len
                && old.flags == mark.flags
                && old.tsval == mark.tsval
                && old.window == mark.window
                && old.options == mark.options
                && old.ns != 0;
            let apart = (mark.ns - old.ns).abs();
            // Pure acknowledgements may rightly be equal, and so may RSTs for a socket that is gone, one for each packet that
            // they answer; seen on another interface they are copies.
            let once = mark.len > 0 || mark.flags & (SYN | FIN) != 0;
            same && if mark.ip_id != 0 {
                apart < Self::SAME_ID
            } else {
                apart < Self::NO_ID && (once || mark.interface != old.interface)
            }
        });
        if !seen {
            let at = usize::from(self.at);
            self.seqs[at] = segment.seq;
            self.marks[at] = mark;
            self.at = (self.at + 1) % self.marks.len() as u8;
        }
        seen
    }
}

impl FlowState {
    /// Unacknowledged first transmissions remembered; every second one is forgotten beyond that.
    const SENT: usize = 256;

    /// The capture recorded this packet just before.
    pub fn is_capture_duplicate(&mut self, segment: &Segment, ns: i64, interface: u32) -> bool {
        self.recent.seen(segment, ns, interface)
    }

    /// The peer's SYN came: the next SYN-ACK is no copy of an earlier one.
    pub fn owes_syn_ack(&mut self) {
        self.recent.forget_syn_ack();
    }

    /// Starts positions at a SYN.
    pub fn begin(&mut self, isn: Seq) {
        self.place = Some(Unwrap::at(isn));
        self.next = 1;
        self.present = Assembler::at(1);
    }

    /// Starts positions midstream, at the first byte seen or awaited.
    pub fn begin_midstream(&mut self, first: Seq) {
        self.place = Some(Unwrap::at(Seq(first.0.wrapping_sub(1))));
        self.next = 1;
        self.acked = 1;
        self.present = Assembler::at(1);
    }

    /// Counts a packet of this end and learns its habits. A RST may be a stranger's: nothing is learnt from it.
    pub fn count(&mut self, segment: &Segment, at: Moment, is_rst: bool) {
        self.flow.packets += 1;
        self.flow.last_packet = Some(at);
        self.flow.snapped_bytes += u64::from(segment.len - segment.payload_len.min(segment.len));
        if !is_rst {
            self.habits.note(segment);
            self.flow.ttl = Some(match self.flow.ttl {
                Some((low, high)) => (low.min(segment.ttl), high.max(segment.ttl)),
                None => (segment.ttl, segment.ttl),
            });
        }
    }

    /// Remembers a first transmission.
    pub fn sent(&mut self, start: i64, end: i64, at: Moment) {
        if self.sent.len() >= Self::SENT {
            let mut index = 0;
            self.sent.retain(|_| {
                index += 1;
                index % 2 == 1
            });
        }
        self.sent.push_back(Sent {
            start,
            end,
            at,
            again: false,
        });
    }

    /// Counts a retransmission of what begins at `start`.
    pub fn retransmitted(&mut self, start: i64, len: u32, at: Moment) {
        self.flow.retransmissions += 1;
        self.flow.retransmitted_bytes += u64::from(len);
        let place = self.sent.partition_point(|sent| sent.end <= start);
        if let Some(sent) = self.sent.get_mut(place) {
            sent.again = true;
        }
        // Only what is still unacknowledged makes a run: a spurious retransmission waits for nothing.
        if start + i64::from(len.max(1)) <= self.acked {
            self.flow.spurious_retransmissions += 1;
            return;
        }
        let run = self.run.get_or_insert_with(|| {
            Box::new(RetransmissionRun {
                first: at,
                last: at,
                count: 0,
            })
        });
        run.last = at;
        run.count += 1;
        let longer = |worst: &RetransmissionRun| {
            (run.count, run.last.ns - run.first.ns) > (worst.count, worst.last.ns - worst.first.ns)
        };
        let worst = self.flow.worst_retransmissions.as_deref();
        if worst.is_none_or(longer) {
            self.flow.worst_retransmissions = Some(run.clone());
        }
    }

    /// The peer acknowledged up to `position`, which is new.
    pub fn acknowledged(&mut self, position: i64) {
        self.acked = position;
        self.next = self.next.max(position);
        self.run = None;
        self.unanswered_probes = 0;
        while let Some(sent) = self.sent.front() {
            if sent.end > position {
                break;
            }
            self.flow.largest_acked = self.flow.largest_acked.max((sent.end - sent.start) as u32);
            self.sent.pop_front();
        }
        if self.fin_at.is_some_and(|fin| position > fin) {
            self.flow.fin_acked = true;
            // The connection is kept for a while yet.
            self.sent.shrink_to_fit();
        }
    }

    /// Payload bytes sent or acknowledged end here.
    fn data_end(&self) -> i64 {
        self.fin_at.unwrap_or(self.next).min(self.next)
    }

    /// Payload bytes sent and not acknowledged.
    pub fn outstanding(&self) -> u64 {
        (self.data_end() - self.acked.max(1)).max(0) as u64
    }

    /// Retransmissions since the last new acknowledgement.
    pub fn run(&self) -> Option<&RetransmissionRun> {
        self.run.as_deref()
    }

    /// Segments of this end were lost before, more than once: a FIN or RST of its own may have been too.
    pub fn loses(&self) -> bool {
        self.flow.retransmissions >= 2
    }

    /// The last that this end sent was one of several retransmissions: a FIN waits behind what they repeat, so that its
    /// socket may be gone without a word.
    pub fn fell_silent_retransmitting(&self) -> bool {
        self.flow
            .worst_retransmissions
            .as_deref()
            .is_some_and(|run| run.count >= 2 && self.flow.last_packet == Some(run.last))
    }

    /// The window as the peer may use it.
    pub fn window(&self) -> Option<u64> {
        Some(u64::from(self.raw_window?) << self.scale.unwrap_or(0))
    }

    /// Notes the window of a packet, which `is_handshake` packets carry unscaled.
    pub fn take_window(&mut self, raw: u16, at: Moment, is_handshake: bool) {
        self.raw_window = Some(raw);
        let scale = if is_handshake {
            0
        } else {
            self.scale.unwrap_or(0)
        };
        let window = u64::from(raw) << scale;
        self.flow.window = Some(window);
        if is_handshake {
            return;
        }
        let seen_before = self.flow.window_max > 0 || self.flow.zero_windows > 0;
        self.flow.window_min = if seen_before {
            self.flow.window_min.min(window)
        } else {
            window
        };
        self.flow.window_max = self.flow.window_max.max(window);
        if raw == 0 {
            if self.zero_since.is_none() {
                self.zero_since = Some(at);
                self.flow.zero_windows += 1;
            }
        } else if let Some(since) = self.zero_since.take() {
            self.flow.zero_window_ns += (at.ns - since.ns).max(0);
        }
        // Too small for one segment counts as shut for as long as it lasts, where the scale is known.
        let segment = u64::from(self.flow.mss.unwrap_or(536));
        let shut = raw == 0 || self.scale.is_some() && window < segment;
        if !shut {
            self.flow.zero_window_since = None;
        } else if self.flow.zero_window_since.is_none() {
            self.flow.zero_window_since = Some(at);
        }
    }

    /// Closes the account: `end` is the connection's last packet, `peer_seen` whether the capture holds packets of the
    /// other end, without which nothing can be said about acknowledgements.
    pub fn finish(&mut self, end: Moment, peer_seen: bool) -> Flow {
        let data_end = self.data_end();
        let outstanding = self.outstanding();
        let never_seen = self.present.missing_below(self.acked.min(data_end));
        self.flow.capture_lost_bytes += never_seen;
        if let Some(since) = self.zero_since {
            self.flow.zero_window_ns += (end.ns - since.ns).max(0);
        }
        if peer_seen {
            self.flow.unacked_bytes = outstanding;
            let mut waiting = self.sent.iter().filter(|sent| sent.end > self.acked);
            if outstanding > 0 {
                self.flow.unacked_since = waiting.clone().next().map(|sent| sent.at);
            }
            let fin_waits = self.fin_at.is_some_and(|fin| self.acked <= fin);
            if outstanding > 0 || fin_waits {
                self.flow.final_retransmissions = self.run.take();
            }
            self.flow.largest_lost = waiting
                .by_ref()
                .filter(|sent| sent.again)
                .map(|sent| (sent.end - sent.start) as u32)
                .max()
                .unwrap_or(0);
        }
        std::mem::take(&mut self.flow)
    }
}
