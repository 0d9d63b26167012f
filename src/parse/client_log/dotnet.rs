//! The .NET clients: NATS.Net v2 and v3 (through Microsoft.Extensions.Logging) and NATS.Client v1 (console handlers).
//!
//! v2 says nothing at INFO when a connection is lost: the first sign is the next attempt.

use super::row::{Row, error, inner, line};
use super::said::ClientEventKind::{
    Closed, ClosingByApplication, ConnectFailed, Connected, Disconnected, Discovered, Error,
    GaveUp, LameDuck, NoResponders, PublishFailed, Reconnected, Reconnecting, RequestTimeout,
    SlowConsumer, Stale,
};
use super::said::Library::{DotNetV1, DotNetV2};
use super::said::Trouble::{
    self, Eof, MaxPayload, MaxReconnects, NoError, NoServers, NotConnected, Unsaid,
};
use super::said::Weight::{Bare, Idiom, Proof, Word};

pub(super) static ROWS: &[Row] = &[
    // NATS.Client.Core.
    line(DotNetV2, Proof, "Try to connect NATS {url}", |_| {
        Reconnecting(None)
    }),
    line(
        DotNetV2,
        Proof,
        "Tried to connect NATS {url} [{attempt}]",
        |f| Reconnecting(f.attempt()),
    ),
    line(DotNetV2, Proof, "Tried to connect NATS {url}", |_| {
        Reconnecting(None)
    }),
    line(
        DotNetV2,
        Proof,
        "Connect to NATS using {word} {url}",
        |_| Reconnecting(None),
    ),
    line(
        DotNetV2,
        Proof,
        "Reconnecting to NATS {url} [{attempt}]",
        |f| Reconnecting(f.attempt()),
    ),
    line(DotNetV2, Proof, "Reconnecting to NATS {url}", |_| {
        Reconnecting(None)
    }),
    line(
        DotNetV2,
        Proof,
        "Connect succeed {label}, NATS {url}",
        |_| Connected,
    ),
    line(
        DotNetV2,
        Proof,
        "Connection succeeded {label}, NATS {url} [{attempt}]",
        |_| Reconnected,
    ),
    line(
        DotNetV2,
        Proof,
        "Connection succeeded {label}, NATS {url}",
        |_| Reconnected,
    ),
    line(
        DotNetV2,
        Proof,
        "Received server info: ServerInfo {text}",
        |f| {
            if f.text("text").contains("LameDuckMode = True") {
                LameDuck
            } else {
                Connected
            }
        },
    ),
    line(DotNetV2, Proof, "Fail to connect NATS {url}", |_| {
        ConnectFailed(Unsaid)
    }),
    line(
        DotNetV2,
        Proof,
        "Failed to connect NATS {url} [{attempt}]",
        |_| ConnectFailed(Unsaid),
    ),
    line(DotNetV2, Proof, "Failed to connect NATS {url}", |_| {
        ConnectFailed(Unsaid)
    }),
    line(
        DotNetV2,
        Proof,
        "Server didn't respond to our ping requests. Aborting connection",
        |_| Stale,
    ),
    line(DotNetV2, Word, "Server error {text}", |f| {
        Error(f.server_error())
    }),
    line(DotNetV2, Word, "Authentication error: {text}", |f| {
        Error(Trouble::Auth(f.text("text").into()))
    }),
    line(
        DotNetV2,
        Proof,
        "Received same authentication error ({text}) twice in a row. Stopping retires",
        |f| Closed(Trouble::Auth(f.text("text").into())),
    ),
    line(
        DotNetV2,
        Idiom,
        "Retry loop stopped and connection state is invalid",
        |_| GaveUp,
    ),
    line(
        DotNetV2,
        Idiom,
        "Socket error in send buffer reader loop",
        |_| Disconnected(Unsaid),
    ),
    line(
        DotNetV2,
        Idiom,
        "Unexpected error in send buffer reader loop",
        |_| Error(Unsaid),
    ),
    line(DotNetV2, Idiom, "Socket closed during read loop", |_| {
        Disconnected(Eof)
    }),
    line(DotNetV2, Idiom, "Error occured during read loop", |_| {
        Error(Unsaid)
    }),
    line(DotNetV2, Word, "Protocol violation", |f| {
        Disconnected(f.other())
    }),
    line(
        DotNetV2,
        Idiom,
        "Slow consumer detected on subscription {subj}",
        |_| SlowConsumer,
    ),
    line(
        DotNetV2,
        Idiom,
        "Connection {label} is closed. Will cleanup and reconnect",
        |_| Disconnected(Unsaid),
    ),
    line(
        DotNetV2,
        Proof,
        "Forcing reconnection to NATS server",
        |_| ClosingByApplication,
    ),
    line(DotNetV2, Word, "Disposing connection {label}", |_| {
        Closed(NoError)
    }),
    line(DotNetV2, Word, "Ping timer error", |_| Error(Unsaid)),
    line(DotNetV2, Word, "Reached invalid line", |f| Error(f.other())),
    // Applications, from nats.docs and the sandbox.
    line(DotNetV2, Word, "Disconnected: {url}", |_| {
        Disconnected(Unsaid)
    }),
    line(DotNetV2, Word, "Connected: {url}", |_| Connected),
    line(DotNetV2, Word, "Reconnect Failed: {url}", |_| {
        ConnectFailed(Unsaid)
    }),
    line(DotNetV2, Word, "Dropped message: {subj}: {text}", |_| {
        SlowConsumer
    }),
    line(DotNetV2, Word, "[MSG] Error: {err}", inner),
    // NATS.Client v1's default handlers.
    line(
        DotNetV1,
        Proof,
        "DisconnectedEvent, Connection: {cid}, Error: {err}",
        |f| Disconnected(f.err()),
    ),
    line(
        DotNetV1,
        Proof,
        "DisconnectedEvent, Connection: {cid}",
        |_| Disconnected(Unsaid),
    ),
    line(
        DotNetV1,
        Proof,
        "ReconnectedEvent, Connection: {cid}",
        |_| Reconnected,
    ),
    line(
        DotNetV1,
        Proof,
        "ClosedEvent, Connection: {cid}, Error: {err}",
        |f| Closed(f.err()),
    ),
    line(DotNetV1, Proof, "ClosedEvent, Connection: {cid}", |_| {
        Closed(Unsaid)
    }),
    line(
        DotNetV1,
        Proof,
        "ServerDiscoveredEvent, Connection: {cid}",
        |_| Discovered,
    ),
    line(
        DotNetV1,
        Proof,
        "LameDuckModeEvent, Connection: {cid}",
        |_| LameDuck,
    ),
    line(
        DotNetV1,
        Proof,
        "AsyncErrorEvent, Connection: {cid}, Subscription: {sid}, Error: {err}",
        |f| {
            let kind = f.inner();
            match kind.trouble() {
                Some(trouble) if kind != SlowConsumer => Error(trouble),
                _ => kind,
            }
        },
    ),
    // Exceptions of v2.
    error(DotNetV2, Idiom, "can not connect uris: {url}", |_| {
        ConnectFailed(NoServers)
    }),
    error(
        DotNetV2,
        Proof,
        "can not start to connect nats server: {url}",
        |f| ConnectFailed(f.other()),
    ),
    error(DotNetV2, Bare, "No responders", |_| NoResponders),
    error(DotNetV2, Bare, "No reply received", |_| RequestTimeout),
    error(DotNetV2, Proof, "NatsNoRespondersException", |_| {
        NoResponders
    }),
    error(DotNetV2, Proof, "NatsNoReplyException", |_| RequestTimeout),
    error(DotNetV2, Proof, "NatsTimeoutException", |_| RequestTimeout),
    error(DotNetV2, Bare, "Server error: {text}", |f| {
        Error(f.server_error())
    }),
    error(
        DotNetV2,
        Proof,
        "NatsServerException: Server error: {text}",
        |f| Error(f.server_error()),
    ),
    error(
        DotNetV2,
        Idiom,
        "Payload size {n} exceeds server's maximum payload size {n}",
        |_| PublishFailed(MaxPayload),
    ),
    error(
        DotNetV2,
        Idiom,
        "Maximum authentication attempts exceeded",
        |f| Closed(f.auth()),
    ),
    error(
        DotNetV2,
        Idiom,
        "Maximum connection retry attempts exceeded",
        |_| Closed(MaxReconnects),
    ),
    error(DotNetV2, Idiom, "Connection is in failed state", |_| {
        PublishFailed(NotConnected)
    }),
    error(DotNetV2, Bare, "Operation timed out", |_| RequestTimeout),
    error(DotNetV2, Proof, "SocketClosedException", |_| {
        Disconnected(Eof)
    }),
    // Exceptions of v1.
    error(DotNetV1, Bare, "Connection is closed.", |_| {
        PublishFailed(NotConnected)
    }),
    error(DotNetV1, Bare, "Connection is stale.", |_| {
        Disconnected(Trouble::Stale)
    }),
    error(DotNetV1, Bare, "Consumer is too slow.", |_| SlowConsumer),
    error(
        DotNetV1,
        Bare,
        "Maximum payload size has been exceeded",
        |_| PublishFailed(MaxPayload),
    ),
    error(DotNetV1, Bare, "Timeout occurred.", |_| RequestTimeout),
    error(DotNetV1, Bare, "Unable to connect to a server.", |_| {
        ConnectFailed(NoServers)
    }),
    error(DotNetV1, Bare, "Unable to reconnect", |_| GaveUp),
    error(
        DotNetV1,
        Bare,
        "No responders are available for the request.",
        |_| NoResponders,
    ),
    error(DotNetV1, Bare, "Connection is draining.", |_| {
        PublishFailed(NotConnected)
    }),
    error(DotNetV1, Bare, "Server closed the connection.", |_| {
        Disconnected(Eof)
    }),
    error(DotNetV1, Proof, "Error from processErr(): {text}", |f| {
        Closed(f.server_error())
    }),
    error(DotNetV1, Proof, "NATSConnectionClosedException", |_| {
        PublishFailed(NotConnected)
    }),
    error(DotNetV1, Proof, "NATSStaleConnectionException", |_| {
        Disconnected(Trouble::Stale)
    }),
    error(DotNetV1, Proof, "NATSSlowConsumerException", |_| {
        SlowConsumer
    }),
    error(DotNetV1, Proof, "NATSMaxPayloadException", |_| {
        PublishFailed(MaxPayload)
    }),
    error(DotNetV1, Proof, "NATSTimeoutException", |_| RequestTimeout),
    error(DotNetV1, Proof, "NATSNoServersException", |_| {
        ConnectFailed(NoServers)
    }),
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
                "[10:55:05] info: NATS.Client.Core.NatsConnection[1001] Try to connect NATS nats://localhost:4222",
                Reconnecting(None),
            ),
            (
                "      Reconnecting to NATS nats://a:4222 [3]",
                Reconnecting(Some(3)),
            ),
            (
                "      Server didn't respond to our ping requests. Aborting connection",
                Stale,
            ),
            (
                "      Received same authentication error (authorization violation) twice in a row. Stopping retires",
                Closed(Trouble::Auth("authorization violation".into())),
            ),
            (
                "      System.Net.Sockets.SocketException (104): Connection reset by peer",
                Disconnected(Trouble::Reset),
            ),
        ] {
            assert_eq!(reads(line, Library::DotNetV2), Some(want), "{line}");
        }
    }
}
