//! Where a capture was taken: at which end's host, told by hop counts, the handshake's two halves, or another capture.

use rayon::prelude::*;

use super::envelope::nearer_to_orig;
use super::joined::{Joined, Leg, Near, Records};
use crate::reconstruct::conn_sketch::ConnSketch;

/// Hop counts that operating systems start with: a packet that still has one has crossed no router.
const INITIAL_HOPS: [u8; 3] = [64, 128, 255];

/// A path shorter than this does not tell its halves apart: kernel and capture delays are as long.
const SHORTEST_PATH: i64 = 400_000;

/// Fills in where each leg was captured: captures alone tell.
pub fn places(records: &Records, joined: &mut [Joined]) {
    joined.par_iter_mut().for_each(|one| {
        for index in 0..one.conns.len() {
            one.conns[index].near = near(&records.conns[one.conns[index].conn()]);
        }
        if let [a, b] = &mut one.conns[..]
            && (a.near == Near::Unknown || b.near == Near::Unknown)
            && records.conns[a.conn()].tuple() == records.conns[b.conn()].tuple()
            && let Some(first_nearer) = first_nearer(records, *a, *b)
        {
            // Two captures decide between themselves what one alone left open.
            match (a.near, b.near, first_nearer) {
                (Near::Unknown, Near::Unknown | Near::Server, true)
                | (Near::Client, Near::Unknown, true) => {
                    (a.near, b.near) = (Near::Client, Near::Server);
                }
                (Near::Unknown, Near::Unknown | Near::Client, false)
                | (Near::Server, Near::Unknown, false) => {
                    (a.near, b.near) = (Near::Server, Near::Client);
                }
                _ => {}
            }
        }
    });
}

/// Fills in which legs lie on the client's side of a translation or proxy, as far as links tell whom the server sees.
pub fn sides(records: &Records, joined: &mut [Joined]) {
    joined.par_iter_mut().for_each(|one| {
        let peer = one
            .server()
            .and_then(|(life, conn)| records.servers[life].conns[conn].peer);
        let as_seen = |conn: &ConnSketch| {
            peer.map_or_else(
                || conn.client_ip().is_none_or(|ip| ip == conn.orig().ip()),
                |peer| peer == conn.orig(),
            )
        };
        for leg in &mut one.conns {
            leg.client_leg = !as_seen(&records.conns[leg.conn()]);
        }
        // Servers before 2.1.6 do not say whom they see: the leg that a segment of the client passes first is the client's.
        if let [a, b] = &mut one.conns[..]
            && !a.client_leg
            && !b.client_leg
            && records.conns[a.conn()].orig() != records.conns[b.conn()].orig()
            && let Some(first_nearer) = first_nearer(records, *a, *b)
        {
            a.client_leg = first_nearer;
            b.client_leg = !first_nearer;
        }
    });
}

/// The first of two legs lies nearer to the originator.
fn first_nearer(records: &Records, a: Leg, b: Leg) -> Option<bool> {
    let (here, there) = (records.conns.get(a.conn())?, records.conns.get(b.conn())?);
    nearer_to_orig(&here, &there)
}

/// From one capture alone.
fn near(conn: &ConnSketch) -> Near {
    let [orig, resp] = conn.ttl;
    let local = |ttl: Option<(u8, u8)>| {
        ttl.is_some_and(|(low, high)| low == high && INITIAL_HOPS.contains(&high))
    };
    match (local(orig), local(resp)) {
        (true, false) if resp.is_some() => return Near::Client,
        (false, true) if orig.is_some() => return Near::Server,
        (false, false) if orig.is_some() && resp.is_some() => return Near::Middle,
        _ => {}
    }
    let Some((to_server, to_client)) = conn.turns() else {
        return Near::Unknown;
    };
    if to_server + to_client < SHORTEST_PATH {
        return Near::Unknown;
    }
    if to_server > to_client.saturating_mul(8) {
        Near::Client
    } else if to_client > to_server.saturating_mul(8) {
        Near::Server
    } else {
        Near::Middle
    }
}
