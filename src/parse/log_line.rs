//! One line of a text source with its wrapper taken off: what every log grammar is given.

use crate::source::SourceId;
use crate::span::{Cite, LogRef};
use crate::time::Stamp;

/// A line, unwrapped. Multi-line records arrive line by line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLine<'a> {
    /// The source.
    pub source: SourceId,
    /// Line number in the source, from 1 (the first one where a wrapper split a line in parts).
    pub number: u64,
    /// The wrapper's time (docker, CRI, journald, syslog, `kubectl logs --timestamps`).
    pub outer: Option<Stamp>,
    /// Which stream of a mixed source: pod, container, unit, host or file, as the wrapper names it.
    pub stream: Option<&'a str>,
    /// The text without wrapper, colours, CR and LF.
    pub body: &'a [u8],
}

impl LogLine<'_> {
    /// This line as something to cite, with the program's own time.
    pub fn log_ref(&self, stamp: Option<Stamp>) -> LogRef {
        let quote = &self.body[..self.body.len().min(LogRef::QUOTE)];
        LogRef {
            stamp,
            outer: self.outer,
            cite: Cite::line(self.source, self.number),
            text: String::from_utf8_lossy(quote).into(),
        }
    }
}
