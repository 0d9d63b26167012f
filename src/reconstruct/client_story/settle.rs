//! From lines to one client: which library, which name, and what its ambiguous words mean once that is known.

use crate::parse::client_log::envelope::{self, Envelope};
use crate::parse::client_log::read;
use crate::parse::client_log::said::{ClientEventKind, Library, Said, Trouble, Weight};
use crate::reconstruct::client::{ClientStory, Failure};
use crate::source::SourceId;
use crate::span::LogRef;
use crate::time::SECOND;

use super::Key;
use super::events::{Entry, Events, nearer};

/// Different failing sentences kept for one client.
const MOST_FAILURES: usize = 32;
/// Length of a failing sentence that is kept.
const SAYS: usize = 160;
/// Different sentences that are remembered as evidence.
const EVIDENCE: usize = 8;
/// Loggers that are remembered.
const LOGGERS: usize = 16;
/// Two sentences of NATS examples prove a client, and so does one with two words that any client says.
const POINTS: usize = 4;
/// Within this before it, an authentication error is what JavaScript's `staleConnection` means.
const BURST_NS: i64 = 1_000_000_000;

/// A handshake is over within this, whatever the client's timeout.
const HANDSHAKE_NS: i64 = 20_000_000_000;

/// A client while its lines come in.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) key: Key,
    pub(super) events: Events,
    pub(super) votes: Votes,
    pub(super) first: Option<LogRef>,
    pub(super) last: Option<LogRef>,
    name: Option<Box<str>>,
    version: Option<Box<str>>,
    failures: Vec<Failure>,
    proof: bool,
    /// Different sentences, and what each proves.
    evidence: Vec<(u16, Weight)>,
    /// Loggers of the application that spoke of NATS.
    loggers: Vec<Box<str>>,
}

/// The first and last line of a stream, of any kind.
pub(super) struct Ends {
    pub(super) first: Option<LogRef>,
    pub(super) last: Option<LogRef>,
    pub(super) library: Library,
}

/// A story without its connections, and per event the dials and failures that followed it.
pub(super) struct Draft {
    pub(super) story: ClientStory,
    pub(super) attempts: Vec<(u32, u32)>,
}

impl Client {
    pub(super) fn new(key: Key) -> Self {
        Self {
            key,
            events: Events::default(),
            votes: Votes::default(),
            first: None,
            last: None,
            name: None,
            version: None,
            failures: Vec::new(),
            proof: false,
            evidence: Vec::new(),
            loggers: Vec::new(),
        }
    }

    /// What a line tells about the client itself.
    pub(super) fn learn(&mut self, said: &Said, envelope: &Envelope<'_>) {
        // What the JavaScript generations share is listed under 2.x: only what is 2.x's alone proves it.
        let words = match (said.library, said.weight) {
            (Library::JsV2, weight) if weight < Weight::Proof => 1,
            (_, weight) => 1 + 2 * weight as u32,
        };
        self.votes.add(said.library, words);
        self.votes.add(envelope.library, 16);
        if self.votes.total() < 64 {
            self.votes.add(envelope.style, 1);
        }
        self.proof |= said.weight == Weight::Proof;
        if let Some(logger) = envelope.logger.as_deref()
            && said.weight > Weight::Word
            && envelope.library == Library::Unknown
            && self.loggers.len() < LOGGERS
            && !self.loggers.iter().any(|known| **known == *logger)
        {
            self.loggers.push(logger.into());
        }
        if self.evidence.len() < EVIDENCE && !self.evidence.iter().any(|(row, _)| *row == said.row)
        {
            self.evidence.push((said.row, said.weight));
        }
        self.proof |= envelope.library != Library::Unknown;
        if self.name.is_none() {
            self.name.clone_from(&said.name);
        }
        if self.version.is_none() {
            self.version.clone_from(&said.version);
        }
    }

    /// A stack trace of its passes through a library.
    pub(super) fn trace(&mut self, library: Library) {
        self.proof = true;
        self.votes.add(library, 16);
    }

    pub(super) fn proven(&self) -> bool {
        let points: usize = self
            .evidence
            .iter()
            .map(|(_, weight)| if *weight >= Weight::Idiom { 2 } else { 1 })
            .sum();
        self.proof || points >= POINTS && self.has_idiom()
    }

    fn has_idiom(&self) -> bool {
        self.evidence
            .iter()
            .any(|(_, weight)| *weight >= Weight::Idiom)
    }

    /// Whether words that anybody may print are this client's: once a logger has spoken of NATS, other loggers' "closed"
    /// is something else's. That the process ends or crashes concerns every client in it.
    pub(super) fn believes(&self, said: &Said, envelope: &Envelope<'_>) -> bool {
        let whole_process = matches!(
            said.kind,
            ClientEventKind::Exiting | ClientEventKind::Crash(_)
        );
        let own = envelope
            .logger
            .as_deref()
            .is_none_or(|logger| self.loggers.iter().any(|known| **known == *logger));
        said.weight > Weight::Word
            || whole_process
            || own
            || self.loggers.is_empty()
            || envelope.library != Library::Unknown
    }

    /// Counts work that failed.
    pub(super) fn fail(&mut self, kind: &ClientEventKind, at: &LogRef, message: &str) {
        let what = match kind {
            ClientEventKind::PublishFailed(_) => "publish",
            ClientEventKind::RequestTimeout | ClientEventKind::NoResponders => "request",
            _ => return,
        };
        let says: String = message.trim().chars().take(SAYS).collect();
        let says = crate::parse::client_log::redact(&says);
        if let Some(failure) = self
            .failures
            .iter_mut()
            .find(|failure| failure.what == what && *failure.says == *says)
        {
            failure.count += 1;
            failure.last = at.clone();
        } else if self.failures.len() < MOST_FAILURES {
            self.failures.push(Failure {
                what,
                says: says.into(),
                count: 1,
                first: at.clone(),
                last: at.clone(),
            });
        } else if let Some(failure) = self.failures.last_mut() {
            failure.count += 1;
            failure.last = at.clone();
        }
    }

    /// Takes over another client's lines: they turned out to be one.
    fn absorb(&mut self, other: Self) {
        self.events.merge(other.events);
        self.votes.join(&other.votes);
        self.proof |= other.proof;
        for (row, weight) in other.evidence {
            if !self.evidence.iter().any(|(known, _)| *known == row) {
                self.evidence.push((row, weight));
            }
        }
        self.name = self.name.take().or(other.name);
        self.version = self.version.take().or(other.version);
        self.failures.extend(other.failures);
        self.failures.sort_by_key(|failure| failure.first.cite);
    }

    /// The story, if these lines are one: proven, or a name that something else may know.
    pub(super) fn settle(self, source: SourceId, stem: &str, ends: Option<Ends>) -> Option<Draft> {
        let proven = self.proven();
        let hinted = self.name.is_some() || self.has_idiom();
        let told = proven || hinted && self.events.has_life();
        if self.events.entries().is_empty() || !told {
            return None;
        }
        let ends = ends.unwrap_or(Ends {
            first: None,
            last: None,
            library: Library::Unknown,
        });
        let mut library = self.votes.leader();
        if library == Library::Unknown {
            library = ends.library;
        }
        let from_text = self.key.tag.clone().or(self.name);
        let name = from_text
            .clone()
            .or_else(|| self.key.stream.clone())
            .unwrap_or_else(|| stem.into());
        let mut entries = self.events.into_entries();
        retype(&mut entries, library, self.version.as_deref());
        hand_over(&mut entries);
        let alone = self.key.tag.is_none();
        Some(Draft {
            attempts: entries
                .iter()
                .map(|entry| (entry.dials, entry.fails))
                .collect(),
            story: ClientStory {
                source,
                name,
                name_from_text: from_text.is_some(),
                proven,
                library,
                version: self.version,
                events: entries.into_iter().map(|entry| entry.event).collect(),
                conns: Vec::new(),
                first: if alone {
                    ends.first.or(self.first)
                } else {
                    self.first
                },
                last: ends.last.filter(|_| alone).or(self.last),
                failures: self.failures,
            },
        })
    }
}

/// Lines without a tag belong to the one client of their stream that has a tag, if there is only one; tags without any
/// connection of their own belong to the one client that has connections.
pub(super) fn merge(clients: Vec<Client>) -> Vec<Client> {
    let mut out: Vec<Client> = Vec::new();
    let mut streams: Vec<(Option<Box<str>>, Vec<Client>)> = Vec::new();
    for client in clients {
        match streams
            .iter_mut()
            .find(|(stream, _)| *stream == client.key.stream)
        {
            Some((_, group)) => group.push(client),
            None => streams.push((client.key.stream.clone(), vec![client])),
        }
    }
    for (_, group) in streams {
        let tagged = group
            .iter()
            .filter(|client| client.key.tag.is_some() && client.events.has_life())
            .count();
        let plain = group
            .iter()
            .filter(|client| client.key.tag.is_none() && client.events.has_life())
            .count();
        if tagged + plain != 1 && !(tagged == 1 && plain == 1) {
            out.extend(group);
            continue;
        }
        // Exactly one client lives here: the tagged one where there is one.
        let (mut living, others): (Vec<Client>, Vec<Client>) =
            group.into_iter().partition(|client| {
                client.events.has_life() && (tagged == 0 || client.key.tag.is_some())
            });
        if let Some(mut client) = living.pop() {
            for other in others {
                client.absorb(other);
            }
            out.push(client);
        }
    }
    out
}

/// Reads ambiguous words again now that the library is known, and undoes what libraries call by a wrong name.
fn retype(entries: &mut [Entry], library: Library, version: Option<&str>) {
    let knows_eof = entries
        .iter()
        .any(|entry| entry.event.at.text.contains("nats: unexpected EOF"));
    for entry in entries.iter_mut() {
        if entry.ambiguous {
            let opened = envelope::open(entry.event.at.text.as_bytes());
            if let Some(said) = read(&opened.message, library, true) {
                entry.event.kind = said.kind;
            }
        }
        if library == Library::Python
            && let Some(Trouble::StaleOrEof) = entry.event.kind.trouble()
        {
            let settled = match version {
                Some(version) if version.starts_with("2.0.") => Trouble::Eof,
                // Who says "unexpected EOF" for an EOF means the server's -ERR by "stale connection".
                _ if knows_eof => Trouble::ServerError("Stale Connection".into()),
                _ => Trouble::StaleOrEof,
            };
            entry.event.kind = entry.event.kind.with_trouble(settled);
        }
    }
    closed_in_so_many_words(entries);
    match library {
        Library::JsV2 | Library::JsV3 => stale_after_auth(entries),
        Library::RustAsync => stale_without_error(entries),
        _ => {}
    }
}

/// `nats: connection closed` is what a call on a closed connection fails with, and what applications call the close
/// itself: right behind a disconnect it is the latter.
fn closed_in_so_many_words(entries: &mut [Entry]) {
    for index in 1..entries.len() {
        let (before, rest) = entries.split_at_mut(index);
        let (lost, event) = (&before[index - 1].event, &mut rest[0].event);
        let failed = event.kind == ClientEventKind::PublishFailed(Trouble::NotConnected);
        if failed
            && matches!(lost.kind, ClientEventKind::Disconnected(_))
            && nearer(&lost.at, &event.at, SECOND)
            && envelope::open(event.at.text.as_bytes()).message.trim() == "nats: connection closed"
        {
            event.kind = ClientEventKind::Closed(Trouble::Unsaid);
        }
    }
}

/// Gives a "connected" what its handshake's lines told: cid, server id, address.
fn hand_over(entries: &mut [Entry]) {
    for index in 1..entries.len() {
        let (before, rest) = entries.split_at_mut(index);
        let event = &mut rest[0].event;
        if !matches!(
            event.kind,
            ClientEventKind::Connected | ClientEventKind::Reconnected
        ) {
            continue;
        }
        let handshake = before
            .iter()
            .rev()
            .take(6)
            .take_while(|entry| {
                !matches!(
                    entry.event.kind,
                    ClientEventKind::Connected | ClientEventKind::Reconnected
                )
            })
            .filter(|entry| entry.event.kind == ClientEventKind::Handshake)
            .filter(|entry| nearer(&entry.event.at, &event.at, HANDSHAKE_NS));
        for entry in handshake {
            event.cid = event.cid.or(entry.event.cid);
            if event.server_id.is_none() {
                event.server_id.clone_from(&entry.event.server_id);
            }
            if event.server.is_none() {
                event.server.clone_from(&entry.event.server);
            }
        }
    }
}

/// async-nats's `disconnected error=None` right after its stale verdict is that verdict, not an EOF.
fn stale_without_error(entries: &mut [Entry]) {
    for index in 1..entries.len() {
        // The structured form of the same field reads as "no error".
        if entries[index].event.kind == ClientEventKind::Disconnected(Trouble::NoError) {
            entries[index].event.kind = ClientEventKind::Disconnected(Trouble::Eof);
        }
        let stale = entries[index - 1].event.kind == ClientEventKind::Stale
            && nearer(
                &entries[index - 1].event.at,
                &entries[index].event.at,
                BURST_NS,
            );
        let event = &mut entries[index].event;
        if stale && event.kind == ClientEventKind::Disconnected(Trouble::Eof) {
            event.kind = ClientEventKind::Disconnected(Trouble::Stale);
        }
    }
}

/// JavaScript's `staleConnection` right after an authentication error is that error (facts, trap 6).
fn stale_after_auth(entries: &mut [Entry]) {
    for index in 1..entries.len() {
        if entries[index].event.kind != ClientEventKind::Stale {
            continue;
        }
        let auth =
            entries[..index]
                .iter()
                .rev()
                .take(4)
                .find_map(|entry| match &entry.event.kind {
                    ClientEventKind::Error(Trouble::Auth(text))
                        if nearer(&entry.event.at, &entries[index].event.at, BURST_NS) =>
                    {
                        Some(text.clone())
                    }
                    _ => None,
                });
        if let Some(text) = auth {
            entries[index].event.kind = ClientEventKind::Error(Trouble::Auth(text));
        }
    }
}

/// Which library a log's words speak for.
#[derive(Clone, Debug, Default)]
pub(super) struct Votes {
    counts: Vec<(Library, u32)>,
}

impl Votes {
    fn add(&mut self, library: Library, weight: u32) {
        if library == Library::Unknown || weight == 0 {
            return;
        }
        match self.counts.iter_mut().find(|(other, _)| *other == library) {
            Some((_, count)) => *count = count.saturating_add(weight),
            None => self.counts.push((library, weight)),
        }
    }

    fn join(&mut self, other: &Self) {
        for (library, weight) in &other.counts {
            self.add(*library, *weight);
        }
    }

    fn total(&self) -> u32 {
        self.counts
            .iter()
            .fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// The library with the most votes; generations of one library vote together, the later of equals wins.
    pub(super) fn leader(&self) -> Library {
        let family = |library: Library| -> u32 {
            self.counts
                .iter()
                .filter(|(other, _)| other.speaks(library))
                .map(|(_, count)| *count)
                .sum()
        };
        self.counts
            .iter()
            .max_by_key(|(library, count)| (family(*library), *count, *library))
            .map_or(Library::Unknown, |(library, _)| *library)
    }
}
