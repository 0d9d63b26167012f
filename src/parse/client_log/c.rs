//! libnats (C): the default error handler (since 3.6.0), the error stack, and the status texts that programs print.
//!
//! The disconnected callback has no reason, and `GetLastError` is the last asynchronous error of the connection's life.

use super::row::{Row, error, inner, line};
use super::said::ClientEventKind;
use super::said::ClientEventKind::{
    Closed, ConnectFailed, Connected, Disconnected, Discovered, Error, NoResponders, PublishFailed,
    Reconnected, RequestTimeout, SlowConsumer,
};
use super::said::Library::C;
use super::said::Trouble::{
    self, BufferFull, Dns, MaxPayload, NoError, NoServers, NotConnected, Stale, Unsaid,
};
use super::said::Weight::{Bare, Idiom, Proof, Word};

pub(super) static ROWS: &[Row] = &[
    line(
        C,
        Proof,
        "Error {n} - {err} on connection [{cid}] on \"{subj}\"",
        |f| asynchronous(f.inner()),
    ),
    line(C, Proof, "Error {n} - {err} on connection [{cid}]", |f| {
        asynchronous(f.inner())
    }),
    line(
        C,
        Idiom,
        "Error: {n} - {status} - (conn.c:{n}): {err}",
        |f| first_connect(&f.inner(), f.text("status")),
    ),
    line(
        C,
        Idiom,
        "Error: {n} - {status} - (comsock.c:{n}): {err}",
        |f| first_connect(&f.inner(), f.text("status")),
    ),
    line(
        C,
        Idiom,
        "Error: {n} - {err} - (unix/sock.c:{n}): {text}",
        |f| first_connect(&f.inner(), f.text("err")),
    ),
    line(C, Idiom, "Stack: (library version: {version})", |_| {
        Error(Unsaid)
    }),
    line(C, Word, "Async error: {n} - {err}", |f| {
        asynchronous(f.inner())
    }),
    line(C, Word, "Error: {n} - {err}", inner),
    line(C, Word, "connection closed: {n} - {err}", |f| {
        closed(f.err())
    }),
    line(C, Word, "connection closed: {err}", |f| closed(f.err())),
    line(C, Word, "connect failed: {n} - {err}", |f| {
        ConnectFailed(f.err())
    }),
    line(C, Word, "Connection disconnected", |_| Disconnected(Unsaid)),
    line(C, Word, "Connection reconnected", |_| Reconnected),
    line(C, Word, "Connection closed", |_| Closed(Unsaid)),
    line(C, Word, "Got reconnected to: {url}", |_| Reconnected),
    line(C, Word, "Discovered server: {url}", |_| Discovered),
    line(C, Word, "Connection lost: {err}", |f| Closed(f.err())),
    line(
        C,
        Proof,
        "Connection permanently lost: clusterID={text} clientID={name} error={err}",
        |f| Closed(f.err()),
    ),
    line(C, Word, "connected as {name}", |_| Connected),
    // Status texts.
    error(C, Bare, "Connection Closed", |_| {
        PublishFailed(NotConnected)
    }),
    error(C, Bare, "Connection Disconnected", |_| {
        PublishFailed(NotConnected)
    }),
    error(C, Idiom, "No server available for connection", |_| {
        ConnectFailed(NoServers)
    }),
    error(C, Bare, "Stale Connection", |_| Disconnected(Stale)),
    error(C, Bare, "Authentication Violation", |f| Error(f.auth())),
    error(C, Bare, "Connection Auth Failed", |f| Error(f.auth())),
    error(C, Bare, "Not Permitted", |f| Error(f.said_by_server())),
    error(C, Bare, "Permissions Violation for {text}", |f| {
        Error(f.said_by_server())
    }),
    error(C, Bare, "Slow Consumer, messages dropped", |_| SlowConsumer),
    error(C, Bare, "Maximum Payload Exceeded", |_| {
        PublishFailed(MaxPayload)
    }),
    error(C, Bare, "Insufficient Buffer", |_| {
        PublishFailed(BufferFull)
    }),
    error(C, Bare, "Timeout", |_| RequestTimeout),
    error(C, Bare, "SSL Error", |f| ConnectFailed(f.tls())),
    error(C, Bare, "SSL handshake error: {text}", |f| {
        ConnectFailed(f.tls())
    }),
    error(C, Bare, "No responders available for request", |_| {
        NoResponders
    }),
    error(C, Bare, "Protocol Error", |f| ConnectFailed(f.not_nats())),
    error(C, Bare, "getaddrinfo error: {text}", |_| ConnectFailed(Dns)),
    error(
        C,
        Idiom,
        "Unexpected protocol: got '{word}' instead of 'INFO'",
        |f| ConnectFailed(f.not_nats()),
    ),
];

/// The asynchronous error handler reports; the disconnect is said elsewhere.
fn asynchronous(kind: ClientEventKind) -> ClientEventKind {
    match kind {
        Disconnected(trouble) | Closed(trouble) | ConnectFailed(trouble) => Error(trouble),
        other => other,
    }
}

/// An error stack after a failed connect: the detail, or the status where the detail says nothing.
fn first_connect(detail: &ClientEventKind, status: &str) -> ClientEventKind {
    match (detail.trouble(), status) {
        (_, "Timeout") => ConnectFailed(Trouble::Timeout),
        (_, "Connection Closed") => ConnectFailed(Trouble::Eof),
        (Some(Trouble::Other(text)), "Error" | "Authentication Violation") => {
            ConnectFailed(Trouble::server_error(&text))
        }
        (Some(trouble), _) => ConnectFailed(trouble),
        (None, _) => ConnectFailed(Unsaid),
    }
}

/// The closed callback with `GetLastError`: nothing or `OK` is an ordinary close.
fn closed(trouble: Trouble) -> ClientEventKind {
    match trouble {
        Unsaid => Closed(NoError),
        trouble => Closed(trouble),
    }
}

/// Whether a number and a text are one of libnats's statuses (src/status.c).
pub(super) fn is_status(number: &str, text: &str) -> bool {
    const STATUSES: &[(&str, &str)] = &[
        ("0", "OK"),
        ("1", "Error"),
        ("2", "Protocol Error"),
        ("3", "IO Error"),
        ("5", "Connection Closed"),
        ("6", "No server available for connection"),
        ("7", "Stale Connection"),
        ("8", "Secure Connection required by server"),
        ("9", "Secure Connection not available"),
        ("10", "Not Connected"),
        ("11", "Authentication Violation"),
        ("12", "Not Permitted"),
        ("20", "Slow Consumer, messages dropped"),
        ("21", "Maximum Payload Exceeded"),
        ("23", "Insufficient Buffer"),
        ("26", "Timeout"),
        ("29", "SSL Error"),
        ("31", "Connection Disconnected"),
        ("34", "No responders available for request"),
    ];
    STATUSES.contains(&(number, text))
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
                "Error 20 - Slow Consumer, messages dropped on connection [7] on \"foo\"",
                SlowConsumer,
            ),
            (
                "Error: 11 - Authentication Violation - (conn.c:2179): Authorization Violation",
                ConnectFailed(Trouble::Auth("Authorization Violation".into())),
            ),
            (
                "Error: 6 - No server available for connection - (conn.c:2385): No server available for connection",
                ConnectFailed(NoServers),
            ),
            (
                "publish error: 23 - Insufficient Buffer",
                PublishFailed(BufferFull),
            ),
            (
                "connection closed: 6 - No server available for connection",
                Closed(NoServers),
            ),
            ("connection closed: 0 - OK", Closed(NoError)),
        ] {
            assert_eq!(reads(line, Library::C), Some(want), "{line}");
        }
    }
}
