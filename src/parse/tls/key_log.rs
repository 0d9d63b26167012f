//! One line of a TLS key log (`SSLKEYLOGFILE`, draft-ietf-tls-keylogfile): a label, the client's random, a secret, in hexadecimal.

/// Bytes of a hello's random.
pub const RANDOM: usize = 32;
/// Bytes of a TLS 1.2 master secret, and of the longest traffic secret (SHA-384).
const LONGEST: usize = 48;

/// Whose connection a secret is for.
pub type Random = [u8; RANDOM];

/// What a secret is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// `CLIENT_RANDOM`: the master secret of TLS 1.2 and before.
    Master,
    /// `CLIENT_HANDSHAKE_TRAFFIC_SECRET`.
    ClientHandshake,
    /// `SERVER_HANDSHAKE_TRAFFIC_SECRET`.
    ServerHandshake,
    /// `CLIENT_TRAFFIC_SECRET_0`.
    ClientTraffic,
    /// `SERVER_TRAFFIC_SECRET_0`.
    ServerTraffic,
}

/// Labels of secrets that records are read with.
const LABELS: [(&[u8], Label); 5] = [
    (b"CLIENT_RANDOM", Label::Master),
    (b"CLIENT_HANDSHAKE_TRAFFIC_SECRET", Label::ClientHandshake),
    (b"SERVER_HANDSHAKE_TRAFFIC_SECRET", Label::ServerHandshake),
    (b"CLIENT_TRAFFIC_SECRET_0", Label::ClientTraffic),
    (b"SERVER_TRAFFIC_SECRET_0", Label::ServerTraffic),
];

/// A secret's bytes; what it holds is never printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret {
    bytes: [u8; LONGEST],
    len: u8,
}

impl Secret {
    /// From its bytes; `None` when it is longer than any.
    pub fn new(secret: &[u8]) -> Option<Self> {
        let mut bytes = [0; LONGEST];
        bytes.get_mut(..secret.len())?.copy_from_slice(secret);
        Some(Self {
            bytes,
            len: secret.len() as u8,
        })
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret({} bytes)", self.len)
    }
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// A secret that records are read with.
    Secret(Label, Random, Secret),
    /// A comment, an empty line, or a secret for something else (early data, exporters).
    Other,
    /// No line of a key log.
    Broken,
}

/// Reads a line without its end.
pub fn line(line: &[u8]) -> Line {
    let line = line.trim_ascii();
    if line.is_empty() || line.starts_with(b"#") {
        return Line::Other;
    }
    let mut words = line.split(|&byte| byte == b' ');
    let (Some(label), Some(random), Some(secret), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Line::Broken;
    };
    let mut bytes = [0; LONGEST];
    let Some((_, label)) = LABELS.iter().find(|known| known.0 == label) else {
        let named = label
            .iter()
            .all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_'));
        return if named { Line::Other } else { Line::Broken };
    };
    let mut of = [0; RANDOM];
    if hexadecimal(random, &mut of) != Some(RANDOM) {
        return Line::Broken;
    }
    match hexadecimal(secret, &mut bytes) {
        Some(len) if len == LONGEST || (len == 32 && *label != Label::Master) => Line::Secret(
            *label,
            of,
            Secret {
                bytes,
                len: len as u8,
            },
        ),
        _ => Line::Broken,
    }
}

/// Reads hexadecimal digits into `out` and gives the number of bytes.
fn hexadecimal(digits: &[u8], out: &mut [u8]) -> Option<usize> {
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() || pairs.len() > out.len() {
        return None;
    }
    for (byte, [high, low]) in out.iter_mut().zip(pairs) {
        let digit = |d: u8| char::from(d).to_digit(16);
        *byte = (digit(*high)? << 4 | digit(*low)?) as u8;
    }
    Some(pairs.len())
}

#[cfg(test)]
mod tests {
    use super::{Label, Line, line};

    fn random() -> String {
        "0f".repeat(32)
    }

    #[test]
    fn every_label_in_either_case() {
        for (label, is, len) in [
            ("CLIENT_RANDOM", Label::Master, 48),
            (
                "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
                Label::ClientHandshake,
                32,
            ),
            (
                "SERVER_HANDSHAKE_TRAFFIC_SECRET",
                Label::ServerHandshake,
                48,
            ),
            ("CLIENT_TRAFFIC_SECRET_0", Label::ClientTraffic, 32),
            ("SERVER_TRAFFIC_SECRET_0", Label::ServerTraffic, 48),
        ] {
            for digits in ["a5", "A5"] {
                let text = format!("{label} {} {}\r", random(), digits.repeat(len));
                let Line::Secret(read, of, secret) = line(text.as_bytes()) else {
                    panic!("{text}");
                };
                assert_eq!((read, of), (is, [0x0f; 32]));
                assert_eq!(secret.bytes(), vec![0xa5; len]);
                assert!(!format!("{secret:?}").contains("165"), "never printed");
            }
        }
    }

    #[test]
    fn lines_of_no_use_and_lines_that_are_none() {
        let exporter = format!("EXPORTER_SECRET {} {}", random(), "00".repeat(32));
        for text in ["", "  ", "# made by a library", &exporter] {
            assert_eq!(line(text.as_bytes()), Line::Other, "{text}");
        }
        let whole = format!("CLIENT_RANDOM {} {}", random(), "00".repeat(48));
        for n in 1..whole.len() {
            assert_eq!(line(&whole.as_bytes()[..n]), Line::Broken, "{n}");
        }
        for text in [
            format!("{whole} more"),
            whole.replace("00", "0g"),
            whole.replace(' ', "  "),
            "the quick brown".to_owned(),
        ] {
            assert_eq!(line(text.as_bytes()), Line::Broken, "{text}");
        }
    }
}
