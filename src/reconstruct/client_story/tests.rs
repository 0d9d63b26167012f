//! Whole logs to stories: recorded ones, and the traps that the facts list.

use super::*;
use crate::reconstruct::client::ClientOutcome;
use crate::source::{Hints, Kind};

fn source(stem: &str) -> Source {
    Source {
        id: SourceId(0),
        path: format!("{stem}.log"),
        kind: Kind::Log,
        bytes: 0,
        hints: Hints {
            stem: stem.into(),
            ..Hints::default()
        },
    }
}

/// The stories of a text, and how many of its lines were taken.
fn stories(text: &[u8]) -> (Vec<ClientStory>, usize) {
    let mut builder = StoryBuilder::new(&source("app"));
    let mut taken = 0;
    for (index, body) in text.split(|b| *b == b'\n').enumerate() {
        if body.is_empty() {
            continue;
        }
        taken += usize::from(builder.line(&LogLine {
            source: SourceId(0),
            number: index as u64 + 1,
            outer: None,
            stream: None,
            body,
        }));
    }
    (builder.finish(), taken)
}

/// A story's connections in one line: outcome and attempts of each, `*` meant by the application, `?` the log begins
/// later, `!` an attempt that a server refused.
fn told(story: &ClientStory) -> String {
    let words: Vec<String> = story
        .conns
        .iter()
        .map(|conn| {
            format!(
                "{:?} {}{}{}{}",
                conn.outcome,
                conn.attempts,
                if conn.intended { "*" } else { "" },
                if conn.opened.is_none() { "?" } else { "" },
                if conn.attempt { "!" } else { "" },
            )
        })
        .collect();
    format!("{:?}: {}", story.library, words.join(", "))
}

fn only(text: &str) -> ClientStory {
    let (mut stories, _) = stories(text.as_bytes());
    assert_eq!(stories.len(), 1, "{text}");
    stories.remove(0)
}

macro_rules! recorded {
    ($($file:literal: $want:literal,)*) => {
        &[$(($file, include_bytes!(concat!("../../../fixtures/client-logs/", $file, ".log")).as_slice(), $want)),*]
    };
}

/// Logs of real clients, and what became of each connection.
const RECORDED: &[(&str, &[u8], &str)] = recorded! {
    "async-nats-reset-reconnected": "RustAsync: Reconnected 0, Exited 0*",
    "c-3.4.1-gave-up": "C: GaveUp 0?",
    "c-3.4.1-restart": "C: Reconnected 0?, Exited 0*",
    "c-gave-up": "C: GaveUp 0",
    "go-1.22.1-gave-up": "Go: GaveUp 0?",
    "go-1.22.1-restart": "Go: Reconnected 0?, Exited 0*",
    "go-normal": "Go: Exited 0*",
    "go-stale-reconnected": "Go: Reconnected 0, Silent 0",
    "nats-js-gave-up": "JsV2: GaveUp 4",
    "nats-py-0.11.5-restart": "Python: Reconnected 5?, Exited 0",
    "nats-py-2.0.0-lost": "Python: GaveUp 5?",
    "nats-py-2.16.0-default-gave-up": "Python: GaveUp 2?",
    "nats-py-2.16.0-restart": "Python: Reconnected 5?, Exited 0",
    "nats-py-2.2.0-restart": "Python: Reconnected 5?, Exited 0",
    "npm-nats-1.4.12-gave-up": "JsV1: GaveUp 3",
    "npm-nats-1.4.12-restart": "JsV1: Reconnected 6, Silent 0",
    "npm-nats-2.29.3-debug-gave-up": "JsV2: GaveUp 3",
    "npm-nats-2.29.3-gave-up": "JsV2: GaveUp 3",
    "npm-nats-2.29.3-restart": "JsV2: Reconnected 5, Exited 0*",
    "npm-nats-2.6.1-gave-up": "JsV2: GaveUp 3",
    "npm-nats-2.6.1-restart": "JsV2: Reconnected 5, Exited 0*",
    "python-auth-denied": "Python: GaveUp 0?!, GaveUp 0?!, GaveUp 0?!",
    "python-crashed-while-down": "Python: Exited 1",
    "python-gave-up": "Python: GaveUp 4",
    "python-killed": "Python: Silent 0",
    "python-left-while-down": "Python: Exited 18",
    "transport-node-3.4.0-restart": "JsV3: Reconnected 5, Exited 0*",
    "transport-node-stale-reconnected": "JsV3: Reconnected 5, Silent 0",
};

#[test]
fn recorded_logs_end_as_they_did() {
    for (file, text, want) in RECORDED {
        let (stories, taken) = stories(text);
        let lines = text
            .split(|b| *b == b'\n')
            .filter(|line| !line.is_empty())
            .count();
        assert_eq!(stories.len(), 1, "{file}");
        assert_eq!(told(&stories[0]), *want, "{file}");
        assert!(stories[0].proven, "{file}");
        assert_eq!(taken, lines, "{file}: every line is the client's");
    }
}

#[test]
fn recorded_logs_may_be_cut_anywhere() {
    for (file, text, _) in RECORDED {
        for end in (0..text.len()).step_by(1 + text.len() / 40) {
            let (stories, _) = stories(&text[..end]);
            for story in &stories {
                for conn in &story.conns {
                    let known = |event: &Option<usize>| {
                        event.is_none_or(|event| event < story.events.len())
                    };
                    assert!(
                        known(&conn.opened) && known(&conn.closed) && known(&conn.back),
                        "{file} {end}"
                    );
                }
            }
        }
    }
}

/// Frameworks and words as applications combine them.
const COMBINED: &[(&str, &[&str])] = &[
    // Zap, the application's own words.
    (
        "Go: Reconnected 0?, Exited 0*",
        &[
            "{\"level\":\"warn\",\"ts\":1795410720.123,\"caller\":\"bus/bus.go:88\",\"msg\":\"NATS disconnected\",\"error\":\"read tcp 10.0.0.7:41234->10.0.0.1:4222: read: connection reset by peer\"}",
            "{\"level\":\"info\",\"ts\":1795410722.123,\"caller\":\"bus/bus.go:95\",\"msg\":\"NATS reconnected\",\"url\":\"nats://u:p@10.0.0.1:4222\"}",
            "{\"level\":\"error\",\"ts\":1795410723.5,\"caller\":\"orders/pub.go:33\",\"msg\":\"failed to publish order\",\"error\":\"nats: timeout\"}",
            "{\"level\":\"info\",\"ts\":1795410729.5,\"caller\":\"main.go:33\",\"msg\":\"received signal, shutting down\",\"signal\":\"terminated\"}",
            "{\"level\":\"info\",\"ts\":1795410729.6,\"caller\":\"bus/bus.go:99\",\"msg\":\"NATS connection closed\"}",
        ],
    ),
    // Slog.
    (
        "Unknown: Reconnected 0?, GaveUp 0",
        &[
            "time=2026-11-23T05:12:00.000Z level=ERROR msg=\"nats: disconnected\" err=EOF",
            "time=2026-11-23T05:12:02.000Z level=INFO msg=\"nats: reconnected\" url=nats://10.0.0.1:4222",
            "time=2026-11-23T05:12:12.000Z level=WARN msg=\"NATS error\" err=\"nats: slow consumer, messages dropped\" subject=orders.*",
            "time=2026-11-23T05:13:12.000Z level=ERROR msg=\"NATS disconnected\" error=\"nats: stale connection\"",
            "time=2026-11-23T05:15:12.000Z level=ERROR msg=\"NATS connection closed\" error=\"nats: no servers available for connection\"",
        ],
    ),
    // Logback, jnats.
    (
        "Java: Reconnected 1, Exited 0*",
        &[
            "05:12:00.100 [nats:3] INFO  c.acme.Bus - Connection event - nats: connection opened",
            "05:13:00.100 [nats:5] ERROR i.n.c.impl.ErrorListenerLoggerImpl - exceptionOccurred, Connection: 14, Exception: java.io.IOException: Read channel closed.",
            "05:13:00.105 [nats:3] INFO  c.acme.Bus - Connection event - nats: connection disconnected",
            "05:13:00.110 [nats:5] ERROR i.n.c.impl.ErrorListenerLoggerImpl - exceptionOccurred, Connection: 14, Exception: java.net.ConnectException: Connection refused",
            "java.net.ConnectException: Connection refused",
            "\tat java.base/sun.nio.ch.Net.pollConnect(Native Method)",
            "05:13:00.115 [nats:3] INFO  c.acme.Bus - Connection event - nats: connection disconnected",
            "05:13:02.115 [nats:3] INFO  c.acme.Bus - Connection event - nats: connection reconnected",
            "05:13:02.125 [nats:3] INFO  c.acme.Bus - Connection event - nats: subscriptions re-established",
            "05:14:02.125 [main] INFO  c.acme.Bus - Connection event - nats: connection closed",
        ],
    ),
    // Natscli.
    (
        "NatsCli: Reconnected 0?, Silent 0",
        &[
            "12:00:01 >>> Disconnected due to: EOF, will attempt reconnect",
            "12:00:03 >>> Reconnected to nats://demo:4222 (10.1.1.1:4222)",
        ],
    ),
    // Async-nats at DEBUG.
    (
        "RustAsync: StillDown 2",
        &[
            "2026-11-23T05:11:43.957829Z DEBUG async_nats::connector: attempting connection attempt=1 server=ServerAddr(Url { scheme: \"nats\", cannot_be_a_base: false, username: \"\", password: None, host: Some(Domain(\"10.0.0.1\")), port: Some(4222), path: \"\" }) delay_ms=0",
            "2026-11-23T05:11:43.958829Z DEBUG async_nats::connector: establishing connection socket_addr=10.0.0.1:4222 tls_required=false",
            "2026-11-23T05:11:43.959829Z DEBUG async_nats::connector: received server info server_id=NDROMOJBUXY6B3ZSJRCBPQXJRGBNXWLKCZT5TDVBJDZJMMH6N2H6ASQE version=2.10.25",
            "2026-11-23T05:11:43.967829Z  INFO async_nats::connector: connected successfully server=4222 max_payload=1048576",
            "2026-11-23T05:11:43.967929Z  INFO async_nats: event: connected",
            "2026-11-23T05:12:43.967929Z DEBUG async_nats: disconnecting due to too many pending pings pending_pings=3 max_pings=2",
            "2026-11-23T05:12:43.967939Z DEBUG async_nats: disconnected error=None",
            "2026-11-23T05:12:43.967959Z  INFO async_nats: event: disconnected",
            "2026-11-23T05:12:43.968959Z  INFO async_nats: event: client error: nats: IO error",
            "2026-11-23T05:12:44.968959Z  INFO async_nats: event: client error: nats: IO error",
        ],
    ),
];

#[test]
fn frameworks_and_applications_words_combine() {
    for (want, lines) in COMBINED {
        let story = only(&lines.join("\n"));
        assert_eq!(told(&story), *want, "{story:#?}");
        assert!(story.proven);
    }
}

#[test]
fn a_stale_verdict_of_async_nats_is_no_eof() {
    use crate::reconstruct::client::Trouble;
    let (_, lines) = COMBINED[4];
    let story = only(&lines.join("\n"));
    assert!(
        story
            .events
            .iter()
            .any(|event| event.kind == ClientEventKind::Disconnected(Trouble::Stale))
    );
    let opened = &story.events[story.conns[0].opened.expect("the log begins earlier")];
    assert_eq!(
        opened.server.as_deref(),
        Some("10.0.0.1:4222"),
        "from the handshake's lines"
    );
    assert!(opened.server_id.is_some());
}

#[test]
fn a_nil_reason_is_meant_only_if_the_closed_line_has_none() {
    let lost = "2026/11/23 05:00:00 Connected to nats://a:4222\n\
        2026/11/23 05:09:03 Disconnected due to: %!s(<nil>), will attempt reconnects for 10m\n";
    let meant = only(&format!(
        "{lost}2026/11/23 05:09:03 Connection closed. Reason: %!q(<nil>)"
    ));
    assert_eq!(told(&meant), "Go: Exited 0*");
    let fatal = only(&format!(
        "{lost}2026/11/23 05:09:03 Connection closed. Reason: \"nats: Maximum Payload Violation\""
    ));
    assert_eq!(told(&fatal), "Go: GaveUp 0");
    // An old asynchronous error in the closed line is no reason (trap 2).
    let old = only(
        "2026/11/23 05:00:00 Connected to nats://a:4222\n\
        nats: slow consumer, messages dropped on connection [7] for subscription on \"foo\"\n\
        2026/11/23 05:09:03 Disconnected due to: <nil>, will attempt reconnects for 10m\n\
        2026/11/23 05:09:03 Connection closed. Reason: \"nats: slow consumer, messages dropped\"",
    );
    assert_eq!(told(&old), "Go: Exited 0*");
}

#[test]
fn javascript_calls_a_refused_login_stale() {
    let story = only(
        "[2026-11-23T05:00:00.000Z] [a-1] connected to a:4222\n\
        [2026-11-23T05:00:05.000Z] [a-1] status: error AUTHORIZATION_VIOLATION\n\
        [2026-11-23T05:00:05.001Z] [a-1] status: staleConnection\n\
        [2026-11-23T05:00:05.001Z] [a-1] status: disconnect a:4222\n",
    );
    assert!(
        story
            .events
            .iter()
            .all(|event| event.kind != ClientEventKind::Stale),
        "{story:?}"
    );
    assert_eq!(story.conns[0].why.len(), 3);
}

#[test]
fn python_says_stale_for_an_eof_in_old_versions_only() {
    use crate::reconstruct::client::Trouble;
    let old = only(
        "There was an error: nats: stale connection\nGot disconnected!\nGot reconnected to a:4222\n",
    );
    assert_eq!(old.events[0].kind.trouble(), Some(Trouble::StaleOrEof));
    let new = only(
        "There was an error: nats: unexpected EOF\nGot disconnected!\nGot reconnected to a:4222\n\
        There was an error: nats: stale connection\nGot disconnected!\n",
    );
    assert_eq!(
        new.events[3].kind.trouble(),
        Some(Trouble::ServerError("Stale Connection".into()))
    );
}

#[test]
fn java_records_take_two_lines_and_repeat_disconnected() {
    let story = only(
        "Nov 23, 2026 5:13:25 AM io.nats.client.impl.ErrorListenerLoggerImpl exceptionOccurred\n\
        SEVERE: exceptionOccurred, Connection: 101, Exception: java.net.SocketException: Connection reset\n\
        Connection event - nats: connection disconnected\n\
        Nov 23, 2026 5:13:27 AM io.nats.client.impl.ErrorListenerLoggerImpl exceptionOccurred\n\
        SEVERE: exceptionOccurred, Connection: 101, Exception: java.net.ConnectException: Connection refused\n\
        Connection event - nats: connection disconnected\n\
        Connection event - nats: connection reconnected\n",
    );
    assert_eq!(story.library, Library::Java);
    assert_eq!(story.events[0].cid, Some(101));
    let stamp = story.events[0].at.stamp.expect("the first line's time");
    assert_eq!(stamp.ns, 1_795_410_805_000_000_000);
    assert_eq!(told(&story), "Java: Reconnected 1?, Silent 0");
}

#[test]
fn dotnet_console_records_take_two_lines() {
    let story = only(
        "info: NATS.Client.Core.NatsConnection[1001]\n\
        \x20     Connect succeed orders-1, NATS nats://u:p@a:4222\n\
        info: NATS.Client.Core.NatsConnection[1001]\n\
        \x20     Received server info: ServerInfo { Id = x, ClientId = 86, ClientIp = 172.20.0.1, LameDuckMode = False }\n\
        info: NATS.Client.Core.NatsConnection[1001]\n\
        \x20     Server didn't respond to our ping requests. Aborting connection\n\
        info: NATS.Client.Core.NatsConnection[1001]\n\
        \x20     Reconnecting to NATS nats://a:4222 [1]\n\
        warn: NATS.Client.Core.NatsConnection[1001]\n\
        \x20     Failed to connect NATS nats://a:4222 [1]\n\
        \x20     System.Net.Sockets.SocketException (111): Connection refused\n\
        info: NATS.Client.Core.NatsConnection[1001]\n\
        \x20     Connection succeeded orders-1, NATS nats://a:4222 [1]\n\
        info: NATS.Client.Core.NatsConnection[1001]\n\
        \x20     Disposing connection orders-1\n",
    );
    assert_eq!(told(&story), "DotNetV2: Reconnected 1, Exited 0*");
    assert_eq!(
        (&*story.name, story.conns[0].server.as_deref()),
        ("orders-1", Some("a:4222"))
    );
    assert!(
        story
            .events
            .iter()
            .all(|event| !event.at.text.contains("u:p@")),
        "credentials stay out"
    );
}

#[test]
fn clients_of_one_log_are_told_apart_by_their_tags() {
    let mut text = String::new();
    for second in 0..3 {
        for client in ["a-1", "b-2"] {
            let line = [
                "connected to h:4222",
                "status: disconnect h:4222",
                "status: reconnect h:4222",
            ][second];
            text += &format!("[2026-11-23T05:00:0{second}.000Z] [{client}] {line}\n");
        }
    }
    let (stories, _) = stories(text.as_bytes());
    let names: Vec<&str> = stories.iter().map(|story| &*story.name).collect();
    assert_eq!(names, ["a-1", "b-2"]);
    for story in &stories {
        assert_eq!(told(story), "JsV2: Reconnected 0, Silent 0");
    }
}

#[test]
fn a_log_without_a_word_of_nats_has_no_story() {
    let text = "2026-11-23 05:00:00,123 INFO http: GET /orders 200\n\
        2026-11-23 05:00:01,123 ERROR db: connection closed: timeout\n\
        2026-11-23 05:00:01,200 WARN db: Disconnected\n\
        2026-11-23 05:00:02,123 INFO db: Reconnected to 10.0.0.9:5432\n\
        Traceback (most recent call last):\n  File \"x.py\", line 1\nValueError: no\n\
        2026-11-23 05:00:03,123 INFO app: shutting down\n";
    let (stories, _) = stories(text.as_bytes());
    assert!(stories.is_empty(), "{stories:?}");
}

#[test]
fn other_systems_in_the_same_log_are_not_the_client() {
    let story = only(
        "2026-11-23 05:00:00,000 INFO bus: Connected to NATS at h:4222\n\
        2026-11-23 05:00:01,000 WARNING db: Disconnected\n\
        2026-11-23 05:00:01,500 INFO db: Reconnected to 10.0.0.9:5432\n\
        2026-11-23 05:00:02,000 ERROR sessions: connection closed: EOF\n\
        2026-11-23 05:00:03,000 ERROR app: redis connection lost: EOF\n\
        2026-11-23 05:00:04,000 WARNING bus: Disconnected!\n\
        2026-11-23 05:00:05,000 INFO bus: Reconnected to h:4222\n\
        [17] 2026/11/23 05:00:06.764686 [DBG] 127.0.0.1:5 - cid:5 - Client connection closed: Server Shutdown\n",
    );
    assert_eq!(story.events.len(), 3, "{story:?}");
    assert_eq!(told(&story), "Python: Reconnected 0, Silent 0");
}

#[test]
fn memory_does_not_grow_with_repeated_lines() {
    let mut builder = StoryBuilder::new(&source("app"));
    let lines: [&[u8]; 6] = [
        b"2026/11/23 05:00:00 Connected to nats://a:4222",
        b"2026/11/23 05:00:01 Disconnected due to: EOF, will attempt reconnects for 10m",
        b"2026/11/23 05:00:02 Error during publish: nats: outbound buffer limit exceeded",
        b"2026/11/23 05:00:02 Error during request: nats: timeout",
        b"2026/11/23 05:00:02 Reconnect error: dial tcp 10.0.0.1:4222: connect: connection refused",
        b"2026/11/23 05:00:02 Reconnect error: dial tcp 10.0.0.1:4222: i/o timeout",
    ];
    for number in 0..4_000_u64 {
        let index = if number < 2 {
            number as usize
        } else {
            2 + (number % 4) as usize
        };
        builder.line(&LogLine {
            source: SourceId(0),
            number: number + 1,
            outer: None,
            stream: None,
            body: lines[index],
        });
    }
    let stories = builder.finish();
    assert!(stories[0].events.len() < 64, "{}", stories[0].events.len());
    assert_eq!(stories[0].conns[0].attempts, 2_000);
    assert_eq!(stories[0].conns[0].outcome, ClientOutcome::StillDown);
    let failed: u64 = stories[0]
        .failures
        .iter()
        .map(|failure| failure.count)
        .sum();
    assert_eq!(failed, 1_998);
}
