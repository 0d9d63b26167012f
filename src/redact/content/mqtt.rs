//! MQTT packets (3.1.1): types, lengths, flags and identifiers stay; client ids, credentials, topics and payloads do not.

use super::super::mapper::Mapper;
use super::super::packet::BLANK;
use super::super::text::{self, Style};
use super::{Layer, Step, UNIT_MAX, in_place};
use crate::parse::mqtt::HEADER_MAX;

const CONNECT: u8 = 1;
const PUBLISH: u8 = 3;
const SUBSCRIBE: u8 = 8;
const UNSUBSCRIBE: u8 = 10;

/// Replaces the packet at the front.
pub fn step(mapper: &Mapper, held: &mut [u8], last: bool) -> Step {
    let varint = held[1..].iter().take(HEADER_MAX - 1);
    let digits = varint.clone().take_while(|&&byte| byte >= 0x80).count() + 1;
    if digits > HEADER_MAX - 1 {
        return Step::Becomes(Layer::Opaque);
    }
    if held.len() < 1 + digits {
        return Step::More;
    }
    let len = varint.take(digits).enumerate().fold(0, |len, (at, &byte)| {
        len | u64::from(byte & 0x7f) << (7 * at)
    });
    let head = 1 + digits;
    let kind = held[0] >> 4;
    if len > UNIT_MAX as u64 {
        return Step::Blank(head, len);
    }
    let whole = head + len as usize;
    if held.len() < whole && !last {
        return Step::More;
    }
    let end = whole.min(held.len());
    let flags = held[0];
    body(mapper, kind, flags, &mut held[head..end]);
    Step::Blank(end, (whole - end) as u64)
}

fn body(mapper: &Mapper, kind: u8, flags: u8, body: &mut [u8]) {
    match kind {
        CONNECT => connect(mapper, body),
        PUBLISH => {
            let topic = string(mapper, body, 0, false);
            // A packet identifier where the quality of service has one.
            let id = if flags & 6 == 0 { 0 } else { 2 };
            body.get_mut(topic + id..).unwrap_or_default().fill(BLANK);
        }
        SUBSCRIBE | UNSUBSCRIBE => {
            let mut at = 2;
            while at < body.len() {
                at = string(mapper, body, at, false) + usize::from(kind == SUBSCRIBE);
            }
        }
        _ => {}
    }
}

/// Protocol name, level, flags and keep alive (section 3.1.2), then the payload's strings (3.1.3).
fn connect(mapper: &Mapper, body: &mut [u8]) {
    let name = match body.first_chunk::<2>() {
        Some(length) => 2 + usize::from(u16::from_be_bytes(*length)),
        None => return,
    };
    let Some(&[level, flags]) = body.get(name..).and_then(<[u8]>::first_chunk::<2>) else {
        return;
    };
    let mut at = name + 4;
    if level >= 5 {
        // nats-server refuses MQTT 5; what its client says further on is not read.
        body.get_mut(at..).unwrap_or_default().fill(0);
        return;
    }
    at = string(mapper, body, at, false);
    if flags & 4 != 0 {
        at = string(mapper, body, at, false);
        at = string(mapper, body, at, true);
    }
    if flags & 0x80 != 0 {
        at = string(mapper, body, at, false);
    }
    if flags & 0x40 != 0 {
        string(mapper, body, at, true);
    }
}

/// Replaces a string with its length before it; gives its end.
fn string(mapper: &Mapper, body: &mut [u8], at: usize, secret: bool) -> usize {
    let Some(length) = body.get(at..).and_then(<[u8]>::first_chunk::<2>) else {
        return body.len();
    };
    let end = (at + 2 + usize::from(u16::from_be_bytes(*length))).min(body.len());
    let style = Style {
        secret,
        name: !secret,
        same_length: true,
        ..Style::default()
    };
    in_place(mapper, &mut body[at + 2..end], |mapper, text| {
        text::redact(mapper, text, style)
    });
    end
}
