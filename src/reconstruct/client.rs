//! Client stories: what client and application logs tell about one client's connections over time.

use std::net::SocketAddr;

use crate::source::SourceId;
use crate::span::LogRef;

/// One client, as its log tells.
#[derive(Clone, Debug, Default)]
pub struct ClientStory {
    /// The source (one story a client and source; a log of many clients gives many).
    pub source: SourceId,
    /// The client's own name, or its log's file stem.
    pub name: Box<str>,
    /// The name came from the log's text (else from the file's name).
    pub name_from_text: bool,
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

/// Client libraries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "libraries by their usual names")]
pub enum Library {
    #[default]
    Unknown,
    Go,
    NatsCli,
    Python,
    RustAsync,
    RustSync,
    JsV1,
    JsV2,
    JsV3,
    Java,
    DotNetV1,
    DotNetV2,
    C,
    Ruby,
    Elixir,
    Swift,
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
}

/// What a client's line says, typed by library (the same words mean different things in different ones).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientEventKind {
    /// First connection made, or simply "connected".
    Connected,
    /// A dial or handshake failed.
    ConnectFailed(Trouble),
    /// The connection is gone; why, as far as the line tells.
    Disconnected(Trouble),
    /// About to try again; attempt number where told.
    Reconnecting(Option<u32>),
    /// Back.
    Reconnected,
    /// Closed for good.
    Closed(Trouble),
    /// Gave up: attempts exhausted.
    GaveUp,
    /// The application closes or drains on purpose.
    ClosingByApplication,
    /// Draining.
    Draining,
    /// The process says that it exits.
    Exiting,
    /// The client's own stale verdict.
    Stale,
    /// The client sent a PING and tells how many are out.
    PingOut(Option<u32>),
    /// An asynchronous error that does not by itself end the connection.
    Error(Trouble),
    /// Slow consumer on the client's side.
    SlowConsumer,
    /// Lame duck notice.
    LameDuck,
    /// Servers discovered or updated.
    Discovered,
    /// A publish failed.
    PublishFailed(Trouble),
    /// A request timed out.
    RequestTimeout,
    /// Nobody answers a request.
    NoResponders,
    /// A crash of the application (panic, unhandled exception, traceback).
    Crash(Box<str>),
}

/// What went wrong, as far as a client's words tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing said.
    #[default]
    Unsaid,
    /// Explicitly none: the application itself closed (see the facts' trap 1 for Go's nil).
    NoError,
    /// EOF: the remote side closed in order.
    Eof,
    /// Connection reset.
    Reset,
    /// Broken pipe.
    BrokenPipe,
    /// The client's own ping timeout, or -ERR 'Stale Connection' where the library says the same for both.
    Stale,
    /// Write timed out.
    WriteTimeout,
    /// Read timed out while connecting.
    Timeout,
    /// The kernel gave up (ETIMEDOUT).
    KernelTimeout,
    /// Connection refused.
    Refused,
    /// No route, network or host unreachable.
    Unreachable,
    /// Name not found.
    Dns,
    /// TLS trouble.
    Tls(Box<str>),
    /// The server's -ERR, text without quotes.
    ServerError(Box<str>),
    /// Authorization or authentication.
    Auth(Box<str>),
    /// No servers left to try.
    NoServers,
    /// Attempts exhausted.
    MaxReconnects,
    /// The peer does not speak NATS, or INFO never came.
    NotNats(Box<str>),
    /// Buffer for pending data is full.
    BufferFull,
    /// The library knows that it is closed, draining or disconnected.
    NotConnected,
    /// A message larger than max_payload, refused by the library itself.
    MaxPayload,
    /// Anything else, quoted.
    Other(Box<str>),
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
