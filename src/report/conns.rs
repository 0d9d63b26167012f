//! The table of captured connections: one row a connection, for people (text) and for programs (TSV, ndjson).

use std::net::SocketAddr;

use serde_json::json;

use crate::reconstruct::conn::{Conn, ConnEnd, End, Manner};
use crate::report::rows::{Row, RowFormat};
use crate::report::table::Type;
use crate::time::{Instant, SECOND};

/// The table's columns.
pub const COLUMNS: [(&str, Type); 16] = {
    use Type::{Float, Int, Text, Time};
    [
        ("start", Time),
        ("duration_s", Float),
        ("orig", Text),
        ("resp", Text),
        ("state", Text),
        ("history", Text),
        ("orig_bytes", Int),
        ("resp_bytes", Int),
        ("orig_packets", Int),
        ("resp_packets", Int),
        ("orig_rexmit", Int),
        ("resp_rexmit", Int),
        ("rtt_ms", Float),
        ("end", Text),
        ("closed_by", Text),
        ("last_frame", Int),
    ]
};

/// One connection's row.
pub fn row(conn: &Conn, format: RowFormat) -> Row {
    match format {
        RowFormat::Text | RowFormat::Tsv => Row::of_cells(&cells(conn)),
        RowFormat::Ndjson => Row::of_object(&object(conn)),
    }
}

/// Which ends the table calls originator and responder: those that state and history do.
const fn roles(conn: &Conn) -> (End, End) {
    if conn.zeek_swaps {
        (End::Resp, End::Orig)
    } else {
        (End::Orig, End::Resp)
    }
}

const fn address(conn: &Conn, end: End) -> SocketAddr {
    match end {
        End::Orig => conn.tuple.orig,
        End::Resp => conn.tuple.resp,
    }
}

/// An end in the table's words.
fn word(conn: &Conn, end: End) -> &'static str {
    if end == roles(conn).0 { "orig" } else { "resp" }
}

fn cells(conn: &Conn) -> [String; COLUMNS.len()] {
    let (first, second) = roles(conn);
    let (orig, resp) = (conn.flow(first), conn.flow(second));
    let server = address(conn, second);
    [
        Instant(conn.first.ns).rfc3339(6),
        seconds(conn.last.ns - conn.first.ns),
        address(conn, first).to_string(),
        match &conn.tunnel {
            Some(tunnel) => format!("{server} in {tunnel}"),
            None => server.to_string(),
        },
        conn.state.to_owned(),
        conn.history.to_string(),
        orig.bytes.to_string(),
        resp.bytes.to_string(),
        orig.packets.to_string(),
        resp.packets.to_string(),
        orig.retransmissions.to_string(),
        resp.retransmissions.to_string(),
        conn.handshake.rtt().map_or_else(
            || "-".to_owned(),
            |rtt| format!("{}.{:03}", rtt / 1_000_000, rtt / 1000 % 1000),
        ),
        manner(conn.end).to_owned(),
        conn.end.by.map_or("-", |by| word(conn, by)).to_owned(),
        conn.last.frame.to_string(),
    ]
}

fn seconds(ns: i64) -> String {
    let ns = ns.max(0);
    format!("{}.{:06}", ns / SECOND, ns % SECOND / 1000)
}

/// How a connection ended, in a word.
const fn manner(end: ConnEnd) -> &'static str {
    match end.manner {
        Manner::Fin => "fin",
        Manner::HalfClosed => "half-closed",
        Manner::FinThenRst => "fin-rst",
        Manner::Rst => "rst",
        Manner::Refused => "refused",
        Manner::Unanswered => "unanswered",
        Manner::Unreachable => "unreachable",
        Manner::Silent => "silent",
        Manner::Open => "open",
        Manner::Replaced => "replaced",
    }
}

fn object(conn: &Conn) -> serde_json::Value {
    let (first, second) = roles(conn);
    let flow = |end: End| {
        let flow = conn.flow(end);
        json!({
            "packets": flow.packets,
            "bytes": flow.bytes,
            "retransmissions": flow.retransmissions,
            "out_of_order": flow.out_of_order,
            "duplicate_acks": flow.duplicate_acks,
            "zero_windows": flow.zero_windows,
            "keep_alives": flow.keep_alives,
            "capture_lost_bytes": flow.capture_lost_bytes,
            "unacked_bytes": flow.unacked_bytes,
            "ttl": flow.ttl.map(|(low, high)| [low, high]),
        })
    };
    let rsts: Vec<_> = conn
        .rsts
        .iter()
        .map(|rst| {
            json!({
                "frame": rst.at.frame,
                "from": word(conn, rst.from),
                "origin": format!("{:?}", rst.origin).to_lowercase(),
                "signs": rst.signs,
            })
        })
        .collect();
    let anomalies: Vec<_> = conn
        .anomalies
        .iter()
        .map(|row| {
            json!({
                "name": row.name,
                "from": word(conn, row.from),
                "count": row.count,
                "first_frame": row.first.frame,
                "last_frame": row.last.frame,
            })
        })
        .collect();
    json!({
        "start": Instant(conn.first.ns).rfc3339(9),
        "duration_s": seconds(conn.last.ns - conn.first.ns),
        "orig": address(conn, first).to_string(),
        "resp": address(conn, second).to_string(),
        "tunnel": conn.tunnel,
        "state": conn.state,
        "history": conn.history,
        "orig_flow": flow(first),
        "resp_flow": flow(second),
        "rtt_ns": conn.handshake.rtt(),
        "syns": conn.handshake.syns,
        "end": manner(conn.end),
        "closed_by": conn.end.by.map(|end| word(conn, end)),
        "first_frame": conn.first.frame,
        "last_frame": conn.last.frame,
        "rsts": rsts,
        "icmp": conn.icmp.iter().map(|icmp| json!({
            "frame": icmp.at.frame,
            "from": icmp.from.to_string(),
            "says": icmp.says,
        })).collect::<Vec<_>>(),
        "anomalies": anomalies,
    })
}
