//! `version/headers-unsupported`: headers sent to a server from before headers, or without having been agreed.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::{Confidence, Finding};
use crate::attribute::said::said;
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::server::NoteKind;

/// The server has no headers: older than 2.2.0, or INFO without `headers`.
fn before_headers(disconnect: &Disconnect) -> Option<String> {
    if let Some(info) = disconnect.info() {
        return (!info.headers)
            .then(|| format!("INFO of version {} offers no headers", info.version));
    }
    let version = disconnect.server_version()?;
    let mut parts = version
        .split(['.', '-'])
        .map(|part| part.parse::<u32>().unwrap_or(0));
    let old = (parts.next()?, parts.next()?) < (2, 2);
    old.then(|| format!("version {version} is older than 2.2.0, which introduced headers"))
}

/// The server's parser stopped at HPUB, or it refused headers in words.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let server = case.server_label(disconnect);
    let client = case.client_label(disconnect);
    let summary = || format!("{client} sent message headers that {server} does not support");
    let snippet = |text: &str| text.contains("HPUB") || text.contains("hpub");
    let note = |note: &NoteKind| match note {
        NoteKind::HeadersUnsupported => true,
        NoteKind::ParserError { snippet: text, .. } => snippet(text),
        NoteKind::BadProtocol(text) => text.contains("headers"),
        _ => false,
    };
    let reasons = &[CloseReason::NoRespondersRequiresHeaders];
    let remedy = "upgrade the server to 2.2.0 or later, or keep this client from using headers there (JetStream publish options, tracing, no_responders)";
    if let Some(finding) = said(disconnect, reasons, note, summary) {
        return Some(finding.remedy(remedy));
    }
    // On the wire: an HPUB, then the parser's -ERR from a server without headers.
    let used = disconnect.session().is_some_and(|session| {
        session.client.headers_used
            || session
                .client
                .unknown_verb
                .as_ref()
                .is_some_and(|(_, verb)| snippet(verb))
    });
    let why = before_headers(disconnect)?;
    if !used {
        return None;
    }
    let mut finding = said(
        disconnect,
        &[CloseReason::ProtocolViolation],
        |_| false,
        || format!("{}: {why}", summary()),
    )?;
    finding.confidence = Confidence::Stated;
    Some(finding.remedy(remedy))
}
