//! The table of connections in its three formats.

mod captures;

use captures::{bytes, read_bytes};
use natsleuth::reconstruct::capture::CaptureOptions;
use natsleuth::report::conns::{COLUMNS, row};
use natsleuth::report::rows::{RowFormat, write};
use natsleuth::shelf::Put;

fn table(format: RowFormat) -> Vec<String> {
    let result = read_bytes(&[bytes("idle-timeout.pcap")], &CaptureOptions::default());
    let rows = result.conns.iter().map(|conn| Put::here(row(conn, format)));
    let mut out = Vec::new();
    write(rows, &COLUMNS, format, &mut out).expect("to memory");
    let text = String::from_utf8(out).expect("text");
    text.lines().map(str::to_owned).collect()
}

#[test]
fn tsv_has_a_title_for_every_cell() {
    let lines = table(RowFormat::Tsv);
    assert_eq!(lines.len(), 10);
    let titles: Vec<&str> = lines[0].split('\t').collect();
    for line in &lines[1..] {
        assert_eq!(line.split('\t').count(), titles.len());
    }
    let cells: Vec<&str> = lines[1].split('\t').collect();
    let cell = |title| {
        let column = titles.iter().position(|other| *other == title);
        cells[column.expect("a title")]
    };
    assert_eq!(cell("start"), "2026-11-23T05:18:29.511604Z");
    assert_eq!(cell("duration_s"), "28.031529");
    assert_eq!(cell("orig"), "10.77.1.2:38528");
    assert_eq!((cell("state"), cell("history")), ("RSTR", "ShAdDar"));
    assert_eq!((cell("orig_bytes"), cell("resp_bytes")), ("205", "412"));
    assert_eq!((cell("end"), cell("closed_by")), ("rst", "resp"));
    assert_eq!(cell("last_frame"), "161");
}

#[test]
fn text_says_the_same_in_columns() {
    let text = table(RowFormat::Text);
    let tsv = table(RowFormat::Tsv);
    assert_eq!(text.len(), tsv.len());
    for (text, tsv) in text.iter().zip(&tsv) {
        let words: Vec<&str> = text.split_whitespace().collect();
        assert_eq!(words, tsv.split('\t').collect::<Vec<_>>());
    }
    let starts: Vec<_> = text
        .iter()
        .map(|line| line.find("10.77.2.2:4222"))
        .collect();
    assert!(starts[1].is_some() && starts[1..].windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn ndjson_tells_who_sent_a_rst() {
    let lines = table(RowFormat::Ndjson);
    assert_eq!(lines.len(), 9);
    let first: serde_json::Value = serde_json::from_str(&lines[0]).expect("json");
    assert_eq!(first["end"], "rst");
    assert_eq!(first["rsts"][0]["origin"], "injected");
    assert_eq!(first["rsts"][0]["frame"], 161);
}
