//! `client-close/normal`: the client's side ended the connection and nothing was wrong.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::{Confidence, Finding, Initiator};
use crate::attribute::path::{dead_path, stalled};
use crate::attribute::wire::Side;
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::client::{ClientOutcome, Trouble};
use crate::reconstruct::conn::RstOrigin;
use crate::reconstruct::server::ConnKind;
use crate::time::SECOND;

/// A client that has not read for this long does not run well.
const STUCK: i64 = 5 * SECOND;

/// The client ended it: its log says that the application did, or its FIN (or its own RST) came first and nothing before
/// it was wrong.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let client = case.client_label(disconnect);
    let finding = ended_by_client(disconnect, case)?;
    let server_view = disconnect.reason().is_some();
    let finding = Finding {
        summary: format!("{client} closed the connection itself"),
        ..finding
    };
    Some(
        if disconnect.client.is_none() && (server_view || !disconnect.views.is_empty()) {
            finding
            .rival("client-fault", "process-exit", "a killed process closes its sockets the same way; the client's log would decide")
            .missing("the client's own log: whether the application meant to close")
        } else {
            finding
        },
    )
}

/// The client's side ended it, with nothing wrong before; shared with a drain, which is the same said more politely.
pub fn ended_by_client(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    // Between servers there is no application that means to close.
    if matches!(
        disconnect.kind(),
        ConnKind::Route | ConnKind::Gateway | ConnKind::Leafnode
    ) {
        return None;
    }
    let other = disconnect.server_gave_reason();
    if other || case.gone(disconnect).is_some() {
        return None;
    }
    let intended = disconnect.intended();
    let said: Vec<_> = disconnect
        .statements
        .iter()
        .map(|said| said.evidence.clone())
        .collect();
    let meant: Vec<_> = disconnect
        .client_why()
        .map(|event| disconnect.quote(&event.at))
        .take(3)
        .collect();
    if let Some(first) = disconnect.first_close() {
        let own_rst = !first.close.rst
            || first
                .view
                .conn
                .rsts
                .iter()
                .any(|rst| rst.at == first.close.at && rst.origin != RstOrigin::Injected);
        if first.close.side != Side::Client
            || !own_rst
            || dead_path(disconnect).is_some_and(|dead| !dead.heard()) && !intended
        {
            return None;
        }
        let waiting = stalled(disconnect, Side::Server).is_some_and(|stalled| {
            stalled.pings.count >= 2 || first.close.at.ns - stalled.pings.first.ns > 2 * SECOND
        });
        let hiccup = first.view.left_in_a_hiccup().is_some();
        let clogged = first.view.flow(Side::Client).zero_window_since;
        let stuck = clogged.is_some_and(|since| first.close.at.ns - since.ns > STUCK);
        if (waiting || hiccup || stuck) && !intended {
            return None;
        }
        if !disconnect.was_ready() && !intended {
            return None;
        }
        // A client whose library comes back by itself did not mean to close.
        if disconnect.lost_by_log() {
            return None;
        }
        // A client that says that it lost the connection did not mean to close it.
        if !intended && disconnect.troubles().any(|(_, trouble)| !harmless(trouble)) {
            return None;
        }
        let what = if first.close.rst { "RST" } else { "FIN" };
        let evidence = first.view.evidence(
            first.close.at,
            format!("{what} of the client comes first, with nothing wrong before it"),
        );
        let confidence = if intended {
            Confidence::Stated
        } else if first.view.last_words_cut() {
            // What it waited for, or what it was told, may be what the snap length cut off.
            Confidence::Possible
        } else {
            Confidence::Likely
        };
        return Some(
            Finding::new(confidence, Initiator::Client, "")
                .because([evidence])
                .because(said)
                .because(meant),
        );
    }
    if intended {
        return Some(
            Finding::new(Confidence::Stated, Initiator::Client, "")
                .because(meant)
                .because(said),
        );
    }
    let left = matches!(disconnect.reason(), Some(CloseReason::ClientClosed));
    // A library that loses a connection looks for another before it closes for good, unless it was told not to: closed
    // at once and without a word of trouble, it was the application.
    let quiet = disconnect
        .client
        .is_some_and(|conn| conn.outcome == ClientOutcome::Exited);
    let lost = disconnect
        .troubles()
        .any(|(_, trouble)| !harmless(trouble) || *trouble == Trouble::Unsaid && !quiet);
    let alone = quiet && disconnect.reason().is_none() && disconnect.client_closed().is_some();
    if !(left || alone) || lost || disconnect.lost_by_log() {
        return None;
    }
    let confidence = if disconnect.client.is_some() && left {
        Confidence::Likely
    } else {
        Confidence::Possible
    };
    Some(
        Finding::new(confidence, Initiator::Client, "")
            .because(said)
            .because(meant)
            .rival("network", "proxy-closed", "`Client Closed` only says that the client's side ended first, which a proxy does too"),
    )
}

/// What a close that was meant is told with: nothing, or that the connection is closed now.
const fn harmless(trouble: &Trouble) -> bool {
    matches!(
        trouble,
        Trouble::NoError | Trouble::Unsaid | Trouble::NotConnected
    )
}
