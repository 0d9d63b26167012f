//! JSON: monitoring data of nats-server, log records, a server configuration, or none of them.
//!
//! Only the first 64 KiB are looked at, which is rarely the whole document, so this reads keys with a small scanner
//! instead of parsing.

/// What a JSON text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// `/varz`, `/connz`, ..., or replies of the system account.
    Monitoring,
    /// nats-server also reads its configuration as JSON.
    Config,
    /// Log records, one a line or pretty-printed.
    Records,
    /// JSON about something else.
    Unrelated,
    /// Not JSON.
    NotJson,
}

/// Keys beside `server_id` in monitoring documents (nats-server `server/monitor.go`); one of them must be there, since
/// log records may hold a `server_id` too.
const BESIDE_SERVER_ID: [&str; 18] = [
    "now",
    "num_connections",
    "connections",
    "num_routes",
    "routes",
    "num_subscriptions",
    "gateways",
    "leafs",
    "leafnodes",
    "accounts",
    "account_detail",
    "jetstream",
    "max_payload",
    "auth_required",
    "streams",
    "outbound_gateways",
    "uptime",
    "memory",
];

/// Keys that only log records have.
const RECORD: [&str; 17] = [
    "msg",
    "message",
    "MESSAGE",
    "__REALTIME_TIMESTAMP",
    "__CURSOR",
    "log",
    "level",
    "severity",
    "levelname",
    "lvl",
    "logger",
    "textPayload",
    "jsonPayload",
    "@timestamp",
    "@message",
    "line",
    "text",
];

/// Keys of nats-server's configuration that are rare elsewhere.
const CONFIG: [&str; 14] = [
    "server_name",
    "max_payload",
    "max_connections",
    "http_port",
    "monitor_port",
    "authorization",
    "jetstream",
    "cluster",
    "leafnodes",
    "write_deadline",
    "max_pending",
    "system_account",
    "ping_interval",
    "lame_duck_duration",
];

/// Looks at text that may begin with `{` or `[`.
pub fn look(text: &[u8], complete: bool) -> Verdict {
    let start = text.trim_ascii_start();
    if !matches!(start.first(), Some(b'{' | b'[')) {
        return Verdict::NotJson;
    }
    let Some(scan) = scan(start) else {
        return Verdict::NotJson;
    };
    let has = |name: &str| scan.keys.contains(&name.as_bytes());
    let any = |names: &[&str]| names.iter().any(|n| has(n));
    if any(&RECORD) {
        return Verdict::Records;
    }
    if has("server_id") && any(&BESIDE_SERVER_ID) || is_reply(&has) {
        return Verdict::Monitoring;
    }
    // `nats server report connections --json`: the rows of /connz alone.
    if has("cid") && has("ip") && has("start") {
        return Verdict::Monitoring;
    }
    // /healthz
    let health: [&[u8]; 3] = [b"status", b"status_code", b"error"];
    if complete && has("status") && scan.keys.iter().all(|k| health.contains(k)) {
        return Verdict::Monitoring;
    }
    if is_aside(&scan.keys.iter().copied()) {
        return Verdict::Monitoring;
    }
    if CONFIG.iter().filter(|n| has(n)).count() >= 2 {
        return Verdict::Config;
    }
    let one_a_line = scan.end.is_some_and(|end| {
        start[end..].trim_ascii_start().starts_with(b"{") && !start[..end].contains(&b'\n')
    });
    if one_a_line {
        Verdict::Records
    } else {
        Verdict::Unrelated
    }
}

/// `nats server request ...` and `$SYS.REQ.SERVER.*`: `{"server": {...}, "data": {...}}`.
fn is_reply(has: &dyn Fn(&str) -> bool) -> bool {
    has("server") && (has("data") || has("statsz") || has("error"))
}

/// Keys of a document that is nats-server's or its tools' and tells nothing of connections: the list of files and the head
/// of a `nats audit gather` archive, an account's and a stream's state (`nats stream info --json` too).
pub fn is_aside<'a>(keys: &(impl Iterator<Item = &'a [u8]> + Clone)) -> bool {
    let has = |name: &str| keys.clone().any(|key| key == name.as_bytes());
    let mut manifest = keys.clone().peekable();
    manifest.peek().is_some() && manifest.all(|key| key.starts_with(b"capture/"))
        || has("capture_timestamp") && has("connected_server_name")
        || has("account_name") && has("update_time")
        || has("config") && has("created") && has("state")
}

/// The keys of the first object, and where it ended.
struct Scan<'a> {
    keys: Vec<&'a [u8]>,
    end: Option<usize>,
}

/// More keys than any document has at one level.
const MAX_KEYS: usize = 512;

/// Keys of the first object: of the outermost one, or of the first element where the outermost is a list. `None` if
/// it does not read like JSON.
fn scan(text: &[u8]) -> Option<Scan<'_>> {
    let mut keys = Vec::new();
    let mut depth = 0_usize;
    // The object whose keys count: depth 1, or 2 behind a list.
    let wanted = if text.first() == Some(&b'[') { 2 } else { 1 };
    let mut at = 0;
    let mut last = b' ';
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => {
                let Some(end) = string_end(text, at + 1) else {
                    break;
                };
                let after = text[end + 1..].trim_ascii_start().first();
                let is_key = matches!(last, b'{' | b',') && after == Some(&b':');
                if is_key && depth == wanted && keys.len() < MAX_KEYS {
                    keys.push(&text[at + 1..end]);
                }
                at = end;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                if depth + 1 == wanted {
                    if keys.is_empty() {
                        return None;
                    }
                    let end = Some(at + 1);
                    return Some(Scan { keys, end });
                }
            }
            // Outside of strings JSON holds numbers, literals, commas and colons only.
            b'0'..=b'9' | b'-' | b'+' | b'.' | b',' | b':' => {}
            b'a'..=b'z' | b'E' => {}
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => return None,
        }
        if !byte.is_ascii_whitespace() {
            last = byte;
        }
        at += 1;
    }
    (depth > 0 && !keys.is_empty()).then_some(Scan { keys, end: None })
}

/// Where the string that began before `from` ends.
fn string_end(text: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        match text.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict::{Config, Monitoring, NotJson, Records, Unrelated};
    use super::*;

    #[test]
    fn kinds_of_json() {
        for (text, want) in [
            (
                r#"{"server_id":"NA","now":"2026-11-23T05:10:37Z","num_connections":1,"connections":[{"cid":5}]}"#,
                Monitoring,
            ),
            (
                "{\n  \"server_id\": \"NA\",\n  \"server_name\": \"n1\",\n  \"version\": \"2.10.0\",\n  \"max_payload\": 1048576,",
                Monitoring,
            ),
            (
                r#"{"server":{"name":"n1","id":"NA"},"data":{"server_id":"NA","connections":[]}}"#,
                Monitoring,
            ),
            ("[{\"server\":{\"name\":\"n1\"},\"data\":{}},", Monitoring),
            (r#"{"status":"ok"}"#, Monitoring),
            (
                "[\n  {\n    \"cid\": 5,\n    \"ip\": \"10.0.0.7\",\n    \"port\": 41234,\n    \"start\": \"2026-11-23T05:10:37Z\"\n",
                Monitoring,
            ),
            (
                r#"{"log":"[1] 2026/11/23 05:10:37.120114 [INF] x\n","stream":"stderr","time":"2026-11-23T05:10:37Z"}"#,
                Records,
            ),
            (
                r#"{"ts":1.5,"level":"info","msg":"connected","server_id":"NA","now":1}"#,
                Records,
            ),
            (
                "{\n\t\"MESSAGE\" : \"x\",\n\t\"__CURSOR\" : \"s=1\"\n}\n",
                Records,
            ),
            ("{\"a\":1}\n{\"a\":2}\n", Records),
            (
                "{\n \"scenario\": \"x\",\n \"closes\": [\n  {\"client\": \"10.0.0.1:1\", \"message\": \"m\"}]}",
                Unrelated,
            ),
            (
                r#"{"scenario":"x","closes":[{"cid":5,"server_reason":"Client Closed"}]}"#,
                Unrelated,
            ),
            (r#"{"name":"app","dependencies":{"nats":"1.0"}}"#, Unrelated),
            (
                r#"{"port":4222,"server_name":"n1","jetstream":{"store_dir":"/x"}}"#,
                Config,
            ),
            ("{ not json at all }", NotJson),
            ("[6871] 2026/11/23 05:10:37.120114 [INF] Starting", NotJson),
            ("[2026-11-23T05:10:37Z INFO  app] connected", NotJson),
            ("port: 4222", NotJson),
        ] {
            assert_eq!(look(text.as_bytes(), true), want, "{text}");
        }
    }

    #[test]
    fn a_document_cut_anywhere_is_never_taken_for_something_worse() {
        let connz = br#"{"server_id":"NA","now":"2026-11-23T05:10:37Z","num_connections":1,"connections":[{"cid":5,"ip":"10.0.0.7"}]}"#;
        for end in 20..connz.len() {
            let got = look(&connz[..end], false);
            let now = connz[..end].windows(5).any(|w| w == b"now\":");
            assert_eq!(got == Monitoring, now, "{end}");
        }
    }
}
