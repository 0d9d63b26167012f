//! Every capture among the fixtures as tshark reads it, where it is installed: connections, packets, bytes, and which packets
//! were sent again, came late, probed, or closed the window.

mod captures;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use captures::{bytes, path, read_bytes};
use natsleuth::reconstruct::capture::CaptureOptions;
use natsleuth::reconstruct::conn::{Conn, End, Flow};

/// What is compared of one direction of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Direction {
    packets: u64,
    /// Payload bytes, each sequence number once.
    bytes: u64,
    /// Sent again or out of order: which of the two is a matter of clues that newer versions weigh differently.
    again: u64,
    /// Keepalives and zero-window probes: tshark knows the probes of Linux, which carry no byte, as keepalives.
    probes: u64,
    spurious: u64,
    lost_before: u64,
    ack_lost: u64,
    window_full: u64,
    zero_windows: u64,
}

/// Counted apart: newer versions count duplicate acknowledgements whose window changed but that carry SACK blocks, as is
/// done here (RFC 6675), older ones do not; fast retransmissions follow from them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Duplicates {
    acks: u64,
    fast: u64,
}

/// One end's packets, and where its payload lies.
#[derive(Clone, Debug, Default)]
struct Sent {
    direction: Direction,
    duplicates: Duplicates,
    payload: Vec<(u64, u64)>,
    /// The end of the payload furthest on, and the highest acknowledgement.
    next: u64,
    acked: u64,
}

/// Connections in the order of their first packets, by sender.
type Streams = BTreeMap<u32, BTreeMap<SocketAddr, Sent>>;

const FIELDS: [&str; 10] = [
    "tcp.stream",
    "ip.src",
    "ipv6.src",
    "tcp.srcport",
    "ip.dst",
    "ipv6.dst",
    "tcp.dstport",
    "tcp.seq",
    "tcp.len",
    "tcp.ack",
];

const FLAGS: [&str; 10] = [
    "retransmission",
    "out_of_order",
    "keep_alive",
    "spurious_retransmission",
    "lost_segment",
    "ack_lost_segment",
    "window_full",
    "zero_window",
    "zero_window_probe",
    "duplicate_ack",
];

/// `None` where tshark is not installed or cannot read the file.
fn tshark(file: &Path) -> Option<Streams> {
    let mut command = Command::new("tshark");
    command.arg("-r").arg(file).args(["-n", "-T", "fields"]);
    command.args(["-Y", "tcp and not icmp and not icmpv6"]);
    for field in FIELDS {
        command.args(["-e", field]);
    }
    for flag in FLAGS {
        command.arg("-e").arg(format!("tcp.analysis.{flag}"));
    }
    command.args(["-e", "tcp.analysis.fast_retransmission"]);
    let output = command.output().ok()?;
    if !output.status.success() {
        return None;
    }
    let mut streams = Streams::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let address = |at: usize| {
            let ip: IpAddr = format!("{}{}", columns[at], columns[at + 1]).parse().ok()?;
            Some(SocketAddr::new(ip, columns[at + 2].parse().ok()?))
        };
        let number = |at: usize| columns[at].parse::<u64>().unwrap_or(0);
        let (Some(from), Some(to)) = (address(1), address(4)) else {
            continue;
        };
        let set = |at: usize| u64::from(!columns[FIELDS.len() + at].is_empty());
        let stream = streams.entry(number(0) as u32).or_default();
        let (peer_next, peer_acked) = stream.get(&to).map_or((0, 0), |it| (it.next, it.acked));
        let sent = stream.entry(from).or_default();
        // One hole in the capture is told once here: by the acknowledgement of what no packet carried or by the packet behind
        // the hole, whichever comes first. tshark 4.0 tells both, and the acknowledgement's repetitions.
        let hole_untold = set(4) == 1 && number(7) > peer_acked;
        let ack_beyond_all = set(5) == 1 && number(9) > peer_next.max(sent.acked);
        let direction = &mut sent.direction;
        direction.packets += 1;
        direction.again += (set(0) + set(1)).min(1);
        direction.probes += set(2) + set(8);
        direction.spurious += set(3);
        direction.lost_before += u64::from(hole_untold);
        direction.ack_lost += u64::from(ack_beyond_all);
        direction.window_full += set(6);
        direction.zero_windows += set(7);
        sent.duplicates.acks += set(9);
        sent.duplicates.fast += set(10);
        sent.next = sent.next.max(number(7) + number(8));
        sent.acked = sent.acked.max(number(9));
        sent.payload.push((number(7), number(7) + number(8)));
    }
    for sent in streams.values_mut().flat_map(BTreeMap::values_mut) {
        sent.direction.bytes = covered(&mut sent.payload);
    }
    Some(streams)
}

/// Numbers covered by any of the intervals.
fn covered(intervals: &mut [(u64, u64)]) -> u64 {
    intervals.sort_unstable();
    let (mut sum, mut reached) = (0, 0);
    for &mut (start, end) in intervals {
        sum += end.saturating_sub(start.max(reached));
        reached = reached.max(end);
    }
    sum
}

fn ours(conn: &Conn, end: End, flow: &Flow) -> (Direction, Duplicates) {
    let count = |name: &str| {
        let rows = conn.anomalies.iter();
        rows.filter(|row| row.name == name && row.from == end)
            .map(|row| row.count)
            .sum()
    };
    let direction = Direction {
        packets: flow.packets,
        bytes: flow.bytes,
        again: flow.retransmissions + flow.out_of_order,
        probes: flow.keep_alives + flow.zero_window_probes,
        spurious: count("spurious_retransmission"),
        lost_before: count("lost_segment"),
        ack_lost: count("ack_lost_segment"),
        window_full: count("window_full"),
        zero_windows: count("zero_window"),
    };
    let duplicates = Duplicates {
        acks: flow.duplicate_acks,
        fast: count("fast_retransmission"),
    };
    (direction, duplicates)
}

fn fixtures(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            fixtures(&path, found);
        } else if path
            .extension()
            .is_some_and(|ending| ending == "pcap" || ending == "pcapng")
        {
            found.push(path);
        }
    }
}

fn compare(file: &Path, streams: &Streams) {
    let name = file.display();
    let options = CaptureOptions {
        all: true,
        ..CaptureOptions::default()
    };
    let result = read_bytes(&[std::fs::read(file).expect("a fixture")], &options);
    assert_eq!(result.conns.len(), streams.len(), "connections of {name}");
    for (conn, (stream, sent)) in result.conns.iter().zip(streams) {
        for end in [End::Orig, End::Resp] {
            let (address, flow) = match end {
                End::Orig => (conn.tuple.orig, &conn.orig),
                End::Resp => (conn.tuple.resp, &conn.resp),
            };
            let expected = sent.get(&address).cloned().unwrap_or_default();
            let (direction, duplicates) = ours(conn, end, flow);
            assert_eq!(
                direction, expected.direction,
                "{name}, stream {stream}, from {address}"
            );
            assert!(
                duplicates.acks >= expected.duplicates.acks,
                "{name}, stream {stream}, from {address}"
            );
            // The other end's fast retransmissions follow from this end's duplicate acknowledgements.
            let peer = match end {
                End::Orig => (conn.tuple.resp, &conn.resp),
                End::Resp => (conn.tuple.orig, &conn.orig),
            };
            if duplicates.acks == expected.duplicates.acks {
                let fast = ours(conn, end.other(), peer.1).1.fast;
                let expected = sent.get(&peer.0).map_or(0, |sent| sent.duplicates.fast);
                assert_eq!(fast, expected, "{name}, stream {stream}, to {address}");
            }
        }
    }
}

#[test]
#[allow(clippy::print_stderr, reason = "a skipped test says so")]
fn agrees_with_tshark_on_every_capture() {
    let mut files = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    fixtures(&root, &mut files);
    files.sort();
    assert!(files.len() > 100, "{} captures", files.len());
    if tshark(&files[0]).is_none() {
        eprintln!("skipped: tshark is not installed");
        return;
    }
    // Most of the time goes into starting it: several at once.
    std::thread::scope(|scope| {
        for share in files.chunks(files.len().div_ceil(4)) {
            scope.spawn(move || {
                for file in share {
                    let streams = tshark(file).expect("tshark reads every fixture");
                    compare(file, &streams);
                }
            });
        }
    });
}

#[test]
#[allow(clippy::print_stderr, reason = "a skipped test says so")]
fn reassembles_as_many_bytes_as_tshark() {
    let name = "rst-injected-client.pcap";
    let result = read_bytes(&[bytes(name)], &CaptureOptions::default());
    for (stream, conn) in result.conns.iter().enumerate() {
        let output = Command::new("tshark")
            .arg("-r")
            .arg(path(name))
            .args(["-n", "-q", "-z", &format!("follow,tcp,raw,{stream}")])
            .output();
        let Ok(output) = output else {
            eprintln!("skipped: tshark is not installed");
            return;
        };
        let (mut orig, mut resp) = (0, 0);
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            // The responder's bytes are indented.
            let hex = line.trim();
            if hex.is_empty() || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                continue;
            }
            let count = (hex.len() / 2) as u64;
            if line.starts_with('\t') {
                resp += count;
            } else {
                orig += count;
            }
        }
        assert_eq!(
            (conn.orig.bytes, conn.resp.bytes),
            (orig, resp),
            "stream {stream}"
        );
    }
}
