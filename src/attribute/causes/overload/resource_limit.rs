//! `overload/resource-limit`: subscriptions, account, JetStream or disk limits that close connections.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::{Confidence, Finding, Initiator};
use crate::attribute::said::{nothing, said};
use crate::attribute::wire::Side;
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::server::NoteKind;
use crate::time::SECOND;

/// A client that closes over this -ERR does so at once.
const AT_ONCE: i64 = SECOND;

/// Stated by the server; or the client closed over the server's -ERR, which by itself keeps the connection.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let (server, client) = (case.server_label(disconnect), case.client_label(disconnect));
    let remedy = "raise max_subscriptions (or the account's subscription limit), or find out why the client subscribes so often";
    let summary = || format!("{server} closed {client}: more subscriptions than its limit allows");
    if let Some(finding) = said(
        disconnect,
        &[CloseReason::MaxSubscriptionsExceeded],
        nothing,
        summary,
    ) {
        return Some(finding.remedy(remedy));
    }
    let first = disconnect
        .first_close()
        .filter(|first| first.close.side == Side::Client);
    let sent = disconnect.views.iter().find_map(|view| {
        let error = view.session()?.errors.iter().rev().find(|error| {
            error.from_server
                && error
                    .text
                    .to_ascii_lowercase()
                    .contains("maximum subscriptions exceeded")
        })?;
        let close = view.closer().filter(|close| close.side == Side::Client)?;
        (close.at.ns - error.at.ns < AT_ONCE)
            .then(|| view.evidence(error.at, format!("server sends -ERR '{}'", error.text)))
    });
    let logged = disconnect
        .note(|note| *note == NoteKind::MaxSubscriptions)
        .filter(|note| {
            disconnect
                .apart(disconnect.closed, disconnect.log(&note.at))
                .is_some_and(|after| after.abs() < AT_ONCE)
        })
        .map(|note| disconnect.quote(&note.at));
    if sent.is_none() && logged.is_none()
        || sent.is_none() && first.is_none() && disconnect.intended()
    {
        return None;
    }
    let summary = || format!("{client} closed over the subscription limit of {server}");
    Some(
        Finding::new(Confidence::Shown, Initiator::Client, summary())
            .because(sent)
            .because(logged)
            .remedy(remedy),
    )
}
