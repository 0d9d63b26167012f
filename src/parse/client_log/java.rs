//! jnats: the default error listener (since 2.13.0) and the texts of its connection events and exceptions.
//!
//! `Connection: N` is the cid of the last INFO, also while down; 0 is before the first (facts, trap 7). The event
//! `disconnected` repeats for every failed attempt (trap 8).

use super::row::{Row, error, inner, line};
use super::said::ClientEventKind::{
    Closed, ConnectFailed, Connected, Disconnected, Discovered, Error, LameDuck, NoResponders,
    PublishFailed, Reconnected, Reconnecting, RequestTimeout, SlowConsumer,
};
use super::said::Library::Java;
use super::said::Trouble::{
    self, BrokenPipe, BufferFull, Eof, MaxPayload, NoError, NoServers, NotConnected, Stale, Unsaid,
};
use super::said::Weight::{Bare, Idiom, Proof, Word};

pub(super) static ROWS: &[Row] = &[
    // ErrorListenerLoggerImpl and ErrorListenerConsoleImpl.
    line(
        Java,
        Proof,
        "errorOccurred, Connection: {cid}, Error: {text}",
        |f| Error(f.server_error()),
    ),
    line(Java, Proof, "errorOccurred, Error: {text}", |f| {
        Error(f.server_error())
    }),
    line(
        Java,
        Proof,
        "exceptionOccurred, Connection: {cid}, Exception: {err}",
        inner,
    ),
    line(Java, Proof, "exceptionOccurred, Exception: {err}", |f| {
        f.inner()
    }),
    line(
        Java,
        Proof,
        "slowConsumerDetected, Connection: {cid}, Consumer: {text}",
        |_| SlowConsumer,
    ),
    line(
        Java,
        Proof,
        "messageDiscarded, Connection: {cid}, Message: {text}",
        |_| PublishFailed(BufferFull),
    ),
    line(
        Java,
        Proof,
        "heartbeatAlarm, Connection: {cid}, {text}",
        |_| Error(Trouble::Other("heartbeat alarm".into())),
    ),
    line(Java, Proof, "socketWriteTimeout, Connection: {cid}", |_| {
        Error(Trouble::WriteTimeout)
    }),
    line(
        Java,
        Proof,
        "unhandledStatus, Connection: {cid}, {text}",
        |f| Error(f.other()),
    ),
    line(
        Java,
        Proof,
        "pullStatusWarning, Connection: {cid}, {text}",
        |f| Error(f.other()),
    ),
    line(
        Java,
        Proof,
        "pullStatusError, Connection: {cid}, {text}",
        |f| Error(f.other()),
    ),
    // nats.docs and examples.
    line(Java, Word, "Connection event - {err}", inner),
    line(Java, Word, "Status change {err}", inner),
    line(Java, Word, "Connection Event:{err}", inner),
    line(
        Java,
        Idiom,
        "The server notificed the client with: {text}",
        |f| Error(f.server_error()),
    ),
    line(
        Java,
        Idiom,
        "The connection handled an exception: {err}",
        inner,
    ),
    line(Java, Word, "A slow consumer was detected.", |_| {
        SlowConsumer
    }),
    line(Java, Idiom, "A slow consumer dropped messages: {n}", |_| {
        SlowConsumer
    }),
    line(Java, Proof, "NATS connection error occurred {text}", |f| {
        Error(f.server_error())
    }),
    line(Java, Proof, "NATS connection exception occurred", |_| {
        Error(Unsaid)
    }),
    line(
        Java,
        Proof,
        "NATS connection slow consumer detected",
        |_| SlowConsumer,
    ),
    line(Java, Word, "An error occurred {text}", |f| {
        Error(f.server_error())
    }),
    line(Java, Word, "Exiting due to exception [{err}]", |f| {
        Closed(f.err())
    }),
    line(Java, Word, "Reconnected to:{url}", |_| Reconnected),
    line(Java, Word, "Reconnecting...", |_| Reconnecting(None)),
    line(Java, Word, "Disconnected", |_| Disconnected(Unsaid)),
    line(Java, Word, "Known server: {url}", |_| Discovered),
    // Connection events, alone or inside other lines.
    error(Java, Proof, "nats: connection opened", |_| Connected),
    error(Java, Proof, "nats: connection closed", |_| Closed(Unsaid)),
    error(Java, Proof, "nats: connection disconnected", |_| {
        Disconnected(Unsaid)
    }),
    error(Java, Proof, "nats: connection reconnected", |_| Reconnected),
    error(Java, Proof, "nats: subscriptions re-established", |_| {
        Reconnected
    }),
    error(Java, Proof, "nats: discovered servers", |_| Discovered),
    error(Java, Proof, "nats: lame duck mode", |_| LameDuck),
    // Exceptions.
    error(
        Java,
        Word,
        "java.io.IOException: Read channel closed.",
        |_| Disconnected(Eof),
    ),
    error(Java, Idiom, "Read channel closed.", |_| Disconnected(Eof)),
    error(Java, Bare, "Connection reset", |_| {
        Disconnected(Trouble::Reset)
    }),
    error(
        Java,
        Word,
        "java.net.SocketException: Connection reset",
        |_| Disconnected(Trouble::Reset),
    ),
    error(Java, Word, "java.net.SocketException: Broken pipe", |_| {
        Error(BrokenPipe)
    }),
    error(
        Java,
        Word,
        "java.net.SocketException: Socket closed",
        |_| Error(NoError),
    ),
    error(Java, Proof, "Max outgoing Ping count exceeded.", |_| {
        Disconnected(Stale)
    }),
    error(
        Java,
        Proof,
        "java.lang.IllegalStateException: Max outgoing Ping count exceeded.",
        |_| Disconnected(Stale),
    ),
    error(Java, Word, "java.util.concurrent.TimeoutException", |_| {
        ConnectFailed(Trouble::Timeout)
    }),
    error(
        Java,
        Word,
        "java.util.concurrent.TimeoutException: connection timed out",
        |_| ConnectFailed(Trouble::Timeout),
    ),
    error(
        Java,
        Word,
        "java.net.ConnectException: Connection refused",
        |_| ConnectFailed(Trouble::Refused),
    ),
    error(
        Java,
        Word,
        "java.net.SocketTimeoutException: Connect timed out",
        |_| ConnectFailed(Trouble::Timeout),
    ),
    error(
        Java,
        Word,
        "java.net.NoRouteToHostException: {text}",
        |_| ConnectFailed(Trouble::Unreachable),
    ),
    error(
        Java,
        Word,
        "java.net.SocketException: Network is unreachable",
        |_| ConnectFailed(Trouble::NoNetwork),
    ),
    error(Java, Word, "java.net.UnknownHostException: {text}", |_| {
        ConnectFailed(Trouble::Dns)
    }),
    error(
        Java,
        Proof,
        "Unable to connect to NATS servers: {url}",
        |_| ConnectFailed(NoServers),
    ),
    error(
        Java,
        Proof,
        "Authentication error connecting to NATS server: {text}",
        |f| ConnectFailed(Trouble::Auth(f.text("text").into())),
    ),
    error(
        Java,
        Idiom,
        "java.lang.IllegalStateException: Connection is Closed",
        |_| PublishFailed(NotConnected),
    ),
    error(
        Java,
        Idiom,
        "java.lang.IllegalStateException: Connection is Draining",
        |_| PublishFailed(NotConnected),
    ),
    error(
        Java,
        Proof,
        "Unable to queue any more messages during reconnect, max buffer is {n}",
        |_| PublishFailed(BufferFull),
    ),
    error(
        Java,
        Idiom,
        "java.lang.IllegalStateException: Output queue is full {n}",
        |_| PublishFailed(BufferFull),
    ),
    error(
        Java,
        Proof,
        "Message payload size exceed server configuration {n} vs {n}",
        |_| PublishFailed(MaxPayload),
    ),
    error(
        Java,
        Idiom,
        "Timeout out waiting for connection before flush.",
        |_| PublishFailed(Trouble::Timeout),
    ),
    error(Java, Idiom, "Attempted to flush while closed", |_| {
        PublishFailed(NotConnected)
    }),
    error(
        Java,
        Word,
        "java.util.concurrent.CancellationException",
        |_| NoResponders,
    ),
    error(Java, Idiom, "SSL required by server.", |f| {
        ConnectFailed(f.tls())
    }),
    error(Java, Idiom, "SSL connection wanted by client.", |f| {
        ConnectFailed(f.tls())
    }),
    error(Java, Proof, "Failed to read initial info message.", |_| {
        ConnectFailed(Eof)
    }),
    // -ERR glued to INFO: almost always a connection limit (facts, trap 10), but the text is lost.
    error(Java, Proof, "Read past initial info message.", |f| {
        ConnectFailed(f.not_nats())
    }),
    error(Java, Proof, "Parse Protocol OP_UNKNOWN", |f| {
        Disconnected(f.other())
    }),
    error(
        Java,
        Proof,
        "Timeout or no response waiting for NATS JetStream server",
        |_| RequestTimeout,
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
                "SEVERE: exceptionOccurred, Connection: 101, Exception: java.io.IOException: Read channel closed.",
                Disconnected(Eof),
            ),
            (
                "SEVERE: exceptionOccurred, Connection: 101, Exception: java.lang.IllegalStateException: Max outgoing Ping count exceeded.",
                Disconnected(Stale),
            ),
            (
                "SEVERE: exceptionOccurred, Connection: 101, Exception: java.net.SocketTimeoutException: Connect timed out",
                ConnectFailed(Trouble::Timeout),
            ),
            (
                "SEVERE: exceptionOccurred, Connection: 0, Exception: java.util.concurrent.ExecutionException: java.io.IOException: Read past initial info message.",
                ConnectFailed(Trouble::NotNats("Read past initial info message.".into())),
            ),
            (
                "SEVERE: errorOccurred, Connection: 101, Error: Authorization Violation",
                Error(Trouble::Auth("Authorization Violation".into())),
            ),
            (
                "Connection event - nats: connection disconnected",
                Disconnected(Unsaid),
            ),
        ] {
            assert_eq!(reads(line, Library::Java), Some(want), "{line}");
        }
    }
}
