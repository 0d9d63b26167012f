//! `version/protocol-violation`: bytes that the other side's version cannot parse.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::{Confidence, Finding, Initiator};
use crate::attribute::said::said;
use crate::attribute::wire::Side;
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::server::NoteKind;

/// Stated by the server; or on the wire an unknown verb right before a server's close without -ERR (argument errors send
/// none: facts, section e.3).
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let server = case.server_label(disconnect);
    let client = case.client_label(disconnect);
    let verb = disconnect.views.iter().find_map(|view| {
        let (at, verb) = view.talk(Side::Client)?.unknown_verb.as_ref()?;
        Some(view.evidence(*at, format!("client sends {verb:?}")))
    });
    let summary = || {
        let library = match disconnect.client_identity() {
            (_, Some(lang), Some(version)) => format!(" ({lang} {version})"),
            (_, Some(lang), None) => format!(" ({lang})"),
            _ => String::new(),
        };
        format!("{server} cannot parse what {client}{library} sends")
    };
    let note = |note: &NoteKind| {
        matches!(
            note,
            NoteKind::ParserError { .. } | NoteKind::BadProtocol(_)
        )
    };
    let remedy = "the bytes in the evidence are not the NATS client protocol of this server's version: repair or upgrade what sends them";
    if let Some(finding) = said(disconnect, &[CloseReason::ProtocolViolation], note, summary) {
        return Some(finding.because(verb).remedy(remedy));
    }
    let parse_error = said(
        disconnect,
        &[CloseReason::ParseError],
        |_| false,
        || format!("{server} was sent an -ERR by its peer"),
    );
    if let Some(finding) = parse_error {
        return Some(finding);
    }
    let verb = verb?;
    // Without its beginning nobody can say that a stream is NATS at all.
    let begun = disconnect
        .session()
        .is_some_and(|session| session.info.is_some() || session.connect.is_some());
    let server_first = begun && disconnect.first_by(Side::Server);
    server_first.then(|| {
        Finding::new(Confidence::Likely, Initiator::Server, summary())
            .because([verb])
            .missing("the server's log: its parser error names state and bytes")
            .remedy(remedy)
    })
}
