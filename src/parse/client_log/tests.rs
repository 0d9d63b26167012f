//! The whole grammar on every sentence that the facts list, and on lines recorded from real clients.

use super::said::{ClientEventKind as Kind, Library, Trouble, Weight};
use super::*;

/// What a line of a log that is known to be of `library` says.
pub(super) fn reads(line: &str, library: Library) -> Option<Kind> {
    read(&envelope::open(line.as_bytes()).message, library, true).map(|said| said.kind)
}

/// Sentences of every library and version (columns: client, since, until, level, template, event, ...).
const FACTS: &str = include_str!("../../../fixtures/facts/client-log-lines.tsv");

struct Fact {
    client: &'static str,
    level: &'static str,
    template: &'static str,
    event: &'static str,
}

fn facts() -> Vec<Fact> {
    FACTS
        .lines()
        .skip(1)
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            Fact {
                client: columns[0],
                level: columns[3],
                template: columns[4],
                event: columns[5],
            }
        })
        .collect()
}

fn library(client: &str) -> Library {
    match client.split('-').next().unwrap_or(client) {
        "go" => Library::Go,
        "natscli" => Library::NatsCli,
        "python" => Library::Python,
        "rust" if client == "rust-sync" => Library::RustSync,
        "rust" => Library::RustAsync,
        "js1" => Library::JsV1,
        "js2" | "js" => Library::JsV2,
        "js3" => Library::JsV3,
        "java" => Library::Java,
        "dotnet" => Library::DotNetV2,
        "dotnet1" => Library::DotNetV1,
        "c" => Library::C,
        "ruby" => Library::Ruby,
        "elixir" => Library::Elixir,
        "swift" => Library::Swift,
        other => panic!("unknown client {other}"),
    }
}

/// A template with its holes filled with what such a client prints there.
fn filled(fact: &Fact) -> String {
    let err = match (library(fact.client), fact.event) {
        (Library::Python, _) => "nats: unexpected EOF",
        (Library::JsV1 | Library::JsV2 | Library::JsV3, _) => "CONNECTION_REFUSED",
        (Library::C, _) => "Slow Consumer, messages dropped",
        (Library::Elixir, _) => ":econnrefused",
        (Library::RustAsync, _) => "IO error: Connection refused (os error 111)",
        (Library::DotNetV1, _) => "Connection is stale.",
        _ => "EOF",
    };
    let mut out = String::new();
    let mut rest = fact.template;
    while let Some(open) = rest.find('{') {
        let Some(length) = rest[open..].find('}') else {
            break;
        };
        let hole = &rest[open + 1..open + length];
        let value = match hole {
            "L" => "10.0.0.7:41234",
            "R" | "hostport" => "10.0.0.1:4222",
            "url" => "nats://10.0.0.1:4222",
            "urls" => "nats://10.0.0.1:4222, nats://10.0.0.2:4222",
            "cid" => "42",
            "n" if fact.template.contains("SocketException") => "104",
            "n" | "sid" | "hash" => "3",
            "port" => "4222",
            "subj" => "orders.new",
            "ip" => "10.0.0.1",
            "host" => "nats-9",
            "why" => "self-signed certificate",
            "config" => "%{host: \"10.0.0.1\", port: 4222}",
            "err" | "msg" => err,
            "errno" => "104",
            "oserr" => "Connection refused",
            "exc" => "java.net.SocketException: Connection reset",
            "event" => "nats: connection disconnected",
            "text" => "Maximum Payload Violation",
            "term" => ":econnrefused",
            "code" => "NATS_PROTOCOL_ERR",
            "status" => "Protocol Error",
            "json" => "{\"servers\":\"nats://10.0.0.1:4222\"}",
            "version" => "3.13.0",
            "name" => "orders-1",
            "b" => "True",
            "dbg" => {
                "Url { scheme: \"nats\", host: Some(Domain(\"10.0.0.1\")), port: Some(4222), path: \"\" }"
            }
            "kind" => "ConnectionReset",
            "Publish|Subscription" => "Publish",
            "publish|subscription" => "publish",
            other if other.bytes().all(|b| b.is_ascii_lowercase()) => "thing",
            // A brace of the line itself.
            _ => {
                out.push_str(&rest[..=open]);
                rest = &rest[open + 1..];
                continue;
            }
        };
        out.push_str(&rest[..open]);
        out.push_str(value);
        rest = &rest[open + length + 1..];
    }
    out + rest
}

/// Whether what was read is what the facts' coarse word for the event means.
fn fits(event: &str, kind: &Kind) -> bool {
    use Kind as K;
    let auth = matches!(kind.trouble(), Some(Trouble::Auth(_)));
    match event {
        "connected" => matches!(kind, K::Connected | K::LameDuck | K::Handshake),
        "reconnected" => *kind == K::Reconnected,
        "disconnected" => matches!(kind, K::Disconnected(_) | K::ClosingByApplication),
        "stale" => matches!(kind, K::Stale | K::Disconnected(Trouble::Stale)),
        "reconnecting" => matches!(
            kind,
            K::Reconnecting(_) | K::ConnectFailed(_) | K::Handshake
        ),
        "closed" => {
            matches!(
                kind,
                K::Closed(_)
                    | K::GaveUp
                    | K::Draining
                    | K::Exiting
                    | K::ConnectFailed(_)
                    | K::Error(Trouble::NoError)
            ) || auth
        }
        "auth" => auth,
        "timeout" => matches!(
            kind,
            K::RequestTimeout
                | K::ConnectFailed(Trouble::Timeout)
                | K::Error(Trouble::WriteTimeout)
                | K::PublishFailed(Trouble::Timeout)
        ),
        "slow-consumer" => *kind == K::SlowConsumer,
        "ldm" => *kind == K::LameDuck,
        "publish-failed" => matches!(kind, K::PublishFailed(_)),
        // "error" is the facts' word for what does not close, and for lines whose inner error says more.
        "error" => !matches!(
            kind,
            K::Connected
                | K::Reconnected
                | K::Closed(_)
                | K::GaveUp
                | K::Stale
                | K::LameDuck
                | K::Exiting
        ),
        other => panic!("unknown event {other}"),
    }
}

#[test]
fn every_sentence_of_the_facts_is_read_as_its_event() {
    let mut wrong = Vec::new();
    for fact in facts() {
        let line = filled(&fact);
        match read(&line, library(fact.client), true) {
            Some(said) if fits(fact.event, &said.kind) => {}
            // nats-py 2.0.x calls an EOF stale; without the version the line stays open.
            Some(said) if said.kind == Kind::Disconnected(Trouble::StaleOrEof) => {}
            // Frames of the debug option are counted, not read.
            None if fact.level == "debug" && fact.client == "js-any" => {}
            said => wrong.push(format!("{} {line}: {said:?}", fact.client)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn fields_are_taken_from_every_sentence_that_has_them() {
    for fact in facts() {
        let line = filled(&fact);
        let Some(said) = read(&line, library(fact.client), true) else {
            continue;
        };
        let has = |hole: &str| fact.template.contains(hole);
        if has("{cid}") {
            assert_eq!(said.cid, Some(42), "{line}");
        }
        if has("{L}") {
            assert_eq!(said.local, "10.0.0.7:41234".parse().ok(), "{line}");
        }
        if has("{R}") || has("{url}") || has("{hostport}") {
            assert_eq!(said.server.as_deref(), Some("10.0.0.1:4222"), "{line}");
        }
    }
}

#[test]
fn words_that_only_one_library_says_tell_the_library() {
    let mut decided = 0;
    for fact in facts() {
        let line = filled(&fact);
        let own = library(fact.client);
        let Some(said) = read(&line, Library::Unknown, false) else {
            continue;
        };
        // Words anybody may print are no claim.
        if said.ambiguous || said.library == Library::Unknown || said.weight <= Weight::Word {
            continue;
        }
        assert!(
            said.library.speaks(own),
            "{} {line}: {:?}",
            fact.client,
            said.library
        );
        decided += 1;
    }
    assert!(decided > 200, "{decided}");
}

#[test]
fn any_cut_of_any_sentence_is_harmless() {
    // Every third keeps the test quick; neighbours are of one library.
    for fact in facts().iter().step_by(3) {
        let line = filled(fact);
        for end in (0..line.len()).filter(|&end| line.is_char_boundary(end)) {
            // A cut line may say less, never something about an address that it does not have.
            if let Some(said) = read(&line[..end], library(fact.client), true)
                && let Some(server) = &said.server
            {
                assert!(
                    line.contains(&**server) || line.contains("host: Some"),
                    "{line} {end} {server}"
                );
            }
        }
    }
}

#[test]
fn an_address_that_the_client_connects_from_is_no_server() {
    let said = |line| read(line, Library::Unknown, true).expect("of NATS");
    let own = said("connected 10.0.0.7:41216");
    assert_eq!(own.server, None);
    assert_eq!(own.local, "10.0.0.7:41216".parse().ok());
    for line in [
        "connected to 10.0.0.1:41216",
        "connected 10.0.0.1:30222",
        "connected nats://10.0.0.1:41216",
    ] {
        assert!(said(line).server.is_some(), "{line}");
    }
}
