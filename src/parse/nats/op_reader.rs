//! The bytes of one direction to operations, whatever the cuts between calls.
//!
//! Payloads are skipped by their declared length, so a hole in the capture of known length inside one costs nothing.
//! Any other hole puts the reader out of step: it then looks for lines that pass the full grammar ([`super::op`]) and
//! believes them when [`TRIAL`] operations in a row fit, payload ends included, or when they reach the end of the stream.
//! Text inside a payload that looks like a verb fails that test as soon as the payload around it ends.

use super::glance::{Glance, could_start, glance};
use super::op::{self, Verb};
use crate::span::Moment;
use serde::{Deserialize, Serialize};

/// Longest control line that is kept while it is incomplete; nats-server's own limit is 4 KiB by default.
pub const LINE_MAX: usize = 64 << 10;
/// The same for INFO and CONNECT, whose JSON may be large.
pub const JSON_MAX: usize = 1 << 20;
/// Operations in a row that prove the reader is in step again.
pub const TRIAL: usize = 4;
/// Bytes of something unreadable that are quoted.
pub const QUOTE: usize = 64;

/// Receives what a direction says.
pub trait OpSink {
    /// A control line.
    fn line(&mut self, at: Moment, seen: Glance, line: &[u8]);
    /// An operation that is complete, payload included.
    fn done(&mut self, at: Moment, seen: Glance);
    /// INFO or CONNECT that the capture holds in part, or that is too long to keep: the first bytes.
    fn partial(&mut self, at: Moment, line: &[u8]);
    /// Bytes that are no operation where one had to begin, at most [`QUOTE`] of them; empty for a payload whose end is missing.
    fn unreadable(&mut self, at: Moment, quote: &[u8]);
}

/// The beginning of a line. Whether a CR at its end belongs to the line's end may not be known yet: it is left out.
fn quote(line: &[u8]) -> &[u8] {
    let start = &line[..line.len().min(QUOTE)];
    start.strip_suffix(b"\r").unwrap_or(start)
}

/// A message cut off by the end of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// Its verb.
    pub verb: Verb,
    /// Declared payload bytes; 0 when the control line itself is cut.
    pub declared: u64,
    /// Payload bytes present.
    pub present: u64,
    /// Its control line.
    pub at: Moment,
}

/// Where in the stream the reader stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In a control line, perhaps before its first byte.
    Line,
    /// In the payload of a message or the CR LF behind it.
    Payload,
    /// In a line that is not kept; its LF is awaited.
    Skip,
}

/// An operation of a trial.
#[derive(Clone, Debug)]
struct Tried {
    control_at: Moment,
    done_at: Moment,
    seen: Glance,
    /// Kept for INFO, CONNECT and -ERR, whose text matters.
    line: Box<[u8]>,
}

/// A stretch of operations after a loss of step, not yet believed.
#[derive(Clone, Debug, Default)]
struct Trial {
    ops: Vec<Tried>,
    /// Nothing was skipped between the hole and the first of them.
    from_hole: bool,
}

/// The reader of one direction.
#[derive(Clone, Debug)]
pub struct OpReader {
    line: Vec<u8>,
    place: Place,
    /// Bytes of the message's CR LF that are to come.
    end: u8,
    verb: Verb,
    /// Declared payload of the message, and how much of it is to come.
    declared: u64,
    left: u64,
    message_at: Moment,
    /// Out of step: nothing is believed until the trial is passed.
    trial: Option<Box<Trial>>,
    /// The next line may begin with any byte: whoever knows other protocols did not recognise it.
    any_byte: bool,
}

impl Default for OpReader {
    fn default() -> Self {
        Self {
            line: Vec::new(),
            place: Place::Line,
            end: 0,
            verb: Verb::Ping,
            declared: 0,
            left: 0,
            message_at: Moment::default(),
            trial: None,
            any_byte: false,
        }
    }
}

impl OpReader {
    /// The line buffer, for whoever looks at the bytes before they are read: empty where a line begins.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.line
    }

    /// Lets the next line begin with a byte that is no text.
    pub fn allow_binary(&mut self) {
        self.any_byte = true;
    }

    /// Gives up the step: what follows is searched for operations.
    pub fn lose_step(&mut self) {
        self.line.clear();
        self.place = Place::Line;
        self.trial = Some(Box::new(Trial {
            ops: Vec::new(),
            from_hole: true,
        }));
    }

    /// Reads bytes in order. Stops before a byte that begins a line and is no text, and gives its index: another
    /// protocol begins there, or garbage.
    pub fn read<S: OpSink>(&mut self, bytes: &[u8], at: Moment, sink: &mut S) -> Option<usize> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.place {
                Place::Payload => {
                    let skip = self.left.min(rest.len() as u64);
                    rest = &rest[skip as usize..];
                    self.left -= skip;
                    if self.left == 0 && !rest.is_empty() {
                        rest = self.payload_end(rest, at, sink);
                    }
                }
                Place::Skip => match memchr::memchr(b'\n', rest) {
                    Some(lf) => {
                        rest = &rest[lf + 1..];
                        self.place = Place::Line;
                    }
                    None => rest = &[],
                },
                Place::Line => {
                    let foreign = self.line.is_empty()
                        && self.trial.is_none()
                        && !self.any_byte
                        && !is_text(rest[0]);
                    if foreign {
                        return Some(bytes.len() - rest.len());
                    }
                    rest = match memchr::memchr(b'\n', rest) {
                        Some(lf) => {
                            self.line_end(&rest[..lf], at, sink);
                            &rest[lf + 1..]
                        }
                        None => self.hold(rest, at, sink),
                    };
                }
            }
        }
        None
    }

    /// Bytes that the capture does not hold. True when the reader stays in step.
    pub fn gap<S: OpSink>(&mut self, at: Moment, len: u64, sink: &mut S) -> bool {
        if self.place == Place::Payload {
            let skip = self.left.min(len);
            self.left -= skip;
            let len = len - skip;
            let over = len.min(u64::from(self.end));
            self.end -= over as u8;
            if self.end == 0 {
                self.message_done(at, sink);
            }
            if len == over {
                return self.trial.is_none();
            }
            // The message was complete; what followed it is unknown.
        } else if !self.line.is_empty() && self.trial.is_none() {
            let line = std::mem::take(&mut self.line);
            sink.partial(at, &line);
        }
        self.settle(self.place == Place::Line && self.line.is_empty(), sink);
        self.lose_step();
        false
    }

    /// The end of the direction; gives the message that it cuts.
    pub fn end<S: OpSink>(&mut self, at: Moment, sink: &mut S) -> Option<Cut> {
        let tried = self.trial.as_ref().map(|trial| trial.ops.len());
        if let Some(mut trial) = self.trial.take() {
            Self::believe(&mut trial, sink);
        }
        if tried == Some(0) {
            return None;
        }
        match self.place {
            Place::Payload => {
                self.place = Place::Line;
                Some(Cut {
                    verb: self.verb,
                    declared: self.declared,
                    present: self.declared - self.left,
                    at: self.message_at,
                })
            }
            Place::Line if !self.line.is_empty() => {
                let line = std::mem::take(&mut self.line);
                if !could_start(&line) {
                    sink.unreadable(at, quote(&line));
                    return None;
                }
                sink.partial(at, &line);
                verb_of_beginning(&line).map(|verb| Cut {
                    verb,
                    declared: 0,
                    present: 0,
                    at,
                })
            }
            _ => None,
        }
    }

    fn payload_end<'b, S: OpSink>(
        &mut self,
        bytes: &'b [u8],
        at: Moment,
        sink: &mut S,
    ) -> &'b [u8] {
        let expected = if self.end == 2 { b'\r' } else { b'\n' };
        if bytes[0] != expected {
            if self.trial.is_none() {
                sink.unreadable(at, b"");
            }
            self.lose_step();
            if let Some(trial) = &mut self.trial {
                trial.from_hole = false;
            }
            // The rest of this line is payload or worse.
            self.place = Place::Skip;
            return bytes;
        }
        self.end -= 1;
        if self.end == 0 {
            self.message_done(at, sink);
        }
        &bytes[1..]
    }

    fn message_done<S: OpSink>(&mut self, at: Moment, sink: &mut S) {
        self.place = Place::Line;
        let seen = Glance {
            verb: self.verb,
            payload: self.declared,
        };
        if let Some(trial) = &mut self.trial {
            if let Some(last) = trial.ops.last_mut() {
                last.done_at = at;
            }
            self.settle(false, sink);
        } else {
            sink.done(at, seen);
        }
    }

    /// The last bytes of a line, without its LF.
    fn line_end<S: OpSink>(&mut self, bytes: &[u8], at: Moment, sink: &mut S) {
        if self.line.is_empty() && bytes.len() <= LINE_MAX {
            self.line_read(trim_cr(bytes), at, sink);
            return;
        }
        let limit = self.limit(bytes);
        let mut whole = std::mem::take(&mut self.line);
        let room = limit - whole.len().min(limit);
        if bytes.len() > room {
            whole.extend_from_slice(&bytes[..room]);
            self.too_long(&whole, at, sink);
            return;
        }
        whole.extend_from_slice(bytes);
        self.line_read(trim_cr(&whole), at, sink);
    }

    /// Keeps the beginning of a line whose end has not come, and gives the bytes that are still to be read.
    fn hold<'b, S: OpSink>(&mut self, bytes: &'b [u8], at: Moment, sink: &mut S) -> &'b [u8] {
        let (start, n) = self.start(bytes);
        if self.trial.is_some() && !could_start(&start[..n]) {
            // Only a line that may become an operation is worth keeping.
            self.line.clear();
            self.failed();
            self.place = Place::Skip;
            return bytes;
        }
        let held = self.line.len();
        if held < QUOTE && held + bytes.len() >= QUOTE && !could_start(&start[..n]) {
            let mut line = std::mem::take(&mut self.line);
            line.extend_from_slice(&bytes[..QUOTE - held]);
            self.unread(&line, at, sink);
            self.place = Place::Skip;
            return &bytes[QUOTE - held..];
        }
        let room = self.limit(bytes) - held;
        if bytes.len() > room {
            let mut line = std::mem::take(&mut self.line);
            line.extend_from_slice(&bytes[..room]);
            self.too_long(&line, at, sink);
            self.place = Place::Skip;
            return &bytes[room..];
        }
        self.line.extend_from_slice(bytes);
        &[]
    }

    /// The first bytes of the line that `bytes` continues.
    fn start(&self, bytes: &[u8]) -> ([u8; 8], usize) {
        let mut start = [0; 8];
        let held = self.line.len().min(8);
        start[..held].copy_from_slice(&self.line[..held]);
        let more = bytes.len().min(8 - held);
        start[held..held + more].copy_from_slice(&bytes[..more]);
        (start, held + more)
    }

    /// How much of the line that `bytes` continues is kept.
    fn limit(&self, bytes: &[u8]) -> usize {
        let (start, n) = self.start(bytes);
        if is_json(&start[..n]) {
            JSON_MAX
        } else {
            LINE_MAX
        }
    }

    /// A line longer than what is kept: INFO and CONNECT keep the step, any other may have a payload behind it.
    fn too_long<S: OpSink>(&mut self, line: &[u8], at: Moment, sink: &mut S) {
        self.any_byte = false;
        if self.trial.is_some() {
            self.failed();
        } else if is_json(line) {
            sink.partial(at, line);
            sink.unreadable(at, quote(line));
        } else {
            self.unread(line, at, sink);
        }
    }

    /// A whole line, without its end.
    fn line_read<S: OpSink>(&mut self, line: &[u8], at: Moment, sink: &mut S) {
        self.any_byte = false;
        if self.trial.is_some() {
            self.line_tried(line, at, sink);
            return;
        }
        let Some(seen) = glance(line) else {
            self.unread(line, at, sink);
            return;
        };
        sink.line(at, seen, line);
        if seen.verb.has_payload() {
            self.begin(seen, at);
        } else {
            sink.done(at, seen);
        }
    }

    /// A line that is no operation.
    fn unread<S: OpSink>(&mut self, line: &[u8], at: Moment, sink: &mut S) {
        self.any_byte = false;
        sink.unreadable(at, quote(line));
        self.lose_step();
        self.failed();
    }

    fn begin(&mut self, seen: Glance, at: Moment) {
        self.verb = seen.verb;
        self.declared = seen.payload;
        self.left = seen.payload;
        self.end = 2;
        self.message_at = at;
        self.place = Place::Payload;
    }

    fn line_tried<S: OpSink>(&mut self, line: &[u8], at: Moment, sink: &mut S) {
        let Some(op) = op::parse(line) else {
            self.failed();
            return;
        };
        let seen = Glance {
            verb: op.verb,
            payload: op.payload,
        };
        let keep = matches!(op.verb, Verb::Info | Verb::Connect | Verb::Err);
        if let Some(trial) = &mut self.trial {
            trial.ops.push(Tried {
                control_at: at,
                done_at: at,
                seen,
                line: if keep { line.into() } else { Box::default() },
            });
        }
        if seen.verb.has_payload() {
            self.begin(seen, at);
        } else {
            self.settle(false, sink);
        }
    }

    /// What was tried did not hold.
    fn failed(&mut self) {
        if let Some(trial) = &mut self.trial {
            trial.ops.clear();
            trial.from_hole = false;
        }
    }

    /// Ends the trial when it is passed. `at_hole`: everything between two holes was operations.
    fn settle<S: OpSink>(&mut self, at_hole: bool, sink: &mut S) {
        let passed = self.trial.as_ref().is_some_and(|trial| {
            trial.ops.len() >= TRIAL || (at_hole && trial.from_hole && !trial.ops.is_empty())
        });
        if passed && let Some(mut trial) = self.trial.take() {
            Self::believe(&mut trial, sink);
        }
    }

    fn believe<S: OpSink>(trial: &mut Trial, sink: &mut S) {
        for tried in trial.ops.drain(..) {
            sink.line(tried.control_at, tried.seen, &tried.line);
            sink.done(tried.done_at, tried.seen);
        }
    }
}

fn is_text(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n')
}

fn is_json(line: &[u8]) -> bool {
    let starts =
        |word: &[u8]| line.len() >= word.len() && line[..word.len()].eq_ignore_ascii_case(word);
    starts(b"INFO") || starts(b"CONNECT")
}

fn trim_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The verb of a control line that breaks off, if it is a message's.
fn verb_of_beginning(line: &[u8]) -> Option<Verb> {
    let word = line
        .split(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
        .next()?
        .to_ascii_uppercase();
    match word.as_slice() {
        b"PUB" => Some(Verb::Pub),
        b"HPUB" => Some(Verb::Hpub),
        b"MSG" => Some(Verb::Msg),
        b"HMSG" => Some(Verb::Hmsg),
        b"RMSG" | b"LMSG" => Some(Verb::Routed),
        _ => None,
    }
}
