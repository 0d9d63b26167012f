//! `auth/account`: the account is missing, expired or not allowed to connect like this.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::{Confidence, Finding, Initiator};
use crate::attribute::said::{nothing, said};
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::server::{NoteKind, ServerNote};

/// What nats-server writes in front of `authentication error` where the account decides, not the user's credentials
/// (server/auth.go `processClientOrLeafAuthentication`).
const OF_THE_ACCOUNT: &[&str] = &[
    "Account JWT lookup error",
    "Account JWT has expired",
    "Account JWT not signed by trusted operator",
    "Problem registering with account",
    "Connection type not allowed",
    "Bad src Ip",
    "Outside connect times",
];

/// Stated by the server.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let server = case.server_label(disconnect);
    let client = case.client_label(disconnect);
    if let Some(note) = account_note(disconnect) {
        let refused = disconnect.stated(&CloseReason::AuthenticationViolation);
        let summary = format!("{server} refused {client} over its account");
        return Some(
            Finding::new(Confidence::Stated, Initiator::Server, summary)
                .because([disconnect.quote(&note.at)])
                .because(refused.into_iter().map(|said| said.evidence.clone()))
                .remedy("operator mode: push the account's JWT to the resolver (nsc push -a ACCOUNT), and look at its expiry and allowed connection types (nsc describe account); else compare accounts {} of this server"),
        );
    }
    let summary = || format!("{server} closed {client}: its account does not exist there");
    Some(
        said(disconnect, &[CloseReason::MissingAccount], nothing, summary)?
            .remedy("check that the account named in the credentials exists on this server (accounts {} or the account resolver)"),
    )
}

/// The line about the account behind a refusal.
fn account_note<'a>(disconnect: &Disconnect<'a>) -> Option<&'a ServerNote> {
    if disconnect.reason() != Some(&CloseReason::AuthenticationViolation) {
        return None;
    }
    let notes = &disconnect.server?.notes;
    notes.iter().find(|note| {
        let told = |words: &&str| note.at.text.contains(*words);
        matches!(note.kind, NoteKind::AuthDetail(_)) && OF_THE_ACCOUNT.iter().any(told)
    })
}
