//! nats-server's `ClosedState` texts (server/monitor.go), both ways. Unknown texts are kept.

/// Why the server says it closed a connection: a symptom, never by itself a cause.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the server's own constants, server/client.go")]
pub enum CloseReason {
    ClientClosed,
    AuthenticationTimeout,
    AuthenticationViolation,
    TlsHandshakeError,
    SlowConsumerPendingBytes,
    SlowConsumerWriteDeadline,
    WriteError,
    ReadError,
    ParseError,
    StaleConnection,
    ProtocolViolation,
    BadClientProtocolVersion,
    WrongPort,
    MaxAccountConnectionsExceeded,
    MaxConnectionsExceeded,
    MaxPayloadExceeded,
    MaxControlLineExceeded,
    MaxSubscriptionsExceeded,
    DuplicateRoute,
    RouteRemoved,
    ServerShutdown,
    AuthenticationExpired,
    WrongGateway,
    MissingAccount,
    Revocation,
    InternalClient,
    MsgHeaderViolation,
    NoRespondersRequiresHeaders,
    ClusterNameConflict,
    DuplicateRemoteLeafnodeConnection,
    DuplicateClientId,
    DuplicateServerName,
    MinimumVersionRequired,
    ClusterNamesIdentical,
    Kicked,
    ProxyNotTrusted,
    ProxyRequired,
    Other(Box<str>),
}

/// Each constant with its text; `Client` is what 1.2.0 to 1.4.1 printed for the first.
const TEXTS: &[(CloseReason, &str)] = &[
    (CloseReason::ClientClosed, "Client Closed"),
    (CloseReason::ClientClosed, "Client"),
    (CloseReason::AuthenticationTimeout, "Authentication Timeout"),
    (
        CloseReason::AuthenticationViolation,
        "Authentication Failure",
    ),
    (CloseReason::TlsHandshakeError, "TLS Handshake Failure"),
    (
        CloseReason::SlowConsumerPendingBytes,
        "Slow Consumer (Pending Bytes)",
    ),
    (
        CloseReason::SlowConsumerWriteDeadline,
        "Slow Consumer (Write Deadline)",
    ),
    (CloseReason::WriteError, "Write Error"),
    (CloseReason::ReadError, "Read Error"),
    (CloseReason::ParseError, "Parse Error"),
    (CloseReason::StaleConnection, "Stale Connection"),
    (CloseReason::ProtocolViolation, "Protocol Violation"),
    (
        CloseReason::BadClientProtocolVersion,
        "Bad Client Protocol Version",
    ),
    (CloseReason::WrongPort, "Incorrect Port"),
    (
        CloseReason::MaxAccountConnectionsExceeded,
        "Maximum Account Connections Exceeded",
    ),
    (
        CloseReason::MaxConnectionsExceeded,
        "Maximum Connections Exceeded",
    ),
    (
        CloseReason::MaxPayloadExceeded,
        "Maximum Message Payload Exceeded",
    ),
    (
        CloseReason::MaxControlLineExceeded,
        "Maximum Control Line Exceeded",
    ),
    (
        CloseReason::MaxSubscriptionsExceeded,
        "Maximum Subscriptions Exceeded",
    ),
    (CloseReason::DuplicateRoute, "Duplicate Route"),
    (CloseReason::RouteRemoved, "Route Removed"),
    (CloseReason::ServerShutdown, "Server Shutdown"),
    (CloseReason::AuthenticationExpired, "Authentication Expired"),
    (CloseReason::WrongGateway, "Wrong Gateway"),
    (CloseReason::MissingAccount, "Missing Account"),
    (CloseReason::Revocation, "Credentials Revoked"),
    (CloseReason::InternalClient, "Internal Client"),
    (CloseReason::MsgHeaderViolation, "Message Header Violation"),
    (
        CloseReason::NoRespondersRequiresHeaders,
        "No Responders Requires Headers",
    ),
    (CloseReason::ClusterNameConflict, "Cluster Name Conflict"),
    (
        CloseReason::DuplicateRemoteLeafnodeConnection,
        "Duplicate Remote LeafNode Connection",
    ),
    (CloseReason::DuplicateClientId, "Duplicate Client ID"),
    (CloseReason::DuplicateServerName, "Duplicate Server Name"),
    (
        CloseReason::MinimumVersionRequired,
        "Minimum Version Required",
    ),
    (
        CloseReason::ClusterNamesIdentical,
        "Cluster Names Identical",
    ),
    (CloseReason::Kicked, "Kicked"),
    (CloseReason::ProxyNotTrusted, "Proxy Not Trusted"),
    (CloseReason::ProxyRequired, "Proxy Required"),
];

impl CloseReason {
    /// The reason for a server's text.
    pub fn from_text(text: &str) -> Self {
        TEXTS
            .iter()
            .find(|(_, known)| *known == text)
            .map_or_else(|| Self::Other(text.into()), |(reason, _)| reason.clone())
    }

    /// The server only says that the client's side was gone first: EOF, or a read or write that failed. Never a reason of
    /// the server's own.
    pub const fn is_departure(&self) -> bool {
        matches!(
            self,
            Self::ClientClosed | Self::ReadError | Self::WriteError
        )
    }

    /// The server's text.
    pub fn text(&self) -> &str {
        match self {
            Self::Other(text) => text,
            known => TEXTS
                .iter()
                .find(|(reason, _)| reason == known)
                .map_or("", |(_, text)| text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_goes_both_ways() {
        for (reason, text) in TEXTS {
            assert_eq!(CloseReason::from_text(text), *reason);
        }
        assert_eq!(CloseReason::ServerShutdown.text(), "Server Shutdown");
        assert_eq!(CloseReason::from_text("Meteor").text(), "Meteor");
    }
}
