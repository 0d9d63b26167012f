use super::*;

/// A classic little-endian file with these packets.
fn classic(magic: u32, packets: &[(u32, u32, &[u8])]) -> Vec<u8> {
    let mut file = magic.to_le_bytes().to_vec();
    file.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0]);
    for (seconds, fraction, data) in packets {
        for field in [*seconds, *fraction, data.len() as u32, data.len() as u32] {
            file.extend(field.to_le_bytes());
        }
        if magic == 0xa1b2_cd34 {
            file.extend([3, 0, 0, 0, 8, 0, 0, 0]);
        }
        file.extend(*data);
    }
    file
}

/// A packet's time and bytes.
type Found = (i64, Vec<u8>);

/// An option's code and value.
type Options = Vec<(u16, Vec<u8>)>;

/// Everything a reader finds: times and packets, then the troubles.
fn read(file: &[u8]) -> (Vec<Found>, Vec<&'static str>, bool) {
    let mut reader = Reader::new(file);
    let mut found = Vec::new();
    loop {
        match reader.step() {
            Step::Frame(frame) => {
                let data = reader.bytes()[frame.start..frame.start + frame.captured].to_vec();
                found.push((frame.ns, data));
            }
            Step::Secrets(range) => found.push((0, reader.bytes()[range].to_vec())),
            Step::Refill => {
                reader.refill(Vec::new());
            }
            Step::End => break,
        }
    }
    let troubles = reader
        .troubles()
        .iter()
        .map(|trouble| trouble.why)
        .collect();
    (found, troubles, reader.cut_short())
}

const T: u32 = 1_700_000_000;

fn at(ns: i64, data: &[u8]) -> (i64, Vec<u8>) {
    (i64::from(T) * 1_000_000_000 + ns, data.to_vec())
}

#[test]
fn every_magic_number() {
    let packets: [(u32, u32, &[u8]); 2] = [(T, 5, b"one"), (T, 7, b"three")];
    for (magic, unit) in [(0xa1b2_c3d4, 1000), (0xa1b2_3c4d, 1), (0xa1b2_cd34, 1000)] {
        assert_eq!(
            read(&classic(magic, &packets)),
            (
                vec![at(5 * unit, b"one"), at(7 * unit, b"three")],
                vec![],
                false
            ),
            "{magic:#x}"
        );
    }
}

#[test]
fn snoop() {
    let mut file = b"snoop\0\0\0\0\0\0\x02\0\0\0\x04".to_vec();
    for field in [3_u32, 3, 28, 0, T, 5] {
        file.extend(field.to_be_bytes());
    }
    file.extend(b"one\0");
    assert_eq!(read(&file), (vec![at(5000, b"one")], vec![], false));
}

#[test]
fn files_behind_one_another() {
    let one = classic(0xa1b2_c3d4, &[(T, 5, b"one")]);
    let two = classic(0xa1b2_3c4d, &[(T, 5, b"two")]);
    assert_eq!(
        read(&[&one[..], &two].concat()),
        (vec![at(5000, b"one"), at(5, b"two")], vec![], false)
    );
}

#[test]
fn cut_at_every_byte() {
    let file = classic(0xa1b2_c3d4, &[(T, 5, b"one"), (T, 6, b"two")]);
    for length in 0..file.len() {
        let (found, _, cut) = read(&file[..length]);
        assert_eq!(found.len(), usize::from(length >= 24 + 19), "{length}");
        let whole = matches!(length, 0 | 24 | 43);
        assert_eq!(cut, !whole, "{length}");
    }
}

#[test]
fn a_record_of_nonsense_is_passed_over() {
    let mut file = classic(
        0xa1b2_c3d4,
        &[
            (T, 5, b"one"),
            (T, 6, b"two"),
            (T, 7, b"tri"),
            (T, 8, b"four"),
        ],
    );
    file[43 + 8..43 + 12].copy_from_slice(&[0xff; 4]);
    let (found, troubles, _) = read(&file);
    assert_eq!(
        found,
        [at(5000, b"one"), at(7000, b"tri"), at(8000, b"four")]
    );
    assert_eq!(troubles, ["a packet record longer than any packet"]);
}

#[test]
fn what_is_no_capture() {
    let (found, troubles, _) = read(b"[1] 2024/01/01 00:00:00.000000 [INF] Starting nats-server");
    assert!(found.is_empty());
    assert_eq!(troubles, ["neither a pcap, a pcapng nor a snoop header"]);
    assert_eq!(read(b""), (vec![], vec![], false));
}

fn block(big: bool, kind: u32, body: &[u8]) -> Vec<u8> {
    let word = |value: u32| {
        if big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    };
    let length = (12 + body.len()) as u32;
    [&word(kind)[..], &word(length), body, &word(length)].concat()
}

/// A section with one interface (with options) and one packet at `count` time units, and its statistics.
fn section(big: bool, options: &[(u16, &[u8])], count: u64) -> Vec<u8> {
    let word = |value: u32| {
        if big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    };
    let half = |value: u16| {
        if big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    };
    let listed = |options: &[(u16, &[u8])]| {
        let mut bytes = Vec::new();
        for (code, value) in options {
            bytes.extend(half(*code));
            bytes.extend(half(value.len() as u16));
            bytes.extend(*value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        bytes.extend([0; 4]);
        bytes
    };
    let long = |value: u64| {
        if big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    };
    let mut file = block(
        big,
        0x0a0d_0d0a,
        &[&word(0x1a2b_3c4d)[..], &half(1), &half(0), &[0xff; 8]].concat(),
    );
    let interface = [&half(1)[..], &half(0), &word(0), &listed(options)].concat();
    file.extend(block(big, 1, &interface));
    let packet = [
        &word(0)[..],
        &word((count >> 32) as u32),
        &word(count as u32),
        &word(3),
        &word(3),
        b"one\0",
    ]
    .concat();
    file.extend(block(big, 6, &packet));
    let statistics = [&word(0)[..], &word(0), &word(0), &listed(&[(5, &long(17))])].concat();
    file.extend(block(big, 5, &statistics));
    file
}

#[test]
fn time_units_and_offsets_in_both_byte_orders() {
    let seconds = u64::from(T);
    for big in [false, true] {
        let offset = |value: i64| {
            if big {
                value.to_be_bytes()
            } else {
                value.to_le_bytes()
            }
        };
        let table: Vec<(Options, u64)> = vec![
            (vec![], seconds * 1_000_000),
            (vec![(9, vec![9])], seconds * 1_000_000_000),
            (vec![(9, vec![0x80 | 0x14])], seconds << 20),
            (
                vec![(9, vec![6]), (14, offset(1000).to_vec())],
                (seconds - 1000) * 1_000_000,
            ),
            (
                vec![(14, offset(-1000).to_vec())],
                (seconds + 1000) * 1_000_000,
            ),
        ];
        for (options, count) in table {
            let options: Vec<(u16, &[u8])> = options
                .iter()
                .map(|(code, value)| (*code, &value[..]))
                .collect();
            let file = section(big, &options, count);
            assert_eq!(
                read(&file),
                (vec![at(0, b"one")], vec![], false),
                "big {big}, {options:?}"
            );
        }
    }
}

#[test]
fn sections_of_both_byte_orders_and_their_drops() {
    let micros = u64::from(T) * 1_000_000;
    let file = [section(false, &[], micros), section(true, &[], micros)].concat();
    assert_eq!(read(&file).0, [at(0, b"one"), at(0, b"one")]);
    let mut reader = Reader::new(&file[..]);
    while let step @ (Step::Frame(_) | Step::Refill) = reader.step() {
        if step == Step::Refill {
            reader.refill(Vec::new());
        }
    }
    assert_eq!(reader.dropped(), Some(34));
}

#[test]
fn decryption_secrets_in_both_byte_orders() {
    let micros = u64::from(T) * 1_000_000;
    for big in [false, true] {
        let word = |value: u32| {
            if big {
                value.to_be_bytes()
            } else {
                value.to_le_bytes()
            }
        };
        let text = b"CLIENT_RANDOM 00 11\n\n";
        let secrets = |kind: u32, declared: u32| {
            let mut body = [&word(kind)[..], &word(declared), text].concat();
            body.resize(body.len().next_multiple_of(4), 0);
            block(big, 10, &body)
        };
        let len = text.len() as u32;
        let file = [
            section(big, &[], micros),
            secrets(0x544c_534b, len),
            secrets(0x5747_4b4c, len),
            section(big, &[], micros),
        ]
        .concat();
        let both = [at(0, b"one"), (0, text.to_vec()), at(0, b"one")];
        assert_eq!(read(&file), (both.to_vec(), vec![], false));
        let lying = [section(big, &[], micros), secrets(0x544c_534b, 1000)].concat();
        assert_eq!(
            read(&lying).1,
            ["decryption secrets longer than their block"]
        );
    }
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A good file with some bytes changed: an end, no panic, never more packets than bytes allow.
        #[test]
        fn a_damaged_file_comes_to_an_end(
            which in 0_usize..3,
            changes in prop::collection::vec((0_usize..260, any::<u8>()), 1..8),
        ) {
            let mut file = match which {
                0 => classic(0xa1b2_c3d4, &[(T, 5, b"one"), (T, 6, b"two"), (T, 7, b"three")]),
                1 => section(false, &[(9, &[9])], 5),
                _ => [section(true, &[], 5), section(false, &[], 6)].concat(),
            };
            for (at, value) in changes {
                if let Some(byte) = file.get_mut(at) {
                    *byte = value;
                }
            }
            let (found, _, _) = read(&file);
            prop_assert!(found.len() <= file.len() / 16);
        }
    }
}
