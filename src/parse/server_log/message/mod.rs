//! What a message says. One table of phrases a topic; a phrase is the fixed beginning of a message in nats-server's
//! source, and the tables together hold every message of 0.6.0 to 2.15.1 that bears on a connection's or server's life.
//!
//! Case does not count: 1.4.0 turned error texts from title to lower case.

mod auth;
mod cluster;
mod corrupted;
mod jetstream;
mod lifecycle;
mod limits;
mod listener;
mod process;
mod slow_consumer;
mod tls;
pub mod trace;

pub use corrupted::corrupted;

use super::close_reason::CloseReason;
use super::record::{ConnKind, NoteKind, ServerEventKind};

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the topics are this folder's files")]
pub enum Topic {
    Auth,
    Cluster,
    JetStream,
    Lifecycle,
    Limits,
    Listener,
    Process,
    SlowConsumer,
    Tls,
    Trace,
}

/// A message about one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnMessage<'a> {
    /// The topic; `None` where the message is not known.
    pub topic: Option<Topic>,
    /// What it says; `None` where it says nothing about the connection's life.
    pub note: Option<NoteKind>,
    /// The reason of the close that comes with this message, though its own line may come later or (without debug
    /// lines) never.
    pub implies: Option<CloseReason>,
    /// The peer server's name (`- Remote: <name>`, 2.12+).
    pub remote: Option<&'a str>,
    /// Account, where the message itself has it.
    pub account: Option<&'a str>,
}

/// A message of the server as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerMessage {
    /// The topic; `None` where the message is not known.
    pub topic: Option<Topic>,
    /// What it says; `None` where it says nothing about lives.
    pub said: Option<ServerSaid>,
    /// Closed state of the connections that the message is about, where it is about any.
    pub implies: Option<CloseReason>,
}

/// What the server says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerSaid {
    /// Something notable.
    Event(ServerEventKind),
    /// The first line of a process; with the version up to 2.1.9.
    Start(Option<Box<str>>),
    /// Who it is.
    Identity(IdentityItem),
    /// A value that is part of its configuration, printed on reload: option, value.
    Setting(Box<str>, Box<str>),
}

/// One item of a server's identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityItem {
    /// Version, as printed.
    Version(Box<str>),
    /// Git commit; never `not set`.
    GitCommit(Box<str>),
    /// Server name.
    Name(Box<str>),
    /// Server id.
    Id(Box<str>),
    /// Cluster name.
    Cluster(Box<str>),
    /// Path of the configuration file.
    ConfigFile(Box<str>),
    /// A listener's address as printed (`10.0.0.1:4222`, `0.0.0.0:4222`, `wss://h:p` without the scheme).
    Listen(ConnKind, Box<str>),
    /// TLS is required (true) or merely allowed (false) for clients.
    Tls(bool),
}

/// A message about one connection that begins with fixed words.
struct ConnPhrase {
    /// The words. `<Kind> ` at the start stands for `Client `, `Router ` and so on; `=` makes case count.
    head: &'static str,
    /// The close that comes with it.
    implies: Option<CloseReason>,
    /// The note, from the text after the words. `None`: known, and of no use.
    note: fn(&str) -> Option<NoteKind>,
}

/// A message of the server that begins with fixed words.
struct ServerPhrase {
    /// The words.
    head: &'static str,
    /// From the text after the words and the whole text.
    said: fn(&str, &str) -> Option<ServerSaid>,
}

const CONN_TABLES: &[(Topic, &[ConnPhrase])] = &[
    (Topic::Lifecycle, lifecycle::CONN),
    (Topic::SlowConsumer, slow_consumer::CONN),
    (Topic::Auth, auth::CONN),
    (Topic::Limits, limits::CONN),
    (Topic::Tls, tls::CONN),
    (Topic::Listener, listener::CONN),
    (Topic::Cluster, cluster::CONN),
    (Topic::JetStream, jetstream::CONN),
    (Topic::Process, process::CONN),
];

const SERVER_TABLES: &[(Topic, &[ServerPhrase])] = &[
    (Topic::Process, process::SERVER),
    (Topic::Listener, listener::SERVER),
    (Topic::Cluster, cluster::SERVER),
    (Topic::JetStream, jetstream::SERVER),
    (Topic::Auth, auth::SERVER),
    (Topic::Tls, tls::SERVER),
];

/// How the server names kinds of connections in front of some messages (server/client.go, `kindString`, `typeString`).
const KIND_WORDS: &[&str] = &[
    "Client ",
    "Router ",
    "Route ",
    "Gateway ",
    "Leafnode ",
    "LeafNode ",
    "System ",
    "JetStream ",
    "Account ",
];

/// Reads a message about one connection: the text after its tag.
pub fn conn(text: &str) -> ConnMessage<'_> {
    let after_kind = KIND_WORDS.iter().find_map(|word| text.strip_prefix(word));
    for (topic, table) in CONN_TABLES {
        for phrase in *table {
            let rest = if let Some(head) = phrase.head.strip_prefix("<Kind> ") {
                after_kind.and_then(|text| after(text, head))
            } else if let Some(head) = phrase.head.strip_prefix('=') {
                text.strip_prefix(head)
            } else {
                after(text, phrase.head)
            };
            if let Some(rest) = rest {
                let mut message = ConnMessage {
                    topic: Some(*topic),
                    note: (phrase.note)(rest),
                    implies: phrase.implies.clone(),
                    ..ConnMessage::default()
                };
                lifecycle::complete(&mut message, rest);
                return message;
            }
        }
    }
    ConnMessage::default()
}

/// Reads a message of the server as a whole.
pub fn server(text: &str) -> ServerMessage {
    for (topic, table) in SERVER_TABLES {
        for phrase in *table {
            if let Some(rest) = after(text, phrase.head) {
                return ServerMessage {
                    topic: Some(*topic),
                    said: (phrase.said)(rest, text),
                    implies: implied(text),
                };
            }
        }
    }
    // Some messages begin with a name: `Client accept loop exiting..`, `JetStream cluster stream '..' has NO quorum`.
    process::empty(text)
        .or_else(|| listener::with_leading_name(text))
        .or_else(|| jetstream::with_leading_name(text))
        .unwrap_or_default()
}

/// The closed state of those connections that a server's message is about.
fn implied(text: &str) -> Option<CloseReason> {
    const IMPLIED: &[(&str, CloseReason)] = &[
        ("Initiating Shutdown", CloseReason::ServerShutdown),
        ("Server Exiting", CloseReason::ServerShutdown),
        ("Closing existing clients", CloseReason::ServerShutdown),
        ("Removed route ", CloseReason::RouteRemoved),
        ("Cluster name updated to", CloseReason::ClusterNameConflict),
        ("Unable to lookup account ", CloseReason::MissingAccount),
        (
            "Authorization callout response not received",
            CloseReason::AuthenticationViolation,
        ),
        (
            "Error reading PROXY protocol header",
            CloseReason::ProtocolViolation,
        ),
    ];
    if text.starts_with("Rejected ") && text.ends_with("due to TLS rate limiting")
        || text.starts_with("Closed ") && text.contains(" to fall within max_connections")
    {
        return Some(CloseReason::MaxConnectionsExceeded);
    }
    if text.starts_with("Disconnect ") && text.contains("pinned certs") {
        return Some(CloseReason::TlsHandshakeError);
    }
    IMPLIED
        .iter()
        .find(|(head, _)| text.starts_with(head))
        .map(|(_, reason)| reason.clone())
}

/// The text after a head, whatever the case of ASCII letters.
fn after<'a>(text: &'a str, head: &str) -> Option<&'a str> {
    let start = text.as_bytes().get(..head.len())?;
    if start.eq_ignore_ascii_case(head.as_bytes()) {
        text.get(head.len()..)
    } else {
        None
    }
}

/// The number at the start of a text.
fn leading_number(text: &str) -> Option<u64> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    text.get(..length)?.parse().ok()
}

/// The number after `word` in a text.
fn number_after(text: &str, word: &str) -> Option<u64> {
    leading_number(&text[text.find(word)? + word.len()..])
}

/// A message kept as its words.
fn words(text: &str) -> Box<str> {
    text.trim().into()
}

#[cfg(test)]
mod every_template;
