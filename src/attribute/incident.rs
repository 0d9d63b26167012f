//! Closes that share cause, server and moment: what a reader wants to hear first.

use std::collections::BTreeMap;

use crate::time::SECOND;

use super::Case;
use super::finding::{Close, Incident};
use super::headline::{self, Tally};
use crate::shelf::Shelf;

/// Closes of one cause at one server belong together while they follow each other within this.
const GAP: i64 = 60 * SECOND;

/// Groups closes, worst first.
pub fn group(closes: &Shelf<Close>, case: &Case) -> Vec<Incident> {
    let mut by_key: BTreeMap<(&str, &str, Option<usize>), Vec<usize>> = BTreeMap::new();
    for (index, close) in closes.sketches().enumerate() {
        if matches!(close.cause(), "client-close" | "unexplained" | "cluster") {
            continue;
        }
        let endpoint = case.endpoints.of(close.joined());
        by_key
            .entry((close.cause(), close.detail(), endpoint))
            .or_default()
            .push(index);
    }
    let mut incidents = Vec::new();
    for ((cause, detail, _), members) in by_key {
        let mut run: Vec<usize> = Vec::new();
        for index in members {
            let apart = run.last().and_then(|last| {
                Some(
                    closes[index]
                        .closed_at()?
                        .at
                        .since(closes[*last].closed_at()?.at),
                )
            });
            if apart.is_some_and(|apart| apart > GAP) {
                incidents.push(incident(
                    cause,
                    detail,
                    std::mem::take(&mut run),
                    closes,
                    case,
                ));
            }
            run.push(index);
        }
        incidents.push(incident(cause, detail, run, closes, case));
    }
    incidents.sort_by_key(|incident| {
        (
            std::cmp::Reverse(incident.closes.len()),
            std::cmp::Reverse(incident.confidence),
            incident.from.map(|when| when.at),
            incident.cause,
            incident.detail,
        )
    });
    for (index, incident) in incidents.iter_mut().enumerate() {
        incident.id = format!("i{}", index + 1);
    }
    chain(&mut incidents);
    incidents
}

fn incident(
    cause: &'static str,
    detail: &'static str,
    members: Vec<usize>,
    closes: &Shelf<Close>,
    case: &Case,
) -> Incident {
    let first = closes
        .get(members[0])
        .as_deref()
        .cloned()
        .unwrap_or_default();
    let times = || {
        members
            .iter()
            .filter_map(|index| closes[*index].closed_at())
    };
    let server = first
        .server_name
        .clone()
        .or_else(|| first.server.map(|address| address.to_string()));
    let mut remedy: Vec<String> = Vec::new();
    let mut tally = Tally::default();
    for close in members.iter().filter_map(|index| closes.get(*index)) {
        tally.count(&close, case);
        for line in &close.remedy {
            if !remedy.contains(line) && remedy.len() < 8 {
                remedy.push(line.clone());
            }
        }
    }
    Incident {
        id: String::new(),
        cause,
        detail,
        confidence: members
            .iter()
            .map(|index| closes[*index].confidence)
            .max()
            .unwrap_or_default(),
        server,
        from: times().min_by_key(|when| when.at),
        until: times().max_by_key(|when| when.at),
        summary: case.with(first.joined, |disconnect| {
            headline::of(cause, detail, case.server_label(disconnect), tally)
        }),
        closes: members,
        remedy,
        follows: None,
    }
}

/// What one incident leads to: clients thrown off by a stop or a crash come back together and meet limits.
fn chain(incidents: &mut [Incident]) {
    const AFTERMATH: i64 = 120 * SECOND;
    let heads: Vec<(usize, i64, Option<String>)> = incidents
        .iter()
        .enumerate()
        .filter(|(_, incident)| {
            incident.cause == "server-shutdown"
                || matches!(
                    incident.detail,
                    "out-of-memory" | "oom-kill" | "server-stall"
                )
                || incident.cause == "network"
        })
        .filter_map(|(index, incident)| Some((index, incident.from?.at.0, incident.server.clone())))
        .collect();
    for (index, incident) in incidents.iter_mut().enumerate() {
        let stampede = matches!(
            incident.detail,
            "max-connections" | "fd-exhaustion" | "accept-queue"
        );
        let Some(from) = incident.from.filter(|_| stampede) else {
            continue;
        };
        incident.follows = heads
            .iter()
            .filter(|(head, at, _)| *head != index && (0..AFTERMATH).contains(&(from.at.0 - at)))
            .max_by_key(|(_, at, _)| *at)
            .map(|(head, _, _)| *head);
    }
}
