//! The bytes of both directions of a connection in other pieces: the session must be the same.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use natsleuth::reconstruct::conn::End;
use natsleuth::reconstruct::session_builder::SessionBuilder;
use natsleuth::span::Moment;

#[derive(Arbitrary, Debug)]
struct Dialogue {
    port: u8,
    steps: Vec<Step>,
    cuts: Vec<u8>,
}

#[derive(Arbitrary, Debug)]
enum Step {
    Says(bool, Words),
    Gap(bool, u16),
    Fin(bool),
}

/// Bytes, often such as a NATS connection carries.
#[derive(Arbitrary, Debug)]
enum Words {
    Raw(Vec<u8>),
    Info(Vec<u8>),
    Connect(Vec<u8>),
    Line(u8, Vec<u8>),
    Message(u8, u16, Vec<u8>),
}

const PORTS: [u16; 6] = [4222, 6222, 7222, 7422, 8080, 1883];
const VERBS: [&str; 20] = [
    "PING",
    "PONG",
    "+OK",
    "-ERR 'Stale Connection'",
    "SUB a 1",
    "UNSUB 1",
    "RS+ A b",
    "RS- A b",
    "LS+ b",
    "LS- b",
    "A+ A",
    "A- A",
    "ping",
    "GET / HTTP/1.1",
    "SSH-2.0-x",
    "INFO {}",
    "CONNECT {}",
    "PUB a 5",
    "HPUB a 4 9",
    "\x16\x03\x01\x02\x00\x01",
];
const MESSAGES: [&str; 8] = [
    "PUB a ",
    "PUB a b ",
    "MSG a 1 ",
    "HPUB a 12 ",
    "HMSG a 1 12 ",
    "RMSG A a ",
    "LMSG a ",
    "HMSG A a 12 ",
];

impl Words {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Raw(bytes) => bytes.clone(),
            Self::Info(json) => [
                b"INFO {\"server_id\":\"N\",\"version\":\"2.10.1\",\"x\":\"",
                &json[..],
                b"\"}\r\n",
            ]
            .concat(),
            Self::Connect(json) => [
                b"CONNECT {\"lang\":\"go\",\"name\":\"",
                &json[..],
                b"\"}\r\n",
            ]
            .concat(),
            Self::Line(verb, tail) => [
                VERBS[usize::from(*verb) % VERBS.len()].as_bytes(),
                tail,
                b"\r\n",
            ]
            .concat(),
            Self::Message(verb, size, payload) => {
                let head = format!(
                    "{}{size}\r\n",
                    MESSAGES[usize::from(*verb) % MESSAGES.len()]
                );
                [head.as_bytes(), payload, b"\r\n"].concat()
            }
        }
    }
}

fn end(orig: bool) -> End {
    if orig { End::Orig } else { End::Resp }
}

fn run(dialogue: &Dialogue, cuts: &[u8]) -> String {
    let mut builder = SessionBuilder::new(PORTS[usize::from(dialogue.port) % PORTS.len()]);
    let mut cuts = cuts.iter().cycle();
    for (number, step) in dialogue.steps.iter().enumerate() {
        let at = Moment {
            ns: number as i64 * 1_000_000_000,
            frame: number as u64 + 1,
        };
        match step {
            Step::Says(from, words) => {
                let bytes = words.bytes();
                let mut rest = &bytes[..];
                while !rest.is_empty() {
                    let length = cuts.next().map_or(rest.len(), |cut| usize::from(*cut) + 1);
                    let (head, tail) = rest.split_at(length.min(rest.len()));
                    builder.data(end(*from), at, head);
                    rest = tail;
                }
            }
            Step::Gap(from, length) => builder.gap(end(*from), at, u64::from(*length)),
            Step::Fin(from) => builder.fin(end(*from), at),
        }
    }
    let last = dialogue.steps.len() as u64 + 1;
    format!(
        "{:?}",
        builder.finish(Moment {
            ns: last as i64 * 1_000_000_000,
            frame: last
        })
    )
}

fuzz_target!(|dialogue: Dialogue| {
    let whole = run(&dialogue, &[]);
    if !dialogue.cuts.is_empty() {
        assert_eq!(run(&dialogue, &dialogue.cuts), whole);
    }
});
