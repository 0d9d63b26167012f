//! Text sources: each line goes to the grammar that knows it. One file may hold several servers, streams, host lines
//! and client lines.

use std::io::Read;

pub use super::bundle::merge;
use super::crash_trace;
use super::client::ClientStory;
use super::client_story::StoryBuilder;
use super::config_file::{self, ConfigFile};
use super::digest::{Digest, Spot, digest};
use super::facts::Shapes;
pub use super::facts::SourceFacts;
use super::lines::{Batch, Batches, MAX_LINE, pieces};
use super::monitored::MonitoredLives;
use super::server::{ServerEvent, ServerEventKind, ServerLife};
use super::server_events;
use super::server_life::LifeBuilder;
use crate::parse::host_log;
use rayon::prelude::*;

use crate::parse::log_line::LogLine;
use crate::parse::server_log::line::{Level, ServerLine, line as server_line};
use crate::parse::server_log::stack::{self, Crash};
use crate::parse::server_log::startup_error::startup_error;
use crate::parse::wrapper::{self, Meta, Unwrapper};
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
    /// Configuration files.
    pub configs: Vec<ConfigFile>,
    /// Path of the source, empty for several.
    pub path: String,
    /// Stem of its name, as the source's hints have it.
    pub stem: String,
    /// Counters of the source.
    pub facts: SourceFacts,
    /// After [`merge`]: the counters of every source, in order.
    pub source_facts: Vec<SourceFacts>,
    /// What could not be read.
    pub rejects: Vec<Reject>,
}

/// Size of the pieces that are digested in parallel.
const PIECE: usize = 512 << 10;

/// Reads one text source. `advance` is told of bytes read.
pub fn read(source: &Source, reader: Box<dyn Read + Send>, advance: &dyn Fn(u64)) -> LogResult {
    let mut log = LogReader::new(source);
    let mut batches = Batches::new(reader);
    let (mut buffer, mut ahead) = (Vec::new(), Vec::new());
    let (mut batch, mut bytes) = batches.next(&mut buffer);
    loop {
        advance(bytes);
        match batch {
            Batch::Lines => {
                // The next batch is read while this one is digested.
                let (digests, next) =
                    rayon::join(|| digested(&buffer), || batches.next(&mut ahead));
                for (piece, digest) in digests {
                    log.fold(piece, digest);
                }
                (batch, bytes) = next;
                std::mem::swap(&mut buffer, &mut ahead);
                continue;
            }
            Batch::TooLong(length) => log.too_long(1, length),
            Batch::Nuls(length) => log.nuls(length),
            Batch::End => break,
            Batch::Failed(error) => {
                log.reject(log.lines + 1, format!("reading the source: {error}"));
                break;
            }
        }
        (batch, bytes) = batches.next(&mut buffer);
    }
    let records = log.lines;
    log.finish(records)
}

/// The pieces of a batch with what a first look at each gives.
fn digested(batch: &[u8]) -> Vec<(&[u8], Digest)> {
    pieces(batch, PIECE)
        .into_par_iter()
        .map(|piece| (piece, digest(piece)))
        .collect()
}

/// The state of one source.
struct LogReader<'s> {
    source: &'s Source,
    lives: Vec<LifeBuilder>,
    /// The life that took the last line.
    current: Option<usize>,
    unwrapper: Unwrapper,
    monitored: MonitoredLives,
    stories: StoryBuilder,
    host_events: Vec<ServerEvent>,
    crash: Option<CrashBlock>,
    foreign: Shapes,
    unknown: Shapes,
    rejects: Vec<Reject>,
    /// Lines so far.
    lines: u64,
}

/// Lines of a crash until it is clear whose it is.
struct CrashBlock {
    lines: Vec<(LogRef, Vec<u8>)>,
    kind: ServerEventKind,
    server: bool,
    application: bool,
}

/// Host events kept of one kind, and what counts as one burst.
const HOST_EVENTS_OF_A_KIND: usize = 128;
const HOST_BURST_NS: i64 = 1_000_000_000;

/// Configuration and monitoring files larger than this are not read.
const WHOLE: u64 = 256 << 20;

/// How many lines of a crash are kept while nobody knows whose it is.
const CRASH_LINES: usize = 200;

impl<'s> LogReader<'s> {
    fn new(source: &'s Source) -> Self {
        Self {
            source,
            lives: Vec::new(),
            current: None,
            unwrapper: Unwrapper::new(source.id),
            monitored: MonitoredLives::default(),
            stories: StoryBuilder::new(source),
            host_events: Vec::new(),
            crash: None,
            foreign: Shapes::default(),
            unknown: Shapes::default(),
            rejects: Vec::new(),
            lines: 0,
        }
    }

    /// Takes a digested piece.
    fn fold(&mut self, piece: &[u8], digest: Digest) {
        let base = self.lines;
        self.lines += digest.lines;
        for spot in &digest.too_long {
            self.lines = base + spot.number - 1;
            self.too_long(1, (spot.end - spot.start) as u64);
        }
        self.lines = base + digest.lines;
        if self.unwrapper.is_stateful() {
            self.line_by_line(piece, base, 0);
            return;
        }
        for era in digest.eras {
            for spot in &era.look {
                self.raw(base + spot.number, &piece[spot.start..spot.end]);
                if self.unwrapper.is_stateful() {
                    self.line_by_line(piece, base, spot.number);
                    return;
                }
            }
            let line = |spot: &Spot| LogLine {
                source: self.source.id,
                number: base + spot.number,
                outer: None,
                stream: None,
                body: &piece[spot.start..spot.end],
            };
            for (pid, first, last) in &era.idle {
                let index = life_of(
                    &mut self.lives,
                    &mut self.current,
                    &line(first),
                    Some(*pid),
                    false,
                );
                self.lives[index].idle(&line(first), &line(last));
            }
            for count in &era.counts {
                let (first, last) = (line(&count.first), line(&count.last));
                let index = life_of(
                    &mut self.lives,
                    &mut self.current,
                    &first,
                    Some(count.pid),
                    false,
                );
                self.lives[index].counted(count, &first, &last);
            }
        }
    }

    /// Every line after line `done` of a piece, where lines depend on those before them.
    fn line_by_line(&mut self, piece: &[u8], base: u64, done: u64) {
        let lines = piece.strip_suffix(b"\n").unwrap_or(piece);
        for (number, raw) in (1..).zip(lines.split(|b| *b == b'\n')) {
            if number > done && raw.len() <= MAX_LINE {
                self.raw(base + number, raw);
            }
        }
    }

    /// A line that no log has was passed over.
    fn too_long(&mut self, lines: u64, bytes: u64) {
        self.lines += lines;
        self.reject(
            self.lines,
            format!("reading a line: {bytes} bytes are more than a log line has"),
        );
    }

    /// NUL bytes stand in front of the next line.
    fn nuls(&mut self, bytes: u64) {
        self.reject(
            self.lines + 1,
            format!("reading a line: {bytes} NUL bytes in front of it"),
        );
    }

    fn reject(&mut self, number: u64, why: String) {
        self.rejects.push(Reject {
            source: self.source.id,
            place: Some(Place::Line(number)),
            why,
            count: 1,
        });
    }

    /// All bytes of a source that is no log: such files are small.
    fn whole(&mut self, reader: Box<dyn Read + Send>) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        if let Err(error) = reader.take(WHOLE + 1).read_to_end(&mut bytes) {
            self.reject(1, format!("reading the source: {error}"));
        }
        if bytes.len() as u64 > WHOLE {
            self.reject(
                1,
                format!("reading the source: more than {WHOLE} bytes, which no such file has"),
            );
            return None;
        }
        Some(bytes)
    }

    /// A JSON document: monitoring data, or lines that a log store exported.
    fn document(&mut self, line: u64, text: &[u8], value: &serde_json::Value) {
        let rows: Vec<u64> = memchr::memmem::find_iter(text, b"\"cid\"")
            .scan((0, line), |(from, line), at| {
                *line += memchr::memchr_iter(b'\n', &text[*from..at]).count() as u64;
                *from = at;
                Some(*line)
            })
            .collect();
        if self.monitored.take(self.source.id, line, &rows, value) {
            return;
        }
        let Some(lines) = wrapper::document(value) else {
            self.foreign.count(text, line);
            return;
        };
        let mut unwrapper = std::mem::replace(&mut self.unwrapper, Unwrapper::new(self.source.id));
        for exported in lines {
            unwrapper.unwrapped(line, exported, |line, meta| self.line(line, meta));
        }
        self.unwrapper = unwrapper;
    }

    /// A JSON object on a line of its own: a saved answer or a $SYS advisory.
    fn json_line(&mut self, line: &LogLine<'_>) -> bool {
        let advisory = line.body.first() == Some(&b'{')
            && line.body.last() == Some(&b'}')
            && (memchr::memmem::find(line.body, b"\"server_id\"").is_some()
                || memchr::memmem::find(line.body, b"\"server\"").is_some());
        if !advisory {
            return false;
        }
        let Ok(value) = serde_json::from_slice(line.body) else {
            return false;
        };
        self.monitored
            .take(self.source.id, line.number, &[line.number], &value)
    }

    /// A raw line: what is in it goes to the grammars.
    fn raw(&mut self, number: u64, raw: &[u8]) {
        let nuls = raw.iter().take_while(|b| **b == 0).count();
        if nuls > 0 {
            self.reject(
                number,
                format!("reading a line: {nuls} NUL bytes in front of it"),
            );
        }
        let raw = &raw[nuls..];
        let mut unwrapper = std::mem::replace(&mut self.unwrapper, Unwrapper::new(self.source.id));
        unwrapper.line(number, raw, |line, meta| self.line(line, meta));
        self.unwrapper = unwrapper;
    }

    fn line(&mut self, line: &LogLine<'_>, meta: Meta<'_>) {
        if let Some(head) = server_line(line.body) {
            self.end_crash();
            self.server(line, &head);
            return;
        }
        let text = String::from_utf8_lossy(line.body);
        if self.crash_line(line, &text) || line.body.is_empty() {
            return;
        }
        if let Some(host) = host_log::line(&text, meta.program) {
            server_events::fold(
                &mut self.host_events,
                ServerEvent::once(line.log_ref(host.stamp), host.kind),
                HOST_EVENTS_OF_A_KIND,
                HOST_BURST_NS,
            );
            return;
        }
        if self.syslog_server(line, meta, &text) {
            return;
        }
        if self.json_line(line) {
            return;
        }
        if let Some(error) = startup_error(&text) {
            let index = life_of(&mut self.lives, &mut self.current, line, meta.pid, false);
            let at = line.log_ref(None);
            self.lives[index].failed_to_start(at, error);
            return;
        }
        if !self.stories.line(line) {
            self.foreign.count(line.body, line.number);
        }
    }

    /// nats-server's own syslog sink: no label in the text, the level is the severity.
    fn syslog_server(&mut self, line: &LogLine<'_>, meta: Meta<'_>, text: &str) -> bool {
        let ours = meta
            .program
            .is_some_and(|name| name.contains("nats-server") || name.contains("gnatsd"));
        if !ours || startup_error(text).is_some() {
            return false;
        }
        let head = ServerLine {
            pid: meta.pid,
            stamp: None,
            level: syslog_level(meta.severity, text),
            text: line.body,
        };
        self.server(line, &head);
        true
    }

    fn server(&mut self, line: &LogLine<'_>, head: &ServerLine<'_>) {
        let text = String::from_utf8_lossy(head.text);
        let starts = text.starts_with("Starting nats-server")
            || text.starts_with("Starting gnatsd")
            || text.starts_with("STREAM: Starting nats-streaming-server");
        let index = life_of(&mut self.lives, &mut self.current, line, head.pid, starts);
        if !self.lives[index].line(line, head, &text) {
            self.unknown.count(head.text, line.number);
        }
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
                self.lives
                    .push(LifeBuilder::empty(self.source.id, None, None));
                self.lives.len() - 1
            });
            self.current = Some(index);
            let trace = crash_trace::crashed_goroutine(block.lines.into_iter().map(|(at, _)| at));
            self.lives[index].crashed(at, block.kind, trace);
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
        let mut unwrapper = std::mem::replace(&mut self.unwrapper, Unwrapper::new(self.source.id));
        unwrapper.finish(|line, meta| self.line(line, meta));
        self.end_crash();
        let mut servers = super::server_succession::finish(self.lives);
        self.host_events.append(&mut self.monitored.host_events);
        servers.extend(self.monitored.finish());
        let rejected = self.rejects.iter().map(|reject| reject.count).sum();
        LogResult {
            servers,
            clients: self.stories.finish(),
            host_events: self.host_events,
            configs: Vec::new(),
            path: self.source.path.clone(),
            stem: self.source.hints.stem.clone(),
            source_facts: Vec::new(),
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

/// The life that a line of this stream and process belongs to; a banner begins a new one.
fn life_of(
    lives: &mut Vec<LifeBuilder>,
    current: &mut Option<usize>,
    line: &LogLine<'_>,
    pid: Option<u32>,
    starts: bool,
) -> usize {
    let belongs = |life: &LifeBuilder| life.pid() == pid && life.stream.as_deref() == line.stream;
    let found = current
        .filter(|index| belongs(&lives[*index]))
        .or_else(|| lives.iter().rposition(belongs));
    let index = match found {
        Some(index) if !starts || lives[index].takes_banner() => index,
        _ => {
            lives.push(LifeBuilder::new(line, pid));
            lives.len() - 1
        }
    };
    *current = Some(index);
    index
}

/// The level of a line in syslog: by its severity, or by its text where a trace shares the severity of information.
fn syslog_level(severity: Option<u8>, text: &str) -> Level {
    let traced =
        text.contains(" - <<- [") || text.contains(" - ->> [") || text.contains("MSG_PAYLOAD: [");
    if traced {
        return Level::Trace;
    }
    severity.map_or(Level::Info, Level::from_severity)
}

fn crash_kind(first: Crash<'_>, text: &str) -> ServerEventKind {
    match first {
        Crash::OutOfMemory(_) => ServerEventKind::OutOfMemory(text.into()),
        _ => ServerEventKind::Crash(text.into()),
    }
}

/// Reads JSON saved from a monitoring endpoint, or exported by a log store. One document or many.
pub fn read_monitoring(source: &Source, reader: Box<dyn Read + Send>) -> LogResult {
    let mut log = LogReader::new(source);
    let Some(bytes) = log.whole(reader) else {
        return log.finish(0);
    };
    let mut documents =
        serde_json::Deserializer::from_slice(&bytes).into_iter::<serde_json::Value>();
    let mut records = 0;
    let (mut counted, mut line) = (0, 1);
    loop {
        let from = documents.byte_offset();
        let Some(value) = documents.next() else {
            break;
        };
        let blanks = bytes[from..]
            .iter()
            .take_while(|b| b.is_ascii_whitespace())
            .count();
        line += memchr::memchr_iter(b'\n', &bytes[counted..from + blanks]).count() as u64;
        counted = from + blanks;
        records += 1;
        match value {
            Ok(value) => log.document(line, &bytes[counted..documents.byte_offset()], &value),
            Err(error) => {
                let line = line + error.line().saturating_sub(1) as u64;
                log.reject(line, format!("reading JSON: {error}"));
                break;
            }
        }
    }
    log.finish(records)
}

/// Reads a nats-server configuration file.
pub fn read_config(source: &Source, reader: Box<dyn Read + Send>) -> LogResult {
    let mut log = LogReader::new(source);
    let Some(bytes) = log.whole(reader) else {
        return log.finish(0);
    };
    let text = String::from_utf8_lossy(&bytes);
    let (config, stopped) = config_file::read(source.id, &source.path, &text);
    if let Some(line) = stopped {
        log.reject(
            line,
            "reading a configuration: expected an option".to_owned(),
        );
    }
    let mut result = log.finish(memchr::memchr_iter(b'\n', &bytes).count() as u64);
    result.configs.push(config);
    result
}
