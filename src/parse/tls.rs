//! TLS as far as it is visible without keys: record headers, the two hellos, alerts in clear. RFC 8446 (TLS 1.3) and
//! RFC 5246 (TLS 1.2).

use nom::bytes::complete::{tag, take};
use nom::multi::{length_data, many0};
use nom::number::complete::{be_u8, be_u16, be_u24};
use nom::{IResult, Parser};

pub mod key_log;
pub mod protection;

use key_log::{RANDOM, Random};

/// Bytes of a record header.
pub const HEADER: usize = 5;
/// Longest record body: 2^14 plaintext bytes plus the expansion that RFC 5246 section 6.2.3 allows.
pub const BODY_MAX: u16 = (1 << 14) + 2048;

/// Kinds of records (RFC 8446 section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the RFC's own words")]
pub enum Content {
    ChangeCipherSpec,
    Alert,
    Handshake,
    ApplicationData,
}

impl Content {
    /// From its number on the wire.
    pub const fn of(number: u8) -> Option<Self> {
        match number {
            20 => Some(Self::ChangeCipherSpec),
            21 => Some(Self::Alert),
            22 => Some(Self::Handshake),
            23 => Some(Self::ApplicationData),
            _ => None,
        }
    }

    /// Its number on the wire.
    pub const fn number(self) -> u8 {
        match self {
            Self::ChangeCipherSpec => 20,
            Self::Alert => 21,
            Self::Handshake => 22,
            Self::ApplicationData => 23,
        }
    }
}

/// A record header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the record holds; of an encrypted TLS 1.3 record, what it pretends to hold.
    pub content: Content,
    /// Body bytes.
    pub len: u16,
}

/// Reads a record header; `None` when these are not five bytes of one.
pub fn header(bytes: &[u8; HEADER]) -> Option<Header> {
    let len = u16::from_be_bytes([bytes[3], bytes[4]]);
    let content = Content::of(bytes[0])?;
    (could_start(&bytes[..3]) && len <= BODY_MAX && len > 0).then_some(Header { content, len })
}

/// Could these first bytes begin a record of SSL 3.0 to TLS 1.3?
pub fn could_start(start: &[u8]) -> bool {
    start.first().is_none_or(|kind| (20..=23).contains(kind))
        && start.get(1).is_none_or(|&major| major == 3)
        && start.get(2).is_none_or(|&minor| minor <= 4)
}

/// What a hello says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hello {
    /// ClientHello (RFC 8446 section 4.1.2).
    Client {
        /// Server name indication (RFC 6066 section 3).
        sni: Option<Box<str>>,
        /// Its random, by which key logs name the connection.
        random: Random,
    },
    /// ServerHello (RFC 8446 section 4.1.3).
    Server {
        /// The version that was negotiated, as on the wire: 0x0303 is TLS 1.2.
        version: u16,
        /// The cipher suite.
        suite: u16,
        /// It is a HelloRetryRequest.
        retry: bool,
        /// Its random.
        random: Random,
    },
}

/// Random of a HelloRetryRequest (RFC 8446 section 4.1.3).
const RETRY: Random = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];
/// Versions on the wire.
pub const TLS_1_2: u16 = 0x0303;
/// As in supported_versions.
pub const TLS_1_3: u16 = 0x0304;
const EXTENSION_SERVER_NAME: u16 = 0;
const EXTENSION_SUPPORTED_VERSIONS: u16 = 43;

/// Reads the hello at the beginning of a handshake record's body.
pub fn hello(body: &[u8]) -> Option<Hello> {
    let (rest, kind) = be_u8::<_, ()>(body).ok()?;
    let (rest, _) = be_u24::<_, ()>(rest).ok()?;
    match kind {
        1 => client_hello(rest).ok().map(|(_, hello)| hello),
        2 => server_hello(rest).ok().map(|(_, hello)| hello),
        _ => None,
    }
}

fn client_hello(input: &[u8]) -> IResult<&[u8], Hello> {
    let (input, (_, random, ..)) = (
        be_u16,
        take(RANDOM),
        length_data(be_u8),
        length_data(be_u16),
        length_data(be_u8),
    )
        .parse(input)?;
    let sni = extensions(input)
        .into_iter()
        .find(|extension| extension.0 == EXTENSION_SERVER_NAME)
        .and_then(|extension| server_name(extension.1).ok())
        .map(|(_, name)| String::from_utf8_lossy(name).into());
    let random = random.try_into().unwrap_or_default();
    Ok((input, Hello::Client { sni, random }))
}

fn server_name(input: &[u8]) -> IResult<&[u8], &[u8]> {
    let (input, _) = (be_u16, tag(&[0_u8][..])).parse(input)?;
    length_data(be_u16).parse(input)
}

fn server_hello(input: &[u8]) -> IResult<&[u8], Hello> {
    let (input, (legacy, random, _, suite, _)) =
        (be_u16, take(RANDOM), length_data(be_u8), be_u16, be_u8).parse(input)?;
    let version = extensions(input)
        .into_iter()
        .find(|extension| extension.0 == EXTENSION_SUPPORTED_VERSIONS)
        .and_then(|extension| <[u8; 2]>::try_from(extension.1).ok())
        .map_or(legacy, u16::from_be_bytes);
    Ok((
        input,
        Hello::Server {
            version,
            suite,
            retry: random == RETRY,
            random: random.try_into().unwrap_or_default(),
        },
    ))
}

/// Extensions as far as they are whole.
fn extensions(input: &[u8]) -> Vec<(u16, &[u8])> {
    let Ok((list, _)) = be_u16::<_, ()>(input) else {
        return Vec::new();
    };
    many0((be_u16::<_, ()>, length_data(be_u16)))
        .parse(list)
        .map(|(_, found)| found)
        .unwrap_or_default()
}

/// A version as RFC 8446 writes it.
pub const fn version_word(version: u16) -> &'static str {
    match version {
        0x0300 => "SSL 3.0",
        0x0301 => "TLS 1.0",
        0x0302 => "TLS 1.1",
        0x0303 => "TLS 1.2",
        0x0304 => "TLS 1.3",
        _ => "unknown TLS version",
    }
}

/// An alert's description (RFC 8446 section 6, older ones from RFC 5246 section 7.2).
pub const fn alert_word(description: u8) -> &'static str {
    match description {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        21 => "decryption_failed",
        22 => "record_overflow",
        40 => "handshake_failure",
        41 => "no_certificate",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        100 => "no_renegotiation",
        109 => "missing_extension",
        110 => "unsupported_extension",
        112 => "unrecognized_name",
        115 => "unknown_psk_identity",
        116 => "certificate_required",
        120 => "no_application_protocol",
        _ => "unknown alert",
    }
}

/// Record body length of `plain` bytes of application data under a version and suite; `None` where padding or MAC of the
/// suite are not known.
pub const fn sealed_len(version: u16, suite: u16, plain: u16) -> Option<u16> {
    match (version, suite) {
        // RFC 8446 section 5.2: one byte of content type; the tag has 16 bytes but for AES_128_CCM_8 (8).
        (0x0304, 0x1305) => Some(plain + 1 + 8),
        (0x0304, _) => Some(plain + 1 + 16),
        // RFC 7905: ChaCha20-Poly1305 in TLS 1.2 has no explicit nonce.
        (0x0303, 0xcca8..=0xccae) => Some(plain + 16),
        // RFC 5288 and 5289: AES-GCM with an explicit nonce of 8 bytes.
        (
            0x0303,
            0x009c..=0x00a7 | 0xc02b | 0xc02c | 0xc02d | 0xc02e | 0xc02f | 0xc030 | 0xc031 | 0xc032,
        ) => Some(plain + 8 + 16),
        // CBC with SHA-1 (RFC 5246 section 6.2.3.2): IV, then data, MAC and padding in blocks of 16.
        (
            0x0302 | 0x0303,
            0x002f | 0x0033 | 0x0035 | 0x0039 | 0xc009 | 0xc00a | 0xc013 | 0xc014,
        ) => Some(16 + (plain + 20) / 16 * 16 + 16),
        // The same with SHA-256.
        (0x0303, 0x003c | 0x003d | 0x0067 | 0x006b | 0xc023 | 0xc027) => {
            Some(16 + (plain + 32) / 16 * 16 + 16)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Content, Hello, alert_word, header, hello, sealed_len, version_word};

    /// A ClientHello for `localhost` with supported_versions before server_name.
    fn client() -> Vec<u8> {
        let mut body = vec![1, 0, 0, 0, 3, 3];
        body.extend([7; 32]);
        body.push(0);
        body.extend([0, 2, 0x13, 0x01, 1, 0]);
        let name = b"localhost";
        let mut list = vec![0, 43, 0, 3, 2, 3, 4];
        list.extend([
            0,
            0,
            0,
            name.len() as u8 + 5,
            0,
            name.len() as u8 + 3,
            0,
            0,
            name.len() as u8,
        ]);
        list.extend(name);
        body.extend((list.len() as u16).to_be_bytes());
        body.extend(list);
        body
    }

    fn server(extensions: &[u8]) -> Vec<u8> {
        let mut body = vec![2, 0, 0, 0, 3, 3];
        body.extend([7; 32]);
        body.extend([0, 0x13, 0x01, 0]);
        body.extend((extensions.len() as u16).to_be_bytes());
        body.extend(extensions);
        body
    }

    #[test]
    fn hellos() {
        assert_eq!(
            hello(&client()),
            Some(Hello::Client {
                sni: Some("localhost".into()),
                random: [7; 32],
            })
        );
        let thirteen = hello(&server(&[0, 43, 0, 2, 3, 4]));
        assert_eq!(
            thirteen,
            Some(Hello::Server {
                version: 0x0304,
                suite: 0x1301,
                retry: false,
                random: [7; 32],
            })
        );
        let Some(Hello::Server { version, .. }) = hello(&server(&[])) else {
            panic!("no server hello");
        };
        assert_eq!(version_word(version), "TLS 1.2");
    }

    #[test]
    fn hellos_cut_at_every_byte_never_lie() {
        let whole = client();
        for n in 0..whole.len() {
            match hello(&whole[..n]) {
                None | Some(Hello::Client { sni: None, .. }) => {}
                other => panic!("{n}: {other:?}"),
            }
        }
        for n in 0..40 {
            assert_eq!(hello(&server(&[])[..n]), None, "{n}");
        }
    }

    #[test]
    fn headers() {
        let seen = header(&[23, 3, 3, 0, 23]).unwrap();
        assert_eq!((seen.content, seen.len), (Content::ApplicationData, 23));
        for wrong in [
            [24, 3, 3, 0, 1],
            [23, 2, 3, 0, 1],
            [23, 3, 9, 0, 1],
            [23, 3, 3, 0xff, 0],
            [22, 3, 1, 0, 0],
        ] {
            assert_eq!(header(&wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_ping_has_six_bytes() {
        // Measured on captures of nats-server and its clients.
        assert_eq!(sealed_len(0x0304, 0x1301, 6), Some(23));
        assert_eq!(sealed_len(0x0303, 0xc02b, 6), Some(30));
        assert_eq!(sealed_len(0x0303, 0xcca8, 6), Some(22));
        assert_eq!(sealed_len(0x0303, 0xc013, 6), Some(48));
        assert_eq!(sealed_len(0x0303, 0x0005, 6), None);
        assert_eq!(alert_word(42), "bad_certificate");
    }
}
