//! A stale verdict's four origins, from logs alone: the path, the server, the client's process, the client's settings.

use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::client::{ClientEventKind, Trouble};
use crate::reconstruct::server::NoteKind;
use crate::time::SECOND;

use super::Case;
use super::disconnect::Disconnect;
use super::finding::{Confidence, Evidence};

/// What logs tell of a server's stale verdict.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The client process stalled; otherwise the path was dead.
    pub client_stalled: bool,
    /// How sure.
    pub confidence: Confidence,
    /// Lines.
    pub evidence: Vec<Evidence>,
}

/// The server called the connection stale.
pub fn stated(disconnect: &Disconnect) -> bool {
    !disconnect.stated(&CloseReason::StaleConnection).is_empty()
}

/// The lines that say so.
pub fn lines(disconnect: &Disconnect) -> Vec<Evidence> {
    let noted = disconnect
        .note(|note| *note == NoteKind::Stale)
        .map(|note| disconnect.quote(&note.at));
    disconnect
        .stated(&CloseReason::StaleConnection)
        .into_iter()
        .map(|said| said.evidence.clone())
        .chain(noted)
        .collect()
}

/// Reads both logs against each other, where there is no capture.
pub fn from_logs(disconnect: &Disconnect, case: &Case) -> Option<Verdict> {
    if !disconnect.views.is_empty() {
        return None;
    }
    let server_says = disconnect.reason() == Some(&CloseReason::StaleConnection);
    let mut evidence = lines(disconnect);
    let left = disconnect
        .client_closed()
        .and_then(|event| disconnect.log(&event.at));
    evidence.extend(
        disconnect
            .client_closed()
            .map(|event| disconnect.quote(&event.at)),
    );
    // The client's own timer ran: it counted its PINGs, so its process was alive and the path was not.
    let counted = disconnect.client_why().any(|event| {
        matches!(
            event.kind,
            ClientEventKind::Stale | ClientEventKind::PingOut(Some(2..))
        )
    });
    if !server_says {
        return None;
    }
    if counted {
        return Some(Verdict {
            client_stalled: false,
            confidence: Confidence::Likely,
            evidence,
        });
    }
    let quoted = disconnect.trouble(|trouble| matches!(trouble, Trouble::ServerError(text) if text.to_ascii_lowercase().contains("stale")));
    if quoted.is_some() {
        return Some(Verdict {
            client_stalled: true,
            confidence: Confidence::Likely,
            evidence,
        });
    }
    let said = disconnect.closed?;
    if let Some(left) = left {
        // The client left first and the server never saw its FIN.
        if left.bounds.high + SECOND / 2 < said.bounds.low {
            return Some(Verdict {
                client_stalled: false,
                confidence: Confidence::Likely,
                evidence,
            });
        }
        // Several clients wake at one instant, after the verdict: they were frozen together.
        let together = case.stale_leavings.near(left, SECOND / 20);
        if left.bounds.low > said.bounds.high + SECOND && together >= 2 {
            return Some(Verdict {
                client_stalled: true,
                confidence: Confidence::Possible,
                evidence,
            });
        }
    }
    Some(Verdict {
        client_stalled: false,
        confidence: Confidence::Possible,
        evidence,
    })
}
