//! Bytes of a `-DV` log per second, from bytes to server lives.

use std::io::Cursor;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use natsleuth::reconstruct::log::read;
use natsleuth::source::{Hints, Kind, Source, SourceId};

mod trace_log;

fn server_log(c: &mut Criterion) {
    let mut bytes = Vec::new();
    trace_log::write(&mut bytes, 64 << 20).expect("memory takes it");
    let source = Source {
        id: SourceId(0),
        path: "server.log".to_owned(),
        kind: Kind::Log,
        bytes: bytes.len() as u64,
        hints: Hints::default(),
    };
    let mut group = c.benchmark_group("server_log");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.sample_size(10);
    group.bench_function("trace", |b| {
        b.iter(|| {
            let result = read(&source, Box::new(Cursor::new(bytes.clone())), &|_| {});
            assert_eq!(result.servers.len(), 1);
            result
        });
    });
    group.finish();
}

criterion_group!(benches, server_log);
criterion_main!(benches);
