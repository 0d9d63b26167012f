//! Connections whose end no source shows: a capture near the server, and a client that came back.

#[path = "incident_kit/mod.rs"]
mod incident_kit;

use std::path::{Path, PathBuf};

use incident_kit::analyze_paths;
use natsleuth::attribute::finding::Confidence;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name)
}

/// `name cause/detail` of each close in a capture alone; none is surer than possible.
fn closes(capture: &str) -> Vec<String> {
    let analysis = analyze_paths(&[fixture(capture)]);
    let mut found: Vec<String> = analysis
        .closes
        .iter()
        .filter(|close| close.cause == "network")
        .map(|close| {
            assert_eq!(close.confidence, Confidence::Possible, "{}", close.summary);
            let (opened, closed) = (close.opened_at.unwrap(), close.closed_at.unwrap());
            assert!(opened.surely_before(closed), "{}", close.summary);
            let name = close.client_name.as_deref().unwrap_or_default();
            format!("{name} {}/{}", close.cause, close.detail)
        })
        .collect();
    found.sort();
    found
}

#[test]
fn a_reset_that_only_the_client_received_is_told_by_its_return() {
    assert_eq!(
        closes("captures/rst-out-of-sight.pcap"),
        ["ingest-api-0 network/rst-injected"]
    );
}

#[test]
fn flows_that_a_middlebox_forgot_are_told_by_their_clients_return() {
    assert_eq!(
        closes("incidents/idle-timeout/server.pcap"),
        [
            "audit-idle-0 network/idle-timeout",
            "audit-idle-1 network/idle-timeout"
        ]
    );
    let nat = closes("incidents/nat-reset/server.pcap");
    assert_eq!(nat.len(), 3, "{nat:?}");
    assert!(
        nat[0].starts_with("night-0 ") && nat[1].starts_with("night-1 "),
        "{nat:?}"
    );
}

#[test]
fn a_pool_under_one_name_closes_nothing() {
    let analysis = analyze_paths(&[fixture("captures/pool-one-name.pcap")]);
    assert_eq!(analysis.records.conns.len(), 4);
    assert_eq!(analysis.closes.len(), 0);
}

#[test]
fn a_client_that_still_speaks_has_lost_nothing() {
    // The whole capture of a connection that its client's next one overlaps: its last packet comes after the other's first.
    let bytes = std::fs::read(fixture("captures/rst-out-of-sight.pcap")).expect("the fixture");
    let mut records = Vec::new();
    let mut at = 24;
    while at < bytes.len() {
        let len = u32::from_le_bytes(bytes[at + 8..at + 12].try_into().expect("four")) as usize;
        records.push(&bytes[at..at + 16 + len]);
        at += 16 + len;
    }
    // The last packet of the first connection, three seconds late.
    let last = records
        .iter()
        .rposition(|record| {
            record[16 + 34..16 + 36] == 44430_u16.to_be_bytes()
                || record[16 + 36..16 + 38] == 44430_u16.to_be_bytes()
        })
        .expect("a packet of port 44430");
    let mut late = records.remove(last).to_vec();
    let seconds = u32::from_le_bytes(late[..4].try_into().expect("four")) + 3;
    late[..4].copy_from_slice(&seconds.to_le_bytes());
    let after = records
        .iter()
        .position(|record| u32::from_le_bytes(record[..4].try_into().expect("four")) > seconds)
        .expect("packets seconds later");
    records.insert(after, &late);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("server.pcap");
    std::fs::write(&path, [&bytes[..24], &records.concat()].concat()).expect("written");
    assert_eq!(analyze_paths(&[path]).closes.len(), 0);
}
