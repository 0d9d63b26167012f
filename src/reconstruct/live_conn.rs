//! A connection while its packets go by: two flows, the handshake, how it ends, and the NATS session on it.

use super::anomaly::{name, note};
use super::assembler::{Piece, give_from};
use super::conn::{
    Conn, ConnEnd, End, FourTuple, Handshake, IcmpSeen, Manner, Rst, Sample, Silence, TailPacket,
};
use super::conn_state::ConnState;
use super::flow::{FlowState, Probe};
use super::rst;
use super::sample::Samples;
use super::seq::Seq;
use super::session_builder::SessionBuilder;
use super::tail::Tail;
use crate::parse::packet::{ACK, FIN, IcmpError, RST, SYN, Segment, Tunnel};
use crate::source::SourceId;
use crate::span::Moment;
use crate::time::SECOND;

/// A silence worth keeping as the one before the end: shorter ones are ordinary pauses.
const IDLE: i64 = SECOND;

/// New acknowledgements after a silence, beyond which what follows is a conversation and no fatal exchange.
const CONVERSATION: u32 = 8;

/// The peer has the bytes behind a hole in the capture: how long the missing packet may still turn up, recorded late.
const LATE: i64 = 20_000_000;

/// Packets that are out of order rather than sent again, if nothing else tells, arrive within this time (Wireshark's
/// default), or within a round trip.
const REORDERED: i64 = 3_000_000;

/// A capture of one end's fast retransmission comes this soon after the duplicate acknowledgements (Wireshark's value).
const FAST: i64 = 20_000_000;

/// RSTs and ICMP errors kept.
const FEW: usize = 8;

/// Whether the payload is handed to a session builder.
enum Follow {
    No,
    /// Until the responder's first payload shows whether this is NATS.
    Undecided,
    Yes(Box<SessionBuilder>),
}

/// A connection being followed.
pub struct LiveConn {
    source: SourceId,
    /// Its ends.
    pub tuple: FourTuple,
    tunnel: Option<Tunnel>,
    /// First packet.
    pub first: Moment,
    /// Last packet.
    pub last: Moment,
    handshake: Handshake,
    /// Originator's and responder's flow.
    flows: [FlowState; 2],
    delivered: [i64; 2],
    fin_given: [bool; 2],
    first_payload: [Option<u64>; 2],
    /// Zeek's view.
    pub state: ConnState,
    rsts: Vec<Rst>,
    icmp: Vec<IcmpSeen>,
    anomalies: Vec<super::conn::Anomaly>,
    tail: Tail,
    samples: Samples,
    ended_by: Option<(End, Moment)>,
    longest_silence: Option<Silence>,
    last_silence: Option<Silence>,
    acks_since_silence: u32,
    previous: Option<(End, u8, u32, Moment)>,
    follow: Follow,
    replaced: bool,
    /// The port is one of those asked for, or the payload shows NATS.
    pub wanted: bool,
}

/// How a connection is to be followed.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// It is one of those asked for: reassemble it.
    pub wanted: bool,
    /// Look for an INFO banner.
    pub detect: bool,
}

const fn index(end: End) -> usize {
    match end {
        End::Orig => 0,
        End::Resp => 1,
    }
}

impl LiveConn {
    /// A connection whose first packet arrives at `at`; `flipped` when that packet is the responder's.
    pub fn new(
        source: SourceId,
        tuple: FourTuple,
        tunnel: Option<Tunnel>,
        at: Moment,
        flipped: bool,
        wish: Wish,
    ) -> Self {
        let follow = if wish.wanted {
            Follow::Yes(Box::new(SessionBuilder::new(tuple.resp.port())))
        } else if wish.detect {
            Follow::Undecided
        } else {
            Follow::No
        };
        Self {
            source,
            tuple,
            tunnel,
            first: at,
            last: at,
            handshake: Handshake::default(),
            flows: Default::default(),
            delivered: [1; 2],
            fin_given: [false; 2],
            first_payload: [None; 2],
            state: ConnState::new(flipped),
            rsts: Vec::new(),
            icmp: Vec::new(),
            anomalies: Vec::new(),
            tail: Tail::default(),
            samples: Samples::default(),
            ended_by: None,
            longest_silence: None,
            last_silence: None,
            acks_since_silence: 0,
            previous: None,
            follow,
            replaced: false,
            wanted: wish.wanted,
        }
    }

    /// A FIN of both ends or a RST was seen: what follows is an afterglow.
    pub fn is_over(&self) -> bool {
        !self.rsts.is_empty() || self.flows.iter().all(|flow| flow.fin_at.is_some())
    }

    /// Only SYNs of the originator were seen.
    pub fn is_attempt(&self) -> bool {
        self.flows[1].flow.packets == 0
            && self.flows[0].flow.packets == u64::from(self.handshake.syns)
    }

    /// The responder sent payload.
    pub fn has_answer(&self) -> bool {
        self.flows[1].flow.first_data.is_some()
    }

    /// A SYN with this number begins another connection on the same ports.
    pub fn is_reused_by(&self, segment: &Segment) -> bool {
        if !segment.has(SYN) || segment.has(ACK) {
            return false;
        }
        match self.handshake.syn {
            Some(_) => self.flows[0].flow.isn != Some(segment.seq),
            // Midstream so far: a SYN is a new connection, except when the SYN,ACK was merely recorded first.
            None => self.flows[0].flow.packets > 0 || self.is_over(),
        }
    }

    /// The same ports were used again.
    pub fn replace(&mut self) {
        self.replaced = true;
    }

    /// Payload bytes kept behind holes.
    pub fn held_bytes(&self) -> usize {
        self.flows[0].present.held_bytes() + self.flows[1].present.held_bytes()
    }

    /// Gives up every hole, to free memory.
    pub fn give_up_holes(&mut self) {
        for end in [End::Orig, End::Resp] {
            while self.flows[index(end)].present.has_holes() {
                self.skip_hole(end);
            }
        }
    }

    /// Takes the next segment; `payload` is what was captured of it.
    pub fn segment(
        &mut self,
        end: End,
        segment: &Segment,
        payload: &[u8],
        at: Moment,
        interface: u32,
        host_ttl: Option<(u8, u8)>,
    ) {
        let me = index(end);
        if self.flows[me].is_capture_duplicate(segment, at.ns, interface) {
            self.flows[me].flow.capture_duplicates += 1;
            note(&mut self.anomalies, name::CAPTURE_DUPLICATE, end, at);
            return;
        }
        self.state.segment(end, segment);
        self.silence(at);
        let is_rst = segment.has(RST);
        let seen = if is_rst {
            self.reset(end, segment, at, host_ttl);
            ""
        } else {
            self.ordinary(end, segment, payload, at)
        };
        self.flows[me].count(segment, at, is_rst);
        if !is_rst {
            let handshake = segment.has(SYN);
            self.flows[me].take_window(segment.window, at, handshake);
        }
        self.last = at;
        self.previous = Some((end, segment.flags, segment.len, at));
        let [own, other] = [me, 1 - me].map(|index| self.flows[index].place);
        let window = u64::from(segment.window)
            << if segment.has(SYN) {
                0
            } else {
                self.flows[me].scale.unwrap_or(0)
            };
        self.tail.push(TailPacket {
            at,
            from: end,
            flags: segment.flags,
            seq: own.map_or(segment.seq, |place| place.position(Seq(segment.seq)) as u32),
            ack: match other {
                Some(place) if segment.has(ACK) => place.position(Seq(segment.ack)) as u32,
                _ => 0,
            },
            len: segment.len,
            window: window.min(u64::from(u32::MAX)) as u32,
            note: seen,
        });
    }

    fn silence(&mut self, at: Moment) {
        let silence = Silence {
            from: self.last,
            until: at,
        };
        let length = |silence: Silence| silence.until.ns - silence.from.ns;
        if length(silence) > self.longest_silence.map_or(0, length) {
            self.longest_silence = Some(silence);
        }
        // Waiting for an answer is no silence: retransmissions and probes are part of the exchange that they end.
        let waiting = self
            .flows
            .iter()
            .any(|flow| flow.outstanding() > 0 || flow.unanswered_probes > 0);
        if length(silence) >= IDLE && !waiting && !self.is_over() {
            self.last_silence = Some(silence);
            self.acks_since_silence = 0;
        }
    }

    fn reset(&mut self, end: End, segment: &Segment, at: Moment, host_ttl: Option<(u8, u8)>) {
        self.ended_by.get_or_insert((end, at));
        let (me, peer) = (index(end), index(end.other()));
        let recent_run = |flow: &FlowState| flow.run().is_some_and(|run| run.count >= 2);
        if self.rsts.len() < FEW {
            let context = rst::Context {
                from: end,
                own: &self.flows[me],
                peer: &self.flows[peer],
                host_ttl,
                reset_before: self.rsts.iter().any(|rst| rst.from == end),
                previous: self.previous,
                rtt: self.handshake.rtt(),
                lossy: recent_run(&self.flows[0]) || recent_run(&self.flows[1]),
            };
            self.rsts.push(rst::fingerprint(segment, at, &context));
        }
    }

    /// A segment that is no RST. Returns the name of its oddity, if it has one.
    fn ordinary(
        &mut self,
        end: End,
        segment: &Segment,
        payload: &[u8],
        at: Moment,
    ) -> &'static str {
        let (me, peer) = (index(end), index(end.other()));
        let seq = Seq(segment.seq);
        let mut seen = "";
        if segment.has(SYN) {
            seen = self.synchronise(end, segment, at);
        } else if self.flows[me].place.is_none() {
            self.flows[me].begin_midstream(seq);
        }
        if self.handshake.ack.is_none()
            && end == End::Orig
            && segment.has(ACK)
            && !segment.has(SYN)
            && self.handshake.syn_ack.is_some()
        {
            self.handshake.ack = Some(at);
        }
        let Some(place) = self.flows[me].place else {
            return seen;
        };
        let start = place.position(seq) + i64::from(segment.has(SYN));
        if segment.has(ACK) {
            let named = self.acknowledge(end, segment, start, at);
            if seen.is_empty() {
                seen = named;
            }
        }
        let probe_like = segment.len <= 1
            && segment.flags & (SYN | FIN) == 0
            && start == self.flows[me].next - 1
            && self.flows[me].next > 1;
        let peer_shut = self.flows[peer].raw_window == Some(0);
        if probe_like && (segment.len == 0 || peer_shut || self.flows[me].outstanding() == 0) {
            seen = self.probe(end, peer_shut, at);
        } else if segment.len > 0 {
            let probing = peer_shut && segment.len == 1 && start == self.flows[me].next;
            let named = self.data(end, segment, payload, start, at);
            if probing {
                seen = self.probe(end, true, at);
            } else {
                self.flows[me].probing = Probe::None;
                if !named.is_empty() {
                    seen = named;
                }
            }
        } else if !segment.has(SYN) {
            self.flows[me].probing = Probe::None;
        }
        if segment.has(FIN) {
            let named = self.finish_flow(end, segment, start, at);
            if seen.is_empty() {
                seen = named;
            }
        }
        if segment.window == 0 && segment.flags & (SYN | FIN) == 0 {
            note(&mut self.anomalies, name::ZERO_WINDOW, end, at);
            if seen.is_empty() {
                seen = name::ZERO_WINDOW;
            }
        }
        seen
    }

    fn synchronise(&mut self, end: End, segment: &Segment, at: Moment) -> &'static str {
        let (me, peer) = (index(end), index(end.other()));
        let handshake = &mut self.handshake;
        if segment.has(ACK) || end == End::Resp {
            handshake.syn_ack.get_or_insert(at);
            handshake.syn_acks += 1;
        } else {
            handshake.syn.get_or_insert(at);
            handshake.last_syn = Some(at);
            handshake.syns += 1;
        }
        let flow = &mut self.flows[me];
        if flow.flow.isn == Some(segment.seq) {
            flow.flow.retransmissions += 1;
            note(&mut self.anomalies, name::RETRANSMISSION, end, at);
            return name::RETRANSMISSION;
        }
        if flow.flow.isn.is_some() {
            return "";
        }
        flow.flow.isn = Some(segment.seq);
        flow.flow.mss = segment.options.mss;
        flow.flow.window_scale = segment.options.window_scale;
        flow.begin(Seq(segment.seq));
        self.delivered[me] = 1;
        // Scaling is on when both offered it (RFC 7323 section 2.2).
        if self.flows[peer].flow.isn.is_some() {
            let scales = [0, 1].map(|index| self.flows[index].flow.window_scale);
            let both = scales.iter().all(Option::is_some);
            for (flow, scale) in self.flows.iter_mut().zip(scales) {
                flow.scale = Some(if both { scale.unwrap_or(0) } else { 0 });
            }
        }
        self.samples.offer(Sample {
            from: end,
            seq: 0,
            len: 0,
            ns: at.ns,
            frame: at.frame,
        });
        ""
    }

    /// What the acknowledgement says about the peer's flow.
    fn acknowledge(&mut self, end: End, segment: &Segment, start: i64, at: Moment) -> &'static str {
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
            self.flows[me].duplicate_acks = (0, 0);
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
                    let (count, _) = self.flows[me].duplicate_acks;
                    self.flows[me].duplicate_acks = (count + 1, at.ns);
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

    fn probe(&mut self, end: End, peer_shut: bool, at: Moment) -> &'static str {
        let flow = &mut self.flows[index(end)];
        flow.unanswered_probes += 1;
        let seen = if peer_shut {
            flow.flow.zero_window_probes += 1;
            flow.probing = Probe::ZeroWindow;
            name::ZERO_WINDOW_PROBE
        } else {
            flow.flow.keep_alives += 1;
            flow.probing = Probe::KeepAlive;
            name::KEEP_ALIVE
        };
        note(&mut self.anomalies, seen, end, at);
        seen
    }

    /// A segment with payload.
    fn data(
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
        if start > next {
            seen = name::LOST_SEGMENT;
        } else if start < next {
            seen = if added.new == 0 {
                let duplicate_acks = self.flows[peer].duplicate_acks;
                let flow = &self.flows[me];
                if stop <= flow.acked {
                    name::SPURIOUS_RETRANSMISSION
                } else if duplicate_acks.0 >= 2
                    && at.ns - duplicate_acks.1 < FAST
                    && self.flows[peer].last_ack == Some(start)
                {
                    name::FAST_RETRANSMISSION
                } else {
                    name::RETRANSMISSION
                }
            } else if added.new == len && !self.sent_later(me, segment, at) {
                name::OUT_OF_ORDER
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
            flow.habits.ip_id_at_next = segment.ip_id;
            flow.habits.tsval_at_next = segment.options.timestamps.map(|stamps| stamps.0);
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
        }
        if !seen.is_empty() && seen != name::WINDOW_FULL {
            note(&mut self.anomalies, seen, end, at);
        }
        if self.first_payload[me].is_none() && !payload.is_empty() && start <= 1 {
            self.first_payload[me] = Some(fnv1a(&payload[..payload.len().min(Conn::HASHED)]));
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
    fn sent_later(&self, me: usize, segment: &Segment, at: Moment) -> bool {
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

    fn finish_flow(&mut self, end: End, segment: &Segment, start: i64, at: Moment) -> &'static str {
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

    fn give_fin(&mut self, end: End, at: Moment) {
        let me = index(end);
        if let (Follow::Yes(builder), Some(fin_at)) = (&mut self.follow, self.flows[me].fin_at)
            && !self.fin_given[me]
            && self.delivered[me] >= fin_at
        {
            self.fin_given[me] = true;
            builder.fin(end, at);
        }
    }

    /// Hands payload to the session builder in order; what lies behind a hole is kept.
    fn deliver(&mut self, end: End, start: i64, len: u32, payload: &[u8], at: Moment) {
        let me = index(end);
        if matches!(self.follow, Follow::Undecided) && end == End::Resp {
            if start > self.delivered[me] {
                return;
            }
            if payload.starts_with(b"INFO {") {
                self.wanted = true;
                self.delivered[0] = self.flows[0].present.front();
                self.delivered[1] = start;
                let builder = SessionBuilder::new(self.tuple.resp.port());
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

    /// Gives the first hole up: nobody will fill it.
    fn skip_hole(&mut self, end: End) {
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

    fn release(&mut self, end: End) {
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
    fn give_up_late(&mut self, end: End, at: Moment) {
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

    /// An ICMP error that quotes this connection.
    pub fn icmp_error(&mut self, about: End, error: &IcmpError, at: Moment) {
        if self.icmp.len() < FEW {
            self.icmp.push(IcmpSeen {
                at,
                from: error.from.ip(),
                about,
                kind: error.kind,
                says: error.says().into(),
            });
        }
    }

    /// The connection as the capture shows it.
    pub fn finish(mut self, capture_end: Moment) -> Conn {
        for end in [End::Orig, End::Resp] {
            while self.flows[index(end)].present.has_holes() {
                self.skip_hole(end);
            }
        }
        let end = self.end();
        let session = match self.follow {
            Follow::Yes(builder) => builder.finish(self.last),
            Follow::No | Follow::Undecided => None,
        };
        let seen = [0, 1].map(|index| self.flows[index].flow.packets > 0);
        let [orig, resp] = self.flows;
        Conn {
            source: self.source,
            tuple: self.tuple,
            tunnel: self.tunnel.map(|tunnel| tunnel.to_string().into()),
            first: self.first,
            last: self.last,
            handshake: self.handshake,
            orig: orig.finish(self.last, seen[1]),
            resp: resp.finish(self.last, seen[0]),
            end,
            state: self.state.code(),
            history: self.state.history(),
            rsts: self.rsts,
            icmp: self.icmp,
            anomalies: self.anomalies,
            tail: self.tail.finish(),
            capture_end,
            longest_silence: self.longest_silence,
            last_silence: self.last_silence,
            session,
            samples: self.samples.finish(),
            first_payload: self.first_payload,
        }
    }

    fn end(&self) -> ConnEnd {
        let [orig, resp] = &self.flows;
        let fins = usize::from(orig.fin_at.is_some()) + usize::from(resp.fin_at.is_some());
        let (by, at) = self.ended_by.unzip();
        let at = at.unwrap_or(self.last);
        let unanswered = self.handshake.syn.is_some() && resp.flow.packets == 0;
        let refused = self.handshake.syn.is_some()
            && self.handshake.syn_ack.is_none()
            && self.rsts.first().is_some_and(|rst| rst.from == End::Resp);
        let first_fin = [orig, resp]
            .into_iter()
            .filter_map(|flow| flow.flow.fin)
            .min();
        let first_rst = self.rsts.first().map(|rst| rst.at);
        let waiting = |flow: &FlowState| {
            flow.run().is_some() && flow.outstanding() > 0 || flow.unanswered_probes >= 2
        };
        let attempt = self.is_attempt();
        let manner = if refused {
            Manner::Refused
        } else if let Some(rst) = first_rst {
            if first_fin.is_some_and(|fin| fin <= rst) && fins == 2 && by.is_some() {
                // Both had said goodbye: the RST only answers a late packet.
                let both_before = [orig, resp]
                    .into_iter()
                    .all(|flow| flow.flow.fin.is_some_and(|fin| fin <= rst));
                if both_before {
                    Manner::Fin
                } else {
                    Manner::FinThenRst
                }
            } else if first_fin.is_some_and(|fin| fin <= rst) {
                Manner::FinThenRst
            } else {
                Manner::Rst
            }
        } else if fins == 2 {
            Manner::Fin
        } else if fins == 1 {
            Manner::HalfClosed
        } else if unanswered && attempt {
            if self.icmp.is_empty() {
                Manner::Unanswered
            } else {
                Manner::Unreachable
            }
        } else if self.replaced {
            Manner::Replaced
        } else if waiting(orig) || waiting(resp) {
            Manner::Silent
        } else {
            Manner::Open
        };
        let by = match manner {
            Manner::Unanswered => Some(End::Orig),
            Manner::Open | Manner::Silent | Manner::Replaced | Manner::Unreachable => None,
            _ => by,
        };
        ConnEnd { manner, by, at }
    }
}

/// FNV-1a, 64 bits: the same everywhere, unlike the hashers of std.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
