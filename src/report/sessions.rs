//! The table of captured NATS sessions: one row a session, for people (text) and for programs (TSV, ndjson).
//!
//! Subjects are counts, never names; credentials are never shown, only their kind.

mod object;

use object::object;

use crate::reconstruct::conn::{Conn, End};
use crate::reconstruct::session::{Notice, Protocol, Session, Talk};
use crate::report::rows::{Row, RowFormat};
use crate::report::table::Type;
use crate::span::Moment;
use crate::time::{Instant, SECOND};

/// The table's columns.
pub const COLUMNS: [(&str, Type); 22] = {
    use Type::{Float, Int, Text, Time};
    [
        ("start", Time),
        ("duration_s", Float),
        ("client", Text),
        ("server", Text),
        ("protocol", Text),
        ("name", Text),
        ("lang", Text),
        ("version", Text),
        ("user", Text),
        ("account", Text),
        ("server_name", Text),
        ("cid", Int),
        ("ready_ms", Float),
        ("rtt_ms", Float),
        ("answer_ms", Float),
        ("in_msgs", Int),
        ("in_bytes", Int),
        ("out_msgs", Int),
        ("out_bytes", Int),
        ("open_pings", Int),
        ("carried_by", Text),
        ("last_words", Text),
    ]
};

/// The row of the session on a connection; one without payload has none.
pub fn row(conn: &Conn, format: RowFormat) -> Option<Row> {
    let session = conn.session.as_deref()?;
    Some(match format {
        RowFormat::Text | RowFormat::Tsv => Row::of_cells(&cells(conn, session)),
        RowFormat::Ndjson => Row::of_object(&object(conn, session)),
    })
}

/// The end of the connection that is the client.
fn client_end(session: &Session) -> End {
    session.server_end.map_or(End::Orig, End::other)
}

/// Client and server as the session tells them apart.
fn ends(conn: &Conn, session: &Session) -> (String, String) {
    let (orig, resp) = (conn.tuple.orig.to_string(), conn.tuple.resp.to_string());
    match session.server_end {
        Some(End::Orig) => (resp, orig),
        _ => (orig, resp),
    }
}

fn cells(conn: &Conn, session: &Session) -> [String; COLUMNS.len()] {
    let (client, server) = ends(conn, session);
    let connect = session.connect.as_ref();
    let info = session.info.as_ref();
    let said = |text: Option<&Option<Box<str>>>| {
        text.and_then(Option::as_deref)
            .map_or_else(|| "-".to_owned(), clean)
    };
    let open = session.client.unanswered_pings.len() + session.server.unanswered_pings.len();
    let account = connect
        .and_then(|connect| connect.account.clone())
        .or_else(|| info.and_then(|info| info.remote_account.clone()))
        .map(Some);
    let tls = session.tls.as_ref();
    let blind = tls.map_or(0, |tls| {
        tls.client_unanswered.len() + tls.server_unanswered.len()
    });
    [
        Instant(conn.first.ns).rfc3339(6),
        seconds(conn.last.ns - conn.first.ns),
        client,
        server,
        protocol(&session.protocol).to_owned(),
        said(connect.map(|connect| &connect.name)),
        said(connect.map(|connect| &connect.lang)),
        said(connect.map(|connect| &connect.version)),
        said(connect.map(|connect| &connect.user)),
        said(account.as_ref()),
        said(info.map(|info| &info.server_name)),
        info.and_then(|info| info.client_id)
            .map_or_else(|| "-".to_owned(), |cid| cid.to_string()),
        session
            .ready_at
            .map_or_else(|| "-".to_owned(), |at| millis(at.ns - conn.first.ns)),
        session
            .rtt
            .map_or_else(|| "-".to_owned(), |rtt| millis(rtt.median)),
        answer_time(session).map_or_else(|| "-".to_owned(), millis),
        session.client.messages.to_string(),
        session.client.message_bytes.to_string(),
        session.server.messages.to_string(),
        session.server.message_bytes.to_string(),
        (open + blind).to_string(),
        carriers(session).join("+"),
        last_words(conn, session),
    ]
}

/// Median time from a request of the client to its first answer; of a service, which only answers, its own.
fn answer_time(session: &Session) -> Option<i64> {
    let median = |talk: &Talk| Some(talk.asked.as_ref()?.latency?.median);
    median(&session.client).or_else(|| median(&session.server))
}

/// What the session said about its own end, and what was left open.
fn last_words(conn: &Conn, session: &Session) -> String {
    let mut words = Vec::new();
    if let Some(why) = session.tls.as_ref().and_then(|tls| tls.keys.trouble()) {
        words.push(why.to_owned());
    }
    if let Some(mismatch) = session.tls.as_ref().and_then(|tls| tls.mismatch.as_deref()) {
        words.push(mismatch.to_owned());
    }
    if let Some(error) = session.errors.last() {
        let sent = if error.from_server { "" } else { "client: " };
        words.push(format!("{sent}-ERR '{}'", clean(&error.text)));
    }
    let lame = |notice: &(Moment, Notice)| notice.1 == Notice::LameDuck;
    if session.notices.iter().any(lame) {
        words.push("lame duck".to_owned());
    }
    if session.client.drained {
        words.push("drained".to_owned());
    }
    for (who, talk) in [("client", &session.client), ("server", &session.server)] {
        if let Some((_, quote)) = &talk.unknown_verb {
            words.push(format!("{who} sent \"{}\"", clean(quote)));
        }
        if let Some(cut) = talk.cut {
            let (verb, present) = (cut.verb.word(), cut.present);
            words.push(format!(
                "{who}'s {verb} cut at {present} of {} bytes",
                cut.declared
            ));
        }
        if let (Some(first), Some(last)) =
            (talk.unanswered_pings.first(), talk.unanswered_pings.last())
        {
            let clock = |at: &Moment| {
                let text = Instant(at.ns).rfc3339(3);
                text.get(11..23).unwrap_or_default().to_owned()
            };
            words.push(match talk.unanswered_pings.len() {
                1 => format!("{who}'s PING of {} open", clock(first)),
                n => format!(
                    "{n} PINGs of {who}'s open, {} to {}",
                    clock(first),
                    clock(last)
                ),
            });
        }
    }
    for (who, end) in [
        ("client", client_end(session)),
        ("server", client_end(session).other()),
    ] {
        let (flow, peer) = (conn.flow(end), conn.flow(end.other()));
        if flow.unacked_bytes > 0 {
            words.push(format!(
                "{} bytes of {who}'s unacknowledged",
                flow.unacked_bytes
            ));
        }
        if peer.zero_window_ns > 0 || peer.zero_window_since.is_some() {
            let time = seconds(peer.zero_window_ns);
            words.push(format!("window to {who} shut for {time} s"));
        }
    }
    if words.is_empty() {
        "-".to_owned()
    } else {
        words.join("; ")
    }
}

/// What carries the protocol.
fn carriers(session: &Session) -> Vec<&'static str> {
    let mut by = Vec::new();
    if session
        .tls
        .as_ref()
        .is_some_and(|tls| tls.version.is_some())
    {
        by.push("tls");
    }
    if session.websocket.is_some() {
        by.push("websocket");
    }
    if session.compressed {
        by.push("s2");
    }
    if by.is_empty() {
        by.push("tcp");
    }
    by
}

/// The protocol in a word.
pub fn protocol(protocol: &Protocol) -> &str {
    match protocol {
        Protocol::Unknown => "unknown",
        Protocol::Client => "client",
        Protocol::Route => "route",
        Protocol::Gateway => "gateway",
        Protocol::Leafnode => "leafnode",
        Protocol::Mqtt => "mqtt",
        Protocol::Tls => "tls",
        Protocol::Other(name) => name,
    }
}

/// A text from the wire, without what would break a table or a terminal.
fn clean(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

fn seconds(ns: i64) -> String {
    let ns = ns.max(0);
    format!("{}.{:06}", ns / SECOND, ns % SECOND / 1000)
}

fn millis(ns: i64) -> String {
    let ns = ns.max(0);
    format!("{}.{:03}", ns / 1_000_000, ns / 1000 % 1000)
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use super::{COLUMNS, row};
    use crate::reconstruct::capture::{CaptureOptions, read_map};
    use crate::reconstruct::conn::Conn;
    use crate::report::rows::{self, RowFormat};
    use crate::shelf::Put;
    use crate::source::SourceId;

    const STRANGERS: &[u8] = include_bytes!("../../fixtures/captures/strangers.pcap");
    const WEBSOCKET: &[u8] = include_bytes!("../../fixtures/captures/websocket-deflate.pcap");

    fn conns(capture: &'static [u8]) -> Vec<Conn> {
        let options = CaptureOptions {
            ports: vec![4222, 4223, 4224, 8080],
            ..CaptureOptions::default()
        };
        let mut pieces: Vec<(SourceId, Box<dyn Read + Send>)> =
            vec![(SourceId(0), Box::new(Cursor::new(capture)))];
        read_map(&mut pieces, &options, &|_| {}, &|| |conn| conn).conns
    }

    fn rendered(conns: &[Conn], format: RowFormat) -> String {
        let rows = conns.iter().filter_map(|conn| row(conn, format));
        let rows = rows.map(Put::here);
        let mut out = Vec::new();
        rows::write(rows, &COLUMNS, format, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_row_a_session() {
        let conns = conns(STRANGERS);
        let text = rendered(&conns, RowFormat::Text);
        assert_eq!(text.lines().count(), conns.len() + 1);
        let http = text.lines().nth(1).unwrap();
        assert!(
            http.contains("HTTP") && http.contains("Unknown Protocol Operation"),
            "{http}"
        );
        let tsv = rendered(&conns, RowFormat::Tsv);
        for row in tsv.lines() {
            assert_eq!(row.split('\t').count(), COLUMNS.len(), "{row}");
        }
    }

    #[test]
    fn objects_hold_what_the_session_holds() {
        let text = rendered(&conns(WEBSOCKET), RowFormat::Ndjson);
        let object: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(object["protocol"], "client");
        assert_eq!(object["carried_by"][0], "websocket");
        assert_eq!(object["connect"]["name"], "browser");
        assert_eq!(object["client_says"]["messages"], 3);
        assert_eq!(object["websocket"]["close"]["code"], 1001);
        assert_eq!(object["unreadable"], serde_json::Value::Null);
    }
}
