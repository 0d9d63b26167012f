//! Closes a second: judged, and written in each format. A reconnect storm of a few thousand connections, generated from a seed.

use std::hint::black_box;
use std::io::{Cursor, Read, sink};
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use natsleuth::align::joined::Records;
use natsleuth::align::{AlignOptions, align};
use natsleuth::attribute::finding::Analysis;
use natsleuth::attribute::{Bundle, attribute};
use natsleuth::reconstruct::capture::{CaptureOptions, read};
use natsleuth::report::{Format, RenderOptions, render};
use natsleuth::shelf::Spool;
use natsleuth::source::{Hints, Kind, Source, SourceId};

#[path = "support/traffic.rs"]
#[allow(dead_code, reason = "not every user needs all of it")]
mod traffic;

/// Everything up to the verdicts.
fn bundle(capture: &[u8]) -> Bundle {
    let spool = Arc::new(Spool::default());
    let sources = vec![Source {
        id: SourceId(0),
        path: "storm.pcap".to_owned(),
        kind: Kind::Capture,
        bytes: capture.len() as u64,
        hints: Hints::default(),
    }];
    let input: Box<dyn Read + Send + '_> = Box::new(Cursor::new(capture));
    let mut pieces = [(SourceId(0), input)];
    let result = read(&mut pieces, &CaptureOptions::default(), &spool, &|_| {});
    let mut records = Records::default();
    records.conns.extend(result.conns);
    records.captures.push(result.facts);
    Bundle {
        alignment: align(&records, &[], &sources, &AlignOptions::default()),
        records,
        sources,
        advisories: None,
        spool,
    }
}

fn closes(criterion: &mut Criterion) {
    let mut capture = Vec::new();
    traffic::write(&mut capture, traffic::Shape::Storm, 10_000_000, 1).expect("memory takes it");
    let analysis: Analysis = attribute(bundle(&capture));
    let count = analysis.closes.len();
    assert!(count > 1000);
    let mut group = criterion.benchmark_group("closes");
    group.sample_size(10);
    group.throughput(Throughput::Elements(count as u64));
    group.bench_function("attribute", |bencher| {
        bencher.iter_batched(
            || bundle(&capture),
            |bundle| black_box(attribute(bundle)),
            BatchSize::PerIteration,
        );
    });
    for (name, format) in [
        ("text", Format::Text),
        ("ndjson", Format::Ndjson),
        ("csv", Format::Csv),
        ("html", Format::Html),
    ] {
        group.bench_function(format!("report/{name}"), |bencher| {
            bencher.iter(|| {
                render(&analysis, format, &RenderOptions::default(), &mut sink()).expect("a sink");
            });
        });
    }
    group.finish();
}

criterion_group!(benches, closes);
criterion_main!(benches);
