//! Zeek's summary of a connection: `conn_state` and `history`.
//!
//! The endpoint states and their transitions are those of Zeek 8's TCP session adapter
//! (`src/packet_analysis/protocol/tcp/TCPSessionAdapter.cc`), letters and flips those of `TCP_Endpoint.cc`, the codes those
//! of `conn_state` in `scripts/base/protocols/conn/main.zeek`. This machine looks at flags, numbers and lengths only and
//! judges nothing; everything that attribution rests on is told by [`super::flow`] instead. Checksums are not judged here,
//! as with `zeek -C`, so the letter `c` is never written.

mod delivered;

use super::conn::End;
use super::seq::Seq;
use crate::parse::packet::{ACK, FIN, RST, SYN, Segment};
use delivered::Delivered;

/// An endpoint's state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Inactive,
    SynSent,
    SynAckSent,
    Partial,
    Established,
    Closed,
    Reset,
}

impl State {
    /// Nothing of it was seen that begins a connection.
    const fn is_idle(self) -> bool {
        matches!(self, Self::Inactive | Self::Partial)
    }
}

/// A sequence number with the times that its 32 bits wrapped in the upper half.
#[derive(Clone, Copy, Debug, Default)]
struct Full(u64);

impl Full {
    const fn seq(self) -> Seq {
        Seq(self.0 as u32)
    }

    /// Moves on to a later number.
    const fn advance(&mut self, to: Seq) {
        let wraps = (self.0 >> 32) + (to.0 < self.0 as u32) as u64;
        self.0 = wraps << 32 | to.0 as u64;
    }

    /// `seq` as an offset from `start`, in the same or the next turn of the numbers; `None` when it lies before.
    fn offset(self, seq: Seq, start: Seq) -> Option<u64> {
        let distance = seq.since(self.seq());
        let mut wraps = self.0 >> 32;
        if distance < 0 && seq.0 > self.0 as u32 {
            wraps = wraps.saturating_sub(1);
        } else if distance > 0 && seq.0 < self.0 as u32 {
            wraps += 1;
        }
        if wraps == 0 {
            return u64::try_from(seq.since(start)).ok();
        }
        Some((wraps << 32 | u64::from(seq.0)).wrapping_sub(u64::from(start.0)))
    }
}

#[derive(Clone, Debug, Default)]
struct Endpoint {
    state: State,
    previous: State,
    start: Seq,
    last: Full,
    acked: Full,
    /// Numbers of its last SYN, FIN and RST, relative to the start.
    last_flags: [u32; 3],
    /// Relative number behind its last FIN.
    fin: Option<u64>,
    retransmissions: Scaled,
    zero_windows: Scaled,
    gaps: Scaled,
    delivered: Delivered,
}

impl Endpoint {
    fn enter(&mut self, state: State) {
        if self.state != state {
            self.previous = self.state;
            self.state = state;
        }
    }

    fn begin(&mut self, start: Seq, last: Seq) {
        self.start = start;
        // Turns of the numbers counted so far stay counted, as in Zeek.
        self.acked.0 = self.acked.0 >> 32 << 32 | u64::from(start.0);
        self.last.0 = self.last.0 >> 32 << 32 | u64::from(last.0);
    }

    /// No payload was sent or acknowledged, by the numbers.
    fn is_empty(&self) -> bool {
        let span = self
            .last
            .0
            .max(self.acked.0)
            .wrapping_sub(u64::from(self.start.0));
        span <= 1 + u64::from(self.fin.is_some())
    }

    /// Established, and not closed but in the ordinary way.
    fn is_clean(&self) -> bool {
        self.state == State::Established
            || self.state == State::Closed && self.previous == State::Established
    }
}

/// Zeek writes repeated events when their count reaches 1, 10, 100, ...
#[derive(Clone, Copy, Debug, Default)]
struct Scaled(u32);

impl Scaled {
    fn add(&mut self) -> bool {
        self.0 = self.0.saturating_add(1);
        self.0 != u32::MAX && 10_u32.checked_pow(self.0.ilog10()) == Some(self.0)
    }
}

/// The longest history kept: it grows by repeated flags with other numbers and by powers of ten only.
const HISTORY: usize = 64;

/// Kinds of packets whose letter was written: bits of a mask for each role.
mod written {
    pub const SYN: u8 = 1;
    pub const FIN: u8 = 2;
    pub const RST: u8 = 4;
    pub const FIN_RST: u8 = 8;
    pub const DATA: u8 = 16;
    pub const ACK: u8 = 32;
    pub const MULTI: u8 = 64;
}

/// Both endpoints and the history.
#[derive(Clone, Debug, Default)]
pub struct ConnState {
    /// By our ends; which of them Zeek calls the originator is told by `swapped`.
    ends: [Endpoint; 2],
    /// Zeek's originator is our responder: it flips connections on evidence of its own.
    swapped: bool,
    /// Letters written for Zeek's originator and responder.
    written: [u8; 2],
    /// Zeek's originator and responder have sent a packet.
    seen: [bool; 2],
    /// The beginning was not seen.
    partial: bool,
    history: Vec<u8>,
}

/// Distances that Zeek believes of a SYN or RST.
const LARGE: i32 = 1_048_576;

/// The flags that matter, taken apart.
#[derive(Clone, Copy)]
struct Flags {
    syn: bool,
    fin: bool,
    rst: bool,
    ack: bool,
}

impl Flags {
    const fn of(segment: &Segment) -> Self {
        Self {
            syn: segment.flags & SYN != 0,
            fin: segment.flags & FIN != 0,
            rst: segment.flags & RST != 0,
            ack: segment.flags & ACK != 0,
        }
    }
}

impl ConnState {
    /// A connection whose first packet came from `first`, which Zeek takes for the originator's unless `flipped`.
    pub fn new(first: End, flipped: bool) -> Self {
        Self {
            swapped: (first == End::Resp) != flipped,
            history: if flipped { vec![b'^'] } else { Vec::new() },
            ..Self::default()
        }
    }

    /// Zeek's originator is the end that we call the responder.
    pub fn is_swapped(&self) -> bool {
        self.swapped
    }

    /// 0 for Zeek's originator, 1 for its responder.
    fn role(&self, end: End) -> usize {
        index(end) ^ usize::from(self.swapped)
    }

    fn letter(&mut self, end: End, letter: u8) {
        if self.history.len() < HISTORY {
            let letter = match self.role(end) {
                0 => letter,
                _ => letter.to_ascii_lowercase(),
            };
            self.history.push(letter);
        }
    }

    /// Adds a letter the first time; says whether it was there already.
    fn letter_once(&mut self, end: End, mask: u8, letter: u8) -> bool {
        if matches!(letter, b'A' | b'D') && self.history == b"H" {
            // A SYN,ACK came first, and traffic follows: no scan, so its sender was the responder after all.
            self.flip();
            self.history.clear();
            self.history.extend(b"^h");
            self.seen[0] = true;
        }
        let role = self.role(end);
        let written = &mut self.written[role];
        if *written & mask != 0 {
            return true;
        }
        *written |= mask;
        self.letter(end, letter);
        false
    }

    /// The ends change roles.
    fn flip(&mut self) {
        self.swapped = !self.swapped;
        self.seen.swap(0, 1);
        self.partial = false;
        if self.history.len() < HISTORY {
            self.history.push(b'^');
        }
    }

    /// Takes the next segment of `end`.
    pub fn segment(&mut self, end: End, segment: &Segment) {
        let (me, peer) = (index(end), index(end.other()));
        let flags = Flags::of(segment);
        let seq = Seq(segment.seq);
        // Data in a RST is no part of the stream.
        let data = if flags.rst { 0 } else { segment.len };
        let next = seq.plus(data + u32::from(flags.syn) + u32::from(flags.fin));
        // The role at the packet's arrival holds for its transition, even if the packet itself flips the ends.
        let role = self.role(end);

        let routine = self.is_routine(role, flags, segment);
        if !routine {
            self.note_partial(role, flags);
            self.place(me, seq, next, flags.syn);
        }
        let offset = self.ends[me].last.offset(seq, self.ends[me].start);
        if !routine {
            let relative = seq.since(self.ends[me].start) as u32;
            self.history_of(end, flags, relative, segment.len);
            if segment.window == 0
                && !flags.rst
                && self.ends[peer].state != State::Closed
                && self.ends[me].state != State::Reset
                && self.ends[me].zero_windows.add()
            {
                self.letter(end, b'W');
            }
            if flags.fin {
                let length = u64::from(next.0.wrapping_sub(seq.0));
                self.ends[me].fin = Some(offset.unwrap_or(u64::from(relative)) + length);
            }
        }
        let acked = flags.ack.then(|| self.take_ack(peer, segment, flags.rst));
        if self.follow(me, next, flags, segment.len) {
            self.letter(end, b'T');
        }
        if !routine {
            self.transition(end, role, flags, seq, segment.len);
        }
        if let Some(acked) = acked {
            self.acknowledge(end.other(), acked);
        }
        self.seen[role] = true;
        if segment.len > 0
            && segment.payload_len >= segment.len
            && !flags.rst
            && let Some(offset) = offset
        {
            let Endpoint {
                start,
                acked,
                delivered,
                ..
            } = &mut self.ends[me];
            let from = offset + u64::from(flags.syn);
            let acked = acked.0.wrapping_sub(u64::from(start.0));
            delivered.add(from, from + u64::from(segment.len), acked);
        }
    }

    /// Data or an acknowledgement between ends that are connected, of a kind that the history has: nearly every packet, and
    /// it changes no state and writes no letter but for gaps and retransmissions.
    fn is_routine(&self, role: usize, flags: Flags, segment: &Segment) -> bool {
        let letter = if segment.len > 0 {
            written::DATA
        } else {
            written::ACK
        };
        let plain = flags.ack && !(flags.syn || flags.fin || flags.rst) && segment.window != 0;
        let connected = |end: &Endpoint| end.state == State::Established;
        plain
            && self.written[role] & letter != 0
            && self.seen[role]
            && self.ends.iter().all(connected)
    }

    fn note_partial(&mut self, role: usize, flags: Flags) {
        if self.seen[role] {
            return;
        }
        if role == 0 {
            self.partial = !flags.syn || flags.ack;
        } else if !self.partial {
            self.partial = !flags.syn;
        }
    }

    fn place(&mut self, me: usize, seq: Seq, next: Seq, syn: bool) {
        let endpoint = &mut self.ends[me];
        match endpoint.state {
            // As though there had been a SYN.
            State::Inactive if !syn => endpoint.begin(Seq(seq.0.wrapping_sub(1)), seq),
            State::Inactive => endpoint.begin(seq, next),
            State::SynSent | State::SynAckSent if syn && seq != endpoint.start => {
                endpoint.begin(seq, next);
            }
            State::Established | State::Partial if syn => endpoint.begin(seq, next),
            State::Reset if syn && endpoint.previous == State::Inactive => {
                endpoint.begin(seq, next);
            }
            _ => {}
        }
    }

    fn history_of(&mut self, end: End, flags: Flags, relative: u32, len: u32) {
        let Flags { syn, fin, rst, ack } = flags;
        match (syn, fin, rst) {
            (_, true, true) => {
                self.letter_once(end, written::FIN_RST, b'I');
            }
            (true, true, _) | (true, _, true) => {
                self.letter_once(end, written::MULTI, b'Q');
            }
            (true, false, false) => {
                let letter = if ack { b'H' } else { b'S' };
                self.letter_again(end, written::SYN, 0, letter, relative);
            }
            // The number of a FIN is the one behind the data.
            (false, true, false) => {
                self.letter_again(end, written::FIN, 1, b'F', relative.wrapping_add(len));
            }
            (false, false, true) => self.letter_again(end, written::RST, 2, b'R', relative),
            (false, false, false) if len > 0 => {
                self.letter_once(end, written::DATA, b'D');
            }
            (false, false, false) if ack => {
                self.letter_once(end, written::ACK, b'A');
            }
            (false, false, false) => {}
        }
    }

    /// A letter that is written again when its number differs from the last of its kind.
    fn letter_again(&mut self, end: End, mask: u8, kind: usize, letter: u8, number: u32) {
        let before = self.letter_once(end, mask, letter);
        let last = &mut self.ends[index(end)].last_flags[kind];
        let differs = *last != number;
        *last = number;
        if before && differs {
            self.letter(end, letter);
        }
    }

    /// What an acknowledgement says of `peer`, as a relative number; 0 for one that lies before everything.
    fn take_ack(&mut self, peer: usize, segment: &Segment, rst: bool) -> u64 {
        let ack = Seq(segment.ack);
        let peer = &mut self.ends[peer];
        if peer.state == State::Inactive {
            let start = Seq(segment.ack.wrapping_sub(1));
            peer.begin(start, start);
            return 1;
        }
        let Some(offset) = peer.acked.offset(ack, peer.start) else {
            return 0;
        };
        let advance = ack.since(peer.acked.seq());
        // Acknowledgements in RSTs are not believed, nor a leap to 0.
        if !rst && advance > 0 && !(ack.0 == 0 && advance > LARGE) {
            peer.acked.advance(ack);
        }
        offset
    }

    /// Moves the last number seen; says whether a retransmission is to be written.
    fn follow(&mut self, me: usize, next: Seq, flags: Flags, len: u32) -> bool {
        let endpoint = &mut self.ends[me];
        let advance = next.since(endpoint.last.seq());
        if (flags.syn || flags.rst) && !(-LARGE..=LARGE).contains(&advance) {
            // A number too far away to be of this connection.
            false
        } else if flags.fin && endpoint.last.seq() == endpoint.start.plus(1) {
            endpoint.last.advance(next);
            false
        } else if endpoint.state == State::Reset {
            // Nothing after a RST is believed.
            false
        } else if advance > 0 {
            endpoint.last.advance(next);
            false
        } else {
            len > 0 && endpoint.retransmissions.add()
        }
    }

    /// `end`'s bytes below `acked` have arrived, whether or not they were captured.
    fn acknowledge(&mut self, end: End, mut acked: u64) {
        let (me, peer) = (index(end), index(end.other()));
        if let Some(fin) = self.ends[me].fin {
            acked = acked.min(fin.saturating_sub(1));
        }
        let clean = self.ends[me].is_clean() && self.ends[peer].is_clean();
        let gaps = self.ends[me].delivered.acknowledge(acked, self.partial);
        if !clean {
            return;
        }
        for _ in 0..gaps {
            if self.ends[me].gaps.add() {
                self.letter(end, b'G');
            }
        }
    }

    fn transition(&mut self, end: End, role: usize, flags: Flags, seq: Seq, len: u32) {
        let (me, peer) = (index(end), index(end.other()));
        match self.ends[me].state {
            State::Inactive => self.leave_inactive(end, role, flags, seq, len),
            State::SynSent | State::SynAckSent => {
                if flags.fin {
                    self.ends[me].enter(State::Closed);
                }
                if flags.rst {
                    self.ends[me].enter(State::Reset);
                }
            }
            State::Established | State::Partial => {
                if flags.syn
                    && !flags.ack
                    && self.ends[me].state == State::Partial
                    && self.ends[peer].state == State::Inactive
                {
                    self.ends[me].enter(State::SynSent);
                }
                if flags.fin && !flags.rst {
                    self.ends[me].enter(State::Closed);
                    if self.ends[peer].state == State::Reset
                        && self.ends[peer].previous == State::Closed
                    {
                        // The peer's FIN was followed by its RST: an ordinary end after all.
                        self.ends[peer].enter(State::Closed);
                    }
                }
                if flags.rst {
                    self.ends[me].enter(State::Reset);
                }
            }
            State::Closed => {
                if flags.rst && self.ends[peer].state != State::Closed {
                    self.ends[me].enter(State::Reset);
                }
            }
            State::Reset => {}
        }
    }

    fn leave_inactive(&mut self, end: End, role: usize, flags: Flags, seq: Seq, len: u32) {
        let (me, peer) = (index(end), index(end.other()));
        if flags.syn && role == 0 {
            self.ends[me].enter(if flags.ack {
                State::SynAckSent
            } else {
                State::SynSent
            });
        } else if flags.syn {
            if !flags.ack
                && self.ends[peer].state == State::SynAckSent
                && seq == self.ends[me].start
            {
                // SYN and SYN,ACK came in the wrong order.
                self.flip();
                self.seen[0] = true;
                self.ends[peer].enter(State::Established);
            }
            if self.ends[peer].state == State::SynSent {
                self.ends[peer].enter(State::Established);
            }
            self.ends[me].enter(State::Established);
        }
        if flags.fin {
            self.ends[me].enter(State::Closed);
        }
        if flags.rst {
            self.ends[me].enter(State::Reset);
        }
        if self.ends[me].state != State::Inactive {
            return;
        }
        let originator = usize::from(self.swapped);
        if role == 1 && len == 0 && self.ends[originator].state == State::SynSent {
            // Some answer a SYN with an ACK before the SYN,ACK; that makes no partial connection.
        } else if flags.ack && self.ends[peer].state == State::Established {
            // Only the SYN was missed.
            self.ends[me].enter(State::Established);
            self.partial = false;
            self.seen[role] = true;
        } else {
            self.ends[me].enter(State::Partial);
        }
    }

    /// The `conn_state` code.
    pub fn code(&self) -> &'static str {
        let orig = &self.ends[usize::from(self.swapped)];
        let resp = &self.ends[usize::from(!self.swapped)];
        match (orig.state, resp.state) {
            (State::SynSent | State::SynAckSent, State::Reset) => "REJ",
            (State::Reset, State::Reset) if orig.is_empty() && resp.is_empty() => "REJ",
            (state, State::Reset) if state.is_idle() => "RSTRH",
            (_, State::Reset) => "RSTR",
            (State::Reset, state) if state.is_idle() && self.is_syn_then_rst() => "RSTOS0",
            (State::Reset, state) if state.is_idle() => "OTH",
            (State::Reset, _) => "RSTO",
            (State::Closed, State::Closed) => "SF",
            (State::Closed, state) if state.is_idle() => "SH",
            (State::Closed, _) => "S2",
            (state, State::Closed) if state.is_idle() => "SHR",
            (_, State::Closed) => "S3",
            (State::SynSent, State::Inactive) => "S0",
            (State::Established, State::Established) => "S1",
            _ => "OTH",
        }
    }

    /// The originator's history is a SYN, then a RST, with nothing else of its own between but what is no packet kind:
    /// `/\^?S[^HAFGIQ]*R.*/`.
    fn is_syn_then_rst(&self) -> bool {
        let history = self.history.strip_prefix(b"^").unwrap_or(&self.history);
        let Some(rest) = history.strip_prefix(b"S") else {
            return false;
        };
        rest.iter().find(|letter| b"HAFGIQR".contains(letter)) == Some(&b'R')
    }

    /// The history letters.
    pub fn history(&self) -> Box<str> {
        String::from_utf8_lossy(&self.history).into()
    }
}

const fn index(end: End) -> usize {
    match end {
        End::Orig => 0,
        End::Resp => 1,
    }
}

#[cfg(test)]
mod tests;
