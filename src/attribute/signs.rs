//! Signs of trouble that logs tell of a server or a host and not of one connection: failed accepts, load, refusals counted
//! together, a full conntrack table. Where no close tells of them, a reader learns of them here.

use crate::align::Alignment;
use crate::align::joined::Records;
use crate::reconstruct::server::{ServerEvent, ServerEventKind};

use super::finding::Evidence;

/// A sign: lines of one meaning from one process or host.
#[derive(Clone, Debug)]
pub struct Sign {
    /// What it says of connections, in a clause.
    pub means: &'static str,
    /// It closes or refuses connections by itself, whoever they are.
    pub costs_connections: bool,
    /// How many lines, or what they count.
    pub count: u64,
    /// The server limits the rate of such lines: `count` is a lower bound.
    pub at_least: bool,
    /// The first and the last of them.
    pub evidence: Vec<Evidence>,
}

/// Signs of all servers and hosts, what costs connections first, then in the order of time.
pub fn signs(records: &Records, alignment: &Alignment) -> Vec<Sign> {
    let mut signs = Vec::new();
    for life in &records.servers {
        gather(&life.events, alignment, &mut signs);
    }
    gather(&records.host_events, alignment, &mut signs);
    let first = |sign: &Sign| sign.evidence.first().and_then(|piece| Some(piece.at?.at));
    signs.sort_by_key(|sign| (!sign.costs_connections, first(sign)));
    signs
}

fn gather(events: &[ServerEvent], alignment: &Alignment, signs: &mut Vec<Sign>) {
    let begin = signs.len();
    for event in events {
        let Some((means, costs_connections)) = meaning(&event.kind) else {
            continue;
        };
        let lines = [event.first.as_ref(), Some(&event.at)];
        let quotes = lines.into_iter().flatten().map(|at| Evidence {
            cite: at.cite,
            at: alignment.log(at),
            says: at.text.to_string(),
            supports: true,
        });
        match signs[begin..].iter_mut().find(|sign| sign.means == means) {
            Some(sign) => {
                sign.count += event.count;
                sign.at_least |= event.rate_limited;
                sign.evidence.extend(quotes);
                if sign.evidence.len() > 2 {
                    sign.evidence.drain(1..sign.evidence.len() - 1);
                }
            }
            None => signs.push(Sign {
                means,
                costs_connections,
                count: event.count,
                at_least: event.rate_limited,
                evidence: quotes.collect(),
            }),
        }
    }
}

/// What an event says of connections, and whether it costs some.
fn meaning(kind: &ServerEventKind) -> Option<(&'static str, bool)> {
    Some(match kind {
        ServerEventKind::AcceptError(what) if what.contains("too many open files") => (
            "connections could not be accepted: no file descriptors left",
            true,
        ),
        ServerEventKind::AcceptError(_) => ("connections could not be accepted", true),
        ServerEventKind::Refused(_) => ("connections were refused over a limit", true),
        ServerEventKind::ClosedToMaxConnections(_) => (
            "connections were closed to come down to a lowered limit",
            true,
        ),
        ServerEventKind::TlsRateLimited(_) => {
            ("TLS handshakes were refused over their rate limit", true)
        }
        ServerEventKind::Pressure(_) => ("the server is under load", false),
        ServerEventKind::JetStreamDisabled(_) => ("JetStream was turned off", false),
        ServerEventKind::HealthcheckFailed(_) => ("health checks failed", false),
        ServerEventKind::ReloadFailed => ("a reload of the configuration failed", false),
        ServerEventKind::Host(_) => ("the host reports trouble", false),
        _ => return None,
    })
}
