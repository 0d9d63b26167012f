//! What of a captured connection is always at hand: who, when, and by what names other sources may call it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::conn::{Conn, ConnEnd, End, FourTuple, Manner};
use super::visit::Visit;
use crate::shelf::{Name, Shelved};
use crate::source::SourceId;
use crate::span::Moment;

/// A connection in short. A capture of a storm leaves hundreds of thousands of these, so that each byte counts: what is rare or
/// has a shorter form is behind a method.
#[derive(Clone, Debug)]
pub struct ConnSketch {
    /// First packet.
    pub first: Moment,
    /// Last packet.
    pub last: Moment,
    end_at: Moment,
    client_id: u64,
    /// The capture that saw it.
    pub source: SourceId,
    /// The name in CONNECT.
    pub name: Option<Name>,
    /// The library in CONNECT.
    pub lang: Option<Name>,
    /// The server in INFO.
    pub server_id: Option<Name>,
    /// The peer as the server sees it, where it is not the originator: the few addresses of a proxy or NAT.
    other_peer: Option<Name>,
    hosts: Hosts,
    isn: [u32; 2],
    /// Nanoseconds.
    turns: [u32; 2],
    /// The longest that it lived through; 0 for none.
    silence: i64,
    visit: ShortVisit,
    ports: [u16; 2],
    /// Smallest and largest hop count: of the originator's packets, of the responder's.
    pub ttl: [Option<(u8, u8)>; 2],
    manner: Manner,
    ended_by: Option<End>,
    has: u8,
}

/// The addresses of a connection's ends: the originator's, the responder's.
#[derive(Clone, Debug)]
enum Hosts {
    V4([Ipv4Addr; 2]),
    Other(Box<[IpAddr; 2]>),
}

impl Hosts {
    fn new(ips: [IpAddr; 2]) -> Self {
        match ips {
            [IpAddr::V4(orig), IpAddr::V4(resp)] => Self::V4([orig, resp]),
            _ => Self::Other(Box::new(ips)),
        }
    }

    fn get(&self, end: usize) -> IpAddr {
        match self {
            Self::V4(ips) => ips[end].into(),
            Self::Other(ips) => ips[end],
        }
    }
}

/// What of a sketch is there.
mod has {
    pub const ORIG_ISN: u8 = 1;
    pub const RESP_ISN: u8 = 2;
    pub const TURNS: u8 = 4;
    pub const CLIENT_ID: u8 = 8;
    /// The server sees the originator.
    pub const PEER: u8 = 16;
    /// The originator is the server.
    pub const SERVES: u8 = 32;
    pub const VISIT: u8 = 64;
    /// See [`super::Visit::clogged`].
    pub const CLOGGED: u8 = 128;
}

/// What of a [`Visit`] a sketch does not hold anyhow; frames are counted from the first.
#[derive(Clone, Copy, Debug, Default)]
struct ShortVisit {
    taken_frame: u32,
    greeted_frame: u32,
    /// Nanoseconds after the first packet.
    greeted: u32,
}

impl ShortVisit {
    /// `None` where the greeting took four seconds or frames are far apart.
    fn new(visit: &Visit) -> Option<Self> {
        let frames = |at: Moment| u32::try_from(at.frame - visit.came.frame).ok();
        Some(Self {
            taken_frame: frames(visit.taken)?,
            greeted_frame: frames(visit.greeted)?,
            greeted: u32::try_from(visit.greeted.ns - visit.came.ns).ok()?,
        })
    }
}

impl ConnSketch {
    const fn has(&self, what: u8) -> bool {
        self.has & what != 0
    }

    /// Its ends.
    pub fn tuple(&self) -> FourTuple {
        FourTuple {
            orig: self.orig(),
            resp: self.resp(),
        }
    }

    /// The originator.
    pub fn orig(&self) -> SocketAddr {
        self.socket(0)
    }

    /// The responder.
    pub fn resp(&self) -> SocketAddr {
        self.socket(1)
    }

    /// See [`Conn::server_end`].
    pub const fn server_end(&self) -> End {
        if self.has(has::SERVES) {
            End::Orig
        } else {
            End::Resp
        }
    }

    /// The client's address, then the server's.
    pub fn roles(&self) -> (SocketAddr, SocketAddr) {
        match self.server_end() {
            End::Resp => (self.orig(), self.resp()),
            End::Orig => (self.resp(), self.orig()),
        }
    }

    fn socket(&self, end: usize) -> SocketAddr {
        SocketAddr::new(self.hosts.get(end), self.ports[end])
    }

    /// How it ended.
    pub const fn end(&self) -> ConnEnd {
        ConnEnd {
            manner: self.manner,
            by: self.ended_by,
            at: self.end_at,
        }
    }

    /// Takes the end of the capture into account.
    pub fn seen_until(&mut self, capture_end: Moment) {
        let mut end = self.end();
        end.seen_until(self.last, capture_end);
        self.set_end(end);
    }

    fn set_end(&mut self, end: ConnEnd) {
        self.manner = end.manner;
        self.ended_by = end.by;
        self.end_at = end.at;
    }

    /// Initial sequence numbers: the originator's, the responder's.
    pub fn isn(&self) -> [Option<u32>; 2] {
        let [orig, resp] = self.isn;
        [
            self.has(has::ORIG_ISN).then_some(orig),
            self.has(has::RESP_ISN).then_some(resp),
        ]
    }

    /// SYN to SYN,ACK and SYN,ACK to ACK in nanoseconds, where neither was repeated nor took four seconds.
    pub fn turns(&self) -> Option<(i64, i64)> {
        let [there, back] = self.turns.map(i64::from);
        self.has(has::TURNS).then_some((there, back))
    }

    /// See [`Visit`]; `None` also for the few that do not fit into a sketch.
    pub fn visit(&self) -> Option<Visit> {
        if !self.has(has::VISIT) {
            return None;
        }
        let (there, back) = self.turns()?;
        let after = |ns: i64, frames: u32| Moment {
            ns: self.first.ns + ns,
            frame: self.first.frame + u64::from(frames),
        };
        Some(Visit {
            came: self.first,
            taken: after(there + back, self.visit.taken_frame),
            greeted: after(self.visit.greeted.into(), self.visit.greeted_frame),
            left: self.end_at,
            clogged: self.has(has::CLOGGED),
            silence: Some(self.silence).filter(|silence| *silence > 0),
        })
    }

    /// The cid of the server's log, in INFO.
    pub fn client_id(&self) -> Option<u64> {
        self.has(has::CLIENT_ID).then_some(self.client_id)
    }

    /// The peer as the server sees it, in INFO.
    pub fn client_ip(&self) -> Option<IpAddr> {
        match self.other_peer {
            Some(ip) => ip.parse().ok(),
            None => self.has(has::PEER).then(|| self.hosts.get(0)),
        }
    }

    /// What names a connection for ever: server_id and client_id, from INFO.
    pub fn identity(&self) -> Option<(Name, u64)> {
        let server_id = self.server_id.filter(|id| !id.is_empty())?;
        self.client_id().map(|id| (server_id, id))
    }
}

impl Shelved for Conn {
    type Sketch = ConnSketch;

    fn sketch(&self) -> ConnSketch {
        let session = self.session.as_ref();
        let info = session.and_then(|session| session.info.as_ref());
        let connect = session.and_then(|session| session.connect.as_ref());
        let shake = &self.handshake;
        let turns = match (shake.syn, shake.syn_ack, shake.ack) {
            (Some(syn), Some(syn_ack), Some(ack)) if shake.syns == 1 && shake.syn_acks == 1 => {
                let there = u32::try_from(syn_ack.ns - syn.ns).ok();
                there.zip(u32::try_from(ack.ns - syn_ack.ns).ok())
            }
            _ => None,
        };
        let isn = [End::Orig, End::Resp].map(|end| self.flow(end).isn);
        let client_id = info.and_then(|info| info.client_id);
        let client_ip = info.and_then(|info| info.client_ip);
        let visit = Visit::of(self).filter(|_| turns.is_some());
        let short = visit.as_ref().and_then(ShortVisit::new);
        let sees_originator = client_ip == Some(self.tuple.orig.ip());
        let has = [
            (has::ORIG_ISN, isn[0].is_some()),
            (has::RESP_ISN, isn[1].is_some()),
            (has::TURNS, turns.is_some()),
            (has::CLIENT_ID, client_id.is_some()),
            (has::PEER, sees_originator),
            (has::SERVES, self.server_end() == End::Orig),
            (has::VISIT, short.is_some()),
            (has::CLOGGED, visit.is_some_and(|visit| visit.clogged)),
        ];
        let turns = turns.unwrap_or_default();
        let ends = [self.tuple.orig, self.tuple.resp];
        ConnSketch {
            first: self.first,
            last: self.last,
            end_at: self.end.at,
            manner: self.end.manner,
            ended_by: self.end.by,
            client_id: client_id.unwrap_or(0),
            other_peer: client_ip
                .filter(|_| !sees_originator)
                .map(|ip| Name::of(&ip.to_string())),
            source: self.source,
            name: connect.and_then(|connect| connect.name.as_deref().map(Name::of)),
            lang: connect.and_then(|connect| connect.lang.as_deref().map(Name::of)),
            server_id: info.map(|info| Name::of(&info.server_id)),
            hosts: Hosts::new(ends.map(|end| end.ip())),
            isn: isn.map(Option::unwrap_or_default),
            turns: [turns.0, turns.1],
            silence: visit.and_then(|visit| visit.silence).unwrap_or(0),
            visit: short.unwrap_or_default(),
            ports: ends.map(|end| end.port()),
            ttl: [End::Orig, End::Resp].map(|end| self.flow(end).ttl),
            has: has
                .iter()
                .filter(|(_, there)| *there)
                .map(|(bit, _)| bit)
                .sum(),
        }
    }

    fn recall(&mut self, sketch: &ConnSketch) {
        self.end = sketch.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sketch_is_short() {
        // With the place of its record 160, which is a size that allocators have.
        assert!(size_of::<ConnSketch>() <= 144);
    }
}
