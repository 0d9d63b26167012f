//! Captures as people really make them: ports used again, beginnings missed, packets twice, late, cut off or lost by the
//! capture itself. Each is a dialogue written as a file of raw IP packets.

mod captures;

use captures::read_bytes;
use natsleuth::reconstruct::capture::{CaptureOptions, CaptureResult};
use natsleuth::reconstruct::conn::Conn;

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const PSH: u8 = 8;
const ACK: u8 = 16;

/// One packet.
#[derive(Clone)]
struct Say {
    /// `>` from the client, `<` from the server.
    from: char,
    /// Milliseconds since the beginning.
    ms: u32,
    /// And microseconds.
    us: u32,
    flags: u8,
    seq: u32,
    ack: u32,
    data: Vec<u8>,
    id: u16,
    window: u16,
}

fn say(from: char, ms: u32, flags: u8, seq: u32, ack: u32, len: usize) -> Say {
    Say {
        from,
        ms,
        us: 0,
        flags,
        seq,
        ack,
        data: vec![b'x'; len],
        id: 100 + ms as u16,
        window: 500,
    }
}

fn open(ms: u32, isn: u32) -> Vec<Say> {
    vec![
        say('>', ms, SYN, isn, 0, 0),
        say('<', ms + 1, SYN | ACK, 5000, isn + 1, 0),
        say('>', ms + 2, ACK, isn + 1, 5001, 0),
    ]
}

fn closed(ms: u32, seq: u32, ack: u32) -> Vec<Say> {
    vec![
        say('>', ms, FIN | ACK, seq, ack, 0),
        say('<', ms + 1, FIN | ACK, ack, seq + 1, 0),
        say('>', ms + 2, ACK, seq + 1, ack + 1, 0),
    ]
}

fn ip(packet: &Say, ports: (u16, u16)) -> Vec<u8> {
    let (client, server) = ([10, 0, 0, 1], [10, 0, 0, 2]);
    let (src, dst, from, to) = match packet.from {
        '>' => (client, server, ports.0, ports.1),
        _ => (server, client, ports.1, ports.0),
    };
    let mut bytes = vec![0x45, 0];
    bytes.extend((40 + packet.data.len() as u16).to_be_bytes());
    bytes.extend(packet.id.to_be_bytes());
    bytes.extend([0x40, 0, 64, 6, 0, 0]);
    bytes.extend(src);
    bytes.extend(dst);
    bytes.extend(from.to_be_bytes());
    bytes.extend(to.to_be_bytes());
    bytes.extend(packet.seq.to_be_bytes());
    bytes.extend(packet.ack.to_be_bytes());
    bytes.extend([0x50, packet.flags]);
    bytes.extend(packet.window.to_be_bytes());
    bytes.extend([0; 4]);
    bytes.extend(&packet.data);
    bytes
}

/// A classic file of raw IP, cut at `snap` bytes a packet.
fn file(dialogue: &[Say], ports: (u16, u16), snap: usize) -> Vec<u8> {
    let mut file = 0xa1b2_c3d4_u32.to_le_bytes().to_vec();
    file.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    file.extend((snap as u32).to_le_bytes());
    file.extend(101_u32.to_le_bytes());
    for packet in dialogue {
        let bytes = ip(packet, ports);
        let kept = bytes.len().min(snap);
        let time = [
            1_700_000_000 + packet.ms / 1000,
            packet.ms % 1000 * 1000 + packet.us,
        ];
        for field in [time[0], time[1], kept as u32, bytes.len() as u32] {
            file.extend(field.to_le_bytes());
        }
        file.extend(&bytes[..kept]);
    }
    file
}

fn read_at(dialogue: &[Say], ports: (u16, u16), snap: usize) -> CaptureResult {
    let options = CaptureOptions {
        all: true,
        ..CaptureOptions::default()
    };
    let result = read_bytes(&[file(dialogue, ports, snap)], &options);
    assert!(result.rejects.is_empty(), "{:?}", result.rejects);
    result
}

fn read(dialogue: &[Say]) -> Vec<Conn> {
    read_at(dialogue, (40_000, 4222), 65_535).conns
}

fn states(dialogue: &[Say]) -> Vec<(&'static str, String)> {
    let conns = read(dialogue);
    conns
        .iter()
        .map(|conn| (conn.state, conn.history.to_string()))
        .collect()
}

fn expect(dialogue: &[Say], expected: &[(&str, &str)]) {
    let found = states(dialogue);
    let found: Vec<(&str, &str)> = found.iter().map(|(code, text)| (*code, &**text)).collect();
    assert_eq!(found, expected);
}

#[test]
fn ports_used_again() {
    let first = [open(0, 1000), closed(10, 1001, 5001)].concat();
    let again = [first, open(500, 90_000)].concat();
    expect(&again, &[("SF", "ShAFf"), ("S1", "ShA")]);
    // Without any end of the first being seen.
    let abandoned = [open(0, 1000), open(500, 90_000)].concat();
    expect(&abandoned, &[("S1", "ShA"), ("S1", "ShA")]);
    // Within the time in which stragglers are expected, and behind a RST.
    let reset = [
        open(0, 1000),
        vec![say('<', 10, RST | ACK, 5001, 1001, 0)],
        open(12, 90_000),
    ]
    .concat();
    expect(&reset, &[("RSTR", "ShAr"), ("S1", "ShA")]);
}

#[test]
fn a_refused_attempt_that_is_made_again_is_another_one() {
    let attempt = |ms| {
        vec![
            say('>', ms, SYN, 1000, 0, 0),
            say('<', ms + 1, RST | ACK, 0, 1001, 0),
        ]
    };
    let thrice = [attempt(0), attempt(500), attempt(1000)].concat();
    expect(&thrice, &[("REJ", "Sr"); 3]);
    let mut again = attempt(0);
    again.insert(1, say('>', 200, SYN, 1000, 0, 0));
    again[2].ms = 201;
    expect(&again, &[("REJ", "Sr")]);
}

#[test]
fn beginnings_that_were_missed() {
    let whole = [open(0, 1000), closed(10, 1001, 5001)].concat();
    expect(&whole[1..], &[("SF", "^hAFf")]);
    expect(&whole[2..], &[("SF", "AFf")]);
    let conns = read(&whole[3..]);
    assert_eq!(conns[0].tuple.resp.port(), 4222);
    // The server's packet first: its port tells.
    let conns = read(&whole[4..]);
    assert_eq!(conns[0].tuple.resp.port(), 4222);
    assert_eq!(&*conns[0].history, "^fA");
}

#[test]
fn without_a_known_port_a_syn_ack_alone_is_taken_for_a_scan() {
    let whole = [open(0, 1000), closed(10, 1001, 5001)].concat();
    let alone = read_at(&whole[1..2], (40_000, 41_000), 65_535).conns;
    assert_eq!((alone[0].state, &*alone[0].history), ("OTH", "H"));
    assert!(alone[0].zeek_swaps);
    // For attribution its sender is the server all the same.
    assert_eq!(alone[0].tuple.resp.port(), 41_000);
    let followed = read_at(&whole[1..], (40_000, 41_000), 65_535).conns;
    assert_eq!((followed[0].state, &*followed[0].history), ("SF", "^hAFf"));
    assert!(!followed[0].zeek_swaps);
}

#[test]
fn a_handshake_recorded_in_another_order() {
    let mut swapped = [open(0, 1000), closed(10, 1001, 5001)].concat();
    swapped.swap(0, 1);
    let conns = read(&swapped);
    assert_eq!((conns.len(), conns[0].state), (1, "SF"));
    assert_eq!(conns[0].tuple.resp.port(), 4222);
    // The SYN behind the ACK that completes it: positions stay as they are.
    let mut late = [
        open(0, 1000),
        vec![say('>', 5, PSH | ACK, 1001, 5001, 50)],
        closed(10, 1051, 5001),
    ]
    .concat();
    let syn = late.remove(0);
    late.insert(3, syn);
    let conns = read(&late);
    assert_eq!(conns.len(), 1);
    assert_eq!(
        (conns[0].orig.bytes, conns[0].orig.retransmissions),
        (50, 0)
    );
    assert_eq!(conns[0].orig.isn, Some(1000));
    assert!(conns[0].orig.capture_lost_bytes == 0);
}

#[test]
fn both_ends_open_at_once() {
    // Zeek's definition: the second SYN begins the connection that comes about.
    let dialogue = vec![
        say('>', 0, SYN, 1000, 0, 0),
        say('<', 1, SYN, 5000, 0, 0),
        say('>', 2, SYN | ACK, 1000, 5001, 0),
        say('<', 3, SYN | ACK, 5000, 1001, 0),
        say('>', 4, ACK, 1001, 5001, 0),
    ];
    expect(&dialogue, &[("S0", "S"), ("S1", "Sha")]);
}

#[test]
fn only_answers_are_captured() {
    let answers = |ms, isn| {
        vec![
            say('<', ms, SYN | ACK, isn, 1001, 0),
            say('<', ms + 5, PSH | ACK, isn + 1, 1001, 30),
            say('<', ms + 9, FIN | ACK, isn + 31, 1001, 0),
        ]
    };
    let twice = [answers(0, 5000), answers(300, 9000)].concat();
    expect(&twice, &[("SHR", "^hdf"), ("SHR", "^hdf")]);
}

#[test]
fn equal_resets_answer_a_packet_each() {
    let reset = |us| Say {
        us,
        id: 0,
        ..say('>', 10, RST, 1001, 0, 0)
    };
    let answer = |us, window| Say {
        us,
        window,
        id: 0,
        ..say('<', 10, SYN | ACK, 5000, 1001, 0)
    };
    let mut dialogue = vec![say('>', 0, SYN, 1000, 0, 0)];
    dialogue.extend([answer(0, 500), answer(10, 501), reset(20), reset(30)]);
    let conn = &read(&dialogue)[0];
    assert_eq!((conn.orig.packets, conn.orig.capture_duplicates), (3, 0));
    // A SYN,ACK without identification is sent again only after a while: the capture recorded it twice.
    dialogue.insert(2, answer(5, 500));
    let conn = &read(&dialogue)[0];
    assert_eq!((conn.resp.packets, conn.resp.capture_duplicates), (2, 1));
}

#[test]
fn cut_by_the_snap_length_sizes_still_count() {
    let dialogue = [
        open(0, 1000),
        vec![
            say('<', 5, PSH | ACK, 5001, 1001, 1000),
            say('>', 6, ACK, 1001, 6001, 0),
        ],
        closed(10, 1001, 6001),
    ]
    .concat();
    let result = read_at(&dialogue, (40_000, 4222), 60);
    let conn = &result.conns[0];
    assert_eq!((conn.resp.bytes, conn.resp.snapped_bytes), (1000, 980));
    assert_eq!(conn.resp.capture_lost_bytes, 0);
    assert_eq!(conn.state, "SF");
    assert!(result.facts.snapped);
}

#[test]
fn what_the_capture_lost_is_no_loss_of_the_network() {
    let mut dialogue = open(0, 1000);
    for index in 0..5 {
        dialogue.push(say(
            '<',
            5 + index,
            PSH | ACK,
            5001 + 100 * index,
            1001,
            100,
        ));
    }
    dialogue.push(say('>', 12, ACK, 1001, 5501, 0));
    dialogue.push(say('<', 90, PSH | ACK, 5501, 1001, 100));
    dialogue.remove(5);
    let conns = read(&dialogue);
    let flow = &conns[0].resp;
    assert_eq!((flow.capture_lost_bytes, flow.retransmissions), (100, 0));
    assert_eq!(&*conns[0].history, "ShAdg");
}

#[test]
fn overtaken_and_sent_again_and_recorded_twice_are_three_things() {
    let data = |ms: u32, seq: u32| say('<', ms, PSH | ACK, seq, 1001, 100);
    let plain = [
        open(0, 1000),
        vec![data(5, 5001), data(6, 5101), data(7, 5201)],
    ]
    .concat();
    let flow = |dialogue: &[Say]| {
        let conn = &read(dialogue)[0];
        let flow = &conn.resp;
        (
            flow.out_of_order,
            flow.retransmissions,
            flow.capture_duplicates,
            flow.bytes,
        )
    };
    assert_eq!(flow(&plain), (0, 0, 0, 300));
    let mut overtaken = plain.clone();
    overtaken.swap(4, 5);
    assert_eq!(flow(&overtaken), (1, 0, 0, 300));
    let mut again = plain.clone();
    again.push(Say {
        id: 999,
        ..data(250, 5101)
    });
    assert_eq!(flow(&again), (0, 1, 0, 300));
    let mut twice = plain.clone();
    twice.insert(5, plain[4].clone());
    assert_eq!(flow(&twice), (0, 0, 1, 300));
}

#[test]
fn a_shut_window_is_probed() {
    let mut dialogue = [open(0, 1000), vec![say('<', 5, PSH | ACK, 5001, 1001, 500)]].concat();
    let shut = |ms: u32, ack: u32| Say {
        window: 0,
        ..say('>', ms, ACK, 1001, ack, 0)
    };
    dialogue.push(shut(6, 5501));
    for probe in 1..4 {
        dialogue.push(say('<', probe * 1000, ACK, 5501, 1001, 1));
        dialogue.push(shut(probe * 1000 + 1, 5501));
    }
    dialogue.push(say('>', 5000, ACK, 1001, 5501, 0));
    let conn = &read(&dialogue)[0];
    assert_eq!(conn.resp.zero_window_probes, 3);
    assert_eq!(conn.orig.zero_windows, 1);
    assert_eq!(conn.orig.zero_window_ns, 4_994_000_000);
}
