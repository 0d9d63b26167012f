//! Text sources: each line goes to the grammar that knows it. One file may hold several servers, streams, host lines
//! and client lines.

use std::io::Read;

use super::client::ClientStory;
use super::client_story::StoryBuilder;
use super::facts::Shapes;
pub use super::facts::SourceFacts;
use super::lines::{Item, each_line};
use super::server::{ServerEvent, ServerEventKind, ServerLife};
use super::server_life::LifeBuilder;
use crate::parse::log_line::LogLine;
use crate::parse::server_log::line::{ServerLine, line as server_line};
use crate::parse::server_log::stack::{self, Crash};
use crate::source::Source;
use crate::span::{LogRef, Place, Reject};

/// What text sources hold.
#[derive(Clone, Debug, Default)]
pub struct LogResult {
    /// Server processes.
    pub servers: Vec<ServerLife>,
    /// Clients.
    pub clients: Vec<ClientStory>,
    /// Host events that belong to no server life.
    pub host_events: Vec<ServerEvent>,
    /// Counters of the source.
    pub facts: SourceFacts,
    /// What could not be read.
    pub rejects: Vec<Reject>,
}

/// Reads one text source. `advance` is told of bytes read.
pub fn read(source: &Source, reader: Box<dyn Read + Send>, advance: &dyn Fn(u64)) -> LogResult {
    let mut log = LogReader::new(source);
    let (records, failure) = each_line(reader, advance, |item| match item {
        Item::Line(number, raw) => log.raw(number, raw),
        Item::TooLong(number, bytes) => log.reject(
            number,
            format!("reading a line: {bytes} bytes are more than a log line has"),
        ),
    });
    if let Some(error) = failure {
        log.reject(records + 1, format!("reading the source: {error}"));
    }
    log.finish(records)
}

/// All sources of a bundle as one.
pub fn merge(parts: Vec<LogResult>) -> LogResult {
    let mut all = LogResult::default();
    for part in parts {
        let base = all.servers.len();
        all.servers.extend(part.servers.into_iter().map(|mut life| {
            life.end.next = life.end.next.map(|next| next + base);
            life
        }));
        all.clients.extend(part.clients);
        all.host_events.extend(part.host_events);
        all.rejects.extend(part.rejects);
    }
    all
}

/// The state of one source.
struct LogReader<'s> {
    source: &'s Source,
    lives: Vec<LifeBuilder>,
    /// The life that took the last line.
    current: Option<usize>,
    stories: StoryBuilder,
    host_events: Vec<ServerEvent>,
    crash: Option<CrashBlock>,
    foreign: Shapes,
    unknown: Shapes,
    rejects: Vec<Reject>,
}

/// Lines of a crash until it is clear whose it is.
struct CrashBlock {
    lines: Vec<(LogRef, Vec<u8>)>,
    kind: ServerEventKind,
    server: bool,
    application: bool,
}

/// How many lines of a crash are kept while nobody knows whose it is.
const CRASH_LINES: usize = 200;

impl<'s> LogReader<'s> {
    fn new(source: &'s Source) -> Self {
        Self {
            source,
            lives: Vec::new(),
            current: None,
            stories: StoryBuilder::new(source),
            host_events: Vec::new(),
            crash: None,
            foreign: Shapes::default(),
            unknown: Shapes::default(),
            rejects: Vec::new(),
        }
    }

    fn reject(&mut self, number: u64, why: String) {
        self.rejects.push(Reject {
            source: self.source.id,
            place: Some(Place::Line(number)),
            why,
            count: 1,
        });
    }

    fn raw(&mut self, number: u64, raw: &[u8]) {
        let body = raw.strip_suffix(b"\r").unwrap_or(raw);
        self.line(&LogLine {
            source: self.source.id,
            number,
            outer: None,
            stream: None,
            body,
        });
    }

    fn line(&mut self, line: &LogLine<'_>) {
        if let Some(head) = server_line(line.body) {
            self.end_crash();
            self.server(line, &head);
            return;
        }
        let text = String::from_utf8_lossy(line.body);
        if self.crash_line(line, &text) {
            return;
        }
        if line.body.is_empty() {
            return;
        }
        if !self.stories.line(line) {
            self.foreign.count(line.body, line.number);
        }
    }

    fn server(&mut self, line: &LogLine<'_>, head: &ServerLine<'_>) {
        let text = String::from_utf8_lossy(head.text);
        let starts = text.starts_with("Starting nats-server")
            || text.starts_with("Starting gnatsd")
            || text.starts_with("STREAM: Starting nats-streaming-server");
        let index = self.life_of(line, head.pid, starts);
        if !self.lives[index].line(line, head, &text) {
            self.unknown.count(head.text, line.number);
        }
    }

    /// The life that a line of this stream and process belongs to; a banner begins a new one.
    fn life_of(&mut self, line: &LogLine<'_>, pid: Option<u32>, starts: bool) -> usize {
        let belongs =
            |life: &LifeBuilder| life.pid() == pid && life.stream.as_deref() == line.stream;
        let found = self
            .current
            .filter(|index| belongs(&self.lives[*index]))
            .or_else(|| self.lives.iter().rposition(belongs));
        let index = match found {
            Some(index) if !starts || self.lives[index].takes_banner() => index,
            _ => {
                self.lives.push(LifeBuilder::new(line, pid));
                self.lives.len() - 1
            }
        };
        self.current = Some(index);
        index
    }

    /// Takes a line of a Go crash. False: it is none.
    fn crash_line(&mut self, line: &LogLine<'_>, text: &str) -> bool {
        let Some(block) = &mut self.crash else {
            let Some(first) = stack::crash(text) else {
                return false;
            };
            self.crash = Some(CrashBlock {
                lines: vec![(line.log_ref(None), line.body.to_vec())],
                kind: crash_kind(first, text),
                server: false,
                application: false,
            });
            return true;
        };
        if !stack::continues(text) {
            self.end_crash();
            return self.crash.is_none()
                && stack::crash(text).is_some()
                && self.crash_line(line, text);
        }
        if let Some(Crash::OutOfMemory(_)) = stack::crash(text) {
            block.kind = ServerEventKind::OutOfMemory(text.into());
        }
        block.server |= stack::is_server_frame(text);
        block.application |= text.starts_with("main.");
        if block.lines.len() < CRASH_LINES {
            block.lines.push((line.log_ref(None), line.body.to_vec()));
        }
        true
    }

    /// Gives a crash to the server, or its lines to the client grammars.
    fn end_crash(&mut self) {
        let Some(block) = self.crash.take() else {
            return;
        };
        let Some((at, _)) = block.lines.first().cloned() else {
            return;
        };
        if block.server || (!self.lives.is_empty() && !block.application) {
            let index = self.current.unwrap_or_else(|| {
                let line = LogLine {
                    source: self.source.id,
                    number: 0,
                    outer: None,
                    stream: None,
                    body: b"",
                };
                self.lives.push(LifeBuilder::new(&line, None));
                self.lives.len() - 1
            });
            self.current = Some(index);
            self.lives[index].crashed(at, block.kind);
            return;
        }
        for (at, body) in block.lines {
            let Place::Line(number) = at.cite.place else {
                continue;
            };
            let line = LogLine {
                source: self.source.id,
                number,
                outer: at.outer,
                stream: None,
                body: &body,
            };
            if !self.stories.line(&line) {
                self.foreign.count(&body, number);
            }
        }
    }

    fn finish(mut self, records: u64) -> LogResult {
        self.end_crash();
        let servers = super::server_succession::finish(self.lives);
        let rejected = self.rejects.iter().map(|reject| reject.count).sum();
        LogResult {
            servers,
            clients: self.stories.finish(),
            host_events: self.host_events,
            facts: SourceFacts {
                source: self.source.id,
                records,
                rejected,
                foreign: self.foreign.finish(),
                unknown: self.unknown.finish(),
            },
            rejects: self.rejects,
        }
    }
}

fn crash_kind(first: Crash<'_>, text: &str) -> ServerEventKind {
    match first {
        Crash::OutOfMemory(_) => ServerEventKind::OutOfMemory(text.into()),
        _ => ServerEventKind::Crash(text.into()),
    }
}

/// Reads JSON saved from a monitoring endpoint.
pub fn read_monitoring(source: &Source, _reader: Box<dyn Read + Send>) -> LogResult {
    LogReader::new(source).finish(0)
}

/// Reads a nats-server configuration file.
pub fn read_config(source: &Source, _reader: Box<dyn Read + Send>) -> LogResult {
    LogReader::new(source).finish(0)
}
