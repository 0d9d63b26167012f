//! Text or not, in which encoding, and the plainest kinds of text.

use std::borrow::Cow;

/// How the bytes of a source become the UTF-8 (or nearly) that parsers read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// As they are.
    #[default]
    Bytes,
    /// UTF-8 behind a byte order mark, which is taken off.
    Utf8Mark,
    /// UTF-16, least significant byte first (what Windows redirection writes).
    Utf16Le,
    /// UTF-16, most significant byte first.
    Utf16Be,
    /// As they are, behind zero bytes that are passed over: what logrotate's copytruncate leaves when the program
    /// writes on at its old offset.
    LeadingZeros,
}

/// Control bytes that ordinary text does not hold, per thousand, from which on it is not text.
const CONTROLS_PER_MILLE: usize = 20;

/// A run of zero bytes from this length on is a hole in a file; a shorter one is data.
const HOLE: usize = 32;

/// The head as UTF-8-like text, with its encoding; `None` if it is not text.
pub fn decode(head: &[u8]) -> Option<(Cow<'_, [u8]>, Encoding)> {
    let (text, encoding) = match encoding(head) {
        Encoding::Bytes => (Cow::Borrowed(head), Encoding::Bytes),
        Encoding::Utf8Mark => (Cow::Borrowed(&head[3..]), Encoding::Utf8Mark),
        Encoding::LeadingZeros => {
            let zeros = head.iter().take_while(|&&b| b == 0).count();
            (Cow::Borrowed(&head[zeros..]), Encoding::LeadingZeros)
        }
        wide => {
            let units = head.chunks_exact(2).map(|pair| match wide {
                Encoding::Utf16Be => u16::from_be_bytes([pair[0], pair[1]]),
                _ => u16::from_le_bytes([pair[0], pair[1]]),
            });
            let text: String = char::decode_utf16(units)
                .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
                .filter(|&c| c != '\u{feff}')
                .collect();
            (Cow::Owned(text.into_bytes()), wide)
        }
    };
    is_text(&text).then_some((text, encoding))
}

fn encoding(head: &[u8]) -> Encoding {
    match head {
        [0xff, 0xfe, ..] => Encoding::Utf16Le,
        [0xfe, 0xff, ..] => Encoding::Utf16Be,
        [0xef, 0xbb, 0xbf, ..] => Encoding::Utf8Mark,
        _ if head.len() >= HOLE && head[..HOLE].iter().all(|&b| b == 0) => Encoding::LeadingZeros,
        _ => unmarked(head),
    }
}

/// UTF-16 without its mark (a file cut at its beginning): nearly every second byte of English text is zero.
fn unmarked(head: &[u8]) -> Encoding {
    let pairs = head.len() / 2;
    if pairs < 8 {
        return Encoding::Bytes;
    }
    let mut zeros = [0, 0];
    for pair in head.chunks_exact(2) {
        zeros[0] += usize::from(pair[0] == 0);
        zeros[1] += usize::from(pair[1] == 0);
    }
    match zeros {
        [first, second] if second * 10 > pairs * 9 && first * 50 < pairs => Encoding::Utf16Le,
        [first, second] if first * 10 > pairs * 9 && second * 50 < pairs => Encoding::Utf16Be,
        _ => Encoding::Bytes,
    }
}

/// Text with the odd broken byte is text. Runs of zero bytes are forgiven: logs that were truncated while open
/// (logrotate's copytruncate) or lost their blocks in a power failure are full of them.
fn is_text(head: &[u8]) -> bool {
    let mut controls = 0;
    let mut zeros = 0;
    let mut run = 0;
    for &byte in head {
        if byte == 0 {
            zeros += 1;
            run += 1;
            continue;
        }
        if run > 0 && run < HOLE {
            controls += run;
        }
        run = 0;
        let ordinary =
            byte >= 0x20 && byte != 0x7f || matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b);
        controls += usize::from(!ordinary);
    }
    let rest = head.len() - zeros;
    // Text in no encoding is still mostly ASCII in its letters and blanks; random bytes are not.
    let ascii = head.iter().filter(|b| b.is_ascii() && **b != 0).count();
    rest > 0
        && controls * 1000 <= rest * CONTROLS_PER_MILLE
        && (ascii * 2 > rest || std::str::from_utf8(valid_part(head)).is_ok())
}

/// Without the last character, which the end of the head may have cut.
fn valid_part(head: &[u8]) -> &[u8] {
    let mut end = head.len();
    for _ in 0..3 {
        match head[..end].last() {
            Some(0x80..=0xbf) => end -= 1,
            _ => break,
        }
    }
    match head[..end].last() {
        Some(0xc0..) => &head[..end - 1],
        _ => head,
    }
}

/// NSS key log labels (draft-ietf-tls-keylogfile; `RSA` and `PMS_CLIENT_RANDOM` from older NSS).
const KEY_LOG_LABELS: [&str; 11] = [
    "CLIENT_RANDOM",
    "CLIENT_EARLY_TRAFFIC_SECRET",
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
    "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    "CLIENT_TRAFFIC_SECRET_0",
    "SERVER_TRAFFIC_SECRET_0",
    "EARLY_EXPORTER_SECRET",
    "EXPORTER_SECRET",
    "RSA",
    "PMS_CLIENT_RANDOM",
    "ECH_SECRET",
];

/// True if the first line that is not a comment is a label and two hexadecimal words.
pub fn is_key_log(text: &[u8]) -> bool {
    text.split(|&b| b == b'\n')
        .map(<[u8]>::trim_ascii)
        .find(|line| !line.is_empty() && !line.starts_with(b"#"))
        .is_some_and(|line| {
            let mut words = line.split(|&b| b == b' ');
            let label = words.next().unwrap_or_default();
            let hex = |w: &[u8]| w.len() >= 16 && w.iter().all(u8::is_ascii_hexdigit);
            KEY_LOG_LABELS.iter().any(|l| l.as_bytes() == label)
                && words.next().is_some_and(hex)
                && words.next().is_some_and(hex)
                && words.next().is_none()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &[u8] =
        b"[6871] 2026/11/23 05:10:37.120114 [INF] Starting nats-server\n[6871] next line\n";

    fn encoding_of(head: &[u8]) -> Option<Encoding> {
        decode(head).map(|(_, encoding)| encoding)
    }

    #[test]
    fn encodings_with_and_without_a_mark() {
        let wide: Vec<u16> = String::from_utf8_lossy(LINE).encode_utf16().collect();
        let le: Vec<u8> = wide.iter().flat_map(|u| u.to_le_bytes()).collect();
        let be: Vec<u8> = wide.iter().flat_map(|u| u.to_be_bytes()).collect();
        let marked = [b"\xff\xfe", &le[..]].concat();
        for (head, want) in [
            (LINE.to_vec(), Encoding::Bytes),
            ([b"\xef\xbb\xbf", LINE].concat(), Encoding::Utf8Mark),
            (marked, Encoding::Utf16Le),
            (le, Encoding::Utf16Le),
            (be, Encoding::Utf16Be),
        ] {
            let (text, encoding) = decode(&head).unwrap();
            assert_eq!((text.as_ref(), encoding), (LINE, want));
        }
    }

    #[test]
    fn broken_text_is_text_and_data_is_not() {
        let torn = [&[0; 4096][..], LINE, b"\x00\xff\xfe broken \xc3\x28", LINE].concat();
        assert_eq!(encoding_of(&torn), Some(Encoding::LeadingZeros));
        assert_eq!(encoding_of(&torn[4096..]), Some(Encoding::Bytes));
        assert!(encoding_of("журнал сервера: соединение закрыто\n".as_bytes()).is_some());
        assert!(encoding_of(&[LINE, b"caf\xe9 in latin-1\n"].concat()).is_some());
        assert!(encoding_of(&[0; 4096]).is_none());
        let data: Vec<u8> = (0..4096_u32)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        assert!(encoding_of(&data).is_none());
    }

    #[test]
    fn key_logs_are_label_and_two_hexadecimal_words() {
        let random = "0123456789abcdef".repeat(4);
        let line = format!(
            "# SSL/TLS secrets log file, generated by OpenSSL\nCLIENT_RANDOM {random} {random}\n"
        );
        assert!(is_key_log(line.as_bytes()));
        assert!(!is_key_log(b"CLIENT_RANDOM failures: 3 4\n"));
        assert!(!is_key_log(LINE));
    }
}
