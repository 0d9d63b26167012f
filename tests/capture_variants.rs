//! One incident in sixteen encapsulations: the connections are the same in all of them.

mod captures;

use captures::{bytes, read_bytes, summary};
use natsleuth::reconstruct::capture::CaptureOptions;

/// A packet of a fixture.
struct Frame {
    seconds: u32,
    micros: u32,
    ethernet: Vec<u8>,
}

impl Frame {
    fn ip(&self) -> &[u8] {
        &self.ethernet[14..]
    }
}

fn frames(name: &str) -> Vec<Frame> {
    let file = bytes(name);
    let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().expect("four bytes"));
    let mut frames = Vec::new();
    let mut at = 24;
    while at < file.len() {
        let length = word(at + 8) as usize;
        frames.push(Frame {
            seconds: word(at),
            micros: word(at + 4),
            ethernet: file[at + 16..at + 16 + length].to_vec(),
        });
        at += 16 + length;
    }
    frames
}

/// A classic file whose numbers are written by `put`.
fn classic(
    frames: &[(u32, u32, Vec<u8>)],
    magic: u32,
    link: u32,
    scale: u32,
    put: fn(u32) -> [u8; 4],
    put16: fn(u16) -> [u8; 2],
) -> Vec<u8> {
    let mut file = put(magic).to_vec();
    file.extend(put16(2));
    file.extend(put16(4));
    for field in [0, 0, 262_144, link] {
        file.extend(put(field));
    }
    for (seconds, micros, data) in frames {
        for field in [
            *seconds,
            micros * scale,
            data.len() as u32,
            data.len() as u32,
        ] {
            file.extend(put(field));
        }
        file.extend(data);
    }
    file
}

fn little(frames: &[(u32, u32, Vec<u8>)], link: u32) -> Vec<u8> {
    classic(
        frames,
        0xa1b2_c3d4,
        link,
        1,
        u32::to_le_bytes,
        u16::to_le_bytes,
    )
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let length = (12 + body.len()) as u32;
    [
        &kind.to_le_bytes()[..],
        &length.to_le_bytes(),
        body,
        &length.to_le_bytes(),
    ]
    .concat()
}

fn section(frames: &[(u32, u32, Vec<u8>)]) -> Vec<u8> {
    let mut file = block(
        0x0a0d_0d0a,
        &[
            &0x1a2b_3c4d_u32.to_le_bytes()[..],
            &[1, 0, 0, 0],
            &[0xff; 8],
        ]
        .concat(),
    );
    // Ethernet, snap length 0, if_tsresol 9, end of options.
    file.extend(block(
        1,
        &[1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0],
    ));
    for (seconds, micros, data) in frames {
        let ns = u64::from(*seconds) * 1_000_000_000 + u64::from(*micros) * 1000;
        let mut body = 0_u32.to_le_bytes().to_vec();
        body.extend(((ns >> 32) as u32).to_le_bytes());
        body.extend((ns as u32).to_le_bytes());
        body.extend((data.len() as u32).to_le_bytes());
        body.extend((data.len() as u32).to_le_bytes());
        body.extend(data);
        body.resize(body.len().next_multiple_of(4), 0);
        file.extend(block(6, &body));
    }
    file
}

/// The same IP packet as IPv6, addresses mapped into 2001:db8::/96.
fn as_ipv6(ip: &[u8]) -> Vec<u8> {
    let total = usize::from(u16::from_be_bytes([ip[2], ip[3]]));
    let payload = &ip[20..total];
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend((payload.len() as u16).to_be_bytes());
    packet.extend([6, ip[8]]);
    for address in [&ip[12..16], &ip[16..20]] {
        packet.extend([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0]);
        packet.extend(address);
    }
    packet.extend(payload);
    packet
}

/// An Ethernet frame cut into IP fragments of at most 48 bytes.
fn fragments(ethernet: &[u8]) -> Vec<Vec<u8>> {
    let ip = &ethernet[14..];
    let total = usize::from(u16::from_be_bytes([ip[2], ip[3]]));
    let payload = &ip[20..total];
    let pieces: Vec<&[u8]> = payload.chunks(48).collect();
    let mut frames = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        let more = if index + 1 < pieces.len() { 0x2000 } else { 0 };
        let mut header = ip[..20].to_vec();
        header[2..4].copy_from_slice(&((20 + piece.len()) as u16).to_be_bytes());
        // Every whole packet needs an identification of its own, and a RST has 0: the sequence number serves.
        header[4..6].copy_from_slice(&[ip[4], ip[5]]);
        header[6..8].copy_from_slice(&(more | (index as u16 * 6)).to_be_bytes());
        frames.push([&ethernet[..14], &header[..], piece].concat());
    }
    frames
}

fn vxlan(frame: &Frame) -> Vec<u8> {
    let inner = &frame.ethernet;
    let mut packet = vec![2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8, 8, 0, 0x45, 0];
    packet.extend(((inner.len() + 36) as u16).to_be_bytes());
    packet.extend([0, 1, 0, 0, 63, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]);
    packet.extend(40_000_u16.to_be_bytes());
    packet.extend(4789_u16.to_be_bytes());
    packet.extend(((inner.len() + 16) as u16).to_be_bytes());
    packet.extend([0, 0, 8, 0, 0, 0, 0, 0, 42, 0]);
    packet.extend(inner);
    packet
}

/// Each variant's name and files, which are read as one capture.
fn variants(name: &str) -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let frames = frames(name);
    let map = |wrap: &dyn Fn(&Frame) -> Vec<u8>| -> Vec<(u32, u32, Vec<u8>)> {
        frames
            .iter()
            .map(|frame| (frame.seconds, frame.micros, wrap(frame)))
            .collect()
    };
    let plain = map(&|frame| frame.ethernet.clone());
    let half = plain.len() / 2;
    let tagged = |tags: &'static [u8]| {
        move |frame: &Frame| [&frame.ethernet[..12], tags, &frame.ethernet[12..]].concat()
    };
    let with_header = |header: &'static [u8]| move |frame: &Frame| [header, frame.ip()].concat();
    let split = frames
        .iter()
        .flat_map(|frame| {
            fragments(&frame.ethernet)
                .into_iter()
                .map(|piece| (frame.seconds, frame.micros, piece))
        })
        .collect::<Vec<_>>();
    let nano = |put, put16| classic(&plain, 0xa1b2_3c4d, 1, 1000, put, put16);
    vec![
        ("classic", vec![little(&plain, 1)]),
        (
            "nanoseconds",
            vec![nano(u32::to_le_bytes, u16::to_le_bytes)],
        ),
        (
            "big-endian",
            vec![classic(
                &plain,
                0xa1b2_c3d4,
                1,
                1,
                u32::to_be_bytes,
                u16::to_be_bytes,
            )],
        ),
        (
            "big-endian nanoseconds",
            vec![nano(u32::to_be_bytes, u16::to_be_bytes)],
        ),
        ("pcapng", vec![section(&plain)]),
        (
            "two pcapng sections",
            vec![[section(&plain[..half]), section(&plain[half..])].concat()],
        ),
        (
            "two files written one behind the other",
            vec![[little(&plain[..half], 1), little(&plain[half..], 1)].concat()],
        ),
        (
            "two rotated files",
            vec![little(&plain[..half], 1), section(&plain[half..])],
        ),
        ("VLAN", vec![little(&map(&tagged(&[0x81, 0, 0, 7])), 1)]),
        (
            "QinQ",
            vec![little(&map(&tagged(&[0x88, 0xa8, 0, 7, 0x81, 0, 0, 9])), 1)],
        ),
        (
            "Linux cooked",
            vec![little(
                &map(&with_header(&[
                    0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0,
                ])),
                113,
            )],
        ),
        (
            "Linux cooked v2",
            vec![little(
                &map(&with_header(&[
                    8, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0,
                ])),
                276,
            )],
        ),
        ("raw IP", vec![little(&map(&with_header(&[])), 101)]),
        (
            "BSD loopback",
            vec![little(&map(&with_header(&[2, 0, 0, 0])), 0)],
        ),
        ("VXLAN", vec![little(&map(&vxlan), 1)]),
        (
            "IPv6",
            vec![little(&map(&|frame| as_ipv6(frame.ip())), 101)],
        ),
        ("fragments", vec![little(&split, 1)]),
    ]
}

fn summaries(files: &[Vec<u8>], threads: usize) -> Vec<String> {
    let options = CaptureOptions {
        threads,
        ..CaptureOptions::default()
    };
    let result = read_bytes(files, &options);
    assert!(result.rejects.is_empty(), "{:?}", result.rejects);
    result.conns.iter().map(summary).collect()
}

#[test]
fn every_encapsulation_gives_the_same_connections() {
    for name in [
        "rst-injected-client.pcap",
        "idle-timeout.pcap",
        "blackhole.pcap",
    ] {
        let expected = summaries(&[bytes(name)], 1);
        assert!(expected.len() >= 3, "{name}");
        for (variant, files) in variants(name) {
            assert_eq!(summaries(&files, 1), expected, "{name} as {variant}");
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same_result() {
    for name in captures::ALL {
        let read = |threads| {
            let options = CaptureOptions {
                threads,
                ..CaptureOptions::default()
            };
            let result = read_bytes(&[bytes(name)], &options);
            format!("{:?} {:?} {:?}", result.conns, result.facts, result.rejects)
        };
        let one = read(1);
        for threads in [2, 3, 5] {
            assert_eq!(read(threads), one, "{name} with {threads} threads");
        }
    }
}

#[test]
fn every_packet_captured_twice_changes_nothing_but_the_count() {
    for name in ["rst-injected-client.pcap", "idle-timeout.pcap"] {
        let twice: Vec<_> = frames(name)
            .into_iter()
            .flat_map(|frame| {
                let copy = (frame.seconds, frame.micros, frame.ethernet);
                [copy.clone(), copy]
            })
            .collect();
        let options = CaptureOptions::default();
        let result = read_bytes(&[little(&twice, 1)], &options);
        let once = read_bytes(&[bytes(name)], &options);
        for (conn, expected) in result.conns.iter().zip(&once.conns) {
            for (flow, expected) in [(&conn.orig, &expected.orig), (&conn.resp, &expected.resp)] {
                assert_eq!(flow.retransmissions, expected.retransmissions, "{name}");
                assert_eq!(flow.bytes, expected.bytes, "{name}");
                assert_eq!(flow.packets + flow.capture_duplicates, 2 * expected.packets);
            }
            assert_eq!(conn.state, expected.state);
            assert_eq!(conn.end.manner, expected.end.manner);
        }
    }
}

#[test]
fn truncated_anywhere_nothing_breaks_and_nothing_is_invented() {
    let name = "rst-injected-client.pcap";
    let whole = bytes(name);
    let options = CaptureOptions::default();
    let packets = read_bytes(std::slice::from_ref(&whole), &options).records;
    for length in (0..whole.len()).step_by(97) {
        let result = read_bytes(&[whole[..length].to_vec()], &options);
        assert!(result.records <= packets);
        assert!(
            result
                .conns
                .iter()
                .all(|conn| conn.orig.retransmissions == 0)
        );
    }
}

#[test]
fn a_damaged_record_costs_only_itself() {
    let name = "idle-timeout.pcap";
    let mut damaged = bytes(name);
    let whole = read_bytes(&[damaged.clone()], &CaptureOptions::default());
    // The length of the 20th record becomes nonsense.
    let mut at = 24;
    for _ in 0..19 {
        at += 16 + u32::from_le_bytes(damaged[at + 8..at + 12].try_into().expect("four")) as usize;
    }
    damaged[at + 8..at + 12].copy_from_slice(&[0xff; 4]);
    let result = read_bytes(&[damaged], &CaptureOptions::default());
    assert_eq!(result.rejects.len(), 1, "{:?}", result.rejects);
    assert_eq!(result.records, whole.records - 1);
    assert_eq!(result.conns.len(), whole.conns.len());
}

#[test]
fn nats_is_found_on_any_port_by_its_banner() {
    let name = "rst-injected-client.pcap";
    let expected = summaries(&[bytes(name)], 1);
    let nothing = CaptureOptions {
        ports: vec![1],
        ..CaptureOptions::default()
    };
    assert!(read_bytes(&[bytes(name)], &nothing).conns.is_empty());
    let auto = CaptureOptions {
        auto_ports: true,
        ..nothing
    };
    let result = read_bytes(&[bytes(name)], &auto);
    let found: Vec<String> = result.conns.iter().map(summary).collect();
    assert_eq!(found, expected);
}
