//! Server addresses as client lines write them: URLs, `host:port`, Python's address tuples. Credentials never leave here.

use std::borrow::Cow;
use std::net::SocketAddr;

/// Host and port of a URL, a netloc or `host:port`, without scheme, credentials, path and decoration.
pub(super) fn server(text: &str) -> Option<&str> {
    let text = text.trim().trim_start_matches(['"', '\'', '(']);
    let text = text.trim_end_matches(['!', ',', ';', '"', '\'', ')', '.']);
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let rest = rest.split(['/', '?']).next().unwrap_or(rest);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let rest = unbracket(rest);
    let plausible = !rest.is_empty()
        && rest.len() <= 256
        && rest.bytes().all(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'_' | b'[' | b']' | b'%')
        });
    plausible.then_some(rest)
}

/// `[nats://a:4222]` loses its brackets; `[::1]:4222` keeps them.
fn unbracket(text: &str) -> &str {
    let inner = text.strip_prefix('[').unwrap_or(text);
    if text.starts_with('[') && inner.contains("]:") {
        return text;
    }
    if text.starts_with('[') && inner.matches(':').count() > 1 && inner.ends_with(']') {
        return text;
    }
    inner.strip_suffix(']').unwrap_or(inner)
}

/// `text` as an IP address with a port.
pub(super) fn socket(text: &str) -> Option<SocketAddr> {
    text.trim().parse().ok()
}

/// The first `scheme://...` of NATS in a text.
pub(super) fn find_url(text: &str) -> Option<&str> {
    memchr::memmem::find(text.as_bytes(), b"://")?;
    let at = ["nats://", "tls://", "ws://", "wss://"]
        .iter()
        .filter_map(|scheme| text.find(scheme))
        .min()?;
    let url = text[at..]
        .split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ']' | ',' | ')' | '>'))
        .next()?;
    // An IPv6 host has its own bracket, which the split above cut.
    let url = if url.contains("://[") || url.contains("@[") {
        let end = text[at..].find("]:").map_or(url.len(), |bracket| {
            let port = at + bracket + 2;
            bracket + 2 + text[port..].bytes().take_while(u8::is_ascii_digit).count()
        });
        &text[at..at + end]
    } else {
        url
    };
    server(url)
}

/// The first `host:4222`-like word: an address with a port, as a name or a number.
pub(super) fn find_host_port(text: &str) -> Option<&str> {
    text.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '(' | ')' | '=' | ';'))
        .map(|word| word.trim_end_matches(['.', ':', '!', ']', '}']))
        .find(|word| {
            word.rsplit_once(':').is_some_and(|(host, port)| {
                port.parse::<u16>().is_ok_and(|port| port > 0)
                    && (host.contains('.') && !host.contains("..")
                        || host == "localhost"
                        || host.starts_with('[') && host.ends_with(']'))
                    && host.bytes().all(|b| {
                        b.is_ascii_alphanumeric()
                            || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']')
                    })
            })
        })
}

/// Python's `('10.0.0.1', 4222)`.
pub(super) fn find_tuple(text: &str) -> Option<String> {
    let at = text.find("('")?;
    let (host, rest) = text[at + 2..].split_once("', ")?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if !rest[digits..].starts_with([')', ',']) {
        return None;
    }
    let port: u16 = rest[..digits].parse().ok()?;
    if host.contains(char::is_whitespace) || host.is_empty() {
        None
    } else if host.contains(':') {
        Some(format!("[{host}]:{port}"))
    } else {
        Some(format!("{host}:{port}"))
    }
}

/// The text with `user:password@` taken out of its URLs.
pub fn redact(text: &str) -> Cow<'_, str> {
    let Some(scheme) = text.find("://") else {
        return Cow::Borrowed(text);
    };
    let mut out = String::with_capacity(text.len());
    let (mut from, mut next) = (0, Some(scheme));
    while let Some(at) = next {
        let start = at + 3;
        out.push_str(&text[from..start]);
        let end = text[start..]
            .find(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | ',' | ']' | ')'))
            .map_or(text.len(), |length| start + length);
        from = match text[start..end].rfind('@') {
            Some(sign) => start + sign + 1,
            None => start,
        };
        next = text[end..].find("://").map(|i| end + i);
    }
    out.push_str(&text[from..]);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_lose_scheme_credentials_and_decoration() {
        for (text, want) in [
            ("nats://10.0.0.1:4222", "10.0.0.1:4222"),
            ("nats://user:p@ss@nats-1:4222", "nats-1:4222"),
            ("tls://token@[::1]:4222", "[::1]:4222"),
            ("[nats://127.0.0.1:4222]", "127.0.0.1:4222"),
            ("127.0.0.1:4222", "127.0.0.1:4222"),
            ("u:p@demo.nats.io:4222", "demo.nats.io:4222"),
            ("demo.nats.io", "demo.nats.io"),
            ("[::1]:4222", "[::1]:4222"),
            ("nats://a:4222/", "a:4222"),
            ("nats://a:4222!", "a:4222"),
        ] {
            assert_eq!(server(text), Some(want), "{text}");
        }
        assert_eq!(server("[object Object]"), None);
        assert_eq!(server(""), None);
    }

    #[test]
    fn addresses_are_found_inside_text() {
        assert_eq!(find_url("up at nats://u:p@h:4222, ok"), Some("h:4222"));
        assert_eq!(find_url("[nats://[::1]:4222] x"), Some("[::1]:4222"));
        assert_eq!(find_url("http://h:1"), None);
        assert_eq!(
            find_host_port("to 10.0.0.1:4222 as x"),
            Some("10.0.0.1:4222")
        );
        assert_eq!(find_host_port("at 12:30:11 by a::b"), None);
        assert_eq!(
            find_tuple("Connect call failed ('::1', 4222, 0, 0)").as_deref(),
            Some("[::1]:4222")
        );
    }

    #[test]
    fn passwords_are_taken_out() {
        assert_eq!(
            redact("x nats://u:p@h:1, tls://t@g:2 y@z"),
            "x nats://h:1, tls://g:2 y@z"
        );
        assert_eq!(redact("no url@here"), "no url@here");
    }
}
