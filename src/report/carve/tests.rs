//! A carved capture, read back by this tool's own reader and by tshark.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use super::*;
use crate::align::clock::{Clock, Stretch, When};
use crate::align::joined::{Joined, Leg};
use crate::attribute::finding::{Confidence, Evidence, Incident};
use crate::parse::pcap::{Reader, Step};
use crate::reconstruct::capture::{self, CaptureOptions};
use crate::shelf::Name;
use crate::source::{Hints, Kind, Source};
use crate::span::Cite;
use crate::time::SECOND;

const FILES: [&str; 2] = ["client.pcap", "server.pcap"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/report/blackhole")
}

fn open(source: SourceId) -> io::Result<Box<dyn Read + Send>> {
    let path = folder().join(FILES[source.0 as usize]);
    Ok(Box::new(File::open(path)?))
}

/// The two captures of one connection, the client's clock 1.5 s behind.
fn two_sided() -> Analysis {
    let mut analysis = Analysis::default();
    for (index, name) in FILES.into_iter().enumerate() {
        let source = SourceId(index as u32);
        analysis.sources.push(Source {
            id: source,
            path: name.to_owned(),
            kind: Kind::Capture,
            bytes: 0,
            hints: Hints::default(),
        });
        let mut pieces: Vec<(SourceId, Box<dyn Read + Send>)> =
            vec![(source, open(source).expect("the fixture"))];
        let result = {
            let options = CaptureOptions::default();
            capture::read(&mut pieces, &options, &Arc::default(), &|_| {})
        };
        analysis.records.conns.extend(result.conns);
        analysis.records.captures.push(result.facts);
        let mut clock = Clock::own(source);
        clock.aligned = true;
        if index == 0 {
            clock.stretches = vec![Stretch::exact(3 * SECOND / 2)];
        }
        analysis.clocks.push(clock);
    }
    let mut joined = Joined::captured(Leg::new(0, Near::Client));
    joined.conns.push(Leg::new(1, Near::Server));
    analysis.joined.push(joined);
    let conn = &analysis.records.conns.whole(1);
    let evidence = |source: u32, frame, says: &str, supports| Evidence {
        cite: Cite::frame(SourceId(source), frame),
        at: None::<When>,
        says: says.to_owned(),
        supports,
    };
    analysis.closes.push(Close {
        id: "c1".to_owned(),
        client: Some(conn.tuple.orig),
        server: Some(conn.tuple.resp),
        client_name: Some(Name::of("billing svc-0")),
        server_name: Some("nats-1".to_owned()),
        cause: "network",
        detail: "blackhole",
        confidence: Confidence::Shown,
        summary: "The path went silent in both directions.".to_owned(),
        evidence: vec![
            evidence(0, 12, "client sends PING; never acknowledged", true),
            evidence(1, 12, "server sends PING; never acknowledged", true),
            evidence(1, 11, "the last packet from the client", false),
        ],
        wireshark_filter: Some("tcp.port == 38656".to_owned()),
        ..Close::default()
    });
    analysis.incidents.push(Incident {
        id: "i1".to_owned(),
        closes: vec![0],
        ..Incident::default()
    });
    analysis
}

fn carved() -> (Vec<u8>, Carved) {
    let analysis = two_sided();
    let closes = named(&analysis, "i1").expect("the incident");
    let mut out = Vec::new();
    let carved = carve(&analysis, &closes, &open, &mut out).expect("carved");
    (out, carved)
}

#[test]
fn both_captures_stand_on_one_clock_in_order() {
    let (bytes, carved) = carved();
    assert_eq!(
        carved,
        Carved {
            packets: 38,
            commented: 3,
            interfaces: 2
        }
    );
    let mut reader = Reader::new(&bytes[..]);
    let mut times = Vec::new();
    let mut spare = Vec::new();
    loop {
        match reader.step() {
            Step::Frame(frame) => times.push((frame.ns, frame.interface, frame.captured)),
            Step::Secrets(_) => {}
            Step::Refill => spare = reader.refill(spare),
            Step::End => break,
        }
    }
    assert_eq!(times.len(), 38);
    assert!(times.windows(2).all(|pair| pair[0].0 <= pair[1].0));
    // The SYN, in both captures within a millisecond.
    assert_eq!((times[0].2, times[1].2), (74, 74));
    assert_ne!(times[0].1, times[1].1);
    assert!(times[1].0 - times[0].0 < SECOND / 1_000);
    assert_eq!(reader.trouble_count(), 0);
}

#[test]
fn a_close_without_packets_gives_nothing() {
    let analysis = crate::report::sample::full(2);
    let mut out = Vec::new();
    let carved = carve(&analysis, &[0], &open, &mut out).expect("nothing to read");
    assert_eq!((carved, out.len()), (Carved::default(), 0));
    assert_eq!(named(&analysis, "c2"), Some(vec![1]));
    assert_eq!(named(&analysis, "c77"), None);
}

/// What tshark says, or `None` where there is none.
fn tshark(file: &Path, arguments: &[&str]) -> Option<String> {
    let Ok(output) = Command::new("tshark")
        .arg("-r")
        .arg(file)
        .args(arguments)
        .output()
    else {
        skip_line();
        return None;
    };
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[allow(clippy::print_stderr, reason = "a skipped test says so")]
fn skip_line() {
    eprintln!("SKIPPED: no tshark in PATH, the carved capture was not read back by it");
}

#[test]
fn tshark_reads_packets_comments_interfaces_and_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("c1.pcapng");
    fs::write(&file, carved().0).expect("written");
    let fields = [
        "-T",
        "fields",
        "-e",
        "frame.interface_name",
        "-e",
        "tcp.len",
        "-e",
        "frame.comment",
    ];
    let Some(rows) = tshark(&file, &fields) else {
        return;
    };
    let rows: Vec<&str> = rows.lines().collect();
    assert_eq!(rows.len(), 38);
    let with = |words: &str| rows.iter().filter(|row| row.contains(words)).count();
    assert_eq!(with("client.pcap\t"), 19);
    assert_eq!(
        with("c1 for network/blackhole: server sends PING; never acknowledged (server.pcap:#12)"),
        1
    );
    assert_eq!(
        with("server.pcap\t0\tc1 against network/blackhole: the last packet from the client"),
        1
    );
    let hosts = tshark(&file, &["-q", "-z", "hosts"]).expect("found before");
    assert!(hosts.contains("10.77.1.2\tbilling_svc-0"), "{hosts}");
    assert!(hosts.contains("10.77.2.2\tnats-1"), "{hosts}");
}
