//! `overload/max-connections`: a connection limit, of the server or of an account.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::Finding;
use crate::attribute::said::said;
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::server::NoteKind;

const REASONS: &[CloseReason] = &[
    CloseReason::MaxConnectionsExceeded,
    CloseReason::MaxAccountConnectionsExceeded,
];

/// Stated by the server.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let server = case.server_label(disconnect);
    let client = case.client_label(disconnect);
    let limit = disconnect
        .life
        .and_then(|(_, life)| life.limits.max_connections);
    let set = limit.map_or_else(String::new, |limit| format!(" (max_connections: {limit})"));
    let summary = || format!("{server} refused {client}: its connection limit was reached{set}");
    let note = |note: &NoteKind| {
        matches!(
            note,
            NoteKind::MaxConnections | NoteKind::MaxAccountConnections
        )
    };
    let refused = case.refused_over_limit(disconnect);
    let found = match limit {
        Some(limit) => format!(
            "max_connections: {limit} was reached and {refused} connections were refused: {} or more would have held them",
            limit.saturating_add(refused as i64)
        ),
        None => format!(
            "{refused} connections were refused over a limit (max_connections, or the account's)"
        ),
    };
    Some(said(disconnect, REASONS, note, summary)?.remedy(format!(
        "{found}; raise it, spread clients over more servers, or find the client that opens too many connections (natsleuth conns lists them)"
    )))
}
