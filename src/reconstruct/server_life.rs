//! One server process from its log lines: identity, events, connections, and how it ended.

use super::digest::Count;
use super::server::{Identity, NoteKind, ServerEvent, ServerEventKind, ServerLife};
use super::server_conns::ServerConns;
use super::server_end::{Signs, speaks_on_sigterm};
use crate::parse::log_line::LogLine;
use crate::parse::server_log::client_prefix::{ConnTag, client_prefix, socket_address};
use crate::parse::server_log::line::{Level, ServerLine, line as server_line};
use crate::parse::server_log::message::trace::{Arrow, Trace, trace};
use crate::parse::server_log::message::{self, ConnMessage, IdentityItem, ServerSaid};
use crate::parse::server_log::record::ConnKind;
use crate::source::SourceId;
use crate::span::{Cite, LogRef};
use crate::time::Stamp;

/// Events kept of one kind; the last one takes in what follows.
const EVENTS_OF_A_KIND: usize = 32;
/// Equal events closer than this are one burst.
const BURST_NS: i64 = 10_000_000_000;

/// Since 2.12.0 several lines are printed about once a second at most.
const LIMITS_RATES: (u32, u32) = (2, 12);
/// Since 2.11.0 a route, gateway or leafnode may outlive its write deadline.
const RETRIES_DEADLINE: (u32, u32) = (2, 11);
/// Up to 1.4.1 the arrows of trace lines point the other way.
const ARROWS_TURNED: (u32, u32) = (2, 0);

/// Collects one life.
#[derive(Debug)]
pub struct LifeBuilder {
    /// Stream of a mixed source.
    pub stream: Option<Box<str>>,
    /// Number of the first line.
    pub first_line: u64,
    /// Number of the last line.
    pub last_line: u64,
    life: ServerLife,
    conns: ServerConns,
    last_stamp: Option<Stamp>,
    last_outer: Option<Stamp>,
    last_text: Vec<u8>,
    version: Option<(u32, u32)>,
    arrows_turned: Option<bool>,
    started_by_streaming: bool,
    end: Signs,
}

impl LifeBuilder {
    /// A life whose first line is `line`.
    pub fn new(line: &LogLine<'_>, pid: Option<u32>) -> Self {
        Self {
            first_line: line.number,
            last_line: line.number,
            ..Self::empty(line.source, line.stream, pid)
        }
    }

    /// A life of which no line was read.
    pub fn empty(source: SourceId, stream: Option<&str>, pid: Option<u32>) -> Self {
        Self {
            stream: stream.map(Into::into),
            first_line: 0,
            last_line: 0,
            life: ServerLife {
                sources: vec![source],
                identity: Identity {
                    pid,
                    host: stream.map(Into::into),
                    ..Identity::default()
                },
                ..ServerLife::default()
            },
            conns: ServerConns::default(),
            last_stamp: None,
            last_outer: None,
            last_text: Vec::new(),
            version: None,
            arrows_turned: None,
            started_by_streaming: false,
            end: Signs::default(),
        }
    }

    /// Whether a banner that comes now starts another process: not right after nats-streaming's own first line.
    pub fn takes_banner(&self) -> bool {
        self.started_by_streaming && self.life.identity.version.is_none()
    }

    /// The process id, where lines have one.
    pub fn pid(&self) -> Option<u32> {
        self.life.identity.pid
    }

    /// Takes a line of this process. False: its message is not known.
    pub fn line(&mut self, line: &LogLine<'_>, head: &ServerLine<'_>, text: &str) -> bool {
        self.seen(line, head.stamp);
        match head.level {
            Level::Trace => self.life.trace = true,
            Level::Debug => self.life.debug = true,
            _ => {}
        }
        if let Some((tag, rest)) = client_prefix(text) {
            return self.conn_line(line, head, &tag, rest, text);
        }
        self.server_line(line, head, text)
    }

    /// Remembers the line as the first or last one, cheaply.
    fn seen(&mut self, line: &LogLine<'_>, stamp: Option<Stamp>) {
        if self.life.first.is_none() || line.number < self.first_line {
            self.first_line = line.number;
            self.life.first = Some(line.log_ref(stamp));
        }
        if line.number < self.last_line {
            return;
        }
        self.last_line = line.number;
        self.last_stamp = stamp;
        self.last_outer = line.outer;
        self.last_text.clear();
        self.last_text
            .extend_from_slice(&line.body[..line.body.len().min(LogRef::QUOTE)]);
    }

    /// First and last of a run of traced lines that say nothing.
    pub fn idle(&mut self, first: &LogLine<'_>, last: &LogLine<'_>) {
        for line in [first, last] {
            self.seen(line, stamp_of(line));
        }
        self.life.trace = true;
    }

    /// Routine lines of a connection, counted.
    pub fn counted(&mut self, count: &Count, first: &LogLine<'_>, last: &LogLine<'_>) {
        for line in [first, last] {
            self.seen(line, stamp_of(line));
        }
        let messages = count.published + count.left + count.right;
        self.life.trace |= messages > 0;
        let (received, sent) = if self.arrows_turned() {
            (count.right, count.left)
        } else {
            (count.left, count.right)
        };
        let stamp = stamp_of(last);
        let conn = self.conns.of(count.kind, count.id);
        conn.in_msgs += count.published + received;
        conn.out_msgs += sent;
        if conn
            .last
            .as_ref()
            .is_none_or(|known| known.cite < Cite::line(last.source, last.number))
        {
            conn.last = Some(last.log_ref(stamp));
        }
        if conn.peer.is_none() {
            let text = String::from_utf8_lossy(last.body);
            if let Some(head) = server_line(text.as_bytes())
                && let Some((tag, _)) = client_prefix(&String::from_utf8_lossy(head.text))
            {
                self.conns.identify(&tag);
            }
        }
    }

    /// Trace arrows point the old way.
    fn arrows_turned(&self) -> bool {
        self.arrows_turned
            .or_else(|| self.version.map(|version| version < ARROWS_TURNED))
            .unwrap_or(false)
    }

    fn conn_line(
        &mut self,
        line: &LogLine<'_>,
        head: &ServerLine<'_>,
        tag: &ConnTag<'_>,
        rest: &str,
        whole: &str,
    ) -> bool {
        if tag.kind == ConnKind::Internal {
            return true;
        }
        if let Some(trace) = trace(rest) {
            self.trace_line(line, head, tag, trace);
            return true;
        }
        let mut message = message::conn(rest);
        if message.topic.is_none()
            && let Some(recovered) = message::corrupted(whole)
        {
            message = recovered;
        }
        // Traces of a mangled tag lose their words; nothing can be read from them.
        let known = message.topic.is_some() || (head.level == Level::Trace && whole.contains("%!"));
        if !known && head.level >= Level::Warning {
            message.note = Some(NoteKind::Other(rest.into()));
        }
        if matches!(message.note, Some(NoteKind::SlowConsumerDeadline { .. }))
            && matches!(
                tag.kind,
                ConnKind::Route | ConnKind::Gateway | ConnKind::Leafnode
            )
            && self
                .version
                .is_none_or(|version| version >= RETRIES_DEADLINE)
        {
            message.implies = None;
        }
        if message.topic.is_none() && message.note.is_none() {
            return known;
        }
        let refused = match &message.note {
            Some(NoteKind::MaxConnections) => Some("maximum connections exceeded"),
            Some(NoteKind::MaxAccountConnections) => {
                Some("maximum account active connections exceeded")
            }
            _ => None,
        };
        let at = line.log_ref(head.stamp);
        if let Some(refused) = refused {
            self.event(at.clone(), ServerEventKind::Refused(refused.into()));
        }
        self.conns.note(tag, message, at);
        known
    }

    fn trace_line(
        &mut self,
        line: &LogLine<'_>,
        head: &ServerLine<'_>,
        tag: &ConnTag<'_>,
        trace: Trace<'_>,
    ) {
        // A CONNECT is always received (clients), whatever the version.
        if trace.verb == "CONNECT" && tag.kind == ConnKind::Client {
            self.arrows_turned = Some(trace.arrow == Arrow::Right);
        }
        let received = (trace.arrow == Arrow::Left) != self.arrows_turned();
        let note = match (trace.verb, received) {
            ("PUB" | "HPUB", _) | ("RMSG" | "LMSG" | "MSG" | "HMSG", true) => {
                self.conns.of(tag.kind, tag.id).in_msgs += 1;
                return;
            }
            ("MSG" | "HMSG" | "RMSG" | "LMSG", false) => {
                self.conns.of(tag.kind, tag.id).out_msgs += 1;
                return;
            }
            ("CONNECT", _) => NoteKind::Connect(trace.args.into()),
            ("PING", true) => NoteKind::ReceivedPing,
            ("PONG", true) => NoteKind::ReceivedPong,
            ("PING", false) => NoteKind::SentPing,
            ("PONG", false) => NoteKind::SentPong,
            ("-ERR", false) => NoteKind::SentError(trace.args.trim_matches(['\'', '"']).into()),
            ("-ERR", true) => NoteKind::PeerError(trace.args.trim_matches(['\'', '"']).into()),
            _ => return,
        };
        if let NoteKind::Connect(options) = &note {
            self.conns.connected(tag, options);
        }
        let message = ConnMessage {
            note: Some(note),
            ..ConnMessage::default()
        };
        self.conns.note(tag, message, line.log_ref(head.stamp));
    }

    fn server_line(&mut self, line: &LogLine<'_>, head: &ServerLine<'_>, text: &str) -> bool {
        let message = message::server(text);
        let known = message.topic.is_some();
        let at = line.log_ref(head.stamp);
        if head.level == Level::Fatal {
            self.end.fatal = Some(at.clone());
            self.event(at, ServerEventKind::Fatal(text.trim().into()));
            return true;
        }
        match message.said {
            Some(ServerSaid::Start(version)) => {
                self.started_by_streaming = text.starts_with("STREAM:");
                if let Some(version) = version {
                    self.set_version(&version);
                }
                if self.life.started.is_none() {
                    self.life.started = Some(at.clone());
                    self.event(at, ServerEventKind::Starting);
                }
            }
            Some(ServerSaid::Identity(item)) => self.identity(item, at),
            Some(ServerSaid::Setting(option, value)) => {
                super::limits::set(&mut self.life.limits, &option, &value, &at);
                self.event(
                    at,
                    ServerEventKind::Reloaded(format!("{option} = {value}").into()),
                );
            }
            Some(ServerSaid::Event(kind)) => {
                // RAFT and JetStream chatter at lower levels is no sign of load.
                if !(matches!(kind, ServerEventKind::Pressure(_)) && head.level < Level::Warning) {
                    self.server_event(kind, at);
                }
            }
            None => {
                if !known && head.level >= Level::Warning {
                    self.event(at, ServerEventKind::Other(text.trim().into()));
                }
            }
        }
        known
    }

    fn server_event(&mut self, kind: ServerEventKind, at: LogRef) {
        let sign = |slot: &mut Option<LogRef>| {
            if slot.is_none() {
                *slot = Some(at.clone());
            }
        };
        match &kind {
            ServerEventKind::Ready => self.life.ready = Some(at.clone()),
            ServerEventKind::SignalTrapped(signal)
                if matches!(
                    signal.as_ref(),
                    "terminated" | "interrupt" | "SIGTERM" | "SIGINT"
                ) =>
            {
                sign(&mut self.end.trapped_stop);
            }
            ServerEventKind::ShutdownInitiated => sign(&mut self.end.initiated),
            ServerEventKind::Exiting => sign(&mut self.end.exiting),
            ServerEventKind::LameDuckEntered => sign(&mut self.end.lame_duck),
            _ => {}
        }
        self.event(at, kind);
    }

    fn identity(&mut self, item: IdentityItem, at: LogRef) {
        let identity = &mut self.life.identity;
        match item {
            IdentityItem::Version(version) => self.set_version(&version),
            IdentityItem::GitCommit(commit) => identity.git_commit = Some(commit),
            IdentityItem::Name(name) => identity.name = Some(name),
            IdentityItem::Id(id) => {
                if identity.name.is_none() {
                    identity.name = Some(id.clone());
                }
                identity.id = Some(id);
            }
            IdentityItem::Cluster(cluster) => identity.cluster = Some(cluster),
            IdentityItem::ConfigFile(path) => identity.config = Some(path),
            IdentityItem::Listen(kind, address) => {
                let Some(address) = socket_address(&address) else {
                    return;
                };
                if kind == ConnKind::Client {
                    identity.listen = Some(address);
                } else {
                    identity.other_listeners.push((kind, address));
                }
            }
            IdentityItem::Tls(required) => {
                self.life.limits.tls = Some(required || self.life.limits.tls == Some(true));
                self.life.limits.from.push(at);
            }
        }
    }

    fn set_version(&mut self, version: &str) {
        self.version = short_version(version);
        self.life.identity.version = Some(version.into());
    }

    /// Adds an event, or folds it into the last one of its burst.
    pub fn event(&mut self, at: LogRef, kind: ServerEventKind) {
        let rate_limited = matches!(
            kind,
            ServerEventKind::Refused(_) | ServerEventKind::Pressure(_)
        ) && self.version.is_none_or(|version| version >= LIMITS_RATES);
        super::server_events::fold(
            &mut self.life.events,
            ServerEvent {
                rate_limited,
                ..ServerEvent::once(at, kind)
            },
            EVENTS_OF_A_KIND,
            BURST_NS,
        );
    }

    /// The process's last words: a crash, whether for want of memory, and the functions that led to it.
    pub fn crashed(&mut self, at: LogRef, kind: ServerEventKind, trace: Vec<LogRef>) {
        if self.end.crash.is_none() {
            self.end.trace = trace;
        }
        let memory = matches!(kind, ServerEventKind::OutOfMemory(_));
        match &mut self.end.crash {
            Some((_, known)) => *known |= memory,
            none => *none = Some((at.clone(), memory)),
        }
        self.last_line = match at.cite.place {
            crate::span::Place::Line(number) => number,
            _ => self.last_line,
        };
        self.event(at, kind);
    }

    /// The process ended before it had a logger.
    pub fn failed_to_start(&mut self, line: &LogLine<'_>, error: &str) {
        self.seen(line, None);
        let at = line.log_ref(None);
        self.life.started = Some(at.clone());
        self.end.fatal = Some(at.clone());
        self.event(at, ServerEventKind::Fatal(error.into()));
    }

    /// The life, ended or not. `followed`: another process's banner comes after its last line.
    pub fn finish(mut self, followed: bool) -> ServerLife {
        let last = self.life.first.as_ref().map(|first| LogRef {
            stamp: self.last_stamp,
            outer: self.last_outer,
            cite: Cite::line(first.cite.source, self.last_line),
            text: String::from_utf8_lossy(&self.last_text).into(),
        });
        let followed = followed && speaks_on_sigterm(&self.life.identity);
        self.life.end = self.end.classify(followed, last.as_ref());
        self.life.last = last;
        self.life.conns = self.conns.finish();
        self.life
    }

    /// Name and client listener: who it is across restarts.
    pub fn same_server(&self, other: &Self) -> bool {
        let (a, b) = (&self.life.identity, &other.life.identity);
        let named = a.name.is_some() && a.name != a.id && b.name.is_some() && b.name != b.id;
        (named && a.name == b.name) || (!named && a.listen.is_some() && a.listen == b.listen)
    }

    /// It has a banner.
    pub fn has_start(&self) -> bool {
        self.life.started.is_some()
    }
}

/// The server's own time of a whole line.
fn stamp_of(line: &LogLine<'_>) -> Option<Stamp> {
    server_line(line.body).and_then(|head| head.stamp)
}

/// Major and minor of a version text.
pub fn short_version(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.trim_start_matches('v').split(['.', '-']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}
