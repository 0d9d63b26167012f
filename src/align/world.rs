//! Test support: a small world with one true clock, told by captures and logs whose clocks are wrong in known ways.

use std::net::SocketAddr;

use super::joined::Records;
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::client::{
    ClientConn, ClientEvent, ClientEventKind, ClientStory, Library, Trouble,
};
use crate::reconstruct::conn::{Conn, ConnEnd, End, Flow, FourTuple, Handshake, Manner, Sample};
use crate::reconstruct::server::{Identity, ServerConn, ServerLife};
use crate::reconstruct::session::{Connect, Info, Protocol, Session};
use crate::source::{Hints, Kind, Source, SourceId};
use crate::span::{Cite, LogRef, Moment};
use crate::time::{SECOND, Stamp};

/// The world's start: 2026-11-23T05:00:00Z.
pub const EPOCH: i64 = 1_795_410_000 * SECOND;

/// A clock that is wrong: what it shows at a true time.
#[derive(Clone, Debug, Default)]
pub struct Wrong {
    /// Constant error.
    pub offset: i64,
    /// Drift since the world's start.
    pub ppm: f64,
    /// Steps: from this true time (since the start) on, this much more.
    pub steps: Vec<(i64, i64)>,
}

impl Wrong {
    /// Off by this much.
    pub fn by(offset: i64) -> Self {
        Self {
            offset,
            ..Self::default()
        }
    }

    /// What it shows at `at`, nanoseconds since the world's start.
    pub fn shows(&self, at: i64) -> i64 {
        let steps: i64 = self
            .steps
            .iter()
            .filter(|step| step.0 <= at)
            .map(|step| step.1)
            .sum();
        EPOCH + at + self.offset + (at as f64 * self.ppm / 1e6) as i64 + steps
    }
}

/// One connection, in true times since the start. One way takes `delay`.
#[derive(Clone, Debug)]
pub struct Life {
    /// The client's address.
    pub client: SocketAddr,
    /// Its name.
    pub name: String,
    /// The server's number for it.
    pub cid: u64,
    /// SYN leaves the client.
    pub open: i64,
    /// FIN leaves the client.
    pub close: i64,
    /// One-way delay.
    pub delay: i64,
}

impl Life {
    /// The server writes "created".
    pub fn created(&self) -> i64 {
        self.open + 3 * self.delay + 60_000
    }

    /// PONG reaches the client.
    pub fn ready(&self) -> i64 {
        self.open + 6 * self.delay + 500_000
    }

    /// The server writes "closed".
    pub fn closed(&self) -> i64 {
        self.close + self.delay + 50_000
    }
}

/// What the sources tell of some lives.
pub struct World {
    /// What happened.
    pub lives: Vec<Life>,
    /// What sources tell.
    pub records: Records,
    /// The sources.
    pub sources: Vec<Source>,
}

/// The server's id.
pub const SERVER_ID: &str = "NCXQ4X5TUQRA6YBLCUMB4W6P7S6VEH6LFYXTLHCEUYVLUXRSNJBTV5AA";

/// `10.0.0.1:4222`
pub fn server_address() -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1], 4222))
}

impl World {
    /// `count` lives, one opening every `every` nanoseconds and lasting `lasting`.
    pub fn new(count: usize, every: i64, lasting: i64, delay: i64) -> Self {
        let lives = (0..count)
            .map(|index| Life {
                client: SocketAddr::from((
                    [10, 0, 1, 1 + (index / 20_000) as u8],
                    40_000 + (index % 20_000) as u16,
                )),
                name: format!("app-{index}"),
                cid: 5 + index as u64,
                open: SECOND + index as i64 * every,
                close: SECOND + index as i64 * every + lasting,
                delay,
            })
            .collect();
        Self {
            lives,
            records: Records::default(),
            sources: Vec::new(),
        }
    }

    fn source(&mut self, path: String, kind: Kind) -> SourceId {
        let id = SourceId(self.sources.len() as u32);
        self.sources.push(Source {
            id,
            path,
            kind,
            bytes: 0,
            hints: Hints::default(),
        });
        id
    }

    /// Adds a capture taken `part` of the way from client (0.0) to server (1.0). With `info`, INFO was readable.
    pub fn capture(&mut self, wrong: &Wrong, part: f64, info: bool) -> SourceId {
        let id = self.source(
            format!("capture-{}.pcap", self.sources.len()),
            Kind::Capture,
        );
        for index in 0..self.lives.len() {
            let conn = captured(&self.lives[index], id, wrong, part, info);
            self.records.conns.push(conn);
        }
        id
    }

    /// Adds the server's log with DBG lines.
    pub fn server_log(&mut self, wrong: &Wrong) -> SourceId {
        let id = self.source(format!("server-{}.log", self.sources.len()), Kind::Log);
        let line = |at: i64| {
            let stamp = Stamp::civil(wrong.shows(at) / 1000 * 1000, 6);
            log_ref(id, place(at), stamp)
        };
        let started = line(0);
        let conns: Vec<ServerConn> = self
            .lives
            .iter()
            .map(|life| ServerConn {
                id: life.cid,
                peer: Some(life.client),
                name: Some(life.name.as_str().into()),
                lang: Some("go".into()),
                opened: Some(line(life.created())),
                closed: Some(line(life.closed())),
                reason: Some(CloseReason::ClientClosed),
                notes: Vec::new(),
                ..ServerConn::default()
            })
            .collect();
        self.records.servers.push(ServerLife {
            sources: vec![id],
            identity: Identity {
                id: Some(SERVER_ID.into()),
                listen: Some(server_address()),
                ..Identity::default()
            },
            first: Some(started.clone()),
            started: Some(started),
            debug: true,
            conns,
            ..ServerLife::default()
        });
        id
    }

    /// Adds one client's log: `connected` and, before its FIN, that it closes.
    pub fn client_log(&mut self, life: usize, wrong: &Wrong) -> SourceId {
        let id = self.source(format!("client-{}.log", self.lives[life].name), Kind::Log);
        let told = &self.lives[life];
        let event = |at: i64, kind: ClientEventKind| ClientEvent {
            at: log_ref(
                id,
                place(at),
                Stamp::utc(wrong.shows(at) / 1_000_000 * 1_000_000, 3),
            ),
            kind,
            count: 1,
            first: None,
            server: None,
            local: None,
            cid: None,
            server_id: None,
            subject: None,
        };
        let events = vec![
            event(told.ready() + 300_000, ClientEventKind::Connected),
            event(told.close - 200_000, ClientEventKind::ClosingByApplication),
            event(
                told.close + 900_000,
                ClientEventKind::Closed(Trouble::NoError),
            ),
        ];
        self.records.clients.push(ClientStory {
            source: id,
            name: format!("client-{}", told.name).into(),
            library: Library::Go,
            conns: vec![ClientConn {
                opened: Some(0),
                closed: Some(2),
                why: vec![1, 2],
                intended: true,
                ..ClientConn::default()
            }],
            first: Some(events[0].at.clone()),
            last: Some(events[2].at.clone()),
            events,
            ..ClientStory::default()
        });
        id
    }

    /// Makes the log's connection `index` tell of a wrong moment, as a line that was late.
    pub fn mislead(&mut self, index: usize, by: i64) {
        let conn = &mut self.records.servers[0].conns[index];
        for line in [&mut conn.opened, &mut conn.closed] {
            if let Some(stamp) = line.as_mut().and_then(|line| line.stamp.as_mut()) {
                stamp.ns += by;
            }
        }
    }
}

/// The number of a line or frame written at this true time: later ones have larger numbers, whatever their clock says.
pub fn place(at: i64) -> u64 {
    at as u64 / 100 + 1
}

/// A line's citation with its time.
pub fn log_ref(source: SourceId, line: u64, stamp: Stamp) -> LogRef {
    LogRef {
        stamp: Some(stamp),
        outer: None,
        cite: Cite::line(source, line),
        text: "".into(),
    }
}

/// One connection as a capture between the two ends sees it.
fn captured(life: &Life, source: SourceId, wrong: &Wrong, part: f64, info: bool) -> Conn {
    let to = (life.delay as f64 * part) as i64;
    let from = life.delay - to;
    let at = |true_ns: i64| Moment {
        ns: wrong.shows(true_ns),
        frame: place(true_ns),
    };
    // Each as it passes the tap: what the client sends `to` after it left, what the server sends `from` after it left.
    let syn = at(life.open + to);
    let syn_ack = at(life.open + life.delay + 20_000 + from);
    let ack = at(life.open + 2 * life.delay + 40_000 + to);
    let info_at = at(life.created() + 30_000 + from);
    let connect_at = at(life.created() + 100_000 + life.delay + to);
    let ready_at = at(life.created() + 200_000 + 2 * life.delay + from);
    let fin = at(life.close + to);
    let server_fin = at(life.closed() + 40_000 + from);
    let sample = |from: End, seq: u32, len: u32, moment: Moment| Sample {
        from,
        seq,
        len,
        ns: moment.ns,
        frame: moment.frame,
    };
    let flow = |isn: u32, fin: Moment, first_data: Moment| Flow {
        isn: Some(isn),
        fin: Some(fin),
        fin_acked: true,
        first_data: Some(first_data),
        packets: 5,
        ..Flow::default()
    };
    Conn {
        source,
        tuple: FourTuple {
            orig: life.client,
            resp: server_address(),
        },
        tunnel: None,
        first: syn,
        last: server_fin,
        handshake: Handshake {
            syn: Some(syn),
            syns: 1,
            last_syn: Some(syn),
            syn_ack: Some(syn_ack),
            syn_acks: 1,
            ack: Some(ack),
            last_syn_ack: Some(syn_ack),
        },
        orig: flow(1_000_003_u32.wrapping_mul(life.cid as u32), fin, connect_at),
        resp: flow(
            2_000_029_u32.wrapping_mul(life.cid as u32),
            server_fin,
            info_at,
        ),
        end: ConnEnd {
            manner: Manner::Fin,
            by: Some(End::Orig),
            at: fin,
        },
        state: "SF",
        history: "ShADadFf".into(),
        zeek_swaps: false,
        rsts: Vec::new(),
        icmp: Vec::new(),
        anomalies: Vec::new(),
        tail: Vec::new(),
        longest_silence: None,
        last_silence: None,
        session: info.then(|| {
            Box::new(Session {
                protocol: Protocol::Client,
                server_end: Some(End::Resp),
                info: Some(Info {
                    server_id: SERVER_ID.into(),
                    client_id: Some(life.cid),
                    client_ip: Some(life.client.ip()),
                    ..Info::default()
                }),
                info_at: Some(info_at),
                connect: Some(Connect {
                    name: Some(life.name.as_str().into()),
                    lang: Some("go".into()),
                    ..Connect::default()
                }),
                connect_at: Some(connect_at),
                ready_at: Some(ready_at),
                ..Session::default()
            })
        }),
        samples: vec![
            sample(End::Resp, 1, 400, info_at),
            sample(End::Orig, 1, 200, connect_at),
            sample(End::Resp, 401, 6, ready_at),
        ],
    }
}
