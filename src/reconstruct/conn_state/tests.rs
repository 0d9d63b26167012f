//! Dialogues and what Zeek's definition makes of them.

use super::*;
use crate::parse::packet::PSH;

/// Sender (`>` client, `<` server), flags, sequence number, acknowledgement, payload length.
type Line = (char, u8, u32, u32, u32);

const DATA: u8 = PSH | ACK;
const END: u8 = FIN | ACK;
const ABORT: u8 = RST | ACK;

const SYN_: Line = ('>', SYN, 10, 0, 0);
const SYN_ACK: Line = ('<', SYN | ACK, 50, 11, 0);
const OPEN: [Line; 3] = [SYN_, SYN_ACK, ('>', ACK, 11, 51, 0)];

fn segment(line: &Line) -> (End, Segment) {
    let &(from, flags, seq, ack, len) = line;
    let end = if from == '>' { End::Orig } else { End::Resp };
    let segment = Segment {
        seq,
        ack,
        flags,
        len,
        payload_len: len,
        window: 100,
        ..Segment::default()
    };
    (end, segment)
}

/// `known` says that the server's port is a known one.
fn follow(dialogue: &[Line], known: bool) -> ConnState {
    let (first, begin) = segment(&dialogue[0]);
    let begins = begin.has(SYN) && !begin.has(ACK);
    let mut state = ConnState::new(first, known && first == End::Resp && !begins);
    for line in dialogue {
        let (end, segment) = segment(line);
        state.segment(end, &segment);
    }
    state
}

fn check(table: &[(&str, Vec<Line>, &str, &str)], known: bool) {
    for (name, dialogue, code, history) in table {
        let state = follow(dialogue, known);
        assert_eq!(
            (state.code(), &*state.history()),
            (*code, *history),
            "{name}"
        );
    }
}

fn after(open: &[Line], rest: &[Line]) -> Vec<Line> {
    [open, rest].concat()
}

#[test]
fn with_a_syn_first() {
    let open = |rest: &[Line]| after(&OPEN, rest);
    let attempt = |rest: &[Line]| after(&[SYN_], rest);
    check(
        &[
            ("one SYN", vec![SYN_], "S0", "S"),
            ("SYN repeated", vec![SYN_, SYN_], "S0", "S"),
            ("refused", attempt(&[('<', ABORT, 0, 11, 0)]), "REJ", "Sr"),
            (
                "refused after an ACK of the SYN",
                attempt(&[('<', ACK, 50, 11, 0), ('<', ABORT, 50, 11, 0)]),
                "REJ",
                "Sar",
            ),
            ("answered, nothing more", attempt(&[SYN_ACK]), "S1", "Sh"),
            ("open", OPEN.to_vec(), "S1", "ShA"),
            (
                "ordinary end",
                open(&[
                    ('>', DATA, 11, 51, 5),
                    ('<', DATA, 51, 16, 5),
                    ('>', END, 16, 56, 0),
                    ('<', END, 56, 17, 0),
                    ('>', ACK, 17, 57, 0),
                ]),
                "SF",
                "ShADdFf",
            ),
            (
                "both ends close at once",
                open(&[
                    ('>', END, 11, 51, 0),
                    ('<', END, 51, 11, 0),
                    ('>', ACK, 12, 52, 0),
                    ('<', ACK, 52, 12, 0),
                ]),
                "SF",
                "ShAFfa",
            ),
            (
                "half closed by the originator",
                open(&[('>', END, 11, 51, 0), ('<', ACK, 51, 12, 0)]),
                "S2",
                "ShAFa",
            ),
            (
                "half closed by the responder",
                open(&[('<', END, 51, 11, 0), ('>', ACK, 11, 52, 0)]),
                "S3",
                "ShAf",
            ),
            (
                "reset by the originator",
                open(&[('>', DATA, 11, 51, 5), ('>', ABORT, 16, 51, 0)]),
                "RSTO",
                "ShADR",
            ),
            (
                "reset by the responder",
                open(&[('>', DATA, 11, 51, 5), ('<', ABORT, 51, 16, 0)]),
                "RSTR",
                "ShADr",
            ),
            (
                "half closed, then reset by the other end",
                open(&[('>', END, 11, 51, 0), ('<', ABORT, 51, 12, 0)]),
                "RSTR",
                "ShAFr",
            ),
            (
                "half closed, then reset by the same end",
                open(&[('>', END, 11, 51, 0), ('>', ABORT, 12, 51, 0)]),
                "RSTO",
                "ShAFR",
            ),
            (
                "FIN, then RST of the same end, then FIN of the other",
                open(&[
                    ('>', END, 11, 51, 0),
                    ('>', RST, 12, 0, 0),
                    ('<', END, 51, 12, 0),
                ]),
                "SF",
                "ShAFRf",
            ),
            (
                "both FINs, then a RST",
                open(&[
                    ('>', END, 11, 51, 0),
                    ('<', END, 51, 12, 0),
                    ('>', RST, 12, 0, 0),
                ]),
                "SF",
                "ShAFfR",
            ),
            (
                "both reset an empty connection",
                open(&[('<', ABORT, 51, 11, 0), ('>', ABORT, 11, 51, 0)]),
                "REJ",
                "ShArR",
            ),
            (
                "both reset, and there was payload",
                open(&[
                    ('>', DATA, 11, 51, 5),
                    ('<', ABORT, 51, 16, 0),
                    ('>', ABORT, 16, 51, 0),
                ]),
                "RSTR",
                "ShADrR",
            ),
            (
                "half-open scan",
                attempt(&[SYN_ACK, ('>', RST, 11, 0, 0)]),
                "RSTO",
                "ShR",
            ),
            (
                "SYN then RST, no answer",
                attempt(&[('>', RST, 11, 0, 0)]),
                "RSTOS0",
                "SR",
            ),
            (
                "SYN, ACK, RST, no answer",
                attempt(&[('>', ACK, 11, 51, 0), ('>', RST, 11, 0, 0)]),
                "OTH",
                "SAR",
            ),
            ("SYN then FIN", attempt(&[('>', END, 11, 0, 0)]), "SH", "SF"),
            (
                "SYN, then midstream traffic of the responder",
                attempt(&[('<', DATA, 51, 11, 5)]),
                "OTH",
                "Sd",
            ),
            ("SYN with FIN", vec![('>', SYN | FIN, 10, 0, 0)], "SH", "Q"),
            ("SYN with RST", vec![('>', SYN | RST, 10, 0, 0)], "OTH", "Q"),
            (
                "FIN with RST",
                open(&[('>', FIN | RST | ACK, 11, 51, 0)]),
                "RSTO",
                "ShAI",
            ),
            (
                "RSTs with other numbers are each written",
                open(&[
                    ('<', RST, 51, 0, 0),
                    ('<', RST, 51, 0, 0),
                    ('<', RST, 99, 0, 0),
                ]),
                "RSTR",
                "ShArr",
            ),
            (
                "FINs with other numbers are each written",
                open(&[
                    ('>', END, 11, 51, 0),
                    ('>', END, 11, 51, 0),
                    ('>', END, 11, 51, 3),
                ]),
                "S2",
                "ShAFF",
            ),
        ],
        false,
    );
}

#[test]
fn with_a_syn_ack_first() {
    // From a port that says nothing the SYN,ACK may be a stealth scan, so its sender stays the originator ...
    check(
        &[
            ("nothing more", vec![SYN_ACK], "OTH", "H"),
            ("rejected", vec![SYN_ACK, ('>', RST, 11, 0, 0)], "REJ", "Hr"),
            (
                "then a RST of its own",
                vec![SYN_ACK, ('<', RST, 51, 0, 0)],
                "OTH",
                "HR",
            ),
            (
                "then a FIN of its own",
                vec![SYN_ACK, ('<', END, 51, 11, 0)],
                "SH",
                "HF",
            ),
            // ... unless traffic follows.
            (
                "then an ACK",
                vec![SYN_ACK, ('>', ACK, 11, 51, 0)],
                "OTH",
                "^hA",
            ),
            (
                "then both FINs",
                vec![
                    SYN_ACK,
                    ('>', ACK, 11, 51, 0),
                    ('>', END, 11, 51, 0),
                    ('<', END, 51, 12, 0),
                ],
                "SF",
                "^hAFf",
            ),
            (
                "then an ACK and a RST of the responder",
                vec![SYN_ACK, ('>', ACK, 11, 51, 0), ('<', RST, 51, 0, 0)],
                "RSTRH",
                "^hAr",
            ),
            (
                "then the SYN, recorded late",
                vec![SYN_ACK, SYN_, ('>', ACK, 11, 51, 0)],
                "S1",
                "Hs^A",
            ),
        ],
        false,
    );
    check(
        &[
            ("nothing more", vec![SYN_ACK], "OTH", "^h"),
            (
                "then a RST of its own",
                vec![SYN_ACK, ('<', RST, 51, 0, 0)],
                "RSTRH",
                "^hr",
            ),
            (
                "then a FIN of its own",
                vec![SYN_ACK, ('<', END, 51, 11, 0)],
                "SHR",
                "^hf",
            ),
            (
                "rejected",
                vec![SYN_ACK, ('>', RST, 11, 0, 0)],
                "RSTO",
                "^hR",
            ),
            (
                "then an ACK",
                vec![SYN_ACK, ('>', ACK, 11, 51, 0)],
                "S1",
                "^hA",
            ),
        ],
        true,
    );
}

#[test]
fn midstream() {
    check(
        &[
            (
                "data and its ACK",
                vec![('>', DATA, 100, 200, 5), ('<', ACK, 200, 105, 0)],
                "OTH",
                "Da",
            ),
            (
                "then both FINs",
                vec![('>', END, 100, 200, 0), ('<', END, 200, 101, 0)],
                "SF",
                "Ff",
            ),
            (
                "then a FIN of one end",
                vec![('>', END, 100, 200, 0), ('<', ACK, 200, 101, 0)],
                "SH",
                "Fa",
            ),
            (
                "then a RST of the originator",
                vec![
                    ('>', DATA, 100, 200, 5),
                    ('<', ACK, 200, 105, 0),
                    ('>', RST, 105, 0, 0),
                ],
                "OTH",
                "DaR",
            ),
            (
                "then a RST of the responder",
                vec![('>', DATA, 100, 200, 5), ('<', RST, 200, 0, 0)],
                "RSTRH",
                "Dr",
            ),
        ],
        false,
    );
    check(
        &[(
            "the server's packet first",
            vec![('<', DATA, 200, 100, 5), ('>', ACK, 100, 205, 0)],
            "OTH",
            "^dA",
        )],
        true,
    );
}

#[test]
fn repeated_events_are_written_by_powers_of_ten() {
    let mut dialogue = OPEN.to_vec();
    dialogue.extend([('>', DATA, 11, 51, 5); 1 + 9]);
    assert_eq!(&*follow(&dialogue, false).history(), "ShADT");
    dialogue.push(('>', DATA, 11, 51, 5));
    assert_eq!(&*follow(&dialogue, false).history(), "ShADTT");

    let mut state = follow(&OPEN, false);
    let (end, mut closed) = segment(&('<', ACK, 51, 11, 0));
    closed.window = 0;
    for _ in 0..100 {
        state.segment(end, &closed);
    }
    assert_eq!(&*state.history(), "ShAawww");
}

#[test]
fn content_gaps() {
    let open = |rest: &[Line]| after(&OPEN, rest);
    check(
        &[
            (
                "bytes acknowledged and never seen",
                open(&[('<', ACK, 51, 21, 0), ('>', DATA, 21, 51, 5)]),
                "S1",
                "ShAaGD",
            ),
            (
                "a hole in the middle",
                open(&[('>', DATA, 21, 51, 5), ('<', ACK, 51, 26, 0)]),
                "S1",
                "ShADaG",
            ),
            (
                "a hole filled before it was acknowledged",
                open(&[
                    ('>', DATA, 21, 51, 5),
                    ('>', DATA, 11, 51, 10),
                    ('<', ACK, 51, 26, 0),
                ]),
                "S1",
                "ShADTa",
            ),
            (
                "an acknowledgement in a RST tells nothing",
                open(&[('<', ABORT, 51, 99, 0)]),
                "RSTR",
                "ShAr",
            ),
        ],
        false,
    );
    let mut cut = follow(&OPEN, false);
    let (end, mut data) = segment(&('>', DATA, 11, 51, 100));
    data.payload_len = 40;
    cut.segment(end, &data);
    let (end, ack) = segment(&('<', ACK, 51, 111, 0));
    cut.segment(end, &ack);
    assert_eq!(
        &*cut.history(),
        "ShADaG",
        "payload cut off by the snap length"
    );
}

#[test]
fn numbers_wrap() {
    let line = |from, flags, seq, ack, len| (from, flags, seq, ack, len);
    let dialogue = [
        line('>', SYN, 0xffff_fff0, 0, 0),
        line('<', SYN | ACK, 50, 0xffff_fff1, 0),
        line('>', DATA, 0xffff_fff1, 51, 100),
        line('<', ACK, 51, 0x55, 0),
        line('>', DATA, 0x55, 51, 100),
        line('>', END, 0xb9, 51, 0),
        line('<', END, 51, 0xba, 0),
    ];
    let state = follow(&dialogue, false);
    assert_eq!((state.code(), &*state.history()), ("SF", "ShDaFf"));
}

#[test]
fn only_a_scan_like_beginning_swaps_the_ends() {
    assert!(follow(&[SYN_ACK], false).is_swapped());
    assert!(!follow(&[SYN_ACK], true).is_swapped());
    assert!(!follow(&[SYN_ACK, SYN_], false).is_swapped());
    assert!(!follow(&[SYN_ACK, ('>', ACK, 11, 51, 0)], false).is_swapped());
}
