//! Operating-system errors as each language prints them (facts: nats-clients.md, section 5).
//!
//! Numbers are told apart by name, since Linux, macOS and Windows number them differently; texts are those of glibc,
//! Go, Python, Rust, Node, the JDK, .NET and Windows.

use std::net::SocketAddr;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::address;
use super::said::{ClientEventKind, Trouble};

/// An OS error with what its text carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OsError {
    pub(super) trouble: Trouble,
    pub(super) during: During,
    pub(super) local: Option<SocketAddr>,
    pub(super) remote: Option<String>,
}

/// What the program was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum During {
    Dial,
    Read,
    Write,
    Unknown,
}

impl OsError {
    /// The event that a line with nothing but this error is.
    pub(super) fn event(&self) -> ClientEventKind {
        let trouble = self.trouble.clone();
        match (&self.trouble, self.during) {
            (_, During::Dial)
            | (
                Trouble::Refused
                | Trouble::Unreachable
                | Trouble::NoNetwork
                | Trouble::Dns
                | Trouble::Timeout
                | Trouble::Tls(_),
                _,
            ) => ClientEventKind::ConnectFailed(trouble),
            (Trouble::WriteTimeout, _) => ClientEventKind::PublishFailed(trouble),
            (_, During::Write)
            | (Trouble::BrokenPipe | Trouble::NoError | Trouble::Other(_), _) => {
                ClientEventKind::Error(trouble)
            }
            _ => ClientEventKind::Disconnected(trouble),
        }
    }
}

/// Words of an error, most telling first; each with what it means.
const TEXTS: &[(&str, Meaning)] = &[
    ("connection reset by peer", Meaning::Reset),
    ("forcibly closed by the remote host", Meaning::Reset),
    ("ECONNRESET", Meaning::Reset),
    ("ConnectionReset", Meaning::Reset),
    ("SocketException: Connection reset", Meaning::Reset),
    ("connection aborted", Meaning::Reset),
    ("aborted by the software in your host", Meaning::Reset),
    ("ECONNABORTED", Meaning::Reset),
    ("ConnectionRefused", Meaning::Refused),
    ("BrokenPipe", Meaning::BrokenPipe),
    ("broken pipe", Meaning::BrokenPipe),
    ("EPIPE", Meaning::BrokenPipe),
    ("Connection lost", Meaning::BrokenPipe),
    ("connection refused", Meaning::Refused),
    ("ECONNREFUSED", Meaning::Refused),
    ("actively refused it", Meaning::Refused),
    ("no route to host", Meaning::Unreachable),
    ("EHOSTUNREACH", Meaning::Unreachable),
    ("network is unreachable", Meaning::NoNetwork),
    ("network is down", Meaning::NoNetwork),
    ("ENETDOWN", Meaning::NoNetwork),
    ("ENETUNREACH", Meaning::NoNetwork),
    ("host is down", Meaning::Unreachable),
    ("unreachable network", Meaning::NoNetwork),
    ("unreachable host", Meaning::Unreachable),
    ("no such host", Meaning::Dns),
    ("name or service not known", Meaning::Dns),
    ("temporary failure in name resolution", Meaning::Dns),
    ("nodename nor servname provided", Meaning::Dns),
    ("failed to lookup address information", Meaning::Dns),
    ("ENOTFOUND", Meaning::Dns),
    ("EAI_AGAIN", Meaning::Dns),
    ("UnknownHostException", Meaning::Dns),
    ("No address associated with hostname", Meaning::Dns),
    ("connect timed out", Meaning::DialTimeout),
    ("connection timed out", Meaning::KernelTimeout),
    ("operation timed out", Meaning::KernelTimeout),
    ("ETIMEDOUT", Meaning::KernelTimeout),
    ("failed to respond", Meaning::KernelTimeout),
    ("i/o timeout", Meaning::IoTimeout),
    ("use of closed network connection", Meaning::OwnClose),
    ("SocketException: Socket closed", Meaning::OwnClose),
    ("CERTIFICATE_VERIFY_FAILED", Meaning::Tls),
    ("SSLHandshakeException", Meaning::Tls),
    ("failed to verify certificate", Meaning::Tls),
    ("x509: ", Meaning::Tls),
    ("tls: ", Meaning::Tls),
    ("invalid peer certificate", Meaning::Tls),
    ("self-signed certificate", Meaning::Tls),
    ("DEPTH_ZERO_SELF_SIGNED_CERT", Meaning::Tls),
    ("UNABLE_TO_VERIFY_LEAF_SIGNATURE", Meaning::Tls),
    ("CERT_HAS_EXPIRED", Meaning::Tls),
    (
        "AuthenticationException: The remote certificate",
        Meaning::Tls,
    ),
    ("[SSL: ", Meaning::Tls),
    ("EOFException", Meaning::Eof),
    ("unexpected eof", Meaning::Eof),
    ("UnexpectedEof", Meaning::Eof),
];

/// `errno` values: Linux, macOS, Windows.
const NUMBERS: &[(i64, Meaning)] = &[
    (104, Meaning::Reset),
    (54, Meaning::Reset),
    (10054, Meaning::Reset),
    (10053, Meaning::Reset),
    (103, Meaning::Reset),
    (32, Meaning::BrokenPipe),
    (111, Meaning::Refused),
    (61, Meaning::Refused),
    (10061, Meaning::Refused),
    (113, Meaning::Unreachable),
    (101, Meaning::NoNetwork),
    (100, Meaning::NoNetwork),
    (65, Meaning::Unreachable),
    (51, Meaning::NoNetwork),
    (50, Meaning::NoNetwork),
    (10065, Meaning::Unreachable),
    (10051, Meaning::NoNetwork),
    (10050, Meaning::NoNetwork),
    (110, Meaning::KernelTimeout),
    (60, Meaning::KernelTimeout),
    (10060, Meaning::KernelTimeout),
    (11001, Meaning::Dns),
    (-2, Meaning::Dns),
    (-3, Meaning::Dns),
];

/// How each language introduces an errno.
const NUMBER_PREFIXES: &[&str] = &[
    "[Errno ",
    "[WinError ",
    "(os error ",
    "Os { code: ",
    "SocketException (",
    "SocketException(",
    "recv error: ",
    "send error: ",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Reset,
    BrokenPipe,
    Refused,
    Unreachable,
    NoNetwork,
    Dns,
    DialTimeout,
    KernelTimeout,
    IoTimeout,
    OwnClose,
    Tls,
    Eof,
}

/// All words and introductions in one pass: most lines hold none.
static WORDS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let words = TEXTS.iter().map(|(words, _)| *words);
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(words.chain(NUMBER_PREFIXES.iter().copied()))
        .expect("a few short words")
});

/// The OS error in a text, wherever it stands.
pub(super) fn os_error(text: &str) -> Option<OsError> {
    // The order of the table decides, not the place in the text; introductions of numbers come behind it.
    let mut first = None;
    let mut numbered = false;
    for found in WORDS.find_overlapping_iter(text) {
        let index = found.pattern().as_usize();
        if index < TEXTS.len() {
            first = Some(first.map_or(index, |first: usize| first.min(index)));
        } else {
            numbered = true;
        }
    }
    if first.is_none() && !numbered {
        return None;
    }
    let (during, local, remote) = addresses(text);
    let number = if numbered { number(text) } else { None };
    let meaning = number.or_else(|| first.map(|index| TEXTS[index].1))?;
    let trouble = match meaning {
        Meaning::Reset => Trouble::Reset,
        Meaning::BrokenPipe => Trouble::BrokenPipe,
        Meaning::Refused => Trouble::Refused,
        Meaning::Unreachable => Trouble::Unreachable,
        Meaning::NoNetwork => Trouble::NoNetwork,
        Meaning::Dns => Trouble::Dns,
        Meaning::DialTimeout => Trouble::Timeout,
        // A SYN that nobody answers is a dial that timed out, whichever layer counted.
        Meaning::KernelTimeout if during == During::Dial => Trouble::Timeout,
        Meaning::KernelTimeout => Trouble::KernelTimeout,
        Meaning::IoTimeout if during == During::Write => Trouble::WriteTimeout,
        Meaning::IoTimeout => Trouble::Timeout,
        Meaning::OwnClose => Trouble::NoError,
        Meaning::Tls => Trouble::Tls(text.trim().into()),
        Meaning::Eof => Trouble::Eof,
    };
    Some(OsError {
        trouble,
        during,
        local,
        remote,
    })
}

/// An errno after one of the known introductions.
fn number(text: &str) -> Option<Meaning> {
    let rest = NUMBER_PREFIXES
        .iter()
        .find_map(|prefix| text.find(prefix).map(|at| &text[at + prefix.len()..]))?;
    let sign = usize::from(rest.starts_with('-'));
    let digits = rest[sign..].bytes().take_while(u8::is_ascii_digit).count();
    let value: i64 = rest[..sign + digits].parse().ok()?;
    NUMBERS
        .iter()
        .find(|(number, _)| *number == value)
        .map(|(_, meaning)| *meaning)
}

/// Go's `read tcp L->R: `, `dial tcp R: `; Node's `connect ECONNREFUSED R`; Python's `Connect call failed ('R', P)`.
fn addresses(text: &str) -> (During, Option<SocketAddr>, Option<String>) {
    for (word, during) in [
        ("read tcp", During::Read),
        ("write tcp", During::Write),
        ("dial tcp", During::Dial),
    ] {
        let Some(at) = text.find(word) else { continue };
        let rest = text[at + word.len()..].trim_start_matches(['4', '6']);
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        let word = rest.split(": ").next().unwrap_or("");
        return match word.split_once("->") {
            Some((local, remote)) => (during, address::socket(local), owned_server(remote)),
            None => (during, None, owned_server(word)),
        };
    }
    if text.contains("Connect call failed") || text.contains("Connect call to") {
        return (During::Dial, None, address::find_tuple(text));
    }
    if let Some(at) = text.find("connect E") {
        let remote = text[at..].split_whitespace().nth(2);
        return (During::Dial, None, remote.and_then(owned_server));
    }
    let during = if text.contains("ConnectException") || text.contains("getaddrinfo") {
        During::Dial
    } else if text.contains("send error: ")
        || text.contains("write E")
        || text.contains("(Write failed)")
    {
        During::Write
    } else if text.contains("recv error: ")
        || text.contains("read E")
        || text.contains("Read failed")
    {
        During::Read
    } else {
        During::Unknown
    };
    (during, None, None)
}

fn owned_server(text: &str) -> Option<String> {
    address::server(text)
        .filter(|server| server.contains(':'))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_says_the_same_in_its_own_way() {
        for (text, trouble) in [
            (
                "read tcp 127.0.0.1:41120->127.0.0.1:23311: read: connection reset by peer",
                Trouble::Reset,
            ),
            (
                "read tcp 127.0.0.1:59516->127.0.0.1:32001: read: connection timed out",
                Trouble::KernelTimeout,
            ),
            (
                "read tcp 127.0.0.1:56684->127.0.0.1:22415: i/o timeout",
                Trouble::Timeout,
            ),
            (
                "write tcp 127.0.0.1:35816->127.0.0.1:15494: i/o timeout",
                Trouble::WriteTimeout,
            ),
            (
                "write tcp 127.0.0.1:56870->127.0.0.1:33333: write: broken pipe",
                Trouble::BrokenPipe,
            ),
            (
                "dial tcp 127.0.0.1:27983: connect: connection refused",
                Trouble::Refused,
            ),
            ("dial tcp 127.0.0.1:32002: i/o timeout", Trouble::Timeout),
            ("dial tcp: lookup nats-9: no such host", Trouble::Dns),
            (
                "[Errno 111] Connect call failed ('127.0.0.1', 26777)",
                Trouble::Refused,
            ),
            ("[Errno 104] Connection reset by peer", Trouble::Reset),
            (
                "[Errno 113] Connect call failed ('10.0.0.1', 4222)",
                Trouble::Unreachable,
            ),
            (
                "[Errno 110] Connect call failed ('10.0.0.1', 4222)",
                Trouble::Timeout,
            ),
            ("[Errno -2] Name or service not known", Trouble::Dns),
            (
                "Os { code: 104, kind: ConnectionReset, message: \"Connection reset by peer\" }",
                Trouble::Reset,
            ),
            (
                "IO error: Connection refused (os error 111)",
                Trouble::Refused,
            ),
            ("connect ECONNREFUSED 127.0.0.1:25695", Trouble::Refused),
            ("connect ETIMEDOUT 10.0.0.1:4222", Trouble::Timeout),
            ("java.net.SocketException: Connection reset", Trouble::Reset),
            (
                "java.net.SocketTimeoutException: Connect timed out",
                Trouble::Timeout,
            ),
            (
                "System.Net.Sockets.SocketException (111): Connection refused",
                Trouble::Refused,
            ),
            ("recv error: 104", Trouble::Reset),
            ("send error: 32", Trouble::BrokenPipe),
        ] {
            let found = os_error(text).map(|error| error.trouble);
            assert_eq!(found, Some(trouble), "{text}");
        }
        assert_eq!(os_error("nats: slow consumer"), None);
    }

    #[test]
    fn addresses_are_kept() {
        let error =
            os_error("read tcp [::1]:41120->[::1]:4222: read: connection reset by peer").unwrap();
        assert_eq!(error.local, "[::1]:41120".parse().ok());
        assert_eq!(error.remote.as_deref(), Some("[::1]:4222"));
        let error = os_error("[Errno 111] Connect call failed ('127.0.0.1', 26777)").unwrap();
        assert_eq!(error.remote.as_deref(), Some("127.0.0.1:26777"));
        let error = os_error("Error: connect ECONNREFUSED 127.0.0.1:25695").unwrap();
        assert_eq!(error.remote.as_deref(), Some("127.0.0.1:25695"));
    }
}
