//! `client-close/drain`: the client drained its subscriptions, then closed.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::Finding;
use crate::attribute::wire::Side;
use crate::reconstruct::client::ClientEventKind;

/// A normal close with UNSUBs and a last PING in front, or a log that says draining.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let drained = disconnect.views.iter().any(|view| {
        view.talk(Side::Client)
            .is_some_and(|talk| talk.drained && talk.unsubs > 0)
    });
    let said = disconnect
        .client_why()
        .any(|event| matches!(event.kind, ClientEventKind::Draining));
    if !drained && !said {
        return None;
    }
    let finding = super::normal::ended_by_client(disconnect, case)?;
    let summary = format!(
        "{} drained its subscriptions and closed the connection",
        case.client_label(disconnect)
    );
    Some(Finding { summary, ..finding })
}
