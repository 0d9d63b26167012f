//! `auth/auth-timeout`: no valid CONNECT within `auth_timeout`.

use crate::attribute::Case;
use crate::attribute::disconnect::{Disconnect, spoken};
use crate::attribute::finding::{Confidence, Finding};
use crate::attribute::path::dead_path;
use crate::attribute::said::said;
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::server::NoteKind;

/// Stated by the server; a client whose CONNECT was lost on the way is the network's.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let server = case.server_label(disconnect);
    let client = case.client_label(disconnect);
    let limit = disconnect
        .life
        .and_then(|(_, life)| life.limits.auth_timeout);
    let summary = || {
        let lived = disconnect.lifetime().map(spoken);
        let after = lived.map_or_else(String::new, |lived| format!(" for {lived}"));
        format!("{server} closed {client}: it sent no CONNECT{after} after it was accepted")
    };
    let mut finding = said(
        disconnect,
        &[CloseReason::AuthenticationTimeout],
        |note| *note == NoteKind::AuthTimeout,
        summary,
    )?;
    if dead_path(disconnect).is_some() {
        finding.confidence = Confidence::Possible;
    }
    let set = limit.map_or_else(String::new, |limit| format!(" (here {})", spoken(limit)));
    Some(finding.remedy(format!(
        "find out what connects and says nothing (the address is in the evidence); if it is a slow but honest client, raise authorization {{ timeout }}{set} on the server"
    )))
}
