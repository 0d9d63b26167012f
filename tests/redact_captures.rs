//! Redacted captures: packets, times and lengths stay, checksums stay right, and the same packets in another file format or
//! inside a tunnel become the same packets again.

use std::fs;
use std::path::{Path, PathBuf};

use natsleuth::analyze::Options;
use natsleuth::progress::Silent;
use natsleuth::redact::{self, Key};

/// Seconds, fraction, length on the wire, bytes.
type Frame = (u32, u32, u32, Vec<u8>);

/// Every capture of the fixtures; all are classic, little-endian.
fn captures() -> Vec<PathBuf> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut folders = vec![fixtures.join("captures"), fixtures.join("incidents")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "pcap") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn frames(file: &[u8]) -> Vec<Frame> {
    let (mut at, mut found) = (24, Vec::new());
    while at + 16 <= file.len() {
        let length = number(file, at + 8) as usize;
        let bytes = file[at + 16..at + 16 + length].to_vec();
        found.push((
            number(file, at),
            number(file, at + 4),
            number(file, at + 12),
            bytes,
        ));
        at += 16 + length;
    }
    found
}

fn classic(header: &[u8], frames: &[Frame]) -> Vec<u8> {
    let mut file = header[..24].to_vec();
    for (seconds, fraction, length, bytes) in frames {
        for value in [*seconds, *fraction, bytes.len() as u32, *length] {
            file.extend(value.to_le_bytes());
        }
        file.extend(bytes);
    }
    file
}

/// The same packets as pcapng, big-endian, with a name and a comment beside each packet.
fn pcapng(link: u32, frames: &[Frame]) -> Vec<u8> {
    let block = |kind: u32, body: &[u8]| {
        let length = (body.len() as u32 + 12).to_be_bytes();
        [&kind.to_be_bytes()[..], &length, body, &length].concat()
    };
    let option = |code: u16, value: &[u8]| {
        let mut option = [code.to_be_bytes(), (value.len() as u16).to_be_bytes()].concat();
        option.extend(value);
        option.resize(option.len().next_multiple_of(4), 0);
        option
    };
    let section = [
        &[0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0][..],
        &[0xff; 8],
        &option(4, b"acme-laptop"),
        &[0; 4],
    ]
    .concat();
    let mut file = block(0x0a0d_0d0a, &section);
    let interface = [
        &(link as u16).to_be_bytes()[..],
        &[0, 0, 0, 4, 0, 0],
        &option(2, b"acme-eth0"),
        &option(9, &[6]),
        &[0; 4],
    ]
    .concat();
    file.extend(block(1, &interface));
    // A name resolution block and the secrets of a session.
    file.extend(block(
        4,
        &[&[0, 1, 0, 10, 10, 0, 0, 1][..], b"acme\0\0\0\0", &[0; 4]].concat(),
    ));
    file.extend(block(10, &[b"TLSK", &[0, 0, 0, 4][..], b"acme"].concat()));
    for (seconds, fraction, length, bytes) in frames {
        let time = u64::from(*seconds) * 1_000_000 + u64::from(*fraction);
        let mut body = vec![0; 4];
        body.extend(((time >> 32) as u32).to_be_bytes());
        body.extend((time as u32).to_be_bytes());
        body.extend((bytes.len() as u32).to_be_bytes());
        body.extend(length.to_be_bytes());
        body.extend(bytes);
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend(option(1, b"seen by acme"));
        body.extend(option(2, &[0, 0, 0, 1]));
        body.extend([0; 4]);
        file.extend(block(6, &body));
    }
    file
}

fn pcapng_frames(file: &[u8]) -> Vec<Frame> {
    let number = |at: usize| u32::from_be_bytes(file[at..at + 4].try_into().expect("four bytes"));
    let (mut at, mut found) = (0, Vec::new());
    while at < file.len() {
        let length = number(at + 4) as usize;
        assert_eq!(number(at + length - 4) as usize, length);
        if number(at) == 6 {
            let time = u64::from(number(at + 12)) << 32 | u64::from(number(at + 16));
            let bytes = file[at + 28..at + 28 + number(at + 20) as usize].to_vec();
            found.push((
                (time / 1_000_000) as u32,
                (time % 1_000_000) as u32,
                number(at + 24),
                bytes,
            ));
        }
        at += length;
    }
    found
}

/// The frame inside VXLAN over UDP over IPv4, UDP's checksum included.
fn vxlan(frame: &Frame) -> Frame {
    let inner = &frame.3;
    let mut udp = [4000_u16, 4789, (inner.len() + 16) as u16, 0]
        .map(u16::to_be_bytes)
        .concat();
    udp.extend([8, 0, 0, 0, 0, 0, 7, 0]);
    udp.extend(inner);
    let addresses = [192, 168, 40, 1, 192, 168, 40, 2];
    let pseudo = [
        &addresses[..],
        &[0, 17],
        &(udp.len() as u16).to_be_bytes(),
        &udp,
    ]
    .concat();
    let sum = !folded(&pseudo);
    udp[6..8].copy_from_slice(&sum.to_be_bytes());
    let mut ip = vec![0x45, 0];
    ip.extend(((udp.len() + 20) as u16).to_be_bytes());
    ip.extend([0, 1, 0, 0, 64, 17, 0, 0]);
    ip.extend(addresses);
    let sum = !folded(&ip);
    ip[10..12].copy_from_slice(&sum.to_be_bytes());
    let ethernet = [2, 0x42, 1, 2, 3, 4, 2, 0x42, 1, 2, 3, 5, 8, 0];
    let outer = [&ethernet[..], &ip, &udp].concat();
    (frame.0, frame.1, frame.2 + OUTER as u32, outer)
}

/// Bytes that [`vxlan`] adds.
const OUTER: usize = 14 + 20 + 8 + 8;

/// The one's complement sum.
fn folded(bytes: &[u8]) -> u16 {
    let words = bytes
        .chunks(2)
        .map(|pair| u64::from(pair[0]) << 8 | u64::from(pair.get(1).copied().unwrap_or(0)));
    let mut sum: u64 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// Which of a frame's checksums are right: of the network header, and of what it carries; `None` where there is none, or
/// where the capture cut it.
fn checksums(link: u32, frame: &[u8]) -> [Option<bool>; 2] {
    let at = match link {
        1 => 14,
        113 => 16,
        276 => 20,
        _ => return [None; 2],
    };
    let Some(ip) = frame.get(at..).filter(|ip| !ip.is_empty()) else {
        return [None; 2];
    };
    let whole = |length: usize| ip.get(..length).filter(|ip| ip.len() >= 20);
    match ip[0] >> 4 {
        4 if ip.len() >= 20 => {
            let header = usize::from(ip[0] & 15) * 4;
            let network = folded(&ip[..header]) == 0xffff;
            let total = usize::from(u16::from_be_bytes([ip[2], ip[3]]));
            let carried = whole(total).and_then(|ip| {
                let pseudo = [
                    &ip[12..20],
                    &[0, ip[9]],
                    &((total - header) as u16).to_be_bytes(),
                    &ip[header..],
                ]
                .concat();
                match ip[9] {
                    6 => Some(folded(&pseudo) == 0xffff),
                    1 => Some(folded(&ip[header..]) == 0xffff),
                    _ => None,
                }
            });
            [Some(network), carried]
        }
        6 if ip.len() >= 40 => {
            let length = u16::from_be_bytes([ip[4], ip[5]]);
            let carried = whole(40 + usize::from(length)).and_then(|ip| {
                let pseudo = [
                    &ip[8..40],
                    &[0, 0],
                    &length.to_be_bytes(),
                    &[0, 0, 0, ip[6]],
                    &ip[40..],
                ]
                .concat();
                matches!(ip[6], 6 | 58).then(|| folded(&pseudo) == 0xffff)
            });
            [None, carried]
        }
        _ => [None; 2],
    }
}

/// Redacts one file and gives what came out.
fn redact(name: &str, bytes: &[u8]) -> Vec<u8> {
    let dir = tempfile::tempdir().expect("a folder");
    let (from, to) = (dir.path().join(name), dir.path().join("out"));
    fs::write(&from, bytes).expect("a file");
    let options = Options {
        ports_are_default: true,
        ..Options::default()
    };
    let key = Key::from_bytes(b"a key of the tests");
    let done = redact::redact(&[from], &to, &key, &options, &Silent).expect("a redacted capture");
    assert!(done.left_out.is_empty(), "{:?}", done.left_out);
    assert!(done.check.holds(), "{name}: {:?}", done.check);
    fs::read(to.join(&done.copies[0].to)).expect("the redacted capture")
}

#[test]
fn packets_times_lengths_and_checksums_stay() {
    let mut right = [0_u32; 2];
    for path in captures() {
        let before = fs::read(&path).expect("a capture");
        let link = number(&before, 20) & 0xffff;
        let after = redact("acme.pcap", &before);
        let (old, new) = (frames(&before), frames(&after));
        assert_eq!(old.len(), new.len(), "{}", path.display());
        for (number, (old, new)) in old.iter().zip(&new).enumerate() {
            let place = format!("{} packet {}", path.display(), number + 1);
            assert_eq!(
                (old.0, old.1, old.2, old.3.len()),
                (new.0, new.1, new.2, new.3.len()),
                "{place}"
            );
            let sums = checksums(link, &old.3);
            assert_eq!(checksums(link, &new.3), sums, "{place}");
            for (count, sum) in right.iter_mut().zip(sums) {
                *count += u32::from(sum == Some(true));
            }
        }
    }
    assert!(right[0] > 1000 && right[1] > 1000, "{right:?}");
}

#[test]
fn another_format_and_a_tunnel_give_the_same_packets() {
    for name in [
        "idle-timeout.pcap",
        "loss-snapped.pcap",
        "rst-injected-client.pcap",
        "mqtt.pcap",
        "route-s2.pcap",
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fixtures/captures")
            .join(name);
        let before = fs::read(path).expect("a capture");
        let link = number(&before, 20) & 0xffff;
        let micro = before[0] == 0xd4;
        let plain = frames(&redact("acme.pcap", &before));
        if micro {
            let file = redact("acme.pcapng", &pcapng(link, &frames(&before)));
            assert!(memchr::memmem::find(&file, b"acme").is_none(), "{name}");
            assert_eq!(pcapng_frames(&file), plain, "{name}");
        }
        if link == 1 {
            let outer: Vec<Frame> = frames(&before).iter().map(vxlan).collect();
            let tunnelled = frames(&redact("acme.pcap", &classic(&before, &outer)));
            for ((old, new), plain) in outer.iter().zip(&tunnelled).zip(&plain) {
                assert_eq!(new.3[OUTER..], plain.3, "{name}");
                assert_ne!(new.3[26..34], old.3[26..34], "{name}");
                let ip = &new.3[14..34];
                assert_eq!(folded(ip), 0xffff, "{name}");
                let udp = &new.3[34..];
                let pseudo = [
                    &ip[12..20],
                    &[0, 17],
                    &(udp.len() as u16).to_be_bytes(),
                    udp,
                ]
                .concat();
                let cut = old.2 as usize != old.3.len();
                assert!(cut || folded(&pseudo) == 0xffff, "{name}");
            }
        }
    }
}

#[test]
fn a_damaged_capture_costs_what_is_behind_the_damage() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/captures/idle-timeout.pcap");
    let before = fs::read(path).expect("a capture");
    let whole = frames(&redact("acme.pcap", &before));
    let cut = frames(&redact("acme.pcap", &before[..before.len() - 7]));
    assert_eq!(cut, whole[..whole.len() - 1]);
}
