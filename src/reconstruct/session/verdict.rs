//! What a conversation was, told when it is over: the protocol, which end is the server, and the facts of both in
//! their places.

use super::facts::{Facts, index};
use super::speaker::Speaker;
use super::{Connect, ErrorSeen, Info, Keys, Protocol, Session, TlsSeen};
use crate::reconstruct::conn::End;
use crate::span::Moment;

/// Default ports of nats-server.
const ROUTE_PORT: u16 = 6222;
const GATEWAY_PORT: u16 = 7222;
const LEAFNODE_PORT: u16 = 7422;

/// How a direction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// When; without a FIN the connection's last packet.
    pub at: Moment,
    /// By a FIN.
    pub by_fin: bool,
}

/// The session.
pub fn session(
    mut facts: Facts,
    speakers: [Speaker; 2],
    ended: [Option<Ended>; 2],
    port: u16,
) -> Session {
    let server = server_end(&facts);
    let client = server.other();
    let tls = tls(&mut facts, server, &ended);
    let protocol = protocol(&facts, server, port, tls.as_ref(), &ended);
    let [orig, resp] = speakers.map(Speaker::talk);
    let (client_talk, server_talk) = match client {
        End::Orig => (orig, resp),
        End::Resp => (resp, orig),
    };
    let (info_at, info) = facts.info[index(server)].take().map(|info| *info).unzip();
    let client_info = facts.info[index(client)].take().map(|info| info.1);
    let (connect_at, connect) = facts.connect[index(client)]
        .take()
        .map(|connect| *connect)
        .unzip();
    let mut rare = facts.rare.take().map(|rare| *rare).unwrap_or_default();
    rare.errors.sort_by_key(|error| error.0);
    let mut websocket = rare.websocket;
    if let Some(close) = websocket.as_mut().and_then(|seen| seen.close.as_mut()) {
        close.1 = rare.websocket_close == Some(server);
    }
    Session {
        protocol,
        server_end: Some(server),
        info,
        info_at,
        client_info,
        connect,
        connect_at,
        ready_at: facts.welcome[index(server)]
            .filter(|at| connect_at.is_some_and(|connect| connect.ns <= at.ns)),
        client: client_talk,
        server: server_talk,
        errors: rare
            .errors
            .into_iter()
            .map(|(at, from, text)| ErrorSeen {
                at,
                from_server: from == server,
                text,
            })
            .collect(),
        notices: rare.notices,
        tls,
        websocket,
        mqtt: rare.mqtt,
        compressed: facts.compressed,
        rtt: facts.rtt.and_then(|rtt| rtt.summary()),
        garbage: rare.garbage,
    }
}

/// The accepting end: the responder unless the bytes say otherwise.
fn server_end(facts: &Facts) -> End {
    let connected = |end: End| facts.connect[index(end)].is_some();
    let told = |end: End| facts.info[index(end)].is_some();
    let signs: [&dyn Fn(End) -> bool; 4] = [
        &|end| connected(end.other()) && !connected(end),
        &|end| told(end) && !told(end.other()),
        &|end| facts.tls.as_ref().and_then(|tls| tls.client()) == Some(end.other()),
        &|end| facts.kin.asks[index(end.other())] || facts.kin.serves[index(end)],
    ];
    for sign in signs {
        for end in [End::Resp, End::Orig] {
            if sign(end) {
                return end;
            }
        }
    }
    End::Resp
}

/// TLS, and whether the two ends agree on it.
fn tls(facts: &mut Facts, server: End, ended: &[Option<Ended>; 2]) -> Option<TlsSeen> {
    let client = server.other();
    let info = facts.info[index(server)].as_deref();
    let info_at = info.map(|info| info.0);
    let client_spoke = facts.any_from[index(client)];
    let Some(watch) = facts.tls.take() else {
        let info_at = info.filter(|info| info.1.tls_required)?.0;
        let connect = facts.connect[index(client)].as_ref();
        let (at, why) = match connect {
            // A server that welcomes a plain client has its TLS elsewhere.
            Some(_) if facts.welcome[index(server)].is_some() => return None,
            Some(connect) => (connect.0, PLAIN_TO_TLS),
            None if !client_spoke && left_first(server, ended) => (info_at, TLS_NEVER_STARTED),
            None => return None,
        };
        return Some(TlsSeen {
            at,
            mismatch: Some(why.into()),
            ..TlsSeen::default()
        });
    };
    let offered = info.map(|info| info.1.tls_required || info.1.tls_available);
    let answered = watch.first_of(server).is_some();
    let hello = watch.hello_at(client);
    let asked = watch.first_of(client).is_some();
    let mismatch = match (info_at, hello) {
        (Some(_), Some(_)) if !answered && offered == Some(false) => Some(TLS_TO_PLAIN),
        (Some(info), Some(hello)) if !answered && hello.ns < info.ns => Some(TLS_TOO_EARLY),
        (None, None) if client_spoke && answered && !asked => Some(PLAIN_TO_TLS_FIRST),
        _ => None,
    };
    let keys = watch.handshake.outcome();
    let mut seen = watch.seen(server, info_at);
    seen.mismatch = mismatch.map(Into::into);
    seen.keys = keys;
    seen.decrypted = seen.keys == Keys::Fit;
    if seen.decrypted {
        // The PINGs themselves were read.
        seen.client_unanswered.clear();
        seen.server_unanswered.clear();
    }
    Some(seen)
}

/// The texts of [`TlsSeen::mismatch`].
const PLAIN_TO_TLS: &str = "the server requires TLS, the client goes on in plain text";
const TLS_NEVER_STARTED: &str = "the server requires TLS, the client never starts it";
const TLS_TO_PLAIN: &str = "the client starts TLS, the server offers none";
const TLS_TOO_EARLY: &str = "the client starts TLS at once, the server speaks plain text first";
const PLAIN_TO_TLS_FIRST: &str = "the client speaks plain text, the server answers with TLS";

/// `end` sent its FIN, and the other had sent none before.
fn left_first(end: End, ended: &[Option<Ended>; 2]) -> bool {
    let fin = |end: End| ended[index(end)].filter(|ended| ended.by_fin);
    fin(end).is_some_and(|mine| fin(end.other()).is_none_or(|other| mine.at <= other.at))
}

fn protocol(
    facts: &Facts,
    server: End,
    port: u16,
    tls: Option<&TlsSeen>,
    ended: &[Option<Ended>; 2],
) -> Protocol {
    let client = server.other();
    let rare = facts.rare.as_deref();
    if let Some(other) = rare.and_then(|rare| rare.other) {
        return Protocol::Other(other.into());
    }
    if rare.is_some_and(|rare| rare.mqtt.is_some()) {
        return Protocol::Mqtt;
    }
    let info = facts.info[index(server)].as_ref().map(|info| &info.1);
    let connect = facts.connect[index(client)]
        .as_ref()
        .map(|connect| &connect.1);
    if let Some(protocol) = info.and_then(|info| of_info(info, connect, port)) {
        if tls.is_some_and(|tls| tls.mismatch.as_deref() == Some(TLS_TO_PLAIN)) {
            return Protocol::Other("TLS to a plain port".into());
        }
        if is_probe(facts, client, ended) {
            return Protocol::Other("probe".into());
        }
        return protocol;
    }
    let kin = &facts.kin;
    let gateway = kin.gateway || connect.is_some_and(|connect| connect.gateway.is_some());
    if gateway || (kin.route && port == GATEWAY_PORT) {
        Protocol::Gateway
    } else if kin.route {
        Protocol::Route
    } else if kin.leaf || connect.is_some_and(|connect| connect.leafnode) {
        Protocol::Leafnode
    } else if connect.is_some() || kin.asks != [false; 2] || kin.serves != [false; 2] {
        Protocol::Client
    } else if facts.welcome != [None; 2] || facts.rtt.is_some() || facts.has_errors() {
        of_port(port)
    } else if tls.is_some() {
        Protocol::Tls
    } else {
        Protocol::Unknown
    }
}

/// The server greeted, and the client left first without a byte or a word of the server's about it.
fn is_probe(facts: &Facts, client: End, ended: &[Option<Ended>; 2]) -> bool {
    !facts.any_from[index(client)] && !facts.has_errors() && left_first(client, ended)
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
    // An INFO cut by the capture lacks its last fields; what it lacks says nothing.
    let whole = info.max_payload.is_some();
    if !whole || info.version.is_empty() || before_1_2(&info.version) {
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
