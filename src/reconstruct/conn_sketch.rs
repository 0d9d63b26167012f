//! What of a captured connection is always at hand: who, when, and by what names other sources may call it.

use std::net::IpAddr;
use std::sync::Arc;

use super::conn::{Conn, ConnEnd, End, FourTuple};
use crate::shelf::Shelved;
use crate::shelf::word::shared;
use crate::source::SourceId;
use crate::span::Moment;

/// A connection in short.
#[derive(Clone, Debug)]
pub struct ConnSketch {
    /// The capture that saw it.
    pub source: SourceId,
    /// Its ends.
    pub tuple: FourTuple,
    /// First packet.
    pub first: Moment,
    /// Last packet.
    pub last: Moment,
    /// The whole capture's last packet.
    pub capture_end: Moment,
    /// How it ended.
    pub end: ConnEnd,
    /// Initial sequence numbers: the originator's, the responder's.
    pub isn: [Option<u32>; 2],
    /// Smallest and largest hop count: of the originator's packets, of the responder's.
    pub ttl: [Option<(u8, u8)>; 2],
    /// SYN to SYN,ACK and SYN,ACK to ACK in nanoseconds, where neither was repeated.
    pub turns: Option<(i64, i64)>,
    /// Its first INFO.
    pub info: Option<InfoSketch>,
    /// The name in CONNECT.
    pub name: Option<Arc<str>>,
    /// The library in CONNECT.
    pub lang: Option<Arc<str>>,
}

/// What INFO says of a connection's identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InfoSketch {
    /// `server_id`.
    pub server_id: Arc<str>,
    /// `client_id`: the cid of the server's log.
    pub client_id: Option<u64>,
    /// `client_ip`: the peer as the server sees it.
    pub client_ip: Option<IpAddr>,
}

impl ConnSketch {
    /// What names a connection for ever: server_id and client_id, from INFO.
    pub fn identity(&self) -> Option<(&str, u64)> {
        let info = self.info.as_ref()?;
        let id = info.client_id?;
        (!info.server_id.is_empty()).then_some((&*info.server_id, id))
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
                Some((syn_ack.ns - syn.ns, ack.ns - syn_ack.ns))
            }
            _ => None,
        };
        let both = [End::Orig, End::Resp];
        ConnSketch {
            source: self.source,
            tuple: self.tuple,
            first: self.first,
            last: self.last,
            capture_end: self.capture_end,
            end: self.end,
            isn: both.map(|end| self.flow(end).isn),
            ttl: both.map(|end| self.flow(end).ttl),
            turns,
            info: info.map(|info| InfoSketch {
                server_id: shared(&info.server_id),
                client_id: info.client_id,
                client_ip: info.client_ip,
            }),
            name: connect.and_then(|connect| connect.name.as_deref().map(shared)),
            lang: connect.and_then(|connect| connect.lang.as_deref().map(shared)),
        }
    }

    fn recall(&mut self, sketch: &ConnSketch) {
        self.capture_end = sketch.capture_end;
        self.end = sketch.end;
    }
}
