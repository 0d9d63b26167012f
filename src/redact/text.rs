//! A piece of text, word by word: what is not known to be harmless is replaced.
//!
//! Protocol words, reasons, numbers, times and versions stay; addresses, keys, tokens and the bundle's names are replaced
//! as what they are; every word that is on no list is replaced as a word. The rule for a word does not depend on the kind
//! of file, so that a name reads the same in a log, a wrapper, a monitoring answer and a capture.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::jwt;
use super::mapper::{Mapper, in_run, is_word};
use super::ops;

/// What is known of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// A name or an address: every word of it is replaced.
    pub name: bool,
    /// A password or a token: every word and number of it is replaced.
    pub secret: bool,
    /// The length has to stay, as in a captured stream.
    pub same_length: bool,
    /// A configuration file: a blank may stand between a key and its value.
    pub config: bool,
    /// Inside an operation that was traced: no other is looked for in it.
    pub traced: bool,
    /// An answer of a monitoring endpoint: `"name": "..."` is a name.
    pub monitoring: bool,
}

/// Keys whose values are secrets.
const SECRETS: &[&str] = &[
    "pass",
    "passwd",
    "password",
    "passphrase",
    "pwd",
    "token",
    "auth_token",
    "authtoken",
    "secret",
    "apikey",
    "api_key",
    "sig",
    "nonce",
    "seed",
    "xkey",
    "ws_token",
    "cookie",
    "private_key",
];

/// Keys whose values are names, in answers of monitoring endpoints and configuration files.
const NAMES: &[&str] = &[
    "name",
    "server_name",
    "client_name",
    "account",
    "acc",
    "user",
    "username",
    "authorized_user",
    "cluster",
    "domain",
    "subject",
    "queue",
    "qgroup",
    "stream",
    "consumer",
    "remote_name",
    "jetstream_domain",
    "name_tag",
    "issuer_key",
    "reason_account",
    "store_dir",
    "system_account",
    "mqtt_client",
    "tags",
    "subs",
    "subscriptions_list",
    "default_account",
    "no_auth_user",
];

/// Longest key, value without quotes, and JWT that are looked for: bounds on looking ahead and back.
const KEY_MAX: usize = 64;
const VALUE_MAX: usize = 4 << 10;

/// Scans one text.
pub fn redact(mapper: &Mapper, text: &str, style: Style) -> String {
    let mut scan = Scan {
        mapper,
        text,
        style,
        at: 0,
        dirty_until: (0, false),
        out: String::with_capacity(text.len() + 16),
    };
    scan.run();
    scan.out
}

struct Scan<'a> {
    mapper: &'a Mapper,
    text: &'a str,
    style: Style,
    at: usize,
    /// The end of the current token (words joined by `-` and `_`), and whether a word of it is on no list.
    dirty_until: (usize, bool),
    out: String,
}

impl Scan<'_> {
    fn run(&mut self) {
        let text = self.text;
        while let Some(character) = text[self.at..].chars().next() {
            let inside = text[..self.at].chars().next_back().is_some_and(in_run);
            if !inside && self.special() {
                continue;
            }
            if in_run(character) {
                self.word();
            } else if character == '\\' || character == '\u{1b}' {
                self.escape();
            } else {
                self.copy(character.len_utf8());
            }
        }
    }

    fn copy(&mut self, len: usize) {
        self.out.push_str(&self.text[self.at..self.at + len]);
        self.at += len;
    }

    fn replace(&mut self, len: usize, new: &str) {
        if self.style.same_length && new.len() != len {
            let old = &self.text[self.at..self.at + len];
            let words = each_run(old, |run| self.mapper.word(run));
            self.out.push_str(&words);
        } else {
            self.out.push_str(new);
        }
        self.at += len;
    }

    /// Things that are more than a word, where one may begin. True if one was copied or replaced.
    fn special(&mut self) -> bool {
        let rest = &self.text[self.at..];
        if self.style.secret {
            return false;
        }
        if !self.style.name
            && !self.style.traced
            && (rest.starts_with("<<- [") || rest.starts_with("->> ["))
        {
            self.traced();
            return true;
        }
        if let Some(head) = rest.strip_prefix("MSG_PAYLOAD: [") {
            let skip = rest.len() - head.len();
            self.copy(skip);
            let len = head.find('\n').unwrap_or(head.len());
            self.redact_as(
                len,
                Style {
                    secret: true,
                    ..self.style
                },
            );
            return true;
        }
        if let Some(len) = jwt::length(rest) {
            let new = jwt::redact(self.mapper, &rest[..len]);
            self.replace(len, &new);
            return true;
        }
        if let Some(len) = nkey_length(rest) {
            let new = self.mapper.nkey(&rest[..len]);
            self.replace(len, &new);
            return true;
        }
        if let Some((len, mac)) = mac_at(rest) {
            let new = self.mapper.mac(mac);
            let separator = if rest[..len].contains('-') { "-" } else { ":" };
            let hex: Vec<String> = new.iter().map(|byte| format!("{byte:02x}")).collect();
            self.replace(len, &hex.join(separator));
            return true;
        }
        if let Some((len, new)) = self.address(rest) {
            self.replace(len, &new);
            // A port stays a port.
            let port = self.text[self.at..].strip_prefix(':').map_or(0, |port| {
                port.bytes().take_while(u8::is_ascii_digit).count()
            });
            if port > 0 {
                self.copy(1 + port);
            }
            return true;
        }
        if let Some(behind) = rest.strip_prefix("://") {
            let end = behind.find(|c: char| c.is_whitespace() || "/\"'<>,()[]{}\\".contains(c));
            let authority = &behind[..end.unwrap_or(behind.len())];
            if let Some(user) = authority.rfind('@') {
                self.copy(3);
                self.redact_as(
                    user,
                    Style {
                        secret: true,
                        ..self.style
                    },
                );
                return true;
            }
        }
        if self.style.name {
            return false;
        }
        if let Some(len) = date_length(rest) {
            self.copy(len);
            return true;
        }
        for lead in [
            "Subscription to \"",
            "Publish to \"",
            "Subject \"",
            "subject \"",
        ] {
            if let Some(behind) = rest.strip_prefix(lead) {
                let len = behind.find('"').unwrap_or(0);
                self.copy(lead.len());
                let subject = ops::subject(self.mapper, &behind[..len]);
                self.out.push_str(&subject);
                self.at += len;
                return len > 0;
            }
        }
        // Functions of stack traces are known code, not names.
        for path in [
            "github.com/nats-io/",
            "runtime.",
            "runtime/",
            "internal/",
            "crypto/",
            "net/http",
        ] {
            if rest.starts_with(path) {
                let end = rest.find(|c: char| c.is_whitespace() || c == '"' || c == '\\');
                self.copy(end.unwrap_or(rest.len()));
                return true;
            }
        }
        false
    }

    /// An operation in a server's trace: `<<- [PUB orders 5]`.
    fn traced(&mut self) {
        const LEAD: usize = "<<- [".len();
        let rest = &self.text[self.at + LEAD..];
        let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
        let len = line.rfind(']').unwrap_or(line.len());
        // In a wrapper of JSON the quotes of CONNECT's JSON are escaped.
        let escaped = line[..len].contains("\\\"");
        let plain = line[..len].replace("\\\"", "\"");
        let mut op = ops::line(self.mapper, &plain, false);
        if escaped {
            op = op.replace('"', "\\\"");
        }
        self.copy(LEAD);
        self.out.push_str(&op);
        self.at += len;
    }

    /// A part of the text in another style.
    fn redact_as(&mut self, len: usize, style: Style) {
        let new = redact(self.mapper, &self.text[self.at..self.at + len], style);
        self.out.push_str(&new);
        self.at += len;
    }

    fn address(&self, rest: &str) -> Option<(usize, String)> {
        let before = self.text[..self.at].bytes().next_back();
        let first = rest.bytes().next()?;
        if first.is_ascii_digit() && before != Some(b'.') {
            for separator in ['.', '-'] {
                if let Some((len, ip)) = ipv4_at(rest, separator) {
                    let new = self.mapper.ip(IpAddr::V4(ip)).to_string();
                    return Some((len, new.replace('.', &separator.to_string())));
                }
            }
        }
        if (first.is_ascii_hexdigit() || first == b':') && before != Some(b':') {
            let (len, ip) = ipv6_at(rest)?;
            return Some((len, self.mapper.ip(IpAddr::V6(ip)).to_string()));
        }
        None
    }

    fn word(&mut self) {
        let rest = &self.text[self.at..];
        let len = rest.find(|c| !in_run(c)).unwrap_or(rest.len());
        let run = &rest[..len];
        if self.style.secret {
            let new = self.mapper.word(run);
            self.out.push_str(&new);
            self.at += len;
            return;
        }
        if self.style.name {
            let new = self.mapper.name_word(run);
            self.out.push_str(&new);
            self.at += len;
            return;
        }
        if let Some(name) = self.mapper.name_at(rest, run) {
            self.redact_as(
                name,
                Style {
                    name: true,
                    ..self.style
                },
            );
            return;
        }
        let stays = if run.bytes().all(|byte| byte.is_ascii_digit()) {
            !self.dirty() || is_date(run)
        } else {
            is_word(run) || (is_quantity(run) && !self.dirty())
        };
        if !stays {
            let new = self.mapper.word(run);
            self.out.push_str(&new);
            self.at += len;
            return;
        }
        self.copy(len);
        self.value_of(run);
    }

    /// Behind a key whose value is a secret or a name: the value.
    fn value_of(&mut self, run: &str) {
        let before = &self.text[..self.at];
        let nearby = before.len().saturating_sub(KEY_MAX);
        let nearby = (nearby..before.len())
            .find(|&at| before.is_char_boundary(at))
            .unwrap_or(before.len());
        let key_start = before[nearby..]
            .rfind(|c: char| !(in_run(c) || c == '_' || c == '-'))
            .map_or(nearby, |at| {
                let at = nearby + at;
                at + before[at..].chars().next().map_or(1, char::len_utf8)
            });
        let key = before[key_start..].to_ascii_lowercase().replace('-', "_");
        let secret =
            SECRETS.contains(&key.as_str()) || SECRETS.contains(&run.to_ascii_lowercase().as_str());
        let name = (self.style.monitoring || self.style.config) && NAMES.contains(&key.as_str());
        if !secret && !name {
            return;
        }
        let Some(value) = value_at(&self.text[self.at..], self.style.config) else {
            return;
        };
        let text = &self.text[self.at + value.start..self.at + value.start + value.len];
        if matches!(text, "null" | "true" | "false" | "nil" | "None") {
            return;
        }
        // "invalid token: expired" is no secret.
        let prose = !value.quoted && !value.equals && !self.style.config;
        if prose && (name || is_word(text)) {
            return;
        }
        self.copy(value.start);
        if name && is_word(text) {
            return;
        }
        let style = Style {
            name,
            secret,
            ..self.style
        };
        self.redact_as(value.len, style);
    }

    /// Whether a word of the token that the current word is part of stands on no list.
    fn dirty(&mut self) -> bool {
        if self.dirty_until.0 <= self.at {
            let token = |c: char| in_run(c) || c == '-' || c == '_';
            let start = self.text[..self.at].rfind(|c| !token(c)).map_or(0, |at| {
                at + self.text[at..].chars().next().map_or(1, char::len_utf8)
            });
            let len = self.text[start..]
                .find(|c| !token(c))
                .unwrap_or(self.text.len() - start);
            let unknown = |run: &str| !is_word(run) && !is_quantity(run);
            let dirty = self.text[start..start + len]
                .split(['-', '_'])
                .any(|run| !run.is_empty() && unknown(run));
            self.dirty_until = (start + len, dirty);
        }
        self.dirty_until.1
    }

    /// A backslash with what it escapes (JSON, Go, Python), or a terminal's colour.
    fn escape(&mut self) {
        let rest = &self.text[self.at..];
        let escaped = rest.char_indices().nth(1).map(|(_, c)| c);
        let len = match (rest.starts_with('\\'), escaped) {
            (true, Some('u')) => 6,
            (true, Some('x')) => 4,
            (true, Some(other)) => 1 + other.len_utf8(),
            (false, Some('[')) => rest
                .find(|c: char| c.is_ascii_alphabetic())
                .map_or(2, |at| at + 1),
            _ => 1,
        };
        let mut len = len.min(rest.len());
        while !rest.is_char_boundary(len) {
            len -= 1;
        }
        self.copy(len.max(1));
    }
}

/// A key's value, behind the key.
struct Value {
    start: usize,
    len: usize,
    quoted: bool,
    equals: bool,
}

fn value_at(rest: &str, blank_separates: bool) -> Option<Value> {
    let mut at = 0;
    let skip = |at: &mut usize, set: &str| {
        *at += rest[*at..].len() - rest[*at..].trim_start_matches(|c| set.contains(c)).len();
    };
    // The quote that ends the key, also escaped.
    skip(&mut at, "\\");
    skip(&mut at, "\"'");
    let end_of_key = at;
    skip(&mut at, " \t");
    let equals = rest[at..].starts_with('=');
    if equals || rest[at..].starts_with(':') {
        at += 1;
        skip(&mut at, " \t");
    } else if !blank_separates || at == end_of_key {
        return None;
    }
    skip(&mut at, "\\");
    let quote = rest[at..]
        .chars()
        .next()
        .filter(|c| matches!(c, '"' | '\''));
    let len = if let Some(quote) = quote {
        at += 1;
        rest[at..]
            .find([quote, '\\', '\n'])
            .unwrap_or(rest.len() - at)
    } else {
        let ends = |c: char| c.is_whitespace() || ",;})]&\"'".contains(c);
        let near = rest[at..]
            .char_indices()
            .take(VALUE_MAX)
            .find(|&(_, c)| ends(c));
        near.map_or_else(
            || rest[at..].chars().take(VALUE_MAX).map(char::len_utf8).sum(),
            |(len, _)| len,
        )
    };
    let opens = rest[at..].starts_with(['{', '[', '$']) && quote.is_none();
    (len > 0 && !opens).then_some(Value {
        start: at,
        len,
        quoted: quote.is_some(),
        equals,
    })
}

/// Replaces every word of a text.
fn each_run(text: &str, mut new: impl FnMut(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(in_run) {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let len = rest.find(|c| !in_run(c)).unwrap_or(rest.len());
        out.push_str(&new(&rest[..len]));
        rest = &rest[len..];
    }
    out.push_str(rest);
    out
}

/// A dotted (or dashed) IPv4 address at the beginning of a text.
fn ipv4_at(text: &str, separator: char) -> Option<(usize, Ipv4Addr)> {
    let mut octets = [0; 4];
    let mut at = 0;
    for (index, octet) in octets.iter_mut().enumerate() {
        if index > 0 {
            at += text[at..].strip_prefix(separator).map(|_| 1)?;
        }
        let digits = text[at..]
            .bytes()
            .take(4)
            .take_while(u8::is_ascii_digit)
            .count();
        *octet = text[at..at + digits].parse().ok()?;
        at += digits;
    }
    let behind = &text[at..];
    let longer = behind.starts_with(in_run)
        || behind
            .strip_prefix(separator)
            .is_some_and(|more| more.starts_with(|c: char| c.is_ascii_digit()));
    (!longer).then(|| (at, Ipv4Addr::from(octets)))
}

/// An IPv6 address at the beginning of a text.
fn ipv6_at(text: &str) -> Option<(usize, Ipv6Addr)> {
    const LONGEST: usize = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255::".len();
    let address = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let mut len = text.bytes().take(LONGEST).take_while(address).count();
    if text[..len].bytes().filter(|&byte| byte == b':').count() < 2 {
        return None;
    }
    // Prose may put a stop or a colon behind it.
    while len > 2 {
        if let Ok(ip) = text[..len].parse() {
            let whole = !text[len..].starts_with(in_run);
            return whole.then_some((len, ip));
        }
        if !text[..len].ends_with([':', '.']) {
            return None;
        }
        len -= 1;
    }
    None
}

fn mac_at(text: &str) -> Option<(usize, [u8; 6])> {
    const LEN: usize = 17;
    let bytes = text.as_bytes().get(..LEN)?;
    let separator = bytes[2];
    let mut mac = [0; 6];
    for (index, byte) in mac.iter_mut().enumerate() {
        let at = index * 3;
        if index > 0 && bytes[at - 1] != separator {
            return None;
        }
        let hex = text
            .get(at..at + 2)
            .filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))?;
        *byte = u8::from_str_radix(hex, 16).ok()?;
    }
    let fits = matches!(separator, b':' | b'-')
        && !text[LEN..].starts_with(|c| in_run(c) || c == char::from(separator));
    fits.then_some((LEN, mac))
}

/// A public nkey (56 characters) or a seed (58): nkeys `nkeys.go`.
fn nkey_length(text: &str) -> Option<usize> {
    let len = text
        .bytes()
        .take(64)
        .take_while(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'))
        .count();
    let known = match text.bytes().next()? {
        b'S' | b'P' => len == 58 || len == 56,
        b'N' | b'C' | b'O' | b'A' | b'U' | b'X' => len == 56,
        _ => false,
    };
    (known && !text[len..].starts_with(in_run)).then_some(len)
}

/// `2026-11-23`, also `2026/11/23`, and the hour that ISO 8601 ties to it.
fn date_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes().get(..10)?;
    let digits = |range: std::ops::Range<usize>| {
        bytes[range.clone()]
            .iter()
            .all(u8::is_ascii_digit)
            .then(|| text[range].parse::<u32>().ok())
            .flatten()
    };
    let separator = bytes[4];
    if !matches!(separator, b'-' | b'/' | b'_') || bytes[7] != separator {
        return None;
    }
    let (year, month, day) = (digits(0..4)?, digits(5..7)?, digits(8..10)?);
    let behind = &text[10..];
    let hour =
        behind.starts_with(['T', 't']) && behind[1..].starts_with(|c: char| c.is_ascii_digit());
    let fits = (1970..2100).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !fits || (behind.starts_with(in_run) && !hour) {
        return None;
    }
    Some(
        10 + if hour {
            1 + behind[1..].bytes().take_while(u8::is_ascii_digit).count()
        } else {
            0
        },
    )
}

/// `20261123` and `20261123051118`, as rotated files have them.
fn is_date(run: &str) -> bool {
    let part = |range: std::ops::Range<usize>| {
        run.get(range)
            .and_then(|digits| digits.parse::<u32>().ok())
            .unwrap_or(0)
    };
    matches!(run.len(), 8 | 14)
        && (1970..2100).contains(&part(0..4))
        && (1..=12).contains(&part(4..6))
        && (1..=31).contains(&part(6..8))
}

/// Numbers with units, times, versions, hexadecimal numbers: `15ms`, `1h2m`, `23T05`, `582Z`, `v2`, `go1`, `I1123`, `0x7f`.
fn is_quantity(run: &str) -> bool {
    const UNITS: &[&str] = &[
        "ns", "us", "ms", "s", "m", "h", "d", "w", "y", "b", "k", "g", "t", "z", "x", "kb", "mb",
        "gb", "tb", "kib", "mib", "gib", "ki", "mi", "gi", "th", "st", "nd", "rd", "hz", "mhz",
        "ghz", "rc", "beta", "alpha", "e", "p", "am", "pm", "µs", "μs",
    ];
    let lower = run.to_lowercase();
    let all =
        |text: &str, is: fn(&u8) -> bool| !text.is_empty() && text.bytes().all(|byte| is(&byte));
    if let Some(hex) = lower.strip_prefix("0x") {
        return all(hex, u8::is_ascii_hexdigit);
    }
    for lead in [
        "v", "go", "i", "w", "e", "f", "d", "pcap", "r", "rc", "beta", "p", "x", "python",
    ] {
        if lower
            .strip_prefix(lead)
            .is_some_and(|digits| all(digits, u8::is_ascii_digit))
        {
            return lead.len() > 1 || lower.len() < 6;
        }
    }
    let mut rest = lower.as_str();
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return false;
        }
        rest = &rest[digits..];
        let letters = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        if letters > 0 && !UNITS.contains(&&rest[..letters]) {
            return false;
        }
        rest = &rest[letters..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::super::key::Key;
    use super::*;

    fn free(text: &str) -> String {
        redact(&Mapper::new(&Key::from_bytes(b"k")), text, Style::default())
    }

    #[test]
    fn lines_of_servers_and_clients_without_names_stay_as_they_are() {
        for line in [
            "[1478] 2026/11/23 05:22:13.655441 [INF] Starting nats-server",
            "[1478] 2026/11/23 05:22:14.125682 [DBG] cid:5 - Client connection closed: Stale Connection",
            "2026-11-23T05:20:10.465584Z DEBUG async_nats::connector: attempting connection attempt=1 tls_required=false",
            "2026-11-23 05:20:55,118 WARNING [Errno 104] Connection reset by peer (ConnectionResetError(104, 'Connection reset by peer'))",
            "{\"log\":\"nats: authorization violation\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-23T05:20:10.465584123Z\"}",
            "\u{1b}[32mINFO\u{1b}[0m reconnected in 1h2m3.5s, 15ms, 64MB",
            "Nov 23 05:22:18 systemd[1]: nats.service: Main process exited, code=killed, status=9/KILL",
            "goroutine 1 [running]:\ngithub.com/nats-io/nats-server/v2/server.(*client).readLoop(0xc000123456)",
            "dial tcp 127.0.0.1:4222: i/o timeout",
        ] {
            assert_eq!(free(line), line);
        }
    }

    #[test]
    fn what_names_somebody_goes() {
        for (line, gone, stays) in [
            (
                "acme-pay-1: lost 10.1.2.3:4222",
                &["acme", "10.1.2.3"][..],
                ":4222",
            ),
            ("host ip-10-1-2-3.ec2: up", &["10-1-2-3"], "host ip-"),
            (
                "from [2001:db8::17]:4222 and 2001:db8::18: reset",
                &["2001:db8::17", "2001:db8::18"],
                "]:4222 and ",
            ),
            (
                "nats://acme:hunter2@n1.acme.example:4222",
                &["acme", "hunter2"],
                "nats://",
            ),
            (
                "password: hunter2, token=1234, \"pass\":\"app\"",
                &["hunter2", "1234", "\"app\""],
                "password: ",
            ),
            (
                "02:42:ac:11:00:02 answered",
                &["02:42:ac:11:00:02"],
                " answered",
            ),
            (
                "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4",
                &["UDXU4RCS"],
                "U",
            ),
            (
                "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY",
                &["CSSL3UAH"],
                "SU",
            ),
            (
                "<<- [PUB acme.orders _INBOX.q1 5]",
                &["acme", "orders"],
                "<<- [PUB ",
            ),
            (
                "<<- MSG_PAYLOAD: [\"order 4711\"]",
                &["order", "4711"],
                "MSG_PAYLOAD: [",
            ),
            (
                "[CONNECT {\\\"user\\\":\\\"acme\\\"}]",
                &["acme"],
                "CONNECT",
            ),
            (
                "Subscription Violation - Subject \"orders.new\"",
                &["orders.new"],
                "Violation - Subject \"",
            ),
            (
                "Bestellung für Müller übernommen",
                &["Bestellung", "Müller"],
                " ",
            ),
        ] {
            let new = free(line);
            assert!(new.contains(stays), "{line} -> {new}");
            for token in gone {
                assert!(!new.contains(token), "{line} -> {new}");
            }
        }
    }

    #[test]
    fn a_name_reads_the_same_everywhere() {
        let name = free("acme-pay-1");
        for around in [
            "\"v1.2:go:acme-pay-1\"",
            "client-acme-pay-1.log",
            "{\"name\":\"acme-pay-1\"}",
            "INFO acme-pay-1: up",
        ] {
            assert!(free(around).contains(&name), "{around} -> {}", free(around));
        }
    }

    #[test]
    fn rotated_files_keep_their_dates_and_numbers() {
        for name in [
            "nats.log.1",
            "server-2026-11-23T05-22.log",
            "trace_00001_20261123051118.pcap",
            "nats.pcap12",
        ] {
            assert_eq!(free(name), name);
        }
        assert!(free("acme_20261123.pcap").ends_with("_20261123.pcap"));
    }

    #[test]
    fn the_length_stays_where_it_has_to() {
        let mapper = Mapper::new(&Key::from_bytes(b"k"));
        let style = Style {
            same_length: true,
            ..Style::default()
        };
        for line in [
            "10.1.2.3 acme 255.1.1.1",
            "2001:db8::1 02:42:ac:11:00:02",
            "user: \"acme\" ü €",
        ] {
            assert_eq!(redact(&mapper, line, style).len(), line.len());
        }
    }

    #[test]
    fn any_text_is_read_to_its_end() {
        for text in [
            "\\",
            "\\u",
            "\\u00",
            "\u{1b}[",
            "a\\é",
            "://@",
            "password=",
            "\"pass\":\"",
            "<<- [",
            "eyJ.",
            "::",
            "1.2.3.",
            "-",
            "€\\x€€",
        ] {
            for cut in (0..=text.len()).filter(|&cut| text.is_char_boundary(cut)) {
                assert!(free(&text[..cut]).len() >= cut / 2);
            }
        }
    }

    /// Every word that a grammar looks for is on the list, so that redaction changes none of them.
    #[test]
    fn words_of_the_grammars_stay() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut folders = vec![
            root.join("parse"),
            root.join("reconstruct"),
            root.join("align"),
        ];
        let mut missing = std::collections::BTreeSet::new();
        // Examples and addresses in the code, not words of anybody's protocol.
        let examples = ["bob", "foo", "bar", "orders", "order", "x1ay"];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).expect("text");
                if path.ends_with("tests.rs") || path.ends_with("every_template.rs") {
                    continue;
                }
                let code = text.split("#[cfg(test)]").next().unwrap_or_default();
                for line in code
                    .lines()
                    .filter(|line| !line.trim_start().starts_with("//"))
                {
                    for literal in line
                        .split('"')
                        .skip(1)
                        .step_by(2)
                        .filter(|literal| !literal.contains('\\'))
                    {
                        let words = crate::redact::mapper::runs(literal);
                        missing.extend(
                            words
                                .filter(|word| {
                                    let letters = word.len() > 2
                                        && word.bytes().all(|byte| byte.is_ascii_alphabetic());
                                    letters
                                        && !is_word(word)
                                        && !examples.contains(&word.to_lowercase().as_str())
                                })
                                .map(|word| format!("{word} in {}", path.display())),
                        );
                    }
                }
            }
        }
        assert!(
            missing.is_empty(),
            "add these words to src/redact/words.txt: {missing:#?}"
        );
    }
}
