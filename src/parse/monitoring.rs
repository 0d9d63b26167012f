//! JSON of nats-server's monitoring endpoints (`/varz`, `/connz`, `/routez`, `/leafz`, `/gatewayz`, `/healthz`, ...), saved by
//! hand, by `nats server request` (with `{"server":..,"data":..}` around) or by `nats audit gather`, and $SYS advisories
//! (`$SYS.ACCOUNT.<acc>.CONNECT` and `DISCONNECT`, `$SYS.SERVER.<id>.STATSZ`). Fields: server/monitor.go, server/events.go.

use std::net::SocketAddr;

use serde_json::{Map, Value};

use super::server_log::close_reason::CloseReason;
use super::server_log::record::ConnKind;
use super::timestamp::timestamp;
use crate::input::is_aside;
use crate::time::Stamp;

type Object = Map<String, Value>;

/// Which server a document is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerRef {
    /// Id, equal to the banner's and INFO's.
    pub id: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Version.
    pub version: Option<String>,
    /// Cluster.
    pub cluster: Option<String>,
    /// Git commit.
    pub git_commit: Option<String>,
}

/// What a document tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Monitored {
    /// The server.
    pub server: ServerRef,
    /// When it was asked.
    pub now: Option<Stamp>,
    /// When the process started.
    pub start: Option<Stamp>,
    /// When the configuration was last loaded: later than `start` means reloaded.
    pub config_loaded: Option<Stamp>,
    /// Client listener.
    pub listen: Option<String>,
    /// Options with values as a configuration file would have them; durations as `<n>ns`.
    pub settings: Vec<(&'static str, String)>,
    /// Counters since the start that tell of trouble, in words (`slow_consumers 3`).
    pub counters: Vec<String>,
    /// Connections.
    pub conns: Vec<ConnRow>,
    /// Health that is not `ok`.
    pub unhealthy: Option<String>,
}

/// A connection of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnRow {
    /// Its number.
    pub cid: u64,
    /// Its kind.
    pub kind: ConnKind,
    /// The peer as the server sees it.
    pub peer: Option<SocketAddr>,
    /// Client name.
    pub name: Option<String>,
    /// Library.
    pub lang: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// Account.
    pub account: Option<String>,
    /// User.
    pub user: Option<String>,
    /// Remote server's name (routes, leafnodes).
    pub remote: Option<String>,
    /// Opened.
    pub start: Option<Stamp>,
    /// Closed.
    pub stop: Option<Stamp>,
    /// The reason of the close.
    pub reason: Option<CloseReason>,
    /// Messages from it.
    pub in_msgs: u64,
    /// Messages to it.
    pub out_msgs: u64,
    /// How many times this producer was stalled (2.12+).
    pub stalls: u64,
    /// The row as compact JSON, to quote.
    pub json: String,
}

/// Reads one document. `None`: no monitoring data.
pub fn document(value: &Value) -> Option<Vec<Monitored>> {
    match value {
        Value::Array(items) => {
            let read: Vec<Monitored> = items.iter().filter_map(document).flatten().collect();
            (!read.is_empty()).then_some(read)
        }
        Value::Object(object) => one(object).map(|read| vec![read]),
        _ => None,
    }
}

fn one(object: &Object) -> Option<Monitored> {
    if let Some(advisory) = advisory(object) {
        return Some(advisory);
    }
    // A reply to `$SYS.REQ.SERVER...`: who answers, and what an HTTP endpoint would say.
    if let (Some(Value::Object(server)), Some(Value::Object(data))) =
        (object.get("server"), object.get("data"))
    {
        let mut read = endpoint(data).unwrap_or_default();
        let outer = server_info(server);
        read.server = merged(read.server, outer);
        read.now = read.now.or_else(|| stamp(server, "time"));
        return Some(read);
    }
    if let (Some(Value::Object(server)), Some(Value::Object(stats))) =
        (object.get("server"), object.get("statsz"))
    {
        return Some(Monitored {
            server: server_info(server),
            now: stamp(server, "time"),
            start: stamp(stats, "start"),
            counters: counters(stats),
            ..Monitored::default()
        });
    }
    endpoint(object)
}

/// The body of an HTTP endpoint.
fn endpoint(object: &Object) -> Option<Monitored> {
    let mut read = Monitored {
        server: ServerRef {
            id: text(object, "server_id"),
            name: text(object, "server_name"),
            version: text(object, "version"),
            cluster: object
                .get("cluster")
                .and_then(Value::as_object)
                .and_then(|cluster| text(cluster, "name")),
            git_commit: text(object, "git_commit"),
        },
        now: stamp(object, "now"),
        ..Monitored::default()
    };
    if object.contains_key("max_payload") && object.contains_key("start") {
        varz(object, &mut read);
        return Some(read);
    }
    if let Some(Value::String(status)) = object.get("status")
        && matches!(status.as_str(), "ok" | "na" | "error" | "unavailable")
        && !object.contains_key("data")
    {
        if status != "ok" && (object.contains_key("error") || object.contains_key("errors")) {
            let error = text(object, "error").unwrap_or_default();
            read.unhealthy = Some(format!("{status}: {error}"));
        }
        return Some(read);
    }
    for (key, kind) in [
        ("connections", ConnKind::Client),
        ("routes", ConnKind::Route),
        ("leafs", ConnKind::Leafnode),
    ] {
        if let Some(Value::Array(rows)) = object.get(key) {
            read.conns
                .extend(rows.iter().filter_map(|row| row_of(row, kind)));
            return Some(read);
        }
    }
    for key in ["outbound_gateways", "inbound_gateways"] {
        if let Some(Value::Object(gateways)) = object.get(key) {
            read.conns.extend(gateways.iter().flat_map(gateway_rows));
        }
    }
    let known = !read.conns.is_empty() || (read.server.id.is_some() && read.now.is_some());
    (known || is_aside(&object.keys().map(String::as_bytes))).then_some(read)
}

/// `/varz`.
fn varz(object: &Object, read: &mut Monitored) {
    read.start = stamp(object, "start");
    read.config_loaded = stamp(object, "config_load_time");
    if let (Some(host), Some(port)) = (text(object, "host"), number(object, "port")) {
        read.listen = Some(if host.contains(':') && !host.starts_with('[') {
            format!("[{host}]:{port}")
        } else {
            format!("{host}:{port}")
        });
    }
    for (key, option) in [
        ("max_connections", "max_connections"),
        ("max_payload", "max_payload"),
        ("max_pending", "max_pending"),
        ("max_control_line", "max_control_line"),
        ("max_subscriptions", "max_subscriptions"),
        ("ping_max", "ping_max"),
    ] {
        if let Some(value) = object.get(key).and_then(Value::as_i64) {
            read.settings.push((option, value.to_string()));
        }
    }
    for key in ["ping_interval", "write_deadline"] {
        if let Some(value) = object.get(key).and_then(Value::as_i64) {
            read.settings.push((key, format!("{value}ns")));
        }
    }
    for (key, option) in [
        ("auth_timeout", "authorization.timeout"),
        ("tls_timeout", "tls.timeout"),
    ] {
        if let Some(value) = object.get(key).and_then(Value::as_f64) {
            read.settings.push((option, value.to_string()));
        }
    }
    if object.get("tls_required").and_then(Value::as_bool) == Some(true) {
        read.settings.push(("tls", String::new()));
    }
    read.counters = counters(object);
}

/// Counters that are not zero.
fn counters(object: &Object) -> Vec<String> {
    ["slow_consumers", "stale_connections", "stalled_clients"]
        .iter()
        .filter_map(|key| {
            let count = object.get(*key)?.as_u64()?;
            (count > 0).then(|| format!("{key} {count}"))
        })
        .collect()
}

/// `io.nats.server.advisory.v1.client_connect` and `..._disconnect`; before 2.2.0 without a type.
fn advisory(object: &Object) -> Option<Monitored> {
    let client = object.get("client")?.as_object()?;
    let server = object.get("server")?.as_object()?;
    let typed = text(object, "type").is_some_and(|kind| kind.contains("server.advisory"));
    if !typed && !client.contains_key("start") {
        return None;
    }
    let count = |key: &str| {
        object
            .get(key)
            .and_then(|counts| counts.get("msgs"))
            .and_then(Value::as_u64)
            .unwrap_or(0)
    };
    let reason = text(object, "reason").filter(|reason| !reason.is_empty());
    let row = ConnRow {
        cid: number(client, "id")?,
        kind: kind(client, ConnKind::Client),
        peer: None,
        name: text(client, "name"),
        lang: text(client, "lang"),
        version: text(client, "ver"),
        account: text(client, "acc"),
        user: text(client, "user"),
        remote: None,
        start: stamp(client, "start"),
        stop: stamp(client, "stop")
            .or_else(|| reason.as_ref().and_then(|_| stamp(object, "timestamp"))),
        reason: reason.as_deref().map(CloseReason::from_text),
        in_msgs: count("received"),
        out_msgs: count("sent"),
        stalls: 0,
        json: compact(object),
    };
    Some(Monitored {
        server: server_info(server),
        now: stamp(object, "timestamp").or_else(|| stamp(server, "time")),
        conns: vec![row],
        ..Monitored::default()
    })
}

fn server_info(server: &Object) -> ServerRef {
    ServerRef {
        id: text(server, "id"),
        name: text(server, "name"),
        version: text(server, "ver"),
        cluster: text(server, "cluster"),
        git_commit: None,
    }
}

fn merged(inner: ServerRef, outer: ServerRef) -> ServerRef {
    ServerRef {
        id: inner.id.or(outer.id),
        name: inner.name.or(outer.name),
        version: inner.version.or(outer.version),
        cluster: inner.cluster.or(outer.cluster),
        git_commit: inner.git_commit.or(outer.git_commit),
    }
}

/// A gateway's connections: one outbound, several inbound.
fn gateway_rows((name, value): (&String, &Value)) -> Vec<ConnRow> {
    let remotes = match value {
        Value::Array(rows) => rows.iter().collect(),
        one => vec![one],
    };
    remotes
        .into_iter()
        .filter_map(|remote| {
            let mut row = row_of(remote.get("connection")?, ConnKind::Gateway)?;
            row.remote = Some(name.clone());
            Some(row)
        })
        .collect()
}

fn row_of(value: &Value, default: ConnKind) -> Option<ConnRow> {
    let object = value.as_object()?;
    let cid = ["cid", "rid", "id"]
        .iter()
        .find_map(|key| number(object, key))?;
    let peer = text(object, "ip").and_then(|ip| {
        let port = u16::try_from(number(object, "port")?).ok()?;
        Some(SocketAddr::new(ip.parse().ok()?, port))
    });
    Some(ConnRow {
        cid,
        kind: kind(object, default),
        peer,
        name: text(object, "name").or_else(|| text(object, "mqtt_client")),
        lang: text(object, "lang"),
        version: text(object, "version"),
        account: text(object, "account"),
        user: text(object, "authorized_user"),
        remote: text(object, "remote_name").or_else(|| text(object, "remote_id")),
        start: stamp(object, "start"),
        stop: stamp(object, "stop"),
        reason: text(object, "reason").map(|reason| CloseReason::from_text(&reason)),
        in_msgs: number(object, "in_msgs").unwrap_or(0),
        out_msgs: number(object, "out_msgs").unwrap_or(0),
        stalls: number(object, "stalls").unwrap_or(0),
        json: compact(object),
    })
}

/// `kind` and `type` (`client_type` in advisories).
fn kind(object: &Object, default: ConnKind) -> ConnKind {
    let word = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or("");
    match (word("kind"), word("type"), word("client_type")) {
        (_, "websocket", _) | (_, _, "websocket") => ConnKind::WebSocket,
        (_, "mqtt", _) | (_, _, "mqtt") => ConnKind::Mqtt,
        ("Leafnode", ..) => ConnKind::Leafnode,
        ("Router", ..) => ConnKind::Route,
        ("Gateway", ..) => ConnKind::Gateway,
        _ => default,
    }
}

/// The object on one line, without what is long or secret.
fn compact(object: &Object) -> String {
    let kept: Object = object
        .iter()
        .filter(|(key, _)| {
            !matches!(
                key.as_str(),
                "jwt"
                    | "issuer_key"
                    | "subscriptions_list"
                    | "subscriptions_list_detail"
                    | "tls_peer_certs"
            )
        })
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    Value::Object(kept).to_string()
}

fn text(object: &Object, key: &str) -> Option<String> {
    object
        .get(key)?
        .as_str()
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

fn number(object: &Object, key: &str) -> Option<u64> {
    object.get(key)?.as_u64()
}

/// A time; Go's zero time means none.
fn stamp(object: &Object, key: &str) -> Option<Stamp> {
    let text = object.get(key)?.as_str()?;
    if text.starts_with("0001-") {
        return None;
    }
    timestamp(text.as_bytes()).map(|(stamp, _)| stamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Monitored {
        let value = serde_json::from_str(text).expect("JSON");
        document(&value).expect("monitoring data").remove(0)
    }

    #[test]
    fn a_closed_connection_of_connz() {
        let read = read(
            r#"{"server_id":"NABC","now":"2026-11-23T05:19:00.5Z","num_connections":1,"connections":[
            {"cid":7,"kind":"Client","type":"nats","ip":"10.0.0.9","port":41000,"start":"2026-11-23T05:18:00.000000001Z",
             "stop":"2026-11-23T05:18:30Z","reason":"Slow Consumer (Pending Bytes)","in_msgs":1,"out_msgs":2,
             "name":"orders","lang":"go","version":"1.31.0","account":"$G","jwt":"secret"}]}"#,
        );
        assert_eq!(read.server.id.as_deref(), Some("NABC"));
        let row = &read.conns[0];
        assert_eq!((row.cid, row.kind), (7, ConnKind::Client));
        assert_eq!(row.peer, "10.0.0.9:41000".parse().ok());
        assert_eq!(row.reason, Some(CloseReason::SlowConsumerPendingBytes));
        assert_eq!(row.start.map(|start| start.digits), Some(9));
        assert!(!row.json.contains("secret"));
    }

    #[test]
    fn varz_gives_the_limits() {
        let read = read(
            r#"[{"server":{"name":"n1","id":"NABC","ver":"2.12.8","cluster":"C1"},"data":{"server_id":"NABC","version":"2.12.8",
            "host":"0.0.0.0","port":4222,"max_payload":1048576,"max_connections":65536,"ping_interval":120000000000,"ping_max":2,
            "write_deadline":10000000000,"auth_timeout":2,"start":"2026-11-23T05:00:00Z","now":"2026-11-23T06:00:00Z",
            "config_load_time":"2026-11-23T05:30:00Z","slow_consumers":3,"stale_connections":0}}]"#,
        );
        assert_eq!(read.server.cluster.as_deref(), Some("C1"));
        assert_eq!(read.listen.as_deref(), Some("0.0.0.0:4222"));
        assert!(
            read.settings
                .contains(&("ping_interval", "120000000000ns".to_owned()))
        );
        assert_eq!(read.counters, ["slow_consumers 3"]);
        assert!(read.config_loaded > read.start);
    }

    #[test]
    fn advisories() {
        let read = read(
            r#"{"type":"io.nats.server.advisory.v1.client_disconnect","id":"x","timestamp":"2026-11-23T05:18:30Z",
            "server":{"name":"n1","host":"0.0.0.0","id":"NABC","ver":"2.12.8"},
            "client":{"start":"2026-11-23T05:18:00Z","host":"10.0.0.9","id":7,"acc":"APP","user":"bob","name":"orders","lang":"go",
            "ver":"1.31.0","kind":"Client","client_type":"nats","stop":"2026-11-23T05:18:30Z"},
            "sent":{"msgs":5,"bytes":9},"received":{"msgs":2,"bytes":4},"reason":"Client Closed"}"#,
        );
        let row = &read.conns[0];
        assert_eq!((row.cid, row.in_msgs, row.out_msgs), (7, 2, 5));
        assert_eq!(row.reason, Some(CloseReason::ClientClosed));
    }

    #[test]
    fn health() {
        let sick = read(
            r#"{"status":"unavailable","status_code":503,"error":"JetStream is not current with the meta leader"}"#,
        );
        assert!(sick.unhealthy.is_some());
        assert_eq!(read(r#"{"status":"ok"}"#).unhealthy, None);
    }

    #[test]
    fn other_json_is_left_alone() {
        for text in [
            "{}",
            "[]",
            "1",
            r#"{"level":"info","msg":"x"}"#,
            r#"{"client":{"id":1}}"#,
        ] {
            let value: Value = serde_json::from_str(text).expect("JSON");
            assert_eq!(document(&value), None, "{text}");
        }
    }
}
