//! stern: `POD CONTAINER text`, by default without any mark, so only a text that is a server's line tells.

use std::borrow::Cow;

use super::{Unwrapped, utf8, word};

pub(super) fn strip(line: &[u8]) -> Option<Unwrapped<'_>> {
    let (pod, rest) = word(line)?;
    let (container, body) = word(rest)?;
    if !name(pod) || !name(container) {
        return None;
    }
    let stream = utf8(&line[..pod.len() + 1 + container.len()])?;
    Some(Unwrapped {
        stream: Some(Cow::Borrowed(stream)),
        body: Cow::Borrowed(body),
        ..Unwrapped::default()
    })
}

/// What Kubernetes allows as a name (RFC 1123).
fn name(text: &[u8]) -> bool {
    !text.is_empty()
        && text.len() <= 253
        && text
            .iter()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.'))
}
