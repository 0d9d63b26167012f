//! Dialogues through the builder, without files.

use super::{Notice, Protocol, Session, Verb};
use crate::reconstruct::conn::End::{self, Orig, Resp};
use crate::reconstruct::session_builder::SessionBuilder;
use crate::span::Moment;

pub(crate) const INFO: &str = "INFO {\"server_id\":\"NA\",\"server_name\":\"n1\",\"version\":\"2.12.8\",\"headers\":true,\"max_payload\":1048576,\"client_id\":7,\"client_ip\":\"10.0.0.7\"} \r\n";
pub(crate) const CONNECT: &str = "CONNECT {\"verbose\":false,\"lang\":\"go\",\"version\":\"1.53.1\",\"name\":\"orders\",\"headers\":true}\r\n";

/// A moment: the second is the frame number too.
pub(crate) fn at(second: u64) -> Moment {
    Moment {
        ns: second as i64 * 1_000_000_000,
        frame: second,
    }
}

/// One thing that happens to a connection.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Says(End, u64, Vec<u8>),
    Gap(End, u64, u64),
    Fin(End, u64),
}

pub(crate) fn says(from: End, second: u64, text: impl AsRef<[u8]>) -> Step {
    Step::Says(from, second, text.as_ref().to_vec())
}

/// Runs a dialogue, each text in pieces of `piece` bytes.
pub(crate) fn run_in_pieces(steps: &[Step], piece: usize) -> Option<Box<Session>> {
    run_cut(steps, |bytes| bytes.chunks(piece).collect())
}

pub(crate) fn run_cut<'a>(
    steps: &'a [Step],
    cut: impl Fn(&'a [u8]) -> Vec<&'a [u8]>,
) -> Option<Box<Session>> {
    let mut builder = SessionBuilder::new(4222);
    for step in steps {
        match step {
            Step::Says(from, second, bytes) => {
                for part in cut(bytes) {
                    builder.data(*from, at(*second), part);
                }
            }
            Step::Gap(from, second, len) => builder.gap(*from, at(*second), *len),
            Step::Fin(from, second) => builder.fin(*from, at(*second)),
        }
    }
    builder.finish(at(1000))
}

pub(crate) fn run(steps: &[Step]) -> Session {
    *run_in_pieces(steps, usize::MAX).expect("payload was seen")
}

/// The session must be the same for pieces of every size and for one cut at every place.
pub(crate) fn check_every_cut(steps: &[Step]) -> Session {
    let whole = format!("{:?}", run(steps));
    let longest = steps
        .iter()
        .map(|step| match step {
            Step::Says(_, _, bytes) => bytes.len(),
            _ => 0,
        })
        .max()
        .unwrap_or(0);
    for n in 1..=longest {
        let pieces = run_in_pieces(steps, n);
        assert_eq!(format!("{:?}", pieces.unwrap()), whole, "pieces of {n}");
        let cut = run_cut(steps, |bytes| {
            let (head, tail) = bytes.split_at(n.min(bytes.len()));
            vec![head, tail]
        });
        assert_eq!(format!("{:?}", cut.unwrap()), whole, "cut at {n}");
    }
    run(steps)
}

fn ordinary() -> Vec<Step> {
    vec![
        says(Resp, 1, INFO),
        says(Orig, 2, format!("{CONNECT}PING\r\n")),
        says(Resp, 3, "PONG\r\n"),
        says(Orig, 4, "SUB a.* 1\r\nSUB b q 2\r\nPUB a.b 5\r\nhello\r\n"),
        says(
            Resp,
            5,
            "MSG a.b 1 5\r\nhello\r\nHMSG b 2 12 17\r\nNATS/1.0\r\n\r\nhello\r\n",
        ),
        says(Resp, 6, "PING\r\n"),
        says(Orig, 7, "PONG\r\n"),
    ]
}

#[test]
fn an_ordinary_session() {
    let mut steps = ordinary();
    steps.push(says(Resp, 126, "PING\r\n"));
    steps.push(says(Resp, 246, "PING\r\n"));
    steps.push(says(Resp, 366, "-ERR 'Stale Connection'\r\n"));
    steps.push(Step::Fin(Resp, 366));
    let session = check_every_cut(&steps);
    assert_eq!(session.protocol, Protocol::Client);
    assert_eq!(session.server_end, Some(Resp));
    assert_eq!(session.info.as_ref().unwrap().client_id, Some(7));
    assert_eq!(session.info_at, Some(at(1)));
    assert_eq!(
        session.connect.as_ref().unwrap().name.as_deref(),
        Some("orders")
    );
    assert_eq!(
        (session.connect_at, session.ready_at),
        (Some(at(2)), Some(at(3)))
    );
    assert_eq!(
        (
            session.client.subs,
            session.client.messages,
            session.client.message_bytes
        ),
        (2, 1, 5)
    );
    assert_eq!(
        (session.server.messages, session.server.message_bytes),
        (2, 22)
    );
    assert!(session.server.headers_used && !session.client.headers_used);
    assert_eq!(session.server.unanswered_pings, [at(126), at(246)]);
    assert!(session.client.unanswered_pings.is_empty());
    assert_eq!(session.server.ping_interval, Some(120_000_000_000));
    let rtt = session.rtt.unwrap();
    assert_eq!(
        (rtt.min, rtt.max, rtt.count),
        (1_000_000_000, 1_000_000_000, 2)
    );
    assert_eq!(session.errors.len(), 1);
    assert!(session.errors[0].from_server);
    assert_eq!(&*session.errors[0].text, "Stale Connection");
    assert_eq!(session.garbage, None);
    let verbs: Vec<Verb> = session.server.last_ops.iter().map(|op| op.1).collect();
    assert_eq!(
        verbs,
        [
            Verb::Info,
            Verb::Pong,
            Verb::Msg,
            Verb::Hmsg,
            Verb::Ping,
            Verb::Ping,
            Verb::Ping,
            Verb::Err
        ]
    );
}

#[test]
fn truncated_at_every_byte_nothing_breaks_and_counts_only_grow() {
    let stream =
        format!("{INFO}PONG\r\nMSG a.b 1 5\r\nhello\r\nMSG a.b 1 5\r\nhello\r\n-ERR 'x'\r\n");
    let mut before = 0;
    for n in 1..=stream.len() {
        let session = run(&[says(Resp, 1, &stream[..n])]);
        assert!(session.server.messages >= before);
        before = session.server.messages;
        assert_eq!(session.garbage, None, "{}", &stream[..n]);
    }
    assert_eq!(before, 2);
}

#[test]
fn a_message_cut_by_the_end() {
    let mut steps = ordinary();
    steps.push(says(Resp, 8, "MSG a.b 1 4294967296\r\nhel"));
    steps.push(Step::Gap(Resp, 9, 1000));
    steps.push(Step::Fin(Resp, 10));
    let session = check_every_cut(&steps);
    let cut = session.server.cut.unwrap();
    assert_eq!(
        (cut.verb, cut.declared, cut.present, cut.at),
        (Verb::Msg, 4_294_967_296, 1003, at(8))
    );
    assert_eq!(
        (session.server.messages, session.server.largest_message),
        (2, 4_294_967_296)
    );
}

#[test]
fn a_gap_inside_a_payload_keeps_the_step() {
    let steps = [
        says(Resp, 1, INFO),
        says(Resp, 2, "MSG a 1 100\r\n0123456789"),
        Step::Gap(Resp, 3, 80),
        says(Resp, 4, "0123456789\r\nPING\r\n"),
        says(Resp, 5, "MSG a 1 10\r\n"),
        Step::Gap(Resp, 6, 12),
        says(Resp, 7, "PING\r\n"),
    ];
    let session = check_every_cut(&steps);
    assert_eq!((session.server.messages, session.server.pings), (2, 2));
    assert_eq!(session.server.message_bytes, 110);
    assert_eq!(session.garbage, None);
}

#[test]
fn payload_text_like_verbs_behind_a_gap_fools_nobody() {
    let false_friend = "-ERR 'Stale Connection'\r\nPING\r\nMSG x 1 3\r\nabc\r\nand so on\r\n";
    let steps = [
        says(Resp, 1, INFO),
        says(Resp, 2, "MSG a 1 1"),
        Step::Gap(Resp, 3, 500),
        says(
            Resp,
            4,
            format!("tail of a payload {false_friend} the end\r\n"),
        ),
        says(
            Resp,
            5,
            "MSG a 1 3\r\nabc\r\nMSG a 1 3\r\nabc\r\nMSG a 1 3\r\nabc\r\n",
        ),
        says(
            Resp,
            6,
            format!("MSG a 1 {}\r\n{false_friend}\r\n", false_friend.len()),
        ),
        says(Resp, 7, "PING\r\n"),
    ];
    let session = check_every_cut(&steps);
    assert!(session.errors.is_empty(), "{:?}", session.errors);
    assert_eq!((session.server.messages, session.server.pings), (4, 1));
    assert_eq!(session.server.last_op, Some(at(7)));
}

#[test]
fn few_operations_behind_a_gap_are_believed_at_the_end() {
    let steps = [
        says(Resp, 1, INFO),
        says(Orig, 1, format!("{CONNECT}PING\r\n")),
        Step::Gap(Resp, 3, 5000),
        says(Resp, 4, "xx\r\nPING\r\n-ERR 'Stale Connection'\r\n"),
        Step::Fin(Resp, 4),
    ];
    let session = check_every_cut(&steps);
    assert_eq!(&*session.errors[0].text, "Stale Connection");
    assert_eq!(session.server.pings, 1);
    assert!(
        session.client.unanswered_pings.is_empty(),
        "the PONG may be in the gap"
    );
}

#[test]
fn a_stream_that_starts_in_the_middle() {
    let message = "MSG a.b 1 20\r\n01234567890123456789\r\n";
    let stream = message.repeat(12);
    for skip in 0..message.len() {
        let session = run(&[says(Resp, 1, &stream[skip..])]);
        assert!(
            (11..=12).contains(&session.server.messages),
            "{skip}: {}",
            session.server.messages
        );
        assert_eq!(session.protocol, Protocol::Client);
    }
}

#[test]
fn any_order_of_the_directions_gives_the_same_session() {
    let steps = ordinary();
    let whole = format!("{:?}", run(&steps));
    let of = |from| {
        steps
            .iter()
            .filter(move |step| matches!(step, Step::Says(end, ..) if *end == from))
            .cloned()
            .collect::<Vec<_>>()
    };
    let (orig, resp) = (of(Orig), of(Resp));
    // Every interleaving, as the set bits of a number.
    for mask in 0_u32..1 << steps.len() {
        if mask.count_ones() as usize != orig.len() {
            continue;
        }
        let (mut a, mut b) = (orig.iter(), resp.iter());
        let mixed: Vec<Step> = (0..steps.len())
            .filter_map(|bit| {
                if mask >> bit & 1 == 1 {
                    a.next()
                } else {
                    b.next()
                }
                .cloned()
            })
            .collect();
        assert_eq!(format!("{:?}", run(&mixed)), whole, "{mask:b}");
    }
}

#[test]
fn hostile_info() {
    let huge = format!(
        "INFO {{\"server_id\":\"NA\",\"x\":\"{}\"}}\r\nPING\r\n",
        "y".repeat(10 << 20)
    );
    let mut steps = vec![says(Resp, 1, huge)];
    steps.push(says(Orig, 2, CONNECT));
    let session = *run_in_pieces(&steps, 1460).unwrap();
    let whole = run(&steps);
    assert_eq!(format!("{session:?}"), format!("{whole:?}"));
    assert_eq!(session.server.pings, 1, "the rest is read");
    assert_eq!(session.garbage.unwrap().1, 1);
    assert_eq!(&*session.info.unwrap().server_id, "NA");
}

#[test]
fn a_quote_does_not_depend_on_where_segments_end() {
    let line = format!("PUBLISH {}", "a".repeat(55));
    let session = check_every_cut(&[
        says(Resp, 1, INFO),
        says(Orig, 2, format!("{CONNECT}{line}\r\nPING\r\n")),
    ]);
    assert_eq!(session.client.unknown_verb, Some((at(2), line.into())));
}

#[test]
fn unknown_verbs_are_quoted() {
    let session = check_every_cut(&[
        says(Resp, 1, INFO),
        says(Orig, 2, format!("{CONNECT}PUBLISH a 5\r\nhello\r\n")),
        says(Resp, 3, "-ERR 'Unknown Protocol Operation'\r\n"),
    ]);
    assert_eq!(
        session.client.unknown_verb,
        Some((at(2), "PUBLISH a 5".into()))
    );
    assert_eq!(session.garbage, Some((at(2), 1)));
    assert_eq!(session.protocol, Protocol::Client);
}

#[test]
fn nothing_said_is_no_session() {
    let mut builder = SessionBuilder::new(4222);
    builder.gap(Orig, at(1), 100);
    builder.fin(Orig, at(2));
    assert!(builder.finish(at(3)).is_none());
}

#[test]
fn a_drain_is_seen() {
    let session = check_every_cut(&[
        says(Resp, 1, INFO),
        says(Orig, 2, format!("{CONNECT}PING\r\nSUB a 1\r\nSUB b 2\r\n")),
        says(Resp, 3, "PONG\r\n"),
        says(Orig, 4, "UNSUB 1\r\nUNSUB 2\r\nPING\r\n"),
        says(Resp, 5, "PONG\r\n"),
        Step::Fin(Orig, 6),
    ]);
    assert!(session.client.drained);
}

#[test]
fn a_connection_at_rest_is_small() {
    assert!(size_of::<SessionBuilder>() <= 600);
}

#[test]
fn what_wakes_up_after_the_close_was_silent_before() {
    let session = check_every_cut(&[
        says(Resp, 1, INFO),
        says(Orig, 2, format!("{CONNECT}PING\r\n")),
        says(Resp, 2, "PONG\r\n"),
        says(Resp, 10, "PING\r\n"),
        says(Resp, 20, "PING\r\n"),
        says(Resp, 30, "-ERR 'Stale Connection'\r\n"),
        Step::Fin(Resp, 30),
        says(Orig, 40, "PONG\r\nPONG\r\n"),
        Step::Fin(Orig, 40),
    ]);
    assert_eq!(session.server.unanswered_pings, [at(10), at(20)]);
    assert_eq!(session.server.ping_interval, Some(10_000_000_000));
    assert_eq!(session.rtt.unwrap().count, 1);
}

#[test]
fn notices_of_a_server_that_leaves() {
    let info = |extra: &str| {
        format!("INFO {{\"server_id\":\"NA\",\"version\":\"2.12.8\",\"client_id\":7{extra}}} \r\n")
    };
    let session = check_every_cut(&[
        says(Resp, 1, info(r#","connect_urls":["a:1","b:2"]"#)),
        says(Resp, 2, info(r#","connect_urls":["b:2","a:1"]"#)),
        says(Resp, 3, info(r#","connect_urls":["a:1"]"#)),
        says(Resp, 4, info(r#","connect_urls":["a:1"],"ldm":true"#)),
    ]);
    assert_eq!(
        session.notices,
        [
            (at(3), Notice::ConnectUrls(vec!["a:1".into()])),
            (at(4), Notice::LameDuck)
        ]
    );
}

#[test]
fn headers_for_a_server_from_before_headers() {
    let session = run(&[
        says(
            Resp,
            1,
            "INFO {\"server_id\":\"NA\",\"version\":\"2.1.9\",\"client_id\":7} \r\n",
        ),
        says(
            Orig,
            2,
            format!("{CONNECT}HPUB a 12 17\r\nNATS/1.0\r\n\r\nhello\r\n"),
        ),
    ]);
    assert_eq!(
        session.client.unknown_verb,
        Some((at(2), "HPUB a 12 17".into()))
    );
}

#[test]
fn a_line_cut_by_the_snap_length_gives_what_it_holds() {
    let (held, cut) = INFO.split_at(INFO.find("\"headers\"").unwrap());
    let session = check_every_cut(&[
        says(Resp, 1, held),
        Step::Gap(Resp, 1, cut.len() as u64),
        says(Resp, 2, "PING\r\n"),
        Step::Gap(Resp, 3, 10),
        says(Resp, 4, "PING\r\n"),
    ]);
    let info = session.info.unwrap();
    assert_eq!(
        (info.server_name.as_deref(), &*info.version),
        (Some("n1"), "2.12.8")
    );
    assert_eq!(info.client_id, None);
    assert_eq!(session.server.pings, 2);
    assert_eq!(session.garbage, None);
}

#[test]
fn a_proxy_header_is_passed_over() {
    let two = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x0a\0\0\x01\x0a\0\0\x02\x12\x34\x10\x7e";
    for header in [&b"PROXY TCP4 10.0.0.1 10.0.0.2 4660 4222\r\n"[..], &two[..]] {
        let mut bytes = header.to_vec();
        bytes.extend(CONNECT.bytes());
        let session = check_every_cut(&[says(Resp, 1, INFO), says(Orig, 2, &bytes)]);
        assert_eq!(session.connect.unwrap().lang.as_deref(), Some("go"));
        assert_eq!(session.garbage, None);
    }
}

/// A WebSocket frame of a server, or of a client with a mask of zeros.
fn frame(masked: bool, deflated: bool, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![if deflated { 0xc2 } else { 0x82 }];
    let mask = if masked { 0x80 } else { 0 };
    match payload.len() {
        len @ ..126 => frame.push(mask | len as u8),
        len => {
            frame.push(mask | 0x7e);
            frame.extend((len as u16).to_be_bytes());
        }
    }
    if masked {
        frame.extend([0; 4]);
    }
    frame.extend(payload);
    frame
}

/// Messages of one sender, compressed with one window (RFC 7692 section 7.2.3.2).
fn deflated(messages: &[String]) -> Vec<Vec<u8>> {
    let mut deflate = flate2::Compress::new(flate2::Compression::best(), false);
    let shrink = |message: &String| {
        let mut out = Vec::with_capacity(message.len() + 64);
        let sync = flate2::FlushCompress::Sync;
        deflate
            .compress_vec(message.as_bytes(), &mut out, sync)
            .unwrap();
        assert!(out.ends_with(&[0, 0, 0xff, 0xff]));
        out.truncate(out.len() - 4);
        out
    };
    messages.iter().map(shrink).collect()
}

#[test]
fn messages_that_refer_to_earlier_ones() {
    let messages: Vec<String> = (0..6)
        .map(|n| {
            format!(
                "MSG a.b 1 40\r\n{}\r\n",
                format!("a payload with number {n} ")
                    .repeat(2)
                    .split_at(40)
                    .0
            )
        })
        .collect();
    let bodies = deflated(&messages);
    assert!(
        bodies[5].len() * 2 < bodies[0].len(),
        "later ones are short"
    );
    let frames: Vec<Vec<u8>> = bodies.iter().map(|body| frame(false, true, body)).collect();
    let request = "GET / HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
    let answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
    let ping = frame(true, true, &deflated(&["PING\r\n".into()])[0]);
    let begin = [
        says(Orig, 1, request),
        says(Resp, 2, answer),
        says(
            Orig,
            3,
            [&ping[..], &frame(true, false, b"PING\r\n")].concat(),
        ),
    ];
    let whole = [&begin[..], &[says(Resp, 4, frames.concat())]].concat();
    let session = check_every_cut(&whole);
    let websocket = session.websocket.as_ref().unwrap();
    assert!(websocket.client_takeover && websocket.server_takeover);
    assert_eq!((session.server.messages, session.client.pings), (6, 2));
    assert_eq!(session.garbage, None);
    // With a hole in the second one the window is lost for good; what is not compressed is still read.
    let (held, cut) = frames[1].split_at(5);
    let torn = [
        &begin[..],
        &[
            says(Resp, 4, &frames[0]),
            says(Resp, 5, held),
            Step::Gap(Resp, 5, cut.len() as u64),
            says(Resp, 6, frames[2..].concat()),
            says(Resp, 7, frame(false, false, b"PING\r\nPING\r\n")),
        ],
    ]
    .concat();
    let session = check_every_cut(&torn);
    assert_eq!((session.server.messages, session.server.pings), (1, 2));
    assert_eq!(session.garbage, None, "what cannot be read is no garbage");
}

#[test]
fn requests_and_their_answers() {
    let session = check_every_cut(&[
        says(Resp, 1, INFO),
        says(Orig, 1, CONNECT),
        says(
            Orig,
            2,
            "PUB ask _INBOX.1 2\r\nhi\r\nPUB ask _INBOX.2 2\r\nhi\r\n",
        ),
        says(Resp, 4, "MSG _INBOX.2 1 2\r\nok\r\n"),
        says(Resp, 5, "MSG work 2 own.reply.9 2\r\ndo\r\n"),
        says(Orig, 8, "HPUB own.reply.9 12 14\r\nNATS/1.0\r\n\r\nok\r\n"),
        Step::Fin(Orig, 9),
    ]);
    let asked = session.client.asked.unwrap();
    assert_eq!((asked.requests, asked.open), (2, 1));
    assert_eq!(asked.latency.unwrap().median, 2_000_000_000);
    let served = session.server.asked.unwrap();
    assert_eq!((served.requests, served.open), (1, 0));
    assert_eq!(served.latency.unwrap().max, 3_000_000_000);
}

#[test]
fn a_strangers_first_line_is_quoted_whole_however_it_was_cut() {
    let session = check_every_cut(&[says(Orig, 1, "SSH-2.0-OpenSSH_9.6\r\nrest")]);
    assert_eq!(session.protocol, Protocol::Other("SSH".into()));
    let unknown = [&session.client, &session.server].map(|talk| talk.unknown_verb.clone());
    let quote = unknown.into_iter().flatten().next().expect("a quote").1;
    assert_eq!(&*quote, "SSH-2.0-OpenSSH_9.6");
}
