//! Lines of client and application logs to client stories.
//!
//! One log may hold many clients: they are told apart by the wrapper's stream, by a tag in front of the message
//! (`[orders-1]`) and by loggers that are names rather than code paths. Memory is bounded by closed connections:
//! repeated events are folded, and between two changes of a connection only the first and last events are kept.

mod conns;
mod events;
mod record;
mod settle;
mod stamps;

use std::collections::HashMap;

use crate::parse::client_log::envelope::{self, Envelope};
use crate::parse::client_log::said::{ClientEventKind, Library, Said, Weight};
use crate::parse::client_log::{
    is_servers, may_matter, of_trace, read, redact, routine, speaks_of_another,
};
use crate::parse::log_line::LogLine;
use crate::reconstruct::client::{ClientEvent, ClientStory};
use crate::source::{Source, SourceId};
use crate::span::LogRef;

use events::Entry;
use record::Record;
use settle::Client;

/// Clients that nothing has proven yet and clients in all, beyond which new names are one client: a log with more
/// tags than this tags something else.
const MOST_CLIENTS: usize = 20_000;

/// Builds the stories of one source, line by line.
pub struct StoryBuilder {
    source: SourceId,
    stem: Box<str>,
    clients: Vec<Client>,
    by_key: HashMap<Key, usize>,
    streams: HashMap<Box<str>, Stream>,
    /// Lines without a stream.
    plain: Stream,
}

/// Who a line is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Key {
    stream: Option<Box<str>>,
    tag: Option<Box<str>>,
}

/// What is remembered between the lines of one stream.
#[derive(Debug, Default)]
struct Stream {
    record: Record,
    /// The client of the last understood line: whose ordinary work is counted.
    current: Option<usize>,
    /// The library that some logger of the stream names.
    library: Library,
    /// Some line of the stream proves a NATS client.
    nats: bool,
    first: Option<LogRef>,
    last: LastLine,
}

/// The last line of a stream, kept without an allocation a line.
#[derive(Debug, Default)]
struct LastLine {
    number: u64,
    outer: Option<crate::time::Stamp>,
    text: Vec<u8>,
}

impl StoryBuilder {
    /// A builder for one source, whose name serves clients that do not tell theirs.
    pub fn new(source: &Source) -> Self {
        Self {
            source: source.id,
            stem: source.hints.stem.as_str().into(),
            clients: Vec::new(),
            by_key: HashMap::new(),
            streams: HashMap::new(),
            plain: Stream::default(),
        }
    }

    /// Takes one line. True if it was a client's or application's line that was understood, or belongs to such a
    /// record.
    pub fn line(&mut self, line: &LogLine<'_>) -> bool {
        let mut stream = match line.stream {
            None => std::mem::take(&mut self.plain),
            Some(name) => match self.streams.get_mut(name) {
                Some(stream) => std::mem::take(stream),
                None => Stream::default(),
            },
        };
        let taken = self.take(&mut stream, line);
        stream.saw(line);
        match line.stream {
            None => self.plain = stream,
            Some(name) => match self.streams.get_mut(name) {
                Some(slot) => *slot = stream,
                None => {
                    self.streams.insert(name.into(), stream);
                }
            },
        }
        taken
    }

    fn take(&mut self, stream: &mut Stream, line: &LogLine<'_>) -> bool {
        if stream.first.is_none() {
            stream.first = Some(line.log_ref(envelope::stamp(line.body)));
        }
        if routine(line.body).is_some() {
            stream.nats = true;
            return true;
        }
        if stream.record.is_open() && record::continues(line.body) {
            return self.continue_record(stream, line);
        }
        if !may_matter(line.body) || is_servers(line.body) {
            return stream.record.end_at_plain(line.body);
        }
        let mut envelope = envelope::open(line.body);
        if record::is_head(&envelope) {
            stream.record.head(&envelope, line);
            return envelope.library != Library::Unknown;
        }
        stream.record.complete(&mut envelope);
        if record::starts_traceback(&envelope.message) {
            return stream.record.traceback(line, envelope.stamp) && stream.nats;
        }
        if stream.record.ends_traceback() {
            return self.end_traceback(stream, line, &envelope);
        }
        // Python's record without a traceback: the exception alone, at the line's start.
        if envelope.stamp.is_none()
            && !envelope.level
            && let Some((client, slot)) = stream.record.event()
            && self.clients[client].events.is_bare_error(slot)
        {
            self.refine(stream, client, slot, line.body);
            return true;
        }
        if envelope.library != Library::Unknown {
            stream.library = envelope.library;
            stream.nats = true;
        }
        let key = Key {
            stream: line.stream.map(Box::from),
            tag: tag(&envelope),
        };
        let Some(said) = self.read(stream, &envelope, &key) else {
            let library_line = envelope.library != Library::Unknown;
            stream.record.close();
            return library_line;
        };
        if let Some(&client) = self.by_key.get(&key)
            && !self.clients[client].believes(&said, &envelope)
        {
            stream.record.close();
            return false;
        }
        let client = self.client(key);
        stream.current = Some(client);
        self.add(stream, client, line, &envelope, said);
        true
    }

    fn read(&self, stream: &Stream, envelope: &Envelope<'_>, key: &Key) -> Option<Said> {
        let library = match envelope.library {
            Library::Unknown => stream.library,
            library => library,
        };
        let hint = if library == Library::Unknown {
            stream.current.map_or(Library::Unknown, |client| {
                self.clients[client].votes.leader()
            })
        } else {
            library
        };
        let candidate = stream.nats || stream.current.is_some();
        // A client may be named after another system; its first words showed that it speaks NATS.
        let known = key.tag.is_some() && self.by_key.contains_key(key);
        read(&envelope.message, hint, candidate).filter(|said| {
            let logger = envelope.logger.as_deref().filter(|_| !known);
            said.weight > Weight::Word
                || !speaks_of_another(&envelope.message, logger, said.server.as_deref())
        })
    }

    /// The client of a key, new if need be.
    fn client(&mut self, key: Key) -> usize {
        if let Some(&client) = self.by_key.get(&key) {
            return client;
        }
        let key = if self.clients.len() >= MOST_CLIENTS {
            Key::default()
        } else {
            key
        };
        let next = self.clients.len();
        let index = *self.by_key.entry(key.clone()).or_insert(next);
        if index == next {
            self.clients.push(Client::new(key));
        }
        index
    }

    fn add(
        &mut self,
        stream: &mut Stream,
        client: usize,
        line: &LogLine<'_>,
        envelope: &Envelope<'_>,
        said: Said,
    ) {
        let mut at = line.log_ref(envelope.stamp);
        if at.text.contains("://") {
            at.text = redact(&at.text).into();
        }
        let client = &mut self.clients[client];
        client.learn(&said, envelope);
        stream.nats |= said.weight == Weight::Proof || client.proven();
        if client.first.is_none() {
            client.first = Some(at.clone());
        }
        client.last = Some(at.clone());
        client.fail(&said.kind, &at, &envelope.message);
        let event = ClientEvent {
            at,
            kind: said.kind,
            count: 1,
            first: None,
            server: said.server,
            local: said.local,
            cid: said.cid,
            server_id: said.server_id,
            subject: said.subject,
        };
        let slot = client.events.push(Entry::new(
            event,
            envelope.logger.as_deref(),
            said.ambiguous,
            said.row,
        ));
        stream.record.follow(stream.current, slot);
    }

    /// A line that belongs to the record before it: an exception's text, a second line of a two-line layout.
    fn continue_record(&mut self, stream: &mut Stream, line: &LogLine<'_>) -> bool {
        if let Some(mut envelope) = stream.record.take_head() {
            let text = String::from_utf8_lossy(line.body);
            envelope.message = text.trim().to_owned().into();
            if envelope.library != Library::Unknown {
                stream.library = envelope.library;
                stream.nats = true;
            }
            let key = Key {
                stream: line.stream.map(Box::from),
                tag: tag(&envelope),
            };
            let Some(said) = self.read(stream, &envelope, &key) else {
                return envelope.library != Library::Unknown;
            };
            let client = self.client(key);
            stream.current = Some(client);
            self.add(stream, client, line, &envelope, said);
            return true;
        }
        let library = of_trace(line.body);
        if library != Library::Unknown {
            stream.library = library;
            stream.nats = true;
            if let Some((client, _)) = stream.record.event() {
                self.clients[client].trace(library);
            }
        }
        if may_matter(line.body)
            && let Some((client, slot)) = stream.record.event()
        {
            self.refine(stream, client, slot, line.body);
        }
        stream.record.follows_event() || stream.record.in_traceback() && stream.nats
    }

    /// Lets a record's later line say why: the text of an exception under a line that only said "error".
    fn refine(&mut self, stream: &Stream, client: usize, slot: usize, body: &[u8]) {
        let text = String::from_utf8_lossy(&body[..body.len().min(2048)]);
        let client = &mut self.clients[client];
        if let Some(said) = read(text.trim(), stream.library, true) {
            client.events.refine(slot, said);
        }
    }

    /// The last line of a Python traceback.
    fn end_traceback(
        &mut self,
        stream: &mut Stream,
        line: &LogLine<'_>,
        envelope: &Envelope<'_>,
    ) -> bool {
        let said = read(&envelope.message, Library::Python, stream.nats);
        if let Some((client, slot)) = stream.record.event()
            && self.clients[client]
                .events
                .explained_by(slot, said.as_ref())
        {
            self.refine(stream, client, slot, line.body);
            stream.record.close();
            return true;
        }
        stream.record.close();
        let of_nats = said.is_some_and(|said| said.weight == Weight::Proof);
        let Some(client) = stream.current.filter(|_| stream.nats) else {
            return false;
        };
        if !of_nats && !stream.nats {
            return false;
        }
        let error: String = envelope.message.trim().chars().take(200).collect();
        let said = Said {
            kind: ClientEventKind::Crash(error.into()),
            library: Library::Python,
            ..Said::default()
        };
        self.add(stream, client, line, envelope, said);
        stream.record.close();
        true
    }

    /// The stories, in the order in which their clients first spoke.
    pub fn finish(self) -> Vec<ClientStory> {
        let Self {
            source,
            stem,
            clients,
            streams,
            plain,
            ..
        } = self;
        let stream_of = |name: Option<&str>| match name {
            None => Some(&plain),
            Some(name) => streams.get(name),
        };
        let ends = |name: Option<&str>| {
            stream_of(name).map(|stream| settle::Ends {
                first: stream.first.clone(),
                last: stream.last.log_ref(source),
                library: stream.library,
            })
        };
        let mut drafts: Vec<settle::Draft> = settle::merge(clients)
            .into_iter()
            .filter_map(|client| {
                let ends = ends(client.key.stream.as_deref());
                client.settle(source, &stem, ends)
            })
            .collect();
        stamps::resolve(&mut drafts);
        drafts.into_iter().map(conns::build).collect()
    }
}

impl Stream {
    /// Remembers a line as the last one so far.
    fn saw(&mut self, line: &LogLine<'_>) {
        self.last.number = line.number;
        self.last.outer = line.outer;
        self.last.text.clear();
        self.last
            .text
            .extend_from_slice(&line.body[..line.body.len().min(LogRef::QUOTE)]);
    }
}

impl LastLine {
    fn log_ref(&self, source: SourceId) -> Option<LogRef> {
        if self.number == 0 {
            return None;
        }
        let line = LogLine {
            source,
            number: self.number,
            outer: self.outer,
            stream: None,
            body: &self.text,
        };
        Some(line.log_ref(envelope::stamp(&self.text)))
    }
}

/// The tag that tells clients of one log apart: `[orders-1]`, or a logger that is a name with a number or a dash
/// rather than a path of code.
fn tag(envelope: &Envelope<'_>) -> Option<Box<str>> {
    const GENERAL: &[&str] = &[
        "main", "nats", "client", "app", "worker", "default", "server", "root",
    ];
    let logger = envelope
        .logger
        .as_deref()
        .filter(|_| envelope.library == Library::Unknown)
        .filter(|logger| {
            !logger.contains(['.', ':', '/'])
                && logger.contains(|c: char| c.is_ascii_digit() || c == '-')
        });
    let tag = envelope.tag.as_deref().or(logger)?;
    let lower = tag.to_ascii_lowercase();
    let thread = lower.starts_with("nats:")
        || lower.contains("thread")
        || lower.contains("-exec-")
        || lower.starts_with("pool-")
        || GENERAL.contains(&lower.as_str());
    (!thread).then(|| tag.into())
}

#[cfg(test)]
mod tests;
