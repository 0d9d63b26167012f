//! What one message of a client's log says: the typed result of every grammar here.

use std::net::SocketAddr;

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

/// What a client's line says, typed by library (the same words mean different things in different ones).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientEventKind {
    /// First connection made, or simply "connected".
    Connected,
    /// A dial or handshake failed.
    ConnectFailed(Trouble),
    /// The connection is gone; why, as far as the line tells.
    Disconnected(Trouble),
    /// A dial or handshake under way: address, cid or server id, without an outcome.
    Handshake,
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
    /// nats-py's `nats: stale connection`: an EOF in 2.0.x, the server's -ERR 'Stale Connection' later, never its own
    /// ping timeout, which prints nothing.
    StaleOrEof,
    /// Write timed out.
    WriteTimeout,
    /// Read timed out while connecting.
    Timeout,
    /// The kernel gave up (ETIMEDOUT).
    KernelTimeout,
    /// Connection refused.
    Refused,
    /// No route to the host.
    Unreachable,
    /// This host has no way out: `ENETUNREACH` and `ENETDOWN`, which its own kernel says where no route or link is left.
    NoNetwork,
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

impl ClientEventKind {
    /// What went wrong, for the kinds that tell; the nearest word for those that are a trouble themselves.
    pub fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::ConnectFailed(trouble)
            | Self::Disconnected(trouble)
            | Self::Closed(trouble)
            | Self::Error(trouble)
            | Self::PublishFailed(trouble) => Some(trouble.clone()),
            Self::GaveUp => Some(Trouble::MaxReconnects),
            Self::Stale => Some(Trouble::Stale),
            Self::RequestTimeout => Some(Trouble::Timeout),
            Self::SlowConsumer => Some(Trouble::Other("slow consumer".into())),
            Self::NoResponders => Some(Trouble::Other("no responders".into())),
            _ => None,
        }
    }

    /// The same kind with another trouble; unchanged where it has none.
    #[must_use]
    pub fn with_trouble(&self, trouble: Trouble) -> Self {
        match self {
            Self::ConnectFailed(_) => Self::ConnectFailed(trouble),
            Self::Disconnected(_) => Self::Disconnected(trouble),
            Self::Closed(_) => Self::Closed(trouble),
            Self::Error(_) => Self::Error(trouble),
            Self::PublishFailed(_) => Self::PublishFailed(trouble),
            other => other.clone(),
        }
    }
}

impl Trouble {
    /// A server's -ERR text, with or without quotes: authentication apart from the rest.
    pub fn server_error(text: &str) -> Self {
        let text = text
            .trim()
            .trim_matches(|c| c == '\'' || c == '"')
            .trim_start_matches("-ERR ")
            .trim_matches(|c| c == '\'' || c == '"');
        let text = strip_prefix_ignore_case(text, "nats: ")
            .unwrap_or(text)
            .trim_matches('\'');
        let lower = text.to_ascii_lowercase();
        if lower.contains("authorization") || lower.contains("authentication") {
            Self::Auth(text.into())
        } else {
            Self::ServerError(text.into())
        }
    }

    /// The attempt or connection reached something that answered, then refused: to the server it was a socket.
    pub fn reached_server(&self) -> bool {
        matches!(
            self,
            Self::Eof
                | Self::Reset
                | Self::BrokenPipe
                | Self::Tls(_)
                | Self::ServerError(_)
                | Self::Auth(_)
                | Self::NotNats(_)
        )
    }
}

/// How far a grammar's words prove that a NATS client wrote them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// Means something only inside an error of a known line (`EOF`, `Timeout`).
    Bare,
    /// A word that any network client may print (`Disconnected`): counts only in a log that is known to be a client's.
    Word,
    /// The exact sentence of a NATS example or document: two different ones are a proof.
    Idiom,
    /// Only a NATS client says this.
    Proof,
}

/// One message, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What it says.
    pub kind: ClientEventKind,
    /// The library whose words these are; `Unknown` where several say the same.
    pub library: Library,
    /// Several libraries say exactly this and mean different things: read it again once the library is known.
    pub ambiguous: bool,
    /// What the words prove.
    pub weight: Weight,
    /// Which row of the catalogue, to tell two sentences apart.
    pub row: u16,
    /// Server address or host, credentials removed.
    pub server: Option<Box<str>>,
    /// The client's own address.
    pub local: Option<SocketAddr>,
    /// The server's cid.
    pub cid: Option<u64>,
    /// Server id.
    pub server_id: Option<Box<str>>,
    /// Subject.
    pub subject: Option<Box<str>>,
    /// The client's name.
    pub name: Option<Box<str>>,
    /// The library's version.
    pub version: Option<Box<str>>,
}

impl Default for Said {
    /// Nothing known but that there is trouble, in nobody's words.
    fn default() -> Self {
        Self {
            kind: ClientEventKind::Error(Trouble::Unsaid),
            library: Library::Unknown,
            ambiguous: false,
            weight: Weight::Word,
            row: u16::MAX,
            server: None,
            local: None,
            cid: None,
            server_id: None,
            subject: None,
            name: None,
            version: None,
        }
    }
}

/// `text` without `prefix`, whatever the case.
pub(super) fn strip_prefix_ignore_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix)
        .then(|| &text[prefix.len()..])
}

impl Library {
    /// The library that calls itself so in CONNECT.
    pub fn of_connect(lang: &str, version: Option<&str>) -> Self {
        match lang {
            "go" => Self::Go,
            "python3" | "python" => Self::Python,
            "rust" => Self::RustAsync,
            "node" => Self::JsV1,
            // 3.x names the same languages; its version tells.
            "nats.js" | "nats.ws" | "nats.deno" => match version {
                Some(version) if version.starts_with("3.") => Self::JsV3,
                _ => Self::JsV2,
            },
            "java" => Self::Java,
            ".NET" | "C#" => Self::DotNetV2,
            "C" => Self::C,
            "ruby" => Self::Ruby,
            "elixir" => Self::Elixir,
            "Swift" => Self::Swift,
            _ => Self::Unknown,
        }
    }

    /// Rows of `self` are words that a log of `other` may hold: the same library, another generation of it, or what is
    /// built on it.
    pub fn speaks(self, other: Self) -> bool {
        self == other || self.family() == other.family()
    }

    fn family(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Go | Self::NatsCli => 1,
            Self::Python => 2,
            Self::RustAsync | Self::RustSync => 3,
            Self::JsV1 | Self::JsV2 | Self::JsV3 => 4,
            Self::Java => 5,
            Self::DotNetV1 | Self::DotNetV2 => 6,
            Self::C => 7,
            Self::Ruby => 8,
            Self::Elixir => 9,
            Self::Swift => 10,
        }
    }
}
