//! A connection while its packets go by: two flows, the handshake, how it ends, and the NATS session on it.

mod acknowledgement;
mod data;
mod delivery;
mod ending;

use std::sync::Arc;

use super::anomaly::{name, note};
use super::conn::{End, FourTuple, Handshake, IcmpSeen, Rst, Sample, Silence, TailPacket};
use super::conn_state::ConnState;
use super::flow::{FlowState, Probe};
use super::key_log::KeyRing;
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

/// RSTs and ICMP errors kept.
const FEW: usize = 8;

/// Whether the payload is handed to a session builder.
enum Follow {
    No,
    /// Until the responder's first payload shows whether this is NATS.
    Undecided(Arc<KeyRing>),
    Yes(Box<SessionBuilder>),
}

/// A connection being followed.
pub struct LiveConn {
    source: SourceId,
    /// Its ends.
    pub tuple: FourTuple,
    /// The originator is the lower endpoint of the key.
    pub orig_is_low: bool,
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
    /// Zeek's view.
    pub state: ConnState,
    rsts: Vec<Rst>,
    /// A believable RST came in this end's name, and nothing else since.
    reset_by: [bool; 2],
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

/// What the first packet says about the roles of the ends.
#[derive(Clone, Copy, Debug)]
pub struct FirstPacket {
    /// Whose it is.
    pub from: End,
    /// By Zeek's rules its sender is the responder.
    pub flipped: bool,
}

/// How a connection is to be followed.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// It is one of those asked for: reassemble it.
    pub wanted: bool,
    /// Look for an INFO banner.
    pub detect: bool,
    /// Secrets that may open its TLS records.
    pub keys: &'a Arc<KeyRing>,
}

const fn index(end: End) -> usize {
    match end {
        End::Orig => 0,
        End::Resp => 1,
    }
}

/// Packets that change places on their way to a capture file do so within this.
const RECORDED_LATE: i64 = 1_000_000;

impl LiveConn {
    /// A connection whose first packet arrives at `at`.
    pub fn new(
        source: SourceId,
        tuple: FourTuple,
        orig_is_low: bool,
        tunnel: Option<Tunnel>,
        at: Moment,
        first: FirstPacket,
        wish: Wish<'_>,
    ) -> Self {
        let follow = if wish.wanted {
            let keys = Arc::clone(wish.keys);
            Follow::Yes(Box::new(SessionBuilder::with_keys(tuple.resp.port(), keys)))
        } else if wish.detect {
            Follow::Undecided(Arc::clone(wish.keys))
        } else {
            Follow::No
        };
        Self {
            source,
            tuple,
            orig_is_low,
            tunnel,
            first: at,
            last: at,
            handshake: Handshake::default(),
            flows: Default::default(),
            delivered: [1; 2],
            fin_given: [false; 2],
            state: ConnState::new(first.from, first.flipped),
            rsts: Vec::new(),
            reset_by: [false; 2],
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
        self.reset_by.contains(&true) || self.flows.iter().all(|flow| flow.fin_at.is_some())
    }

    /// Nobody waits for anything any more: a RST, or both FINs acknowledged.
    pub fn is_settled(&self) -> bool {
        self.reset_by.contains(&true) || self.flows.iter().all(|flow| flow.flow.fin_acked)
    }

    /// The same ports were used before.
    pub fn note_reuse(&mut self, at: Moment) {
        note(&mut self.anomalies, name::REUSED_PORTS, End::Orig, at);
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

    /// This segment begins another connection on the same ports.
    pub fn is_reused_by(&self, segment: &Segment, at: Moment) -> bool {
        if !segment.has(SYN) {
            return false;
        }
        let seq = Seq(segment.seq);
        let [orig, resp] = &self.flows;
        if segment.has(ACK) {
            // Where only answers are captured, they alone tell connections apart.
            return orig.flow.packets == 0
                && resp.flow.packets > 0
                && resp.flow.isn != Some(segment.seq);
        }
        // The refusal of this very SYN was recorded first: it has number 0 (RFC 9293 section 3.10.7.1).
        let refused = self.tail.newest_first().next().is_some_and(|packet| {
            let refusal = packet.flags & (RST | ACK) == RST | ACK && packet.seq == 0;
            packet.from == End::Resp && refusal && at.ns - packet.at.ns < RECORDED_LATE
        });
        if refused && orig.flow.packets == 0 {
            return false;
        }
        // After a RST or both FINs even the same number is a new attempt (RFC 9293 section 3.10.7.3: the socket is gone).
        // Without a SYN so far, one that fits was merely recorded late.
        self.is_over() || orig.place.is_some_and(|place| place.position(seq) != 0)
    }

    /// The same ports were used again.
    pub fn replace(&mut self) {
        self.replaced = true;
    }

    /// Payload bytes kept behind holes.
    pub fn held_bytes(&self) -> usize {
        self.flows[0].present.held_bytes() + self.flows[1].present.held_bytes()
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
        if segment.has(SYN) && !segment.has(ACK) {
            self.flows[1 - me].owes_syn_ack();
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
        if silence.length() > self.longest_silence.map_or(0, Silence::length) {
            self.longest_silence = Some(silence);
        }
        if silence.length() < IDLE {
            return;
        }
        // Waiting for an answer is no silence: retransmissions and probes are part of the exchange that they end.
        let waiting = self
            .flows
            .iter()
            .any(|flow| flow.outstanding() > 0 || flow.unanswered_probes > 0);
        if !waiting && !self.is_over() {
            self.last_silence = Some(silence);
            self.acks_since_silence = 0;
        }
    }

    /// The last packet of `asker` whose acknowledgement is this segment's number, which only a segment without one repeats.
    fn asked_for(&self, asker: End, segment: &Segment) -> Option<Moment> {
        if segment.has(ACK) {
            return None;
        }
        let place = self.flows[index(asker.other())].place?;
        let number = place.position(Seq(segment.seq)) as u32;
        let packets = self.tail.newest_first();
        let mut asking = packets.filter(|packet| packet.from == asker && packet.flags & ACK != 0);
        asking
            .find(|packet| packet.ack == number)
            .map(|packet| packet.at)
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
                asked: self.asked_for(end.other(), segment),
                lossy: recent_run(&self.flows[0])
                    || recent_run(&self.flows[1])
                    || self.flows[me].fell_silent_retransmitting()
                    || self.flows.iter().any(FlowState::loses),
            };
            let rst = rst::fingerprint(segment, at, &context);
            self.reset_by[me] |= rst.seq_exact != Some(false);
            self.rsts.push(rst);
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
        // An end that goes on speaking did not send that RST, or it was not believed.
        self.reset_by[me] = false;
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
            let flow = &mut self.flows[me];
            flow.probing = Probe::None;
            let ahead = start - flow.next.max(flow.empty_ahead);
            if (1..1 << 30).contains(&ahead) && !segment.has(FIN) {
                flow.empty_ahead = start;
                flow.habits.reached(segment);
                note(&mut self.anomalies, name::LOST_SEGMENT, end, at);
                seen = name::LOST_SEGMENT;
            }
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
            handshake.last_syn_ack = Some(at);
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
        flow.unknown_scale = segment.options.cut && segment.options.window_scale.is_none();
        // Recorded behind the packets that it begins, it changes no position.
        let late = flow
            .place
            .is_some_and(|place| place.position(Seq(segment.seq)) == 0);
        if !late {
            flow.begin(Seq(segment.seq));
            self.delivered[me] = 1;
        }
        // Scaling is on when both offered it (RFC 7323 section 2.2).
        if self.flows[peer].flow.isn.is_some() {
            let scales = [0, 1].map(|index| self.flows[index].flow.window_scale);
            let both = scales.iter().all(Option::is_some);
            let unknown = self.flows.iter().any(|flow| flow.unknown_scale);
            for (flow, scale) in self.flows.iter_mut().zip(scales) {
                let holds = if both { scale.unwrap_or(0) } else { 0 };
                flow.scale = (!unknown).then_some(holds);
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
}

#[cfg(test)]
mod tests;
