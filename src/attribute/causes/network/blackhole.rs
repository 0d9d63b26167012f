//! `network/blackhole`: one or both directions went silent; data unanswered, retransmissions, then somebody gave up.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::disconnect::spoken;
use crate::attribute::finding::{Confidence, Finding, Initiator};
use crate::attribute::label::Label;
use crate::attribute::out_of_sight::{self, How};
use crate::attribute::path::{all_arrived, dead_path};
use crate::attribute::stale;
use crate::attribute::wire::Side;
use crate::reconstruct::client::Trouble;
use crate::time::SECOND;

/// Retransmissions into silence; or, from logs alone, a stale verdict that never reached the other side.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let (server, client) = (case.server_label(disconnect), case.client_label(disconnect));
    if !disconnect.was_ready() {
        if let Some(finding) = answers_lost(disconnect, server, client) {
            return Some(finding);
        }
        if disconnect.views.iter().any(|view| !view.established()) {
            return None;
        }
    }
    let remedy = "ask what changed in the path between these two addresses at that moment (firewall or security-group rule, route, link, conntrack table); capture on both ends to see on which side the packets vanish";
    if let Some(finding) = out_of_sight::ended(disconnect, case, How::Silent) {
        return Some(finding.remedy(remedy));
    }
    if let Some(dead) = dead_path(disconnect).filter(|dead| !dead.heard()) {
        let (from, to) = match dead.from {
            Side::Client => (client, server),
            Side::Server => (server, client),
        };
        let summary = format!(
            "the path went silent: what {from} sent never reached {to}, or no answer came back"
        );
        let one_sided = if dead.path.peer_silent {
            Confidence::Shown
        } else {
            Confidence::Likely
        };
        let both = one_side_only(disconnect);
        return Some(
            Finding::new(one_sided, Initiator::Network, summary)
                .because(dead.evidence())
                .because(stale::lines(disconnect))
                .because(both)
                .remedy(remedy),
        );
    }
    if let Some(finding) = back_at_once(disconnect, server, client) {
        return Some(finding.remedy(remedy));
    }
    let verdict = stale::from_logs(disconnect, case).filter(|verdict| !verdict.client_stalled)?;
    let summary =
        format!("the path between {client} and {server} went silent: PINGs went unanswered");
    Some(
        Finding::new(verdict.confidence, Initiator::Network, summary)
            .because(verdict.evidence)
            .rival("client-fault", "client-stall", "a client that does not run misses PINGs too; a capture would show its kernel acknowledging them")
            .missing("a capture on either side of the connection")
            .remedy(remedy),
    )
}

/// An attempt whose SYNs arrive and are answered, over and over: the answers vanish on their way back.
fn answers_lost(disconnect: &Disconnect, server: Label, client: Label) -> Option<Finding> {
    if all_arrived(disconnect) {
        return None;
    }
    let view = disconnect.views.iter().find(|view| {
        let shake = &view.conn.handshake;
        // A SYN alone may be a forger's, who never hears the answers.
        let meant = shake.syns >= 2 || view.flow(Side::Client).packets > u64::from(shake.syns);
        let unheard = shake.ack.is_none_or(|ack| shake.last_syn_ack < Some(ack));
        // A client that gave up before they came answers each of them with a RST.
        let rsts = view.conn.rsts.iter();
        let refused = rsts
            .filter(|rst| view.side(rst.from) == Side::Client)
            .count();
        let came_late = refused as u64 >= u64::from(shake.syn_acks);
        meant && shake.syn_acks >= 3 && unheard && !came_late && !view.near_client()
    })?;
    let shake = &view.conn.handshake;
    let summary = format!("{server} answers the SYNs of {client}, and its answers never arrive");
    let evidence = [
        view.evidence(shake.syn?, format!("SYN, sent {} times", shake.syns)),
        view.evidence(
            shake.last_syn_ack?,
            format!("the last of {} SYN,ACKs, none acknowledged", shake.syn_acks),
        ),
    ];
    Some(
        Finding::new(Confidence::Shown, Initiator::Network, summary)
            .because(evidence)
            .remedy("look at the way back from the server to this client: routes (asymmetric ones too), firewall rules and state tables that see one direction only"),
    )
}

/// The closing packet of one side that the other side's capture never saw.
fn one_side_only(disconnect: &Disconnect) -> Option<crate::attribute::finding::Evidence> {
    let at_client = disconnect.view_at(Side::Client)?;
    let at_server = disconnect.view_at(Side::Server)?;
    let fin = at_client.flow(Side::Client).fin?;
    (at_server.flow(Side::Client).fin.is_none()).then(|| {
        at_client.evidence(
            fin,
            "the client's FIN leaves here and never arrives at the server's capture",
        )
    })
}

/// A server that greets a new connection this fast is not stalled.
const AT_ONCE: i64 = 2 * SECOND;

/// Logs alone: the client counted unanswered PINGs, left, and the same server greeted it at once: it was running, so the
/// old connection's path was not.
fn back_at_once(disconnect: &Disconnect, server: Label, client: Label) -> Option<Finding> {
    if !disconnect.views.is_empty() || disconnect.server_gave_reason() {
        return None;
    }
    let counted = disconnect.trouble(|trouble| *trouble == Trouble::Stale)?;
    let (story, conn) = (disconnect.story?, disconnect.client?);
    let back = story.events.get(conn.back?)?;
    let away = disconnect.apart(disconnect.log(&back.at), disconnect.log(&counted.at))?;
    let same = back.server.is_none() || conn.server.is_none() || back.server == conn.server;
    if !same || !(0..AT_ONCE).contains(&away) {
        return None;
    }
    let summary = format!(
        "{client} missed PONGs of {server}, which greeted its next connection within {}",
        spoken(away)
    );
    Some(
        Finding::new(Confidence::Possible, Initiator::Network, summary)
            .because([disconnect.quote(&counted.at), disconnect.quote(&back.at)])
            .rival("client-config", "aggressive-ping", "a short ping interval gives up over ordinary hiccups; the PINGs' spacing in a capture would decide")
            .rival("overload", "server-stall", "a stall that ended at that moment looks the same")
            .missing("a capture on either side of the connection"),
    )
}
