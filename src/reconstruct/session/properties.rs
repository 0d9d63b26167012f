//! Properties over random cuts, holes and bytes.

use proptest::prelude::*;

use super::tests::{CONNECT, INFO, Step, at, run, says};
use crate::reconstruct::conn::End::{self, Orig, Resp};
use crate::reconstruct::session_builder::SessionBuilder;

/// A stream of a server with `count` messages whose payloads hold what `payload` gives.
fn server_stream(payloads: &[Vec<u8>]) -> Vec<u8> {
    let mut stream = INFO.as_bytes().to_vec();
    for payload in payloads {
        stream.extend(format!("MSG a.b 1 {}\r\n", payload.len()).bytes());
        stream.extend(payload);
        stream.extend(b"\r\n");
    }
    stream
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        Just(b"PING\r\n-ERR 'Stale Connection'\r\nMSG x 1 3\r\nabc\r\n".to_vec()),
        Just(b"\x16\x03\x01\x00\x05hello\r\n\xff\x06\0\0S2sTwO".to_vec()),
    ]
}

/// What one end of a session says, in order: whole operations, with the moments at which they are seen.
fn says_of(server: bool) -> impl Strategy<Value = Vec<(u64, String)>> {
    let op = if server {
        prop_oneof![
            Just("PING\r\n".to_owned()),
            Just("PONG\r\n".to_owned()),
            Just("+OK\r\n".to_owned()),
            Just("-ERR 'Permissions Violation for Publish to \"a\"'\r\n".to_owned()),
            (0_u8..4).prop_map(|n| format!("MSG _INBOX.{n} 1 5\r\nPING\r\r\n")),
            (0_u8..4).prop_map(|n| format!("MSG work 2 _R_.{n} 3\r\nabc\r\n")),
            Just("gibberish\r\n".to_owned()),
        ]
        .boxed()
    } else {
        prop_oneof![
            Just("PING\r\n".to_owned()),
            Just("PONG\r\n".to_owned()),
            Just("SUB a 1\r\n".to_owned()),
            Just("UNSUB 1\r\n".to_owned()),
            (0_u8..4).prop_map(|n| format!("PUB ask _INBOX.{n} 6\r\n-ERR x\r\n")),
            (0_u8..4).prop_map(|n| format!("HPUB _R_.{n} 12 14\r\nNATS/1.0\r\n\r\nok\r\n")),
        ]
        .boxed()
    };
    proptest::collection::vec((1_u64..4, op), 0..8).prop_map(move |ops| {
        let mut second = if server { 1 } else { 2 };
        let first = if server { INFO } else { CONNECT };
        let mut said = vec![(second, first.to_owned())];
        for (pause, op) in ops {
            // Odd seconds are the server's: no two ends speak at once.
            second += 2 * pause;
            said.push((second, op));
        }
        said
    })
}

proptest! {
    /// Each direction in order, both in any order among themselves and cut anywhere: what was said does not change.
    #[test]
    fn any_interleaving_gives_the_same_session(
        server in says_of(true),
        client in says_of(false),
        turns in proptest::collection::vec((any::<bool>(), 1_usize..30), 1..60),
    ) {
        let sides = [(Resp, &server), (Orig, &client)];
        let mut in_order: Vec<(u64, End, &str)> = sides
            .iter()
            .flat_map(|(end, said)| said.iter().map(|(second, text)| (*second, *end, &**text)))
            .collect();
        in_order.sort();
        let steps: Vec<Step> = in_order
            .iter()
            .map(|(second, end, text)| says(*end, *second, text))
            .collect();
        let whole = run(&steps);
        let mut builder = SessionBuilder::new(4222);
        let mut queues = sides.map(|(end, said)| {
            let pieces: Vec<(u64, &[u8])> = said
                .iter()
                .map(|(second, text)| (*second, text.as_bytes()))
                .collect();
            (end, std::collections::VecDeque::from(pieces))
        });
        let mut turn = 0;
        while queues.iter().any(|(_, queue)| !queue.is_empty()) {
            let (first, size) = turns[turn % turns.len()];
            turn += 1;
            let pick = usize::from(first && !queues[1].1.is_empty() || queues[0].1.is_empty());
            let (end, queue) = &mut queues[pick];
            if let Some((second, bytes)) = queue.pop_front() {
                let (now, later) = bytes.split_at(size.min(bytes.len()));
                builder.data(*end, at(second), now);
                if !later.is_empty() {
                    queue.push_front((second, later));
                }
            }
        }
        let mixed = builder.finish(at(1000)).unwrap();
        prop_assert_eq!(format!("{:?}", mixed), format!("{:?}", whole));
    }

    #[test]
    fn any_cuts_give_the_same_session(
        payloads in proptest::collection::vec(payload(), 0..6),
        cuts in proptest::collection::vec(1_usize..40, 1..8),
    ) {
        let stream = server_stream(&payloads);
        let whole = run(&[says(Orig, 1, CONNECT), says(Resp, 1, &stream)]);
        prop_assert_eq!(whole.server.messages, payloads.len() as u64);
        prop_assert_eq!(whole.garbage, None);
        let mut builder = SessionBuilder::new(4222);
        builder.data(Orig, at(1), CONNECT.as_bytes());
        let (mut rest, mut turn) = (&stream[..], 0);
        while !rest.is_empty() {
            let (now, after) = rest.split_at(cuts[turn % cuts.len()].min(rest.len()));
            builder.data(Resp, at(1), now);
            (rest, turn) = (after, turn + 1);
        }
        let cut = builder.finish(at(1000)).unwrap();
        prop_assert_eq!(format!("{:?}", cut), format!("{:?}", whole));
    }

    #[test]
    fn a_hole_never_adds_errors_or_messages(
        payloads in proptest::collection::vec(payload(), 1..8),
        from in 0.0_f64..1.0,
        len in 1_usize..300,
    ) {
        let stream = server_stream(&payloads);
        let from = (from * stream.len() as f64) as usize;
        let to = (from + len).min(stream.len());
        let session = run(&[
            says(Resp, 1, &stream[..from]),
            Step::Gap(Resp, 2, (to - from) as u64),
            says(Resp, 3, &stream[to..]),
            // Two more messages show where the false ends.
            says(Resp, 4, server_stream(&[b"one".to_vec(), b"two".to_vec()])),
            Step::Says(Orig, 5, CONNECT.as_bytes().to_vec()),
        ]);
        prop_assert!(session.server.messages <= payloads.len() as u64 + 2);
    }

    #[test]
    fn any_bytes_and_holes_are_survived(
        pieces in proptest::collection::vec(
            (any::<bool>(), any::<bool>(), proptest::collection::vec(any::<u8>(), 0..80)),
            0..12,
        ),
        first in prop_oneof![
            Just(&b""[..]),
            Just(&b"\x16\x03\x01\x00\x50"[..]),
            Just(&b"\xff\x06\0\0S2sTwO\x00\x20\0\0"[..]),
            Just(&b"\x10\x30\0\x04MQTT\x05\x02\0\x3c"[..]),
            Just(&b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\xc2\x85\x01\x02\x03\x04"[..]),
            Just(&b"MSG a 1 4294967296\r\n"[..]),
        ],
    ) {
        let mut builder = SessionBuilder::new(4222);
        let end = |orig: bool| if orig { End::Orig } else { End::Resp };
        for side in [Orig, Resp] {
            builder.data(side, at(1), first);
        }
        for (orig, hole, bytes) in &pieces {
            if *hole {
                builder.gap(end(*orig), at(2), bytes.len() as u64 * 1_000_003);
            } else {
                builder.data(end(*orig), at(2), bytes);
            }
        }
        builder.fin(Orig, at(3));
        prop_assert_eq!(
            builder.finish(at(4)).is_some(),
            !first.is_empty() || pieces.iter().any(|(_, hole, bytes)| !hole && !bytes.is_empty())
        );
    }
}
