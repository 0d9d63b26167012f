//! The texts of -ERR, typed. nats-server's own spelling changed over time (title case until 1.3.0 or 2.1.4 for several),
//! so texts are compared without regard to case.

/// What an -ERR says. Since-versions are nats-server's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProtocolError {
    /// `Unknown Protocol Operation`: the parser met bytes that it does not know.
    UnknownOperation,
    /// `Parser Error`, 0.5.1 to 1.1.0.
    Parser,
    /// `Authorization Violation`: refused, or no longer allowed after a reload.
    AuthorizationViolation,
    /// `Authentication Timeout`, until 1.4.1 `Authorization Timeout`.
    AuthenticationTimeout,
    /// `Stale Connection`; between leafnodes since 2.2.2 `Stale Leaf Node Connection - Closing`.
    StaleConnection,
    /// `Slow Consumer`: never sent by nats-server, known to clients.
    SlowConsumer,
    /// `Maximum Payload Violation`, since 0.6.2.
    MaxPayload,
    /// `maximum control line exceeded`, since 0.9.2.
    MaxControlLine,
    /// `maximum connections exceeded`, since 0.9.6.
    MaxConnections,
    /// `maximum account active connections exceeded`, since 2.0.0.
    MaxAccountConnections,
    /// `maximum subscriptions exceeded`, since 1.2.0; closes the connection only when limits are applied anew.
    MaxSubscriptions,
    /// `Secure Connection - TLS Required`, since 0.7.0.
    TlsRequired,
    /// `Connection throttling is active. Please try again later.`, since 2.7.0: TLS handshakes above the rate limit.
    Throttled,
    /// `invalid client protocol`, since 1.0.0.
    InvalidClientProtocol,
    /// `no responders requires headers support`, since 2.2.0.
    NoRespondersRequiresHeaders,
    /// `User Authentication Expired`, since 2.0.0.
    UserExpired,
    /// `Account Authentication Expired`, since 2.0.0.
    AccountExpired,
    /// `User Authentication Revoked`, since 2.0.4.
    UserRevoked,
    /// `attempted to connect to route port`, since 1.0.0; gateway and leafnode ports since 2.0.0.
    WrongPort(Port),
    /// `account missing`, 2.0.0 to 2.7.1.
    AccountMissing,
    /// `account exists`, 2.0.0 to 2.7.1.
    AccountExists,
    /// `Failed Account Registration`, since 2.0.0; keeps the connection.
    FailedAccountRegistration,
    /// `Permissions Violation for ...`, since 0.9.2; keeps a client's connection, closes a leafnode's. What follows `for`.
    Permissions(Box<str>),
    /// `Invalid Subject`, since 0.5.1; keeps the connection.
    InvalidSubject,
    /// `Invalid Publish Subject`, since 1.2.0; keeps the connection.
    InvalidPublishSubject,
    /// `Invalid Subscription`, since 2.0.0, between servers; keeps the connection.
    InvalidSubscription,
    /// `Rejecting connection, cluster name "A" does not match "B"`, since 2.2.0.
    ClusterName(Box<str>),
    /// Gateways refused: rejected by name, on a wrong port, or sent to another cluster; since 2.0.0.
    Gateway(Box<str>),
    /// `Loop detected for leafnode account="A". Delaying attempt to reconnect for 30s`, since 2.1.2.
    LeafnodeLoop(Box<str>),
    /// `remote leafnode has same cluster name`, since 2.9.0.
    LeafnodeSameCluster,
    /// `cluster name cannot contain spaces`, since 2.10.19.
    ClusterNameSpaces,
    /// `connection rejected since minimum version required is "V"`, since 2.8.0: V.
    MinimumVersion(Box<str>),
    /// `Duplicate Remote LeafNode Connection`, since 2.2.0.
    DuplicateLeafnode,
    /// Route pools that do not fit: `Invalid route pool index`, `No route for account`, `Unable to lookup account`,
    /// `Not possible to have a dedicated route`, since 2.10.0.
    RoutePool(Box<str>),
    /// Any other text.
    Other(Box<str>),
}

/// A port that is not for clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the configuration's own words")]
pub enum Port {
    Route,
    Gateway,
    Leafnode,
}

/// Texts without a variable part; where two texts mean the same, the present one comes first.
const FIXED: &[(&str, ProtocolError)] = &[
    (
        "Unknown Protocol Operation",
        ProtocolError::UnknownOperation,
    ),
    ("Parser Error", ProtocolError::Parser),
    (
        "Authorization Violation",
        ProtocolError::AuthorizationViolation,
    ),
    (
        "Authentication Timeout",
        ProtocolError::AuthenticationTimeout,
    ),
    (
        "Authorization Timeout",
        ProtocolError::AuthenticationTimeout,
    ),
    ("Stale Connection", ProtocolError::StaleConnection),
    (
        "Stale Leaf Node Connection - Closing",
        ProtocolError::StaleConnection,
    ),
    ("Slow Consumer", ProtocolError::SlowConsumer),
    ("Maximum Payload Violation", ProtocolError::MaxPayload),
    (
        "maximum control line exceeded",
        ProtocolError::MaxControlLine,
    ),
    (
        "maximum connections exceeded",
        ProtocolError::MaxConnections,
    ),
    (
        "maximum account active connections exceeded",
        ProtocolError::MaxAccountConnections,
    ),
    (
        "maximum subscriptions exceeded",
        ProtocolError::MaxSubscriptions,
    ),
    (
        "Secure Connection - TLS Required",
        ProtocolError::TlsRequired,
    ),
    (
        "Connection throttling is active. Please try again later.",
        ProtocolError::Throttled,
    ),
    (
        "invalid client protocol",
        ProtocolError::InvalidClientProtocol,
    ),
    (
        "no responders requires headers support",
        ProtocolError::NoRespondersRequiresHeaders,
    ),
    ("User Authentication Expired", ProtocolError::UserExpired),
    (
        "Account Authentication Expired",
        ProtocolError::AccountExpired,
    ),
    ("User Authentication Revoked", ProtocolError::UserRevoked),
    (
        "attempted to connect to route port",
        ProtocolError::WrongPort(Port::Route),
    ),
    (
        "attempted to connect to gateway port",
        ProtocolError::WrongPort(Port::Gateway),
    ),
    (
        "attempted to connect to leaf node port",
        ProtocolError::WrongPort(Port::Leafnode),
    ),
    ("account missing", ProtocolError::AccountMissing),
    ("account exists", ProtocolError::AccountExists),
    (
        "Failed Account Registration",
        ProtocolError::FailedAccountRegistration,
    ),
    ("Invalid Subject", ProtocolError::InvalidSubject),
    (
        "Invalid Publish Subject",
        ProtocolError::InvalidPublishSubject,
    ),
    ("Invalid Subscription", ProtocolError::InvalidSubscription),
    (
        "remote leafnode has same cluster name",
        ProtocolError::LeafnodeSameCluster,
    ),
    (
        "cluster name cannot contain spaces",
        ProtocolError::ClusterNameSpaces,
    ),
    (
        "Duplicate Remote LeafNode Connection",
        ProtocolError::DuplicateLeafnode,
    ),
];

type Build = fn(Box<str>) -> ProtocolError;

/// Texts with a variable part: how they begin.
const BEGINNINGS: &[(&str, Build)] = &[
    (
        "Rejecting connection, cluster name ",
        ProtocolError::ClusterName,
    ),
    ("Rejecting connection from gateway ", ProtocolError::Gateway),
    ("Connection to gateway ", ProtocolError::Gateway),
    ("Connection from ", ProtocolError::Gateway),
    ("Attempt to connect to gateway ", ProtocolError::Gateway),
    ("Loop detected for leafnode ", ProtocolError::LeafnodeLoop),
    ("Invalid route pool index", ProtocolError::RoutePool),
    ("No route for account", ProtocolError::RoutePool),
    ("Unable to lookup account", ProtocolError::RoutePool),
    (
        "Not possible to have a dedicated route",
        ProtocolError::RoutePool,
    ),
];

const PERMISSIONS: &str = "Permissions Violation for ";
const MINIMUM_VERSION: &str = "connection rejected since minimum version required is ";

impl ProtocolError {
    /// Types a text, with or without its quotes.
    pub fn from_text(text: &str) -> Self {
        let text = text.trim();
        let text = text.strip_prefix('\'').unwrap_or(text);
        let text = text.strip_suffix('\'').unwrap_or(text);
        if let Some((_, known)) = FIXED
            .iter()
            .find(|(fixed, _)| fixed.eq_ignore_ascii_case(text))
        {
            return known.clone();
        }
        if let Some(rest) = after(text, PERMISSIONS) {
            return Self::Permissions(rest.into());
        }
        if let Some(rest) = after(text, MINIMUM_VERSION) {
            return Self::MinimumVersion(rest.trim_matches('"').into());
        }
        BEGINNINGS
            .iter()
            .find(|(beginning, _)| after(text, beginning).is_some())
            .map_or_else(|| Self::Other(text.into()), |(_, build)| build(text.into()))
    }

    /// The text, in the spelling of present servers where it has no variable part.
    pub fn text(&self) -> String {
        match self {
            Self::Permissions(rest) => format!("{PERMISSIONS}{rest}"),
            Self::MinimumVersion(version) => format!("{MINIMUM_VERSION}\"{version}\""),
            Self::ClusterName(text)
            | Self::Gateway(text)
            | Self::LeafnodeLoop(text)
            | Self::RoutePool(text)
            | Self::Other(text) => text.to_string(),
            fixed => FIXED
                .iter()
                .find(|(_, known)| known == fixed)
                .map_or_else(String::new, |(text, _)| (*text).to_owned()),
        }
    }

    /// The server that sends it keeps a client's connection (facts per version: `server/client.go`).
    pub const fn keeps_connection(&self) -> bool {
        matches!(
            self,
            Self::MaxSubscriptions
                | Self::FailedAccountRegistration
                | Self::Permissions(_)
                | Self::InvalidSubject
                | Self::InvalidPublishSubject
                | Self::InvalidSubscription
        )
    }
}

/// What follows `beginning`, without regard to case.
fn after<'a>(text: &'a str, beginning: &str) -> Option<&'a str> {
    let head = text.get(..beginning.len())?;
    head.eq_ignore_ascii_case(beginning)
        .then(|| &text[beginning.len()..])
}

#[cfg(test)]
mod tests {
    use super::{FIXED, Port, ProtocolError};

    #[test]
    fn fixed_texts_in_any_case_and_quotes() {
        for (text, known) in FIXED {
            for form in [
                (*text).to_owned(),
                text.to_uppercase(),
                text.to_lowercase(),
                format!("'{text}'"),
            ] {
                assert_eq!(&ProtocolError::from_text(&form), known, "{form}");
            }
        }
    }

    #[test]
    fn texts_with_a_variable_part() {
        let permissions =
            ProtocolError::from_text(r#"'Permissions Violation for Publish to "a.b"'"#);
        assert_eq!(
            permissions,
            ProtocolError::Permissions(r#"Publish to "a.b""#.into())
        );
        assert!(permissions.keeps_connection());
        assert_eq!(
            ProtocolError::from_text(
                r#"connection rejected since minimum version required is "2.8.0""#
            ),
            ProtocolError::MinimumVersion("2.8.0".into())
        );
        for (text, is) in [
            (
                r#"Rejecting connection, cluster name "A" does not match "B""#,
                "ClusterName",
            ),
            (
                r#"Rejecting connection from gateway "G" on the Route port"#,
                "Gateway",
            ),
            (r#"Connection to gateway "X" rejected"#, "Gateway"),
            (
                r#"Loop detected for leafnode account="A". Delaying attempt to reconnect for 30s"#,
                "LeafnodeLoop",
            ),
            ("Invalid route pool index", "RoutePool"),
            ("something new", "Other"),
            ("", "Other"),
        ] {
            let error = ProtocolError::from_text(text);
            assert!(format!("{error:?}").starts_with(is), "{error:?}");
            assert_eq!(error.text(), text);
        }
    }

    #[test]
    fn text_and_back() {
        for (text, known) in FIXED {
            assert_eq!(ProtocolError::from_text(&known.text()), *known, "{text}");
        }
        assert_eq!(
            ProtocolError::WrongPort(Port::Leafnode).text(),
            "attempted to connect to leaf node port"
        );
    }
}
