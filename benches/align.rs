//! How long aligning a large bundle takes: 200 sources, 500 000 connections. One iteration is the whole stage.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use natsleuth::align::joined::Records;
use natsleuth::align::{AlignOptions, align};
use natsleuth::parse::server_log::close_reason::CloseReason;
use natsleuth::reconstruct::client::{
    ClientConn, ClientEvent, ClientEventKind, ClientStory, Trouble,
};
use natsleuth::reconstruct::server::{Identity, ServerConn, ServerLife};
use natsleuth::source::{Hints, Kind, Source, SourceId};
use natsleuth::span::{Cite, LogRef};
use natsleuth::time::{SECOND, Stamp};
use std::net::SocketAddr;

const SERVERS: usize = 20;
const CLIENTS: usize = 180;
const CONNECTIONS: usize = 500_000;
const EPOCH: i64 = 1_795_410_000 * SECOND;

fn line(source: usize, number: u64, ns: i64, utc: bool) -> LogRef {
    LogRef {
        stamp: Some(if utc {
            Stamp::utc(ns, 6)
        } else {
            Stamp::civil(ns, 6)
        }),
        outer: None,
        cite: Cite::line(SourceId(source as u32), number),
        text: "".into(),
    }
}

/// 20 servers' logs of 25 000 connections each; 180 clients reconnecting in turn, 100 times each; each log off by its own zone and skew.
fn bundle() -> (Records, Vec<Source>) {
    let mut records = Records::default();
    let sources = (0..SERVERS + CLIENTS)
        .map(|index| Source {
            id: SourceId(index as u32),
            path: format!("bundle/{index:03}.log"),
            kind: Kind::Log,
            bytes: 0,
            hints: Hints::default(),
        })
        .collect();
    let each = CONNECTIONS / SERVERS;
    let open =
        |server: usize, conn: usize| EPOCH + conn as i64 * 20_000_000 + server as i64 * 1_000_003;
    let owner = |server: usize, conn: usize| {
        let all = conn * SERVERS + server;
        all.is_multiple_of(27).then_some((all / 27) % CLIENTS)
    };
    let mut clients: Vec<Vec<(i64, i64)>> = vec![Vec::new(); CLIENTS];
    for server in 0..SERVERS {
        let zone = (server as i64 % 5 - 2) * 3600 * SECOND + server as i64 * 777_777_777;
        let conns = (0..each)
            .map(|conn| {
                let (at, cid) = (open(server, conn), conn as u64 + 5);
                let end = at + 3 * SECOND;
                let name = owner(server, conn).map(|client| {
                    clients[client].push((at, end));
                    format!("client-{client}").into()
                });
                ServerConn {
                    id: cid,
                    peer: Some(SocketAddr::from((
                        [10, 0, (conn / 60_000) as u8, server as u8],
                        (conn % 60_000) as u16,
                    ))),
                    name,
                    lang: Some("go".into()),
                    opened: Some(line(server, cid * 2, at + zone, false)),
                    closed: Some(line(server, cid * 2 + 1, end + zone, false)),
                    reason: Some(CloseReason::ClientClosed),
                    ..ServerConn::default()
                }
            })
            .collect();
        records.servers.push(ServerLife {
            sources: vec![SourceId(server as u32)],
            identity: Identity {
                id: Some(format!("N{server}").into()),
                listen: Some(SocketAddr::from(([10, 9, 0, server as u8], 4222))),
                ..Identity::default()
            },
            started: Some(line(server, 1, EPOCH + zone, false)),
            conns,
            ..ServerLife::default()
        });
    }
    for (client, mut lives) in clients.into_iter().enumerate() {
        lives.sort_unstable();
        let (source, skew) = (
            SERVERS + client,
            client as i64 * 333_333_333 % (90 * SECOND),
        );
        let event = |number: usize, ns: i64, kind: ClientEventKind| ClientEvent {
            at: line(source, number as u64, ns + skew, true),
            kind,
            count: 1,
            first: None,
            server: None,
            local: None,
            cid: None,
            server_id: None,
            subject: None,
        };
        let mut events = Vec::new();
        let mut conns = Vec::new();
        for (at, end) in lives {
            events.push(event(
                events.len() + 1,
                at + 2_000_000,
                ClientEventKind::Reconnected,
            ));
            events.push(event(
                events.len() + 1,
                end + 1_000_000,
                ClientEventKind::Disconnected(Trouble::Eof),
            ));
            conns.push(ClientConn {
                opened: Some(events.len() - 2),
                closed: Some(events.len() - 1),
                ..ClientConn::default()
            });
        }
        records.clients.push(ClientStory {
            source: SourceId(source as u32),
            name: format!("client-{client}").into(),
            name_from_text: true,
            events,
            conns,
            ..ClientStory::default()
        });
    }
    (records, sources)
}

fn whole_stage(criterion: &mut Criterion) {
    let (records, sources) = bundle();
    let mut group = criterion.benchmark_group("align");
    group.sample_size(10);
    group.throughput(Throughput::Elements(CONNECTIONS as u64));
    group.bench_function("connections of 200 sources", |bencher| {
        bencher.iter(|| {
            align(&records, &[], &sources, &AlignOptions::default())
                .joined
                .len()
        });
    });
    group.finish();
}

criterion_group!(benches, whole_stage);
criterion_main!(benches);
