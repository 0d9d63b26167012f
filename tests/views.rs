//! The same incidents told in part or in another form: less evidence may leave a close unexplained, never blame something else.

mod damage_kit;
mod incident_kit;

use std::fs;
use std::path::{Path, PathBuf};

use damage_kit::{records, rewritten};
use incident_kit::{Incident, analyze_paths, incidents, is_capture, verdict};

fn named(path: &Path, start: &str) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with(start))
}

/// Closes with a verdict that is neither true nor an honest "unexplained".
fn blamed(incident: &Incident, paths: &[PathBuf]) -> Vec<String> {
    let analysis = analyze_paths(paths);
    let mut wrong = Vec::new();
    for (truth, close) in incident.pairs(&analysis) {
        let Some(close) = close else { continue };
        if close.cause != "unexplained" && !truth.allows_cause(&close) {
            wrong.push(format!(
                "{} {}: {}/{} is true, got {}",
                incident.name,
                truth.client,
                truth.cause,
                truth.detail,
                verdict(Some(&close))
            ));
        }
    }
    wrong
}

/// Holds one view of every incident against the truth; `open` lists the incidents whose view is known to mislead today.
fn view(part: fn(&Path) -> bool, open: &[&str]) {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for incident in incidents() {
        let paths: Vec<PathBuf> = incident
            .evidence()
            .into_iter()
            .filter(|path| part(path))
            .collect();
        if paths.is_empty() {
            continue;
        }
        seen += 1;
        let found = blamed(&incident, &paths);
        if open.contains(&incident.name.as_str()) {
            continue;
        }
        wrong.extend(found);
    }
    assert!(seen >= 20, "{seen} incidents have this view");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn logs_alone_never_blame_another_cause() {
    view(|path| !is_capture(path), &["accept-queue", "nat-reset"]);
}

#[test]
fn captures_alone_never_blame_another_cause() {
    view(is_capture, &["proxy-idle-timeout"]);
}

/// What packets alone tell, detail and all: each incident with a near-miss of another name.
#[test]
fn captures_alone_tell_details_apart() {
    let told = [
        ("fd-exhaustion", "10.77.1.2:54960", "overload/fd-exhaustion"),
        ("server-stall", "10.77.1.2:55204", "overload/server-stall"),
        ("killed-tls", "172.22.9.2:33382", "server-shutdown/killed"),
        (
            "tls-server-stopped",
            "10.77.1.2:48528",
            "server-shutdown/graceful",
        ),
        ("server-killed", "10.77.1.2:60668", "server-shutdown/killed"),
    ];
    let mut wrong = Vec::new();
    for (name, client, expected) in told {
        let incidents = incidents();
        let incident = incidents
            .iter()
            .find(|incident| incident.name == name)
            .unwrap_or_else(|| panic!("{name}"));
        let paths: Vec<PathBuf> = incident
            .evidence()
            .into_iter()
            .filter(|path| is_capture(path))
            .collect();
        let analysis = analyze_paths(&paths);
        let close = analysis.closes.iter().find(|close| {
            close
                .client
                .is_some_and(|address| address.to_string() == client)
        });
        let got = close
            .as_ref()
            .map(|close| format!("{}/{}", close.cause, close.detail));
        if got.as_deref() != Some(expected) {
            wrong.push(format!("{name} {client}: {}", verdict(close.as_deref())));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_clients_side_alone_never_blames_another_cause() {
    view(|path| named(path, "client"), &[]);
}

#[test]
fn the_servers_side_alone_never_blames_another_cause() {
    view(|path| named(path, "server"), &["proxy-idle-timeout"]);
}

/// Every incident, rewritten, gets the verdicts that are true.
fn same_verdicts(edit: fn(&Path, Vec<u8>) -> Vec<u8>) {
    let mut wrong = Vec::new();
    for incident in incidents() {
        let (_folder, paths) = rewritten(&incident.evidence(), edit);
        wrong.extend(incident.untrue(&analyze_paths(&paths)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Two digits of `line` at `at`, as a number.
fn digits(line: &[u8], at: usize) -> Option<u32> {
    std::str::from_utf8(line.get(at..at + 2)?)
        .ok()?
        .parse()
        .ok()
}

/// A nats-server line (`[7] 2026/11/23 06:40:01.123456 [INF] ...`) with its time moved 90 seconds on, within its day.
fn later(line: &[u8]) -> Vec<u8> {
    let mut line = line.to_vec();
    let moved = (|| {
        let start = line.iter().position(|&byte| byte == b']')? + 2;
        let at = start + 11;
        if line.get(start + 4) != Some(&b'/') || line.get(at + 2) != Some(&b':') {
            return None;
        }
        let seconds =
            (digits(&line, at)? * 60 + digits(&line, at + 3)?) * 60 + digits(&line, at + 6)? + 90;
        let text = format!(
            "{:02}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        );
        (seconds < 86_400).then_some((at, text))
    })();
    if let Some((at, text)) = moved {
        line[at..at + 8].copy_from_slice(text.as_bytes());
    }
    line
}

#[test]
fn server_logs_whose_clock_is_wrong_give_the_same_verdicts() {
    let sample = b"[7] 2026/11/23 06:59:01.123456 [INF] Server is ready";
    assert_eq!(
        later(sample),
        b"[7] 2026/11/23 07:00:31.123456 [INF] Server is ready"
    );
    same_verdicts(|path, bytes| {
        let log = path.extension().is_some_and(|ending| ending == "log");
        if !(named(path, "server") && log) {
            return bytes;
        }
        bytes
            .split(|&byte| byte == b'\n')
            .map(later)
            .collect::<Vec<_>>()
            .join(&b'\n')
    });
}

/// A classic little-endian capture with microseconds as pcapng: section, one interface, enhanced packets.
fn pcapng(classic: &[u8]) -> Vec<u8> {
    let word = |at: usize| u32::from_le_bytes(classic[at..at + 4].try_into().expect("four bytes"));
    assert_eq!(
        word(0),
        0xa1b2_c3d4,
        "the fixtures are classic, little-endian, microseconds"
    );
    let mut file = Vec::new();
    let mut block = |kind: u32, body: &[u8]| {
        let length = (body.len().next_multiple_of(4) + 12) as u32;
        file.extend(kind.to_le_bytes());
        file.extend(length.to_le_bytes());
        file.extend(body);
        file.resize(file.len().next_multiple_of(4), 0);
        file.extend(length.to_le_bytes());
    };
    let words = |words: &[u32]| {
        words
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    block(0x0a0d_0d0a, &words(&[0x1a2b_3c4d, 1, u32::MAX, u32::MAX]));
    block(1, &words(&[word(20), word(16)]));
    let mut at = 24;
    while at + 16 <= classic.len() {
        let kept = word(at + 8);
        let micros = u64::from(word(at)) * 1_000_000 + u64::from(word(at + 4));
        let mut body = words(&[0, (micros >> 32) as u32, micros as u32, kept, word(at + 12)]);
        body.extend(&classic[at + 16..at + 16 + kept as usize]);
        block(6, &body);
        at += 16 + kept as usize;
    }
    file
}

#[test]
fn the_same_packets_as_pcapng_give_the_same_verdicts() {
    same_verdicts(|path, bytes| {
        if is_capture(path) {
            pcapng(&bytes)
        } else {
            bytes
        }
    });
}

/// A classic capture as `tcpdump -s LENGTH` would have taken it.
fn snapped(file: &[u8], length: usize) -> Vec<u8> {
    let (mut out, packets) = records(file, true);
    for packet in packets {
        let kept = packet.len().min(16 + length);
        let captured = u32::try_from(kept - 16).expect("a length").to_le_bytes();
        out.extend_from_slice(&packet[..8]);
        out.extend_from_slice(&captured);
        out.extend_from_slice(&packet[12..kept]);
    }
    out
}

/// Snap lengths that are in use: headers without options, the old default of tcpdump, with options, and a little payload.
const SNAP_LENGTHS: [usize; 5] = [54, 68, 96, 128, 200];

#[test]
fn captures_whose_packets_are_cut_never_blame_another_cause() {
    let mut wrong = Vec::new();
    // What a proxy does looks from one leg like what its peer does.
    let told_apart = |incident: &Incident| incident.name != "proxy-idle-timeout";
    for incident in incidents().into_iter().filter(told_apart) {
        for length in SNAP_LENGTHS {
            let (_folder, paths) = rewritten(&incident.evidence(), |path, bytes| {
                if is_capture(path) {
                    snapped(&bytes, length)
                } else {
                    bytes
                }
            });
            let captures: Vec<PathBuf> = paths
                .iter()
                .filter(|path| is_capture(path))
                .cloned()
                .collect();
            let told = [("all", &paths), ("captures", &captures)];
            for (view, paths) in told.into_iter().filter(|(_, paths)| !paths.is_empty()) {
                // That the client closed first is no blame, where it is called no more than possible.
                let found = blamed(&incident, paths).into_iter().filter(|text| {
                    !(text.contains("got client-close/") && text.ends_with("(possible)"))
                });
                wrong.extend(found.map(|text| format!("{length} {view} {text}")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Incidents whose captures are rewritten, and all else is there: nothing else may be blamed.
fn captures_may_hold(part: fn(Vec<Vec<u8>>) -> Vec<Vec<u8>>) {
    let mut wrong = Vec::new();
    for incident in incidents() {
        let (_folder, paths) = rewritten(&incident.evidence(), |path, bytes| {
            if !is_capture(path) {
                return bytes;
            }
            let (head, packets) = records(&bytes, true);
            [head, part(packets).concat()].concat()
        });
        wrong.extend(blamed(&incident, &paths));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn captures_that_begin_late_never_blame_another_cause() {
    captures_may_hold(|mut packets| packets.split_off(packets.len() / 3));
}

#[test]
fn captures_that_end_early_never_blame_another_cause() {
    captures_may_hold(|mut packets| {
        packets.truncate(packets.len() * 2 / 3);
        packets
    });
}

/// From a server that was killed (nats.js 2.29.3): the process ended before its library had found another server.
const LEFT_WHILE_RECONNECTING: &str = "\
[2026-11-23T05:19:20.083Z] [bg-0] connected to 10.77.2.2:4222
[2026-11-23T05:19:24.343Z] [bg-0] status: disconnect 10.77.2.2:4222
[2026-11-23T05:19:24.343Z] [bg-0] status: reconnecting 10.77.2.2:4222
[2026-11-23T05:19:25.383Z] [bg-0] exiting, received 13
[2026-11-23T05:19:25.383Z] [bg-0] connection closed
";

#[test]
fn a_client_that_ends_while_it_reconnects_had_lost_its_connection() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let log = folder.path().join("client-bg-0.log");
    fs::write(&log, LEFT_WHILE_RECONNECTING).expect("a log");
    let analysis = analyze_paths(&[log]);
    let causes: Vec<&str> = analysis.closes.iter().map(|close| close.cause).collect();
    assert_eq!(causes, ["unexplained"]);
}

/// A server's log with `logtime: false`: `[PID] [LEVEL] text`.
fn timeless(log: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(log.len());
    for line in log.split_inclusive(|byte| *byte == b'\n') {
        let mut words = line.splitn(4, |byte| *byte == b' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some(pid), Some(day), Some(_), Some(rest))
                if pid.starts_with(b"[") && day.contains(&b'/') && rest.starts_with(b"[") =>
            {
                out.extend_from_slice(pid);
                out.push(b' ');
                out.extend_from_slice(rest);
            }
            _ => out.extend_from_slice(line),
        }
    }
    out
}

/// A reload that carries no time cannot be tied to the closes that it caused, and an idle timeout not to its silence.
const UNTIMED_MISLEAD: [&str; 3] = ["account-moved", "proxy-idle-timeout", "user-removed"];

#[test]
fn server_logs_without_times_tell_their_closes_and_blame_nothing_else() {
    let (mut wrong, mut told) = (Vec::new(), 0);
    for incident in incidents() {
        let (_folder, paths) = rewritten(&incident.evidence(), |path, bytes| {
            if named(path, "server") && !is_capture(path) {
                timeless(&bytes)
            } else {
                bytes
            }
        });
        let is_log =
            |path: &&PathBuf| named(path, "server") && path.extension() == Some("log".as_ref());
        let alone: Vec<PathBuf> = paths.iter().filter(is_log).cloned().collect();
        for (view, paths) in [("all", &paths), ("alone", &alone)] {
            if paths.is_empty() {
                continue;
            }
            let misled = view == "all" && UNTIMED_MISLEAD.contains(&incident.name.as_str());
            // That the client closed first is no blame, where it is called no more than possible.
            let no_blame =
                |text: &String| text.contains("got client-close/") && text.ends_with("(possible)");
            let mut found = blamed(&incident, paths);
            found.retain(|text| !misled && !no_blame(text));
            let found = found.into_iter();
            wrong.extend(found.map(|text| format!("{view} {text}")));
            if view == "alone" {
                told += analyze_paths(paths).closes.len();
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(told > 100, "{told} closes stand in the logs alone");
}
