//! nats-py, asyncio-nats-client and nats-core.
//!
//! The library logs one record, `nats: encountered error`, with a traceback whose last line is the error. Its own ping
//! timeout prints nothing (facts, trap 5), and `nats: stale connection` is an EOF in 2.0.x but the server's -ERR later
//! (trap 4): [`super::said::Trouble::StaleOrEof`].

use super::row::{Row, error, inner, line};
use super::said::ClientEventKind;
use super::said::ClientEventKind::{
    Closed, ConnectFailed, Connected, Disconnected, Draining, Error, GaveUp, LameDuck,
    NoResponders, PublishFailed, Reconnected, Reconnecting, RequestTimeout, SlowConsumer, Stale,
};
use super::said::Library::Python;
use super::said::Trouble::{
    self, BrokenPipe, BufferFull, Eof, MaxPayload, NoServers, NotConnected, StaleOrEof, Unsaid,
};
use super::said::Weight::{Bare, Idiom, Proof, Word};

pub(super) static ROWS: &[Row] = &[
    line(Python, Proof, "nats: encountered error", |_| Error(Unsaid)),
    // README, docstrings, nats.docs.
    line(Python, Idiom, "Got disconnected!", |_| Disconnected(Unsaid)),
    line(Python, Word, "Disconnected!", |_| Disconnected(Unsaid)),
    line(Python, Word, "Disconnected.", |_| Disconnected(Unsaid)),
    line(Python, Idiom, "Got disconnected...", |_| {
        Disconnected(Unsaid)
    }),
    line(Python, Word, "Disconnected...", |_| Disconnected(Unsaid)),
    line(Python, Idiom, "Got reconnected to NATS...", |_| Reconnected),
    line(Python, Idiom, "Got reconnected...", |_| Reconnected),
    line(Python, Idiom, "Got reconnected to {hostport}", |_| {
        Reconnected
    }),
    line(Python, Word, "Reconnected to {hostport}", |_| Reconnected),
    line(Python, Word, "There was an error: {err}", |f| {
        callback(f.inner(), f.text("err"))
    }),
    line(Python, Word, "Error: {err}", |f| {
        callback(f.inner(), f.text("err"))
    }),
    line(Python, Idiom, "Last Error: {err}", inner),
    line(Python, Word, "Connection is closed", |_| Closed(Unsaid)),
    line(Python, Proof, "Connection to NATS is closed.", |_| {
        Closed(Unsaid)
    }),
    line(Python, Word, "Connection closed prematurely", |_| {
        Closed(Unsaid)
    }),
    line(Python, Proof, "Connected to NATS at {hostport}", |_| {
        Connected
    }),
    line(
        Python,
        Word,
        "Can't publish since no longer connected.",
        |_| PublishFailed(NotConnected),
    ),
    line(
        Python,
        Idiom,
        "Slow consumer error, unsubscribing from handling further messages...",
        |_| SlowConsumer,
    ),
    line(Python, Word, "could not connect: {err}", |f| {
        ConnectFailed(f.err())
    }),
    // nats-core.
    line(Python, Word, "Connection closed by server", |_| {
        Disconnected(Eof)
    }),
    line(Python, Word, "Force disconnecting", |_| {
        Disconnected(Unsaid)
    }),
    line(Python, Proof, "Max outstanding PINGs reached", |_| Stale),
    line(Python, Word, "Starting reconnection process", |_| {
        Reconnecting(None)
    }),
    line(Python, Word, "Reconnection attempt {attempt}", |f| {
        Reconnecting(f.attempt())
    }),
    line(
        Python,
        Word,
        "Waiting {n}s before reconnection attempt",
        |_| Reconnecting(None),
    ),
    line(Python, Word, "Trying to reconnect to {url}", |_| {
        Reconnecting(None)
    }),
    line(Python, Proof, "<<- -ERR '{text}'", |f| {
        Error(f.server_error())
    }),
    line(Python, Word, "Failed to connect to {url}: {err}", |f| {
        ConnectFailed(f.err())
    }),
    line(
        Python,
        Idiom,
        "Failed to connect to any server in the pool",
        |_| ConnectFailed(NoServers),
    ),
    line(
        Python,
        Idiom,
        "Reconnection failed after maximum attempts",
        |_| GaveUp,
    ),
    line(Python, Idiom, "Server entered lame duck mode", |_| LameDuck),
    line(Python, Word, "Request timeout ({n}s) on {subj}", |_| {
        RequestTimeout
    }),
    // Error texts.
    error(Python, Proof, "nats: unexpected EOF", |_| Disconnected(Eof)),
    error(Python, Proof, "UnexpectedEOF()", |_| Disconnected(Eof)),
    error(Python, Proof, "nats: stale connection", |_| {
        Disconnected(StaleOrEof)
    }),
    error(
        Python,
        Proof,
        "<class 'nats.aio.errors.ErrStaleConnection'>",
        |_| Disconnected(Eof),
    ),
    error(Python, Word, "Connection lost", |_| Error(BrokenPipe)),
    error(Python, Bare, "TimeoutError()", |_| {
        ConnectFailed(Trouble::Timeout)
    }),
    error(Python, Bare, "asyncio.exceptions.TimeoutError", |_| {
        ConnectFailed(Trouble::Timeout)
    }),
    error(
        Python,
        Proof,
        "nats: no servers available for connection",
        |_| ConnectFailed(NoServers),
    ),
    error(Python, Proof, "nats: connection closed", |_| {
        PublishFailed(NotConnected)
    }),
    error(
        Python,
        Proof,
        "nats: outbound buffer limit exceeded",
        |_| PublishFailed(BufferFull),
    ),
    error(Python, Proof, "nats: 'Authorization Violation'", |f| {
        ConnectFailed(f.auth())
    }),
    error(Python, Proof, "nats: 'Authentication Timeout'", |f| {
        ConnectFailed(f.auth())
    }),
    error(Python, Proof, "nats: authorization violation", |f| {
        Error(f.auth())
    }),
    error(Python, Proof, "nats: authorization failed", |f| {
        Closed(f.auth())
    }),
    error(Python, Proof, "nats: 'maximum connections exceeded'", |f| {
        ConnectFailed(f.said_by_server())
    }),
    error(Python, Proof, "nats: '{text}'", |f| {
        ConnectFailed(f.server_error())
    }),
    error(Python, Proof, "nats: maximum payload violation", |f| {
        Closed(f.said_by_server())
    }),
    error(Python, Proof, "nats: slow consumer", |f| {
        Closed(f.said_by_server())
    }),
    error(
        Python,
        Proof,
        "nats: permissions violation for {text}",
        |f| Error(f.said_by_server()),
    ),
    error(
        Python,
        Proof,
        "nats: slow consumer, messages dropped subject: {subj}, sid: {text}",
        |_| SlowConsumer,
    ),
    error(
        Python,
        Proof,
        "nats: slow consumer, messages dropped",
        |_| SlowConsumer,
    ),
    error(Python, Proof, "nats: timeout", |_| RequestTimeout),
    error(Python, Proof, "nats: flush timeout", |_| {
        PublishFailed(Trouble::Timeout)
    }),
    error(
        Python,
        Proof,
        "nats: no responders available for request",
        |_| NoResponders,
    ),
    error(Python, Proof, "nats: maximum payload exceeded", |_| {
        PublishFailed(MaxPayload)
    }),
    error(Python, Proof, "nats: draining connection timed out", |_| {
        Draining
    }),
    error(Python, Proof, "nats: connection draining", |_| {
        PublishFailed(NotConnected)
    }),
    error(Python, Proof, "nats: connection reconnecting", |_| {
        Error(NotConnected)
    }),
    error(Python, Proof, "nats: protocol error", |f| {
        Disconnected(f.other())
    }),
    error(
        Python,
        Proof,
        "nats: empty response from server when expecting INFO message",
        |f| ConnectFailed(f.not_nats()),
    ),
    error(Python, Proof, "ConnectionReconnectingError", |_| {
        Error(NotConnected)
    }),
    error(Python, Proof, "NoServersError()", |_| {
        ConnectFailed(NoServers)
    }),
];

/// The error callback: an empty text is a dial or handshake that timed out (facts, trap 11).
fn callback(kind: ClientEventKind, text: &str) -> ClientEventKind {
    let said = text.split(" (").next().unwrap_or("").trim();
    if said.is_empty() || text.starts_with("(TimeoutError") {
        ConnectFailed(Trouble::Timeout)
    } else {
        kind
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
                "There was an error: nats: unexpected EOF",
                Disconnected(Eof),
            ),
            (
                "There was an error: nats: 'Authorization Violation'",
                ConnectFailed(Trouble::Auth("Authorization Violation".into())),
            ),
            ("There was an error: ", ConnectFailed(Trouble::Timeout)),
            (
                "There was an error: [Errno 104] Connection reset by peer",
                Disconnected(Trouble::Reset),
            ),
            (
                "There was an error: nats: stale connection",
                Disconnected(StaleOrEof),
            ),
            (
                "There was an error: [Errno 111] Connect call failed ('127.0.0.1', 26777)",
                ConnectFailed(Trouble::Refused),
            ),
        ] {
            assert_eq!(reads(line, Library::Python), Some(want), "{line}");
        }
    }
}
