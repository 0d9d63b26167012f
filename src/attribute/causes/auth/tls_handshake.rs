//! `auth/tls-handshake`: both sides spoke TLS and did not agree: certificates, versions, ciphers.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::{Confidence, Finding, Initiator};
use crate::attribute::said::said;
use crate::attribute::wire::Side;
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::client::Trouble;
use crate::reconstruct::server::NoteKind;

/// Stated by the server, by a TLS alert, or by the client's log.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let server = case.server_label(disconnect);
    let client = case.client_label(disconnect);
    let alert = disconnect.views.iter().find_map(|view| {
        let tls = view.session()?.tls.as_ref()?;
        let (at, from_server, says) = tls.alerts.iter().find(|(_, _, says)| {
            !tls.established && !says.contains("encrypted") && !says.contains("close")
        })?;
        let who = if *from_server { "server" } else { "client" };
        Some((
            view.evidence(*at, format!("{who} sends TLS alert: {says}")),
            *from_server,
        ))
    });
    let told = disconnect
        .trouble(|trouble| matches!(trouble, Trouble::Tls(_)))
        .map(|event| disconnect.quote(&event.at));
    let summary = || format!("the TLS handshake between {client} and {server} failed");
    let stated = said(
        disconnect,
        &[CloseReason::TlsHandshakeError],
        |note| matches!(note, NoteKind::TlsHandshakeError(_)),
        summary,
    );
    let finding = match (stated, &alert, &told) {
        (Some(finding), _, _) => finding,
        (None, Some((_, from_server)), _) => {
            let by = if *from_server {
                Initiator::Server
            } else {
                Initiator::Client
            };
            Finding::new(Confidence::Stated, by, summary())
        }
        (None, None, Some(_)) if !disconnect.was_ready() => {
            Finding::new(Confidence::Stated, Initiator::Client, summary())
        }
        _ => broken_off(disconnect, summary)?,
    };
    Some(finding.because(alert.map(|(evidence, _)| evidence)).because(told).remedy(
        "compare the certificates: does the client trust the CA of the server's certificate (tls { cert_file, ca_file }), does the name match, is a client certificate required (verify: true), is any of them expired, do the TLS versions overlap",
    ))
}

/// The handshake began and one side left before it was finished, without a word: Python's and OpenSSL's way of refusing
/// a certificate.
fn broken_off(disconnect: &Disconnect, summary: impl FnOnce() -> String) -> Option<Finding> {
    if disconnect.was_ready() {
        return None;
    }
    let view = disconnect.views.iter().find(|view| {
        view.session()
            .and_then(|session| session.tls.as_ref())
            .is_some_and(|tls| !tls.established && tls.mismatch.is_none())
    })?;
    let close = view.closer()?;
    let by = match close.side {
        Side::Client => Initiator::Client,
        Side::Server => Initiator::Server,
    };
    Some(
        Finding::new(Confidence::Likely, by, summary())
            .because([view.evidence(
                close.at,
                format!(
                    "the {} leaves in the middle of the TLS handshake",
                    close.side.word()
                ),
            )])
            .missing("the log of that side: it names the certificate's fault"),
    )
}
