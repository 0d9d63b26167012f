//! The NATS conversation on one captured connection: who spoke, what was said about life and death of the connection,
//! counters for everything else.
//!
//! Built from reassembled bytes: [`super::session_builder::SessionBuilder::data`] for bytes in order, [`super::session_builder::SessionBuilder::gap`] for bytes that the
//! capture does not hold. Memory is bounded: a declared payload is counted, not kept.

use super::conn::End;
use crate::span::Moment;
use serde::{Deserialize, Serialize};

pub use crate::parse::nats::connect_info::{Connect, Info};
pub use crate::parse::nats::op::Verb;
pub use crate::parse::nats::op_reader::Cut;

pub(crate) mod direction;
pub(crate) mod facts;
pub(crate) mod last_ops;
pub(crate) mod mqtt_reader;
pub(crate) mod pings;
pub(crate) mod requests;
pub(crate) mod s2_reader;
pub(crate) mod speaker;
pub(crate) mod tls_handshake;
pub(crate) mod tls_layer;
pub(crate) mod tls_open;
pub(crate) mod tls_reader;
pub(crate) mod tls_watch;
pub(crate) mod verdict;
pub(crate) mod websocket_reader;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod verbs;

/// A conversation. "Client" is the connecting NATS peer (client, leafnode remote, soliciting route), "server" the accepting one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Session {
    /// What is spoken.
    pub protocol: Protocol,
    /// Which end of the connection is the NATS server (accepting) side; `Resp` unless the bytes say otherwise.
    pub server_end: Option<End>,
    /// The first INFO.
    pub info: Option<Info>,
    /// When it was captured.
    pub info_at: Option<Moment>,
    /// The first INFO of the connecting side: routes, gateways and leafnodes send one too.
    pub client_info: Option<Info>,
    /// CONNECT; for MQTT its client identifier, user and protocol level.
    pub connect: Option<Connect>,
    /// When it was captured.
    pub connect_at: Option<Moment>,
    /// First PONG or +OK from the server after CONNECT.
    pub ready_at: Option<Moment>,
    /// What the client sent, what the server sent.
    pub client: Talk,
    /// What the server sent.
    pub server: Talk,
    /// Every -ERR, in order (bounded to 16).
    pub errors: Vec<ErrorSeen>,
    /// Later INFOs that matter: lame duck, changed connect_urls (bounded to 16).
    pub notices: Vec<(Moment, Notice)>,
    /// TLS on this connection, if any.
    pub tls: Option<TlsSeen>,
    /// WebSocket framing on this connection, if any.
    pub websocket: Option<WebSocketSeen>,
    /// MQTT's own facts, if that is what is spoken.
    pub mqtt: Option<MqttSeen>,
    /// S2 frames between servers (2.10.0 and later).
    pub compressed: bool,
    /// Round trips PING to PONG, nanoseconds: smallest, median estimate, largest, count.
    pub rtt: Option<Rtt>,
    /// Bytes that could not be read as what `protocol` says: first place, and how many times.
    pub garbage: Option<(Moment, u64)>,
}

impl Session {
    /// It is carried in TLS, WebSocket or MQTT, whose ends say goodbye within the stream before any FIN.
    pub const fn is_carried(&self) -> bool {
        self.tls.is_some() || self.websocket.is_some() || self.mqtt.is_some()
    }

    /// What could not be read of it, and where that begins.
    pub fn troubles(&self) -> impl Iterator<Item = (&'static str, Moment)> {
        let keys = self
            .tls
            .as_ref()
            .and_then(|tls| Some((tls.keys.trouble()?, tls.at)));
        let nats = matches!(
            self.protocol,
            Protocol::Client | Protocol::Route | Protocol::Gateway | Protocol::Leafnode
        );
        let garbage = self
            .garbage
            .filter(|_| nats)
            .map(|(at, _)| ("bytes that are no operation, in a session of NATS", at));
        keys.into_iter().chain(garbage)
    }
}

/// What is spoken on a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Protocol {
    /// No payload, or too little to say.
    #[default]
    Unknown,
    /// Client protocol.
    Client,
    /// Route between servers of one cluster.
    Route,
    /// Gateway between clusters.
    Gateway,
    /// Leafnode.
    Leafnode,
    /// MQTT.
    Mqtt,
    /// Encrypted from the first byte, nothing NATS visible.
    Tls,
    /// Not NATS: `HTTP`, `SSH`, `TLS to a plain port`, `probe` (connected and left without a byte), ...
    Other(Box<str>),
}

/// One direction of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Talk {
    /// Messages: PUB/HPUB from a client, MSG/HMSG from a server (and their route, gateway, leaf kin).
    pub messages: u64,
    /// Payload bytes in them, headers included.
    pub message_bytes: u64,
    /// Largest single declared message.
    pub largest_message: u64,
    /// Longest protocol line, without its CR LF.
    pub longest_line: u64,
    /// SUBs.
    pub subs: u64,
    /// UNSUBs.
    pub unsubs: u64,
    /// PINGs sent.
    pub pings: u64,
    /// PONGs sent.
    pub pongs: u64,
    /// PINGs of this side that no PONG had answered at the end, oldest first (bounded to the last 8).
    pub unanswered_pings: Vec<Moment>,
    /// Median time between this side's own PINGs, nanoseconds: its ping interval as far as visible.
    pub ping_interval: Option<i64>,
    /// Headers were used (HPUB/HMSG).
    pub headers_used: bool,
    /// Last complete operations before the end, oldest first (bounded to 12): verb and moment.
    pub last_ops: Vec<(Moment, Verb)>,
    /// The stream ended inside a message: its verb, declared size, bytes that were there.
    pub cut: Option<Cut>,
    /// First thing this side sent that its peer's grammar does not hold, quoted (at most 64 bytes).
    pub unknown_verb: Option<(Moment, Box<str>)>,
    /// Last complete operation of any kind.
    pub last_op: Option<Moment>,
    /// Messages of this side with a reply subject, and their answers.
    pub asked: Option<Box<Exchange>>,
    /// UNSUB for every subscription (or PING) right before this side's close: a drain.
    pub drained: bool,
}

/// Requests and their answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// Messages with a reply subject.
    pub requests: u64,
    /// Those without an answer at the end (of the last 32).
    pub open: u64,
    /// From a request to its first answer, as the capture saw both, nanoseconds.
    pub latency: Option<Rtt>,
}

/// An -ERR.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorSeen {
    /// The packet.
    pub at: Moment,
    /// The server sent it (else the client did).
    pub from_server: bool,
    /// Its text without quotes, typed by `parse::nats::protocol_error`.
    pub text: Box<str>,
}

/// Something an asynchronous INFO announces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notice {
    /// `"ldm":true`.
    LameDuck,
    /// `connect_urls` changed to this.
    ConnectUrls(Vec<Box<str>>),
}

/// A round-trip summary, nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rtt {
    /// Smallest.
    pub min: i64,
    /// Median (exact up to 64 samples, then of the last 64).
    pub median: i64,
    /// Largest.
    pub max: i64,
    /// Samples.
    pub count: u64,
}

/// TLS as far as visible without keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsSeen {
    /// First record.
    pub at: Moment,
    /// Before any INFO (`handshake_first`).
    pub first: bool,
    /// Handshake finished in both directions (application data seen).
    pub established: bool,
    /// Version negotiated, as in RFC 8446 (`TLS 1.3`).
    pub version: Option<Box<str>>,
    /// Server name indication.
    pub sni: Option<Box<str>>,
    /// Alerts in clear, or encrypted ones told by their length: moment, from the server, description.
    pub alerts: Vec<(Moment, bool, Box<str>)>,
    /// close_notify (or an encrypted alert right before FIN) by client, by server.
    pub client_close_notify: Option<Moment>,
    /// By the server.
    pub server_close_notify: Option<Moment>,
    /// Application data records by client, by server.
    pub client_records: u64,
    /// By the server.
    pub server_records: u64,
    /// Keys were given, and both directions were read to their end: operations are known, not guessed from sizes.
    pub decrypted: bool,
    /// What became of the keys.
    pub keys: Keys,
    /// One side spoke TLS and the other plain text.
    pub mismatch: Option<Box<str>>,
    /// Probable PINGs without answer at the end (records of PING's size), client's.
    pub client_unanswered: Vec<Moment>,
    /// The server's.
    pub server_unanswered: Vec<Moment>,
}

/// What became of the keys of a TLS connection. Of its two directions the worse counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Keys {
    /// They opened the records.
    Fit,
    /// None were given for this connection, or nothing was sealed.
    #[default]
    NotGiven,
    /// Secrets are given, but records of this version and cipher suite are not read.
    Unsupported,
    /// They opened the records up to a place behind which none opens.
    Lost,
    /// They open no record.
    Wrong,
}

impl Keys {
    /// In a word, for programs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fit => "fit",
            Self::NotGiven => "not-given",
            Self::Unsupported => "unsupported",
            Self::Lost => "lost",
            Self::Wrong => "wrong",
        }
    }

    /// What to say of keys that are of no use, or of less than hoped.
    pub const fn trouble(self) -> Option<&'static str> {
        match self {
            Self::Fit | Self::NotGiven => None,
            Self::Unsupported => Some(
                "TLS with given keys, of a version and cipher suite whose records are not read",
            ),
            Self::Lost => Some("TLS that the given keys open only in part"),
            Self::Wrong => Some(
                "TLS whose given keys open no record: they are of another connection, or wrong",
            ),
        }
    }
}

/// WebSocket as far as visible.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebSocketSeen {
    /// The upgrade request.
    pub at: Moment,
    /// Path asked for.
    pub path: Box<str>,
    /// `X-Forwarded-For`, first value.
    pub forwarded_for: Option<Box<str>>,
    /// Status of the answer.
    pub status: Option<u16>,
    /// permessage-deflate agreed.
    pub deflate: bool,
    /// The client compresses with what it said before (RFC 7692 section 7.1.1).
    pub client_takeover: bool,
    /// So does the server; nats-server itself never does.
    pub server_takeover: bool,
    /// Close frame: moment, from the server, code, reason.
    pub close: Option<(Moment, bool, u16, Box<str>)>,
}

/// MQTT as far as the life of the connection needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MqttSeen {
    /// Protocol level: 4 for 3.1.1, 5 for 5.0.
    pub level: u8,
    /// Keep alive, seconds; nats-server waits 1.5 times this. 0 turns it off.
    pub keep_alive: u16,
    /// Clean session.
    pub clean: bool,
    /// CONNACK: moment and return code, 0 for accepted.
    pub connack: Option<(Moment, u8)>,
    /// DISCONNECT: moment, from the server, reason code (0 before MQTT 5).
    pub disconnect: Option<(Moment, bool, u8)>,
}
