//! Every message template of nats-server 0.6.0 to 2.15.1 (`fixtures/facts/server-log-lines.tsv`), filled and read back.

use super::*;
use crate::parse::host_log;
use crate::parse::server_log::client_prefix::client_prefix;
use crate::parse::server_log::line::{Level, line};
use crate::parse::server_log::stack;
use crate::parse::server_log::startup_error::startup_error;

const TABLE: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/fixtures/facts/server-log-lines.tsv"
));

struct Row<'a> {
    template: &'a str,
    level: &'a str,
    kinds: &'a str,
    closed_state: &'a str,
    causes: Vec<&'a str>,
}

fn rows() -> Vec<Row<'static>> {
    TABLE
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            Row {
                template: cells[0],
                level: cells[1],
                kinds: cells[4],
                closed_state: cells[5],
                causes: cells[6].split('|').collect(),
            }
        })
        .collect()
}

/// A template with and without its optional segments.
fn options(template: &str) -> Vec<String> {
    let Some((before, rest)) = template.split_once("{?") else {
        return vec![template.to_owned()];
    };
    let (inside, after) = rest.split_once("?}").expect("optional segments end");
    options(after)
        .iter()
        .flat_map(|after| {
            [
                format!("{before}{inside}{after}"),
                format!("{before}{after}"),
            ]
        })
        .collect()
}

/// Placeholders replaced by what a server would print.
fn fill(template: &str, kind: &str) -> Vec<String> {
    let Some((before, rest)) = template.split_once('<') else {
        return vec![template.to_owned()];
    };
    let (name, after) = rest.split_once('>').expect("placeholders end");
    let values: Vec<String> = match name {
        "conn" => vec![match kind {
            "route" => "10.0.0.1:5678 - rid:42".to_owned(),
            "gateway" => "10.0.0.1:5678 - gid:42".to_owned(),
            "leafnode" => "10.0.0.1:5678 - lid:42".to_owned(),
            "websocket" => "10.0.0.1:5678 - wid:42".to_owned(),
            "mqtt" => r#"10.0.0.1:5678 - mid:42 - "sensor 7""#.to_owned(),
            _ => r#"10.0.0.1:5678 - cid:42 - "v1.2.3:go:orders" - "APP/user:bob""#.to_owned(),
        }],
        "Kind" => vec![
            match kind {
                "route" => "Router",
                "gateway" => "Gateway",
                "leafnode" => "Leafnode",
                _ => "Client",
            }
            .to_owned(),
        ],
        "type" => vec![kind.to_owned()],
        "ip:port" => vec!["10.0.0.1:5678".to_owned()],
        "reason" => vec!["Stale Connection".to_owned()],
        "dur" => vec!["2.345s".to_owned()],
        "n" | "m" | "bytes" | "limit" | "sid" | "pid" => vec!["17".to_owned()],
        "quoted-text" => vec!["'Stale Connection'".to_owned()],
        "quoted args" => vec![r#""foo bar""#.to_owned()],
        "addr" => vec!["0.0.0.0:4222".to_owned()],
        "version" | "v" => vec!["2.10.26".to_owned()],
        "date" => vec!["2026/11/23".to_owned()],
        "time" => vec!["05:12:01".to_owned()],
        "comm" => vec!["nats-server".to_owned()],
        "state" => vec!["running".to_owned()],
        ".." | "..." => vec!["123".to_owned()],
        "port" => vec!["8080".to_owned()],
        "host" => vec!["0.0.0.0".to_owned()],
        other if other.contains('|') => other.split('|').map(str::to_owned).collect(),
        _ => vec!["X1".to_owned()],
    };
    let after = fill(after, kind);
    values
        .iter()
        .flat_map(|value| {
            after
                .iter()
                .map(move |after| format!("{before}{value}{after}"))
        })
        .collect()
}

fn filled(row: &Row<'_>) -> Vec<(String, String)> {
    let kinds: Vec<&str> = match row.kinds {
        "any" => vec!["client", "route", "gateway", "leafnode"],
        kinds => kinds.split('|').collect(),
    };
    let mut texts: Vec<(String, String)> = kinds
        .iter()
        .flat_map(|kind| {
            options(row.template)
                .iter()
                .flat_map(|template| fill(template, kind))
                .map(|text| ((*kind).to_owned(), text))
                .collect::<Vec<_>>()
        })
        .collect();
    texts.sort();
    texts.dedup();
    texts
}

fn level(label: &str) -> Option<Level> {
    Level::from_label(label.as_bytes())
}

/// What a topic may say of causes; `context` and `by reason` say nothing.
fn causes(topic: Topic) -> &'static [&'static str] {
    match topic {
        Topic::Auth => &["auth", "client-config", "overload", "large-message"],
        Topic::Cluster => &[
            "network",
            "server-shutdown",
            "client-config",
            "version-bug",
            "overload",
            "auth",
            "context",
        ],
        Topic::JetStream => &[
            "overload",
            "network",
            "server-shutdown",
            "version-bug",
            "client-config",
        ],
        Topic::Lifecycle => &[
            "network",
            "normal-close",
            "overload",
            "client-config",
            "version-bug",
            "auth",
        ],
        Topic::Limits => &[
            "overload",
            "client-config",
            "version-bug",
            "large-message",
            "auth",
        ],
        Topic::Listener => &[
            "server-shutdown",
            "overload",
            "client-config",
            "network",
            "version-bug",
            "auth",
        ],
        Topic::Process => &[
            "server-shutdown",
            "overload",
            "client-config",
            "network",
            "large-message",
        ],
        Topic::SlowConsumer => &["slow-consumer", "network", "large-message", "overload"],
        Topic::Tls => &[
            "client-config",
            "auth",
            "network",
            "version-bug",
            "overload",
        ],
        Topic::Trace => &[],
    }
}

/// The topic and implied close of a text after its head, whatever it is about.
fn read(text: &str) -> (Option<Topic>, Option<CloseReason>, Option<NoteKind>) {
    if let Some((_, rest)) = client_prefix(text) {
        let message = conn(rest);
        (message.topic, message.implies, message.note)
    } else {
        let message = server(text);
        (message.topic, message.implies, None)
    }
}

#[test]
fn every_row_is_known_at_its_level() {
    let mut count = 0;
    let mut unknown = Vec::new();
    for row in rows() {
        let Some(expected) = level(row.level) else {
            continue;
        };
        for (_, text) in filled(&row) {
            let whole = format!("[77] 2026/11/23 05:12:01.123456 [{}] {text}", row.level);
            let head = line(whole.as_bytes()).expect("a server's line");
            assert_eq!((head.level, head.text), (expected, text.as_bytes()));
            if read(&text).0.is_none() {
                unknown.push(text);
            }
            count += 1;
        }
    }
    assert!(count >= 318, "{count}");
    assert!(unknown.is_empty(), "{unknown:#?}");
}

#[test]
fn every_row_s_close_reason() {
    let mut wrong = Vec::new();
    for row in rows() {
        for (_, text) in filled(&row) {
            let (_, implies, note) = read(&text);
            let reason = match note {
                Some(NoteKind::Closed(reason)) => reason,
                _ => implies,
            };
            let expected = match row.closed_state {
                "" | "(not printed)" => None,
                // The line is about the connection that stays; the other one gets the reason.
                _ if text.contains("Replacing old client") => None,
                "<reason>" if text.starts_with("SYSTEM") || text.starts_with("JETSTREAM") => {
                    Some("Stale Connection")
                }
                "<reason>" if !text.contains("Stale Connection") => None,
                "<reason>" => Some("Stale Connection"),
                state => Some(state),
            };
            if reason.as_ref().map(CloseReason::text) != expected {
                wrong.push(format!("{text}: {reason:?} for {expected:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_row_s_topic_fits_its_causes() {
    let mut wrong = Vec::new();
    for row in rows() {
        if row
            .causes
            .iter()
            .any(|cause| matches!(*cause, "context" | "by reason"))
            || level(row.level).is_none()
        {
            continue;
        }
        for (_, text) in filled(&row) {
            let topic = read(&text).0.expect("known");
            if !row.causes.iter().any(|cause| causes(topic).contains(cause)) {
                wrong.push(format!("{text}: {topic:?} for {:?}", row.causes));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn rows_without_a_head() {
    let mut seen = (0, 0);
    for row in rows() {
        for (_, text) in filled(&row) {
            match row.level {
                "RAW" => {
                    let known = stack::crash(&text).is_some()
                        || stack::continues(&text)
                        || startup_error(&text).is_some();
                    assert!(known, "{text}");
                    seen.0 += 1;
                }
                "KERN" => {
                    assert!(host_log::line(&text, None).is_some(), "{text}");
                    seen.1 += 1;
                }
                _ => {}
            }
        }
    }
    assert_eq!(seen, (8, 3));
}

#[test]
fn messages_cut_anywhere_are_no_panic() {
    for row in rows() {
        for (_, text) in filled(&row).into_iter().take(1) {
            for cut in (0..text.len()).filter(|cut| text.is_char_boundary(*cut)) {
                let _ = read(&text[..cut]);
                let _ = corrupted(&text[..cut]);
                let _ = host_log::line(&text[..cut], None);
                let _ = host_log::victim(&text[..cut]);
                let _ = host_log::exit_status(&text[..cut]);
            }
        }
    }
}
