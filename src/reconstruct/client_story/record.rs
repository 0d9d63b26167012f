//! Records of several lines: a head without its message (`java.util.logging`, .NET's console), tracebacks and stack
//! traces under a message, objects that Node prints over several lines.

use std::borrow::Cow;

use crate::parse::client_log::envelope::Envelope;
use crate::parse::log_line::LogLine;
use crate::time::Stamp;

/// Lines after which a record is taken to be over, whatever follows.
const LONGEST: u32 = 500;

/// What the lines so far have opened.
#[derive(Debug, Default)]
pub(super) struct Record {
    head: Option<Head>,
    /// The client and event that lines belong to.
    event: Option<(usize, usize)>,
    /// Inside a Python traceback: its last line is not indented.
    traceback: bool,
    lines: u32,
}

/// A first line without a message.
#[derive(Clone, Debug)]
struct Head {
    stamp: Option<Stamp>,
    level: bool,
    logger: Option<String>,
    envelope: Envelope<'static>,
}

impl Record {
    pub(super) fn is_open(&self) -> bool {
        self.head.is_some() || self.event.is_some() || self.traceback
    }

    pub(super) fn close(&mut self) {
        *self = Self::default();
    }

    /// Opens a record with its first line.
    pub(super) fn head(&mut self, envelope: &Envelope<'_>, _: &LogLine<'_>) {
        self.close();
        self.head = Some(Head {
            stamp: envelope.stamp,
            level: envelope.level,
            logger: envelope.logger.as_deref().map(str::to_owned),
            envelope: Envelope {
                stamp: envelope.stamp,
                level: envelope.level,
                logger: envelope
                    .logger
                    .as_deref()
                    .map(|text| Cow::Owned(text.to_owned())),
                tag: envelope
                    .tag
                    .as_deref()
                    .map(|text| Cow::Owned(text.to_owned())),
                message: Cow::Borrowed(""),
                library: envelope.library,
                style: envelope.style,
                bare: false,
            },
        });
    }

    /// The head's envelope, for the line that has its message.
    pub(super) fn take_head(&mut self) -> Option<Envelope<'static>> {
        self.head.take().map(|head| head.envelope)
    }

    /// Gives a second line with a level of its own (`SEVERE: ...`) the first one's time and logger.
    pub(super) fn complete(&mut self, envelope: &mut Envelope<'_>) {
        let Some(head) = self.head.take() else { return };
        if envelope.stamp.is_none() && (envelope.level || !head.level) {
            envelope.stamp = head.stamp;
            if let Some(logger) = head.logger {
                envelope.logger = Some(Cow::Owned(logger));
            }
            envelope.library = head.envelope.library;
        }
    }

    /// Lines that follow belong to this event.
    pub(super) fn follow(&mut self, client: Option<usize>, event: usize) {
        self.close();
        self.event = client.map(|client| (client, event));
    }

    pub(super) fn event(&self) -> Option<(usize, usize)> {
        self.event
    }

    pub(super) fn follows_event(&self) -> bool {
        self.event.is_some()
    }

    pub(super) fn in_traceback(&self) -> bool {
        self.traceback
    }

    /// A traceback begins; true if it belongs to an event.
    pub(super) fn traceback(&mut self, _: &LogLine<'_>, stamp: Option<Stamp>) -> bool {
        if stamp.is_some() {
            self.event = None;
        }
        self.traceback = true;
        self.lines = 0;
        true
    }

    /// The line at hand, which is not indented, ends a traceback.
    pub(super) fn ends_traceback(&self) -> bool {
        self.traceback
    }

    /// A line that can mean nothing: part of an open record, or its end. True if it was part.
    pub(super) fn end_at_plain(&mut self, body: &[u8]) -> bool {
        if !self.is_open() {
            return false;
        }
        self.lines += 1;
        let blank = body.iter().all(u8::is_ascii_whitespace);
        if blank && self.lines < LONGEST && self.traceback {
            return true;
        }
        self.close();
        false
    }
}

/// Whether a line goes on with the record before it: indented, a stack frame, the end of an object.
pub(super) fn continues(body: &[u8]) -> bool {
    match body.first() {
        Some(b' ' | b'\t') => {
            // Some layouts pad their first column; a time or a level behind the blanks is a new record.
            let rest = body.trim_ascii_start();
            !rest.is_empty() && !rest[0].is_ascii_digit() && !rest.starts_with(b"[20")
        }
        Some(b'}' | b']') => body.len() <= 3,
        Some(b'C') => body.starts_with(b"Caused by: "),
        Some(b'.') => body.starts_with(b"... "),
        _ => false,
    }
}

/// A first line that has no message of its own.
pub(super) fn is_head(envelope: &Envelope<'_>) -> bool {
    envelope.message.is_empty() && envelope.logger.is_some()
}

/// A line that opens a traceback.
pub(super) fn starts_traceback(message: &str) -> bool {
    message.starts_with("Traceback (most recent call last)")
}
