//! Takes the wrappers off line by line, as many as there are on one another, and joins the parts of split lines.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{
    Unwrapped, compose, cri, docker, event_viewer, journal_export, kubectl, shipper, stern, syslog,
    tail,
};
use crate::parse::log_line::LogLine;
use crate::parse::server_log::line::line as server_line;
use crate::source::SourceId;
use crate::time::Stamp;

/// How many wrappers may lie on one another.
const DEPTH: usize = 5;
/// How many streams may have a split line open at a time, and how long such a line may become.
const SPLIT_STREAMS: usize = 64;
/// Longest joined line.
const SPLIT_BYTES: usize = 1 << 20;

/// What a wrapper told beside what [`LogLine`] holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meta<'a> {
    /// Program (syslog tag).
    pub program: Option<&'a str>,
    /// Process id.
    pub pid: Option<u32>,
    /// Syslog severity.
    pub severity: Option<u8>,
}

/// The unwrapping state of one source.
#[derive(Clone, Debug)]
pub struct Unwrapper {
    source: SourceId,
    /// File named by the last `==> FILE <==`.
    file: Option<String>,
    export: Option<journal_export::Entry>,
    /// Split lines by stream: number and time of the first part, text so far.
    split: BTreeMap<String, (u64, Option<Stamp>, Vec<u8>)>,
    /// A bare time in front of a server's line was seen: in front of other lines it is the wrapper's as well.
    bare_times: bool,
    /// `POD CONTAINER` pairs that stern put in front of a server's line.
    stern: Vec<String>,
    /// How Event Viewer's rows write their dates.
    date_order: Option<event_viewer::DateOrder>,
    /// Time of the event whose text is on one of the next lines.
    event: Option<Stamp>,
}

impl Unwrapper {
    /// Nothing read yet.
    pub fn new(source: SourceId) -> Self {
        Self {
            source,
            file: None,
            export: None,
            split: BTreeMap::new(),
            bare_times: false,
            stern: Vec::new(),
            date_order: None,
            event: None,
        }
    }

    /// Looks at lines from the beginning of the source before they are read: what only many tell.
    pub fn look_ahead<'a>(&mut self, lines: impl Iterator<Item = &'a [u8]>) {
        self.date_order = event_viewer::date_order(lines);
    }

    /// Whether the next lines mean something else than they would alone.
    pub fn is_stateful(&self) -> bool {
        self.file.is_some() || self.export.is_some() || !self.split.is_empty()
    }

    /// Takes a raw line (without LF) and hands what is in it to `each`: no line (a header, a part), or one.
    pub fn line(&mut self, number: u64, raw: &[u8], mut each: impl FnMut(&LogLine<'_>, Meta<'_>)) {
        let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
        if let Some(entry) = &mut self.export {
            if entry.fits(raw) {
                if entry.line(raw) {
                    let line = entry.finish();
                    let first = entry.first_line;
                    self.export = None;
                    if let Some(line) = line {
                        self.layers(first, line, &mut each);
                    }
                }
                return;
            }
            self.export = None;
        }
        if journal_export::Entry::begins(raw) {
            let mut entry = journal_export::Entry::new(number);
            entry.line(raw);
            self.export = Some(entry);
            return;
        }
        if let Some(file) = tail::header(raw) {
            self.file = Some(file.to_owned());
            return;
        }
        let line = Unwrapped {
            body: without_colours(raw),
            ..Unwrapped::default()
        };
        self.layers(number, line, &mut each);
    }

    /// A line that a document's reader already took out of its outermost wrapper.
    pub fn unwrapped(
        &mut self,
        number: u64,
        line: Unwrapped<'_>,
        mut each: impl FnMut(&LogLine<'_>, Meta<'_>),
    ) {
        self.layers(number, line, &mut each);
    }

    /// What is left open at the end of the source.
    pub fn finish(&mut self, mut each: impl FnMut(&LogLine<'_>, Meta<'_>)) {
        if let Some(entry) = self.export.take()
            && let Some(line) = entry.finish()
        {
            self.layers(entry.first_line, line, &mut each);
        }
        for (_, (number, outer, body)) in std::mem::take(&mut self.split) {
            let line = LogLine {
                source: self.source,
                number,
                outer,
                stream: self.file.as_deref(),
                body: &body,
            };
            each(&line, Meta::default());
        }
    }

    fn layers(
        &mut self,
        number: u64,
        line: Unwrapped<'_>,
        each: &mut impl FnMut(&LogLine<'_>, Meta<'_>),
    ) {
        let mut line = line;
        for _ in 0..DEPTH {
            let Some(inner) = self.one_layer(&line.body) else {
                break;
            };
            let inner = own(inner);
            // The wrapper next to the program knows its moment best; the outermost names the stream best.
            let stream = match (line.stream.take(), inner.stream) {
                (Some(outer), Some(inner)) if outer != inner => {
                    Some(Cow::Owned(format!("{outer}/{inner}")))
                }
                (outer, inner) => outer.or(inner),
            };
            line = Unwrapped {
                outer: inner.outer.or(line.outer),
                stream,
                program: inner.program.or(line.program),
                pid: inner.pid.or(line.pid),
                severity: inner.severity.or(line.severity),
                body: inner.body,
                partial: inner.partial || line.partial,
            };
        }
        self.join(number, &line, each);
    }

    /// Joins parts and hands the line on.
    fn join(
        &mut self,
        number: u64,
        line: &Unwrapped<'_>,
        each: &mut impl FnMut(&LogLine<'_>, Meta<'_>),
    ) {
        let file = self.file.clone();
        let stream = line.stream.as_deref().or(file.as_deref());
        if line.partial || !self.split.is_empty() {
            let key = stream.unwrap_or_default().to_owned();
            if line.partial {
                if self.split.len() < SPLIT_STREAMS || self.split.contains_key(&key) {
                    let (_, _, body) = self
                        .split
                        .entry(key)
                        .or_insert_with(|| (number, line.outer, Vec::new()));
                    if body.len() < SPLIT_BYTES {
                        body.extend_from_slice(&line.body);
                    }
                }
                return;
            }
            if let Some((first, outer, mut body)) = self.split.remove(&key) {
                body.extend_from_slice(&line.body);
                let joined = LogLine {
                    source: self.source,
                    number: first,
                    outer,
                    stream,
                    body: &body,
                };
                each(&joined, meta(line));
                return;
            }
        }
        let whole = LogLine {
            source: self.source,
            number,
            outer: line.outer,
            stream,
            body: &line.body,
        };
        each(&whole, meta(line));
    }

    /// Takes one wrapper off, if there is one.
    fn one_layer<'a>(&mut self, body: &'a [u8]) -> Option<Unwrapped<'a>> {
        let first = *body.first()?;
        if first == b'{' {
            return docker::strip(body).or_else(|| {
                let (line, sure) = shipper::strip(body)?;
                let inside = server_line(&line.body).is_some() || cri::strip(&line.body).is_some();
                (sure || inside).then_some(line)
            });
        }
        if first == b'[' {
            return kubectl::prefix(body);
        }
        if let Some(line) = cri::strip(body).or_else(|| syslog::strip(body)) {
            return Some(line);
        }
        if first.is_ascii_digit()
            && let Some(line) = kubectl::time(body)
        {
            // Looked for until one was seen.
            self.bare_times = self.bare_times || holds_server_line(&line.body, DEPTH);
            if self.bare_times {
                return Some(line);
            }
        }
        if let Some(row) = event_viewer::strip(body, self.date_order) {
            self.event = row.outer.filter(|_| row.body.is_empty());
            return Some(row);
        }
        if body.starts_with(b"pid[") {
            let outer = self.event.take();
            return outer.map(|_| Unwrapped {
                outer,
                body: Cow::Borrowed(body),
                ..Unwrapped::default()
            });
        }
        if let Some(line) = compose::strip(body) {
            return Some(line);
        }
        if first.is_ascii_lowercase() || first.is_ascii_digit() {
            let line = stern::strip(body)?;
            let stream = line.stream.as_deref().unwrap_or_default();
            let known = self.stern.iter().any(|known| known == stream);
            if known || server_line(&line.body).is_some() || kubectl::time(&line.body).is_some() {
                if !known && self.stern.len() < SPLIT_STREAMS {
                    self.stern.push(stream.to_owned());
                }
                return Some(line);
            }
        }
        None
    }
}

/// A server's line, bare or under wrappers that need no context: what proves that a time in front is a wrapper's (a CI
/// system's log of `docker compose logs`, `kubectl logs --timestamps` of a collector).
fn holds_server_line(body: &[u8], depth: usize) -> bool {
    if server_line(body).is_some() {
        return true;
    }
    if body.first() == Some(&b'{') {
        return docker::strip(body).is_some();
    }
    depth > 0
        && cri::strip(body)
            .or_else(|| syslog::strip(body))
            .or_else(|| kubectl::time(body))
            .or_else(|| compose::strip(body))
            .is_some_and(|line| holds_server_line(&line.body, depth - 1))
}

fn meta<'a>(line: &'a Unwrapped<'_>) -> Meta<'a> {
    Meta {
        program: line.program.as_deref(),
        pid: line.pid,
        severity: line.severity,
    }
}

/// A layer that outlives the one around it.
fn own(line: Unwrapped<'_>) -> Unwrapped<'static> {
    let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
    Unwrapped {
        outer: line.outer,
        stream: line.stream.map(owned),
        program: line.program.map(owned),
        pid: line.pid,
        severity: line.severity,
        body: Cow::Owned(line.body.into_owned()),
        partial: line.partial,
    }
}

/// Without terminal colours (`ESC [ ... m`) and other CSI sequences.
fn without_colours(raw: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(0x1b, raw).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut at = 0;
    while at < raw.len() {
        if raw[at] == 0x1b && raw.get(at + 1) == Some(&b'[') {
            let end = raw[at + 2..].iter().position(|b| (0x40..=0x7e).contains(b));
            if let Some(end) = end {
                at += 2 + end + 1;
                continue;
            }
        }
        out.push(raw[at]);
        at += 1;
    }
    Cow::Owned(out)
}
