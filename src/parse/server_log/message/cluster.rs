//! Routes, gateways and leafnodes: server/route.go, server/gateway.go, server/leafnode.go.

use super::super::close_reason::CloseReason;
use super::super::record::{NoteKind, ServerEventKind};
use super::{ConnPhrase, ServerPhrase, ServerSaid, words};

const fn context(head: &'static str) -> ConnPhrase {
    ConnPhrase {
        head,
        implies: None,
        note: |_| None,
    }
}

const fn duplicate(head: &'static str, reason: CloseReason) -> ConnPhrase {
    ConnPhrase {
        head,
        implies: Some(reason),
        note: |rest| Some(NoteKind::Duplicate(words(rest))),
    }
}

const fn refused(head: &'static str, reason: CloseReason) -> ConnPhrase {
    ConnPhrase {
        head,
        implies: Some(reason),
        note: |rest| Some(NoteKind::BadProtocol(words(rest))),
    }
}

/// Outbound leafnodes that do not come about.
const fn trouble(head: &'static str) -> ConnPhrase {
    ConnPhrase {
        head,
        implies: None,
        note: |rest| Some(NoteKind::BadProtocol(words(rest))),
    }
}

pub(super) const CONN: &[ConnPhrase] = &[
    context("Route connect msg sent"),
    context("Registering remote route "),
    context("Sent local subscriptions to route"),
    context("Removing "),
    duplicate(
        "Detected duplicate remote route",
        CloseReason::DuplicateRoute,
    ),
    duplicate("Route pool size reached", CloseReason::DuplicateRoute),
    duplicate(
        "Duplicate Remote LeafNode Connection",
        CloseReason::DuplicateRemoteLeafnodeConnection,
    ),
    duplicate(
        "Replacing connection from same server",
        CloseReason::DuplicateRemoteLeafnodeConnection,
    ),
    duplicate(
        "Remote server has a duplicate name",
        CloseReason::DuplicateServerName,
    ),
    refused(
        "Rejecting connection, cluster name ",
        CloseReason::ClusterNameConflict,
    ),
    refused(
        "Rejecting connection from gateway ",
        CloseReason::WrongGateway,
    ),
    refused("Failing connection to gateway ", CloseReason::WrongGateway),
    refused("Invalid route pool index", CloseReason::ProtocolViolation),
    refused(
        "Loop detected for leafnode account",
        CloseReason::ProtocolViolation,
    ),
    refused(
        "Leafnode connection dropped with same cluster name error",
        CloseReason::ClusterNamesIdentical,
    ),
    refused(
        "remote leafnode has same cluster name",
        CloseReason::ClusterNamesIdentical,
    ),
    refused(
        "connection rejected since minimum version required",
        CloseReason::MinimumVersionRequired,
    ),
    trouble("Error soliciting websocket connection"),
    trouble("Did not get the remote leafnode's INFO"),
    context("Creating outbound gateway connection to "),
    context("Processing inbound gateway connection"),
    context("Outbound gateway connection to "),
    context("Inbound gateway connection from "),
    context("Gateway \""),
    context("Gateway connect protocol sent"),
    context("Remote leafnode connect msg sent"),
    context("JetStream using domains"),
    context("JetStream Not extended"),
    context("Not extending remote"),
    context("Adding deny "),
    context("Sending SUBs"),
    context("Sent sub"),
];

const fn server_context(head: &'static str) -> ServerPhrase {
    ServerPhrase {
        head,
        said: |_, _| None,
    }
}

const fn dial_error(head: &'static str) -> ServerPhrase {
    ServerPhrase {
        head,
        said: |_, text| {
            Some(ServerSaid::Event(ServerEventKind::RouteDialError(words(
                text,
            ))))
        },
    }
}

const fn pressure(head: &'static str) -> ServerPhrase {
    ServerPhrase {
        head,
        said: |_, text| Some(ServerSaid::Event(ServerEventKind::Pressure(words(text)))),
    }
}

const fn other(head: &'static str) -> ServerPhrase {
    ServerPhrase {
        head,
        said: |_, text| Some(ServerSaid::Event(ServerEventKind::Other(words(text)))),
    }
}

pub(super) const SERVER: &[ServerPhrase] = &[
    dial_error("Error trying to connect to route"),
    dial_error("Error trying to connect as leafnode"),
    dial_error("Error connecting to "),
    server_context("Trying to connect to route on "),
    server_context("Trying to connect as leafnode"),
    server_context("Attempting reconnect for "),
    server_context("Connecting to "),
    server_context("Connected leafnode to "),
    server_context("Gateway name is "),
    server_context("Address for gateway "),
    server_context("Cluster name was dynamically generated"),
    other("Cluster name updated to "),
    other("Removed route "),
    other("Detected route to self, ignoring "),
    server_context("Detected orphan remote server"),
    pressure("Waiting for routing to be established"),
    server_context("Unable to lookup account "),
    server_context("Self "),
    server_context("Processing "),
];
