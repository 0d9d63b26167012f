//! What an end said about the close: the server's log, -ERR on the wire, and the same text in a client's log, all as
//! the server's own reasons. A statement may be wrong about the cause.

use crate::parse::server_log::close_reason::CloseReason;

use super::finding::Evidence;

/// Who said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Speaker {
    /// The server's log, monitoring or advisory.
    Server,
    /// -ERR on the wire.
    Wire,
    /// The client's log, quoting the server.
    Client,
}

/// A statement.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The reason that it amounts to.
    pub reason: CloseReason,
    /// Who said it.
    pub by: Speaker,
    /// Where to read it.
    pub evidence: Evidence,
}

/// -ERR texts that end a connection, and the close reason that goes with each (nats-server `server/errors.go` and the
/// callers of `closeConnection`). Compared without case; prefixes, since some carry names.
const ERRORS: &[(&str, CloseReason)] = &[
    ("unknown protocol operation", CloseReason::ProtocolViolation),
    ("parser error", CloseReason::ProtocolViolation),
    (
        "authorization violation",
        CloseReason::AuthenticationViolation,
    ),
    ("authorization timeout", CloseReason::AuthenticationTimeout),
    ("authentication timeout", CloseReason::AuthenticationTimeout),
    ("stale connection", CloseReason::StaleConnection),
    ("stale leaf node connection", CloseReason::StaleConnection),
    ("maximum payload violation", CloseReason::MaxPayloadExceeded),
    (
        "maximum control line exceeded",
        CloseReason::MaxControlLineExceeded,
    ),
    (
        "maximum connections exceeded",
        CloseReason::MaxConnectionsExceeded,
    ),
    (
        "connection throttling is active",
        CloseReason::MaxConnectionsExceeded,
    ),
    (
        "maximum account active connections exceeded",
        CloseReason::MaxAccountConnectionsExceeded,
    ),
    (
        "secure connection - tls required",
        CloseReason::TlsHandshakeError,
    ),
    (
        "invalid client protocol",
        CloseReason::BadClientProtocolVersion,
    ),
    (
        "no responders requires headers support",
        CloseReason::NoRespondersRequiresHeaders,
    ),
    (
        "message headers not supported",
        CloseReason::ProtocolViolation,
    ),
    (
        "user authentication expired",
        CloseReason::AuthenticationExpired,
    ),
    (
        "account authentication expired",
        CloseReason::AuthenticationExpired,
    ),
    ("user authentication revoked", CloseReason::Revocation),
    ("attempted to connect to", CloseReason::WrongPort),
    ("account missing", CloseReason::ProtocolViolation),
    (
        "rejecting connection, cluster name",
        CloseReason::ClusterNameConflict,
    ),
    (
        "rejecting connection from gateway",
        CloseReason::WrongGateway,
    ),
    ("connection to gateway", CloseReason::WrongGateway),
    (
        "remote leafnode has same cluster name",
        CloseReason::ClusterNamesIdentical,
    ),
    (
        "connection rejected since minimum version required",
        CloseReason::MinimumVersionRequired,
    ),
    (
        "duplicate remote leafnode connection",
        CloseReason::DuplicateRemoteLeafnodeConnection,
    ),
    ("loop detected for leafnode", CloseReason::ProtocolViolation),
    ("invalid route pool index", CloseReason::ProtocolViolation),
];

/// The close reason of a fatal -ERR text; `None` for texts that keep the connection (permissions, subscriptions).
pub fn reason_of_error(text: &str) -> Option<CloseReason> {
    let text = text.trim().trim_matches('\'').to_ascii_lowercase();
    let text = text
        .strip_prefix("nats: ")
        .unwrap_or(&text)
        .trim_matches('\'');
    ERRORS
        .iter()
        .find(|(known, _)| text.starts_with(known))
        .map(|(_, reason)| reason.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_all_spellings_give_the_reason() {
        for (text, reason) in [
            (
                "Authorization Violation",
                CloseReason::AuthenticationViolation,
            ),
            (
                "nats: 'Authorization Violation'",
                CloseReason::AuthenticationViolation,
            ),
            (
                "maximum connections exceeded",
                CloseReason::MaxConnectionsExceeded,
            ),
            (
                "Maximum Control Line Exceeded",
                CloseReason::MaxControlLineExceeded,
            ),
            (
                "attempted to connect to leaf node port",
                CloseReason::WrongPort,
            ),
        ] {
            assert_eq!(reason_of_error(text), Some(reason), "{text}");
        }
        assert_eq!(
            reason_of_error("Permissions Violation for Publish to \"a\""),
            None
        );
        assert_eq!(reason_of_error("maximum subscriptions exceeded"), None);
    }
}
