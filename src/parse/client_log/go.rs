//! nats.go, its README, its examples, and natscli.
//!
//! The library prints only asynchronous errors; everything else is what applications print in their handlers. A nil
//! error in the disconnect handler is no proof that the application closed: a fatal -ERR and a client that may not
//! reconnect print it too, and then the closed line holds the reason (facts, trap 1).

use super::row::{Row, error, line};
use super::said::ClientEventKind;
use super::said::ClientEventKind::{
    Closed, ConnectFailed, Connected, Disconnected, Discovered, Draining, Error, Exiting, GaveUp,
    NoResponders, PublishFailed, Reconnected, Reconnecting, RequestTimeout, SlowConsumer,
};
use super::said::Library::{Go, NatsCli};
use super::said::Trouble::{
    self, BufferFull, Eof, MaxPayload, NoServers, NotConnected, Other, Stale, Unsaid,
};
use super::said::Weight::{Bare, Idiom, Proof, Word};

pub(super) static ROWS: &[Row] = &[
    // The default error handler, since 1.11.0.
    line(
        Go,
        Proof,
        "{err} on connection [{cid}] for subscription on \"{subj}\"",
        |f| asynchronous(f.inner()),
    ),
    line(Go, Proof, "{err} on connection [{cid}]", |f| {
        asynchronous(f.inner())
    }),
    // README.
    line(Go, Proof, "Got disconnected! Reason: {err}", |f| {
        Disconnected(f.err())
    }),
    line(Go, Idiom, "Got disconnected!", |_| Disconnected(Unsaid)),
    line(Go, Idiom, "Got reconnected to {url}!", |_| Reconnected),
    line(Go, Idiom, "Connection closed. Reason: {err}", |f| {
        Closed(f.err())
    }),
    // Examples.
    line(
        Go,
        Proof,
        "Disconnected due to: {err}, will attempt reconnects for {n}m",
        |f| Disconnected(f.err()),
    ),
    line(
        Go,
        Proof,
        "Disconnected due to:{err}, will attempt reconnects for {n}m",
        |f| Disconnected(f.err()),
    ),
    line(
        Go,
        Proof,
        "Disconnected: will attempt reconnects for {n}m",
        |_| Disconnected(Unsaid),
    ),
    line(Go, Idiom, "Disconnected due to: {err}", |f| {
        Disconnected(f.err())
    }),
    line(Go, Idiom, "Reconnected [{url}]", |_| Reconnected),
    line(Go, Word, "Exiting: no servers available", |_| GaveUp),
    line(Go, Word, "Exiting, no servers available", |_| GaveUp),
    line(Go, Word, "Exiting: {err}", |f| match f.err() {
        // Handlers print LastError here; what an application prints of its own is only an end.
        Other(_) | Unsaid => Exiting,
        trouble => Closed(trouble),
    }),
    line(Go, Word, "Exiting", |_| Exiting),
    line(Go, Idiom, "Can't connect: {err}", |f| {
        ConnectFailed(f.err())
    }),
    line(Go, Word, "Reconnect error: {err}", |f| {
        ConnectFailed(f.err())
    }),
    // nats.docs.
    line(Go, Word, "client disconnected: {err}", |f| {
        Disconnected(f.err())
    }),
    line(Go, Word, "client reconnected", |_| Reconnected),
    line(Go, Word, "client closed", |_| Closed(Unsaid)),
    line(Go, Word, "Known servers: [{text}]", |_| Discovered),
    line(Go, Word, "Discovered servers: [{text}]", |_| Discovered),
    // natscli.
    line(
        NatsCli,
        Proof,
        "Disconnected due to: {err}, will attempt reconnect",
        |f| Disconnected(f.err()),
    ),
    line(
        NatsCli,
        Proof,
        ">>> Disconnected due to: {err}, will attempt reconnect",
        |f| Disconnected(f.err()),
    ),
    line(NatsCli, Proof, "Reconnected to {url} ({R})", |_| {
        Reconnected
    }),
    line(NatsCli, Proof, ">>> Reconnected to {url} ({R})", |_| {
        Reconnected
    }),
    line(NatsCli, Proof, ">>> Connected to {url} ({R})", |_| {
        Connected
    }),
    line(NatsCli, Proof, ">>> Connected to {url}", |_| Connected),
    line(NatsCli, Proof, ">>> Unexpected NATS error: {err}", |f| {
        asynchronous(f.inner())
    }),
    line(
        NatsCli,
        Proof,
        "Unexpected NATS error from server {url}: {err}",
        |f| asynchronous(f.inner()),
    ),
    line(NatsCli, Proof, "Unexpected NATS error: {err}", |f| {
        asynchronous(f.inner())
    }),
    line(NatsCli, Proof, ">>> Reconnect error: {err}", |f| {
        ConnectFailed(f.err())
    }),
    line(NatsCli, Proof, ">>> Connection is closed: {err}", |f| {
        Closed(f.err())
    }),
    line(
        NatsCli,
        Proof,
        ">>> Discovered new servers, known servers are now {text}",
        |_| Discovered,
    ),
    line(
        NatsCli,
        Proof,
        ">>> Setting reconnect delay to {text}",
        |_| Reconnecting(None),
    ),
    // Error texts.
    error(Go, Proof, "nats: connection closed", |_| {
        PublishFailed(NotConnected)
    }),
    error(Go, Proof, "nats: connection draining", |_| {
        PublishFailed(NotConnected)
    }),
    error(Go, Proof, "nats: connection reconnecting", |_| {
        PublishFailed(NotConnected)
    }),
    error(Go, Proof, "nats: draining connection timed out", |_| {
        Draining
    }),
    error(Go, Proof, "nats: stale connection", |_| Disconnected(Stale)),
    error(Go, Proof, "nats: slow consumer, messages dropped", |_| {
        SlowConsumer
    }),
    error(Go, Proof, "nats: outbound buffer limit exceeded", |_| {
        PublishFailed(BufferFull)
    }),
    error(
        Go,
        Proof,
        "nats: no servers available for connection",
        |_| ConnectFailed(NoServers),
    ),
    error(Go, Proof, "nats: authorization violation", |f| {
        Error(f.auth())
    }),
    error(Go, Proof, "nats: authentication expired", |f| {
        Error(f.auth())
    }),
    error(Go, Proof, "nats: authentication revoked", |f| {
        Error(f.auth())
    }),
    error(Go, Proof, "nats: account authentication expired", |f| {
        Error(f.auth())
    }),
    error(Go, Proof, "nats: Authentication Timeout", |f| {
        Closed(f.auth())
    }),
    error(
        Go,
        Proof,
        "nats: server maximum connections exceeded",
        |f| Disconnected(f.said_by_server()),
    ),
    error(Go, Proof, "nats: maximum connections exceeded", |f| {
        Disconnected(f.said_by_server())
    }),
    error(
        Go,
        Proof,
        "nats: maximum account active connections exceeded",
        |f| Disconnected(f.said_by_server()),
    ),
    error(
        Go,
        Proof,
        "nats: server maximum subscriptions exceeded",
        |f| Error(f.said_by_server()),
    ),
    error(Go, Proof, "nats: maximum subscriptions exceeded", |f| {
        Error(f.said_by_server())
    }),
    error(Go, Proof, "nats: permissions violation: {text}", |f| {
        Error(f.server_error())
    }),
    error(Go, Proof, "nats: Permissions Violation for {text}", |f| {
        Error(f.said_by_server())
    }),
    error(Go, Proof, "nats: maximum payload exceeded", |_| {
        PublishFailed(MaxPayload)
    }),
    error(Go, Proof, "nats: Maximum Payload Violation", |f| {
        Closed(f.said_by_server())
    }),
    error(Go, Proof, "nats: Slow Consumer", |f| {
        Closed(f.said_by_server())
    }),
    error(Go, Proof, "nats: Unknown Protocol Operation", |f| {
        Closed(f.said_by_server())
    }),
    error(Go, Proof, "nats: maximum control line exceeded", |f| {
        Closed(f.said_by_server())
    }),
    error(Go, Proof, "nats: timeout", |_| RequestTimeout),
    error(Go, Bare, "context deadline exceeded", |_| RequestTimeout),
    error(
        Go,
        Proof,
        "nats: no responders available for request",
        |_| NoResponders,
    ),
    error(
        Go,
        Proof,
        "nats: protocol exception, INFO not received",
        |f| ConnectFailed(f.not_nats()),
    ),
    error(Go, Proof, "nats: expected 'PONG', got '{text}'", |f| {
        ConnectFailed(f.not_nats())
    }),
    error(Go, Proof, "nats: Parse Error [{n}]: {text}", |f| {
        Disconnected(f.other())
    }),
    error(Go, Proof, "nats: secure connection required", |f| {
        ConnectFailed(f.tls())
    }),
    error(Go, Proof, "nats: secure connection not available", |f| {
        ConnectFailed(f.tls())
    }),
    error(Go, Proof, "nats: tls error: {text}", |f| {
        ConnectFailed(f.tls())
    }),
    error(Go, Proof, "nats: server is disconnected", |_| {
        Error(NotConnected)
    }),
    error(Go, Proof, "nats: no heartbeat received", |f| {
        Error(f.other())
    }),
    error(Go, Proof, "nats: server shutdown", |f| Error(f.other())),
    error(Go, Proof, "nats: no response from stream", |f| {
        Error(f.other())
    }),
    error(Go, Proof, "nats: consumer leadership changed", |f| {
        Error(f.other())
    }),
    error(Go, Proof, "nats: invalid connection", |_| {
        PublishFailed(NotConnected)
    }),
    error(
        Go,
        Proof,
        "nats: headers not supported by this server",
        |f| PublishFailed(f.other()),
    ),
    error(Go, Bare, "EOF", |_| Disconnected(Eof)),
];

/// The asynchronous error handler reports; the disconnect is said elsewhere.
fn asynchronous(kind: ClientEventKind) -> ClientEventKind {
    match kind {
        Disconnected(trouble) | Closed(trouble) | ConnectFailed(trouble) => Error(trouble),
        PublishFailed(Trouble::WriteTimeout) => Error(Trouble::WriteTimeout),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::super::said::Library;
    use super::super::tests::reads;
    use super::*;

    #[test]
    fn real_lines_are_read() {
        for (line, want) in [
            (
                "2026/11/23 05:14:07 Disconnected due to: read tcp 127.0.0.1:41120->127.0.0.1:23311: read: connection reset by peer, will attempt reconnects for 10m",
                Disconnected(Trouble::Reset),
            ),
            (
                "Connection closed. Reason: \"nats: no servers available for connection\"",
                Closed(NoServers),
            ),
            (
                "nats: slow consumer, messages dropped on connection [7] for subscription on \"foo\"",
                SlowConsumer,
            ),
            (
                "2026/11/23 05:32:24 Can't connect: write tcp 127.0.0.1:56870->127.0.0.1:33333: write: broken pipe",
                ConnectFailed(Trouble::BrokenPipe),
            ),
            (
                "2026/11/23 05:41:14 publish error: write tcp 127.0.0.1:35816->127.0.0.1:15494: i/o timeout",
                PublishFailed(Trouble::WriteTimeout),
            ),
            (
                "Got disconnected! Reason: %!q(<nil>)",
                Disconnected(Trouble::NoError),
            ),
        ] {
            assert_eq!(reads(line, Library::Go), Some(want), "{line}");
        }
    }
}
