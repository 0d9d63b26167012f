//! The JavaScript clients: npm `nats` 1.x (events), 2.x and its siblings for Deno and WebSocket (status objects with
//! `data`), and `@nats-io` 3.x (status objects with named fields).
//!
//! The libraries print nothing themselves; applications print status objects, with `console.log`, as
//! `${s.type}: ${s.data}`, as JSON, or in words of their own. `staleConnection` also follows an authentication error
//! (facts, trap 6), which `reconstruct` undoes.

use super::row::{Row, error, inner, line};
use super::said::ClientEventKind::{
    Closed, ClosingByApplication, ConnectFailed, Connected, Disconnected, Discovered, Error,
    LameDuck, NoResponders, PingOut, PublishFailed, Reconnected, Reconnecting, RequestTimeout,
    SlowConsumer, Stale,
};
use super::said::Library::{JsV1, JsV2, JsV3};
use super::said::Trouble::{self, MaxPayload, NotConnected, Refused, Unsaid};
use super::said::Weight::{Bare, Idiom, Proof, Word};

pub(super) static ROWS: &[Row] = &[
    // console.log of a status, 2.x.
    line(
        JsV2,
        Proof,
        "{ type: 'disconnect', data: '{hostport}' }",
        |_| Disconnected(Unsaid),
    ),
    line(
        JsV2,
        Proof,
        "{ type: 'reconnecting', data: '{hostport}' }",
        |_| Reconnecting(None),
    ),
    line(
        JsV2,
        Proof,
        "{ type: 'reconnect', data: '{hostport}' }",
        |_| Reconnected,
    ),
    line(JsV2, Proof, "{ type: 'ldm', data: '{hostport}' }", |_| {
        LameDuck
    }),
    line(JsV2, Proof, "{ type: 'staleConnection', data: ''", |_| {
        Stale
    }),
    line(JsV2, Proof, "{ type: 'error', data: '{err}' }", |f| {
        Error(f.err())
    }),
    line(
        JsV2,
        Proof,
        "{ type: 'pingTimer', data: '{attempt}' }",
        |f| PingOut(f.attempt()),
    ),
    line(JsV2, Proof, "{ type: 'update', data: {", |_| Discovered),
    // 3.x.
    line(
        JsV3,
        Proof,
        "{ type: 'disconnect', server: '{hostport}' }",
        |_| Disconnected(Unsaid),
    ),
    line(JsV3, Proof, "{ type: 'reconnecting' }", |_| {
        Reconnecting(None)
    }),
    line(
        JsV3,
        Proof,
        "{ type: 'reconnect', server: '{hostport}' }",
        |_| Reconnected,
    ),
    line(JsV3, Proof, "{ type: 'ldm', server: '{hostport}' }", |_| {
        LameDuck
    }),
    line(JsV3, Proof, "{ type: 'staleConnection' }", |_| Stale),
    line(JsV3, Proof, "{ type: 'forceReconnect' }", |_| {
        ClosingByApplication
    }),
    line(JsV3, Idiom, "{ type: 'close' }", |_| Closed(Unsaid)),
    line(
        JsV3,
        Proof,
        "{ type: 'ping', pendingPings: {attempt} }",
        |f| PingOut(f.attempt()),
    ),
    line(JsV3, Proof, "{ type: 'slowConsumer',", |_| SlowConsumer),
    line(JsV3, Proof, "{ type: 'update', added: [", |_| Discovered),
    line(JsV3, Word, "type: 'error',", |_| Error(Unsaid)),
    // `${s.type}: ${s.data}` and `status: TYPE DATA`.
    line(JsV2, Idiom, "disconnect: {hostport}", |_| {
        Disconnected(Unsaid)
    }),
    line(JsV2, Idiom, "reconnecting: {hostport}", |_| {
        Reconnecting(None)
    }),
    line(JsV2, Idiom, "reconnect: {hostport}", |_| Reconnected),
    line(JsV2, Idiom, "ldm: {hostport}", |_| LameDuck),
    line(JsV2, Proof, "staleConnection: ", |_| Stale),
    line(JsV2, Proof, "pingTimer: {attempt}", |f| {
        PingOut(f.attempt())
    }),
    line(JsV2, Word, "update: [object Object]", |_| Discovered),
    line(JsV2, Idiom, "status: disconnect {hostport}", |_| {
        Disconnected(Unsaid)
    }),
    line(JsV2, Idiom, "status: reconnecting {hostport}", |_| {
        Reconnecting(None)
    }),
    line(JsV3, Word, "status: reconnecting", |_| Reconnecting(None)),
    line(JsV2, Idiom, "status: reconnect {hostport}", |_| Reconnected),
    line(JsV2, Idiom, "status: ldm {hostport}", |_| LameDuck),
    line(JsV2, Proof, "status: staleConnection", |_| Stale),
    line(JsV2, Proof, "status: pingTimer {attempt}", |f| {
        PingOut(f.attempt())
    }),
    line(JsV3, Word, "status: ping", |_| PingOut(None)),
    line(JsV3, Word, "status: close", |_| Closed(Unsaid)),
    line(JsV2, Word, "status: update {text}", |_| Discovered),
    line(JsV3, Word, "status: update", |_| Discovered),
    line(JsV2, Word, "status: error {err}", |f| Error(f.err())),
    // 1.x event names.
    line(JsV1, Word, "disconnect", |_| Disconnected(Unsaid)),
    line(JsV1, Word, "reconnecting", |_| Reconnecting(None)),
    line(JsV1, Word, "reconnect", |_| Reconnected),
    line(JsV1, Idiom, "reconnect to {hostport}", |_| Reconnected),
    line(JsV1, Word, "reconnect to {word}", |_| Reconnected),
    line(JsV1, Word, "close", |_| Closed(Unsaid)),
    line(JsV1, Word, "connect", |_| Connected),
    line(JsV1, Idiom, "connect to {hostport}", |_| Connected),
    line(JsV1, Word, "connect to {word}", |_| Connected),
    // README, examples, nats.docs.
    line(JsV2, Word, "connected to {hostport}", |_| Connected),
    line(JsV2, Word, "connected {hostport}", |_| Connected),
    line(JsV2, Idiom, "error connecting to nats: {err}", |f| {
        ConnectFailed(f.err())
    }),
    line(JsV2, Word, "error connecting to {err}", |f| {
        ConnectFailed(f.err())
    }),
    line(JsV2, Word, "error connecting: {err}", |f| {
        ConnectFailed(f.err())
    }),
    line(JsV2, Word, "closed with an error: {err}", |f| {
        Closed(f.err())
    }),
    line(JsV3, Word, "connection closed  with error: {err}", |f| {
        Closed(f.err())
    }),
    line(JsV2, Word, "connection closed with an error: {err}", |f| {
        Closed(f.err())
    }),
    line(JsV3, Word, "connection closed ", |_| Closed(Unsaid)),
    line(JsV2, Word, "connection closed!", |_| Closed(Unsaid)),
    line(
        JsV2,
        Word,
        "service {hostport} exited because of error: {err}",
        |f| Closed(f.err()),
    ),
    line(JsV2, Word, "client connected", |_| Connected),
    line(JsV2, Word, "client disconnected", |_| Disconnected(Unsaid)),
    line(JsV2, Word, "client reconnecting", |_| Reconnecting(None)),
    line(JsV2, Word, "client reconnected", |_| Reconnected),
    line(JsV2, Word, "client closed", |_| Closed(Unsaid)),
    line(JsV2, Word, "client got an error: {err}", |f| Error(f.err())),
    line(JsV2, Word, "error closing: {err}", |f| Closed(f.err())),
    line(JsV2, Idiom, "service {hostport} exited", |_| Closed(Unsaid)),
    // Printed by the library.
    line(
        JsV3,
        Proof,
        "reader closed Error: parse error [{n}]: {text}",
        |f| Error(f.other()),
    ),
    line(JsV2, Word, "!!! {text}: {err}", |f| Error(f.err())),
    // Codes of 2.x.
    error(JsV2, Idiom, "CONNECTION_REFUSED", |_| {
        ConnectFailed(Trouble::Other("CONNECTION_REFUSED".into()))
    }),
    error(JsV2, Idiom, "CONNECTION_CLOSED", |_| {
        PublishFailed(NotConnected)
    }),
    error(JsV2, Idiom, "CONNECTION_DRAINING", |_| {
        PublishFailed(NotConnected)
    }),
    error(JsV2, Idiom, "CONNECTION_TIMEOUT", |_| {
        ConnectFailed(Trouble::Timeout)
    }),
    error(JsV2, Bare, "DISCONNECT", |_| Error(NotConnected)),
    error(JsV2, Bare, "TIMEOUT", |_| RequestTimeout),
    error(JsV2, Proof, "NATS_PROTOCOL_ERR", |_| {
        Error(Trouble::ServerError("NATS_PROTOCOL_ERR".into()))
    }),
    error(JsV2, Idiom, "AUTHORIZATION_VIOLATION", |f| Error(f.auth())),
    error(JsV2, Idiom, "AUTHENTICATION_EXPIRED", |f| Error(f.auth())),
    error(JsV2, Idiom, "AUTHENTICATION_TIMEOUT", |f| Error(f.auth())),
    error(JsV2, Word, "ACCOUNT_EXPIRED", |f| Error(f.auth())),
    error(JsV2, Idiom, "PERMISSIONS_VIOLATION", |f| {
        Error(f.said_by_server())
    }),
    error(JsV2, Idiom, "MAX_PAYLOAD_EXCEEDED", |_| {
        PublishFailed(MaxPayload)
    }),
    error(JsV2, Bare, "503", |_| NoResponders),
    error(JsV2, Proof, "NatsError: 503", |_| NoResponders),
    error(JsV2, Proof, "NatsError: TIMEOUT", |_| RequestTimeout),
    error(JsV2, Proof, "NatsError: '{text}'", |f| {
        Error(f.server_error())
    }),
    error(JsV2, Proof, "NatsError: {err}", inner),
    // Classes of 3.x.
    error(JsV3, Idiom, "ConnectionError: connection refused", |_| {
        ConnectFailed(Refused)
    }),
    error(JsV3, Word, "TimeoutError: timeout", |_| RequestTimeout),
    error(JsV3, Bare, "timeout TimeoutError", |_| RequestTimeout),
    error(
        JsV3,
        Idiom,
        "ClosedConnectionError: closed connection",
        |_| PublishFailed(NotConnected),
    ),
    error(
        JsV3,
        Idiom,
        "DrainingConnectionError: connection draining",
        |_| PublishFailed(NotConnected),
    ),
    error(JsV3, Idiom, "RequestError: connection disconnected", |_| {
        Error(NotConnected)
    }),
    error(JsV3, Idiom, "RequestError: no responders: '{subj}'", |_| {
        NoResponders
    }),
    error(JsV3, Word, "ProtocolError: {text}", |f| {
        Error(f.server_error())
    }),
    error(JsV3, Word, "AuthorizationError: {text}", |f| {
        Error(Trouble::Auth(f.text("text").into()))
    }),
    error(JsV3, Idiom, "UserAuthenticationExpiredError: {text}", |f| {
        Error(Trouble::Auth(f.text("text").into()))
    }),
    error(JsV3, Idiom, "PermissionViolationError: {text}", |f| {
        Error(f.server_error())
    }),
    error(
        JsV3,
        Idiom,
        "InvalidArgumentError: 'payload' max_payload size exceeded",
        |_| PublishFailed(MaxPayload),
    ),
    error(
        JsV3,
        Proof,
        "error connecting - node provided an undefined error",
        |_| ConnectFailed(Trouble::Eof),
    ),
    error(JsV2, Idiom, "unexpected response from server", |f| {
        ConnectFailed(f.not_nats())
    }),
    // Codes of 1.x.
    error(JsV1, Word, "CONN_ERR", |f| ConnectFailed(f.other())),
    error(JsV1, Word, "Could not connect to server: {err}", |f| {
        ConnectFailed(f.err())
    }),
    error(JsV1, Word, "CONN_TIMEOUT", |_| {
        ConnectFailed(Trouble::Timeout)
    }),
    error(JsV1, Word, "CONN_CLOSED", |_| PublishFailed(NotConnected)),
    error(JsV1, Word, "CONN_DRAINING", |_| PublishFailed(NotConnected)),
    error(JsV1, Word, "REQ_TIMEOUT", |_| RequestTimeout),
    error(JsV1, Word, "SECURE_CONN_REQ", |f| ConnectFailed(f.tls())),
    error(JsV1, Word, "OPENSSL_ERR", |f| ConnectFailed(f.tls())),
    error(JsV1, Proof, "Server requires an Nkey signature.", |f| {
        ConnectFailed(f.auth())
    }),
    error(JsV1, Proof, "Client disconnected, flush was reset", |_| {
        Error(NotConnected)
    }),
    error(JsV3, Bare, "connection refused", |_| ConnectFailed(Refused)),
    error(JsV3, Bare, "closed connection", |_| {
        PublishFailed(NotConnected)
    }),
    error(JsV3, Bare, "connection draining", |_| {
        PublishFailed(NotConnected)
    }),
    error(JsV3, Bare, "timeout", |_| RequestTimeout),
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
                "{ type: 'disconnect', data: '127.0.0.1:22824' }",
                Disconnected(Unsaid),
            ),
            ("{ type: 'staleConnection', data: '' }", Stale),
            (
                "{ type: 'error', data: 'AUTHORIZATION_VIOLATION' }",
                Error(Trouble::Auth("AUTHORIZATION_VIOLATION".into())),
            ),
            (
                "    [cause]: Error: connect ECONNREFUSED 127.0.0.1:25695",
                ConnectFailed(Refused),
            ),
            (
                "1.617 publish error: CONN_CLOSED NatsError: Connection closed",
                PublishFailed(NotConnected),
            ),
        ] {
            assert_eq!(reads(line, Library::JsV2), Some(want), "{line}");
        }
    }
}
