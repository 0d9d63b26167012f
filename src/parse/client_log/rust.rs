//! async-nats (event lines and connector lines through `tracing`) and the older synchronous `nats` crate.
//!
//! `event: disconnected` is said alike for FIN, RST and a stale verdict; the reason is only in DEBUG lines. The
//! synchronous crate reports every lost stream as a reset, also a FIN.

use super::row::{Row, error, inner, line};
use super::said::ClientEventKind;
use super::said::ClientEventKind::{
    Closed, ClosingByApplication, ConnectFailed, Connected, Disconnected, Draining, Error, GaveUp,
    Handshake, LameDuck, NoResponders, PublishFailed, Reconnected, Reconnecting, RequestTimeout,
    SlowConsumer, Stale,
};
use super::said::Library::{RustAsync, RustSync};
use super::said::Trouble::{self, Dns, Eof, MaxPayload, MaxReconnects, NotConnected, Unsaid};
use super::said::Weight::{Bare, Idiom, Proof, Word};

pub(super) static ROWS: &[Row] = &[
    line(RustAsync, Proof, "event: connected", |_| Connected),
    line(RustAsync, Proof, "event: disconnected", |_| {
        Disconnected(Unsaid)
    }),
    line(RustAsync, Proof, "event: reconnected", |_| Reconnected),
    line(RustAsync, Idiom, "error : disconnected", |_| {
        Disconnected(Unsaid)
    }),
    line(RustAsync, Idiom, "error : reconnected", |_| Reconnected),
    line(RustAsync, Proof, "event: lame duck mode detected", |_| {
        LameDuck
    }),
    line(
        RustAsync,
        Proof,
        "event: slow consumers for subscription {sid}",
        |_| SlowConsumer,
    ),
    line(RustAsync, Proof, "event: draining", |_| Draining),
    line(RustAsync, Proof, "event: closed", |_| {
        Closed(Trouble::NoError)
    }),
    line(RustAsync, Proof, "event: server error: nats: {text}", |f| {
        Error(f.server_error())
    }),
    line(
        RustAsync,
        Proof,
        "event: client error: nats: max reconnects reached",
        |_| GaveUp,
    ),
    line(
        RustAsync,
        Proof,
        "event: client error: nats: timed out",
        |_| ConnectFailed(Trouble::Timeout),
    ),
    line(
        RustAsync,
        Proof,
        "event: client error: nats: authorization violation",
        |_| ConnectFailed(Trouble::Auth("authorization violation".into())),
    ),
    line(
        RustAsync,
        Proof,
        "event: client error: nats: TLS error",
        |_| ConnectFailed(Trouble::Tls("TLS error".into())),
    ),
    line(
        RustAsync,
        Proof,
        "event: client error: nats: DNS error",
        |_| ConnectFailed(Dns),
    ),
    line(RustAsync, Proof, "event: client error: nats: {err}", |f| {
        attempt(f.err())
    }),
    line(
        RustAsync,
        Idiom,
        "connected successfully server={word}",
        |_| Connected,
    ),
    line(
        RustAsync,
        Proof,
        "max reconnection attempts reached",
        |_| GaveUp,
    ),
    line(
        RustAsync,
        Proof,
        "authorization violation error=nats: {text}",
        |f| ConnectFailed(f.server_error()),
    ),
    line(
        RustAsync,
        Proof,
        "server error during connection error=nats: {text}",
        |f| ConnectFailed(f.server_error()),
    ),
    line(RustAsync, Proof, "expected INFO, got nothing", |f| {
        ConnectFailed(f.not_nats())
    }),
    line(
        RustAsync,
        Proof,
        "expected INFO, got different operation {text}",
        |f| ConnectFailed(f.not_nats()),
    ),
    line(RustAsync, Word, "connection closed unexpectedly", |_| {
        ConnectFailed(Eof)
    }),
    line(RustAsync, Word, "connection closed: {err}", |f| {
        match f.err() {
            Trouble::Other(_) => Closed(MaxReconnects),
            trouble => Closed(trouble),
        }
    }),
    line(
        RustAsync,
        Proof,
        "disconnecting due to too many pending pings pending_pings={n}",
        |_| Stale,
    ),
    line(RustAsync, Proof, "disconnected error=None", |_| {
        Disconnected(Eof)
    }),
    line(RustAsync, Proof, "disconnected error=Some({err})", |f| {
        Disconnected(f.err())
    }),
    line(RustAsync, Proof, "disconnected err={err}", |f| {
        Disconnected(f.err())
    }),
    line(
        RustAsync,
        Proof,
        "attempting connection attempt={attempt}",
        |f| Reconnecting(f.attempt()),
    ),
    line(
        RustAsync,
        Proof,
        "establishing connection socket_addr={R}",
        |_| Handshake,
    ),
    line(
        RustAsync,
        Idiom,
        "connection attempt failed server=ServerAddr({err}",
        |f| attempt(f.err()),
    ),
    line(RustAsync, Proof, "connection handshake timed out", |_| {
        ConnectFailed(Trouble::Timeout)
    }),
    line(RustAsync, Word, "reconnected", |_| Reconnected),
    line(RustAsync, Word, "disconnected", |_| Disconnected(Unsaid)),
    line(RustAsync, Proof, "reconnect requested", |_| {
        ClosingByApplication
    }),
    line(RustAsync, Proof, "server in lame duck mode", |_| LameDuck),
    line(
        RustAsync,
        Proof,
        "received server info server_id={id}",
        |_| Handshake,
    ),
    line(RustAsync, Proof, "received INFO: server_id={id}", |_| {
        Handshake
    }),
    line(
        RustAsync,
        Proof,
        "error reconnecting {text}. original error={err}",
        |f| Disconnected(f.err()),
    ),
    line(RustAsync, Word, "client error occurred: {err}", |f| {
        f.inner()
    }),
    line(RustAsync, Word, "other event happened: {err}", |f| {
        f.inner()
    }),
    line(RustAsync, Word, "event occurred: {err}", inner),
    line(
        RustSync,
        Proof,
        "slow consumer detected for subscription on subject {subj}. dropping messages on connection [{cid}]",
        |_| SlowConsumer,
    ),
    line(RustSync, Proof, "{err} on connection [{cid}]", |f| {
        Error(f.err())
    }),
    line(
        RustSync,
        Proof,
        "slow consumer detected for subscription on subject {subj}. dropping messages",
        |_| SlowConsumer,
    ),
    line(RustSync, Proof, "unknown op: {text}", |f| Error(f.other())),
    // Error texts.
    error(RustAsync, Idiom, "IO error: nats: {text}", |f| {
        ConnectFailed(f.server_error())
    }),
    error(
        RustAsync,
        Idiom,
        "IO error: expected INFO, got nothing",
        |f| ConnectFailed(f.not_nats()),
    ),
    error(
        RustAsync,
        Proof,
        "IO error: invalid server operation: {text}",
        |f| ConnectFailed(f.not_nats()),
    ),
    error(RustAsync, Bare, "IO error", |f| ConnectFailed(f.other())),
    error(RustAsync, Bare, "timed out", |_| {
        ConnectFailed(Trouble::Timeout)
    }),
    error(
        RustAsync,
        Proof,
        "authorization violation: nats: {text}",
        |f| ConnectFailed(f.server_error()),
    ),
    error(
        RustAsync,
        Idiom,
        "failed to send message: channel closed",
        |_| PublishFailed(NotConnected),
    ),
    error(
        RustAsync,
        Proof,
        "max payload size exceeded: {text}",
        |_| PublishFailed(MaxPayload),
    ),
    error(RustAsync, Word, "request timed out", |_| RequestTimeout),
    error(RustAsync, Bare, "no responders", |_| NoResponders),
    error(
        RustAsync,
        Proof,
        "reached maximum number of reconnects",
        |_| GaveUp,
    ),
];

/// A failed attempt, however its text reads.
fn attempt(trouble: Trouble) -> ClientEventKind {
    ConnectFailed(trouble)
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
                "2026-11-23T05:11:44.958810Z  INFO async_nats: event: disconnected",
                Disconnected(Unsaid),
            ),
            (
                "2026-11-23T05:31:45.710308Z DEBUG async_nats: disconnected error=Some(Os { code: 104, kind: ConnectionReset, message: \"Connection reset by peer\" })",
                Disconnected(Trouble::Reset),
            ),
            (
                "event: client error: nats: IO error: Connection refused (os error 111)",
                ConnectFailed(Trouble::Refused),
            ),
            (
                "2026-11-23T05:16:55.569813Z ERROR async_nats::connector: max reconnection attempts reached attempts=4 max_reconnects=3",
                GaveUp,
            ),
            (
                "2026-11-23T05:31:43.146449Z DEBUG async_nats: disconnecting due to too many pending pings pending_pings=3 max_pings=2",
                Stale,
            ),
        ] {
            assert_eq!(reads(line, Library::RustAsync), Some(want), "{line}");
        }
    }
}
