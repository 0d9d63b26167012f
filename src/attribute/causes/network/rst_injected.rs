//! `network/rst-injected`: a RST that neither end sent.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::{Confidence, Evidence, Finding, Initiator};
use crate::attribute::out_of_sight::{self, How};
use crate::attribute::wire::{Side, View};
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::client::Trouble;
use crate::reconstruct::conn::RstOrigin;

/// What speaks for a RST from in between, strongest first.
fn signs(disconnect: &Disconnect) -> Option<(Confidence, Vec<Evidence>)> {
    let mut evidence = Vec::new();
    let mut confidence = None;
    // Two captures: it arrived at one end and never left the other.
    for view in &disconnect.views {
        let Some(rst) = view.closing_rst() else {
            continue;
        };
        let from = view.side(rst.from);
        // At its own host a RST in a side's name is seen leaving: that side's kernel sent it.
        let at_home = if from == Side::Client {
            view.near_client()
        } else {
            view.near_server()
        };
        if at_home {
            continue;
        }
        let told: Vec<&str> = rst.signs.iter().map(|sign| &**sign).collect();
        let claimed = disconnect
            .view_at(from)
            .filter(|other| !std::ptr::eq(other.conn, view.conn));
        if let Some(origin) = claimed {
            let left = origin
                .conn
                .rsts
                .iter()
                .any(|other| origin.side(other.from) == from)
                || origin
                    .flow(from)
                    .fin
                    .is_some_and(|fin| origin.when(fin).at <= view.when(rst.at).at);
            if !left && covers(origin, view, rst.at) {
                evidence.push(view.evidence(
                    rst.at,
                    format!(
                        "RST in the name of the {}; the capture at its host never saw it leave",
                        from.word()
                    ),
                ));
                confidence = Some(Confidence::Shown);
            } else if left && rst.origin == RstOrigin::Injected && both_reset(disconnect) {
                evidence
                    .push(view.evidence(rst.at, format!("RST in the name of the {}", from.word())));
                confidence = confidence.max(Some(Confidence::Shown));
            }
        } else if rst.origin == RstOrigin::Injected {
            evidence.push(view.evidence(
                rst.at,
                format!(
                    "RST in the name of the {}: {}",
                    from.word(),
                    told.join("; ")
                ),
            ));
            confidence = confidence.max(Some(Confidence::Shown));
        }
    }
    if both_reset(disconnect)
        && disconnect
            .views
            .iter()
            .filter_map(View::closing_rst)
            .count()
            >= 2
    {
        confidence = Some(Confidence::Shown);
        for view in &disconnect.views {
            if let Some(rst) = view.closing_rst() {
                evidence.push(view.evidence(
                    rst.at,
                    format!(
                        "this end receives a RST in the name of the {}",
                        view.side(rst.from).word()
                    ),
                ));
            }
        }
    }
    // One end on the wire or in its log, the other in its log: each was reset by the other, so neither did it.
    let server_reset = matches!(disconnect.reason(), Some(CloseReason::ReadError));
    let client_reset = disconnect.trouble(|trouble| *trouble == Trouble::Reset);
    let wire_from_server = disconnect.views.iter().find_map(|view| {
        let rst = view
            .closing_rst()
            .filter(|rst| view.side(rst.from) == Side::Server)?;
        (rst.origin != RstOrigin::OwnNoSocket)
            .then(|| view.evidence(rst.at, "RST in the name of the server comes first"))
    });
    let wire_from_client = disconnect.views.iter().find_map(|view| {
        let rst = view
            .closing_rst()
            .filter(|rst| view.side(rst.from) == Side::Client)?;
        (rst.origin != RstOrigin::OwnActive)
            .then(|| view.evidence(rst.at, "RST in the name of the client comes first"))
    });
    if server_reset && (client_reset.is_some() || wire_from_server.is_some()) {
        evidence.extend(
            disconnect
                .stated(&CloseReason::ReadError)
                .first()
                .map(|said| said.evidence.clone()),
        );
        evidence.extend(client_reset.map(|event| disconnect.quote(&event.at)));
        evidence.extend(wire_from_server);
        confidence = confidence.max(Some(Confidence::Likely));
    } else if let (Some(event), Some(packet)) = (client_reset, wire_from_client) {
        evidence.extend([disconnect.quote(&event.at), packet]);
        confidence = confidence.max(Some(Confidence::Likely));
    }
    Some((confidence?, evidence))
}

/// How far away the sender of the RST is, by its hop count; systems begin at 64, 128 or 255.
fn distance(disconnect: &Disconnect) -> Option<String> {
    let ttl = disconnect.views.iter().find_map(View::closing_rst)?.ttl;
    let begun = [64, 128, 255].into_iter().find(|begun| *begun >= ttl)?;
    Some(format!(
        "; its RST arrives with TTL {ttl}, {} hops from a sender that begins at {begun}",
        begun - ttl
    ))
}

/// Each capture shows its own end being reset in the other's name.
fn both_reset(disconnect: &Disconnect) -> bool {
    let at_client = disconnect
        .view_at(Side::Client)
        .and_then(|view| Some(view.side(view.closing_rst()?.from)));
    let at_server = disconnect
        .view_at(Side::Server)
        .and_then(|view| Some(view.side(view.closing_rst()?.from)));
    at_client == Some(Side::Server) && at_server == Some(Side::Client)
}

/// The capture at the claimed sender was running then.
fn covers(origin: &View, view: &View, at: crate::span::Moment) -> bool {
    let moment = view.when(at);
    origin.when(origin.capture_end).bounds.high >= moment.bounds.low
}

const BOTH_ENDS: &str = "next capture: both ends at once (tcpdump -i any -s 200 'tcp port 4222'), so that what arrives without having left is proven";

/// Signs, and nothing that an end did itself.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    if !disconnect.was_ready() && disconnect.views.iter().all(|view| !view.established()) {
        return None;
    }
    let ended_itself = disconnect.server_gave_reason();
    if disconnect.intended() || ended_itself {
        return None;
    }
    if let Some(finding) = out_of_sight::ended(disconnect, case, How::Told) {
        return Some(finding.remedy(BOTH_ENDS));
    }
    let (confidence, evidence) = signs(disconnect)?;
    let summary = format!(
        "something between {} and {} reset the connection: neither end sent the RST",
        case.client_label(disconnect),
        case.server_label(disconnect)
    );
    Some(
        Finding::new(confidence, Initiator::Network, summary)
            .because(evidence)
            .remedy(format!("find the device in the path that resets flows (stateful firewall, IPS, load balancer, NAT after a failover): its log for this address pair at this time{}", distance(disconnect).unwrap_or_default()))
            .remedy(BOTH_ENDS),
    )
}
