//! WebSocket: the upgrade's HTTP heads and the frame header. RFC 6455; permessage-deflate RFC 7692.

/// Longest HTTP head that is read.
pub const HEAD_MAX: usize = 16 << 10;
/// Longest frame header.
pub const FRAME_HEAD_MAX: usize = 14;
/// Longest payload of a control frame (RFC 6455 section 5.5).
pub const CONTROL_MAX: usize = 125;

/// An HTTP head, request or answer, as far as an upgrade needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpHead {
    /// Path of a request.
    pub path: Box<str>,
    /// Status of an answer.
    pub status: Option<u16>,
    /// `Upgrade: websocket`.
    pub upgrade: bool,
    /// permessage-deflate offered or agreed.
    pub deflate: bool,
    /// `client_no_context_takeover` is among the extension's parameters.
    pub client_no_takeover: bool,
    /// `server_no_context_takeover` is.
    pub server_no_takeover: bool,
    /// First value of `X-Forwarded-For`.
    pub forwarded_for: Option<Box<str>>,
}

/// Reads a head without its empty line; broken lines are passed over.
pub fn http_head(head: &[u8]) -> HttpHead {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.split("\r\n");
    let mut read = HttpHead::default();
    let mut first = lines.next().unwrap_or_default().split(' ');
    match (first.next(), first.next()) {
        (Some(version), Some(status)) if version.starts_with("HTTP/") => {
            read.status = status.parse().ok();
        }
        (Some(_), Some(path)) => read.path = path.chars().take(256).collect::<String>().into(),
        _ => {}
    }
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let value = value.trim();
        match name.trim().to_ascii_lowercase().as_str() {
            "upgrade" => read.upgrade = value.eq_ignore_ascii_case("websocket"),
            "sec-websocket-extensions" => {
                let value = value.to_ascii_lowercase();
                read.deflate |= value.contains("permessage-deflate");
                read.client_no_takeover |= value.contains("client_no_context_takeover");
                read.server_no_takeover |= value.contains("server_no_context_takeover");
            }
            "x-forwarded-for" => {
                let value = value.split(',').next().unwrap_or_default().trim();
                read.forwarded_for = Some(value.chars().take(64).collect::<String>().into());
            }
            _ => {}
        }
    }
    read
}

/// A frame header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The last frame of its message.
    pub fin: bool,
    /// RSV1: compressed, on the first frame of a message.
    pub compressed: bool,
    /// 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong.
    pub opcode: u8,
    /// Payload bytes.
    pub len: u64,
    /// The mask; frames from clients have one.
    pub mask: Option<[u8; 4]>,
    /// Bytes of the header itself.
    pub head: usize,
}

impl Frame {
    /// Close, ping or pong.
    pub const fn is_control(&self) -> bool {
        self.opcode >= 8
    }
}

/// Outcome of reading a frame header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameHead {
    /// A header.
    Whole(Frame),
    /// More bytes are needed.
    More,
    /// These bytes are no header.
    Wrong,
}

/// Reads a frame header.
pub fn frame(bytes: &[u8]) -> FrameHead {
    let [first, second, ..] = *bytes else {
        return FrameHead::More;
    };
    let opcode = first & 0x0f;
    let (short, masked) = (second & 0x7f, second & 0x80 != 0);
    let wrong = first & 0x30 != 0
        || matches!(opcode, 3..=7 | 11..)
        || (opcode >= 8 && (short > 125 || first & 0xc0 != 0x80));
    if wrong {
        return FrameHead::Wrong;
    }
    let extended = match short {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let head = 2 + extended + if masked { 4 } else { 0 };
    let Some(rest) = bytes.get(2..head) else {
        return FrameHead::More;
    };
    let (length, mask) = rest.split_at(extended);
    let len = match extended {
        0 => u64::from(short),
        _ => length
            .iter()
            .fold(0, |len, &byte| len << 8 | u64::from(byte)),
    };
    // RFC 6455 section 5.2: the shortest form, and the highest bit is zero.
    let minimal = match extended {
        0 => true,
        2 => len > 125,
        _ => len > 0xffff && len >> 63 == 0,
    };
    if !minimal {
        return FrameHead::Wrong;
    }
    FrameHead::Whole(Frame {
        fin: first & 0x80 != 0,
        compressed: first & 0x40 != 0,
        opcode,
        len,
        mask: mask.try_into().ok(),
        head,
    })
}

#[cfg(test)]
mod tests {
    use super::{Frame, FrameHead, frame, http_head};

    #[test]
    fn heads_of_an_upgrade() {
        let request = http_head(b"GET /nats HTTP/1.1\r\nHost: x\r\nUpgrade: WebSocket\r\nX-Forwarded-For: 10.1.2.3, 10.0.0.1\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits");
        assert_eq!(&*request.path, "/nats");
        assert!(request.upgrade && request.deflate);
        assert_eq!(request.forwarded_for.as_deref(), Some("10.1.2.3"));
        let answer = http_head(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket");
        assert_eq!(
            (answer.status, answer.upgrade, answer.deflate),
            (Some(101), true, false)
        );
        let agreed = http_head(b"HTTP/1.1 101 OK\r\nSec-WebSocket-Extensions: permessage-deflate; Server_No_Context_Takeover");
        assert!(agreed.deflate && agreed.server_no_takeover && !agreed.client_no_takeover);
        assert_eq!(http_head(b"HTTP/1.1 400 Bad Request").status, Some(400));
        assert_eq!(http_head(b""), super::HttpHead::default());
    }

    #[test]
    fn frame_headers_of_every_length() {
        let samples: [(&[u8], u64, bool); 4] = [
            (&[0x82, 5], 5, false),
            (&[0xc2, 0x7e, 1, 0], 256, false),
            (&[0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0], 65536, false),
            (&[0x82, 0xfe, 0, 200, 1, 2, 3, 4], 200, true),
        ];
        for (bytes, len, masked) in samples {
            for n in 0..bytes.len() {
                assert_eq!(frame(&bytes[..n]), FrameHead::More, "{n} of {bytes:?}");
            }
            let FrameHead::Whole(Frame {
                len: read,
                mask,
                head,
                ..
            }) = frame(bytes)
            else {
                panic!("{bytes:?}");
            };
            assert_eq!((read, mask.is_some(), head), (len, masked, bytes.len()));
        }
    }

    #[test]
    fn bytes_that_are_no_header() {
        for wrong in [
            &[0x83_u8, 0][..],
            &[0xb2, 0],
            &[0x8b, 0],
            &[0x88, 126, 0, 200],
            &[0x08, 0],
            &[0x82, 126, 0, 5],
            &[0x82, 127, 0xff, 0, 0, 0, 0, 0, 0, 0],
        ] {
            assert_eq!(frame(wrong), FrameHead::Wrong, "{wrong:?}");
        }
    }
}
