//! Folding of server events: bursts of the same kind become one with a count.

use super::facts::shape;
use super::server::{ServerEvent, ServerEventKind};
use crate::time::Stamp;

/// Adds `event`, or counts it into the last one like it: when that was within `burst_ns`, or when there are already
/// `most` of its kind.
pub fn fold(events: &mut Vec<ServerEvent>, mut event: ServerEvent, most: usize, burst_ns: i64) {
    event.count = counted(&event.kind).unwrap_or(event.count);
    let foldable = !matches!(
        event.kind,
        ServerEventKind::Starting
            | ServerEventKind::Ready
            | ServerEventKind::SignalTrapped(_)
            | ServerEventKind::ShutdownInitiated
            | ServerEventKind::Exiting
            | ServerEventKind::LameDuckEntered
            | ServerEventKind::ClosingClients
            // Each names a process of its own.
            | ServerEventKind::ProcessExit(_)
            | ServerEventKind::OomKill(_)
    );
    let same_kind = |other: &ServerEvent| {
        std::mem::discriminant(&other.kind) == std::mem::discriminant(&event.kind)
    };
    let of_kind = events.iter().filter(|other| same_kind(other)).count();
    if foldable || of_kind >= most {
        let full = of_kind >= most;
        let like = events.iter_mut().rev().find(|other| {
            same_kind(other) && (full || (alike(other, &event) && near(other, &event, burst_ns)))
        });
        if let Some(like) = like {
            like.count += event.count;
            let earlier = std::mem::replace(&mut like.at, event.at);
            like.first.get_or_insert(earlier);
            like.kind = sum(&like.kind, event.kind);
            like.rate_limited |= event.rate_limited;
            return;
        }
    }
    events.push(event);
}

/// What a line itself counts.
fn counted(kind: &ServerEventKind) -> Option<u64> {
    match kind {
        ServerEventKind::TlsRateLimited(count) | ServerEventKind::ClosedToMaxConnections(count) => {
            Some(*count)
        }
        _ => None,
    }
}

fn sum(a: &ServerEventKind, b: ServerEventKind) -> ServerEventKind {
    match (a, b) {
        (ServerEventKind::TlsRateLimited(a), ServerEventKind::TlsRateLimited(b)) => {
            ServerEventKind::TlsRateLimited(a + b)
        }
        (
            ServerEventKind::ClosedToMaxConnections(a),
            ServerEventKind::ClosedToMaxConnections(b),
        ) => ServerEventKind::ClosedToMaxConnections(a + b),
        (_, b) => b,
    }
}

fn alike(a: &ServerEvent, b: &ServerEvent) -> bool {
    words(&a.kind).map(|text| shape(text.as_bytes()))
        == words(&b.kind).map(|text| shape(text.as_bytes()))
}

fn near(a: &ServerEvent, b: &ServerEvent, burst_ns: i64) -> bool {
    let time = |event: &ServerEvent| event.at.stamp.or(event.at.outer);
    match (time(a), time(b)) {
        (Some(Stamp { ns: a, .. }), Some(Stamp { ns: b, .. })) => {
            b.saturating_sub(a).abs() <= burst_ns
        }
        _ => true,
    }
}

/// The words of a kind that has them.
fn words(kind: &ServerEventKind) -> Option<&str> {
    match kind {
        ServerEventKind::AcceptError(text)
        | ServerEventKind::Pressure(text)
        | ServerEventKind::JetStreamDisabled(text)
        | ServerEventKind::RouteDialError(text)
        | ServerEventKind::Crash(text)
        | ServerEventKind::OutOfMemory(text)
        | ServerEventKind::OomKill(text)
        | ServerEventKind::ProcessExit(text)
        | ServerEventKind::HealthcheckFailed(text)
        | ServerEventKind::Host(text)
        | ServerEventKind::Refused(text)
        | ServerEventKind::Fatal(text)
        | ServerEventKind::Reloaded(text)
        | ServerEventKind::Other(text) => Some(text),
        _ => None,
    }
}
