//! Verb and payload size of a control line, and nothing else: what the stream of a busy connection is read with.
//!
//! Forgiving where nats-server's parser is (`server/parser.go`: text behind PING, PONG and +OK is ignored).

use super::op::Verb;

/// What a control line starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glance {
    /// Its verb.
    pub verb: Verb,
    /// Payload bytes that follow, without their CR LF; 0 for verbs without payload.
    pub payload: u64,
}

/// Looks at one control line (without CR LF); `None` when its verb or its size cannot be read.
pub fn glance(line: &[u8]) -> Option<Glance> {
    let verb = verb(line)?;
    let payload = if verb.has_payload() { size(line)? } else { 0 };
    Some(Glance { verb, payload })
}

/// Could `start`, the first bytes of a line, become a control line when more bytes come?
pub fn could_start(start: &[u8]) -> bool {
    const WORDS: [&[u8]; 20] = [
        b"MSG", b"HMSG", b"PUB", b"HPUB", b"PING", b"PONG", b"SUB", b"UNSUB", b"+OK", b"-ERR",
        b"INFO", b"CONNECT", b"RMSG", b"LMSG", b"RS+", b"RS-", b"LS+", b"LS-", b"A+", b"A-",
    ];
    WORDS.iter().any(|word| {
        let n = word.len().min(start.len());
        start[..n].eq_ignore_ascii_case(&word[..n])
    })
}

fn verb(line: &[u8]) -> Option<Verb> {
    let is =
        |word: &[u8]| line.len() >= word.len() && line[..word.len()].eq_ignore_ascii_case(word);
    // The byte behind a verb that takes arguments.
    let spaced = |word: &[u8], verb| {
        (is(word) && matches!(line.get(word.len()), Some(b' ' | b'\t'))).then_some(verb)
    };
    let bare = |word: &[u8], verb| is(word).then_some(verb);
    match line.first()? {
        b'M' | b'm' => spaced(b"MSG", Verb::Msg),
        b'P' | b'p' => spaced(b"PUB", Verb::Pub)
            .or_else(|| bare(b"PING", Verb::Ping))
            .or_else(|| bare(b"PONG", Verb::Pong)),
        b'H' | b'h' => spaced(b"HMSG", Verb::Hmsg).or_else(|| spaced(b"HPUB", Verb::Hpub)),
        b'S' | b's' => spaced(b"SUB", Verb::Sub),
        b'U' | b'u' => spaced(b"UNSUB", Verb::Unsub),
        b'R' | b'r' => spaced(b"RMSG", Verb::Routed)
            .or_else(|| spaced(b"RS+", Verb::Interest))
            .or_else(|| spaced(b"RS-", Verb::Interest)),
        b'L' | b'l' => spaced(b"LMSG", Verb::Routed)
            .or_else(|| spaced(b"LS+", Verb::Interest))
            .or_else(|| spaced(b"LS-", Verb::Interest)),
        b'A' | b'a' => spaced(b"A+", Verb::Interest).or_else(|| spaced(b"A-", Verb::Interest)),
        b'I' | b'i' => spaced(b"INFO", Verb::Info),
        // `CONNECT host:port HTTP/1.1` is a proxy request.
        b'C' | b'c' => spaced(b"CONNECT", Verb::Connect)
            .filter(|_| line[7..].trim_ascii_start().first() == Some(&b'{')),
        b'+' => bare(b"+OK", Verb::Ok),
        b'-' => bare(b"-ERR", Verb::Err),
        _ => None,
    }
}

/// The last argument as a number of bytes.
fn size(line: &[u8]) -> Option<u64> {
    let mut end = line.len();
    while end > 0 && matches!(line[end - 1], b' ' | b'\t') {
        end -= 1;
    }
    let mut start = end;
    let mut value: u64 = 0;
    let mut unit: u64 = 1;
    while start > 0 && line[start - 1].is_ascii_digit() {
        start -= 1;
        let digit = u64::from(line[start] - b'0');
        // 18 digits always fit; nats-server refuses more than 9.
        if end - start > 18 {
            return None;
        }
        value += digit * unit;
        unit *= 10;
    }
    let delimited = start > 0 && matches!(line[start - 1], b' ' | b'\t');
    (start < end && delimited).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::super::op::tests::SAMPLES;
    use super::{could_start, glance};

    #[test]
    fn agrees_with_the_full_grammar() {
        for &(line, verb, payload, _) in SAMPLES {
            let seen = glance(line.as_bytes()).unwrap_or_else(|| panic!("not seen: {line}"));
            assert_eq!((seen.verb, seen.payload), (verb, payload), "{line}");
        }
    }

    #[test]
    fn every_beginning_of_a_line_could_be_one() {
        for (line, ..) in SAMPLES {
            for n in 0..=line.len() {
                assert!(could_start(&line.as_bytes()[..n]), "{}", &line[..n]);
            }
        }
        for start in ["GET /", "X", "PO S", "\x16\x03\x01"] {
            assert!(!could_start(start.as_bytes()), "{start}");
        }
    }

    #[test]
    fn sizes_that_cannot_be_read() {
        for line in [
            "PUB a",
            "PUB a 5x",
            "PUB a x5",
            "MSG a 1 9999999999999999999",
            "PUB ",
            "HPUB",
        ] {
            assert_eq!(glance(line.as_bytes()), None, "{line}");
        }
    }
}
