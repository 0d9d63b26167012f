//! Every verb of the grammar's samples as a stream: cut at every place, and broken off at every byte.

use super::tests::{Step, at, check_every_cut, run, run_in_pieces, says};
use crate::parse::nats::op::Verb;
use crate::parse::nats::op::tests::SAMPLES;
use crate::reconstruct::conn::End::Resp;

/// A sample with its payload, whose text is full of verbs.
fn stream(line: &str, payload: u64) -> String {
    const TEXT: &str = "PING\r\n-ERR 'Stale Connection'\r\nMSG x 1 3\r\n";
    let text: String = TEXT.chars().cycle().take(payload as usize).collect();
    format!("{line}\r\n{text}\r\n")
}

#[test]
fn every_verb_in_pieces_of_every_size() {
    for &(line, verb, payload, _) in SAMPLES {
        if payload > 1000 {
            continue;
        }
        let whole = if verb.has_payload() {
            stream(line, payload)
        } else {
            format!("{line}\r\n")
        };
        for end in ["\r\n", "\n"] {
            // The control line may end with LF alone.
            let whole = whole.replacen("\r\n", end, 1);
            let session = check_every_cut(&[says(Resp, 1, format!("{whole}PING\r\n"))]);
            let verbs: Vec<Verb> = session.server.last_ops.iter().map(|op| op.1).collect();
            let server_is_resp = session.server_end == Some(Resp);
            let talk = if server_is_resp {
                &session.server
            } else {
                &session.client
            };
            let verbs = if server_is_resp {
                verbs
            } else {
                session.client.last_ops.iter().map(|op| op.1).collect()
            };
            assert_eq!(verbs, [verb, Verb::Ping], "{line}");
            assert_eq!(session.garbage, None, "{line}");
            assert_eq!(talk.cut, None, "{line}");
            assert_eq!(talk.messages, u64::from(verb.has_payload()), "{line}");
            assert_eq!(talk.message_bytes, payload, "{line}");
        }
    }
}

#[test]
fn every_verb_broken_off_at_every_byte() {
    for &(line, verb, payload, _) in SAMPLES {
        let whole = if verb.has_payload() {
            stream(line, payload.min(64))
        } else {
            format!("{line}\r\n")
        };
        let complete = whole.len() as u64 == line.len() as u64 + 4 + payload || !verb.has_payload();
        for n in 1..whole.len() {
            let session = run(&[says(Resp, 1, &whole[..n])]);
            let talk = if session.server_end == Some(Resp) {
                &session.server
            } else {
                &session.client
            };
            assert!(talk.last_ops.is_empty(), "{} is no operation", &whole[..n]);
            assert_eq!(session.garbage, None, "{}", &whole[..n]);
            assert!(session.errors.is_empty() || verb == Verb::Err);
            if verb.has_payload() && n > line.len() + 1 {
                let cut = talk.cut.expect("the message is cut");
                let present = (n - line.len() - 2).min(payload as usize) as u64;
                assert_eq!(
                    (cut.verb, cut.declared, cut.present, cut.at),
                    (verb, payload, present, at(1)),
                    "{}",
                    &whole[..n]
                );
            }
        }
        let session = run(&[says(Resp, 1, &whole)]);
        let done = session.server.last_ops.len() + session.client.last_ops.len();
        assert_eq!(done, usize::from(complete), "{line}");
    }
}

#[test]
fn every_verb_behind_a_hole_is_found_again() {
    for &(line, verb, payload, _) in SAMPLES {
        if payload > 1000 {
            continue;
        }
        let one = if verb.has_payload() {
            stream(line, payload)
        } else {
            format!("{line}\r\n")
        };
        let steps = [
            says(Resp, 1, "MSG a 1 20\r\n0123"),
            Step::Gap(Resp, 2, 100),
            says(
                Resp,
                3,
                format!("the end of a payload\r\n{}", one.repeat(5)),
            ),
        ];
        let session = run(&steps);
        for piece in [1, 7] {
            let pieces = run_in_pieces(&steps, piece).map(|session| *session);
            assert_eq!(format!("{:?}", pieces.unwrap()), format!("{session:?}"));
        }
        let counts = [&session.server, &session.client].map(|talk| {
            talk.last_ops
                .iter()
                .filter(|op| op.1 == verb && op.0 == at(3))
                .count()
        });
        // The message before the hole has an end in it, too.
        assert_eq!(counts.iter().sum::<usize>(), 5, "{line}");
    }
}
