//! Where a capture was taken: at which end's host, told by hop counts, the handshake's two halves, or another capture.

use super::envelope::nearer_to_orig;
use super::joined::{Joined, Near, Records};
use crate::reconstruct::conn::{Conn, End};

/// Hop counts that operating systems start with: a packet that still has one has crossed no router.
const INITIAL_HOPS: [u8; 3] = [64, 128, 255];

/// A path shorter than this does not tell its halves apart: kernel and capture delays are as long.
const SHORTEST_PATH: i64 = 400_000;

/// Fills in where each leg was captured, and which legs lie on the client's side of a translation or proxy.
pub fn note(records: &Records, joined: &mut [Joined]) {
    for one in joined.iter_mut() {
        for index in 0..one.conns.len() {
            one.conns[index].near = near(&records.conns[one.conns[index].conn]);
        }
        if let [a, b] = &mut one.conns[..]
            && records.conns[a.conn].tuple == records.conns[b.conn].tuple
            && let Some(first_nearer) =
                nearer_to_orig(&records.conns[a.conn], &records.conns[b.conn])
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
        let peer = one
            .server
            .and_then(|(life, conn)| records.servers[life].conns[conn].peer);
        let as_seen = |conn: &Conn| {
            let client_ip = conn
                .session
                .as_ref()
                .and_then(|session| session.info.as_ref()?.client_ip);
            peer.map_or_else(
                || client_ip.is_none_or(|ip| ip == conn.tuple.orig.ip()),
                |peer| peer == conn.tuple.orig,
            )
        };
        for leg in &mut one.conns {
            leg.client_leg = !as_seen(&records.conns[leg.conn]);
        }
    }
}

/// From one capture alone.
fn near(conn: &Conn) -> Near {
    let local = |end: End| {
        conn.flow(end)
            .ttl
            .is_some_and(|(low, high)| low == high && INITIAL_HOPS.contains(&high))
    };
    match (local(End::Orig), local(End::Resp)) {
        (true, false) if conn.resp.ttl.is_some() => return Near::Client,
        (false, true) if conn.orig.ttl.is_some() => return Near::Server,
        (false, false) if conn.orig.ttl.is_some() && conn.resp.ttl.is_some() => {
            return Near::Middle;
        }
        _ => {}
    }
    let handshake = &conn.handshake;
    let (Some(syn), Some(syn_ack), Some(ack)) = (handshake.syn, handshake.syn_ack, handshake.ack)
    else {
        return Near::Unknown;
    };
    let (to_server, to_client) = (syn_ack.ns - syn.ns, ack.ns - syn_ack.ns);
    if handshake.syns != 1 || handshake.syn_acks != 1 || to_server + to_client < SHORTEST_PATH {
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
