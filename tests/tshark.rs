//! The fixtures as tshark reads them, where it is installed: connections, packets, retransmissions, bytes.

mod captures;

use std::collections::BTreeMap;
use std::process::Command;

use captures::{ALL, bytes, path, read_bytes};
use natsleuth::reconstruct::capture::CaptureOptions;

/// What tshark says of one direction of a stream.
#[derive(Debug, Default, PartialEq, Eq)]
struct Direction {
    packets: u64,
    again: u64,
    keep_alives: u64,
}

/// Duplicate acknowledgements are counted apart: newer versions count those whose window changed but that carry SACK blocks,
/// as is done here (RFC 6675), older ones do not.
type Duplicates = BTreeMap<(u16, u16), u64>;

fn tshark(name: &str) -> Option<(BTreeMap<(u16, u16), Direction>, Duplicates)> {
    let fields = [
        "tcp.srcport",
        "tcp.dstport",
        "tcp.analysis.retransmission",
        "tcp.analysis.out_of_order",
        "tcp.analysis.duplicate_ack",
        "tcp.analysis.keep_alive",
    ];
    let mut command = Command::new("tshark");
    command
        .arg("-r")
        .arg(path(name))
        .args(["-n", "-T", "fields"]);
    for field in fields {
        command.args(["-e", field]);
    }
    let output = command.output().ok()?;
    if !output.status.success() {
        return None;
    }
    let mut directions: BTreeMap<(u16, u16), Direction> = BTreeMap::new();
    let mut duplicates = Duplicates::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let [src, dst, rest @ ..] = &columns[..] else {
            continue;
        };
        let (Ok(src), Ok(dst)) = (src.parse(), dst.parse()) else {
            continue;
        };
        let set = |index: usize| u64::from(rest.get(index).is_some_and(|value| !value.is_empty()));
        let direction = directions.entry((src, dst)).or_default();
        direction.packets += 1;
        direction.again += (set(0) + set(1)).min(1);
        *duplicates.entry((src, dst)).or_default() += set(2);
        direction.keep_alives += set(3);
    }
    Some((directions, duplicates))
}

#[test]
#[allow(clippy::print_stderr, reason = "a skipped test says so")]
fn agrees_with_tshark() {
    for name in ALL {
        let Some((expected, duplicates)) = tshark(name) else {
            eprintln!("skipped: tshark is not installed or cannot read {name}");
            return;
        };
        let result = read_bytes(&[bytes(name)], &CaptureOptions::default());
        let mut found = BTreeMap::new();
        for conn in &result.conns {
            let (orig, resp) = (conn.tuple.orig.port(), conn.tuple.resp.port());
            for (ports, flow) in [((orig, resp), &conn.orig), ((resp, orig), &conn.resp)] {
                assert!(
                    flow.duplicate_acks >= duplicates[&ports],
                    "{name} {ports:?}"
                );
                found.insert(
                    ports,
                    Direction {
                        packets: flow.packets,
                        again: flow.retransmissions + flow.out_of_order,
                        keep_alives: flow.keep_alives,
                    },
                );
            }
        }
        assert_eq!(found, expected, "{name}");
    }
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
