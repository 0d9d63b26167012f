//! Between servers the connecting side is a server too, and its process may have ended: by its own log, or by a connection that
//! servers keep as long as they run.

use std::collections::BTreeSet;

use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::server::{ConnKind, EndManner, NoteKind};
use crate::time::SECOND;

use super::disconnect::Disconnect;
use super::finding::Confidence;
use super::gone::{Gone, closing_packet};
use super::life_end::LifeEnd;
use super::wire::Side;

/// Routes and leafnodes younger than this are still being sorted out by the mesh.
const SETTLED: i64 = 5 * SECOND;

/// `Client Closed` on a route, gateway or leafnode is the EOF of a peer process, which its own log may explain.
pub fn peer_gone(disconnect: &Disconnect) -> Option<Gone> {
    let between = matches!(
        disconnect.kind(),
        ConnKind::Route | ConnKind::Gateway | ConnKind::Leafnode
    );
    let left = disconnect.reason().is_none_or(CloseReason::is_departure);
    let refused = disconnect
        .note(|note| matches!(note, NoteKind::PeerError(_)))
        .is_some();
    if !between || !left || refused {
        return None;
    }
    let at = disconnect.closed?;
    let own = disconnect.life.map(|(life, _)| life);
    let (seen, own_side) = disconnect.client_addresses();
    let peer_ip = own_side.or(seen).map(|address| address.ip());
    let remote = disconnect.server.and_then(|conn| conn.remote.as_deref());
    let (name, _, _) = disconnect.client_identity();
    let mut fits: Vec<(bool, LifeEnd)> = Vec::new();
    for (index, life) in disconnect.records.servers.iter().enumerate() {
        if Some(index) == own {
            continue;
        }
        let identity = &life.identity;
        let listeners = identity
            .listen
            .iter()
            .chain(identity.other_listeners.iter().map(|(_, at)| at));
        let mut addresses = listeners
            .map(std::net::SocketAddr::ip)
            .filter(|ip| !ip.is_unspecified())
            .peekable();
        let called = |given: Option<&str>| {
            given.is_some()
                && (given == identity.name.as_deref() || given == identity.id.as_deref())
        };
        let named = called(remote) || called(name);
        let known = addresses.peek().is_some();
        let here = addresses.any(|ip| Some(ip) == peer_ip);
        if !(named || here || !known) {
            continue;
        }
        let Some(end) = LifeEnd::of_life(disconnect, index) else {
            continue;
        };
        let told = end.manner.is_told();
        // A log that stops for good before this, of a peer known by name or address.
        let settled = disconnect.lifetime().is_some_and(|lived| lived >= SETTLED);
        let stops =
            settled && (named || here) && end.manner == EndManner::Unknown && end.until.is_none();
        // What was opened after the next process had started died with none before it.
        let since = disconnect.opened.zip(end.until);
        let older = since.is_none_or(|(opened, until)| opened.bounds.low <= until.bounds.high);
        if (told || stops) && older && end.holds(at) {
            fits.push((named || here, end));
        }
    }
    fits.sort_by_key(|(sure, _)| !*sure);
    let sure = fits.iter().filter(|(sure, _)| *sure).count();
    let Some((known, end)) = fits.into_iter().next() else {
        return peer_left(disconnect);
    };
    // A process that was started again is no third server.
    let servers: BTreeSet<&str> = disconnect
        .records
        .servers
        .iter()
        .filter_map(|life| {
            life.identity
                .name
                .as_deref()
                .or(life.identity.id.as_deref())
        })
        .collect();
    if !known && sure == 0 && servers.len() > 2 {
        return None;
    }
    let open = end.manner == EndManner::Unknown;
    let manner = match end.manner {
        _ if end.lame_duck.is_some() => EndManner::LameDuck,
        EndManner::Unknown => EndManner::Killed,
        manner => manner,
    };
    let mut evidence = end.evidence;
    evidence.extend(
        disconnect
            .statements
            .iter()
            .map(|said| said.evidence.clone()),
    );
    evidence.extend(closing_packet(disconnect));
    let confidence = if known && !open {
        Confidence::Shown
    } else {
        Confidence::Likely
    };
    Some(Gone {
        peer: true,
        manner,
        confidence,
        evidence,
        manner_open: open,
    })
}

/// A settled connection between servers that the connecting server's side ended, in order and without a word: servers
/// keep such connections as long as they run.
fn peer_left(disconnect: &Disconnect) -> Option<Gone> {
    let left = disconnect
        .first_close()
        .is_some_and(|first| first.close.side == Side::Client && !first.close.rst);
    let settled = disconnect.lifetime().is_some_and(|lived| lived >= SETTLED);
    let spoken = disconnect
        .statements
        .iter()
        .any(|said| said.reason != CloseReason::ClientClosed);
    let silent_path = super::path::dead_path(disconnect).is_some();
    if !left || !settled || spoken || silent_path {
        return None;
    }
    Some(Gone {
        peer: true,
        manner: EndManner::Graceful,
        confidence: Confidence::Likely,
        evidence: closing_packet(disconnect).into_iter().collect(),
        manner_open: true,
    })
}
