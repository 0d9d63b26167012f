//! Client stories: what client and application logs tell about one client's connections over time.

use std::net::SocketAddr;

use crate::source::SourceId;
use crate::span::LogRef;

pub use crate::parse::client_log::said::{ClientEventKind, Library, Trouble};

/// One client, as its log tells.
#[derive(Clone, Debug, Default)]
pub struct ClientStory {
    /// The source (one story a client and source; a log of many clients gives many).
    pub source: SourceId,
    /// The client's own name, or its log's file stem.
    pub name: Box<str>,
    /// The name came from the log's text (else from the file's name).
    pub name_from_text: bool,
    /// At least one line can only come from a NATS client. Without it the words ("connected as a-1", "exiting") fit any
    /// network client, and the story counts only if something else, such as a server log, knows the name.
    pub proven: bool,
    /// Which library wrote it.
    pub library: Library,
    /// Library version, where the text tells.
    pub version: Option<Box<str>>,
    /// Life-cycle events, oldest first. Repeats are folded: see [`ClientEvent::count`].
    pub events: Vec<ClientEvent>,
    /// Its connections and attempts in order.
    pub conns: Vec<ClientConn>,
    /// First and last line of any kind.
    pub first: Option<LogRef>,
    /// Last.
    pub last: Option<LogRef>,
    /// Publishes that failed and requests that timed out, with the first and last line of each kind.
    pub failures: Vec<Failure>,
}

/// One line (or record) of a client's log that bears on its connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientEvent {
    /// The line; the last one where several were folded.
    pub at: LogRef,
    /// What it says.
    pub kind: ClientEventKind,
    /// How many equal ones in a row this stands for.
    pub count: u32,
    /// The first of them, where `count > 1`.
    pub first: Option<LogRef>,
    /// Server address or URL host, where the line has one (`10.0.0.1:4222`, `nats-1:4222`), credentials removed.
    pub server: Option<Box<str>>,
    /// The client's own address, where the line has it (Go).
    pub local: Option<SocketAddr>,
    /// The server's cid, where the line has it.
    pub cid: Option<u64>,
    /// Server id, where the line has it (async-nats DEBUG).
    pub server_id: Option<Box<str>>,
    /// Subject, where the line has it.
    pub subject: Option<Box<str>>,
}

/// One connection or failed attempt of a client. Indices are into [`ClientStory::events`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientConn {
    /// The event that made it (Connected or Reconnected); none when the log starts later.
    pub opened: Option<usize>,
    /// The event that ended it (Disconnected, Closed, Stale, ...); none while it lives.
    pub closed: Option<usize>,
    /// Every event that tells why it ended: within the same burst as `closed`.
    pub why: Vec<usize>,
    /// The server's address as the client calls it.
    pub server: Option<Box<str>>,
    /// What became of the client after the end.
    pub outcome: ClientOutcome,
    /// Attempts after it, before the next connection or the end.
    pub attempts: u32,
    /// The event of the next connection, if any.
    pub back: Option<usize>,
    /// The application meant the close.
    pub intended: bool,
    /// Not a connection but one failed attempt that reached something: the server refused it with an error, or accepted
    /// and closed it. To the server it is a socket of its own.
    pub attempt: bool,
}

/// What became of a client after it lost a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClientOutcome {
    /// The log does not tell.
    #[default]
    Unknown,
    /// Connected again.
    Reconnected,
    /// Closed for good after trying.
    GaveUp,
    /// The application ended, on purpose.
    Exited,
    /// Still trying at the log's end.
    StillDown,
    /// The log stops without a word.
    Silent,
}

/// Work that failed, folded by kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// `publish` or `request`.
    pub what: &'static str,
    /// The library's words.
    pub says: Box<str>,
    /// How many.
    pub count: u64,
    /// First line.
    pub first: LogRef,
    /// Last line.
    pub last: LogRef,
}
