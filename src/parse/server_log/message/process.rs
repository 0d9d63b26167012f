//! The process: banner, readiness, signals, lame duck, shutdown, reloads, log files; server/server.go, server/signal.go,
//! server/reload.go, logger/log.go.

use super::super::close_reason::CloseReason;
use super::super::record::{ConnKind, NoteKind, ServerEventKind};
use super::{
    ConnPhrase, IdentityItem, ServerMessage, ServerPhrase, ServerSaid, Topic, leading_number, words,
};

pub(super) const CONN: &[ConnPhrase] = &[
    ConnPhrase {
        head: "Sending Lame Duck Mode info to client",
        implies: None,
        note: |_| Some(NoteKind::LameDuckInfo),
    },
    ConnPhrase {
        head: "Kicked",
        implies: Some(CloseReason::Kicked),
        note: |_| Some(NoteKind::Kicked),
    },
];

const fn phrase(head: &'static str, said: fn(&str, &str) -> Option<ServerSaid>) -> ServerPhrase {
    ServerPhrase { head, said }
}

/// Known, and of no use for lives.
const fn context(head: &'static str) -> ServerPhrase {
    ServerPhrase {
        head,
        said: |_, _| None,
    }
}

#[allow(clippy::unnecessary_wraps, reason = "the shape of every phrase")]
fn event(kind: ServerEventKind) -> Option<ServerSaid> {
    Some(ServerSaid::Event(kind))
}

#[allow(clippy::unnecessary_wraps, reason = "the shape of every phrase")]
fn identity(item: IdentityItem) -> Option<ServerSaid> {
    Some(ServerSaid::Identity(item))
}

fn commit(text: &str) -> Option<ServerSaid> {
    let text = text.trim().trim_matches(['[', ']']);
    (!text.is_empty() && text != "not set")
        .then(|| ServerSaid::Identity(IdentityItem::GitCommit(text.into())))
}

/// An address as printed, without scheme.
fn listen(kind: ConnKind, rest: &str) -> Option<ServerSaid> {
    let address = rest.split_once("://").map_or(rest, |(_, address)| address);
    identity(IdentityItem::Listen(kind, words(address)))
}

/// The text up to the next quote, after an opening one.
fn quoted(rest: &str) -> &str {
    rest.split(['"', '\'']).next().unwrap_or(rest)
}

pub(super) const SERVER: &[ServerPhrase] = &[
    phrase("Starting nats-server version ", |rest, _| {
        Some(ServerSaid::Start(Some(words(rest))))
    }),
    phrase("Starting nats-server", |_, _| Some(ServerSaid::Start(None))),
    phrase("Starting gnatsd version ", |rest, _| {
        Some(ServerSaid::Start(Some(words(rest))))
    }),
    phrase("STREAM: Starting nats-streaming-server", |_, _| {
        Some(ServerSaid::Start(None))
    }),
    phrase("STREAM: Shutting down", |_, text| {
        event(ServerEventKind::Other(words(text)))
    }),
    context("STREAM: "),
    phrase("  Version:", |rest, _| {
        identity(IdentityItem::Version(words(rest)))
    }),
    phrase("  Git:", |rest, _| commit(rest)),
    phrase("Git commit ", |rest, _| commit(rest)),
    context("  Go build:"),
    context("Go build version "),
    phrase("  Cluster:", |rest, _| {
        identity(IdentityItem::Cluster(words(rest)))
    }),
    phrase("Cluster name is ", |rest, _| {
        identity(IdentityItem::Cluster(words(rest)))
    }),
    phrase("  Name:", |rest, _| {
        identity(IdentityItem::Name(words(rest)))
    }),
    context("  Node:"),
    phrase("  ID:", |rest, _| identity(IdentityItem::Id(words(rest)))),
    phrase("Server id is ", |rest, _| {
        identity(IdentityItem::Id(words(rest)))
    }),
    phrase("Using configuration file: ", |rest, _| {
        let path = rest.split(" (sha256:").next().unwrap_or(rest);
        identity(IdentityItem::ConfigFile(words(path)))
    }),
    context("Starting http monitor on "),
    context("Starting https monitor on "),
    phrase("Listening for client connections on ", |rest, _| {
        listen(ConnKind::Client, rest)
    }),
    phrase("Listening for websocket clients on ", |rest, _| {
        listen(ConnKind::WebSocket, rest)
    }),
    phrase("Listening for leafnode connections on ", |rest, _| {
        listen(ConnKind::Leafnode, rest)
    }),
    phrase("Listening for MQTT clients on ", |rest, _| {
        listen(ConnKind::Mqtt, rest)
    }),
    phrase("Listening for route connections on ", |rest, _| {
        listen(ConnKind::Route, rest)
    }),
    phrase("Listening for gateways connections on ", |rest, _| {
        listen(ConnKind::Gateway, rest)
    }),
    context("Created system account"),
    context("maxprocs: "),
    context("Maximum payloads over "),
    phrase("Server is ready", |_, _| event(ServerEventKind::Ready)),
    phrase("Error listening on port: ", |_, text| {
        event(ServerEventKind::Fatal(words(text)))
    }),
    phrase("Can't start JetStream", |_, text| {
        event(ServerEventKind::Fatal(words(text)))
    }),
    phrase("Trapped \"", |rest, _| {
        event(ServerEventKind::SignalTrapped(quoted(rest).into()))
    }),
    // 2.0 and older print the signal without quotes.
    phrase("Trapped ", |rest, _| {
        let signal = rest.trim_end_matches(" signal");
        event(ServerEventKind::SignalTrapped(words(signal)))
    }),
    phrase("Initiating Shutdown", |_, _| {
        event(ServerEventKind::ShutdownInitiated)
    }),
    phrase("Server Exiting", |_, _| event(ServerEventKind::Exiting)),
    phrase("Entering lame duck mode", |_, _| {
        event(ServerEventKind::LameDuckEntered)
    }),
    phrase("Closing existing clients", |_, _| {
        event(ServerEventKind::ClosingClients)
    }),
    context("Did not receive signal for successful shutdown"),
    phrase("Reloaded server configuration", |_, _| {
        event(ServerEventKind::Reloaded("server configuration".into()))
    }),
    phrase("Reloaded: ", |rest, _| match rest.split_once(" = ") {
        Some((option, value)) => Some(ServerSaid::Setting(words(option), words(value))),
        None => event(ServerEventKind::Reloaded(words(rest))),
    }),
    phrase("Failed to reload server configuration", |_, _| {
        event(ServerEventKind::ReloadFailed)
    }),
    phrase("Closed ", |rest, text| {
        match (leading_number(rest), rest.contains("max_connections")) {
            (Some(count), true) => event(ServerEventKind::ClosedToMaxConnections(count)),
            _ => event(ServerEventKind::Other(words(text))),
        }
    }),
    context("File log re-opened"),
    context("File log-reopened"),
    context("Rotating logfile"),
    context("Rotated log, backup saved as "),
    context("Purged log file "),
    context("Unable to close logfile for rotation"),
    context("Config reload"),
    context("Reloading"),
    phrase("Healthcheck failed: ", |rest, _| {
        event(ServerEventKind::HealthcheckFailed(words(
            rest.trim_matches('"'),
        )))
    }),
    phrase("Internal system send queue", |_, text| {
        event(ServerEventKind::Pressure(words(text)))
    }),
    phrase("Internal subscription on ", |_, text| {
        event(ServerEventKind::Pressure(words(text)))
    }),
    context("Memory usage"),
    context("Node id is"),
    context("Profiling port"),
    context("profiling port"),
];

/// The empty texts between the banner's parts.
pub(super) fn empty(text: &str) -> Option<ServerMessage> {
    text.trim().is_empty().then(|| ServerMessage {
        topic: Some(Topic::Process),
        ..ServerMessage::default()
    })
}
