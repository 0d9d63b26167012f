//! `overload/resource-limit`: subscriptions, account, JetStream or disk limits that close connections.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::Finding;
use crate::attribute::said::{nothing, said};
use crate::parse::server_log::close_reason::CloseReason;

/// Stated by the server.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let summary = format!(
        "{} closed {}: more subscriptions than its limit allows",
        case.server_label(disconnect),
        case.client_label(disconnect)
    );
    Some(
        said(disconnect, &[CloseReason::MaxSubscriptionsExceeded], nothing, summary)?
            .remedy("raise max_subscriptions (or the account's subscription limit), or find out why the client subscribes so often"),
    )
}
