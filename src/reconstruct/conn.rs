//! A TCP connection as one capture saw it: two flows, how it began, how it ended. RFC 9293's words, Zeek's summaries,
//! Wireshark's names for oddities. Counters and a short tail to cite, never its packets.

use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

use super::session::Session;
use crate::shelf::word::{self, Word};
use crate::source::SourceId;
use crate::span::Moment;
use crate::time::fixed;

/// Who sent the first SYN, and who answered. Midstream, the side with the server's port is `resp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FourTuple {
    /// The originator.
    pub orig: SocketAddr,
    /// The responder.
    pub resp: SocketAddr,
}

/// One of the two ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum End {
    /// The originator: sent the first SYN.
    Orig,
    /// The responder.
    Resp,
}

impl End {
    /// The other end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Orig => Self::Resp,
            Self::Resp => Self::Orig,
        }
    }
}

/// A connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Conn {
    /// The capture that saw it.
    pub source: SourceId,
    /// Its ends.
    pub tuple: FourTuple,
    /// The tunnel it ran in (`VXLAN 42`), or none.
    pub tunnel: Option<Box<str>>,
    /// First and last packet.
    pub first: Moment,
    /// Last packet.
    pub last: Moment,
    /// How it began.
    pub handshake: Handshake,
    /// What the originator sent.
    pub orig: Flow,
    /// What the responder sent.
    pub resp: Flow,
    /// How it ended.
    pub end: ConnEnd,
    /// Zeek's `conn_state`: S0 S1 SF REJ S2 S3 RSTO RSTR RSTOS0 RSTRH SH SHR OTH.
    #[serde(with = "word")]
    pub state: Word,
    /// Zeek's `history`.
    pub history: Box<str>,
    /// `state` and `history` take our responder for the originator: a SYN,ACK came first, and nothing after it says that it
    /// answered something.
    pub zeek_swaps: bool,
    /// Every RST, in order (bounded to the first 8).
    pub rsts: Vec<Rst>,
    /// Every ICMP or ICMPv6 error that quotes this connection (bounded to the first 8).
    pub icmp: Vec<IcmpSeen>,
    /// Oddities, a row for each name, with the first packets that show it.
    pub anomalies: Vec<Anomaly>,
    /// The last packets, oldest first (bounded to [`Conn::TAIL`]).
    pub tail: Vec<TailPacket>,
    /// Longest time without any packet before the last one, and the packet that ended it: idle-timer evidence.
    pub longest_silence: Option<Silence>,
    /// The silence right before the first packet of the fatal exchange (the run of packets that ends the connection).
    pub last_silence: Option<Silence>,
    /// The NATS conversation on it, if the bytes were followed.
    pub session: Option<Box<Session>>,
    /// First transmissions to match with another capture of the same connection, by frame: the first
    /// [`Conn::FIRST_SAMPLES`], an even choice of what follows, the last few (bounded to [`Conn::SAMPLES`]).
    pub samples: Vec<Sample>,
}

impl Conn {
    /// How many of a connection's last packets are kept.
    pub const TAIL: usize = 48;
    /// How many first transmissions are kept from the beginning.
    pub const FIRST_SAMPLES: usize = 32;
    /// How many first transmissions are kept in all.
    pub const SAMPLES: usize = 112;

    /// Connections that begin after this many packets keep less of an ordinary life: the clocks of two captures are
    /// told by those before, and what nobody will ask about is not worth its memory a hundred thousand times.
    pub const DETAILED: u64 = 50_000;
    /// How many of the last packets, and of the samples at either end, an ordinary life keeps then.
    pub const ORDINARY_TAIL: usize = 8;

    /// It ended with both FINs, and until then TCP had nothing to make good.
    pub(super) fn is_smooth(&self) -> bool {
        let calm = |flow: &Flow| {
            flow.retransmissions == 0 && flow.zero_windows == 0 && flow.capture_lost_bytes == 0
        };
        self.end.manner == Manner::Fin
            && self.rsts.is_empty()
            && self.icmp.is_empty()
            && calm(&self.orig)
            && calm(&self.resp)
    }

    /// It is smooth, and nothing unusual was said on it.
    fn is_ordinary(&self) -> bool {
        self.is_smooth()
            && self.session.as_ref().is_some_and(|session| {
                session.info.is_some()
                    && session.errors.is_empty()
                    && session.notices.is_empty()
                    && session.tls.is_none()
                    && session.client.unanswered_pings.is_empty()
                    && session.server.unanswered_pings.is_empty()
            })
    }

    /// Keeps little of an ordinary life in a long capture. Depends on the connection alone, so that the result is the
    /// same however connections are read.
    pub(super) fn pack(&mut self) {
        if self.first.frame <= Self::DETAILED || !self.is_ordinary() {
            return;
        }
        let keep = Self::ORDINARY_TAIL;
        let spare = self.tail.len().saturating_sub(keep);
        self.tail = self.tail.split_off(spare);
        if self.samples.len() > 2 * keep {
            let last = self.samples.split_off(self.samples.len() - keep);
            self.samples.truncate(keep);
            self.samples.extend(last);
            self.samples.shrink_to_fit();
        }
        self.anomalies.shrink_to_fit();
        if let Some(session) = &mut self.session {
            for talk in [&mut session.client, &mut session.server] {
                let spare = talk.last_ops.len().saturating_sub(keep / 2);
                talk.last_ops = talk.last_ops.split_off(spare);
            }
        }
    }

    /// The end that is the server, as far as the conversation tells; the responder where it does not.
    pub fn server_end(&self) -> End {
        let session = self.session.as_ref();
        session
            .and_then(|session| session.server_end)
            .unwrap_or(End::Resp)
    }

    /// The longest silence that it lived through: the last one may be the one that a reset ended.
    pub fn survived_silence(&self) -> Option<Silence> {
        self.longest_silence.filter(|longest| {
            self.last_silence
                .is_none_or(|last| longest.until < last.until)
        })
    }

    /// The flow that `end` sent.
    pub const fn flow(&self, end: End) -> &Flow {
        match end {
            End::Orig => &self.orig,
            End::Resp => &self.resp,
        }
    }
}

/// A first transmission: a SYN, or a segment with payload that no earlier packet carried. Two captures of one connection
/// agree on `from`, `seq` and, where no hardware cut or merged segments between them, on `len`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Who sent it.
    pub from: End,
    /// Sequence number relative to the flow's initial one (its first byte minus one, where the SYN was not seen).
    pub seq: u32,
    /// Payload bytes; 0 for a SYN.
    pub len: u32,
    /// Capture time, nanoseconds since the Unix epoch on the capture's clock.
    #[serde(with = "fixed")]
    pub ns: i64,
    /// The packet.
    pub frame: u64,
}

impl Sample {
    /// The packet's moment.
    pub const fn at(&self) -> Moment {
        Moment {
            ns: self.ns,
            frame: self.frame,
        }
    }
}

/// A time without packets in either direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// The last packet before it.
    pub from: Moment,
    /// The packet that ended it.
    pub until: Moment,
}

impl Silence {
    /// How long it was, in nanoseconds.
    pub const fn length(self) -> i64 {
        self.until.ns - self.from.ns
    }
}

/// The packets of a connection's beginning (RFC 9293 section 3.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handshake {
    /// First SYN.
    pub syn: Option<Moment>,
    /// How many SYNs, retransmissions included.
    pub syns: u32,
    /// Last SYN.
    pub last_syn: Option<Moment>,
    /// First SYN,ACK.
    pub syn_ack: Option<Moment>,
    /// How many SYN,ACKs.
    pub syn_acks: u32,
    /// Last SYN,ACK.
    pub last_syn_ack: Option<Moment>,
    /// The ACK that completes it.
    pub ack: Option<Moment>,
}

impl Handshake {
    /// SYN to SYN,ACK plus SYN,ACK to ACK: the path's round trip as seen at the start, in nanoseconds.
    pub fn rtt(&self) -> Option<i64> {
        Some(self.ack?.ns - self.syn?.ns)
    }
}

/// One direction of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Packets sent.
    pub packets: u64,
    /// Payload bytes, each sequence number once.
    pub bytes: u64,
    /// Initial sequence number, when the SYN was seen.
    pub isn: Option<u32>,
    /// Segments with payload, SYN or FIN whose bytes had been sent before.
    pub retransmissions: u64,
    /// Those of them whose bytes this view had seen acknowledged already: the acknowledgements were lost behind it.
    pub spurious_retransmissions: u64,
    /// Payload bytes in them.
    pub retransmitted_bytes: u64,
    /// Segments that arrived behind a later one and were no retransmission.
    pub out_of_order: u64,
    /// Identical packets seen twice by the capture itself (two interfaces), not counted anywhere else.
    pub capture_duplicates: u64,
    /// Duplicate ACKs sent.
    pub duplicate_acks: u64,
    /// ACKs with SACK blocks sent: this end sees holes in what it receives.
    pub sack_acks: u64,
    /// Payload bytes that the peer acknowledged but the capture never saw: capture loss, not network loss.
    pub capture_lost_bytes: u64,
    /// Payload bytes cut off by the capture's snap length (headers were seen).
    pub snapped_bytes: u64,
    /// First packet with payload.
    pub first_data: Option<Moment>,
    /// Last packet with new payload (no retransmission).
    pub last_data: Option<Moment>,
    /// Last packet of any kind.
    pub last_packet: Option<Moment>,
    /// Last packet that acknowledged something new of the peer's.
    pub last_new_ack: Option<Moment>,
    /// Payload bytes sent and not acknowledged by the peer when the connection ended or the capture did.
    pub unacked_bytes: u64,
    /// The first transmission of the oldest of those bytes.
    pub unacked_since: Option<Moment>,
    /// Retransmissions of those unacknowledged bytes, the last unbroken run: first and last packet, and how many.
    pub final_retransmissions: Option<Box<RetransmissionRun>>,
    /// Longest unbroken run of retransmissions without new acknowledgement anywhere in the connection.
    pub worst_retransmissions: Option<Box<RetransmissionRun>>,
    /// Last advertised receive window, scaled, in bytes.
    pub window: Option<u64>,
    /// Smallest and largest receive window advertised after the handshake.
    pub window_min: u64,
    /// Largest.
    pub window_max: u64,
    /// Times this end advertised a zero window.
    pub zero_windows: u64,
    /// Total time with this end's window at zero, nanoseconds.
    pub zero_window_ns: i64,
    /// The window was zero (or too small for one segment) from here to the end.
    pub zero_window_since: Option<Moment>,
    /// Zero-window probes that this end sent (its peer's window was closed).
    pub zero_window_probes: u64,
    /// Keepalive probes sent.
    pub keep_alives: u64,
    /// Maximum segment size announced.
    pub mss: Option<u16>,
    /// Window scale announced.
    pub window_scale: Option<u8>,
    /// Largest payload of one segment that the peer acknowledged, and largest that it never did: MTU evidence.
    pub largest_acked: u32,
    /// Largest payload of a segment that was retransmitted and never acknowledged.
    pub largest_lost: u32,
    /// Smallest and largest hop count (TTL or hop limit) of packets that are no RST.
    pub ttl: Option<(u8, u8)>,
    /// First FIN.
    pub fin: Option<Moment>,
    /// The FIN was acknowledged.
    pub fin_acked: bool,
}

/// Retransmissions without progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetransmissionRun {
    /// The first of them.
    pub first: Moment,
    /// The last.
    pub last: Moment,
    /// How many packets.
    pub count: u32,
}

/// How a connection ended on the wire, as far as the capture shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnEnd {
    /// The manner.
    pub manner: Manner,
    /// Who sent the first FIN or RST (for [`Manner::Unanswered`] the originator).
    pub by: Option<End>,
    /// That packet; for [`Manner::Open`] and [`Manner::Silent`] the last packet.
    pub at: Moment,
}

impl ConnEnd {
    /// A SYN waits this long for its answer before it is sent again (RFC 6298 section 2, the initial RTO).
    const FIRST_RTO: i64 = 1_000_000_000;

    /// Takes the end of the capture into account: a SYN that was sent just before it is not unanswered yet.
    pub fn seen_until(&mut self, last: Moment, capture_end: Moment) {
        if self.manner == Manner::Unanswered && capture_end.ns - last.ns < Self::FIRST_RTO {
            self.manner = Manner::Open;
            self.by = None;
            self.at = last;
        }
    }
}

/// Manners of ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Manner {
    /// Both FINs seen.
    Fin,
    /// A FIN of one end only; nothing ended the other direction before the capture did.
    HalfClosed,
    /// A FIN, then a RST.
    FinThenRst,
    /// A RST first.
    Rst,
    /// A SYN answered by RST.
    Refused,
    /// SYNs that nobody answered.
    Unanswered,
    /// SYNs answered by an ICMP error.
    Unreachable,
    /// Neither FIN nor RST, and one end was retransmitting or probing into silence at the last packet.
    Silent,
    /// Neither FIN nor RST; alive when the capture ended, or idle since.
    Open,
    /// The same four-tuple was used again without any end of this use being seen.
    Replaced,
}

/// A RST and its fingerprint against its claimed sender's own segments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rst {
    /// The packet.
    pub at: Moment,
    /// The end in whose name it came.
    pub from: End,
    /// Its sequence number exactly the next expected of that end; `None` when that is not known.
    pub seq_exact: Option<bool>,
    /// Signed distance of its sequence number from the next expected one.
    pub seq_distance: Option<i32>,
    /// With the ACK flag.
    pub ack: bool,
    /// Advertised window, unscaled.
    pub window: u16,
    /// Hop count (TTL or hop limit).
    pub ttl: u8,
    /// IPv4 identification.
    pub ip_id: Option<u16>,
    /// Carries TCP options.
    pub options: bool,
    /// What the fingerprint says.
    pub origin: RstOrigin,
    /// The signs for it, each a short clause ("TTL 61 where this end's own packets have 63").
    pub signs: Vec<Box<str>>,
    /// Nanoseconds since the last packet of the claimed sender, and of the peer.
    pub after_own: Option<i64>,
    /// Nanoseconds since the last packet from the other end.
    pub after_peer: Option<i64>,
    /// It came in answer to a packet from the peer (data or FIN after close, SYN to a closed port) within a round trip.
    pub in_reply: bool,
}

/// Who sent a RST.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RstOrigin {
    /// The end's own kernel, actively (`RST,ACK` with the socket's state: unread data, SO_LINGER 0, abort).
    OwnActive,
    /// The end's own kernel in reply for a socket that is gone (window 0, no options, IP ID 0).
    OwnNoSocket,
    /// Something in between.
    Injected,
    /// The fingerprint does not decide.
    Unknown,
}

/// An ICMP error that quotes the connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IcmpSeen {
    /// The packet.
    pub at: Moment,
    /// Who sent the error.
    pub from: std::net::IpAddr,
    /// The end whose packet it complains about.
    pub about: End,
    /// Type and code.
    pub kind: (u8, u8),
    /// In words: `host unreachable`, `port unreachable`, `administratively prohibited`, `fragmentation needed (mtu 1400)`.
    pub says: Box<str>,
}

/// A named oddity. Names are Wireshark's `tcp.analysis` fields without the prefix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anomaly {
    /// `retransmission`, `fast_retransmission`, `spurious_retransmission`, `out_of_order`, `lost_segment`, `duplicate_ack`,
    /// `keep_alive`, `keep_alive_ack`, `zero_window`, `zero_window_probe`, `window_full`, `reused_ports`, ...
    #[serde(with = "word")]
    pub name: Word,
    /// Who sent the packets.
    pub from: End,
    /// How many.
    pub count: u64,
    /// The first and the last of them.
    pub first: Moment,
    /// The last.
    pub last: Moment,
}

/// One of a connection's last packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TailPacket {
    /// When and which.
    pub at: Moment,
    /// Who sent it.
    pub from: End,
    /// TCP flags as on the wire (FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32).
    pub flags: u8,
    /// Sequence number relative to the flow's first.
    pub seq: u32,
    /// Acknowledgement number relative to the peer's first.
    pub ack: u32,
    /// Payload bytes on the wire.
    pub len: u32,
    /// Window, scaled.
    pub window: u32,
    /// An anomaly's name, or empty.
    #[serde(with = "word")]
    pub note: Word,
}

#[cfg(test)]
mod tests {
    use super::{ConnEnd, End, Manner, Moment};

    #[test]
    fn a_syn_just_before_the_capture_ends_is_not_unanswered_yet() {
        let at = |ns| Moment { ns, frame: 1 };
        for (later, manner, by) in [
            (400_000_000, Manner::Open, None),
            (3_000_000_000, Manner::Unanswered, Some(End::Orig)),
        ] {
            let mut end = ConnEnd {
                manner: Manner::Unanswered,
                by: Some(End::Orig),
                at: at(5),
            };
            end.seen_until(at(5), at(5 + later));
            assert_eq!((end.manner, end.by), (manner, by));
        }
    }
}
