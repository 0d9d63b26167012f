//! The same incident told another way: other files, other segments, doubled or reordered packets, other arguments, other
//! threads. The verdicts stay; where nothing but the telling differs, every byte of the report does.

mod damage_kit;
mod incident_kit;
mod input_kit;

use std::fs;
use std::path::{Path, PathBuf};

use damage_kit::{Dice, records, rewritten};
use incident_kit::{Incident, analyze_paths, incidents, is_capture};
use input_kit::{bz2, gz, lz4, xz, zst};
use natsleuth::analyze::{Options, analyze};
use natsleuth::progress::Silent;
use natsleuth::reconstruct::capture::{CaptureOptions, read_map};
use natsleuth::report::{self, Format, RenderOptions};
use natsleuth::source::SourceId;
use rayon::prelude::*;

/// The JSON report of `paths`, made with `threads` threads.
fn json(paths: &[PathBuf], threads: usize) -> String {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .expect("threads");
    pool.install(|| {
        let options = Options {
            ports_are_default: true,
            ..Options::default()
        };
        let (_, analysis) = analyze(paths, &options, &Silent).expect("an analysis");
        let mut page = Vec::new();
        report::render(
            &analysis,
            Format::Json,
            &RenderOptions::default(),
            &mut page,
        )
        .expect("a report");
        String::from_utf8(page).expect("text")
    })
}

#[test]
fn neither_threads_nor_the_order_of_arguments_change_a_byte() {
    for (number, incident) in incidents().iter().enumerate() {
        let mut paths = incident.evidence();
        let first = json(&paths, 1);
        assert!(
            json(&paths, 2) == first,
            "{} with two threads",
            incident.name
        );
        let mut dice = Dice(number as u64);
        for at in (1..paths.len()).rev() {
            paths.swap(at, dice.below(at + 1));
        }
        assert!(
            json(&paths, 8) == first,
            "{} shuffled, with eight threads",
            incident.name
        );
    }
}

/// Every incident gets its true verdicts with its captures rewritten by `edit`.
fn captures_may_be(edit: impl Fn(&[u8], &mut Dice) -> Vec<u8> + Sync) {
    let wrong: Vec<String> = incidents()
        .par_iter()
        .flat_map(|incident| {
            let mut dice = Dice(7);
            let (_folder, paths) = rewritten(&incident.evidence(), |path, bytes| {
                if is_capture(path) {
                    edit(&bytes, &mut dice)
                } else {
                    bytes
                }
            });
            incident.untrue(&analyze_paths(&paths))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_mirror_port_that_delivers_every_packet_twice_changes_no_verdict() {
    captures_may_be(|bytes, _| {
        let (head, packets) = records(bytes, true);
        let doubled = packets.iter().flat_map(|packet| [&packet[..], packet]);
        [head, doubled.collect::<Vec<_>>().concat()].concat()
    });
}

#[test]
fn packets_that_change_places_on_their_way_to_the_file_change_no_verdict() {
    captures_may_be(|bytes, dice| {
        let (head, mut packets) = records(bytes, true);
        let mut at = 0;
        while at + 1 < packets.len() {
            let time = |packet: &[u8]| {
                let word =
                    |at: usize| u32::from_le_bytes(packet[at..at + 4].try_into().expect("four"));
                u64::from(word(0)) * 1_000_000 + u64::from(word(4))
            };
            // Queues of several processors: neighbours within some microseconds.
            let near = time(&packets[at + 1]).abs_diff(time(&packets[at])) < 20;
            if near && dice.below(4) == 0 {
                packets.swap(at, at + 1);
                at += 1;
            }
            at += 1;
        }
        [head, packets.concat()].concat()
    });
}

/// An Ethernet frame with IPv4 and TCP as two, its payload cut at the middle; `None` where there is nothing to cut.
fn halves(packet: &[u8]) -> Option<[Vec<u8>; 2]> {
    let frame = packet.get(16..)?;
    let word16 = |at: usize| Some(u16::from_be_bytes([*frame.get(at)?, *frame.get(at + 1)?]));
    let whole = packet[8..12] == packet[12..16];
    if !whole || word16(12)? != 0x0800 || *frame.get(14)? != 0x45 || *frame.get(23)? != 6 {
        return None;
    }
    let total = usize::from(word16(16)?);
    let header = usize::from(*frame.get(46)? >> 4) * 4;
    let payload = total.checked_sub(20 + header)?;
    // SYN, FIN, RST and URG keep their places.
    let flags = *frame.get(47)?;
    if payload < 2 || flags & 0b0010_0111 != 0 || frame.len() < 14 + total {
        return None;
    }
    let cut = payload / 2;
    let start = 34 + header;
    let make = |from: usize, to: usize| {
        let mut made = frame[..start].to_vec();
        let length = (20 + header + to - from) as u16;
        made[16..18].copy_from_slice(&length.to_be_bytes());
        let seq = u32::from_be_bytes(frame[38..42].try_into().expect("four"));
        made[38..42].copy_from_slice(&seq.wrapping_add(from as u32).to_be_bytes());
        made.extend(&frame[start + from..start + to]);
        let mut record = packet[..8].to_vec();
        record.extend((made.len() as u32).to_le_bytes());
        record.extend((made.len() as u32).to_le_bytes());
        record.extend(made);
        record
    };
    Some([make(0, cut), make(cut, payload)])
}

#[test]
fn other_segments_of_the_same_bytes_change_no_verdict() {
    captures_may_be(|bytes, _| {
        let (mut out, packets) = records(bytes, true);
        for packet in packets {
            match halves(&packet) {
                Some(halves) => out.extend(halves.concat()),
                None => out.extend(packet),
            }
        }
        out
    });
}

type Codec = (&'static str, fn(&[u8]) -> Vec<u8>);

/// What compresses a file, by the ending of its name.
const CODECS: &[Codec] = &[
    ("gz", gz),
    ("zst", zst),
    ("lz4", lz4),
    ("xz", xz),
    ("bz2", bz2),
];

/// Each file of an incident compressed another way, half of them without an ending that says so.
#[test]
fn compressed_files_change_no_verdict() {
    let wrong: Vec<String> = incidents()
        .par_iter()
        .enumerate()
        .flat_map_iter(|(turn, incident)| {
            let folder = tempfile::tempdir().expect("a folder");
            let mut paths = Vec::new();
            for (file, path) in incident.evidence().iter().enumerate() {
                let (ending, codec) = CODECS[(turn + file) % CODECS.len()];
                let name = path.file_name().expect("a name").to_string_lossy();
                let name = match (turn + file) / CODECS.len() % 2 {
                    0 => format!("{name}.{ending}"),
                    _ => name.into_owned(),
                };
                let path_there = folder.path().join(name);
                fs::write(&path_there, codec(&fs::read(path).expect("a file"))).expect("a file");
                paths.push(path_there);
            }
            let turned = analyze_paths(&paths);
            let untold = (turned.closes.len() != analyze_paths(&incident.evidence()).closes.len())
                .then(|| format!("{}: another number of closes", incident.name));
            incident.untrue(&turned).into_iter().chain(untold)
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn captures_rotated_into_several_files_change_no_verdict() {
    let wrong: Vec<String> = incidents()
        .par_iter()
        .flat_map(|incident| {
            let folder = tempfile::tempdir().expect("a folder");
            let mut paths = Vec::new();
            let mut put = |name: String, bytes: &[u8]| {
                let path = folder.path().join(name);
                fs::write(&path, bytes).expect("a file");
                paths.push(path);
            };
            for path in incident.evidence() {
                let bytes = fs::read(&path).expect("a file");
                let name = path
                    .file_name()
                    .expect("a name")
                    .to_string_lossy()
                    .into_owned();
                if !is_capture(&path) {
                    put(name, &bytes);
                    continue;
                }
                // tcpdump -C: the first file has the name, the others a number behind it.
                let (head, packets) = records(&bytes, true);
                let third = packets.len().div_ceil(3).max(1);
                for (number, part) in packets.chunks(third).enumerate() {
                    let name = if number == 0 {
                        name.clone()
                    } else {
                        format!("{name}{number}")
                    };
                    put(name, &[&head[..], &part.concat()].concat());
                }
            }
            incident.untrue(&analyze_paths(&paths))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Retransmissions in a capture.
fn retransmissions(bytes: &[u8]) -> u64 {
    let options = CaptureOptions {
        all: true,
        ..CaptureOptions::default()
    };
    let piece: Box<dyn std::io::Read + Send> = Box::new(std::io::Cursor::new(bytes.to_vec()));
    let result = read_map(&mut [(SourceId(0), piece)], &options, &|_| {}, &|| {
        |conn| conn
    });
    let conns = result.conns.iter();
    conns
        .map(|conn| conn.orig.retransmissions + conn.resp.retransmissions)
        .sum()
}

#[test]
fn packets_that_a_capture_lost_are_no_retransmissions() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/captures");
    let mut captures: Vec<PathBuf> = incidents()
        .iter()
        .flat_map(Incident::evidence)
        .filter(|path| is_capture(path))
        .collect();
    captures.push(folder.join("blackhole.pcap"));
    captures.par_iter().for_each(|path| {
        let bytes = fs::read(path).expect("a file");
        let whole = retransmissions(&bytes);
        let (head, packets) = records(&bytes, true);
        for seed in 0..3 {
            let mut dice = Dice(seed);
            let kept: Vec<Vec<u8>> = packets
                .iter()
                .filter(|_| dice.below(20) != 0)
                .cloned()
                .collect();
            let seen = retransmissions(&[&head[..], &kept.concat()].concat());
            assert!(
                seen <= whole,
                "{}: {seen} retransmissions without 5 % of the packets, {whole} with all (seed {seed})",
                path.display()
            );
        }
    });
}
