//! `kubectl logs --prefix` (`[pod/POD/CONTAINER] text`) and `--timestamps` (`2026-11-23T05:12:00.123456789Z text`), alone
//! or together; `docker logs --timestamps` and CloudWatch's text export look like the latter.

use std::borrow::Cow;

use super::{Unwrapped, utf8};
use crate::parse::timestamp::timestamp;
use crate::time::Basis;

/// `[pod/POD/CONTAINER] `; the time, if any, is left in the body.
pub(super) fn prefix(line: &[u8]) -> Option<Unwrapped<'_>> {
    let rest = line.strip_prefix(b"[pod/")?;
    let end = memchr::memchr(b']', rest)?;
    let body = &rest[end + 1..];
    Some(Unwrapped {
        stream: Some(Cow::Borrowed(utf8(&rest[..end])?)),
        body: Cow::Borrowed(body.strip_prefix(b" ").unwrap_or(body)),
        ..Unwrapped::default()
    })
}

/// A time in front of the text. Whether it is the program's own only the text can tell, so the caller decides.
pub(super) fn time(line: &[u8]) -> Option<Unwrapped<'_>> {
    if line.get(10) != Some(&b'T') {
        return None;
    }
    let (stamp, used) = timestamp(line)?;
    let rest = &line[used..];
    if stamp.basis != Basis::Utc || !(rest.is_empty() || rest[0] == b' ') {
        return None;
    }
    Some(Unwrapped {
        outer: Some(stamp),
        body: Cow::Borrowed(rest.get(1..).unwrap_or(b"")),
        ..Unwrapped::default()
    })
}
