//! The CRI log format of containerd and CRI-O: `2026-11-23T05:12:00.123456789Z stderr F text`; `P` marks a part of a line,
//! which goes on in the next record.

use std::borrow::Cow;

use super::{Unwrapped, word};
use crate::parse::timestamp::timestamp;

pub(super) fn strip(line: &[u8]) -> Option<Unwrapped<'_>> {
    let (stamp, used) = timestamp(line)?;
    let rest = line[used..].strip_prefix(b" ")?;
    let (stream, rest) = word(rest)?;
    if stream != b"stdout" && stream != b"stderr" {
        return None;
    }
    // The tag may be empty-bodied: `F` at the very end.
    let (tags, body) = word(rest).unwrap_or((rest, b""));
    let partial = match tags.split(|b| *b == b':').next()? {
        b"F" => false,
        b"P" => true,
        _ => return None,
    };
    Some(Unwrapped {
        outer: Some(stamp),
        body: Cow::Borrowed(body),
        partial,
        ..Unwrapped::default()
    })
}
