//! nats.swift: its few log lines and its errors (0.4.0).

use super::row::{Row, error, line};
use super::said::ClientEventKind::{ConnectFailed, Disconnected, Error, GaveUp, PublishFailed};
use super::said::Library::Swift;
use super::said::Trouble::{self, NotConnected, Stale};
use super::said::Weight::{Idiom, Proof};

pub(super) static ROWS: &[Row] = &[
    line(
        Swift,
        Proof,
        "could not reconnect; maxReconnects exceeded",
        |_| GaveUp,
    ),
    line(Swift, Idiom, "Unable to send ping: {err}", |f| {
        Error(f.err())
    }),
    error(Swift, Proof, "nats: stale connection", |_| {
        Disconnected(Stale)
    }),
    error(Swift, Proof, "nats: maximum connections exceeded", |f| {
        Disconnected(f.said_by_server())
    }),
    error(Swift, Proof, "nats: connection is closed", |_| {
        PublishFailed(NotConnected)
    }),
    error(Swift, Proof, "nats: max reconnects exceeded", |_| GaveUp),
    error(
        Swift,
        Proof,
        "nats: timed out waiting for connection",
        |_| ConnectFailed(Trouble::Timeout),
    ),
];

#[cfg(test)]
mod tests {
    use super::super::said::Library;
    use super::super::tests::reads;
    use super::*;

    #[test]
    fn real_lines_are_read() {
        for (line, want) in [
            ("error: could not reconnect; maxReconnects exceeded", GaveUp),
            (
                "nats: timed out waiting for connection",
                ConnectFailed(Trouble::Timeout),
            ),
        ] {
            assert_eq!(reads(line, Library::Swift), Some(want), "{line}");
        }
    }
}
