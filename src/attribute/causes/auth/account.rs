//! `auth/account`: the account is missing, or a leafnode's permissions end its connection.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::Finding;
use crate::attribute::said::{nothing, said};
use crate::parse::server_log::close_reason::CloseReason;

/// Stated by the server.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let server = case.server_label(disconnect);
    let client = case.client_label(disconnect);
    let summary = || format!("{server} closed {client}: its account does not exist there");
    Some(
        said(disconnect, &[CloseReason::MissingAccount], nothing, summary)?
            .remedy("check that the account named in the credentials exists on this server (accounts {} or the account resolver)"),
    )
}
