//! MQTT's packets as far as the life of a connection needs them: MQTT 3.1.1 and MQTT 5.0, sections 2.1 and 3.

use nom::bytes::complete::take;
use nom::multi::length_data;
use nom::number::complete::{be_u8, be_u16};
use nom::{IResult, Parser};

/// Longest fixed header.
pub const HEADER_MAX: usize = 5;

/// Kinds of packets that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the standard's own words")]
pub enum Packet {
    Connect,
    Connack,
    Publish,
    Subscribe,
    Unsubscribe,
    Pingreq,
    Pingresp,
    Disconnect,
    /// Acknowledgements and AUTH.
    Other,
}

/// Outcome of reading a fixed header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// A packet and how many bytes follow.
    Whole(Packet, u32),
    /// More bytes are needed.
    More,
    /// These bytes are no fixed header.
    Wrong,
}

/// Reads a fixed header.
pub fn header(bytes: &[u8]) -> Header {
    let Some((first, rest)) = bytes.split_first() else {
        return Header::More;
    };
    let packet = match (first >> 4, first & 0x0f) {
        (1, 0) => Packet::Connect,
        (2, 0) => Packet::Connack,
        (3, flags) if flags & 6 != 6 => Packet::Publish,
        (8, 2) => Packet::Subscribe,
        (10, 2) => Packet::Unsubscribe,
        (12, 0) => Packet::Pingreq,
        (13, 0) => Packet::Pingresp,
        (14, 0) => Packet::Disconnect,
        (4 | 5 | 7 | 9 | 11 | 15, 0) | (6, 2) => Packet::Other,
        _ => return Header::Wrong,
    };
    let mut len = 0;
    for (index, byte) in rest.iter().take(4).enumerate() {
        len |= u32::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Header::Whole(packet, len);
        }
    }
    if rest.len() < 4 {
        Header::More
    } else {
        Header::Wrong
    }
}

/// What CONNECT says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connect {
    /// Protocol level: 3 for 3.1, 4 for 3.1.1, 5 for 5.0.
    pub level: u8,
    /// Seconds after which the server may close a silent connection (1.5 times this); 0 turns it off.
    pub keep_alive: u16,
    /// Clean session.
    pub clean: bool,
    /// Client identifier.
    pub client_id: Box<str>,
    /// User name.
    pub user: Option<Box<str>>,
}

/// Reads the body of CONNECT (MQTT 3.1.1 section 3.1); the user name is found for levels below 5 only when there is no will.
pub fn connect(body: &[u8]) -> Option<Connect> {
    connect_body(body).ok().map(|(_, connect)| connect)
}

fn connect_body(input: &[u8]) -> IResult<&[u8], Connect> {
    let (input, (_, level, flags, keep_alive)) =
        (length_data(be_u16), be_u8, be_u8, be_u16).parse(input)?;
    let input = if level >= 5 {
        properties(input)?.0
    } else {
        input
    };
    let (mut input, client_id) = length_data(be_u16).parse(input)?;
    if flags & 0x04 != 0 {
        if level >= 5 {
            input = properties(input)?.0;
        }
        input = (length_data(be_u16), length_data(be_u16)).parse(input)?.0;
    }
    let user = if flags & 0x80 == 0 {
        None
    } else {
        let (after, user) = length_data(be_u16).parse(input)?;
        input = after;
        Some(text(user))
    };
    Ok((
        input,
        Connect {
            level,
            keep_alive,
            clean: flags & 0x02 != 0,
            client_id: text(client_id),
            user,
        },
    ))
}

/// Properties of MQTT 5: passed over.
fn properties(input: &[u8]) -> IResult<&[u8], ()> {
    let mut len = 0;
    let mut rest = input;
    for shift in [0, 7, 14, 21] {
        let (after, byte) = be_u8(rest)?;
        rest = after;
        len |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    let (rest, _) = take(len).parse(rest)?;
    Ok((rest, ()))
}

fn text(bytes: &[u8]) -> Box<str> {
    String::from_utf8_lossy(&bytes[..bytes.len().min(256)]).into()
}

#[cfg(test)]
mod tests {
    use super::{Header, Packet, connect, header};

    const CONNECT: &[u8] = b"\0\x04MQTT\x04\xc2\0\x05\0\x08sensor-1\0\x03app\0\x06secret";

    #[test]
    fn fixed_headers() {
        assert_eq!(header(&[0x10, 20]), Header::Whole(Packet::Connect, 20));
        assert_eq!(header(&[0x32, 0x80]), Header::More);
        assert_eq!(
            header(&[0x32, 0x80, 1]),
            Header::Whole(Packet::Publish, 128)
        );
        assert_eq!(
            header(&[0x30, 0xff, 0xff, 0xff, 0x7f]),
            Header::Whole(Packet::Publish, 268_435_455)
        );
        assert_eq!(header(&[0xc0, 0]), Header::Whole(Packet::Pingreq, 0));
        assert_eq!(header(&[0xe0, 0]), Header::Whole(Packet::Disconnect, 0));
        for wrong in [
            &[0x00_u8, 0][..],
            &[0x11, 0],
            &[0x36, 0],
            &[0x30, 0xff, 0xff, 0xff, 0xff],
        ] {
            assert_eq!(header(wrong), Header::Wrong, "{wrong:?}");
        }
    }

    #[test]
    fn connects() {
        let seen = connect(CONNECT).unwrap();
        assert_eq!((seen.level, seen.keep_alive, seen.clean), (4, 5, true));
        assert_eq!(
            (&*seen.client_id, seen.user.as_deref()),
            ("sensor-1", Some("app"))
        );
        assert!(!format!("{seen:?}").contains("secret"));
        let five = connect(b"\0\x04MQTT\x05\x02\0\x3c\x05\x11\0\0\0\x0a\0\x01c").unwrap();
        assert_eq!(
            (five.level, five.keep_alive, &*five.client_id),
            (5, 60, "c")
        );
        // The user name ends four bytes and a password before the end.
        for n in 0..CONNECT.len() - 8 {
            assert_eq!(connect(&CONNECT[..n]), None, "{n}");
        }
    }
}
