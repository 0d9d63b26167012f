//! WebSocket frames (RFC 6455): the NATS inside is replaced under the mask. Compressed frames are blanked: other content
//! would not compress to the same length.

use super::super::mapper::Mapper;
use super::super::packet::BLANK;
use super::ops::Place;
use super::s2::inner;
use super::{Layer, Step, UNIT_MAX};
use crate::parse::websocket::{FrameHead, frame};

/// Bytes of a close frame's status code.
const STATUS: usize = 2;
const CLOSE: u8 = 8;

/// Replaces the frame at the front.
pub fn step(mapper: &Mapper, held: &mut [u8], last: bool, place: &mut Place) -> Step {
    let frame = match frame(held) {
        FrameHead::Whole(frame) => frame,
        FrameHead::More => return Step::More,
        FrameHead::Wrong => return Step::Becomes(Layer::Opaque),
    };
    let whole = frame.head as u64 + frame.len;
    if frame.compressed || whole > UNIT_MAX as u64 {
        return Step::Blank(frame.head, frame.len);
    }
    let whole = whole as usize;
    if held.len() < whole && !last {
        return Step::More;
    }
    let end = whole.min(held.len());
    let body = &mut held[frame.head..end];
    let mask = frame.mask.unwrap_or_default();
    let turn = |body: &mut [u8]| {
        for (byte, key) in body.iter_mut().zip(mask.iter().cycle()) {
            *byte ^= key;
        }
    };
    turn(body);
    if !frame.is_control() {
        inner(mapper, body, place);
    } else if frame.opcode == CLOSE {
        let reason = body.len().min(STATUS);
        let style = super::Style {
            same_length: true,
            ..super::Style::default()
        };
        super::in_place(mapper, &mut body[reason..], |mapper, text| {
            super::text::redact(mapper, text, style)
        });
    } else {
        body.fill(BLANK);
    }
    turn(body);
    Step::Blank(end, (whole - end) as u64)
}
