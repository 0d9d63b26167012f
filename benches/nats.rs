//! Bytes a second of the session builder on a subscriber's stream: messages of 1 KB in segments of 1448 bytes, and small
//! ones, where control lines are most of it.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use natsleuth::reconstruct::conn::End;
use natsleuth::reconstruct::session_builder::SessionBuilder;
use natsleuth::span::Moment;

/// Stream bytes of one run: enough to leave the caches' first level.
const STREAM: usize = 8 << 20;
/// Payload of an Ethernet segment with TCP timestamps.
const SEGMENT: usize = 1448;

fn stream(payload: usize) -> Vec<u8> {
    let mut message = format!("MSG orders.eu.42 17 {payload}\r\n").into_bytes();
    message.extend(std::iter::repeat_n(b'x', payload));
    message.extend(b"\r\n");
    let mut stream =
        b"INFO {\"server_id\":\"NA\",\"version\":\"2.12.8\",\"client_id\":1} \r\n".to_vec();
    while stream.len() < STREAM {
        stream.extend(&message);
    }
    stream
}

fn session_builder(c: &mut Criterion) {
    let mut group = c.benchmark_group("session_builder");
    for payload in [1024, 64] {
        let stream = stream(payload);
        group.throughput(Throughput::Bytes(stream.len() as u64));
        group.bench_function(format!("messages of {payload} bytes"), |b| {
            b.iter(|| {
                let mut builder = SessionBuilder::new(4222);
                let mut at = Moment::default();
                for segment in stream.chunks(SEGMENT) {
                    at.frame += 1;
                    at.ns += 10_000;
                    builder.data(End::Resp, at, black_box(segment));
                }
                builder.finish(at)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, session_builder);
criterion_main!(benches);
