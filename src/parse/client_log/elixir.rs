//! gnat (Elixir): terse lines of its connection supervisor.

use super::row::{Row, line};
use super::said::ClientEventKind::{ConnectFailed, Disconnected, Reconnecting, Stale};
use super::said::Library::Elixir;
use super::said::Trouble::{self, Eof, Refused};
use super::said::Weight::{Proof, Word};

pub(super) static ROWS: &[Row] = &[
    line(Elixir, Word, "failed to connect {text}", |f| {
        ConnectFailed(term(f.text("text")))
    }),
    line(Elixir, Word, "connection failed {text}", |f| {
        Disconnected(term(f.text("text")))
    }),
    line(
        Elixir,
        Proof,
        "Closing connection because we did not receive a PONG back within {n}ms",
        |_| Stale,
    ),
    line(Elixir, Word, "timed out waiting for info", |_| {
        ConnectFailed(Trouble::Timeout)
    }),
    line(Elixir, Word, "tcp transport error {text}", |f| {
        Disconnected(term(f.text("text")))
    }),
    line(Elixir, Word, "connecting to %{text}", |_| {
        Reconnecting(None)
    }),
];

/// An Erlang reason: an atom, or a string.
fn term(text: &str) -> Trouble {
    let atom = text.trim_matches(|c| matches!(c, '"' | ':' | '{' | '}'));
    match atom {
        "econnrefused" => Refused,
        "econnreset" => Trouble::Reset,
        "epipe" => Trouble::BrokenPipe,
        "timeout" => Trouble::Timeout,
        "etimedout" => Trouble::KernelTimeout,
        "ehostunreach" => Trouble::Unreachable,
        "enetunreach" | "enetdown" => Trouble::NoNetwork,
        "nxdomain" => Trouble::Dns,
        "closed" | "connection closed" => Eof,
        _ => Trouble::Other(super::address::redact(text).into()),
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
                "05:12:00.000 [error] failed to connect :econnrefused",
                ConnectFailed(Refused),
            ),
            (
                "05:12:00.000 [error] connection failed \"connection closed\"",
                Disconnected(Eof),
            ),
            (
                "05:12:00.000 [error] Closing connection because we did not receive a PONG back within 10000ms",
                Stale,
            ),
        ] {
            assert_eq!(reads(line, Library::Elixir), Some(want), "{line}");
        }
    }
}
