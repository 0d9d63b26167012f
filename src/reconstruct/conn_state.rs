//! Zeek's summary of a connection: `conn_state` and `history`.
//!
//! The two endpoint states and their transitions are those of Zeek's TCP session adapter
//! (`src/packet_analysis/protocol/tcp/TCPSessionAdapter.cc`), the codes those of `conn_state` in
//! `scripts/base/protocols/conn/main.zeek`. This machine looks at flags and sequence numbers only and judges nothing;
//! everything that attribution rests on is told by [`super::flow`] instead.

use super::conn::End;
use super::seq::Seq;
use crate::parse::packet::{ACK, FIN, RST, SYN, Segment};

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

#[derive(Clone, Copy, Debug, Default)]
struct Endpoint {
    state: State,
    previous: State,
    start: Seq,
    last: Seq,
    acked: Seq,
    /// Letters already in the history, as bits by letter.
    seen: u32,
    last_syn: Option<Seq>,
    last_fin: Option<Seq>,
    last_rst: Option<Seq>,
    /// Payload was sent or acknowledged.
    sized: bool,
    retransmissions: Scaled,
    zero_windows: Scaled,
    gaps: Scaled,
}

impl Endpoint {
    fn enter(&mut self, state: State) {
        if self.state != state {
            self.previous = self.state;
            self.state = state;
        }
    }

    fn begin(&mut self, start: Seq) {
        self.start = start;
        self.acked = start;
    }
}

/// Zeek writes repeated events when their count reaches 1, 10, 100, ...
#[derive(Clone, Copy, Debug)]
struct Scaled {
    count: u32,
    threshold: u32,
}

impl Default for Scaled {
    fn default() -> Self {
        Self {
            count: 0,
            threshold: 1,
        }
    }
}

impl Scaled {
    fn add(&mut self) -> bool {
        self.count = self.count.saturating_add(1);
        let reached = self.count == self.threshold;
        if reached {
            self.threshold = self.threshold.saturating_mul(10);
        }
        reached
    }
}

/// The longest history kept: it grows with direction changes of new letters only, and by powers of ten.
const HISTORY: usize = 64;

/// Both endpoints and the history.
#[derive(Clone, Debug, Default)]
pub struct ConnState {
    ends: [Endpoint; 2],
    history: Vec<u8>,
}

/// Distances that Zeek believes of a SYN or RST.
const LARGE: i32 = 1_048_576;

impl ConnState {
    /// A connection whose first packet is `first`; `flipped` when that packet came from the responder.
    pub fn new(flipped: bool) -> Self {
        Self {
            ends: [Endpoint::default(); 2],
            history: if flipped { vec![b'^'] } else { Vec::new() },
        }
    }

    fn letter(&mut self, end: End, letter: u8) {
        if self.history.len() < HISTORY {
            self.history.push(if end == End::Orig {
                letter
            } else {
                letter.to_ascii_lowercase()
            });
        }
    }

    /// Adds a letter the first time; says whether it was there already.
    fn letter_once(&mut self, end: End, letter: u8) -> bool {
        let bit = 1_u32 << (letter.to_ascii_lowercase() - b'a');
        let endpoint = &mut self.ends[index(end)];
        if endpoint.seen & bit != 0 {
            return true;
        }
        endpoint.seen |= bit;
        self.letter(end, letter);
        false
    }

    /// Takes the next segment of `end`.
    pub fn segment(&mut self, end: End, segment: &Segment) {
        let (me, peer) = (index(end), index(end.other()));
        let flags = segment.flags;
        let (syn, fin, rst, ack) = (
            flags & SYN != 0,
            flags & FIN != 0,
            flags & RST != 0,
            flags & ACK != 0,
        );
        let seq = Seq(segment.seq);
        // Data in a RST is no part of the stream.
        let len = u32::from(syn) + u32::from(fin) + if rst { 0 } else { segment.len };
        let next = seq.plus(len);

        self.place(me, seq, next, syn);
        self.history_of(end, flags, seq, segment.len);
        let zero_window = segment.window == 0
            && !rst
            && self.ends[peer].state != State::Closed
            && self.ends[me].state != State::Reset;
        if zero_window && self.ends[me].zero_windows.add() {
            self.letter(end, b'W');
        }

        let mut gap = false;
        if ack {
            let acked = Seq(segment.ack);
            let other = &mut self.ends[peer];
            if other.state == State::Inactive {
                let start = Seq(segment.ack.wrapping_sub(1));
                other.begin(start);
                other.last = start;
            } else if !rst {
                let advance = acked.since(other.acked);
                if advance > 0 && !(acked.0 == 0 && advance > LARGE) {
                    other.acked = acked;
                    other.sized |= acked.since(other.start) > 1;
                    gap = !fin
                        && acked.since(other.last) > 0
                        && matches!(other.state, State::Established | State::Partial);
                }
            }
        }

        let endpoint = &mut self.ends[me];
        let advance = next.since(endpoint.last);
        if (syn || rst) && !(-LARGE..=LARGE).contains(&advance) {
            // A number too far away to be of this connection.
        } else if fin && endpoint.last == endpoint.start.plus(1) {
            endpoint.last = next;
        } else if endpoint.state == State::Reset {
            // Nothing after a RST is believed.
        } else if advance > 0 {
            endpoint.last = next;
        } else if segment.len > 0 && endpoint.retransmissions.add() {
            self.letter(end, b'T');
        }
        self.ends[me].sized |= segment.len > 0 && !rst;

        self.transition(end, segment, seq);
        if gap && self.ends[peer].gaps.add() {
            self.letter(end.other(), b'G');
        }
    }

    fn place(&mut self, me: usize, seq: Seq, next: Seq, syn: bool) {
        let endpoint = &mut self.ends[me];
        match endpoint.state {
            State::Inactive => {
                if syn {
                    endpoint.begin(seq);
                    endpoint.last = next;
                } else {
                    endpoint.begin(Seq(seq.0.wrapping_sub(1)));
                    endpoint.last = seq;
                }
            }
            State::SynSent | State::SynAckSent if syn && seq != endpoint.start => {
                endpoint.begin(seq);
                endpoint.last = next;
            }
            State::Established | State::Partial if syn => {
                endpoint.begin(seq);
                endpoint.last = next;
            }
            State::Reset if syn && endpoint.previous == State::Inactive => {
                endpoint.begin(seq);
                endpoint.last = next;
            }
            _ => {}
        }
    }

    fn history_of(&mut self, end: End, flags: u8, seq: Seq, len: u32) {
        let me = index(end);
        match (flags & SYN != 0, flags & FIN != 0, flags & RST != 0) {
            (_, true, true) => {
                self.letter_once(end, b'I');
            }
            (true, true, _) | (true, _, true) => {
                self.letter_once(end, b'Q');
            }
            (true, false, false) => {
                let letter = if flags & ACK != 0 { b'H' } else { b'S' };
                // One bit for both letters: a SYN after a SYN,ACK is written only when its number differs.
                let bit = 1 << (b's' - b'a');
                let seen = self.ends[me].seen & bit != 0;
                self.ends[me].seen |= bit;
                if !seen || self.ends[me].last_syn != Some(seq) {
                    self.letter(end, letter);
                }
                self.ends[me].last_syn = Some(seq);
            }
            (false, true, false) => {
                let at = seq.plus(len);
                if self.letter_once(end, b'F') && self.ends[me].last_fin != Some(at) {
                    self.letter(end, b'F');
                }
                self.ends[me].last_fin = Some(at);
            }
            (false, false, true) => {
                if self.letter_once(end, b'R') && self.ends[me].last_rst != Some(seq) {
                    self.letter(end, b'R');
                }
                self.ends[me].last_rst = Some(seq);
            }
            (false, false, false) if len > 0 => {
                self.letter_once(end, b'D');
            }
            (false, false, false) if flags & ACK != 0 => {
                self.letter_once(end, b'A');
            }
            (false, false, false) => {}
        }
    }

    fn transition(&mut self, end: End, segment: &Segment, seq: Seq) {
        let (me, peer) = (index(end), index(end.other()));
        let flags = segment.flags;
        let (syn, fin, rst, ack) = (
            flags & SYN != 0,
            flags & FIN != 0,
            flags & RST != 0,
            flags & ACK != 0,
        );
        match self.ends[me].state {
            State::Inactive => self.leave_inactive(end, segment, seq),
            State::SynSent | State::SynAckSent => {
                if fin {
                    self.ends[me].enter(State::Closed);
                }
                if rst {
                    self.ends[me].enter(State::Reset);
                }
            }
            State::Established | State::Partial => {
                if syn
                    && !ack
                    && self.ends[me].state == State::Partial
                    && self.ends[peer].state == State::Inactive
                {
                    self.ends[me].enter(State::SynSent);
                }
                if fin && !rst {
                    self.ends[me].enter(State::Closed);
                    if self.ends[peer].state == State::Reset
                        && self.ends[peer].previous == State::Closed
                    {
                        // The peer's FIN was followed by its RST: an ordinary end after all.
                        self.ends[peer].enter(State::Closed);
                    }
                }
                if rst {
                    self.ends[me].enter(State::Reset);
                }
            }
            State::Closed => {
                if rst && self.ends[peer].state != State::Closed {
                    self.ends[me].enter(State::Reset);
                }
            }
            State::Reset => {}
        }
    }

    fn leave_inactive(&mut self, end: End, segment: &Segment, seq: Seq) {
        let (mut me, mut peer) = (index(end), index(end.other()));
        let flags = segment.flags;
        let (syn, fin, rst, ack) = (
            flags & SYN != 0,
            flags & FIN != 0,
            flags & RST != 0,
            flags & ACK != 0,
        );
        if syn {
            if end == End::Orig {
                self.ends[me].enter(if ack {
                    State::SynAckSent
                } else {
                    State::SynSent
                });
            } else {
                if !ack && self.ends[peer].state == State::SynAckSent && seq == self.ends[me].start
                {
                    // SYN and SYN,ACK came in the wrong order: the ends change places.
                    self.ends.swap(0, 1);
                    std::mem::swap(&mut me, &mut peer);
                    self.ends[peer].enter(State::Established);
                }
                if self.ends[peer].state == State::SynSent {
                    self.ends[peer].enter(State::Established);
                }
                self.ends[me].enter(State::Established);
            }
        }
        if fin {
            self.ends[me].enter(State::Closed);
        }
        if rst {
            self.ends[me].enter(State::Reset);
        }
        if self.ends[me].state == State::Inactive {
            let eccentric =
                end == End::Resp && segment.len == 0 && self.ends[peer].state == State::SynSent;
            if eccentric {
                // An ACK of the SYN before the SYN,ACK; it makes no partial connection.
            } else if ack && self.ends[peer].state == State::Established {
                self.ends[me].enter(State::Established);
            } else {
                self.ends[me].enter(State::Partial);
            }
        }
    }

    /// The `conn_state` code.
    pub fn code(&self) -> &'static str {
        let [orig, resp] = &self.ends;
        let inactive = |state| matches!(state, State::Inactive | State::Partial);
        let (o_inactive, r_inactive) = (inactive(orig.state), inactive(resp.state));
        match (orig.state, resp.state) {
            (State::SynSent | State::SynAckSent, State::Reset) => "REJ",
            (State::Reset, State::Reset) if !orig.sized && !resp.sized => "REJ",
            (_, State::Reset) if o_inactive => "RSTRH",
            (_, State::Reset) => "RSTR",
            (State::Reset, _) if r_inactive => "RSTOS0",
            (State::Reset, _) => "RSTO",
            (State::Closed, State::Closed) => "SF",
            (State::Closed, _) if r_inactive => "SH",
            (State::Closed, _) => "S2",
            (_, State::Closed) if o_inactive => "SHR",
            (_, State::Closed) => "S3",
            (State::SynSent, State::Inactive) => "S0",
            (State::Established, State::Established) => "S1",
            _ => "OTH",
        }
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
mod tests {
    use super::*;
    use crate::parse::packet::PSH;

    /// A dialogue: sender (`>` originator, `<` responder), flags, sequence number, acknowledgement, payload length.
    type Line = (char, u8, u32, u32, u32);

    fn summary(dialogue: &[Line]) -> (&'static str, String) {
        let mut state = ConnState::new(false);
        for &(from, flags, seq, ack, len) in dialogue {
            let end = if from == '>' { End::Orig } else { End::Resp };
            let segment = Segment {
                seq,
                ack,
                flags,
                len,
                window: 100,
                ..Segment::default()
            };
            state.segment(end, &segment);
        }
        (state.code(), state.history().into())
    }

    const OPEN: [Line; 3] = [
        ('>', SYN, 10, 0, 0),
        ('<', SYN | ACK, 50, 11, 0),
        ('>', ACK, 11, 51, 0),
    ];

    #[test]
    fn codes_and_histories_by_dialogue() {
        let fin = FIN | ACK;
        let rst = RST | ACK;
        let data = PSH | ACK;
        let table: &[(&str, Vec<Line>, &str, &str)] = &[
            ("one SYN", vec![OPEN[0]], "S0", "S"),
            ("SYN repeated", vec![OPEN[0], OPEN[0]], "S0", "S"),
            ("refused", vec![OPEN[0], ('<', rst, 0, 11, 0)], "REJ", "Sr"),
            ("SYN,ACK only", vec![OPEN[1]], "OTH", "h"),
            ("open", OPEN.to_vec(), "S1", "ShA"),
            (
                "ordinary end",
                [
                    &OPEN[..],
                    &[
                        ('>', data, 11, 51, 5),
                        ('<', data, 51, 16, 5),
                        ('>', fin, 16, 56, 0),
                        ('<', fin, 56, 17, 0),
                        ('>', ACK, 17, 57, 0),
                    ],
                ]
                .concat(),
                "SF",
                "ShADdFf",
            ),
            (
                "half closed by the originator",
                [&OPEN[..], &[('>', fin, 11, 51, 0), ('<', ACK, 51, 12, 0)]].concat(),
                "S2",
                "ShAFa",
            ),
            (
                "half closed by the responder",
                [&OPEN[..], &[('<', fin, 51, 11, 0), ('>', ACK, 11, 52, 0)]].concat(),
                "S3",
                "ShAf",
            ),
            (
                "reset by the originator",
                [&OPEN[..], &[('>', data, 11, 51, 5), ('>', rst, 16, 51, 0)]].concat(),
                "RSTO",
                "ShADR",
            ),
            (
                "reset by the responder",
                [&OPEN[..], &[('>', data, 11, 51, 5), ('<', rst, 51, 16, 0)]].concat(),
                "RSTR",
                "ShADr",
            ),
            (
                "SYN then RST, no answer",
                vec![OPEN[0], ('>', RST, 11, 0, 0)],
                "RSTOS0",
                "SR",
            ),
            (
                "SYN,ACK then RST of the responder",
                vec![OPEN[1], ('<', RST, 51, 0, 0)],
                "RSTRH",
                "hr",
            ),
            (
                "SYN then FIN",
                vec![OPEN[0], ('>', fin, 11, 0, 0)],
                "SH",
                "SF",
            ),
            (
                "SYN,ACK then FIN",
                vec![OPEN[1], ('<', fin, 51, 11, 0)],
                "SHR",
                "hf",
            ),
            (
                "midstream",
                vec![('>', data, 100, 200, 5), ('<', ACK, 200, 105, 0)],
                "OTH",
                "Da",
            ),
            (
                "data sent twice",
                [&OPEN[..], &[('>', data, 11, 51, 5), ('>', data, 11, 51, 5)]].concat(),
                "S1",
                "ShADT",
            ),
            (
                "FIN, then RST of the same end, then FIN of the other",
                [
                    &OPEN[..],
                    &[
                        ('>', fin, 11, 51, 0),
                        ('>', RST, 12, 0, 0),
                        ('<', fin, 51, 12, 0),
                    ],
                ]
                .concat(),
                "SF",
                "ShAFRf",
            ),
        ];
        for (name, dialogue, code, history) in table {
            assert_eq!(summary(dialogue), (*code, (*history).to_owned()), "{name}");
        }
    }
}
