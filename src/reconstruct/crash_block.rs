//! The lines of one Go crash, until it is clear whose it is: a server's and a client application's begin alike, and only
//! a stack frame tells.

use super::server::ServerEventKind;
use crate::parse::log_line::LogLine;
use crate::parse::server_log::stack::{self, Crash};
use crate::span::{LogRef, Place};

/// How many lines are kept while nobody knows whose they are.
const LINES: usize = 200;

/// A crash that is being read.
#[derive(Debug)]
pub struct CrashBlock {
    /// Stream of a mixed source.
    pub stream: Option<Box<str>>,
    /// The first line.
    pub at: LogRef,
    /// What it is.
    pub kind: ServerEventKind,
    lines: Vec<(LogRef, Vec<u8>)>,
    server: bool,
    application: bool,
}

impl CrashBlock {
    /// The functions of the goroutine that crashed.
    pub fn trace(&self) -> Vec<LogRef> {
        super::crash_trace::crashed_goroutine(self.lines.iter().map(|(at, _)| at.clone()))
    }

    /// A crash, if this line begins one.
    pub fn begin(line: &LogLine<'_>, text: &str) -> Option<Self> {
        let kind = match stack::crash(text)? {
            Crash::OutOfMemory(_) => ServerEventKind::OutOfMemory(text.into()),
            _ => ServerEventKind::Crash(text.into()),
        };
        Some(Self {
            stream: line.stream.map(Into::into),
            at: line.log_ref(None),
            kind,
            lines: vec![(line.log_ref(None), line.body.to_vec())],
            server: false,
            application: false,
        })
    }

    /// Takes the next line. False: it is none of this crash's.
    pub fn line(&mut self, line: &LogLine<'_>, text: &str) -> bool {
        if line.stream != self.stream.as_deref() || !stack::continues(text) {
            return false;
        }
        if let Some(Crash::OutOfMemory(_)) = stack::crash(text) {
            self.kind = ServerEventKind::OutOfMemory(text.into());
        }
        self.server |= stack::is_server_frame(text);
        self.application |= text.starts_with("main.");
        if self.lines.len() < LINES {
            self.lines.push((line.log_ref(None), line.body.to_vec()));
        }
        true
    }

    /// It is a server's: by its frames, or because a server writes here and no application's frame speaks against it.
    pub fn is_server(&self, server_here: bool) -> bool {
        self.server || (server_here && !self.application)
    }

    /// Its lines, as they came.
    pub fn each_line(&self, mut each: impl FnMut(&LogLine<'_>)) {
        for (at, body) in &self.lines {
            if let Place::Line(number) = at.cite.place {
                each(&LogLine {
                    source: at.cite.source,
                    number,
                    outer: at.outer,
                    stream: self.stream.as_deref(),
                    body,
                });
            }
        }
    }
}
