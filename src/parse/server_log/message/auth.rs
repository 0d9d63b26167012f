//! Authentication and permissions: server/auth.go, server/client.go.

use super::super::close_reason::CloseReason;
use super::super::record::{NoteKind, ServerEventKind};
use super::{ConnPhrase, ServerPhrase, ServerSaid, words};

/// A message that precedes `authentication error` and tells why; the close is the other's.
const fn detail(head: &'static str) -> ConnPhrase {
    ConnPhrase {
        head,
        implies: None,
        note: |rest| Some(NoteKind::AuthDetail(words(rest))),
    }
}

const fn violation(head: &'static str, implies: Option<CloseReason>) -> ConnPhrase {
    ConnPhrase {
        head,
        implies,
        note: |rest| Some(NoteKind::PermissionViolation(words(rest))),
    }
}

pub(super) const CONN: &[ConnPhrase] = &[
    ConnPhrase {
        head: "authentication error",
        implies: Some(CloseReason::AuthenticationViolation),
        note: |rest| Some(NoteKind::AuthError(words(rest.trim_start_matches(" - ")))),
    },
    // Up to 1.4.1.
    ConnPhrase {
        head: "authorization error",
        implies: Some(CloseReason::AuthenticationViolation),
        note: |rest| Some(NoteKind::AuthError(words(rest.trim_start_matches(" - ")))),
    },
    ConnPhrase {
        head: "proxy is not trusted",
        implies: Some(CloseReason::ProxyNotTrusted),
        note: |_| Some(NoteKind::AuthError("proxy is not trusted".into())),
    },
    ConnPhrase {
        head: "Authentication Timeout",
        implies: Some(CloseReason::AuthenticationTimeout),
        note: |_| Some(NoteKind::AuthTimeout),
    },
    ConnPhrase {
        head: "Authorization Timeout",
        implies: Some(CloseReason::AuthenticationTimeout),
        note: |_| Some(NoteKind::AuthTimeout),
    },
    ConnPhrase {
        head: "User Authentication Expired",
        implies: Some(CloseReason::AuthenticationExpired),
        note: |_| Some(NoteKind::AuthExpired),
    },
    ConnPhrase {
        head: "Account Authentication Expired",
        implies: Some(CloseReason::AuthenticationExpired),
        note: |_| Some(NoteKind::AuthExpired),
    },
    // Two messages that differ in case only: the detail of a refused connect, and the one that closes.
    detail("=User authentication revoked"),
    ConnPhrase {
        head: "User Authentication Revoked",
        implies: Some(CloseReason::Revocation),
        note: |_| Some(NoteKind::AuthRevoked),
    },
    ConnPhrase {
        head: "maximum account active connections exceeded",
        implies: Some(CloseReason::MaxAccountConnectionsExceeded),
        note: |_| Some(NoteKind::MaxAccountConnections),
    },
    ConnPhrase {
        head: "account missing",
        implies: Some(CloseReason::ProtocolViolation),
        note: |_| Some(NoteKind::AuthDetail("account missing".into())),
    },
    detail("Problem registering with account "),
    detail("User JWT not valid"),
    detail("User JWT no longer valid"),
    detail("Account JWT has expired"),
    detail("Account JWT lookup error"),
    detail("Account JWT not signed by trusted operator"),
    detail("Account JWT "),
    detail("Authentication requires "),
    detail("Signature missing"),
    detail("Signature not verified"),
    detail("Signature not valid"),
    detail("User nkey not valid"),
    detail("Connection type not allowed"),
    detail("Bad src Ip "),
    detail("Outside connect times"),
    detail("Bearer "),
    // Leafnodes close on it; clients do not.
    violation(
        "Publish Violation on ",
        Some(CloseReason::ProtocolViolation),
    ),
    violation(
        "Subscription Violation on ",
        Some(CloseReason::ProtocolViolation),
    ),
    violation("Publish Violation", None),
    violation("Subscription Violation", None),
    ConnPhrase {
        head: "Max Payload set to ",
        implies: None,
        note: |_| None,
    },
];

/// Known, and of no use for lives.
const fn context(head: &'static str) -> ServerPhrase {
    ServerPhrase {
        head,
        said: |_, _| None,
    }
}

/// Slow lookups of accounts: connects wait for them.
const fn pressure(head: &'static str) -> ServerPhrase {
    ServerPhrase {
        head,
        said: |_, text| Some(ServerSaid::Event(ServerEventKind::Pressure(words(text)))),
    }
}

pub(super) const SERVER: &[ServerPhrase] = &[
    context("authentication of user "),
    context("User \""),
    pressure("Authorization callout response not received in time"),
    pressure("Account fetch failed"),
    pressure("Account ["),
    context("Plaintext passwords detected"),
    context("Removed sub "),
    context("Trusted Operators"),
    context("  System  : "),
    context("  Operator: "),
    context("  Issued  : "),
    context("  Expires : "),
];
