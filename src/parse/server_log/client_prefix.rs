//! The tag that starts every message about one connection: `1.2.3.4:5678 - cid:42 - "v1.2.3:go:name" - "ACC/user:bob"`
//! (server/client.go, `initClient` and `processConnect`). The quoted parts come and go by version.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use super::record::ConnKind;

/// A connection's tag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnTag<'a> {
    /// Client, route, ...
    pub kind: ConnKind,
    /// Its number; 0 for internal clients.
    pub id: u64,
    /// The peer's address as the server sees it.
    pub peer: Option<SocketAddr>,
    /// `X-Forwarded-For` of a WebSocket client.
    pub forwarded: Option<IpAddr>,
    /// Client library version, without the `v`.
    pub version: Option<Cow<'a, str>>,
    /// Client library.
    pub lang: Option<Cow<'a, str>>,
    /// Client name; the client id of an MQTT client.
    pub name: Option<Cow<'a, str>>,
    /// Account (2.12+).
    pub account: Option<Cow<'a, str>>,
    /// User label (2.12+): `user:bob`, `nkey:U...`, `jwt:U...`, `token`.
    pub user: Option<Cow<'a, str>>,
}

/// Words before the number, with what they mean (server/client.go, `initClient`).
const KINDS: &[(&str, ConnKind)] = &[
    ("cid", ConnKind::Client),
    ("rid", ConnKind::Route),
    ("gid", ConnKind::Gateway),
    ("lid", ConnKind::Leafnode),
    ("lid_ws", ConnKind::Leafnode),
    ("wid", ConnKind::WebSocket),
    ("mid", ConnKind::Mqtt),
    ("mid_ws", ConnKind::Mqtt),
];

/// Internal clients' tags: no address, no number.
const INTERNAL: &[&str] = &["SYSTEM - ", "JETSTREAM - ", "ACCOUNT - "];

/// How the account's part ends, by kind of user (server/client.go, 2.12.0).
const USER_LABELS: &[&str] = &["/user:", "/nkey:", "/jwt:", "/token"];

/// The tag at the start of a text, and the message after it (without the separating ` - `).
pub fn client_prefix(text: &str) -> Option<(ConnTag<'_>, &str)> {
    for internal in INTERNAL {
        if let Some(rest) = text.strip_prefix(internal) {
            let tag = ConnTag {
                kind: ConnKind::Internal,
                ..ConnTag::default()
            };
            return Some((tag, rest));
        }
    }
    let (address, rest) = text.split_once(" - ")?;
    let (peer, forwarded) = address_part(address)?;
    let (word, rest) = rest.split_once(':')?;
    let (_, kind) = KINDS.iter().find(|(known, _)| *known == word)?;
    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
    let id = rest.get(..length)?.parse().ok()?;
    let mut rest = &rest[length..];
    let mut tag = ConnTag {
        kind: *kind,
        id,
        peer: Some(peer),
        forwarded,
        ..ConnTag::default()
    };
    // A message may itself start with a quote, but never right after a tag's separator in any known version.
    while let Some(quoted) = rest.strip_prefix(" - \"") {
        let Some((text, length)) = unquote(quoted) else {
            break;
        };
        tag.quoted(text);
        rest = &quoted[length..];
    }
    // Without the separator the line was cut, perhaps within the number.
    Some((tag, rest.strip_prefix(" - ")?))
}

impl<'a> ConnTag<'a> {
    /// Takes one quoted part: the client's, or the account's.
    fn quoted(&mut self, text: Cow<'a, str>) {
        if self.kind == ConnKind::Mqtt && self.name.is_none() {
            self.name = Some(text);
            return;
        }
        let client_known = self.name.is_some() || self.lang.is_some() || self.version.is_some();
        let starts_as_client = versioned(&text);
        if (client_known || !starts_as_client)
            && let Some(at) = USER_LABELS
                .iter()
                .filter_map(|label| text.rfind(label))
                .max()
        {
            self.account = Some(slice(&text, 0, at));
            self.user = Some(slice(&text, at + 1, text.len()));
            return;
        }
        // 2.2.0 to 2.9.14 append a part at every CONNECT: the last one holds.
        self.client(&text);
    }

    /// `v1.2.3:go:name`, `go:name` or `name`.
    #[allow(clippy::ptr_arg, reason = "a borrowed part stays borrowed")]
    fn client(&mut self, text: &Cow<'a, str>) {
        let end = text.len();
        let colon = |from: usize| text[from..].find(':').map(|at| from + at);
        if versioned(text) {
            let version_end = colon(0).unwrap_or(end);
            self.version = Some(slice(text, 1, version_end));
            if version_end < end {
                let lang_end = colon(version_end + 1).unwrap_or(end);
                self.lang = Some(slice(text, version_end + 1, lang_end));
                if lang_end < end {
                    self.name = Some(slice(text, lang_end + 1, end));
                }
            }
        } else if let Some(lang_end) = colon(0) {
            self.lang = Some(slice(text, 0, lang_end));
            self.name = Some(slice(text, lang_end + 1, end));
        } else {
            self.name = Some(text.clone());
        }
    }
}

fn versioned(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next() == Some(b'v') && bytes.next().is_some_and(|b| b.is_ascii_digit())
}

/// A part of a borrowed text stays borrowed.
fn slice<'a>(text: &Cow<'a, str>, from: usize, to: usize) -> Cow<'a, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[from..to]),
        Cow::Owned(text) => Cow::Owned(text[from..to].to_owned()),
    }
}

/// `1.2.3.4:5678`, `[::1]:5678`, `[fe80::1%eth0]:5678`, or a forwarded address, `/`, and one of those.
pub fn address_part(text: &str) -> Option<(SocketAddr, Option<IpAddr>)> {
    if let Some((forwarded, address)) = text.split_once('/') {
        let forwarded = forwarded.trim_matches(['[', ']']).parse().ok();
        return Some((socket_address(address)?, forwarded));
    }
    Some((socket_address(text)?, None))
}

/// An address with a port; a zone id is left out.
pub fn socket_address(text: &str) -> Option<SocketAddr> {
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let (host, port) = text.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let host = host.split_once('%').map_or(host, |(host, _)| host);
    Some(SocketAddr::new(host.parse().ok()?, port.parse().ok()?))
}

/// A Go-quoted string (strconv.Quote) whose opening quote is already read: the text, and the bytes up to and with the
/// closing quote.
pub fn unquote(input: &str) -> Option<(Cow<'_, str>, usize)> {
    let first = input.find(['"', '\\'])?;
    if input.as_bytes()[first] == b'"' {
        return Some((Cow::Borrowed(&input[..first]), first + 1));
    }
    let mut bytes = input.as_bytes()[..first].to_vec();
    let mut at = first;
    loop {
        match input.as_bytes().get(at)? {
            b'"' => {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                return Some((Cow::Owned(text), at + 1));
            }
            b'\\' => at += escape(input.get(at + 1..)?, &mut bytes)? + 1,
            byte => {
                bytes.push(*byte);
                at += 1;
            }
        }
    }
}

/// One escape after its backslash: how many bytes it takes.
fn escape(input: &str, out: &mut Vec<u8>) -> Option<usize> {
    let first = *input.as_bytes().first()?;
    let hex = |length: usize| {
        input
            .get(1..=length)
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
    };
    let code = |value: u32, out: &mut Vec<u8>| {
        let character = char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER);
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    };
    match first {
        b'x' => out.push(hex(2)? as u8),
        b'u' => code(hex(4)?, out),
        b'U' => code(hex(8)?, out),
        b'n' => out.push(b'\n'),
        b'r' => out.push(b'\r'),
        b't' => out.push(b'\t'),
        b'a' => out.push(7),
        b'b' => out.push(8),
        b'f' => out.push(12),
        b'v' => out.push(11),
        b'"' | b'\\' | b'\'' => out.push(first),
        _ => return None,
    }
    Some(match first {
        b'x' => 3,
        b'u' => 5,
        b'U' => 9,
        _ => 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (ConnTag<'_>, &str) {
        client_prefix(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn kinds_and_addresses() {
        for (text, kind, id, peer) in [
            (
                "1.2.3.4:5678 - cid:42 - x",
                ConnKind::Client,
                42,
                "1.2.3.4:5678",
            ),
            ("[::1]:5678 - rid:7 - x", ConnKind::Route, 7, "[::1]:5678"),
            (
                "[fe80::1%eth0]:5678 - gid:8 - x",
                ConnKind::Gateway,
                8,
                "[fe80::1]:5678",
            ),
            (
                "10.0.0.1:80 - lid_ws:9 - x",
                ConnKind::Leafnode,
                9,
                "10.0.0.1:80",
            ),
            ("1.2.3.4:5 - mid:10 - x", ConnKind::Mqtt, 10, "1.2.3.4:5"),
        ] {
            let (tag, rest) = read(text);
            assert_eq!((tag.kind, tag.id, rest), (kind, id, "x"), "{text}");
            assert_eq!(tag.peer, peer.parse().ok(), "{text}");
        }
        let (tag, rest) = read("203.0.113.9/10.0.0.1:4443 - wid:9 - x");
        assert_eq!(tag.forwarded, "203.0.113.9".parse().ok());
        assert_eq!(tag.peer, "10.0.0.1:4443".parse().ok());
        assert_eq!(rest, "x");
        let (tag, rest) = read("SYSTEM - System connection closed: Client Closed");
        assert_eq!(
            (tag.kind, rest),
            (
                ConnKind::Internal,
                "System connection closed: Client Closed"
            )
        );
    }

    #[test]
    fn quoted_parts() {
        let (tag, rest) = read(
            r#"1.2.3.4:5 - cid:6 - "v1.2.3:go:q\"uo\\te\nx - cid:7" - "APP/user:bob" - Client Ping Timer"#,
        );
        assert_eq!(tag.version.as_deref(), Some("1.2.3"));
        assert_eq!(tag.lang.as_deref(), Some("go"));
        assert_eq!(tag.name.as_deref(), Some("q\"uo\\te\nx - cid:7"));
        assert_eq!(tag.account.as_deref(), Some("APP"));
        assert_eq!(tag.user.as_deref(), Some("user:bob"));
        assert_eq!(rest, "Client Ping Timer");
        let (tag, _) = read(r#"1.2.3.4:5 - cid:6 - "go:orders" - x"#);
        assert_eq!(
            (tag.lang.as_deref(), tag.name.as_deref()),
            (Some("go"), Some("orders"))
        );
        let (tag, _) = read(r#"1.2.3.4:5 - cid:6 - "$G/token" - x"#);
        assert_eq!((tag.account.as_deref(), tag.name), (Some("$G"), None));
        let (tag, _) = read(r#"1.2.3.4:5 - mid:6 - "device/user:1" - x"#);
        assert_eq!(tag.name.as_deref(), Some("device/user:1"));
        let (tag, _) = read(r#"1.2.3.4:5 - cid:6 - "v1:go:first" - "v1:go:second" - x"#);
        assert_eq!(tag.name.as_deref(), Some("second"));
    }

    #[test]
    fn no_tag() {
        for text in [
            "",
            "Server is ready",
            "1.2.3.4:5 - websocket handshake error: x",
            "1.2.3.4:5 - cid: - x",
            "host:5 - cid:1 - x",
            "1.2.3.4:5 - cid:4",
            "1.2.3.4:5 - cid:99999999999999999999999 - x",
        ] {
            assert_eq!(client_prefix(text), None, "{text}");
        }
    }

    #[test]
    fn cut_anywhere_is_no_panic() {
        let text = r#"[fe80::1%eth0]:5678 - cid:42 - "v1.2.3:go:é\x1b[31m\u00e9" - "ACC/user:bob" - Client"#;
        for cut in (0..text.len()).filter(|cut| text.is_char_boundary(*cut)) {
            let _ = client_prefix(&text[..cut]).map(|(tag, rest)| format!("{tag:?}{rest}"));
        }
    }
}
