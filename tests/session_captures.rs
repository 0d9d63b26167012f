//! Sessions of real servers, from the captures in `fixtures/captures` (their origin is told in `fixtures/README.md`).

use std::sync::Arc;

use natsleuth::reconstruct::capture::{CaptureOptions, read};
use natsleuth::reconstruct::conn::{Conn, Manner};
use natsleuth::reconstruct::session::{Protocol, Session, TlsSeen, Verb};
use natsleuth::shelf::Put;
use natsleuth::source::SourceId;

fn conns(name: &str) -> Vec<Conn> {
    let path = format!(
        "{}/fixtures/captures/{name}.pcap",
        env!("CARGO_MANIFEST_DIR")
    );
    let bytes = std::fs::read(path).expect("the fixture is there");
    let options = CaptureOptions {
        ports: vec![1883, 4222, 4223, 4224, 6222, 7222, 7422, 8080],
        ..CaptureOptions::default()
    };
    let mut pieces: Vec<(SourceId, Box<dyn std::io::Read + Send>)> =
        vec![(SourceId(0), Box::new(std::io::Cursor::new(bytes)))];
    let result = read(&mut pieces, &options, &Arc::default(), &|_| {});
    assert!(result.rejects.is_empty(), "{:?}", result.rejects);
    result.conns.into_iter().map(Put::whole).collect()
}

/// The only session of a capture; attempts to connect again that were refused are passed over.
fn session(name: &str) -> Session {
    let mut conns = conns(name);
    conns.retain(|conn| conn.end.manner != Manner::Refused);
    assert_eq!(conns.len(), 1);
    let conn = conns.remove(0);
    assert_ne!(
        conn.end.manner,
        Manner::Open,
        "every capture has a real close"
    );
    let session = *conn.session.expect("payload was seen");
    assert_eq!(session.garbage, None);
    session
}

fn tls(session: &Session) -> &TlsSeen {
    session.tls.as_ref().expect("TLS was seen")
}

fn verbs(ops: &[(natsleuth::span::Moment, Verb)]) -> Vec<Verb> {
    ops.iter().map(|op| op.1).collect()
}

#[test]
fn tls_after_info() {
    let session = session("tls-after-info");
    assert_eq!(session.protocol, Protocol::Client);
    let info = session.info.as_ref().unwrap();
    assert_eq!(
        (info.server_name.as_deref(), &*info.version),
        (Some("n1"), "2.12.8")
    );
    assert!(info.tls_required);
    let tls = tls(&session);
    assert!(tls.established && !tls.first);
    assert_eq!(
        (tls.version.as_deref(), tls.sni.as_deref()),
        (Some("TLS 1.3"), Some("localhost"))
    );
    assert!(tls.client_close_notify < tls.server_close_notify && tls.client_close_notify.is_some());
    assert!(tls.client_unanswered.is_empty() && tls.server_unanswered.is_empty());
    assert_eq!(tls.mismatch, None);
}

#[test]
fn tls_1_2_with_a_client_that_stopped() {
    // The client was stopped; the server's two PINGs (1 s apart) stayed without answer, then it closed.
    let session = session("tls12-client-stopped");
    let tls = tls(&session);
    assert!(tls.established);
    assert_eq!(tls.version.as_deref(), Some("TLS 1.2"));
    assert_eq!(
        tls.server_unanswered.len(),
        2,
        "{:?}",
        tls.server_unanswered
    );
    let between = tls.server_unanswered[1].ns - tls.server_unanswered[0].ns;
    assert!((between - 1_000_000_000).abs() < 50_000_000, "{between}");
    assert!(tls.client_unanswered.is_empty());
    assert!(tls.server_close_notify.is_some() && tls.client_close_notify.is_none());
}

#[test]
fn tls_first_with_a_server_that_stopped() {
    let session = session("tls-first-server-stopped");
    assert_eq!(session.protocol, Protocol::Tls);
    assert_eq!(session.info, None);
    let tls = tls(&session);
    assert!(tls.established && tls.first);
    assert!(
        (2..=4).contains(&tls.client_unanswered.len()),
        "{:?}",
        tls.client_unanswered
    );
    assert!(tls.server_unanswered.is_empty());
    assert!(tls.client_close_notify.is_some());
}

#[test]
fn websocket_with_compression() {
    let session = session("websocket-deflate");
    assert_eq!(session.protocol, Protocol::Client);
    let connect = session.connect.as_ref().unwrap();
    assert_eq!(
        (connect.lang.as_deref(), connect.name.as_deref()),
        (Some("nats.ws"), Some("browser"))
    );
    assert_eq!(
        (session.client.messages, session.client.message_bytes),
        (3, 6000)
    );
    assert_eq!(
        (session.server.messages, session.server.message_bytes),
        (3, 6000)
    );
    assert_eq!((session.client.pongs, session.server.pings), (1, 1));
    let websocket = session.websocket.as_ref().unwrap();
    assert_eq!(
        (&*websocket.path, websocket.status, websocket.deflate),
        ("/nats", Some(101), true)
    );
    assert_eq!(websocket.forwarded_for.as_deref(), Some("10.1.2.3"));
    let (_, from_server, code, reason) = websocket.close.clone().unwrap();
    assert_eq!(
        (from_server, code, &*reason),
        (true, 1001, "Server Shutdown")
    );
}

#[test]
fn leafnodes_compressed_and_not() {
    for name in ["leafnode-s2-uncompressed", "leafnode-s2-fast"] {
        let session = session(name);
        assert_eq!(session.protocol, Protocol::Leafnode, "{name}");
        assert!(session.compressed);
        assert_eq!(
            session.info.as_ref().unwrap().server_name.as_deref(),
            Some("hub")
        );
        let connect = session.connect.as_ref().unwrap();
        assert_eq!(
            (connect.name.as_deref(), connect.version.as_deref()),
            (Some("leaf"), Some("2.12.8"))
        );
        assert_eq!(connect.account.as_deref(), Some("$G"));
        // Three of 400 bytes, two of 418 with their headers.
        assert_eq!(
            (session.server.messages, session.server.message_bytes),
            (5, 2036),
            "{name}"
        );
        assert!(session.server.headers_used);
        assert_eq!(session.rtt.unwrap().count, 2);
        assert!(verbs(&session.server.last_ops).ends_with(&[Verb::Hmsg, Verb::Routed]));
    }
}

#[test]
fn routes_compressed_and_not() {
    for (name, compressed) in [("route", false), ("route-s2", true)] {
        let session = session(name);
        assert_eq!(session.protocol, Protocol::Route, "{name}");
        assert_eq!(session.compressed, compressed);
        assert_eq!(
            session.info.as_ref().unwrap().server_name.as_deref(),
            Some("a")
        );
        assert_eq!(
            session.client_info.as_ref().unwrap().server_name.as_deref(),
            Some("b")
        );
        assert_eq!(
            session.connect.as_ref().unwrap().cluster.as_deref(),
            Some("c")
        );
        assert!(session.client.messages >= 5 && session.client.headers_used);
        assert_eq!((session.client.pings, session.server.pongs), (1, 1));
    }
}

#[test]
fn gateways() {
    let session = session("gateway");
    assert_eq!(session.protocol, Protocol::Gateway);
    assert_eq!(
        session.info.as_ref().unwrap().gateway.as_deref(),
        Some("east")
    );
    assert_eq!(
        session.connect.as_ref().unwrap().gateway.as_deref(),
        Some("west")
    );
    assert!(
        session.notices.is_empty(),
        "commands in INFO are no notices"
    );
    assert!(session.client.messages >= 5);
}

#[test]
fn mqtt() {
    let session = session("mqtt");
    assert_eq!(session.protocol, Protocol::Mqtt);
    assert_eq!(
        session.connect.as_ref().unwrap().name.as_deref(),
        Some("sensor-1")
    );
    let mqtt = session.mqtt.as_ref().unwrap();
    assert_eq!((mqtt.level, mqtt.keep_alive, mqtt.clean), (4, 5, true));
    assert_eq!(mqtt.connack.unwrap().1, 0);
    assert!(
        mqtt.disconnect
            .is_some_and(|(_, from_server, _)| !from_server)
    );
    assert_eq!((session.client.messages, session.server.messages), (3, 3));
    assert_eq!((session.client.pings, session.server.pongs), (1, 1));
}

#[test]
fn strangers_are_named() {
    let sessions: Vec<Session> = conns("strangers")
        .into_iter()
        .map(|conn| *conn.session.expect("payload was seen"))
        .collect();
    let other = |name: &str| Protocol::Other(name.into());
    let protocols: Vec<&Protocol> = sessions.iter().map(|session| &session.protocol).collect();
    assert_eq!(
        protocols,
        [
            &other("HTTP"),
            &other("SSH"),
            // Connected and reset without a byte: that it was a probe is seen in its end.
            &Protocol::Client,
            &other("TLS to a plain port"),
            &other("TLS to a plain port"),
            // Plain text to a server that waits for TLS and says nothing.
            &Protocol::Client,
            &Protocol::Client,
            &Protocol::Client,
        ]
    );
    assert_eq!(
        sessions[0]
            .client
            .unknown_verb
            .as_ref()
            .map(|quote| &*quote.1),
        Some("GET /healthz HTTP/1.1")
    );
    let mismatches: Vec<Option<&str>> = sessions
        .iter()
        .map(|session| session.tls.as_ref().and_then(|tls| tls.mismatch.as_deref()))
        .collect();
    assert_eq!(
        mismatches[3],
        Some("the client starts TLS, the server offers none")
    );
    assert_eq!(mismatches[4], mismatches[3]);
    assert_eq!(
        mismatches[6],
        Some("the server requires TLS, the client goes on in plain text")
    );
    let refused = tls(&sessions[7]);
    assert!(!refused.established);
    assert_eq!(refused.mismatch, None);
    let (_, from_server, word) = &refused.alerts[0];
    assert_eq!((*from_server, &**word), (false, "fatal unknown_ca"));
}
