//! The state of one text source while it is read: lines come in, and go to the grammar that knows them.

use std::io::Read;

use super::client_story::StoryBuilder;
use super::crash_block::CrashBlock;
use super::digest::{Digest, Spot, not_utf8};
use super::direction;
use super::facts::{Shapes, SourceFacts, file_line};
use super::lines::{MAX_LINE, lines};
use super::log::LogResult;
use super::monitored::MonitoredLives;
use super::server::ServerEvent;
use super::server_events;
use super::server_life::LifeBuilder;
use crate::parse::host_log;
use crate::parse::log_line::LogLine;
use crate::parse::server_log::line::{Level, ServerLine, line as server_line};
use crate::parse::server_log::startup_error::startup_error;
use crate::parse::wrapper::{self, Meta, Unwrapper};
use crate::source::Source;
use crate::span::{Place, Reject};

/// The state of one source.
pub struct LogReader<'s> {
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
    /// The first line that is not UTF-8, and how many there are.
    not_utf8: Option<(u64, u64)>,
    /// Lines so far.
    lines: u64,
    /// See [`SourceFacts::file_lines`].
    file_lines: Vec<u64>,
}

/// Host events kept of one kind, and what counts as one burst.
const HOST_EVENTS_OF_A_KIND: usize = 128;
const HOST_BURST_NS: i64 = 1_000_000_000;

/// Files that are read whole (configuration, monitoring data, logs newest first) are not larger than this.
pub const WHOLE: u64 = 256 << 20;

impl<'s> LogReader<'s> {
    /// Nothing read yet.
    pub fn new(source: &'s Source) -> Self {
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
            not_utf8: None,
            lines: 0,
            file_lines: Vec::new(),
        }
    }

    /// Looks at lines from the beginning before any is read. True: they stand newest first.
    pub fn look_ahead(&mut self, text: &[u8]) -> bool {
        let head = || lines(text).take(direction::LOOK);
        self.unwrapper.look_ahead(head());
        direction::newest_first(head(), &mut self.unwrapper.clone())
    }

    /// Takes all lines of a log that stands newest first.
    pub fn newest_first(&mut self, text: &[u8]) {
        for (number, raw) in direction::oldest_first(text, &mut self.unwrapper.clone()) {
            self.file_lines.push(number);
            self.lines += 1;
            if raw.len() > MAX_LINE {
                self.reject(self.lines, too_long(raw.len() as u64));
            } else {
                self.raw(self.lines, raw);
            }
        }
        self.not_utf8 = not_utf8(text);
    }

    /// Takes a digested piece.
    pub fn fold(&mut self, piece: &[u8], digest: Digest) {
        let base = self.lines;
        self.lines += digest.lines;
        if let Some((first, count)) = digest.not_utf8 {
            let row = self.not_utf8.get_or_insert((base + first, 0));
            row.1 += count;
        }
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
        for (number, raw) in (1..).zip(lines(piece)) {
            if number > done && raw.len() <= MAX_LINE {
                self.raw(base + number, raw);
            }
        }
    }

    /// A line that no log has was passed over.
    pub fn too_long(&mut self, lines: u64, bytes: u64) {
        self.lines += lines;
        self.reject(self.lines, too_long(bytes));
    }

    /// NUL bytes stand in front of the next line.
    pub fn nuls(&mut self, bytes: u64) {
        self.reject(
            self.lines + 1,
            format!("reading a line: {bytes} NUL bytes in front of it"),
        );
    }

    /// Something could not be read.
    pub fn reject(&mut self, number: u64, why: String) {
        self.rejects.push(Reject {
            source: self.source.id,
            place: Some(Place::Line(number)),
            why,
            count: 1,
        });
    }

    /// All bytes of a source that is no log: such files are small.
    pub fn whole(&mut self, reader: Box<dyn Read + Send>) -> Option<Vec<u8>> {
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
    pub fn document(&mut self, line: u64, text: &[u8], value: &serde_json::Value) {
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
            let mut life = LifeBuilder::new(line, meta.pid);
            life.failed_to_start(line, error);
            self.lives.push(life);
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
        if let Some(block) = &mut self.crash {
            if block.line(line, text) {
                return true;
            }
            self.end_crash();
        }
        self.crash = CrashBlock::begin(line, text);
        self.crash.is_some()
    }

    /// Gives a crash to the server of its stream, or its lines to the client grammars.
    fn end_crash(&mut self) {
        let Some(block) = self.crash.take() else {
            return;
        };
        let here = self
            .lives
            .iter()
            .rposition(|life| life.stream == block.stream);
        if block.is_server(here.is_some()) {
            let index = here.unwrap_or_else(|| {
                let stream = block.stream.as_deref();
                self.lives
                    .push(LifeBuilder::empty(self.source.id, stream, None));
                self.lives.len() - 1
            });
            let trace = block.trace();
            self.lives[index].crashed(block.at, block.kind, trace);
            return;
        }
        block.each_line(|line| {
            if !self.stories.line(line) {
                self.foreign.count(line.body, line.number);
            }
        });
    }

    /// Lines so far.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// What the source held.
    pub fn finish(mut self, records: u64) -> LogResult {
        let mut unwrapper = std::mem::replace(&mut self.unwrapper, Unwrapper::new(self.source.id));
        unwrapper.finish(|line, meta| self.line(line, meta));
        self.end_crash();
        let mut servers = super::server_succession::finish(self.lives);
        self.host_events.append(&mut self.monitored.host_events);
        servers.extend(self.monitored.finish());
        let mut facts = SourceFacts {
            source: self.source.id,
            records,
            rejected: 0,
            sha256: None,
            foreign: self.foreign.finish(),
            unknown: self.unknown.finish(),
            file_lines: self.file_lines,
        };
        for shapes in [&mut facts.foreign, &mut facts.unknown] {
            let located =
                |(shape, count, first)| (shape, count, file_line(&facts.file_lines, first));
            *shapes = std::mem::take(shapes).into_iter().map(located).collect();
        }
        for reject in &mut self.rejects {
            if let Some(Place::Line(line)) = &mut reject.place {
                *line = file_line(&facts.file_lines, *line);
            }
        }
        if let Some((first, count)) = self.not_utf8 {
            self.rejects.push(Reject {
                source: self.source.id,
                place: Some(Place::Line(first)),
                why:
                    "reading a line: bytes that are not UTF-8 are replaced, the rest of it is read"
                        .to_owned(),
                count,
            });
        }
        facts.rejected = self.rejects.iter().map(|reject| reject.count).sum();
        LogResult {
            servers,
            clients: self.stories.finish(),
            host_events: self.host_events,
            configs: Vec::new(),
            path: self.source.path.clone(),
            stem: self.source.hints.stem.clone(),
            source_facts: Vec::new(),
            facts,
            rejects: self.rejects,
        }
    }
}

fn too_long(bytes: u64) -> String {
    format!("reading a line: {bytes} bytes are more than a log line has")
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
