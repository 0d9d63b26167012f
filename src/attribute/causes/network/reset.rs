//! `network/reset`: a reset or EOF that only logs report; nothing tells who sent it.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::{Confidence, Finding, Initiator};
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::client::Trouble;
use crate::time::SECOND;

/// A reset in a log, and no packets.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    if !disconnect.views.is_empty() || disconnect.intended() || case.gone(disconnect).is_some() {
        return None;
    }
    let client_says = disconnect.trouble(|trouble| {
        matches!(
            trouble,
            Trouble::Reset | Trouble::BrokenPipe | Trouble::KernelTimeout
        )
    });
    let server_says = matches!(
        disconnect.reason(),
        Some(CloseReason::ReadError | CloseReason::WriteError)
    );
    let other = disconnect.server_gave_reason();
    // A client library that ends its own connections with RST (C, Java) makes this ordinary; its log would then say
    // that the application meant it.
    if other || client_says.is_none() && !(server_says && disconnect.lost_by_log()) {
        return None;
    }
    // The client had left long before the server read the error: it is the answer to what the server still sent.
    if client_says.is_none() && left_before(disconnect).is_some_and(|ahead| ahead > SECOND) {
        return None;
    }
    let summary = format!(
        "the connection between {} and {} was reset; the logs do not tell by whom",
        case.client_label(disconnect),
        case.server_label(disconnect)
    );
    Some(
        Finding::new(Confidence::Possible, Initiator::Unknown, summary)
            .because(client_says.map(|event| disconnect.quote(&event.at)))
            .because(disconnect.statements.iter().map(|said| said.evidence.clone()))
            .rival("server-shutdown", "killed", "a killed server resets connections with unread data")
            .rival("client-fault", "process-exit", "a killed client does too")
            .missing("a capture on either side: the RST's hop count and sequence number tell who sent it")
            .remedy("capture on both ends (tcpdump -i any -s 200 'tcp port 4222') until it happens again"),
    )
}

/// By how much the client's log says that it lost the connection before the server's says so, at least.
fn left_before(disconnect: &Disconnect) -> Option<i64> {
    let closed = disconnect.log(disconnect.server?.closed.as_ref()?)?;
    let mut lost = disconnect
        .troubles()
        .filter_map(|(event, _)| disconnect.log(&event.at));
    Some(closed.bounds.low - lost.next()?.bounds.high)
}
