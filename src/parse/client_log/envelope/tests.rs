//! Heads of every framework, as its default layout prints them.

use super::*;
use crate::time::Basis;

/// 2026-11-23 05:12:00 UTC.
const T: i64 = 1_795_410_720;

struct Head {
    line: &'static str,
    /// Seconds and basis of the time.
    time: Option<(i64, Basis)>,
    logger: Option<&'static str>,
    tag: Option<&'static str>,
    message: &'static str,
}

const fn head(
    line: &'static str,
    time: Option<(i64, Basis)>,
    logger: Option<&'static str>,
    tag: Option<&'static str>,
    message: &'static str,
) -> Head {
    Head {
        line,
        time,
        logger,
        tag,
        message,
    }
}

const CIVIL: Option<(i64, Basis)> = Some((T, Basis::Civil));
const UTC: Option<(i64, Basis)> = Some((T, Basis::Utc));
const DAY_TIME: Option<(i64, Basis)> = Some((5 * 3_600 + 12 * 60, Basis::TimeOfDay));

const HEADS: &[Head] = &[
    // Go: log, slog, logrus, zap, zerolog.
    head(
        "2026/11/23 05:12:00 Reconnected [nats://a:4222]",
        CIVIL,
        None,
        None,
        "Reconnected [nats://a:4222]",
    ),
    head(
        "2026/11/23 05:12:00.000001 main.go:42: client closed",
        CIVIL,
        Some("main.go:42"),
        None,
        "client closed",
    ),
    head(
        "time=2026-11-23T05:12:00.000Z level=WARN msg=disconnected err=\"read tcp 1.2.3.4:5->6.7.8.9:4222: EOF\" name=a-1",
        UTC,
        None,
        Some("a-1"),
        "disconnected: read tcp 1.2.3.4:5->6.7.8.9:4222: EOF",
    ),
    head(
        "{\"time\":\"2026-11-23T05:12:00Z\",\"level\":\"INFO\",\"msg\":\"client closed\"}",
        UTC,
        None,
        None,
        "client closed",
    ),
    head(
        "time=\"2026-11-23T05:12:00Z\" level=info msg=\"Got \\\"x\\\"\"",
        UTC,
        None,
        None,
        "Got \"x\"",
    ),
    head(
        "2026-11-23T05:12:00.000Z\tINFO\tnats\tconn/conn.go:7\tdisconnected",
        UTC,
        Some("nats"),
        None,
        "conn/conn.go:7\tdisconnected",
    ),
    head(
        "{\"level\":\"error\",\"ts\":1795410720.0,\"caller\":\"a.go:1\",\"msg\":\"nats disconnected\",\"error\":\"EOF\"}",
        UTC,
        Some("a.go:1"),
        None,
        "nats disconnected: EOF",
    ),
    head(
        "{\"level\":\"info\",\"time\":1795410720,\"message\":\"reconnected\"}",
        UTC,
        None,
        None,
        "reconnected",
    ),
    head(
        "2026-11-23T05:12:00Z INF reconnected url=nats://a:4222",
        UTC,
        None,
        None,
        "reconnected url=nats://a:4222",
    ),
    // Python: logging and structlog.
    head(
        "2026-11-23 05:12:00,000 INFO a-1: Connected to NATS at a:4222",
        CIVIL,
        Some("a-1"),
        None,
        "Connected to NATS at a:4222",
    ),
    head(
        "2026-11-23 05:12:00,000 - a.b - ERROR - Got disconnected!",
        CIVIL,
        Some("a.b"),
        None,
        "Got disconnected!",
    ),
    head(
        "ERROR:nats.aio.client:nats: encountered error",
        None,
        Some("nats.aio.client"),
        None,
        "nats: encountered error",
    ),
    head(
        "WARNING:root:Got disconnected!",
        None,
        Some("root"),
        None,
        "Got disconnected!",
    ),
    head(
        "2026-11-23 05:12:00 [warning  ] Got disconnected!",
        CIVIL,
        None,
        None,
        "Got disconnected!",
    ),
    head(
        "{\"event\": \"Got disconnected!\", \"level\": \"warning\", \"timestamp\": \"2026-11-23T05:12:00Z\"}",
        UTC,
        None,
        None,
        "Got disconnected!",
    ),
    // Rust: tracing full, with colours, compact, json; env_logger.
    head(
        "2026-11-23T05:12:00.000000Z  INFO async_nats: event: connected",
        UTC,
        Some("async_nats"),
        None,
        "event: connected",
    ),
    head(
        "\x1b[2m2026-11-23T05:12:00.000000Z\x1b[0m \x1b[32m INFO\x1b[0m \x1b[2masync_nats\x1b[0m\x1b[2m:\x1b[0m event: connected",
        UTC,
        Some("async_nats"),
        None,
        "event: connected",
    ),
    head(
        "{\"timestamp\":\"2026-11-23T05:12:00.000000Z\",\"level\":\"INFO\",\"fields\":{\"message\":\"event: disconnected\"},\"target\":\"async_nats\"}",
        UTC,
        Some("async_nats"),
        None,
        "event: disconnected",
    ),
    head(
        "[2026-11-23T05:12:00Z INFO  async_nats] event: connected",
        UTC,
        Some("async_nats"),
        None,
        "event: connected",
    ),
    // Node: console, pino, winston, bunyan.
    head(
        "[2026-11-23T05:12:00.000Z] [a-1] status: disconnect a:4222",
        UTC,
        None,
        Some("a-1"),
        "status: disconnect a:4222",
    ),
    head(
        "{\"level\":30,\"time\":1795410720000,\"pid\":1,\"hostname\":\"h\",\"msg\":\"client closed\"}",
        UTC,
        None,
        None,
        "client closed",
    ),
    head(
        "2026-11-23T05:12:00.000Z [info]: client closed",
        UTC,
        None,
        None,
        "client closed",
    ),
    head("info: client closed", None, None, None, "client closed"),
    head(
        "{\"name\":\"a\",\"hostname\":\"h\",\"pid\":1,\"level\":50,\"err\":{\"message\":\"CONNECTION_REFUSED\",\"name\":\"NatsError\"},\"msg\":\"nats failed\",\"time\":\"2026-11-23T05:12:00.000Z\",\"v\":0}",
        UTC,
        Some("a"),
        None,
        "nats failed: NatsError: CONNECTION_REFUSED",
    ),
    head(
        "{\"type\":\"disconnect\",\"data\":\"a:4222\"}",
        None,
        None,
        None,
        "status: disconnect a:4222",
    ),
    // Java: logback, log4j2, Spring Boot, java.util.logging.
    head(
        "05:12:00.000 [nats:5] ERROR i.n.c.impl.ErrorListenerLoggerImpl - errorOccurred",
        DAY_TIME,
        Some("i.n.c.impl.ErrorListenerLoggerImpl"),
        None,
        "errorOccurred",
    ),
    head(
        "2026-11-23 05:12:00,000 ERROR [main] c.e.App - client closed",
        CIVIL,
        Some("c.e.App"),
        Some("main"),
        "client closed",
    ),
    head(
        "2026-11-23T05:12:00.000Z  INFO 1 --- [           main] c.e.App : client closed",
        UTC,
        Some("c.e.App"),
        Some("main"),
        "client closed",
    ),
    head(
        "Nov 23, 2026 5:12:00 AM io.nats.client.impl.ErrorListenerLoggerImpl errorOccurred",
        CIVIL,
        Some("io.nats.client.impl.ErrorListenerLoggerImpl"),
        None,
        "",
    ),
    head(
        "SEVERE: errorOccurred, Connection: 7, Error: x",
        None,
        None,
        None,
        "errorOccurred, Connection: 7, Error: x",
    ),
    // .NET: console, one line; Serilog.
    head(
        "info: NATS.Client.Core.NatsConnection[1001]",
        None,
        Some("NATS.Client.Core.NatsConnection"),
        None,
        "",
    ),
    head(
        "[05:12:00] info: NATS.Client.Core.NatsConnection[1001] Try to connect NATS nats://a:4222",
        DAY_TIME,
        Some("NATS.Client.Core.NatsConnection"),
        None,
        "Try to connect NATS nats://a:4222",
    ),
    head(
        "[05:12:00 INF] Connect succeed a-1, NATS nats://a:4222",
        DAY_TIME,
        None,
        None,
        "Connect succeed a-1, NATS nats://a:4222",
    ),
    head(
        "{\"@t\":\"2026-11-23T05:12:00Z\",\"@m\":\"Connect succeed\",\"SourceContext\":\"NATS.Client.Core.NatsConnection\"}",
        UTC,
        Some("NATS.Client.Core.NatsConnection"),
        None,
        "Connect succeed",
    ),
    // Elixir's Logger; C programs.
    head(
        "05:12:00.000 [error] failed to connect :econnrefused",
        DAY_TIME,
        None,
        None,
        "failed to connect :econnrefused",
    ),
    head(
        "2026-11-23 05:12:00.000 WARN disconnected from NATS: ",
        CIVIL,
        None,
        None,
        "disconnected from NATS:",
    ),
    // Messages that only look like heads.
    head(
        "nats: slow consumer, messages dropped on connection [7]",
        None,
        None,
        None,
        "nats: slow consumer, messages dropped on connection [7]",
    ),
    head(
        "error connecting to nats: x",
        None,
        None,
        None,
        "error connecting to nats: x",
    ),
    head(
        "Error: 6 - No server available",
        None,
        None,
        None,
        "Error: 6 - No server available",
    ),
    head(
        "{ type: 'reconnecting' }",
        None,
        None,
        None,
        "{ type: 'reconnecting' }",
    ),
    head(
        "[Errno 104] Connection reset by peer",
        None,
        None,
        None,
        "[Errno 104] Connection reset by peer",
    ),
];

#[test]
fn every_framework_gives_its_message() {
    let mut wrong = Vec::new();
    for want in HEADS {
        let got = open(want.line.as_bytes());
        let time = got
            .stamp
            .map(|stamp| (stamp.ns.div_euclid(1_000_000_000), stamp.basis));
        let fits = time == want.time
            && got.logger.as_deref() == want.logger
            && got.tag.as_deref() == want.tag
            && got.message.trim_end() == want.message;
        if !fits {
            wrong.push(format!("{}\n  {got:?}", want.line));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn any_cut_of_any_head_is_harmless() {
    for head in HEADS {
        for end in 0..head.line.len() {
            let cut = &head.line.as_bytes()[..end];
            assert!(open(cut).message.len() <= end + 8, "{}", head.line);
        }
    }
}

#[test]
fn hostile_json_is_text() {
    let deep = format!("{}{}", "{\"a\":".repeat(5_000), "}".repeat(5_000));
    assert_eq!(open(deep.as_bytes()).message, deep.as_str());
    assert_eq!(open(b"{\"msg\": 1e999}").message, "{\"msg\": 1e999}");
}
