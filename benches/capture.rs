//! Bytes of capture a second, from memory: a busy system and a reconnect storm, with one thread and with two.

use std::hint::black_box;
use std::io::{Cursor, Read};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use natsleuth::reconstruct::capture::{CaptureOptions, read_map};
use natsleuth::report::conns::row;
use natsleuth::report::rows::RowFormat;
use natsleuth::source::SourceId;

#[path = "support/traffic.rs"]
mod traffic;

fn conns(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("conns");
    group.sample_size(10);
    for (name, shape) in [
        ("busy", traffic::Shape::Busy { conns: 941 }),
        ("storm", traffic::Shape::Storm),
        ("feed", traffic::Shape::Feed { conns: 100 }),
    ] {
        let mut capture = Vec::new();
        traffic::write(&mut capture, shape, 50_000_000, 1).expect("writing to memory");
        group.throughput(Throughput::Bytes(capture.len() as u64));
        for threads in [1, 2] {
            let options = CaptureOptions {
                threads,
                ..CaptureOptions::default()
            };
            group.bench_function(format!("{name}/{threads}"), |bencher| {
                bencher.iter(|| {
                    let input: Box<dyn Read + Send> = Box::new(Cursor::new(&capture));
                    let mut pieces = [(SourceId(0), input)];
                    let result = read_map(&mut pieces, &options, &|_| {}, &|| {
                        |conn| row(&conn, RowFormat::Tsv)
                    });
                    black_box(result.conns.len())
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, conns);
criterion_main!(benches);
