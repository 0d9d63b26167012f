//! A full server.

use super::{address, facts, says, source, when};
use crate::align::clock::Clock;
use crate::align::joined::Joined;
use crate::attribute::finding::{Analysis, Close, CloseSketch, Confidence, Incident, Initiator};
use crate::shelf::Name;
use crate::source::{Kind, SourceId};
use crate::span::Cite;

/// A full server that refuses `refused` attempts of a few clients, again and again.
pub fn full(refused: usize) -> Analysis {
    let mut analysis = Analysis {
        sources: vec![source(0, "server.log", Kind::Log, refused as u64 * 300)],
        source_facts: vec![facts(refused as u64 * 3)],
        clocks: vec![Clock::own(SourceId(0))],
        ..Analysis::default()
    };
    for index in 0..refused {
        let at = 37_000_000 + index as i64 * 12_000;
        let line = 10 + index as u64 * 3;
        let port = 20_000 + (index % 40_000) as u16;
        analysis.joined.push(Joined::default());
        analysis.closes.push(Close {
            id: format!("c{}", index + 1),
            joined: index,
            client: Some(address(&format!("10.77.1.{}:{port}", 2 + index % 90))),
            server: Some(address("10.77.2.2:4222")),
            kind: "client",
            cid: Some(8 + index as u64),
            client_name: (index % 3 > 0)
                .then(|| Name::of(&format!("gateway-late-{}", index % 40))),
            closed_at: Some(when(at, 6, 1)),
            cause: "overload",
            detail: "max-connections",
            confidence: Confidence::Stated,
            initiator: Initiator::Server,
            summary: "The server refused the connection: max_connections was reached.".to_owned(),
            evidence: vec![says(
                Cite::line(SourceId(0), line),
                when(at, 6, 1),
                &format!(
                    "[16112] 2026/11/23 05:19:37.047189 [ERR] 10.77.1.2:{port} - cid:{} - maximum connections exceeded",
                    8 + index
                ),
            )],
            remedy: vec!["Raise `max_connections`, or add servers.".to_owned()],
            ..Close::default()
        });
    }
    analysis.incidents = vec![Incident {
        id: "i1".to_owned(),
        cause: "overload",
        detail: "max-connections",
        confidence: Confidence::Stated,
        server: Some("nats-1".to_owned()),
        from: analysis
            .closes
            .sketches()
            .next()
            .and_then(CloseSketch::closed_at),
        until: analysis
            .closes
            .sketches()
            .next_back()
            .and_then(CloseSketch::closed_at),
        closes: (0..refused).collect(),
        summary: format!(
            "nats-1 was full: {refused} connection attempts were refused at its limit of 4 connections."
        ),
        remedy: vec!["Raise `max_connections`, or add servers.".to_owned()],
        follows: None,
    }];
    analysis
}
