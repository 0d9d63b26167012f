//! `auth/credentials-changed`: revoked, or removed by a configuration reload, while connected.

use crate::attribute::Case;
use crate::attribute::disconnect::{Disconnect, near};
use crate::attribute::finding::Finding;
use crate::attribute::said::{nothing, said};
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::server::{NoteKind, ServerEventKind};
use crate::time::SECOND;

/// A reload applies its changes to connected clients at once.
const RELOAD: i64 = 2 * SECOND;

/// Revoked by statement; or refused although it was connected, at the moment of a reload.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let server = case.server_label(disconnect);
    let client = case.client_label(disconnect);
    let remedy = "the credentials of this user were changed or revoked on the server: give the client the new ones";
    let summary =
        || format!("{server} closed {client}: its credentials were revoked while it was connected");
    if let Some(finding) = said(
        disconnect,
        &[CloseReason::Revocation],
        |note| *note == NoteKind::AuthRevoked,
        summary,
    ) {
        return Some(finding.remedy(remedy));
    }
    let at = disconnect.closed?;
    let (_, life) = disconnect.life?;
    let reload = life.events.iter().find(|event| {
        matches!(event.kind, ServerEventKind::Reloaded(_))
            && disconnect
                .log(&event.at)
                .is_some_and(|reloaded| near(reloaded, at, RELOAD))
    })?;
    if !disconnect.was_ready() {
        return None;
    }
    let summary = || {
        format!(
            "{server} closed {client} at a configuration reload: its credentials are no longer accepted"
        )
    };
    let finding = said(
        disconnect,
        &[CloseReason::AuthenticationViolation],
        nothing,
        summary,
    )?;
    Some(
        finding
            .because([disconnect.quote(&reload.at)])
            .remedy(remedy),
    )
}
