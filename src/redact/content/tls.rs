//! TLS records: headers, hellos and alerts in clear stay, the server's name is replaced, certificates and everything sealed
//! are blanked.

use super::super::mapper::Mapper;
use super::super::packet::BLANK;
use super::super::text::{self, Style};
use super::{Step, in_place};
use crate::parse::tls::{self, Content, HEADER};

/// Replaces the record at the front.
pub fn step(mapper: &Mapper, held: &mut [u8], last: bool, greeted: &mut bool) -> Step {
    let Some(head) = held.first_chunk::<HEADER>() else {
        return Step::More;
    };
    let Some(header) = tls::header(head) else {
        // Behind a hole: a record may begin with a later packet.
        return Step::Blank(0, held.len() as u64);
    };
    let len = usize::from(header.len);
    match header.content {
        Content::ApplicationData => return Step::Blank(HEADER, len as u64),
        Content::Alert if len != 2 => return Step::Blank(HEADER, len as u64),
        Content::ChangeCipherSpec => {
            *greeted = true;
            return Step::Blank(HEADER, len as u64);
        }
        Content::Handshake if *greeted => return Step::Blank(HEADER, len as u64),
        Content::Handshake | Content::Alert => {}
    }
    if held.len() < HEADER + len && !last {
        return Step::More;
    }
    let end = (HEADER + len).min(held.len());
    if header.content == Content::Handshake {
        handshake(mapper, &mut held[HEADER..end]);
        *greeted = true;
    }
    let missing = HEADER + len - end;
    Step::Blank(end, missing as u64)
}

/// The messages of a record (RFC 8446 section 4): a hello stays, others are blanked.
fn handshake(mapper: &Mapper, body: &mut [u8]) {
    let mut at = 0;
    while let Some(&[kind, a, b, c]) = body.get(at..).and_then(<[u8]>::first_chunk::<4>) {
        let len = u32::from_be_bytes([0, a, b, c]) as usize;
        let end = (at + 4 + len).min(body.len());
        let message = &mut body[at + 4..end];
        match kind {
            1 => hello(mapper, message, true),
            2 => hello(mapper, message, false),
            _ => message.fill(BLANK),
        }
        at = end;
    }
    body[at..].fill(BLANK);
}

/// Replaces the server's name and blanks what tells one session or client from another.
fn hello(mapper: &Mapper, message: &mut [u8], client: bool) {
    let byte = |message: &[u8], at: usize| message.get(at).map(|&byte| usize::from(byte));
    let pair = |message: &[u8], at: usize| Some(byte(message, at)? << 8 | byte(message, at + 1)?);
    let skip = || {
        // Version, random, session id, then cipher suites and compression methods, of which a server chose one.
        let mut at = 35 + byte(message, 34)?;
        if client {
            at += 2 + pair(message, at)?;
            at += 1 + byte(message, at)?;
        } else {
            at += 3;
        }
        Some(at + 2)
    };
    let Some(mut at) = skip() else {
        message.get_mut(34..).unwrap_or_default().fill(BLANK);
        return;
    };
    while let (Some(kind), Some(len)) = (pair(message, at), pair(message, at + 2)) {
        let end = (at + 4 + len).min(message.len());
        match kind {
            // server_name: list length, type, name length, name (RFC 6066 section 3).
            0 if end > at + 9 => {
                let style = Style {
                    name: true,
                    same_length: true,
                    ..Style::default()
                };
                in_place(mapper, &mut message[at + 9..end], |mapper, name| {
                    text::redact(mapper, name, style)
                });
            }
            // session_ticket, pre_shared_key, cookie, certificate_authorities.
            35 | 41 | 44 | 47 => message[at + 4..end].fill(BLANK),
            _ => {}
        }
        at = end;
    }
}
