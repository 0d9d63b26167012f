//! A server killed under its clients.

use std::net::SocketAddr;

use super::{ACK, FIN, PSH, SYN, address, clock, facts, log, says, source, us, when};
use crate::align::clock::Clock;
use crate::align::joined::{CaptureFacts, Joined, Leg, Near};
use crate::attribute::finding::{
    Alternative, Analysis, Close, Confidence, Incident, Initiator, Outcome,
};
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::client::{
    ClientConn, ClientEvent, ClientEventKind, ClientOutcome, ClientStory, Library, Trouble,
};
use crate::reconstruct::conn::{
    Conn, ConnEnd, End, Flow, FourTuple, Handshake, Manner, TailPacket,
};
use crate::reconstruct::server::{
    EndManner, Identity, NoteKind, ServerConn, ServerEnd, ServerLife, ServerNote,
};
use crate::reconstruct::session::{Session, Talk, Verb};
use crate::shelf::Name;
use crate::source::{Kind, SourceId};
use crate::span::{Cite, Moment, Place};

/// A server killed under three clients, two of which come back; later one of them closes on purpose.
pub fn killed() -> Analysis {
    let names = ["telemetry-app-0", "telemetry-app-1", "bg-0"];
    let ports = [60828_u16, 60814, 60844];
    let mut analysis = Analysis {
        sources: vec![
            source(0, "client-bg-0.log", Kind::Log, 308),
            source(1, "client-telemetry-app-0.log", Kind::Log, 1_078),
            source(2, "client-telemetry-app-1.log", Kind::Log, 1_078),
            source(3, "server.log", Kind::Log, 3_150),
            source(4, "server.pcap", Kind::Capture, 94_751),
        ],
        source_facts: vec![facts(5), facts(16), facts(16), facts(29), facts(719)],
        clocks: vec![
            clock(0, 0, 900, 2),
            clock(1, 2_000, 900, 6),
            clock(2, 2_000, 900, 6),
            clock(3, -38, 40, 9),
            Clock {
                aligned: true,
                how: "the reference".to_owned(),
                ..Clock::own(SourceId(4))
            },
        ],
        advisories: vec![(
            "NATS-2.12.8-example".to_owned(),
            "2.12.8 was seen; nothing in this input depends on it.".to_owned(),
        )],
        ..Analysis::default()
    };
    analysis.records.captures = vec![CaptureFacts {
        source: SourceId(4),
        packets: 719,
        first: Moment {
            ns: us(19_900_000),
            frame: 1,
        },
        last: Moment {
            ns: us(33_400_000),
            frame: 719,
        },
        ..CaptureFacts::default()
    }];
    let life = |id: &str, pid, start: (u64, i64), last: (u64, i64), end| ServerLife {
        sources: vec![SourceId(3)],
        identity: Identity {
            name: Some(id.into()),
            id: Some(id.into()),
            version: Some("2.12.8".into()),
            pid: Some(pid),
            listen: Some(address("10.77.2.2:4222")),
            ..Identity::default()
        },
        started: Some(log(3, start.0, start.1, 6, "Starting nats-server")),
        first: Some(log(3, start.0, start.1, 6, "Starting nats-server")),
        last: Some(log(3, last.0, last.1, 6, "the last line")),
        end,
        ..ServerLife::default()
    };
    analysis.records.servers = vec![
        life(
            "NBDVZ7RG",
            15256,
            (1, 19_422_831),
            (9, 19_426_332),
            ServerEnd {
                manner: EndManner::Killed,
                at: Some(log(3, 9, 19_426_332, 6, "[INF] Server is ready")),
                next: Some(1),
                ..ServerEnd::default()
            },
        ),
        life(
            "NCHE6S32",
            15845,
            (10, 28_343_297),
            (33, 33_339_819),
            ServerEnd::default(),
        ),
    ];
    let ready = says(
        Cite::line(SourceId(3), 9),
        when(19_426_294, 6, 40),
        "[15256] 2026/11/23 05:19:19.426332 [INF] Server is ready",
    );
    let banner = says(
        Cite::line(SourceId(3), 10),
        when(28_343_259, 6, 40),
        "[15845] 2026/11/23 05:19:28.343297 [INF] Starting nats-server",
    );
    for (index, (name, port)) in names.into_iter().zip(ports).enumerate() {
        let client = SocketAddr::new(address("10.77.1.2:1").ip(), port);
        let frame = 340 + index as u64 * 3;
        let at = 24_211_492 + index as i64 * 11;
        analysis.records.conns.push(conn(4, client, frame, at));
        analysis.records.clients.push(story(index, name));
        let mut joined = Joined::captured(Leg::new(index, Near::Server));
        joined.set_client(index, 0);
        joined.set_server_life(Some(0));
        analysis.joined.push(joined);
        let back = index != 2;
        let lines = Cite::line(SourceId([1, 2, 0][index]), 2);
        analysis.closes.push(Close {
            id: format!("c{}", index + 1),
            joined: index,
            client: Some(client),
            server: Some(address("10.77.2.2:4222")),
            kind: "client",
            cid: Some(5 + index as u64),
            client_name: Some(Name::of(name)),
            client_lang: Some(Name::of("nats.js")),
            client_version: Some(Name::of(if back { "3.4.0" } else { "2.29.3" })),
            server_name: Some("NBDVZ7RG".to_owned()),
            server_life: Some(0),
            opened_at: Some(when(19_913_000 + index as i64, 6, 1)),
            closed_at: Some(when(at, 6, 1)),
            cause: "server-shutdown",
            detail: "killed",
            confidence: Confidence::Shown,
            initiator: Initiator::Server,
            outcome: if back {
                Outcome {
                    word: "reconnected",
                    after_ns: Some(4_063_000_000),
                    attempts: Some(8),
                    server: Some("10.77.2.2:4222".to_owned()),
                    evidence: vec![says(
                        Cite { place: Place::Line(13), ..lines },
                        when(28_402_000, 3, 900),
                        "status: reconnect 10.77.2.2:4222",
                    )],
                    ..Outcome::default()
                }
            } else {
                Outcome {
                    word: "exited",
                    failed_publishes: 3,
                    ..Outcome::default()
                }
            },
            summary: format!(
                "The server process was killed: its kernel closed {name}'s socket, its log stops without a word, and a new \
                 process starts 4.1 s later."
            ),
            evidence: vec![
                ready.clone(),
                says(
                    Cite::frame(SourceId(4), frame),
                    when(at, 6, 1),
                    "server 10.77.2.2:4222 sends FIN,ACK; nothing was unanswered",
                ),
                says(
                    lines,
                    when(24_339_000, 3, 900),
                    &format!("[2026-11-23T05:19:24.337Z] [{name}] status: disconnect 10.77.2.2:4222"),
                ),
                banner.clone(),
            ],
            alternatives: vec![Alternative {
                cause: "server-shutdown",
                detail: "crash",
                why_not: "a crash writes a goroutine dump to stderr; this log has none, but stderr may not be in it".to_owned(),
            }],
            missing: vec![
                "the service manager's or kernel's log, which names the signal".to_owned(),
            ],
            remedy: remedy_killed(),
            wireshark_filter: Some(format!("tcp.port == {port} && tcp.port == 4222")),
            ..Close::default()
        });
    }
    let meant = Close {
        id: "c4".to_owned(),
        joined: 3,
        client: Some(address("10.77.1.2:33528")),
        server: Some(address("10.77.2.2:4222")),
        kind: "client",
        cid: Some(6),
        client_name: Some(Name::of("telemetry-app-1")),
        client_lang: Some(Name::of("nats.js")),
        client_version: Some(Name::of("3.4.0")),
        server_name: Some("NCHE6S32".to_owned()),
        server_life: Some(1),
        opened_at: Some(when(28_365_412, 6, 40)),
        closed_at: Some(when(33_064_660, 6, 40)),
        cause: "client-close",
        detail: "normal",
        confidence: Confidence::Stated,
        initiator: Initiator::Client,
        summary: "telemetry-app-1 closed its connection itself.".to_owned(),
        evidence: vec![says(
            Cite::line(SourceId(3), 30),
            when(33_064_660, 6, 40),
            "[15845] 2026/11/23 05:19:33.064698 [DBG] 10.77.1.2:33528 - cid:6 - \"v3.4.0:nats.js:telemetry-app-1\" - Client \
             connection closed: Client Closed",
        )],
        ..Close::default()
    };
    analysis.records.servers[1].conns.push(ServerConn {
        id: 6,
        peer: meant.client,
        name: Some("telemetry-app-1".into()),
        closed: Some(log(
            3,
            30,
            33_064_698,
            6,
            "Client connection closed: Client Closed",
        )),
        reason: Some(CloseReason::ClientClosed),
        notes: vec![ServerNote {
            at: log(
                3,
                30,
                33_064_698,
                6,
                "Client connection closed: Client Closed",
            ),
            kind: NoteKind::Closed(Some(CloseReason::ClientClosed)),
        }],
        ..ServerConn::default()
    });
    let mut joined = Joined::default();
    joined.set_server(1, 0);
    joined.set_client_story(Some(1));
    analysis.joined.push(joined);
    analysis.closes.push(meant);
    analysis.incidents = vec![
        Incident {
            id: "i1".to_owned(),
            cause: "server-shutdown",
            detail: "killed",
            confidence: Confidence::Shown,
            server: Some("NBDVZ7RG".to_owned()),
            from: Some(when(24_211_492, 6, 1)),
            until: Some(when(24_211_514, 6, 1)),
            closes: vec![0, 1, 2],
            summary: "NBDVZ7RG was killed at 05:19:24.211: 3 sockets closed, 2 back in a median 4.1 s, 1 process ended."
                .to_owned(),
            remedy: remedy_killed(),
            follows: None,
        },
        Incident {
            id: "i2".to_owned(),
            cause: "client-close",
            detail: "normal",
            confidence: Confidence::Stated,
            server: Some("NCHE6S32".to_owned()),
            from: Some(when(33_064_660, 6, 40)),
            until: Some(when(33_064_660, 6, 40)),
            closes: vec![3],
            summary: "1 client closed its connection on purpose.".to_owned(),
            remedy: Vec::new(),
            follows: None,
        },
    ];
    analysis
}

fn remedy_killed() -> Vec<String> {
    vec![
        "Ask the service manager and the kernel who sent the signal: `journalctl -u nats-server`, `dmesg | grep -i kill`."
            .to_owned(),
        "Stop servers with `nats-server --signal ldm=PID`, so that clients move away before the process ends.".to_owned(),
    ]
}

/// A captured connection that the server ends with a FIN after a last delivery.
pub(super) fn conn(source: u32, client: SocketAddr, frame: u64, end_us: i64) -> Conn {
    let moment = |us_before: i64, frames: u64| Moment {
        ns: us(end_us - us_before),
        frame: frame - frames.min(frame - 1),
    };
    let packet = |us_before, frames, from, flags, seq, ack, len| TailPacket {
        at: moment(us_before, frames),
        from,
        flags,
        seq,
        ack,
        len,
        window: 15_872,
        note: "",
    };
    let end = moment(0, 0);
    Conn {
        source: SourceId(source),
        tuple: FourTuple {
            orig: client,
            resp: address("10.77.2.2:4222"),
        },
        tunnel: None,
        first: moment(4_298_000, 300),
        last: end,
        handshake: Handshake {
            syn: Some(moment(4_298_000, 300)),
            syns: 1,
            ..Handshake::default()
        },
        orig: Flow::default(),
        resp: Flow::default(),
        end: ConnEnd {
            manner: Manner::Fin,
            by: Some(End::Resp),
            at: end,
        },
        state: "SF",
        history: "ShADadFf".into(),
        zeek_swaps: false,
        rsts: Vec::new(),
        icmp: Vec::new(),
        anomalies: Vec::new(),
        tail: vec![
            packet(4_298_000, 300, End::Orig, SYN, 0, 0, 0),
            packet(4_297_990, 299, End::Resp, SYN | ACK, 0, 1, 0),
            packet(23_800, 6, End::Resp, PSH | ACK, 4_065, 177, 80),
            packet(23_700, 5, End::Orig, ACK, 177, 4_145, 0),
            packet(0, 0, End::Resp, FIN | ACK, 4_145, 177, 0),
        ],
        longest_silence: None,
        last_silence: None,
        session: Some(Box::new(Session {
            server: Talk {
                last_ops: vec![
                    (moment(223_000, 9), Verb::Pong),
                    (moment(23_800, 6), Verb::Msg),
                ],
                ..Talk::default()
            },
            client: Talk {
                last_ops: vec![(moment(224_000, 10), Verb::Ping)],
                ..Talk::default()
            },
            ..Session::default()
        })),
        samples: Vec::new(),
    }
}

fn story(index: usize, name: &str) -> ClientStory {
    let id = [1, 2, 0][index];
    let event = |line, us_after, kind, text: &str| ClientEvent {
        at: log(id, line, us_after, 3, text),
        kind,
        count: 1,
        first: None,
        server: Some("10.77.2.2:4222".into()),
        local: None,
        cid: None,
        server_id: None,
        subject: None,
    };
    let mut events = vec![
        event(
            1,
            20_067_000,
            ClientEventKind::Connected,
            "connected to 10.77.2.2:4222",
        ),
        event(
            2,
            24_337_000,
            ClientEventKind::Disconnected(Trouble::Unsaid),
            "status: disconnect 10.77.2.2:4222",
        ),
    ];
    if index != 2 {
        events.push(event(
            13,
            28_400_000,
            ClientEventKind::Reconnected,
            "status: reconnect 10.77.2.2:4222",
        ));
    }
    ClientStory {
        source: SourceId(id),
        name: name.into(),
        name_from_text: true,
        library: Library::JsV3,
        events,
        conns: vec![ClientConn {
            opened: Some(0),
            closed: Some(1),
            outcome: if index == 2 {
                ClientOutcome::Exited
            } else {
                ClientOutcome::Reconnected
            },
            back: (index != 2).then_some(2),
            ..ClientConn::default()
        }],
        ..ClientStory::default()
    }
}
