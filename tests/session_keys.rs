//! TLS sessions whose secrets were logged, from the captures in `fixtures/captures` (their origin is told in
//! `fixtures/README.md`): opened, opened in part, and not at all.

mod captures;

use std::fmt::Write;
use std::sync::Arc;

use captures::{bytes, read_bytes};
use natsleuth::reconstruct::capture::{CaptureOptions, CaptureResult};
use natsleuth::reconstruct::key_log::KeyLog;
use natsleuth::reconstruct::session::{Keys, Protocol, Session, Verb};

/// Captures with a key log beside them.
const LOGGED: [&str; 3] = [
    "tls-first-chacha",
    "tls12-max-payload",
    "websocket-tls-deflate",
];

fn key_log(name: &str) -> Vec<u8> {
    bytes(&format!("{name}.keys"))
}

fn read(capture: Vec<u8>, keys: &[u8], threads: usize) -> CaptureResult {
    let mut log = KeyLog::default();
    assert_eq!(log.add(keys).broken, None);
    let options = CaptureOptions {
        ports: vec![4222, 8080],
        keys: Arc::new(log),
        threads,
        ..CaptureOptions::default()
    };
    read_bytes(&[capture], &options)
}

fn session(result: &CaptureResult) -> &Session {
    assert_eq!(result.conns.len(), 1);
    result.conns[0].session.as_ref().expect("payload was seen")
}

fn opened(name: &str) -> Session {
    let result = read(bytes(&format!("{name}.pcap")), &key_log(name), 1);
    assert!(result.rejects.is_empty(), "{:?}", result.rejects);
    let session = session(&result).clone();
    let tls = session.tls.as_ref().expect("TLS was seen");
    assert_eq!((tls.keys, tls.decrypted), (Keys::Fit, true), "{name}");
    assert_eq!(session.garbage, None);
    session
}

#[test]
fn secrets_inside_the_capture() {
    // TLS 1.3 with AES-128-GCM after INFO; request, answer, a message with headers, then the client closes.
    for threads in [1, 3] {
        let result = read(bytes("tls-after-info-secrets.pcapng"), b"", threads);
        assert!(result.rejects.is_empty(), "{:?}", result.rejects);
        let session = session(&result);
        let tls = session.tls.as_ref().unwrap();
        assert!(tls.decrypted && !tls.first);
        let connect = session.connect.as_ref().unwrap();
        assert_eq!(connect.name.as_deref(), Some("orders"));
        assert!(session.ready_at > session.connect_at);
        assert_eq!(
            (session.client.messages, session.client.message_bytes),
            (3, 532)
        );
        assert_eq!(session.client.asked.as_ref().unwrap().requests, 1);
        assert!(session.client.asked.as_ref().unwrap().latency.is_some());
        assert!(session.client.unanswered_pings.is_empty());
        let words: Vec<&str> = tls.alerts.iter().map(|alert| &*alert.2).collect();
        assert_eq!(words, ["close_notify", "close_notify"]);
        assert!(tls.client_close_notify.is_some() && tls.server_close_notify.is_some());
    }
}

#[test]
fn tls_first_with_chacha20_and_a_client_that_stopped() {
    let session = opened("tls-first-chacha");
    assert_eq!(session.protocol, Protocol::Client);
    assert!(session.tls.as_ref().unwrap().first);
    assert_eq!(session.info.as_ref().unwrap().client_id, Some(5));
    assert_eq!(&*session.errors[0].text, "Stale Connection");
    assert_eq!(session.server.unanswered_pings.len(), 2);
    let verbs: Vec<Verb> = session.server.last_ops.iter().map(|op| op.1).collect();
    assert!(
        verbs.ends_with(&[Verb::Ping, Verb::Ping, Verb::Err]),
        "{verbs:?}"
    );
}

#[test]
fn tls_1_2_with_aes_256_and_a_payload_that_is_too_large() {
    let session = opened("tls12-max-payload");
    assert_eq!(
        session.tls.as_ref().unwrap().version.as_deref(),
        Some("TLS 1.2")
    );
    assert_eq!(&*session.errors[0].text, "Maximum Payload Violation");
    assert_eq!(session.info.as_ref().unwrap().max_payload, Some(1024));
    assert_eq!(session.client.largest_message, 2000);
}

#[test]
fn a_websocket_inside_tls() {
    let session = opened("websocket-tls-deflate");
    assert_eq!(
        session.connect.as_ref().unwrap().name.as_deref(),
        Some("browser")
    );
    assert_eq!((session.client.messages, session.server.messages), (3, 3));
    let websocket = session.websocket.as_ref().unwrap();
    assert!(websocket.deflate && !websocket.server_takeover);
    let (_, from_server, code, reason) = websocket.close.clone().unwrap();
    assert_eq!(
        (from_server, code, &*reason),
        (true, 1001, "Server Shutdown")
    );
}

/// The log with other secrets: every hexadecimal digit of the last word is turned.
fn wrong(log: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(log.to_vec()).unwrap();
    let mut out = String::new();
    for line in text.lines() {
        match line.rsplit_once(' ') {
            Some((head, secret)) if !line.starts_with('#') => {
                let turned: String = secret.chars().rev().collect();
                writeln!(out, "{head} {turned}").unwrap();
            }
            _ => writeln!(out, "{line}").unwrap(),
        }
    }
    out.into_bytes()
}

#[test]
fn wrong_keys_are_named_and_the_rest_is_as_without_keys() {
    for name in LOGGED {
        let capture = bytes(&format!("{name}.pcap"));
        let result = read(capture.clone(), &wrong(&key_log(name)), 1);
        let blind = read(capture, b"", 1);
        assert_eq!(session(&result).tls.as_ref().unwrap().keys, Keys::Wrong);
        assert_eq!(result.rejects.len(), 1, "{:?}", result.rejects);
        assert!(result.rejects[0].why.contains("open no record"));
        assert!(blind.rejects.is_empty());
        let without = |result: &CaptureResult| {
            let mut session = session(result).clone();
            session.tls.as_mut().unwrap().keys = Keys::NotGiven;
            format!("{session:?}")
        };
        assert_eq!(without(&result), without(&blind), "{name}");
    }
}

/// The records of a classic capture.
fn records(capture: &[u8]) -> Vec<&[u8]> {
    let mut records = Vec::new();
    let mut rest = &capture[24..];
    while rest.len() >= 16 {
        let len = u32::from_le_bytes(rest[8..12].try_into().unwrap()) as usize;
        let (record, after) = rest.split_at(16 + len);
        records.push(record);
        rest = after;
    }
    records
}

#[test]
fn with_any_packet_missing_the_rest_is_opened() {
    for name in LOGGED {
        let capture = bytes(&format!("{name}.pcap"));
        let keys = key_log(name);
        let records = records(&capture);
        let whole = opened(name);
        let mut shut = Vec::new();
        for lost in 0..records.len() {
            let mut file = capture[..24].to_vec();
            for (index, record) in records.iter().enumerate() {
                if index != lost {
                    file.extend(*record);
                }
            }
            let result = read(file, &keys, 1);
            let session = session(&result);
            let tls = session.tls.as_ref().expect("TLS is still seen");
            assert_ne!(tls.keys, Keys::Wrong, "{name} without packet {}", lost + 1);
            assert!(session.client.messages <= whole.client.messages);
            assert!(session.server.messages <= whole.server.messages);
            assert!(session.errors.len() <= whole.errors.len());
            if !tls.decrypted || session.connect.is_none() {
                shut.push((lost + 1, tls.keys));
            }
        }
        // Without a hello there are no keys; a packet with the CONNECT or the only data of an end may be the missing one.
        assert!(shut.len() <= 4, "{name}: shut without {shut:?}");
    }
}

#[test]
fn segments_cut_anywhere_make_no_difference() {
    for name in LOGGED {
        let capture = bytes(&format!("{name}.pcap"));
        let keys = key_log(name);
        let whole = without_frames(&opened(name));
        for size in [1, 7, 100, 1448] {
            let mut file = capture[..24].to_vec();
            for record in records(&capture) {
                file.extend(cut(record, size));
            }
            let result = read(file, &keys, 1);
            assert_eq!(without_frames(session(&result)), whole, "{name} by {size}");
        }
    }
}

/// A session without the numbers of its packets.
fn without_frames(session: &Session) -> String {
    let text = format!("{session:?}");
    let mut parts = text.split("frame: ");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    out
}

/// An Ethernet record of a TCP segment as several of at most `size` payload bytes.
fn cut(record: &[u8], size: usize) -> Vec<u8> {
    let (head, ethernet) = record.split_at(16);
    let v6 = ethernet[12..14] == [0x86, 0xdd];
    let tcp = if v6 { 14 + 40 } else { 14 + 20 };
    let data = tcp + usize::from(ethernet[tcp + 12] >> 4) * 4;
    let payload = &ethernet[data..];
    if payload.is_empty() {
        return record.to_vec();
    }
    let seq = u32::from_be_bytes(ethernet[tcp + 4..tcp + 8].try_into().unwrap());
    let mut out = Vec::new();
    for (index, part) in payload.chunks(size).enumerate() {
        let mut packet = ethernet[..data].to_vec();
        let at = seq.wrapping_add((index * size) as u32);
        packet[tcp + 4..tcp + 8].copy_from_slice(&at.to_be_bytes());
        let last = (index + 1) * size >= payload.len();
        if !last {
            // FIN and PSH belong to the last one.
            packet[tcp + 13] &= !0x09;
        }
        packet.extend(part);
        let len = (packet.len() - if v6 { tcp } else { 14 }) as u16;
        let place = if v6 { 14 + 4 } else { 14 + 2 };
        packet[place..place + 2].copy_from_slice(&len.to_be_bytes());
        out.extend(&head[..8]);
        out.extend((packet.len() as u32).to_le_bytes());
        out.extend((packet.len() as u32).to_le_bytes());
        out.extend(packet);
    }
    out
}
