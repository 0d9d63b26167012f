//! A path that goes silent.

use std::net::SocketAddr;

use super::killed::conn;
use super::{address, against, clock, facts, says, source, us, when};
use crate::align::clock::Clock;
use crate::align::joined::{Joined, Leg, Near};
use crate::attribute::finding::{
    Alternative, Analysis, Close, Confidence, Evidence, Incident, Initiator, Outcome, SourceFacts,
};
use crate::reconstruct::conn::{Conn, ConnEnd, Manner};
use crate::shelf::Name;
use crate::source::{Checksum, Kind, SourceId};
use crate::span::{Cite, Moment, Place, Reject};

/// A path that goes silent for two clients at once, seen by the server's capture and logs; a clock in another zone; a
/// capture cut short.
pub fn silent_path() -> Analysis {
    let mut analysis = Analysis {
        sources: vec![
            source(0, "logs/client-billing-svc-0.log", Kind::Log, 1_232),
            source(1, "logs/nats.log", Kind::Log, 791),
            source(2, "server.pcap", Kind::Capture, 31_311),
        ],
        source_facts: vec![
            facts(18),
            SourceFacts {
                sha256: Some(Checksum([0x5a; 32])),
                ..facts(9)
            },
            facts(231),
        ],
        clocks: vec![
            Clock {
                zone_s: Some(3_600),
                ..clock(0, -3_600_000_000 - 1_200_000, 500, 5)
            },
            Clock {
                how: "no line of it names a connection that another source saw".to_owned(),
                ..Clock::own(SourceId(1))
            },
            Clock {
                aligned: true,
                how: "the reference".to_owned(),
                ..Clock::own(SourceId(2))
            },
        ],
        rejects: vec![Reject {
            source: SourceId(2),
            place: Some(Place::Frame(232)),
            why: "packet record: 74 bytes expected, 31 left in the file".to_owned(),
            count: 1,
        }],
        ..Analysis::default()
    };
    for (index, port) in [38_656_u16, 38_514].into_iter().enumerate() {
        let client = SocketAddr::new(address("10.77.1.2:1").ip(), port);
        let at = -22_720_000 + index as i64 * 853_000;
        let frame = 231 - index as u64;
        analysis.records.conns.push(Conn {
            end: ConnEnd {
                manner: Manner::Silent,
                by: None,
                at: Moment { ns: us(at), frame },
            },
            state: "S1",
            ..conn(2, client, frame, at)
        });
        let leg = Leg::new(index, Near::Server);
        analysis.joined.push(Joined::captured(leg));
        analysis.closes.push(Close {
            id: format!("c{}", index + 1),
            joined: index,
            client: Some(client),
            client_side: Some(address(&format!("192.168.4.7:{}", 50_000 + index))),
            server: Some(address("[fd00::2]:4222")),
            kind: "client",
            cid: Some(7 - index as u64 * 2),
            client_name: Some(Name::of(&format!("billing-svc-{index}"))),
            client_lang: Some(Name::of(["nats.js", "C"][index])),
            client_version: Some(Name::of(["2.29.3", "3.4.1"][index])),
            closed_at: Some(when(at, 6, 1)),
            cause: "network",
            detail: "blackhole",
            confidence: Confidence::Shown,
            initiator: Initiator::Network,
            outcome: Outcome {
                word: if index == 0 { "gave-up" } else { "still-down" },
                attempts: Some(60),
                budget: (index == 0)
                    .then(|| "maxReconnectAttempts 60, reconnectTimeWait 2 s".to_owned()),
                timed_out_requests: 2,
                ..Outcome::default()
            },
            summary: "The path went silent in both directions: the server retransmitted 8 times over 13.8 s without any answer, \
                      while its other connections went on."
                .to_owned(),
            evidence: vec![
                says(
                    Cite::line(SourceId(0), 3),
                    when(-29_201_000, 3, 500),
                    "[2026-11-23T06:18:32.000] [billing-svc-0] status: pingTimer 2",
                ),
                says(
                    Cite::frame(SourceId(2), 94),
                    when(-26_508_780, 6, 1),
                    "server sends PING, 6 bytes, seq 859; never acknowledged",
                ),
                says(
                    Cite::frame(SourceId(2), 231),
                    when(-12_742_322, 6, 1),
                    "8th retransmission of seq 859, 13.8 s after the first transmission",
                ),
                against(Evidence {
                    at: None,
                    ..says(
                        Cite::line(SourceId(1), 9),
                        when(0, 6, 1),
                        "[2436] 2026/11/23 05:18:28.953226 [INF] Server is ready",
                    )
                }),
            ],
            alternatives: vec![Alternative {
                cause: "client-fault",
                detail: "client-stall",
                why_not: "a stalled client's kernel still acknowledges; nothing did".to_owned(),
            }],
            missing: vec!["a capture on the client's side would tell which direction failed first".to_owned()],
            remedy: vec![
                "Look at what is between 10.77.1.2 and the server: routes, firewall state, tunnels; both directions failed at once."
                    .to_owned(),
                "Until then: shorter `pingInterval` (nats.js) finds a dead path sooner, reconnecting costs less than waiting."
                    .to_owned(),
            ],
            wireshark_filter: Some(format!("tcp.port == {port}")),
            ..Close::default()
        });
    }
    analysis.incidents = vec![Incident {
        id: "i1".to_owned(),
        cause: "network",
        detail: "blackhole",
        confidence: Confidence::Shown,
        server: Some("[fd00::2]:4222".to_owned()),
        from: Some(when(-22_720_000, 6, 1)),
        until: Some(when(-21_867_000, 6, 1)),
        closes: vec![0, 1],
        summary: "The path between 10.77.1.2 and [fd00::2]:4222 went silent at 05:18:33.5: 2 connections lost, 1 gave up, 1 \
                  still down."
            .to_owned(),
        remedy: analysis.closes.whole(0).remedy.clone(),
        follows: None,
    }];
    analysis
}
