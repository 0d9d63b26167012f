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

proptest! {
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
