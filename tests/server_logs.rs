//! Logs recorded from real servers, and the same lines in every wrapper: the same lives.

use std::io::Cursor;

use natsleuth::parse::server_log::close_reason::CloseReason;
use natsleuth::reconstruct::facts::located;
use natsleuth::reconstruct::log::{LogResult, merge, read, read_config, read_monitoring};
use natsleuth::reconstruct::server::{ConnKind, EndManner, NoteKind, ServerEventKind, ServerLife};
use natsleuth::source::{Hints, Kind, Source, SourceId};
use natsleuth::span::{Cite, Place};
use natsleuth::time::Basis;

fn source(id: u32, path: &str) -> Source {
    Source {
        id: SourceId(id),
        path: path.to_owned(),
        kind: Kind::Log,
        bytes: 0,
        hints: Hints {
            stem: "server".to_owned(),
            ..Hints::default()
        },
    }
}

fn log(bytes: impl Into<Vec<u8>>) -> LogResult {
    read(
        &source(0, "server.log"),
        Box::new(Cursor::new(bytes.into())),
        &|_| {},
    )
}

fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/fixtures/server-logs/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

const VERSIONS: &[&str] = &["2.9.10", "2.10.26", "2.11.11", "2.12.8", "2.14.5", "2.15.1"];

/// What a life says, without where it was read: the same whatever the wrapper.
fn told(life: &ServerLife) -> String {
    let mut out = vec![format!("{:?} {:?}", life.identity.id, life.end.manner)];
    for event in &life.events {
        out.push(format!("{:?} x{}", event.kind, event.count));
    }
    for conn in &life.conns {
        out.push(format!(
            "{:?} {} {:?} {:?} {:?} {} {} {} {}",
            conn.kind,
            conn.id,
            conn.peer,
            conn.name,
            conn.reason,
            conn.opened.is_some(),
            conn.closed.is_some(),
            conn.in_msgs,
            conn.out_msgs
        ));
        for note in &conn.notes {
            out.push(format!("  {:?} {:?}", note.kind, note.at.stamp));
        }
    }
    out.join("\n")
}

fn all_told(result: &LogResult) -> Vec<String> {
    result.servers.iter().map(told).collect()
}

#[test]
fn every_line_of_real_servers_is_known() {
    for version in VERSIONS {
        let result = log(fixture(&format!("{version}.log")));
        assert_eq!(result.facts.unknown, [], "{version}");
        assert_eq!(result.facts.foreign, [], "{version}");
        assert_eq!(result.rejects, [], "{version}");
        let life = &result.servers[0];
        assert_eq!(life.identity.version.as_deref(), Some(*version));
        assert_eq!(life.identity.name.as_deref(), Some("n1"));
        assert!(life.started.is_some() && life.ready.is_some() && life.debug);
        assert!(life.identity.listen.is_some());
        assert_eq!(life.identity.other_listeners[0].0, ConnKind::Route);
    }
}

#[test]
fn how_real_servers_ended() {
    for (version, manners) in [
        ("2.9.10", &[EndManner::Graceful][..]),
        ("2.10.26", &[EndManner::Graceful]),
        ("2.11.11", &[EndManner::Graceful]),
        ("2.12.8", &[EndManner::Killed, EndManner::Graceful]),
        ("2.14.5", &[EndManner::Graceful]),
        // SIGQUIT: the words are on stderr.
        ("2.15.1", &[EndManner::Unknown]),
    ] {
        let lives = log(fixture(&format!("{version}.log"))).servers;
        let ends: Vec<_> = lives.iter().map(|life| life.end.manner).collect();
        assert_eq!(ends, manners, "{version}");
    }
    let killed = &log(fixture("2.12.8.log")).servers[0];
    assert_eq!(killed.end.next, Some(1));
}

#[test]
fn reasons_that_real_servers_gave() {
    for version in VERSIONS {
        let lives = log(fixture(&format!("{version}.log"))).servers;
        let reasons: Vec<&CloseReason> = lives[0]
            .conns
            .iter()
            .filter_map(|conn| conn.reason.as_ref())
            .collect();
        for reason in [
            CloseReason::AuthenticationViolation,
            CloseReason::AuthenticationTimeout,
            CloseReason::MaxConnectionsExceeded,
            CloseReason::MaxPayloadExceeded,
            CloseReason::ReadError,
            CloseReason::ClientClosed,
        ] {
            assert!(reasons.contains(&&reason), "{version} {reason:?}");
        }
    }
}

#[test]
fn names_where_the_tag_has_none_or_a_mangled_one() {
    let traced = &log(fixture("2.14.5.log")).servers[0];
    let percent = traced
        .conns
        .iter()
        .find(|conn| conn.name.as_deref() == Some("50% off"))
        .expect("named by CONNECT");
    assert_eq!(percent.reason, Some(CloseReason::ClientClosed));
    let untraced = &log(fixture("2.12.8.log")).servers[0];
    let mangled = untraced
        .conns
        .iter()
        .any(|conn| conn.name.as_deref().is_some_and(|name| name.contains("%!")));
    assert!(!mangled);
}

#[test]
fn a_server_s_other_files_complete_it() {
    let parts = vec![
        read_config(
            &source(0, "b/server.conf"),
            Box::new(Cursor::new(fixture("2.14.5.conf"))),
        ),
        read(
            &source(1, "b/server.log"),
            Box::new(Cursor::new(fixture("2.14.5.log"))),
            &|_| {},
        ),
        read_monitoring(
            &source(2, "b/connz.json"),
            Box::new(Cursor::new(fixture("2.14.5.connz.json"))),
        ),
        read_monitoring(
            &source(3, "b/varz.json"),
            Box::new(Cursor::new(fixture("2.14.5.varz.json"))),
        ),
    ];
    let all = merge(parts);
    assert_eq!(all.servers.len(), 1);
    let life = &all.servers[0];
    assert_eq!(life.sources, [SourceId(1), SourceId(2), SourceId(3)]);
    // Reloaded after the file was written: the reload line holds.
    assert_eq!(life.limits.max_payload, Some(4096));
    assert_eq!(life.limits.ping_interval, Some(20_000_000_000));
    assert_eq!(life.limits.max_connections, Some(4));
    assert_eq!(life.limits.auth_timeout, Some(1_000_000_000));
    assert_eq!(life.limits.write_deadline, Some(10_000_000_000));
    assert_eq!(all.source_facts.len(), 4);
}

#[test]
fn a_crash_on_stderr_is_the_server_s_whose_log_stops() {
    let parts = vec![
        read(
            &source(0, "b/server.log"),
            Box::new(Cursor::new(fixture("2.15.1.log"))),
            &|_| {},
        ),
        read(
            &source(1, "b/server.stderr"),
            Box::new(Cursor::new(fixture("2.15.1.stderr"))),
            &|_| {},
        ),
    ];
    let all = merge(parts);
    assert_eq!(all.servers.len(), 1);
    assert_eq!(all.servers[0].end.manner, EndManner::Crash);
    assert_eq!(all.servers[0].sources, [SourceId(0), SourceId(1)]);
}

#[test]
fn rotated_files_are_one_life() {
    let whole = fixture("2.14.5.log");
    let lines: Vec<&[u8]> = whole.split_inclusive(|b| *b == b'\n').collect();
    let (first, second) = lines.split_at(60);
    let part = |id, path: &str, lines: &[&[u8]]| {
        read(
            &source(id, path),
            Box::new(Cursor::new(lines.concat())),
            &|_| {},
        )
    };
    let all = merge(vec![
        part(0, "b/server.log", second),
        part(1, "b/server.log.2026.11.23.07.54.04.167041000", first),
    ]);
    assert_eq!(all.servers.len(), 1);
    let single = log(whole);
    assert_eq!(all.servers[0].end.manner, EndManner::Graceful);
    assert_eq!(all.servers[0].conns.len(), single.servers[0].conns.len());
    let opened = all.servers[0]
        .conns
        .iter()
        .filter(|conn| conn.opened.is_some());
    assert_eq!(
        opened.count(),
        single.servers[0]
            .conns
            .iter()
            .filter(|conn| conn.opened.is_some())
            .count()
    );
}

/// The fixture's lines, each through `wrap(index, line)`.
fn wrapped(wrap: impl Fn(usize, &str) -> String) -> String {
    let text = String::from_utf8(fixture("2.14.5.log")).expect("UTF-8");
    let lines: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(index, line)| wrap(index, line))
        .collect();
    lines.join("\n") + "\n"
}

fn at(index: usize) -> String {
    format!("2026-11-23T07:54:{:02}.{:09}Z", index / 60, index * 1000)
}

fn json(text: &str) -> String {
    serde_json::to_string(text).expect("a string")
}

#[test]
fn the_same_lines_in_every_wrapper_are_the_same_lives() {
    let plain = log(fixture("2.14.5.log"));
    let wrappers: Vec<(&str, String)> = vec![
        (
            "docker",
            wrapped(|i, line| {
                format!(
                    r#"{{"log":{},"stream":"stderr","time":"{}"}}"#,
                    json(&format!("{line}\n")),
                    at(i)
                )
            }),
        ),
        (
            "cri",
            wrapped(|i, line| format!("{} stderr F {line}", at(i))),
        ),
        (
            "cri in parts",
            wrapped(|i, line| {
                let middle = (0..=line.len() / 2)
                    .rev()
                    .find(|at| line.is_char_boundary(*at))
                    .unwrap_or(0);
                format!(
                    "{0} stderr P {1}\n{0} stderr F {2}",
                    at(i),
                    &line[..middle],
                    &line[middle..]
                )
            }),
        ),
        (
            "kubectl --timestamps",
            wrapped(|i, line| format!("{} {line}", at(i))),
        ),
        (
            "kubectl --prefix",
            wrapped(|_, line| format!("[pod/nats-0/nats] {line}")),
        ),
        (
            "kubectl --prefix --timestamps",
            wrapped(|i, line| format!("[pod/nats-0/nats] {} {line}", at(i))),
        ),
        ("stern", wrapped(|_, line| format!("nats-0 nats {line}"))),
        ("compose", wrapped(|_, line| format!("nats-1  | {line}"))),
        (
            "compose in a CI system's log",
            wrapped(|i, line| format!("{} nats-1  | {line}", at(i))),
        ),
        (
            "cri and kubectl --timestamps",
            wrapped(|i, line| format!("{0} {0} stderr F {line}", at(i))),
        ),
        (
            "rfc 3164 and kubectl --timestamps",
            wrapped(|i, line| {
                format!(
                    "{} <30>Nov 23 07:54:{:02} h1 nats-server[12943]: {line}",
                    at(i),
                    i / 60
                )
            }),
        ),
        (
            "journald short",
            wrapped(|i, line| format!("Nov 23 07:54:{:02} h1 nats-server[12943]: {line}", i / 60)),
        ),
        (
            "journald short-iso",
            wrapped(|i, line| {
                format!(
                    "2026-11-23T07:54:{:02}+0000 h1 nats-server[12943]: {line}",
                    i / 60
                )
            }),
        ),
        (
            "journald json",
            wrapped(|i, line| {
                format!(
                    r#"{{"__REALTIME_TIMESTAMP":"{}","_HOSTNAME":"h1","SYSLOG_IDENTIFIER":"nats-server","_PID":"12943","MESSAGE":{}}}"#,
                    1_795_420_443_000_000 + i,
                    json(line)
                )
            }),
        ),
        (
            "journald json, bytes",
            wrapped(|i, line| {
                format!(
                    r#"{{"__REALTIME_TIMESTAMP":"{}","MESSAGE":{:?}}}"#,
                    1_795_420_443_000_000 + i,
                    line.as_bytes()
                )
            }),
        ),
        (
            "journald export",
            wrapped(|i, line| {
                format!(
                    "__CURSOR=s={i}\n__REALTIME_TIMESTAMP={}\n_HOSTNAME=h1\nMESSAGE={line}\n_PID=12943\n",
                    1_795_420_443_000_000 + i
                )
            }),
        ),
        (
            "rfc 5424",
            wrapped(|i, line| {
                format!(
                    "<30>1 {} h1 nats-server 12943 - [x@1 a=\"]\"] {line}",
                    at(i)
                )
            }),
        ),
        (
            "tail",
            format!("==> nats.log <==\n{}", wrapped(|_, line| line.to_owned())),
        ),
        (
            "loki jsonl",
            wrapped(|i, line| {
                format!(
                    r#"{{"labels":{{"pod":"nats-0"}},"line":{},"timestamp":"{}"}}"#,
                    json(line),
                    at(i)
                )
            }),
        ),
        (
            "elastic",
            wrapped(|i, line| {
                format!(
                    r#"{{"_index":"x","_source":{{"@timestamp":"{}","message":{},"kubernetes":{{"pod":{{"name":"nats-0"}}}}}}}}"#,
                    at(i),
                    json(line)
                )
            }),
        ),
        (
            "vector",
            wrapped(|i, line| {
                format!(
                    r#"{{"host":"h1","message":{},"timestamp":"{}"}}"#,
                    json(line),
                    at(i)
                )
            }),
        ),
        (
            "fluent-bit around cri",
            wrapped(|i, line| {
                format!(
                    r#"{{"date":1795420443.1,"log":{}}}"#,
                    json(&format!("{} stderr F {line}", at(i)))
                )
            }),
        ),
        (
            "colours",
            wrapped(|_, line| {
                line.replacen("[TRC]", "[\u{1b}[33mTRC\u{1b}[0m]", 1)
                    .replacen("[INF]", "[\u{1b}[32mINF\u{1b}[0m]", 1)
            }),
        ),
        ("crlf", wrapped(|_, line| format!("{line}\r"))),
    ];
    for (name, text) in wrappers {
        let result = log(text);
        assert_eq!(all_told(&result), all_told(&plain), "{name}");
        assert_eq!(result.rejects, [], "{name}");
        let outer = result.servers[0].started.as_ref().and_then(|at| at.outer);
        let has_clock = !matches!(
            name,
            "kubectl --prefix" | "stern" | "compose" | "tail" | "colours" | "crlf"
        );
        assert_eq!(outer.is_some(), has_clock, "{name}");
        if name == "journald short" {
            assert_eq!(outer.map(|stamp| stamp.basis), Some(Basis::YearLess));
        }
    }
}

#[test]
fn wrappers_that_change_half_way() {
    let plain = log(fixture("2.14.5.log"));
    let mixed = wrapped(|i, line| match i % 4 {
        0 => line.to_owned(),
        1 => format!("{} stdout F {line}", at(i)),
        2 => format!(
            r#"{{"log":{},"stream":"stderr","time":"{}"}}"#,
            json(&format!("{line}\n")),
            at(i)
        ),
        _ => format!("{} {line}", at(i)),
    });
    assert_eq!(all_told(&log(mixed)), all_told(&plain));
}

#[test]
fn documents_of_log_stores() {
    let plain = log(fixture("2.14.5.log"));
    let text = String::from_utf8(fixture("2.14.5.log")).expect("UTF-8");
    let rows: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(i, line)| {
            format!(
                r#"["{}",{}]"#,
                1_795_420_443_000_000_000_u64 + i as u64,
                json(line)
            )
        })
        .collect();
    let loki = format!(
        r#"{{"status":"success","data":{{"resultType":"streams","result":[{{"stream":{{"pod":"nats-0"}},"values":[{}]}}]}}}}"#,
        rows.join(",")
    );
    let result = read_monitoring(&source(0, "loki.json"), Box::new(Cursor::new(loki)));
    assert_eq!(all_told(&result), all_told(&plain));
}

#[test]
fn the_newest_line_first_is_the_same_life() {
    let plain = log(fixture("2.14.5.log"));
    let newest_first = |wrap: &dyn Fn(usize, &str) -> String| {
        let text = wrapped(wrap);
        text.lines().rev().collect::<Vec<_>>().join("\n")
    };
    for text in [
        newest_first(&|_, line| line.to_owned()),
        newest_first(&|i, line| format!("{} {line}", at(i))),
        newest_first(&|i, line| {
            format!(
                r#"{{"labels":{{"pod":"nats-0"}},"line":{},"timestamp":"{}"}}"#,
                json(line),
                at(i)
            )
        }),
    ] {
        let result = log(text);
        assert_eq!(all_told(&result), all_told(&plain));
        assert_eq!(result.rejects, []);
        // Places are those of the file as it is.
        let cite = result.servers[0].started.as_ref().map(|at| at.cite);
        let facts = std::slice::from_ref(&result.facts);
        let last = Cite::line(SourceId(0), plain.facts.records);
        assert_eq!(cite.map(|cite| located(&[], facts, cite)), Some(last));
    }
    // An answer of a store's search, newest first.
    let hits: Vec<String> = newest_first(&|i, line| {
        format!(
            r#"{{"_source":{{"@timestamp":"{}","message":{}}}}}"#,
            at(i),
            json(line)
        )
    })
    .lines()
    .map(str::to_owned)
    .collect();
    let answer = format!(r#"{{"hits":{{"hits":[{}]}}}}"#, hits.join(","));
    let result = read_monitoring(&source(0, "hits.json"), Box::new(Cursor::new(answer)));
    assert_eq!(all_told(&result), all_told(&plain));
}

/// nats-server as a Windows service logs to the event log; Event Viewer saves that newest first, as text or CSV, with
/// dates in the order of the machine's language.
#[test]
fn events_that_event_viewer_saved() {
    type Wrap<'a> = &'a dyn Fn(usize, &str) -> String;

    let level = |line: &str| match line.split(' ').nth(3) {
        Some("[INF]") => ("Information", 1, "NOTICE"),
        Some("[WRN]") => ("Information", 1, "WARN"),
        Some("[ERR]") => ("Error", 2, "ERROR"),
        Some("[DBG]") => ("Information", 3, "DEBUG"),
        _ => ("Information", 4, "TRACE"),
    };
    let event = |line: &str| {
        let text = line.splitn(5, ' ').nth(4).unwrap_or_default();
        format!("pid[12943][{}]: {text}", level(line).2)
    };
    let own = log(wrapped(|_, line| event(line)));
    assert_eq!(own.servers[0].end.manner, EndManner::Graceful);
    assert!(
        own.servers[0]
            .conns
            .iter()
            .any(|conn| conn.reason.is_some())
    );
    let unnamed = |text: &str| {
        format!(
            "\"The description for Event ID 1 from source NATS-Server cannot be found. Either the component that \
             raises this event is not installed on your local computer or the installation is corrupted.\n\n\
             The following information was included with the event: \n\n{text}\n\n\
             The message resource is present but the message was not found in the message table\n\""
        )
    };
    let row = |separator: &str, date: &str, line: &str, text: String| {
        let (level, id, _) = level(line);
        [level, date, "NATS-Server", &id.to_string(), "None", &text].join(separator)
    };
    let wraps: [(&str, Wrap<'_>); 4] = [
        ("text, United States", &|i, line| {
            let date = format!("11/12/2026 7:{:02}:{:02} AM", 54 + i / 60, i % 60);
            row("\t", &date, line, event(line))
        }),
        ("CSV, Germany", &|i, line| {
            let date = format!("12.11.2026 07:{:02}:{:02}", 54 + i / 60, i % 60);
            row(
                ",",
                &date,
                line,
                format!("\"{}\"", event(line).replace('"', "\"\"")),
            )
        }),
        ("text, Sweden", &|i, line| {
            let date = format!("2026-11-12 07:{:02}:{:02}", 54 + i / 60, i % 60);
            row("\t", &date, line, event(line))
        }),
        ("text without the message file", &|i, line| {
            let date = format!("11/12/2026 7:{:02}:{:02} AM", 54 + i / 60, i % 60);
            row("\t", &date, line, unnamed(&event(line)))
        }),
    ];
    for (name, wrap) in wraps {
        let text = String::from_utf8(fixture("2.14.5.log")).expect("UTF-8");
        let mut rows: Vec<String> = text
            .lines()
            .enumerate()
            .map(|(index, line)| wrap(index, line))
            .collect();
        rows.reverse();
        let result = log(
            "Level\tDate and Time\tSource\tEvent ID\tTask Category\n".to_owned() + &rows.join("\n"),
        );
        assert_eq!(all_told(&result), all_told(&own), "{name}");
        assert_eq!(result.rejects, [], "{name}");
        let began = result.servers[0].started.as_ref().and_then(|at| at.outer);
        let began = began.expect("a time");
        assert_eq!(began.basis, Basis::Civil, "{name}");
        // 2026-11-12 07:54:00.
        assert_eq!(began.ns / 1_000_000_000, 1_794_470_040, "{name}");
    }
}

#[test]
fn nats_server_s_own_syslog_has_no_labels() {
    let lines = "\
<5>2026-11-23T05:12:00Z h1 nats-server[77]: Starting nats-server
<5>2026-11-23T05:12:00Z h1 nats-server[77]:   Version:  2.10.26
<7>2026-11-23T05:12:01Z h1 nats-server[77]: 10.0.0.1:5 - cid:5 - Client connection created
<3>2026-11-23T05:12:02Z h1 nats-server[77]: 10.0.0.1:5 - cid:5 - maximum payload exceeded: 9 vs 8
<7>2026-11-23T05:12:02Z h1 nats-server[77]: 10.0.0.1:5 - cid:5 - Client connection closed: Maximum Message Payload Exceeded
<5>2026-11-23T05:12:03Z h1 nats-server[77]: Initiating Shutdown...
<5>2026-11-23T05:12:03Z h1 nats-server[77]: Server Exiting..
";
    let result = log(lines);
    let life = &result.servers[0];
    assert_eq!(life.identity.pid, Some(77));
    assert!(life.debug);
    assert_eq!(life.end.manner, EndManner::Graceful);
    assert_eq!(life.conns[0].reason, Some(CloseReason::MaxPayloadExceeded));
}

#[test]
fn two_servers_in_one_stream_are_two_lives() {
    let a = String::from_utf8(fixture("2.14.5.log")).expect("UTF-8");
    let b = String::from_utf8(fixture("2.11.11.log")).expect("UTF-8");
    let mut mixed = Vec::new();
    let mut rest = b.lines();
    for line in a.lines() {
        mixed.push(line);
        mixed.extend(rest.next());
    }
    let mixed = mixed.join("\n");
    let result = log(mixed);
    assert_eq!(result.servers.len(), 2);
    assert_eq!(told(&result.servers[0]), told(&log(a).servers[0]));
    assert_eq!(result.servers[0].end.next, None);
}

#[test]
fn closes_without_debug_lines() {
    let whole = String::from_utf8(fixture("2.12.8.log")).expect("UTF-8");
    let lines: Vec<&str> = whole
        .lines()
        .filter(|line| !line.contains("[DBG]"))
        .collect();
    let text = lines.join("\n");
    let life = &log(text).servers[0];
    assert!(!life.debug);
    let payload = life
        .conns
        .iter()
        .find(|conn| conn.reason == Some(CloseReason::MaxPayloadExceeded))
        .expect("the ERR line implies it");
    assert!(payload.closed.is_some() && payload.opened.is_none());
    assert_eq!(payload.name.as_deref(), Some("big"));
    let refused = life
        .events
        .iter()
        .find(|event| matches!(event.kind, ServerEventKind::Refused(_)))
        .expect("maximum connections exceeded");
    assert!(refused.rate_limited);
}

#[test]
fn an_oom_kill_in_the_kernel_log_ends_the_right_life() {
    let killed = fixture("2.12.8.log");
    let kernel = "Nov 23 07:54:02 h1 kernel: [ 2858.371800] Memory cgroup out of memory: Killed process 12779 (nats-server) total-vm:1kB, anon-rss:1kB\n";
    let parts = vec![
        read(
            &source(0, "b/kern.log"),
            Box::new(Cursor::new(kernel)),
            &|_| {},
        ),
        read(
            &source(1, "b/server.log"),
            Box::new(Cursor::new(killed)),
            &|_| {},
        ),
    ];
    let all = merge(parts);
    let ends: Vec<_> = all.servers.iter().map(|life| life.end.manner).collect();
    assert_eq!(ends, [EndManner::OomKill, EndManner::Graceful]);
    assert_eq!(all.host_events.len(), 0);
    let at = all.servers[0].end.at.as_ref().expect("the kernel's line");
    assert_eq!(at.cite.source, SourceId(0));
    // The year comes from the dated log; a time since boot is dropped.
    assert_eq!(at.stamp, None);
    assert_eq!(at.outer.map(|stamp| stamp.basis), Some(Basis::Civil));
}

#[test]
fn broken_lines_cost_themselves_only() {
    let plain = log(fixture("2.14.5.log"));
    let mut bytes = Vec::new();
    for (index, line) in fixture("2.14.5.log").split(|b| *b == b'\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        if index % 10 == 3 {
            bytes.extend_from_slice(&line[..line.len() / 3]);
            bytes.push(b'\n');
        }
        if index == 20 {
            bytes.extend_from_slice(&[0; 5000]);
        }
        if index == 30 {
            bytes.extend(std::iter::repeat_n(b'x', 3_000_000));
            bytes.push(b'\n');
        }
        if index == 40 {
            bytes.extend_from_slice(b"\xff\xfe garbage \x01\x02\n{\"log\": \n<999>x\n\x1b[\n");
        }
        bytes.extend_from_slice(line);
        bytes.push(b'\n');
    }
    let result = log(bytes);
    assert_eq!(result.servers.len(), 1);
    let reasons = |result: &LogResult| -> Vec<(u64, Option<CloseReason>)> {
        result.servers[0]
            .conns
            .iter()
            .map(|conn| (conn.id, conn.reason.clone()))
            .collect()
    };
    assert_eq!(reasons(&result), reasons(&plain));
    let places: Vec<_> = result.rejects.iter().map(|reject| reject.place).collect();
    // The long line, the NUL run, and the bytes that are no UTF-8.
    assert_eq!(places.len(), 3, "{:?}", result.rejects);
    assert!(
        places
            .iter()
            .all(|place| matches!(place, Some(Place::Line(line)) if *line > 20))
    );
}

#[test]
fn a_file_cut_at_any_byte_keeps_what_came_before() {
    let whole = fixture("2.12.8.log");
    let full = log(whole.clone());
    for cut in (0..whole.len()).step_by(331) {
        let result = log(&whole[..cut]);
        assert!(result.servers.len() <= full.servers.len(), "{cut}");
        assert_eq!(
            result.facts.records as usize,
            whole[..cut].split_inclusive(|b| *b == b'\n').count(),
            "{cut}"
        );
        for life in &result.servers {
            assert!(life.conns.iter().all(|conn| conn.opened.is_some()), "{cut}");
        }
    }
}

#[test]
fn notes_stay_bounded_and_keep_what_ends_the_connection() {
    let line = |time: &str, text: &str| {
        format!("[1] 2026/11/23 {time}.000000 [DBG] 10.0.0.1:5 - cid:5 - {text}")
    };
    let mut lines = vec![line("05:12:00", "Client connection created")];
    lines.extend((0..3000).map(|n| {
        let time = format!("05:{:02}:{:02}", n / 60, n % 60);
        line(&time, "Client Ping Timer")
    }));
    lines.push(line("06:12:00", "Stale Client Connection - Closing"));
    let text = lines.join("\n");
    let conn = &log(text).servers[0].conns[0];
    assert!(conn.notes.len() <= 16);
    assert_eq!(conn.notes[0].kind, NoteKind::Created);
    assert_eq!(
        conn.notes.last().map(|note| &note.kind),
        Some(&NoteKind::Stale)
    );
    assert_eq!(conn.reason, Some(CloseReason::StaleConnection));
}

/// What the text report says of a server log alone, read with the lines that `keep` wants.
fn report(log: &str, keep: fn(&str) -> bool) -> String {
    let path = format!("{}/fixtures/incidents/{log}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect("the fixture is there");
    let kept: Vec<&str> = text.lines().filter(|line| keep(line)).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("server.log");
    std::fs::write(&file, kept.join("\n") + "\n").expect("written");
    let options = natsleuth::analyze::Options::default();
    let analysis = natsleuth::analyze::analyze(&[file], &options, &natsleuth::progress::Silent)
        .expect("an analysis")
        .1;
    let mut out = Vec::new();
    let wide = natsleuth::report::RenderOptions {
        width: 1000,
        ..natsleuth::report::RenderOptions::default()
    };
    natsleuth::report::render(&analysis, natsleuth::report::Format::Text, &wide, &mut out)
        .expect("memory takes it");
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn a_log_that_names_no_connection_tells_of_its_servers_end() {
    let default_level = |line: &str| !line.contains("[DBG]") && !line.contains("[TRC]");
    for (log, says, cites) in [
        (
            "server-killed/server.log",
            "was killed or vanished without a word, and was started again at most 8.9 s later. No",
            "no word of an end, then a new process",
        ),
        (
            "server-stopped/server.log",
            "was stopped, and was started again",
            "Trapped \"terminated\" signal",
        ),
        (
            "lame-duck/server.log",
            "was stopped in lame duck mode. No connection that closed with it is named",
            "Entering lame duck mode",
        ),
    ] {
        let report = report(log, default_level);
        let first = report.lines().next().unwrap_or_default();
        assert!(first.contains(says), "{log}: {first}");
        assert!(report.contains(cites), "{log}: {report}");
        assert!(report.contains("debug: true (-D)"), "{log}: {report}");
    }
}

#[test]
fn a_log_that_names_its_connections_tells_of_the_end_once() {
    let report = report("server-stopped/server.log", |_| true);
    assert!(report.contains("server-shutdown/graceful"), "{report}");
    assert!(!report.contains("SERVERS THAT ENDED"), "{report}");
}

#[test]
fn failed_accepts_are_told_where_no_client_is_named() {
    let report = report("fd-exhaustion/server.log", |line| !line.contains("[DBG]"));
    let first = report.lines().next().unwrap_or_default();
    assert!(
        first.starts_with(
            "Connections could not be accepted: no file descriptors left (by 24 lines"
        ),
        "{first}"
    );
    assert!(report.contains("SIGNS OF TROUBLE"), "{report}");
}

/// `nats audit gather` in its two layouts beside a log whose tags hold no client names (2.9.15 to 2.11.17).
#[test]
fn an_audit_archive_names_the_connections_of_a_log() {
    for archive in ["2.10.26.audit-flat.zip", "2.10.26.audit-paged.zip"] {
        let paths = ["2.10.26.audit.log", archive].map(|name| {
            format!("{}/fixtures/server-logs/{name}", env!("CARGO_MANIFEST_DIR")).into()
        });
        let options = natsleuth::analyze::Options::default();
        let analysis = natsleuth::analyze::analyze(&paths, &options, &natsleuth::progress::Silent)
            .expect("an analysis")
            .1;
        assert_eq!(
            analysis.rejects.len(),
            0,
            "{archive}: {:?}",
            analysis.rejects
        );
        let servers = &analysis.records.servers;
        assert_eq!(servers.len(), 1, "{archive}: all of it is of one process");
        let names: Vec<_> = servers[0]
            .conns
            .iter()
            .filter_map(|conn| conn.name.as_deref())
            .collect();
        let clients = ["gatherer", "orders-0", "orders-1", "orders-2"];
        assert!(
            clients.iter().all(|name| names.contains(name)),
            "{archive}: {names:?}"
        );
        let limit = servers[0].limits.max_connections.as_ref();
        assert!(limit.is_some(), "{archive}: /varz tells the limits");
        // Both tell when a connection began: their clocks meet there.
        let pages = analysis
            .sources
            .iter()
            .filter(|source| source.path.contains("/connections"));
        for page in pages {
            let clock = analysis
                .clocks
                .iter()
                .find(|clock| clock.source == page.id && !clock.outer);
            assert!(clock.is_some_and(|clock| clock.aligned), "{}", page.path);
        }
    }
}
