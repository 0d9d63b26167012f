//! NATS lines and payloads.

use super::super::mapper::Mapper;
use super::super::ops;
use super::super::packet::BLANK;
use super::{Layer, Step, UNIT_MAX, in_place};
use crate::parse::nats::glance::{could_start, glance};
use crate::parse::nats::op;

/// Where in the stream of operations the next byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// At the beginning of a line.
    Line,
    /// In a line whose beginning was already replaced.
    Rest,
    /// In a payload: bytes to come, bytes past, and whether it begins with headers.
    Payload { left: u64, past: u64, headers: bool },
    /// In the line end behind a payload.
    End(u8),
    /// Somewhere: a line that passes the full grammar is awaited.
    Lost,
}

impl Place {
    /// So many bytes are missing.
    pub fn gap(self, len: u64) -> Self {
        match self {
            Self::Payload {
                left,
                past,
                headers,
            } if len <= left => Self::Payload {
                left: left - len,
                past: past + len,
                headers,
            },
            _ => Self::Lost,
        }
    }

    /// Replaces what is at the front, in place.
    pub fn step(&mut self, mapper: &Mapper, held: &mut [u8], last: bool) -> Step {
        match *self {
            Self::Payload { left: 0, .. } => {
                *self = Self::End(2);
                self.step(mapper, held, last)
            }
            Self::Payload {
                left,
                past,
                headers,
            } => {
                let n = left.min(held.len() as u64);
                for (at, byte) in (past..).zip(&mut held[..n as usize]) {
                    if !(headers && is_header_word(at, *byte)) {
                        *byte = BLANK;
                    }
                }
                *self = Self::Payload {
                    left: left - n,
                    past: past + n,
                    headers,
                };
                Step::Done(n as usize)
            }
            Self::End(left) => {
                if matches!(held[0], b'\r' | b'\n') {
                    *self = if left > 1 && held[0] == b'\r' {
                        Self::End(left - 1)
                    } else {
                        Self::Line
                    };
                    return Step::Done(1);
                }
                // nats-server would call it a parser error; what is it, then?
                *self = Self::Lost;
                self.step(mapper, held, last)
            }
            Self::Line => self.line(mapper, held, last),
            Self::Rest => {
                let end = memchr::memchr(b'\n', held).map(|lf| lf + 1);
                let n = end.unwrap_or(held.len());
                blank_line(&mut held[..n]);
                if end.is_some() {
                    *self = Self::Line;
                }
                Step::Done(n)
            }
            Self::Lost => self.lost(mapper, held, last),
        }
    }

    fn line(&mut self, mapper: &Mapper, held: &mut [u8], last: bool) -> Step {
        if !matches!(held[0], b' '..=b'~' | b'\t' | b'\r' | b'\n') {
            return Step::Becomes(Layer::Start);
        }
        let Some(lf) = memchr::memchr(b'\n', held) else {
            if !last && held.len() <= UNIT_MAX {
                return Step::More;
            }
            in_place(mapper, held, |mapper, line| ops::line(mapper, line, true));
            *self = Self::Rest;
            return Step::Done(held.len());
        };
        let end = held[..lf].strip_suffix(b"\r").map_or(lf, <[u8]>::len);
        if let Some(seen) = glance(&held[..end])
            && seen.verb.has_payload()
        {
            let headers = held[0].eq_ignore_ascii_case(&b'h');
            *self = Self::Payload {
                left: seen.payload,
                past: 0,
                headers,
            };
        }
        in_place(mapper, &mut held[..end], |mapper, line| {
            ops::line(mapper, line, true)
        });
        Step::Done(lf + 1)
    }

    fn lost(&mut self, mapper: &Mapper, held: &mut [u8], last: bool) -> Step {
        let Some(lf) = memchr::memchr(b'\n', held) else {
            if !last && held.len() <= UNIT_MAX && could_start(&held[..held.len().min(4)]) {
                return Step::More;
            }
            blank_line(held);
            return Step::Done(held.len());
        };
        let end = held[..lf].strip_suffix(b"\r").map_or(lf, <[u8]>::len);
        if op::parse(&held[..end]).is_some() {
            *self = Self::Line;
            return self.line(mapper, held, last);
        }
        blank_line(&mut held[..=lf]);
        Step::Done(lf + 1)
    }
}

/// Blanks a line but for its end.
fn blank_line(line: &mut [u8]) {
    for byte in line {
        if !matches!(byte, b'\r' | b'\n') {
            *byte = BLANK;
        }
    }
}

/// The version of headers, the status behind it and the line's end: `NATS/1.0 503`.
fn is_header_word(at: u64, byte: u8) -> bool {
    match at {
        0..8 => true,
        8..14 => byte == b' ' || byte.is_ascii_digit() || matches!(byte, b'\r' | b'\n'),
        _ => false,
    }
}
