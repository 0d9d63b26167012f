//! Dialogues of segments: who says what, and what the connection then looks like.

use super::super::conn::{Conn, Manner, RstOrigin};
use super::*;
use crate::parse::packet::{Options, PSH};

const MS: i64 = 1_000_000;

/// A connection fed by hand. Sequence numbers are relative: the originator's stream begins at 1000, the responder's at
/// 5000, close below the wrap when asked.
struct Dialogue {
    conn: LiveConn,
    now: i64,
    frame: u64,
    ids: [u16; 2],
    isn: [u32; 2],
}

/// One segment: relative numbers, as Wireshark shows them.
#[derive(Clone, Copy, Default)]
struct Say {
    flags: u8,
    seq: u32,
    ack: u32,
    data: &'static [u8],
    window: Option<u16>,
    ttl: Option<u8>,
    id: Option<u16>,
    bare: bool,
}

impl Dialogue {
    fn new() -> Self {
        Self::from_isn([1000, 5000])
    }

    fn from_isn(isn: [u32; 2]) -> Self {
        let tuple = FourTuple {
            orig: "10.0.0.1:41000".parse().expect("an address"),
            resp: "10.0.0.2:4222".parse().expect("an address"),
        };
        let wish = Wish {
            wanted: true,
            detect: false,
            keys: &std::sync::Arc::default(),
        };
        Self {
            conn: LiveConn::new(
                SourceId(0),
                tuple,
                true,
                None,
                Moment::default(),
                FirstPacket {
                    from: End::Orig,
                    flipped: false,
                },
                wish,
            ),
            now: 0,
            frame: 0,
            ids: [100, 900],
            isn,
        }
    }

    fn open() -> Self {
        Self::new().handshake()
    }

    fn handshake(self) -> Self {
        let syn = |flags, ack| Say {
            flags,
            ack,
            ..Say::default()
        };
        self.say(End::Orig, syn(SYN, 0))
            .say(End::Resp, syn(SYN | ACK, 1))
            .say(
                End::Orig,
                Say {
                    seq: 1,
                    ..syn(ACK, 1)
                },
            )
    }

    fn after(mut self, ns: i64) -> Self {
        self.now += ns;
        self
    }

    fn say(mut self, end: End, say: Say) -> Self {
        let me = index(end);
        self.now += 10_000;
        self.frame += 1;
        self.ids[me] = self.ids[me].wrapping_add(1);
        let syn = say.flags & SYN != 0;
        let segment = Segment {
            seq: self.isn[me].wrapping_add(say.seq),
            ack: if say.flags & ACK == 0 {
                0
            } else {
                self.isn[1 - me].wrapping_add(say.ack)
            },
            flags: say.flags,
            window: say.window.unwrap_or(500),
            ttl: say.ttl.unwrap_or(if me == 0 { 64 } else { 63 }),
            ip_id: Some(say.id.unwrap_or(self.ids[me])),
            options: if say.bare {
                Options::default()
            } else {
                Options {
                    mss: syn.then_some(1460),
                    window_scale: syn.then_some(7),
                    timestamps: Some(((self.now / MS) as u32, 0)),
                    len: 12,
                    ..Options::default()
                }
            },
            len: say.data.len() as u32,
            payload_len: say.data.len() as u32,
            ..Segment::default()
        };
        let at = Moment {
            ns: self.now,
            frame: self.frame,
        };
        self.conn.segment(end, &segment, say.data, at, 0, None);
        self
    }

    fn data(self, end: End, seq: u32, ack: u32, data: &'static [u8]) -> Self {
        self.say(
            end,
            Say {
                flags: PSH | ACK,
                seq,
                ack,
                data,
                ..Say::default()
            },
        )
    }

    fn ack(self, end: End, seq: u32, ack: u32) -> Self {
        self.data(end, seq, ack, b"")
    }

    fn fin(self, end: End, seq: u32, ack: u32) -> Self {
        self.say(
            end,
            Say {
                flags: FIN | ACK,
                seq,
                ack,
                ..Say::default()
            },
        )
    }

    fn end(self) -> Conn {
        Box::new(self.conn).finish()
    }
}

use End::{Orig, Resp};

fn names(conn: &Conn) -> Vec<(&'static str, End, u64)> {
    conn.anomalies
        .iter()
        .map(|row| (row.name, row.from, row.count))
        .collect()
}

#[test]
fn ordinary_life() {
    let conn = Dialogue::open()
        .data(Resp, 1, 1, b"hello")
        .ack(Orig, 1, 6)
        .fin(Orig, 1, 6)
        .fin(Resp, 6, 2)
        .ack(Orig, 2, 7)
        .end();
    assert_eq!((conn.state, &*conn.history), ("SF", "ShAdFf"));
    assert_eq!(conn.end.manner, Manner::Fin);
    assert_eq!(conn.end.by, Some(Orig));
    assert_eq!((conn.orig.bytes, conn.resp.bytes), (0, 5));
    assert!(conn.orig.fin_acked && conn.resp.fin_acked);
    assert_eq!(conn.handshake.rtt(), Some(20_000));
    assert_eq!(conn.resp.window, Some(500 << 7));
    assert_eq!(names(&conn), []);
}

#[test]
fn unanswered_data_is_sent_again_and_again() {
    let mut dialogue = Dialogue::open().data(Orig, 1, 1, b"PING\r\n");
    for pause in [200, 400, 800, 1600] {
        dialogue = dialogue.after(pause * MS).data(Orig, 1, 1, b"PING\r\n");
    }
    let conn = dialogue.end();
    assert_eq!(conn.end.manner, Manner::Silent);
    assert_eq!(conn.orig.retransmissions, 4);
    assert_eq!(conn.orig.unacked_bytes, 6);
    assert_eq!(conn.orig.unacked_since.map(|at| at.frame), Some(4));
    let run = conn.orig.final_retransmissions.expect("a run");
    assert_eq!((run.count, run.first.frame, run.last.frame), (4, 5, 8));
    assert_eq!(conn.orig.largest_lost, 6);
}

#[test]
fn an_answered_retransmission_leaves_no_final_run() {
    let conn = Dialogue::open()
        .data(Orig, 1, 1, b"PING\r\n")
        .after(200 * MS)
        .data(Orig, 1, 1, b"PING\r\n")
        .ack(Resp, 1, 7)
        .end();
    assert_eq!(conn.end.manner, Manner::Open);
    assert_eq!(conn.orig.unacked_bytes, 0);
    assert_eq!(conn.orig.final_retransmissions, None);
    assert_eq!(
        conn.orig.worst_retransmissions.map(|run| run.count),
        Some(1)
    );
}

#[test]
fn what_the_peer_has_and_the_capture_has_not_is_capture_loss() {
    let conn = Dialogue::open()
        .data(Orig, 1, 1, b"abc")
        .ack(Resp, 1, 11)
        .data(Orig, 11, 1, b"def")
        .ack(Resp, 1, 14)
        .end();
    assert_eq!(conn.orig.capture_lost_bytes, 7);
    assert_eq!(conn.orig.bytes, 6);
    assert_eq!(conn.orig.retransmissions, 0);
    assert_eq!(conn.orig.unacked_bytes, 0);
    assert_eq!(names(&conn), [("ack_lost_segment", Resp, 1)]);
}

#[test]
fn an_empty_segment_behind_what_was_sent_shows_a_loss_once() {
    let conn = Dialogue::open()
        .data(Resp, 1, 1, b"abc")
        .ack(Orig, 1, 4)
        .ack(Resp, 404, 1)
        .ack(Resp, 404, 1)
        .end();
    assert_eq!(names(&conn), [("lost_segment", Resp, 1)]);
    assert_eq!(conn.resp.bytes, 3);
}

#[test]
fn overtaken_or_sent_again_is_told_by_the_identification() {
    let say = |seq, data, id| Say {
        flags: ACK,
        seq,
        ack: 1,
        data,
        id: Some(id),
        ..Say::default()
    };
    let begin = || {
        Dialogue::open()
            .data(Orig, 1, 1, b"aa")
            .data(Orig, 3, 1, b"bb")
            .say(Orig, say(9, b"dd", 110))
    };
    let overtaken = begin().say(Orig, say(5, b"cccc", 109)).end();
    assert_eq!(
        (overtaken.orig.out_of_order, overtaken.orig.retransmissions),
        (1, 0)
    );
    let again = begin().say(Orig, say(5, b"cccc", 111)).end();
    assert_eq!(
        (again.orig.out_of_order, again.orig.retransmissions),
        (0, 1)
    );
    assert_eq!(again.orig.bytes, 10);
}

#[test]
fn keepalives_and_their_answers_are_no_retransmissions() {
    let conn = Dialogue::open()
        .data(Orig, 1, 1, b"x")
        .ack(Resp, 1, 2)
        .after(15_000 * MS)
        .ack(Orig, 1, 1)
        .ack(Resp, 1, 2)
        .end();
    assert_eq!(conn.orig.keep_alives, 1);
    assert_eq!(conn.orig.retransmissions, 0);
    assert_eq!(conn.resp.duplicate_acks, 0);
    assert_eq!(
        names(&conn),
        [("keep_alive", Orig, 1), ("keep_alive_ack", Resp, 1)]
    );
}

#[test]
fn a_shut_window_is_probed() {
    let shut = |ack| Say {
        flags: ACK,
        seq: 1,
        ack,
        window: Some(0),
        ..Say::default()
    };
    let conn = Dialogue::open()
        .data(Orig, 1, 1, b"abcdef")
        .say(Resp, shut(7))
        .after(200 * MS)
        .ack(Orig, 6, 1)
        .say(Resp, shut(7))
        .after(300 * MS)
        .ack(Resp, 1, 7)
        .end();
    assert_eq!(conn.orig.zero_window_probes, 1);
    assert_eq!(conn.orig.keep_alives, 0);
    assert_eq!(conn.resp.zero_windows, 1);
    assert!(conn.resp.zero_window_ns > 500 * MS);
    assert_eq!(conn.resp.zero_window_since, None);
    assert_eq!(conn.resp.window_min, 0);
}

#[test]
fn the_sequence_space_wraps() {
    let conn = Dialogue::from_isn([0xffff_fffd, 0xffff_ffff])
        .handshake()
        .data(Orig, 1, 1, b"abcdef")
        .ack(Resp, 1, 7)
        .data(Orig, 7, 1, b"gh")
        .ack(Resp, 1, 9)
        .end();
    assert_eq!(conn.orig.bytes, 8);
    assert_eq!(conn.orig.unacked_bytes, 0);
    assert_eq!(names(&conn), []);
}

#[test]
fn midstream_counts_from_the_first_byte_seen() {
    let conn = Dialogue::new()
        .data(Orig, 501, 301, b"abc")
        .ack(Resp, 301, 504)
        .end();
    assert_eq!(conn.orig.isn, None);
    assert_eq!(conn.orig.bytes, 3);
    assert_eq!(conn.orig.capture_lost_bytes, 0);
    assert_eq!((conn.tail[0].seq, conn.tail[0].ack), (1, 1));
}

#[test]
fn who_sent_the_rst() {
    let rst = |flags, seq, ack| Say {
        flags,
        seq,
        ack,
        ..Say::default()
    };
    let reply = |seq| Say {
        window: Some(0),
        id: Some(0),
        bare: true,
        ..rst(RST, seq, 0)
    };
    let spoken = || {
        Dialogue::open()
            .data(Resp, 1, 1, b"hello")
            .ack(Orig, 1, 6)
            .data(Resp, 6, 1, b"hello")
            .ack(Orig, 1, 11)
            .data(Orig, 1, 11, b"PING\r\n")
    };
    let origin = |dialogue: Dialogue| dialogue.end().rsts[0].origin;
    // The socket's own window, timestamps and next identification.
    assert_eq!(
        origin(spoken().say(Resp, rst(RST | ACK, 11, 7))),
        RstOrigin::OwnActive
    );
    // A reply for a socket that had been closed.
    assert_eq!(
        origin(
            spoken()
                .fin(Resp, 11, 7)
                .ack(Orig, 7, 12)
                .say(Resp, reply(12))
        ),
        RstOrigin::OwnNoSocket
    );
    // The same shape from another hop.
    let elsewhere = Say {
        ttl: Some(64),
        ..reply(11)
    };
    assert_eq!(origin(spoken().say(Resp, elsewhere)), RstOrigin::Injected);
    // The same shape from an end that was alive a moment ago.
    assert_eq!(origin(spoken().say(Resp, reply(11))), RstOrigin::Injected);
    // A long silence, in which a close may have gone unseen.
    assert_eq!(
        origin(
            spoken()
                .after(600_000 * MS)
                .data(Orig, 7, 11, b"PING\r\n")
                .say(Resp, reply(11))
        ),
        RstOrigin::Unknown
    );
}

#[test]
fn senders_other_than_linux() {
    let origin = |dialogue: Dialogue| dialogue.end().rsts[0].origin;
    let talk = |window, bare, id| {
        let say = move |seq, data| Say {
            flags: PSH | ACK,
            seq,
            ack: 1,
            data,
            window: Some(window),
            bare,
            id,
            ..Say::default()
        };
        Dialogue::open()
            .say(Resp, say(1, b"hello"))
            .say(Resp, say(6, b"hello"))
            .ack(Orig, 1, 11)
    };
    let rst = |flags, window, id| Say {
        flags,
        seq: 11,
        ack: 1,
        window: Some(window),
        id,
        bare: true,
        ..Say::default()
    };
    // Windows: window 0, no timestamps, the next identification.
    assert_eq!(
        origin(talk(500, true, None).say(Resp, rst(RST | ACK, 0, None))),
        RstOrigin::OwnActive
    );
    // macOS: the socket's window, no timestamps although its segments have them, identification 0.
    assert_eq!(
        origin(talk(2060, false, Some(0)).say(Resp, rst(RST | ACK, 2060, Some(0)))),
        RstOrigin::OwnActive
    );
    // The same with a window that this end never advertised says nothing.
    assert_eq!(
        origin(talk(2060, false, Some(0)).say(Resp, rst(RST | ACK, 777, Some(0)))),
        RstOrigin::Unknown
    );
    // A BSD answers for a socket that is gone with a random identification.
    let gone = talk(2060, false, Some(0))
        .fin(Resp, 11, 1)
        .ack(Orig, 1, 12)
        .say(
            Resp,
            Say {
                seq: 12,
                ..rst(RST, 0, Some(0x7a31))
            },
        );
    assert_eq!(origin(gone), RstOrigin::OwnNoSocket);
}

#[test]
fn refused_and_unanswered() {
    let syn = Say {
        flags: SYN,
        ..Say::default()
    };
    let refusal = Say {
        flags: RST | ACK,
        ack: 1,
        window: Some(0),
        id: Some(0),
        bare: true,
        ..Say::default()
    };
    let refused = Dialogue::new().say(Orig, syn).say(Resp, refusal).end();
    assert_eq!(
        (refused.state, refused.end.manner),
        ("REJ", Manner::Refused)
    );
    assert_eq!(refused.rsts[0].origin, RstOrigin::OwnNoSocket);
    let unanswered = Dialogue::new()
        .say(Orig, syn)
        .after(1000 * MS)
        .say(Orig, syn)
        .end();
    assert_eq!(unanswered.state, "S0");
    assert_eq!(unanswered.end.manner, Manner::Unanswered);
    assert_eq!(unanswered.handshake.syns, 2);
}

#[test]
fn the_silence_before_the_end() {
    let conn = Dialogue::open()
        .data(Orig, 1, 1, b"PING\r\n")
        .data(Resp, 1, 7, b"PONG\r\n")
        .ack(Orig, 7, 7)
        .after(900_000 * MS)
        .data(Orig, 7, 7, b"PING\r\n")
        .after(200 * MS)
        .data(Orig, 7, 7, b"PING\r\n")
        .after(1400 * MS)
        .data(Orig, 7, 7, b"PING\r\n")
        .end();
    let silence = conn.last_silence.expect("a silence");
    assert_eq!((silence.from.frame, silence.until.frame), (6, 7));
    assert_eq!(conn.longest_silence, conn.last_silence);
}

#[test]
fn a_segment_recorded_after_its_acknowledgement_was_only_overtaken() {
    let conn = Dialogue::new()
        .handshake()
        .data(Orig, 1, 1, b"abc")
        .ack(Resp, 1, 4)
        .ack(Resp, 1, 7)
        .data(Orig, 4, 1, b"def")
        .ack(Resp, 1, 7)
        .end();
    assert_eq!((conn.orig.retransmissions, conn.orig.out_of_order), (0, 1));
    assert_eq!(conn.orig.capture_lost_bytes, 0);
    // Long after it, the capture had missed the first transmission.
    let conn = Dialogue::new()
        .handshake()
        .data(Orig, 1, 1, b"abc")
        .ack(Resp, 1, 7)
        .after(300 * MS)
        .data(Orig, 4, 1, b"def")
        .end();
    assert_eq!((conn.orig.retransmissions, conn.orig.out_of_order), (1, 0));
}
