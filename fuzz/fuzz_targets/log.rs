//! A whole text source, read at once and in small pieces: the same result, whatever stands in it.
#![no_main]

use std::io::{Cursor, Read};

use libfuzzer_sys::fuzz_target;
use natsleuth::reconstruct::log;
use natsleuth::source::{Hints, Kind, Source, SourceId};

/// Gives one to thirteen bytes a call.
struct Drip(Cursor<Vec<u8>>);

impl Read for Drip {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = 1 + (self.0.position() % 13) as usize;
        let most = most.min(buffer.len());
        self.0.read(&mut buffer[..most])
    }
}

fuzz_target!(|bytes: &[u8]| {
    let source = Source {
        id: SourceId(0),
        path: "client-a.log".to_owned(),
        kind: Kind::Log,
        bytes: bytes.len() as u64,
        hints: Hints {
            stem: "client-a".to_owned(),
            ..Hints::default()
        },
    };
    let whole = log::read(&source, Box::new(Cursor::new(bytes.to_vec())), &|_| {});
    let drip = log::read(
        &source,
        Box::new(Drip(Cursor::new(bytes.to_vec()))),
        &|_| {},
    );
    assert_eq!(format!("{whole:?}"), format!("{drip:?}"));
    let merged = log::merge(vec![whole]);
    let _ = format!("{merged:?}");
});
