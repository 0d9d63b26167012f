//! Documents of monitoring endpoints, log exports and configurations.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use natsleuth::reconstruct::log;
use natsleuth::source::{Hints, Kind, Source, SourceId};

fuzz_target!(|bytes: &[u8]| {
    let Some((&kind, document)) = bytes.split_first() else {
        return;
    };
    let config = kind & 1 != 0;
    let source = Source {
        id: SourceId(0),
        path: if config { "nats.conf" } else { "varz.json" }.to_owned(),
        kind: if config {
            Kind::ServerConfig
        } else {
            Kind::Monitoring
        },
        bytes: document.len() as u64,
        hints: Hints::default(),
    };
    let reader = Box::new(Cursor::new(document.to_vec()));
    let result = if config {
        log::read_config(&source, reader)
    } else {
        log::read_monitoring(&source, reader)
    };
    let _ = format!("{:?}", log::merge(vec![result]));
});
