//! Any bytes as a capture: read with every option, then printed every way.
#![no_main]

use std::io::{self, Cursor};

use libfuzzer_sys::fuzz_target;
use natsleuth::reconstruct::capture::{CaptureOptions, read};
use natsleuth::report::conns::{self, ConnsFormat};
use natsleuth::report::sessions;
use natsleuth::source::SourceId;

fuzz_target!(|bytes: &[u8]| {
    // The first byte chooses how; the rest is the file.
    let Some((&how, file)) = bytes.split_first() else {
        return;
    };
    let options = CaptureOptions {
        auto_ports: how & 1 != 0,
        all: how & 2 != 0,
        threads: 1 + usize::from(how & 4 != 0),
        ..CaptureOptions::default()
    };
    let piece: Box<dyn io::Read + Send> = Box::new(Cursor::new(file.to_vec()));
    let result = read(&mut [(SourceId(0), piece)], &options, &|_| {});
    for format in [ConnsFormat::Text, ConnsFormat::Tsv, ConnsFormat::Ndjson] {
        conns::render(&result.conns, format, &mut io::sink()).expect("a sink takes everything");
        sessions::render(&result.conns, format, &mut io::sink()).expect("a sink takes everything");
    }
    let _ = format!("{:?} {:?}", result.facts, result.rejects);
});
