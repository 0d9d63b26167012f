//! What a conversation was: the protocol, and which end is the server.

use super::facts::{Facts, index};
use super::{Connect, Info, Protocol};
use crate::reconstruct::conn::End;

/// Default ports of nats-server.
const ROUTE_PORT: u16 = 6222;
const GATEWAY_PORT: u16 = 7222;
const LEAFNODE_PORT: u16 = 7422;

/// The accepting end: the responder unless the bytes say otherwise.
pub fn server_end(facts: &Facts) -> End {
    let connected = |end: End| facts.connect[index(end)].is_some();
    let told = |end: End| facts.info[index(end)].is_some();
    for end in [End::Resp, End::Orig] {
        if connected(end.other()) && !connected(end) {
            return end;
        }
    }
    for end in [End::Resp, End::Orig] {
        if told(end) && !told(end.other()) {
            return end;
        }
    }
    for end in [End::Resp, End::Orig] {
        let kin = &facts.kin;
        if kin.asks[index(end.other())] || kin.serves[index(end)] {
            return end;
        }
    }
    End::Resp
}

/// The protocol.
pub fn protocol(facts: &Facts, server: End, port: u16) -> Protocol {
    if let Some(other) = &facts.other {
        return Protocol::Other(other.clone());
    }
    let info = facts.info[index(server)].as_ref().map(|info| &info.1);
    let connect = facts.connect[index(server.other())]
        .as_ref()
        .map(|connect| &connect.1);
    if let Some(protocol) = info.and_then(|info| of_info(info, connect, port)) {
        return protocol;
    }
    let kin = &facts.kin;
    if kin.gateway {
        Protocol::Gateway
    } else if kin.route && port == GATEWAY_PORT {
        Protocol::Gateway
    } else if kin.route {
        Protocol::Route
    } else if kin.leaf {
        Protocol::Leafnode
    } else if connect.is_some_and(|connect| connect.gateway.is_some()) {
        Protocol::Gateway
    } else if connect.is_some_and(|connect| connect.leafnode) {
        Protocol::Leafnode
    } else if connect.is_some() || kin.asks != [false; 2] || kin.serves != [false; 2] {
        Protocol::Client
    } else if facts.welcome != [None; 2] || facts.rtt.is_some() || !facts.errors.is_empty() {
        of_port(port)
    } else {
        Protocol::Unknown
    }
}

/// Fields of INFO that only one kind of port sends (nats-server `server/leafnode.go`, processLeafnodeInfo).
fn of_info(info: &Info, connect: Option<&Connect>, port: u16) -> Option<Protocol> {
    if info.gateway.is_some() {
        return Some(Protocol::Gateway);
    }
    if info.leafnode || connect.is_some_and(|connect| connect.leafnode) {
        return Some(Protocol::Leafnode);
    }
    if info.client_id.is_some() {
        return Some(match port {
            LEAFNODE_PORT => Protocol::Leafnode,
            _ => Protocol::Client,
        });
    }
    if info.version.is_empty() || before_1_2(&info.version) {
        return None;
    }
    Some(Protocol::Route)
}

/// INFO for clients has no client_id before 1.2.0.
fn before_1_2(version: &str) -> bool {
    let mut parts = version
        .split('.')
        .map_while(|part| part.parse::<u32>().ok());
    (parts.next(), parts.next()) < (Some(1), Some(2))
}

fn of_port(port: u16) -> Protocol {
    match port {
        ROUTE_PORT => Protocol::Route,
        GATEWAY_PORT => Protocol::Gateway,
        LEAFNODE_PORT => Protocol::Leafnode,
        _ => Protocol::Client,
    }
}
