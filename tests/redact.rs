//! A redacted bundle says the same and names nobody: over every incident of the fixtures.

mod incident_kit;

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use incident_kit::{Incident, analyze_paths, incidents, is_capture};
use natsleuth::analyze::Options;
use natsleuth::attribute::finding::Analysis;
use natsleuth::progress::Silent;
use natsleuth::redact::mapper::{Mapper, is_word, runs};
use natsleuth::redact::{self, Key, Redacted};
use rayon::prelude::*;

fn options() -> Options {
    Options {
        ports_are_default: true,
        ..Options::default()
    }
}

fn key() -> Key {
    Key::from_bytes(b"a key of the tests")
}

fn redacted(paths: &[PathBuf], out: &Path) -> Redacted {
    redact::redact(paths, out, &key(), &options(), &Silent).expect("a redacted bundle")
}

/// The evidence of an incident in a folder of its own, without the answer.
fn bundle(incident: &Incident, folder: &Path) {
    for file in incident.evidence() {
        fs::copy(&file, folder.join(file.file_name().expect("a name"))).expect("a copy");
    }
}

/// Every file below a folder: its path there and its bytes.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path
                    .strip_prefix(folder)
                    .expect("below")
                    .to_string_lossy()
                    .into_owned();
                found.push((name, fs::read(&path).expect("a file")));
            }
        }
    }
    found.sort();
    found
}

/// What is said of each socket, sockets under the names that `place` gives them.
fn verdicts(analysis: &Analysis, place: &dyn Fn(SocketAddr) -> SocketAddr) -> Vec<String> {
    let place = |at: Option<SocketAddr>| at.map(place);
    let mut all: Vec<String> = analysis
        .closes
        .iter()
        .map(|close| {
            format!(
                "{:?} {:?} {:?} {:?} {}/{} {} {:?} {:?}",
                place(close.client),
                place(close.client_side),
                place(close.server),
                close.cid,
                close.cause,
                close.detail,
                close.confidence.word(),
                close.initiator,
                close.closed_at
            )
        })
        .collect();
    all.sort();
    all
}

/// One incident before and after.
struct Case {
    incident: Incident,
    done: Redacted,
    before: Vec<String>,
    after: Vec<String>,
    files: Vec<(String, Vec<u8>)>,
}

/// Every incident, redacted once for all tests.
fn cases() -> &'static [Case] {
    static CASES: OnceLock<Vec<Case>> = OnceLock::new();
    CASES.get_or_init(|| {
        let mapper = Mapper::new(&key());
        incidents()
            .into_par_iter()
            .map(|incident| {
                let dir = tempfile::tempdir().expect("a folder");
                let (from, to) = (dir.path().join("from"), dir.path().join("to"));
                fs::create_dir(&from).expect("a folder");
                bundle(&incident, &from);
                let done = redacted(std::slice::from_ref(&from), &to);
                let moved = |at: SocketAddr| SocketAddr::new(mapper.ip(at.ip()), at.port());
                Case {
                    before: verdicts(&analyze_paths(&[from]), &moved),
                    after: verdicts(&analyze_paths(std::slice::from_ref(&to)), &|at| at),
                    files: files(&to),
                    incident,
                    done,
                }
            })
            .collect()
    })
}

#[test]
fn every_verdict_of_every_incident_stays() {
    let mut wrong = Vec::new();
    for Case {
        incident,
        done,
        before,
        after,
        ..
    } in cases()
    {
        assert!(!before.is_empty(), "{}", incident.name);
        assert!(
            done.left_out.is_empty(),
            "{}: {:?}",
            incident.name,
            done.left_out
        );
        let gone = before.iter().filter(|line| !after.contains(line));
        let new = after.iter().filter(|line| !before.contains(line));
        wrong.extend(gone.map(|line| format!("{} - {line}", incident.name)));
        wrong.extend(new.map(|line| format!("{} + {line}", incident.name)));
        assert_eq!(done.check.closes, before.len(), "{}", incident.name);
        assert!(done.check.holds(), "{}: {:?}", incident.name, done.check);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The values behind a mark in raw bytes, up to one of `ends`.
fn values(bytes: &[u8], mark: &str, ends: &str) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    text.match_indices(mark)
        .map(|(at, _)| {
            let rest = &text[at + mark.len()..];
            rest[..rest.find(|c| ends.contains(c)).unwrap_or(0)].to_owned()
        })
        .filter(|value| {
            !value.is_empty() && value.len() < 200 && value.chars().all(|c| !c.is_control())
        })
        .collect()
}

/// Everything in a bundle that names somebody or opens something, found without the code under test.
fn tokens(incident: &Incident) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = BTreeSet::new();
    for truth in &incident.closes {
        if let Ok(client) = truth.client.parse::<SocketAddr>() {
            found.insert(client.ip().to_string());
        }
        found.extend(truth.name.clone());
    }
    for file in incident.evidence() {
        let bytes = fs::read(&file).expect("a file");
        for name in [
            "name",
            "user",
            "pass",
            "auth_token",
            "server_name",
            "server_id",
            "client_ip",
            "host",
            "jwt",
            "sig",
            "nkey",
            "nonce",
            "cluster",
            "account",
        ] {
            found.extend(values(&bytes, &format!("\"{name}\":\""), "\""));
        }
        for verb in [
            "\r\nPUB ",
            "\r\nSUB ",
            "\r\nMSG ",
            "\r\nHPUB ",
            "\r\nHMSG ",
            "\r\nRS+ ",
            "\r\nLS+ ",
            "\r\nRMSG ",
            "[PUB ",
            "[SUB ",
        ] {
            found.extend(values(&bytes, verb, " \r\n]"));
        }
        for secret in [
            "password: ",
            "token: ",
            "user: ",
            "pass: ",
            "cluster_name: ",
            "server_name: ",
        ] {
            let plain = values(&bytes, secret, " ,}\r\n").into_iter();
            found.extend(plain.map(|value| value.trim_matches('"').to_owned()));
        }
        found.extend(values(&bytes, "cid:", "\n").iter().filter_map(|rest| {
            let name = rest.split('"').nth(1)?;
            name.starts_with('v')
                .then(|| name.splitn(3, ':').nth(2).map(str::to_owned))
                .flatten()
        }));
        found.extend(
            String::from_utf8_lossy(&bytes)
                .split(|c: char| !(c.is_ascii_digit() || c == '.'))
                .filter_map(|word| {
                    let ip: std::net::Ipv4Addr = word.parse().ok()?;
                    Some(ip.to_string())
                }),
        );
    }
    found.retain(|token| {
        let nobody = token
            .parse::<IpAddr>()
            .is_ok_and(|ip| ip.is_loopback() || ip.is_unspecified());
        let own = token.starts_with('$') || token.starts_with("_INBOX.>");
        // One ordinary word of the protocol names nobody.
        let word =
            runs(token).count() <= 1 && runs(token).all(|run| is_word(run) || run.len() == 1);
        // Inbox tokens are one by one below.
        !nobody && !own && !word && token.len() > 1
    });
    let inboxes: Vec<String> = found
        .iter()
        .filter(|token| token.starts_with("_INBOX."))
        .flat_map(|token| {
            token["_INBOX.".len()..]
                .split('.')
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .filter(|token| token.len() > 4)
        .collect();
    found.extend(inboxes);
    found
}

/// The token stands in the bytes as a word of its own.
fn contains(bytes: &[u8], token: &str) -> bool {
    let inside = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    memchr::memmem::find_iter(bytes, token).any(|at| {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        !inside(before) && !inside(bytes.get(at + token.len()))
    })
}

#[test]
fn no_name_address_subject_or_secret_survives() {
    let mut survived = Vec::new();
    let mut looked_for = 0;
    for Case {
        incident, files, ..
    } in cases()
    {
        let tokens = tokens(incident);
        looked_for += tokens.len();
        for token in &tokens {
            for (name, bytes) in files {
                if contains(bytes, token) || contains(name.as_bytes(), token) {
                    survived.push(format!("{}: {token} in {name}", incident.name));
                }
            }
            if let Ok(IpAddr::V4(ip)) = token.parse() {
                for (name, bytes) in files.iter().filter(|(name, _)| is_capture(name.as_ref())) {
                    if memchr::memmem::find(bytes, &ip.octets()).is_some() {
                        survived.push(format!("{}: {token} as bytes in {name}", incident.name));
                    }
                }
            }
        }
    }
    assert!(looked_for > 400, "{looked_for}");
    assert!(
        survived.is_empty(),
        "{} of {looked_for}:\n{}",
        survived.len(),
        survived.join("\n")
    );
}
