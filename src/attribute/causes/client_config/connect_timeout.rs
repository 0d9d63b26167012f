//! `client-config/connect-timeout`: it gives up on connecting faster than this path allows.

use crate::attribute::Case;
use crate::attribute::disconnect::{Disconnect, spoken};
use crate::attribute::finding::{Confidence, Finding, Initiator};
use crate::attribute::path::all_arrived;
use crate::attribute::settings::Names;
use crate::attribute::wire::Side;
use crate::reconstruct::client::Trouble;
use crate::time::SECOND;

/// Paths faster than this do not outlast any connect timeout; a port scanner resets its half-open connections within one
/// round trip of such a path.
const SLOW_PATH: i64 = SECOND / 10;

/// TCP and NATS handshakes take this many round trips (SYN, INFO with CONNECT, PONG), one more for TLS.
const ROUND_TRIPS: i64 = 4;

/// The client leaves during the handshake of TCP or NATS, faster than the path's round trips allow it to finish.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    // A PONG under way when the client leaves makes the session no success for it.
    let failed = disconnect.client.is_some_and(|conn| conn.opened.is_none())
        && disconnect
            .trouble(|trouble| *trouble == Trouble::Timeout)
            .is_some();
    if disconnect.was_ready() && !failed || disconnect.server_gave_reason() {
        return None;
    }
    if case.knows_quick_path(disconnect) {
        return None;
    }
    let quick = disconnect.views.iter().any(|view| {
        let shake = &view.conn.handshake;
        shake.rtt().is_some_and(|rtt| rtt < SLOW_PATH)
    });
    if quick {
        return None;
    }
    let (view, waited, rtt) = disconnect.views.iter().find_map(|view| {
        let shake = &view.conn.handshake;
        let (syn, _) = (shake.syn?, shake.syn_ack?);
        let close = view.closer().filter(|close| close.side == Side::Client)?;
        // A FIN is sent by an established client: its ACK was only not captured.
        if !close.rst && shake.ack.is_none_or(|ack| ack >= close.at) {
            return None;
        }
        // From the first SYN to the client's first answer to the SYN,ACK is a round trip wherever it is captured.
        let rtt = shake.ack.unwrap_or(close.at).ns - syn.ns;
        let waited = close.at.ns - syn.ns;
        // SYNs that went again may have been lost; a RST close behind a repeated SYN,ACK shows how short the path is.
        let prompt = shake.last_syn_ack.is_some_and(|again| {
            view.near_client() || (0..SLOW_PATH).contains(&(close.at.ns - again.ns))
        });
        let again = (shake.syns > 1 || shake.syn_acks > 1) && !all_arrived(disconnect);
        let resent = again && rtt > SECOND && (shake.ack.is_some() || prompt);
        (rtt >= SLOW_PATH && waited < ROUND_TRIPS * rtt && !resent).then_some((view, waited, rtt))
    })?;
    let names = Names::of_client(disconnect);
    let summary = format!(
        "{} gave up connecting before the handshake could finish: a round trip takes {}",
        case.client_label(disconnect),
        spoken(rtt)
    );
    let told = disconnect
        .trouble(|trouble| *trouble == Trouble::Timeout)
        .map(|event| disconnect.quote(&event.at));
    Some(
        Finding::new(Confidence::Shown, Initiator::Client, summary)
            .because([
                view.evidence(view.conn.handshake.syn?, "the first SYN"),
                view.evidence(
                    view.closer()?.at,
                    format!("the client's end, {} later", spoken(waited)),
                ),
            ])
            .because(told)
            .remedy(format!(
                "{}: raise {} above several round trips of this path",
                names.library, names.connect_timeout
            )),
    )
}
