//! `docker compose logs`: `nats-1  | text`.

use std::borrow::Cow;

use super::{Unwrapped, utf8};

pub(super) fn strip(line: &[u8]) -> Option<Unwrapped<'_>> {
    let name = line
        .iter()
        .take(64)
        .position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')))?;
    let blanks = line[name..].iter().take_while(|b| **b == b' ').count();
    let rest = &line[name + blanks..];
    if name == 0 || blanks == 0 || !(rest.starts_with(b"| ") || rest == b"|") {
        return None;
    }
    Some(Unwrapped {
        stream: Some(Cow::Borrowed(utf8(&line[..name])?)),
        body: Cow::Borrowed(rest.get(2..).unwrap_or(b"")),
        ..Unwrapped::default()
    })
}
