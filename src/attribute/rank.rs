//! Several findings to one verdict: the surest wins, the register's order breaks ties, the others become rivals.

use super::Case;
use super::causes::REGISTER;
use super::crossing;
use super::disconnect::Disconnect;
use super::finding::{Alternative, Close, Finding};
use super::outcome;
use crate::reconstruct::server::ConnKind;
use crate::shelf::Name;

/// A finding with the rule that made it.
#[derive(Debug)]
struct Candidate {
    cause: &'static str,
    detail: &'static str,
    finding: Finding,
}

/// Judges one ended connection.
pub fn close(disconnect: &Disconnect, case: &Case) -> Close {
    let mut candidates: Vec<Candidate> = REGISTER
        .iter()
        .filter_map(|rule| {
            let finding = (rule.check)(disconnect, case)?;
            Some(Candidate {
                cause: rule.cause,
                detail: rule.detail,
                finding,
            })
        })
        .collect();
    // Stable: the register's order is the order of precedence among equally sure findings.
    candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.finding.confidence));
    let mut candidates = candidates.into_iter();
    let Some(best) = candidates.next() else {
        let mut close = super::causes::unexplained::close(disconnect, case);
        in_order(&mut close);
        return close;
    };
    let mut alternatives = best.finding.rivals.clone();
    for rival in candidates {
        if alternatives
            .iter()
            .all(|known| (known.cause, known.detail) != (rival.cause, rival.detail))
        {
            alternatives.push(Alternative {
                cause: rival.cause,
                detail: rival.detail,
                why_not: if rival.finding.confidence == best.finding.confidence {
                    format!(
                        "{}; also true ({}), but less to the point",
                        rival.finding.summary,
                        rival.finding.confidence.word()
                    )
                } else {
                    format!(
                        "{}; less sure ({})",
                        rival.finding.summary,
                        rival.finding.confidence.word()
                    )
                },
            });
        }
    }
    let mut close = describe(disconnect, case);
    close.cause = best.cause;
    close.detail = best.detail;
    close.confidence = best.finding.confidence;
    close.initiator = best.finding.initiator;
    close.summary = best.finding.summary;
    close.evidence = best.finding.evidence;
    close.alternatives = alternatives;
    close.missing = best.finding.missing;
    close.remedy = best.finding.remedy;
    in_order(&mut close);
    outcome::complete(&mut close, disconnect, case);
    close.evidence.shrink_to_fit();
    close.alternatives.shrink_to_fit();
    close.missing.shrink_to_fit();
    close.remedy.shrink_to_fit();
    close
}

/// Evidence by time, each place once.
fn in_order(close: &mut Close) {
    close
        .evidence
        .sort_by_key(|evidence| (evidence.at.map(|when| when.at), evidence.cite));
    close
        .evidence
        .dedup_by(|a, b| a.cite == b.cite && a.supports == b.supports);
}

/// Everything about a close but its verdict.
pub fn describe(disconnect: &Disconnect, case: &Case) -> Close {
    let (client, client_side) = disconnect.client_addresses();
    let (client_name, client_lang, client_version) = disconnect.client_identity();
    // Mostly the name in CONNECT, which the capture's sketch has.
    let legs = disconnect.joined.conns.iter();
    let mut captured = legs.filter_map(|leg| case.records.conns[leg.conn()].name);
    let client_name = client_name.map(|text| {
        let known = captured.find(|name| &**name == text);
        known.unwrap_or_else(|| Name::of(text))
    });
    let view = disconnect.views.first();
    Close {
        joined: disconnect.index,
        client,
        client_side,
        server: disconnect.server_address(),
        kind: match disconnect.kind() {
            ConnKind::Client | ConnKind::Internal => "client",
            ConnKind::Route => "route",
            ConnKind::Gateway => "gateway",
            ConnKind::Leafnode => "leafnode",
            ConnKind::WebSocket => "websocket",
            ConnKind::Mqtt => "mqtt",
        },
        cid: disconnect
            .server
            .map(|conn| conn.id)
            .or_else(|| disconnect.info()?.client_id),
        client_name,
        client_lang: client_lang.map(Name::of),
        client_version: client_version.map(Name::of),
        account: disconnect
            .server
            .and_then(|conn| conn.account.as_ref().map(ToString::to_string)),
        server_name: super::label::server_name(disconnect),
        server_life: disconnect.life.map(|(index, _)| index),
        attempt: !disconnect.was_ready() && disconnect.turned_away(),
        opened_at: disconnect.opened,
        closed_at: disconnect.closed,
        outcome: outcome::of(disconnect, case),
        wireshark_filter: view.map(|view| {
            let (orig, resp) = (view.conn.tuple.orig, view.conn.tuple.resp);
            let ip = if orig.is_ipv4() { "ip" } else { "ipv6" };
            format!(
                "{ip}.addr=={} && {ip}.addr=={} && tcp.port=={} && tcp.port=={}",
                orig.ip(),
                resp.ip(),
                orig.port(),
                resp.port()
            )
        }),
        crossings: crossing::crossings(disconnect),
        ..Close::default()
    }
}
