//! Fixture captures, and how a test reads one.

use std::io::{Cursor, Read};
use std::path::PathBuf;
use std::sync::Arc;

use natsleuth::reconstruct::capture::{CaptureOptions, CaptureResult, read};
use natsleuth::reconstruct::conn::Conn;
use natsleuth::shelf::Put;
use natsleuth::source::SourceId;

/// The fixtures.
#[allow(dead_code, reason = "not every test uses all of them")]
pub const ALL: [&str; 5] = [
    "rst-injected-client.pcap",
    "rst-injected-server.pcap",
    "idle-timeout.pcap",
    "blackhole.pcap",
    "loss-snapped.pcap",
];

/// Where a fixture lies.
#[allow(dead_code, reason = "not every test uses all of them")]
pub fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/captures")
        .join(name)
}

/// The bytes of a fixture.
#[allow(dead_code, reason = "not every test uses all of them")]
pub fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).expect("the fixture is there")
}

/// Reads captures given as bytes, as the files of one.
#[allow(dead_code, reason = "not every test uses all of them")]
pub fn read_bytes(files: &[Vec<u8>], options: &CaptureOptions) -> CaptureResult {
    let mut pieces: Vec<(SourceId, Box<dyn Read + Send>)> = files
        .iter()
        .enumerate()
        .map(|(index, bytes)| {
            let input: Box<dyn Read + Send> = Box::new(Cursor::new(bytes.clone()));
            (SourceId(index as u32), input)
        })
        .collect();
    let result = read(&mut pieces, options, &Arc::default(), &|_| {});
    CaptureResult {
        conns: result.conns.into_iter().map(Put::whole).collect(),
        facts: result.facts,
        rejects: result.rejects,
        records: result.records,
    }
}

/// A connection in a line, without what a change of encapsulation rightly changes (addresses, frame numbers of split
/// packets, IPv4 identifications).
#[allow(dead_code, reason = "not every test uses all of them")]
pub fn summary(conn: &Conn) -> String {
    let flow = |flow: &natsleuth::reconstruct::conn::Flow| {
        format!(
            "{} packets {} bytes {} again {:?} {} unacked, window {:?}, ttl {:?}",
            flow.packets,
            flow.bytes,
            flow.retransmissions,
            flow.final_retransmissions.as_ref().map(|run| run.count),
            flow.unacked_bytes,
            flow.window,
            flow.ttl,
        )
    };
    let info = conn
        .session
        .as_ref()
        .and_then(|session| session.info.as_ref())
        .map(|info| (info.client_id, info.version.clone()));
    format!(
        "{}>{} {} {} {:?} by {:?} orig({}) resp({}) rsts {:?} info {info:?}",
        conn.tuple.orig.port(),
        conn.tuple.resp.port(),
        conn.state,
        conn.history,
        conn.end.manner,
        conn.end.by,
        flow(&conn.orig),
        flow(&conn.resp),
        conn.rsts
            .iter()
            .map(|rst| (rst.from, rst.origin, rst.ttl))
            .collect::<Vec<_>>(),
    )
}
