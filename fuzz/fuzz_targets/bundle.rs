//! A small bundle of any files, analysed and reported in every format.
//!
//! The input is a list of files: a byte for the name, two for the length, the contents.
#![no_main]

use std::io;

use libfuzzer_sys::fuzz_target;
use natsleuth::align::align;
use natsleuth::align::timeline::timeline;
use natsleuth::analyze::{Options, analyze, read};
use natsleuth::progress::Silent;
use natsleuth::report::{self, Format, RenderOptions, carve, why};
use natsleuth::source::SourceId;

const NAMES: [&str; 10] = [
    "server.log",
    "client-a.log",
    "client.pcap",
    "server.pcap",
    "kern.log",
    "server.stderr",
    "connz.json",
    "nats.conf",
    "bundle.zip",
    "nats-0.log.1",
];
const FORMATS: [Format; 6] = [
    Format::Text,
    Format::Json,
    Format::Ndjson,
    Format::Csv,
    Format::CsvIncidents,
    Format::Html,
];

fuzz_target!(init: {
    // One thread: a finding must repeat, and a run must be short.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(1).build_global();
}, |bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a folder");
    let mut rest = bytes;
    while rest.len() > 3 {
        let name = NAMES[usize::from(rest[0]) % NAMES.len()];
        let length = usize::from(u16::from_le_bytes([rest[1], rest[2]])).min(rest.len() - 3);
        std::fs::write(folder.path().join(name), &rest[3..3 + length]).expect("a file");
        rest = &rest[3 + length..];
    }
    let mut options = Options { ports_are_default: true, ..Options::default() };
    options.input.max_total = 8 << 20;
    let Ok((input, analysis)) = analyze(&[folder.path().to_owned()], &options, &Silent) else {
        return;
    };
    for format in FORMATS {
        for verbose in [false, true] {
            let options = RenderOptions { verbose, color: verbose, width: if verbose { 40 } else { 100 }, ..RenderOptions::default() };
            report::render(&analysis, format, &options, &mut io::sink()).expect("a sink takes everything");
        }
    }
    let open = |source: SourceId| input.open(source);
    for (index, close) in analysis.closes.iter().enumerate().take(3) {
        carve::carve(&analysis, &[index], &open, &mut io::sink()).expect("a sink takes everything");
        for evidence in close.evidence.iter().take(2) {
            let path = &analysis.sources[evidence.cite.source.0 as usize].path;
            why::write(&analysis, path, evidence.cite.place, &mut io::sink()).expect("a sink takes everything");
        }
    }
    let reading = read(&input, &options, &Silent);
    let alignment = align(&reading.records, &input.sources, &options.align);
    let events = timeline(&reading.records, &input.sources, &alignment);
    report::timeline::text(&events, &input.sources, &report::timeline::Shown::default(), &mut io::sink()).expect("a sink takes everything");
});
