//! What a nats-server line says, typed: the vocabulary that the message grammars produce and reconstruction keeps.

use super::close_reason::CloseReason;

/// Kinds of connections, by the server's tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConnKind {
    /// `cid`
    #[default]
    Client,
    /// `rid`
    Route,
    /// `gid`
    Gateway,
    /// `lid`, `lid_ws`
    Leafnode,
    /// `wid`
    WebSocket,
    /// `mid`, `mid_ws`
    Mqtt,
    /// `SYSTEM`, `JETSTREAM`, `ACCOUNT`
    Internal,
}

/// What a line says about one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "each is one message family of the server facts, named by it"
)]
pub enum NoteKind {
    Created,
    Closed(Option<CloseReason>),
    /// `Slow Consumer Detected: MaxPending of N Exceeded`
    SlowConsumerPending {
        max_pending: Option<u64>,
    },
    /// `Slow Consumer Detected: WriteDeadline of D exceeded with C chunks of B total bytes.`
    SlowConsumerDeadline {
        deadline_ns: Option<i64>,
        chunks: Option<u64>,
        bytes: Option<u64>,
    },
    /// Slow, and still open: routes, gateways and leafnodes since 2.11.0.
    SlowConsumerOpen(Box<str>),
    Stale,
    PingTimer,
    PongOverdue,
    DelayedPing,
    ReadError(Box<str>),
    WriteError(Box<str>),
    MaxConnections,
    MaxPayload {
        size: Option<u64>,
        limit: Option<u64>,
    },
    MaxControlLine {
        size: Option<u64>,
        limit: Option<u64>,
    },
    MaxSubscriptions,
    MaxAccountConnections,
    ParserError {
        state: Option<i64>,
        snippet: Box<str>,
    },
    BadProtocol(Box<str>),
    HeadersUnsupported,
    AuthError(Box<str>),
    /// Why an authentication fails, said on a line of its own; no close by itself.
    AuthDetail(Box<str>),
    AuthTimeout,
    AuthExpired,
    AuthRevoked,
    TlsHandshakeError(Box<str>),
    TlsStarted,
    TlsDone,
    WrongPort(Box<str>),
    PeerError(Box<str>),
    ReadloopTime(Box<str>),
    Kicked,
    LameDuckInfo,
    Duplicate(Box<str>),
    PermissionViolation(Box<str>),
    ProducerStalled,
    Connect(Box<str>),
    SentError(Box<str>),
    ReceivedPing,
    ReceivedPong,
    SentPing,
    SentPong,
    Other(Box<str>),
}

/// Kinds of server events. Unknown messages are counted elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "each is one message family of the server facts, named by it"
)]
pub enum ServerEventKind {
    Starting,
    Ready,
    SignalTrapped(Box<str>),
    ShutdownInitiated,
    Exiting,
    LameDuckEntered,
    ClosingClients,
    Reloaded(Box<str>),
    ReloadFailed,
    ClosedToMaxConnections(u64),
    /// `Temporary Client Accept Error(... too many open files ...)`
    AcceptError(Box<str>),
    /// `Readloop processing time`, slow internal subscriptions, slow disk, JetStream queue limits: signs of load.
    Pressure(Box<str>),
    JetStreamDisabled(Box<str>),
    RouteDialError(Box<str>),
    Crash(Box<str>),
    OutOfMemory(Box<str>),
    OomKill(Box<str>),
    ProcessExit(Box<str>),
    HealthcheckFailed(Box<str>),
    /// Kernel or host: conntrack table full, SYN flooding, link down or up, reboot, power.
    Host(Box<str>),
    /// Connections that a limit refused, told by lines of single connections: counted here as well.
    Refused(Box<str>),
    TlsRateLimited(u64),
    Fatal(Box<str>),
    Other(Box<str>),
}
