//! HTTP heads: methods, versions, statuses and the words of an upgrade stay; paths, hosts and credentials are replaced.

use super::super::mapper::Mapper;
use super::super::text::{self, Style};
use super::{Layer, Step, in_place, ops};
use crate::parse::nats::not_nats::{self, Beginning};
use crate::parse::websocket::{HEAD_MAX, http_head};

/// Headers whose values are secrets.
const SECRET: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
];
/// Headers whose values name somebody.
const NAMES: &[&str] = &[
    "host",
    "origin",
    "referer",
    "x-forwarded-for",
    "forwarded",
    "x-real-ip",
    "from",
    "location",
];

/// Replaces the head at the front.
pub fn step(mapper: &Mapper, held: &mut [u8], last: bool) -> Step {
    let Some(end) = memchr::memmem::find(held, b"\r\n\r\n").map(|at| at + 4) else {
        if !last && held.len() <= HEAD_MAX {
            return Step::More;
        }
        in_place(mapper, held, head);
        return Step::Done(held.len());
    };
    let read = http_head(&held[..end - 4]);
    let upgraded = read.upgrade && read.status.is_none_or(|status| status == 101);
    in_place(mapper, &mut held[..end], head);
    if upgraded {
        return Step::Then(end, Layer::WebSocket(Box::new(ops::Place::Line)));
    }
    // Another request or answer may follow its body.
    Step::Then(end, Layer::HttpBody)
}

/// Replaces what follows a head: blanked, until a segment begins with another head.
pub fn body(held: &[u8]) -> Step {
    match not_nats::beginning(held, true) {
        Some(Beginning::Http) => Step::Becomes(Layer::Http),
        _ => Step::Blank(0, held.len() as u64),
    }
}

fn head(mapper: &Mapper, head: &str) -> String {
    let mut out = String::with_capacity(head.len());
    for line in head.split_inclusive("\r\n") {
        let name = line.split(':').next().unwrap_or_default();
        let key = name.trim().to_ascii_lowercase();
        let style = Style {
            secret: SECRET.contains(&key.as_str()),
            name: NAMES.contains(&key.as_str()),
            same_length: true,
            ..Style::default()
        };
        if style.secret || style.name {
            out.push_str(name);
            out.push_str(&text::redact(mapper, &line[name.len()..], style));
        } else {
            out.push_str(&text::redact(mapper, line, style));
        }
    }
    out
}
