//! Server lifetimes: what the logs of one nats-server process tell, and per connection what they say about it.

use std::net::{IpAddr, SocketAddr};

use crate::parse::server_log::close_reason::CloseReason;
pub use crate::parse::server_log::record::{ConnKind, NoteKind, ServerEventKind};
use crate::source::SourceId;
use crate::span::LogRef;

/// One server process, from banner to end, as far as its logs go.
#[derive(Clone, Debug, Default)]
pub struct ServerLife {
    /// Sources that hold its lines, in order.
    pub sources: Vec<SourceId>,
    /// Who it is.
    pub identity: Identity,
    /// The banner's first line, if the log holds the start.
    pub started: Option<LogRef>,
    /// `Server is ready`.
    pub ready: Option<LogRef>,
    /// Its first line that is here.
    pub first: Option<LogRef>,
    /// Its last line that is here.
    pub last: Option<LogRef>,
    /// How it ended.
    pub end: ServerEnd,
    /// Notable events, oldest first (each kind bounded; counts stay exact).
    pub events: Vec<ServerEvent>,
    /// DBG lines were seen: closes without a line mean something.
    pub debug: bool,
    /// TRC lines were seen.
    pub trace: bool,
    /// Limits and timers as far as banners, reload lines, configuration files and /varz tell.
    pub limits: Limits,
    /// Connections by number, ascending.
    pub conns: Vec<ServerConn>,
    /// Moments that monitoring data and the log both tell, in this order: where they meet, their clocks do. Without text.
    pub told_twice: Vec<(LogRef, LogRef)>,
}

impl ServerLife {
    /// Lines of its log are here, not only what monitoring data tells of it.
    pub fn has_log(&self) -> bool {
        self.debug || self.trace || self.identity.pid.is_some()
    }
}

/// Who a server is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Server name; equal to the id where none was set.
    pub name: Option<Box<str>>,
    /// Server id, new at every start; equals INFO's `server_id`.
    pub id: Option<Box<str>>,
    /// Version.
    pub version: Option<Box<str>>,
    /// Git commit.
    pub git_commit: Option<Box<str>>,
    /// Process id as printed.
    pub pid: Option<u32>,
    /// Cluster name.
    pub cluster: Option<Box<str>>,
    /// Path of the configuration file, as the banner prints it.
    pub config: Option<Box<str>>,
    /// Host, pod or container that a wrapper or the path names.
    pub host: Option<Box<str>>,
    /// Client listener (`Listening for client connections on`).
    pub listen: Option<SocketAddr>,
    /// Other listeners: what, address.
    pub other_listeners: Vec<(ConnKind, SocketAddr)>,
}

/// How a server process ended.
#[derive(Clone, Debug, Default)]
pub struct ServerEnd {
    /// The manner.
    pub manner: EndManner,
    /// The line that says so best (signal, shutdown, panic, kernel kill), or the last line.
    pub at: Option<LogRef>,
    /// Everything that speaks for it, oldest first (bounded to 12).
    pub evidence: Vec<LogRef>,
    /// Functions of the goroutine that crashed, innermost first (bounded to 24).
    pub trace: Vec<LogRef>,
    /// Lame duck mode was entered here.
    pub lame_duck: Option<LogRef>,
    /// Exit status or signal, where a container runtime or systemd tells.
    pub exit: Option<Box<str>>,
    /// Ordinal of the life that follows in the same log (a restart), if any.
    pub next: Option<usize>,
}

/// Manners of ending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndManner {
    /// No end seen: the log just stops and nothing follows; running, rotated away, killed or gone.
    #[default]
    Unknown,
    /// Stopped on purpose: signal or service manager.
    Graceful,
    /// Lame duck mode, then shutdown.
    LameDuck,
    /// Go panic or fatal error, or a dump signal from outside.
    Crash,
    /// The Go runtime ran out of memory.
    OutOfMemory,
    /// The kernel's OOM killer.
    OomKill,
    /// Ended without a word: a new banner follows an ordinary line, or an exit status by signal 9.
    Killed,
    /// `[FTL]` or a configuration error.
    Fatal,
    /// Alive at the last line, by evidence after it (another source saw it alive).
    Running,
}

impl EndManner {
    /// The log tells that the process ended, and how.
    pub const fn is_told(self) -> bool {
        !matches!(self, Self::Unknown | Self::Running)
    }
}

/// Something notable that a server log says outside one connection.
#[derive(Clone, Debug)]
pub struct ServerEvent {
    /// The line; the last one where several were folded.
    pub at: LogRef,
    /// What it is.
    pub kind: ServerEventKind,
    /// How many like it this stands for: lines, or what the lines count.
    pub count: u64,
    /// The first of them, where `count > 1`.
    pub first: Option<LogRef>,
    /// The server limits the rate of this line (2.12+): `count` is a lower bound.
    pub rate_limited: bool,
}

impl ServerEvent {
    /// A single line.
    pub const fn once(at: LogRef, kind: ServerEventKind) -> Self {
        Self {
            at,
            kind,
            count: 1,
            first: None,
            rate_limited: false,
        }
    }
}

/// Limits and timers; `None` where nothing in the input tells (then the version's default applies).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "nats-server's own option names; times in nanoseconds"
)]
pub struct Limits {
    pub max_connections: Option<i64>,
    pub max_payload: Option<u64>,
    pub max_pending: Option<u64>,
    pub max_control_line: Option<u64>,
    pub max_subscriptions: Option<i64>,
    pub ping_interval: Option<i64>,
    pub ping_max: Option<i64>,
    pub write_deadline: Option<i64>,
    pub auth_timeout: Option<i64>,
    pub tls_timeout: Option<i64>,
    pub lame_duck_duration: Option<i64>,
    pub lame_duck_grace_period: Option<i64>,
    /// TLS configured for clients.
    pub tls: Option<bool>,
    /// Where each came from, for citing.
    pub from: Vec<LogRef>,
}

/// One connection in a server's log.
#[derive(Clone, Debug, Default)]
pub struct ServerConn {
    /// Its kind.
    pub kind: ConnKind,
    /// Its number, unique within the server process.
    pub id: u64,
    /// The peer's address as the server sees it.
    pub peer: Option<SocketAddr>,
    /// First `X-Forwarded-For` value (WebSocket).
    pub forwarded: Option<IpAddr>,
    /// Client name.
    pub name: Option<Box<str>>,
    /// Client library.
    pub lang: Option<Box<str>>,
    /// Its version.
    pub version: Option<Box<str>>,
    /// Account.
    pub account: Option<Box<str>>,
    /// User label.
    pub user: Option<Box<str>>,
    /// Remote server's name (`- Remote: <name>`) for routes, gateways, leafnodes.
    pub remote: Option<Box<str>>,
    /// `connection created`.
    pub opened: Option<LogRef>,
    /// `connection closed`, or the ERR/INF line that ends it where DBG was off.
    pub closed: Option<LogRef>,
    /// The reason that the server gives, or that the line implies.
    pub reason: Option<CloseReason>,
    /// Typed lines that bear on its life, oldest first (bounded: first 4 and last 12).
    pub notes: Vec<ServerNote>,
    /// From TRC lines or /connz: messages and bytes in and out.
    pub in_msgs: u64,
    /// Out.
    pub out_msgs: u64,
    /// The last line of any kind about it.
    pub last: Option<LogRef>,
}

/// A typed line about one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerNote {
    /// The line.
    pub at: LogRef,
    /// What it says.
    pub kind: NoteKind,
}
