//! Any bytes as a file of a bundle: found out, unpacked within its limits, read.
#![no_main]

use std::io::{Read, sink};

use libfuzzer_sys::fuzz_target;
use natsleuth::input::{InputOptions, discover};

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bundle");
    std::fs::write(&path, bytes).expect("a file");
    let options = InputOptions {
        max_total: 8 << 20,
        memory: 1 << 20,
        ..InputOptions::default()
    };
    let Ok(input) = discover(&[path], &options) else {
        return;
    };
    let _ = format!("{:?} {:?} {:?}", input.sources, input.rejects, input.groups);
    for source in &input.sources {
        if let Ok(reader) = input.open(source.id) {
            let _ = std::io::copy(&mut reader.take(16 << 20), &mut sink());
        }
    }
});
