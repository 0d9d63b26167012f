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
