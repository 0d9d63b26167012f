//! One control line of the client, route, gateway or leafnode protocol, checked in full.
//!
//! This is the strict grammar, used where a line must prove that it is one (after a hole in the capture). Lines of a
//! stream that is in step are read by [`super::glance`], which looks at the verb and the size only.
//!
//! nats-server `server/parser.go`: verbs are case-insensitive, arguments are separated by spaces or tabs, a line ends
//! with LF whose CR is optional.

use nom::branch::alt;
use nom::bytes::complete::{tag, tag_no_case, take_while1};
use nom::character::complete::{digit1, one_of};
use nom::combinator::{all_consuming, map_res, opt, recognize, rest, verify};
use nom::multi::{many1_count, separated_list1};
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};
use serde::{Deserialize, Serialize};

/// Verbs of the client, route, gateway and leafnode protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the protocol's own words")]
pub enum Verb {
    Info,
    Connect,
    Pub,
    Hpub,
    Sub,
    Unsub,
    Msg,
    Hmsg,
    Ping,
    Pong,
    Ok,
    Err,
    /// RS+ RS- LS+ LS- A+ A-
    Interest,
    /// RMSG LMSG and HMSG between servers
    Routed,
}

impl Verb {
    /// All verbs, in the order of their numbers.
    pub const ALL: [Self; 14] = [
        Self::Info,
        Self::Connect,
        Self::Pub,
        Self::Hpub,
        Self::Sub,
        Self::Unsub,
        Self::Msg,
        Self::Hmsg,
        Self::Ping,
        Self::Pong,
        Self::Ok,
        Self::Err,
        Self::Interest,
        Self::Routed,
    ];

    /// The word on the wire; for the kin of several verbs, the most frequent one.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Connect => "CONNECT",
            Self::Pub => "PUB",
            Self::Hpub => "HPUB",
            Self::Sub => "SUB",
            Self::Unsub => "UNSUB",
            Self::Msg => "MSG",
            Self::Hmsg => "HMSG",
            Self::Ping => "PING",
            Self::Pong => "PONG",
            Self::Ok => "+OK",
            Self::Err => "-ERR",
            Self::Interest => "RS+",
            Self::Routed => "RMSG",
        }
    }

    /// A message with a payload behind its control line.
    pub const fn has_payload(self) -> bool {
        matches!(
            self,
            Self::Pub | Self::Hpub | Self::Msg | Self::Hmsg | Self::Routed
        )
    }
}

/// A control line, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Op<'a> {
    /// Its verb.
    pub verb: Verb,
    /// Arguments behind the verb, untouched.
    pub args: &'a [u8],
    /// Payload bytes that follow, without their CR LF; 0 for verbs without payload.
    pub payload: u64,
    /// Header bytes among them.
    pub header: u64,
}

/// Reads one control line (without CR LF) in full; `None` when it is none.
pub fn parse(line: &[u8]) -> Option<Op<'_>> {
    all_consuming(terminated(
        alt((json, message, interest, subscription, bare, error)),
        blanks,
    ))
    .parse(line)
    .ok()
    .map(|(_, op)| op)
}

fn op(verb: Verb, args: &[u8]) -> Op<'_> {
    Op {
        verb,
        args,
        payload: 0,
        header: 0,
    }
}

fn separator(input: &[u8]) -> IResult<&[u8], &[u8]> {
    recognize(many1_count(one_of(" \t"))).parse(input)
}

fn blanks(input: &[u8]) -> IResult<&[u8], Option<&[u8]>> {
    opt(separator).parse(input)
}

/// A subject, queue, account or sid: no blank, no control byte.
fn token(input: &[u8]) -> IResult<&[u8], &[u8]> {
    take_while1(|byte: u8| byte > b' ' && byte != 0x7f).parse(input)
}

fn number(input: &[u8]) -> IResult<&[u8], u64> {
    map_res(digit1, |digits: &[u8]| {
        std::str::from_utf8(digits)
            .unwrap_or_default()
            .parse::<u64>()
    })
    .parse(input)
}

fn arguments(input: &[u8]) -> IResult<&[u8], Vec<&[u8]>> {
    preceded(separator, separated_list1(separator, token)).parse(input)
}

/// `INFO {json}`, `CONNECT {json}`.
fn json(input: &[u8]) -> IResult<&[u8], Op<'_>> {
    let (input, word) = alt((tag_no_case("INFO"), tag_no_case("CONNECT"))).parse(input)?;
    let verb = if word.len() == 4 {
        Verb::Info
    } else {
        Verb::Connect
    };
    let (input, args) = preceded(
        separator,
        verify(rest, |text: &[u8]| {
            let text = text.trim_ascii();
            text.first() == Some(&b'{') && text.last() == Some(&b'}')
        }),
    )
    .parse(input)?;
    Ok((input, op(verb, args)))
}

/// `PUB subj [reply] N`, `MSG subj sid [reply] N`, `RMSG [account] subject ... N`, and the kin with headers, where the
/// last two arguments are header and total bytes.
fn message(input: &[u8]) -> IResult<&[u8], Op<'_>> {
    let start = input;
    let (input, word) = alt((
        tag_no_case("HPUB"),
        tag_no_case("HMSG"),
        tag_no_case("PUB"),
        tag_no_case("MSG"),
        tag_no_case("RMSG"),
        tag_no_case("LMSG"),
    ))
    .parse(input)?;
    let (verb, least, most, headers) = match word.to_ascii_uppercase().as_slice() {
        b"PUB" => (Verb::Pub, 2, 3, false),
        b"HPUB" => (Verb::Hpub, 3, 4, true),
        b"MSG" => (Verb::Msg, 3, 4, false),
        // Between servers HMSG takes the arguments of RMSG or LMSG.
        b"HMSG" => (Verb::Hmsg, 3, usize::MAX, true),
        _ => (Verb::Routed, 2, usize::MAX, false),
    };
    let (input, args) = recognize(arguments).parse(input)?;
    let list: Vec<&[u8]> = args
        .split(|byte| matches!(byte, b' ' | b'\t'))
        .filter(|word| !word.is_empty())
        .collect();
    let fault = || nom::Err::Error(nom::error::make_error(start, nom::error::ErrorKind::Verify));
    if list.len() < least || list.len() > most {
        return Err(fault());
    }
    let size = |back: usize| {
        let word = list.get(list.len().wrapping_sub(back))?;
        all_consuming(number).parse(word).ok().map(|(_, n)| n)
    };
    let payload = size(1).ok_or_else(fault)?;
    let header = if headers {
        size(2).filter(|&n| n <= payload).ok_or_else(fault)?
    } else {
        0
    };
    Ok((
        input,
        Op {
            verb,
            args,
            payload,
            header,
        },
    ))
}

/// `RS+ [account] subject [queue weight]`, `RS-`, `LS+`, `LS-`, `A+ account`, `A-`.
fn interest(input: &[u8]) -> IResult<&[u8], Op<'_>> {
    let (input, word) = alt((
        tag_no_case("RS+"),
        tag_no_case("RS-"),
        tag_no_case("LS+"),
        tag_no_case("LS-"),
        tag_no_case("A+"),
        tag_no_case("A-"),
    ))
    .parse(input)?;
    let most = if word.len() == 2 { 1 } else { 5 };
    let (input, args) = recognize(verify(arguments, move |list: &Vec<&[u8]>| {
        list.len() <= most
    }))
    .parse(input)?;
    Ok((input, op(Verb::Interest, args)))
}

/// `SUB subj [queue] sid`, `UNSUB sid [max]`.
fn subscription(input: &[u8]) -> IResult<&[u8], Op<'_>> {
    let (input, word) = alt((tag_no_case("SUB"), tag_no_case("UNSUB"))).parse(input)?;
    let (verb, least, most) = if word.len() == 3 {
        (Verb::Sub, 2, 3)
    } else {
        (Verb::Unsub, 1, 2)
    };
    let (input, args) = recognize(verify(arguments, move |list: &Vec<&[u8]>| {
        (least..=most).contains(&list.len())
    }))
    .parse(input)?;
    Ok((input, op(verb, args)))
}

/// `PING`, `PONG`, `+OK`.
fn bare(input: &[u8]) -> IResult<&[u8], Op<'_>> {
    let (input, word) =
        alt((tag_no_case("PING"), tag_no_case("PONG"), tag_no_case("+OK"))).parse(input)?;
    let verb = match word {
        [b'+', ..] => Verb::Ok,
        [_, b'i' | b'I', ..] => Verb::Ping,
        _ => Verb::Pong,
    };
    Ok((input, op(verb, b"")))
}

/// `-ERR 'text'`.
fn error(input: &[u8]) -> IResult<&[u8], Op<'_>> {
    let (input, _) = tag_no_case("-ERR").parse(input)?;
    let (input, args) = preceded(
        separator,
        recognize((
            tag("'"),
            verify(rest, |text: &[u8]| text.trim_ascii().ends_with(b"'")),
        )),
    )
    .parse(input)?;
    Ok((input, op(Verb::Err, args)))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{Verb, parse};

    /// Control line, verb, payload, header: every verb in its short and long forms.
    pub(crate) const SAMPLES: &[(&str, Verb, u64, u64)] = &[
        (
            r#"INFO {"server_id":"N","version":"2.10.26"} "#,
            Verb::Info,
            0,
            0,
        ),
        (
            r#"CONNECT {"verbose":false,"lang":"go"}"#,
            Verb::Connect,
            0,
            0,
        ),
        (r#"connect	{"verbose":false}"#, Verb::Connect, 0, 0),
        ("PUB a.b 5", Verb::Pub, 5, 0),
        ("PUB a.b _INBOX.x 0", Verb::Pub, 0, 0),
        ("pub\ta.b\t5", Verb::Pub, 5, 0),
        ("HPUB a.b 12 17", Verb::Hpub, 17, 12),
        ("HPUB a.b re.ply 12 17", Verb::Hpub, 17, 12),
        ("SUB a.* 1", Verb::Sub, 0, 0),
        ("SUB a.> q 1", Verb::Sub, 0, 0),
        ("UNSUB 1", Verb::Unsub, 0, 0),
        ("UNSUB 1 5", Verb::Unsub, 0, 0),
        ("MSG a.b 1 5", Verb::Msg, 5, 0),
        ("MSG a.b 1 re.ply 4294967296", Verb::Msg, 4_294_967_296, 0),
        ("HMSG a.b 1 12 17", Verb::Hmsg, 17, 12),
        ("HMSG a.b 1 re.ply 12 17", Verb::Hmsg, 17, 12),
        ("HMSG $G a.b + re q1 q2 12 17", Verb::Hmsg, 17, 12),
        ("PING", Verb::Ping, 0, 0),
        ("ping", Verb::Ping, 0, 0),
        ("PONG ", Verb::Pong, 0, 0),
        ("+OK", Verb::Ok, 0, 0),
        ("-ERR 'Stale Connection'", Verb::Err, 0, 0),
        ("RS+ $G a.b", Verb::Interest, 0, 0),
        ("RS+ $G a.b q 2", Verb::Interest, 0, 0),
        ("RS- $G a.b", Verb::Interest, 0, 0),
        ("LS+ a.b", Verb::Interest, 0, 0),
        ("LS-  APP leaf.l", Verb::Interest, 0, 0),
        ("A+ ACC", Verb::Interest, 0, 0),
        ("A- ACC", Verb::Interest, 0, 0),
        ("RMSG $G a.b 5", Verb::Routed, 5, 0),
        ("RMSG $G a.b + re.ply q1 q2 5", Verb::Routed, 5, 0),
        ("RMSG $G a.b | q1 5", Verb::Routed, 5, 0),
        ("LMSG a.b 5", Verb::Routed, 5, 0),
        ("LMSG hub APP a.b re 5", Verb::Routed, 5, 0),
    ];

    /// Lines that are no control lines.
    pub(crate) const NO_OPS: &[&str] = &[
        "",
        " ",
        "PU",
        "PUB",
        "PUB a.b",
        "PUB a.b x",
        "PUB a.b re.ply x 5",
        "PUB a.b -5",
        "PUB a.b 99999999999999999999999",
        "HPUB a.b 20 17",
        "HPUB a.b 17",
        "MSG a.b 5",
        "SUB",
        "SUB a.b",
        "UNSUB",
        "INFO",
        "INFO x",
        "CONNECT 10.0.0.1:443 HTTP/1.1",
        "RS+",
        "A+ a b",
        "GET / HTTP/1.1",
        "PUBLISH a 5",
        "the PING",
    ];

    #[test]
    fn every_verb() {
        for &(line, verb, payload, header) in SAMPLES {
            let op = parse(line.as_bytes()).unwrap_or_else(|| panic!("no operation: {line}"));
            assert_eq!(
                (op.verb, op.payload, op.header),
                (verb, payload, header),
                "{line}"
            );
        }
        for verb in Verb::ALL {
            assert!(
                SAMPLES.iter().any(|sample| sample.1 == verb),
                "no sample for {verb:?}"
            );
        }
    }

    #[test]
    fn lines_that_are_none() {
        for line in NO_OPS {
            assert_eq!(parse(line.as_bytes()), None, "{line}");
        }
    }
}
