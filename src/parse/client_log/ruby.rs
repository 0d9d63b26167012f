//! nats-pure (Ruby): it prints nothing; these are its errors and the callbacks of its README.

use super::row::{Row, error, inner, line};
use super::said::ClientEventKind::{
    Closed, ConnectFailed, Disconnected, Draining, Reconnected, SlowConsumer,
};
use super::said::Library::Ruby;
use super::said::Trouble::{NoServers, Stale, Unsaid};
use super::said::Weight::{Idiom, Proof, Word};

pub(super) static ROWS: &[Row] = &[
    line(Ruby, Word, "Error: {err}", inner),
    line(Ruby, Idiom, "Reconnected to server at {url}", |_| {
        Reconnected
    }),
    line(Ruby, Word, "Disconnected!", |_| Disconnected(Unsaid)),
    line(Ruby, Proof, "Connection to NATS closed", |_| Closed(Unsaid)),
    line(Ruby, Idiom, "Got disconnected! {err}", |f| {
        Disconnected(f.err())
    }),
    line(Ruby, Idiom, "Got reconnected to {url}", |_| Reconnected),
    error(Ruby, Proof, "nats: stale connection", |_| {
        Disconnected(Stale)
    }),
    error(Ruby, Proof, "nats: No servers available", |_| {
        ConnectFailed(NoServers)
    }),
    error(Ruby, Proof, "nats: slow consumer, messages dropped", |_| {
        SlowConsumer
    }),
    error(Ruby, Proof, "nats: draining connection timed out", |_| {
        Draining
    }),
    error(
        Ruby,
        Proof,
        "nats: protocol exception, INFO not received",
        |f| ConnectFailed(f.not_nats()),
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
            (
                "Got disconnected! nats: stale connection",
                Disconnected(Stale),
            ),
            ("Reconnected to server at nats://a:4222", Reconnected),
        ] {
            assert_eq!(reads(line, Library::Ruby), Some(want), "{line}");
        }
    }
}
