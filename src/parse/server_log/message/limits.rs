//! Limits and the protocol itself: server/client.go, server/parser.go, server/route.go, server/leafnode.go.

use super::super::close_reason::CloseReason;
use super::super::record::NoteKind;
use super::{ConnPhrase, number_after, words};

/// Argument errors: no -ERR is sent, just the close.
const fn argument(head: &'static str) -> ConnPhrase {
    ConnPhrase {
        head,
        implies: Some(CloseReason::ProtocolViolation),
        note: |rest| Some(NoteKind::BadProtocol(words(rest))),
    }
}

const fn wrong_port(head: &'static str, port: fn(&str) -> Option<NoteKind>) -> ConnPhrase {
    ConnPhrase {
        head,
        implies: Some(CloseReason::WrongPort),
        note: port,
    }
}

pub(super) const CONN: &[ConnPhrase] = &[
    ConnPhrase {
        head: "maximum connections exceeded",
        implies: Some(CloseReason::MaxConnectionsExceeded),
        note: |_| Some(NoteKind::MaxConnections),
    },
    // The connection stays open.
    ConnPhrase {
        head: "maximum subscriptions exceeded",
        implies: None,
        note: |_| Some(NoteKind::MaxSubscriptions),
    },
    ConnPhrase {
        head: "maximum payload exceeded: ",
        implies: Some(CloseReason::MaxPayloadExceeded),
        note: |rest| {
            Some(NoteKind::MaxPayload {
                size: super::leading_number(rest),
                limit: number_after(rest, " vs "),
            })
        },
    },
    ConnPhrase {
        head: "maximum control line exceeded",
        implies: Some(CloseReason::MaxControlLineExceeded),
        note: |rest| {
            Some(NoteKind::MaxControlLine {
                size: number_after(rest, "Buffer len "),
                limit: number_after(rest, "max_control_line "),
            })
        },
    },
    ConnPhrase {
        head: "<Kind> parser ERROR, ",
        implies: Some(CloseReason::ProtocolViolation),
        note: |rest| {
            let snippet = rest.find("proto=").map_or("", |at| &rest[at + 6..]);
            let snippet = snippet.trim_start_matches('\'').trim_end_matches("...'");
            Some(NoteKind::ParserError {
                state: number_after(rest, "state=").map(|state| state as i64),
                snippet: words(snippet.trim_matches('"')),
            })
        },
    },
    argument("processPub "),
    argument("processSub "),
    argument("processUnsub "),
    argument("processHeaderPub "),
    argument("processRouted"),
    argument("processLeaf"),
    argument("processRemoteSub "),
    argument("processRemoteUnsub "),
    argument("processMsgArgs "),
    // Go's encoding/json texts, for a CONNECT or INFO that is no JSON.
    argument("invalid character "),
    argument("unexpected end of JSON input"),
    argument("json: "),
    ConnPhrase {
        head: "invalid client protocol",
        implies: Some(CloseReason::BadClientProtocolVersion),
        note: |_| Some(NoteKind::BadProtocol("invalid client protocol".into())),
    },
    ConnPhrase {
        head: "no responders requires headers support",
        implies: Some(CloseReason::NoRespondersRequiresHeaders),
        note: |_| Some(NoteKind::HeadersUnsupported),
    },
    ConnPhrase {
        head: "message headers not supported",
        implies: Some(CloseReason::ProtocolViolation),
        note: |_| Some(NoteKind::HeadersUnsupported),
    },
    wrong_port("attempted to connect to route port", |_| {
        Some(NoteKind::WrongPort("route".into()))
    }),
    wrong_port("attempted to connect to leaf node port", |_| {
        Some(NoteKind::WrongPort("leafnode".into()))
    }),
    wrong_port("attempted to connect to gateway port", |_| {
        Some(NoteKind::WrongPort("gateway".into()))
    }),
    wrong_port("attempted to connect to wrong port", |_| {
        Some(NoteKind::WrongPort("wrong".into()))
    }),
];
