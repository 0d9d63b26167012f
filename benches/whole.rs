//! Bytes of a capture file a second, from the file to the finished analysis, beside a loop that only decodes its packets with the same
//! two crates: the ratio says what following, joining and judging cost. Inputs are generated from a seed.

use std::fs::File;
use std::hint::black_box;
use std::io::{BufWriter, Write};
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use natsleuth::analyze::{Options, analyze};
use natsleuth::progress::Silent;
use pcap_parser::traits::PcapReaderIterator;
use pcap_parser::{LegacyPcapReader, PcapBlockOwned, PcapError};

#[path = "support/traffic.rs"]
mod traffic;

/// Frames and parses every packet down to TCP, and keeps nothing. Returns packets and payload bytes.
fn decode_only(path: &Path) -> (u64, u64) {
    let file = File::open(path).expect("the file was just written");
    let mut reader = LegacyPcapReader::new(1 << 18, file).expect("a pcap header");
    let (mut packets, mut payload) = (0, 0);
    loop {
        match reader.next() {
            Ok((used, block)) => {
                if let PcapBlockOwned::Legacy(packet) = block {
                    packets += 1;
                    if let Ok(sliced) = etherparse::SlicedPacket::from_ethernet(packet.data)
                        && let Some(etherparse::TransportSlice::Tcp(tcp)) = sliced.transport
                    {
                        payload += tcp.payload().len() as u64;
                    }
                }
                reader.consume(used);
            }
            Err(PcapError::Eof) => return (packets, payload),
            Err(PcapError::Incomplete(_)) => reader.refill().expect("more of the file"),
            Err(error) => panic!("{error:?}"),
        }
    }
}

fn whole(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut group = criterion.benchmark_group("whole");
    group.sample_size(10);
    // Only a storm has anything to judge: the others go on when their captures end.
    for (name, shape, megabytes, closing) in [
        ("busy", traffic::Shape::Busy { conns: 941 }, 100, false),
        ("storm", traffic::Shape::Storm, 30, true),
        ("feed", traffic::Shape::Feed { conns: 100 }, 100, false),
    ] {
        let path = folder.path().join(format!("{name}.pcap"));
        let mut file = BufWriter::new(File::create(&path).expect("a file"));
        traffic::write(&mut file, shape, megabytes * 1_000_000, 1).expect("room for it");
        file.flush().expect("room for it");
        let bytes = path.metadata().expect("the file").len();
        group.throughput(Throughput::Bytes(bytes));
        group.bench_function(format!("{name}/decode-only"), |bencher| {
            bencher.iter(|| black_box(decode_only(&path)));
        });
        for threads in [1, 2] {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .expect("threads");
            let mut options = Options::default();
            options.capture.threads = threads;
            group.bench_function(format!("{name}/analyze/{threads}"), |bencher| {
                bencher.iter(|| {
                    pool.install(|| {
                        let paths = [path.clone()];
                        let (_, analysis) = analyze(&paths, &options, &Silent).expect("a capture");
                        assert_eq!(!analysis.closes.is_empty(), closing);
                        analysis.closes.len()
                    })
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, whole);
criterion_main!(benches);
