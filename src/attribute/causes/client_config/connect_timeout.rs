//! `client-config/connect-timeout`: it gives up on connecting faster than this path allows.

use crate::attribute::Case;
use crate::attribute::disconnect::{Disconnect, spoken};
use crate::attribute::finding::{Confidence, Finding, Initiator};
use crate::attribute::settings::Names;
use crate::attribute::wire::Side;
use crate::time::SECOND;

/// The client leaves during the handshake of TCP or NATS, and the answer it did not wait for arrives.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    if disconnect.was_ready() || !disconnect.statements.is_empty() {
        return None;
    }
    let (view, waited, answer) = disconnect.views.iter().find_map(|view| {
        let syn = view.conn.handshake.syn?;
        let close = view.closer().filter(|close| close.side == Side::Client)?;
        let waited = close.at.ns - syn.ns;
        let late = [
            view.conn.handshake.syn_ack,
            view.flow(Side::Server).last_data,
            view.flow(Side::Server).last_packet,
        ];
        let slow = view.conn.handshake.rtt().filter(|rtt| *rtt * 2 > waited);
        let answer = late
            .into_iter()
            .flatten()
            .find(|at| at.ns > close.at.ns)
            .or_else(|| slow.and(view.conn.handshake.ack))?;
        let spoke = view.flow(Side::Server).bytes > 0 || view.conn.handshake.syn_ack.is_some();
        (spoke && waited < 30 * SECOND).then_some((view, waited, answer))
    })?;
    // A RST from a kernel that has closed already is no late answer.
    let rtt = view.conn.handshake.rtt();
    let slow_path = rtt.is_some_and(|rtt| rtt * 3 > waited)
        || view.conn.handshake.syn_ack.is_some_and(|at| at == answer);
    if !slow_path {
        return None;
    }
    let names = Names::of(disconnect.client_identity().1.as_deref());
    let path = rtt.map_or_else(String::new, |rtt| {
        format!("; a round trip takes {}", spoken(rtt))
    });
    let summary = format!(
        "{} gave up connecting after {}{path}",
        case.client_label(disconnect),
        spoken(waited)
    );
    Some(
        Finding::new(Confidence::Shown, Initiator::Client, summary)
            .because([
                view.evidence(view.closer()?.at, "the client gives up"),
                view.evidence(answer, "an answer that comes too late for it"),
            ])
            .remedy(format!(
                "{}: raise {} above several round trips of this path",
                names.library, names.connect_timeout
            )),
    )
}
