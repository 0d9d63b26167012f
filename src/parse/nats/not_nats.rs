//! What a direction begins with: NATS, something that may carry NATS, or a protocol that has no business here, named for
//! what it is.

use super::glance;
use crate::parse::tls;

/// Bytes that are enough to decide.
pub const ENOUGH: usize = 64;

/// The beginning of a direction, or of a line in its midst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// An operation, or text that may turn out to be one.
    Nats,
    /// A TLS record.
    Tls,
    /// An S2 or Snappy stream identifier: a compressed leafnode or route (nats-server 2.10.0 and later).
    S2,
    /// An HTTP request or answer: perhaps a WebSocket upgrade.
    Http,
    /// An MQTT packet that only begins a connection.
    Mqtt,
    /// The PROXY protocol's header, version 1 (text) or 2 (binary), before the real beginning.
    Proxy(u8),
    /// A protocol that is neither NATS nor carries it.
    Named(&'static str),
    /// Nothing known.
    Unknown,
}

/// Signatures at the very beginning of a stream.
const SIGNATURES: &[(&[u8], Beginning)] = &[
    (b"GET ", Beginning::Http),
    (b"POST ", Beginning::Http),
    (b"PUT ", Beginning::Http),
    (b"HEAD ", Beginning::Http),
    (b"DELETE ", Beginning::Http),
    (b"OPTIONS ", Beginning::Http),
    (b"PATCH ", Beginning::Http),
    (b"TRACE ", Beginning::Http),
    (b"HTTP/1.", Beginning::Http),
    (b"HTTP/0.", Beginning::Http),
    (b"PRI * HTTP/2.0", Beginning::Named("HTTP/2")),
    (b"PROXY TCP", Beginning::Proxy(1)),
    (b"PROXY UNKNOWN", Beginning::Proxy(1)),
    (b"\r\n\r\n\0\r\nQUIT\n", Beginning::Proxy(2)),
    (b"SSH-", Beginning::Named("SSH")),
    (b"AMQP", Beginning::Named("AMQP")),
    (b"EHLO ", Beginning::Named("SMTP")),
    (b"HELO ", Beginning::Named("SMTP")),
    (b"USER ", Beginning::Named("FTP")),
    (b"DESCRIBE rtsp", Beginning::Named("RTSP")),
    (b"*1\r\n$", Beginning::Named("Redis")),
    (b"*2\r\n$", Beginning::Named("Redis")),
    (b"*3\r\n$", Beginning::Named("Redis")),
    // SSLRequest (PostgreSQL, "Message Formats"): length 8, code 80877103.
    (
        b"\0\0\0\x08\x04\xd2\x16\x2f",
        Beginning::Named("PostgreSQL"),
    ),
    // TPKT with a connection request (RFC 1006, X.224).
    (b"\x03\0\0", Beginning::Named("RDP")),
    (b"\x05\x01\0", Beginning::Named("SOCKS")),
    (b"\x05\x02\0", Beginning::Named("SOCKS")),
    (b"JRMI", Beginning::Named("RMI")),
    (b"GIOP", Beginning::Named("GIOP")),
    (b"CNXN", Beginning::Named("ADB")),
    (b"\xff\x06\0\0S2sTwO", Beginning::S2),
    (b"\xff\x06\0\0sNaPpY", Beginning::S2),
];

/// Tells a beginning; `None` while more bytes may change the answer. `last`: no more bytes will come.
pub fn beginning(start: &[u8], last: bool) -> Option<Beginning> {
    let start = &start[..start.len().min(ENOUGH)];
    if let Some((_, known)) = SIGNATURES.iter().find(|(sign, _)| start.starts_with(sign)) {
        return Some(*known);
    }
    if start.len() >= 3 && tls::could_start(start) {
        return Some(Beginning::Tls);
    }
    if is_mqtt(start) {
        return Some(Beginning::Mqtt);
    }
    if start.len() >= 4 && glance::could_start(&start[..4]) {
        return Some(Beginning::Nats);
    }
    let open = SIGNATURES.iter().any(|(sign, _)| sign.starts_with(start))
        || (start.len() < 3 && tls::could_start(start))
        || (start.len() < 4 && glance::could_start(start))
        || could_be_mqtt(start);
    if !last && open {
        return None;
    }
    if last && glance::could_start(start) {
        return Some(Beginning::Nats);
    }
    Some(Beginning::Unknown)
}

/// MQTT 3.1.1 section 3.1 and MQTT 5 section 3.1: CONNECT, its remaining length, the protocol's name; or a CONNACK
/// (section 3.2) of 3.1.1, and of 5 with its properties.
fn is_mqtt(start: &[u8]) -> bool {
    match start {
        [0x10, rest @ ..] => {
            let varint = rest
                .iter()
                .take(4)
                .take_while(|&&byte| byte >= 0x80)
                .count()
                + 1;
            let name = rest.get(varint..).unwrap_or_default();
            name.starts_with(b"\0\x04MQTT") || name.starts_with(b"\0\x06MQIsdp")
        }
        [0x20, 2, 0 | 1, code, ..] => *code <= 5,
        _ => false,
    }
}

fn could_be_mqtt(start: &[u8]) -> bool {
    match start {
        [0x10, rest @ ..] => rest.len() < 12,
        [0x20] | [0x20, 2] | [0x20, 2, 0 | 1] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Beginning, beginning};

    const SAMPLES: &[(&[u8], Beginning)] = &[
        (b"INFO {\"server_id\":", Beginning::Nats),
        (b"connect {\"verbose\"", Beginning::Nats),
        (b"PING\r\n", Beginning::Nats),
        (b"+OK\r\n", Beginning::Nats),
        (b"MSG a 1 5\r\nhello\r\n", Beginning::Nats),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", Beginning::Http),
        (b"POST /jsz HTTP/1.1\r\n", Beginning::Http),
        (b"PUT / HTTP/1.1\r\n", Beginning::Http),
        (b"HEAD / HTTP/1.0\r\n", Beginning::Http),
        (b"HTTP/1.1 101 Switching Protocols\r\n", Beginning::Http),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n", Beginning::Named("HTTP/2")),
        (b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n", Beginning::Proxy(1)),
        (b"SSH-2.0-OpenSSH_9.6\r\n", Beginning::Named("SSH")),
        (b"\x16\x03\x01\x02\x00\x01", Beginning::Tls),
        (b"\x15\x03\x03\x00\x02\x02\x28", Beginning::Tls),
        (b"\x10\x14\x00\x04MQTT\x04\x02\x00\x3c", Beginning::Mqtt),
        (b"\x10\x94\x01\x00\x04MQTT\x05\x02\x00\x3c", Beginning::Mqtt),
        (b"\x20\x02\x00\x00", Beginning::Mqtt),
        (b"\xff\x06\0\0S2sTwO\x01", Beginning::S2),
        (
            b"\0\0\0\x08\x04\xd2\x16\x2f",
            Beginning::Named("PostgreSQL"),
        ),
        (b"*1\r\n$4\r\nPING\r\n", Beginning::Named("Redis")),
        (b"\x03\0\0\x13\x0e\xe0", Beginning::Named("RDP")),
        (b"hello there", Beginning::Unknown),
        (b"\x00\x01\x02\x03", Beginning::Unknown),
        (b"\x16\x99", Beginning::Unknown),
    ];

    #[test]
    fn beginnings() {
        for (bytes, is) in SAMPLES {
            assert_eq!(
                beginning(bytes, true),
                Some(*is),
                "{}",
                bytes.escape_ascii()
            );
        }
    }

    #[test]
    fn an_answer_once_given_does_not_change_with_more_bytes() {
        for (bytes, is) in SAMPLES {
            let mut given = None;
            for n in 0..=bytes.len() {
                let now = beginning(&bytes[..n], false);
                if given.is_some() {
                    assert_eq!(now, given, "{n} of {}", bytes.escape_ascii());
                }
                given = now;
            }
            assert_eq!(given, Some(*is), "{}", bytes.escape_ascii());
        }
    }
}
