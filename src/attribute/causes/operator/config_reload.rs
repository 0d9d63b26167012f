//! `operator/config-reload`: a reload moved, removed or limited what this connection used.

use crate::attribute::Case;
use crate::attribute::disconnect::{Disconnect, near};
use crate::attribute::finding::{Confidence, Finding, Initiator};
use crate::attribute::said::{nothing, said};
use crate::attribute::wire::Side;
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::server::ServerEventKind;
use crate::time::SECOND;

/// A reload closes what it has to within this.
const RELOAD: i64 = SECOND;

/// Route removed by statement; or `Client Closed` that the server itself made at a reload (facts, section d, state 1).
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let server = case.server_label(disconnect);
    let remedy =
        "the configuration of the server was changed at that moment: review what was changed";
    let removed = || format!("{server} closed this route: a configuration reload removed it");
    if let Some(finding) = said(disconnect, &[CloseReason::RouteRemoved], nothing, removed) {
        return Some(finding.remedy(remedy));
    }
    let at = disconnect.closed?;
    let (_, life) = disconnect.life?;
    let reload = life.events.iter().find(|event| {
        matches!(
            event.kind,
            ServerEventKind::Reloaded(_) | ServerEventKind::ClosedToMaxConnections(_)
        ) && disconnect
            .log(&event.at)
            .is_some_and(|reloaded| near(reloaded, at, RELOAD))
    })?;
    let ours = matches!(disconnect.reason(), None | Some(CloseReason::ClientClosed));
    let by_server = disconnect.first_by(Side::Server);
    let unwanted = disconnect.client.is_some() && !disconnect.intended();
    if !ours || !(by_server || disconnect.first_close().is_none() && unwanted) {
        return None;
    }
    let confidence = if by_server {
        Confidence::Shown
    } else {
        Confidence::Likely
    };
    let summary = || {
        format!(
            "{server} closed {} at a configuration reload",
            case.client_label(disconnect)
        )
    };
    Some(
        Finding::new(confidence, Initiator::Server, summary())
            .because([disconnect.quote(&reload.at)])
            .remedy(remedy),
    )
}
