//! Docker's json-file driver: `{"log":"text\n","stream":"stderr","time":"2019-01-01T11:11:11.111111111Z"}`. A line of
//! more than 16 KiB comes in several objects, of which only the last ends in a newline.

use std::borrow::Cow;

use serde::Deserialize;

use super::Unwrapped;
use crate::parse::timestamp::timestamp;

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    log: Cow<'a, str>,
    #[serde(borrow)]
    time: Cow<'a, str>,
}

pub(super) fn strip(line: &[u8]) -> Option<Unwrapped<'_>> {
    if !line.starts_with(b"{\"log\":") || memchr::memmem::find(line, b"\"stream\":\"std").is_none()
    {
        return None;
    }
    let record: Record<'_> = serde_json::from_slice(line).ok()?;
    let (outer, _) = timestamp(record.time.as_bytes())?;
    let partial = !record.log.ends_with('\n');
    let body = match record.log {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_end_matches(['\n', '\r']).as_bytes()),
        Cow::Owned(mut text) => {
            text.truncate(text.trim_end_matches(['\n', '\r']).len());
            Cow::Owned(text.into_bytes())
        }
    };
    Some(Unwrapped {
        outer: Some(outer),
        // Whether stdout or stderr matters for joining parts only; both are one container's.
        stream: None,
        body,
        partial,
        ..Unwrapped::default()
    })
}
