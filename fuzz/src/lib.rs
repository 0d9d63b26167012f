//! What each target does with bytes. The regression tests of the project include this file: an input that once failed runs there
//! under plain `cargo test`.

/// Any bytes as a capture: read with every option, then printed every way.
pub fn capture(bytes: &[u8]) {
    use natsleuth::reconstruct::capture::{CaptureOptions, read_map};
    use natsleuth::report::rows::{self, RowFormat};
    use natsleuth::report::{conns, sessions};
    use natsleuth::shelf::Put;
    use natsleuth::source::SourceId;
    use std::io::{self, Cursor};

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
    let result = read_map(&mut [(SourceId(0), piece)], &options, &|_| {}, &|| {
        |conn| conn
    });
    for format in [RowFormat::Text, RowFormat::Tsv, RowFormat::Ndjson] {
        let conns = result.conns.iter();
        let rows = conns
            .clone()
            .map(|conn| Put::here(conns::row(conn, format)));
        rows::write(rows, &conns::COLUMNS, format, &mut io::sink())
            .expect("a sink takes everything");
        let sessions = conns.filter_map(|conn| sessions::row(conn, format));
        let rows = sessions.map(Put::here);
        rows::write(rows, &sessions::COLUMNS, format, &mut io::sink())
            .expect("a sink takes everything");
    }
    let _ = format!("{:?} {:?}", result.facts, result.rejects);
}

/// One frame of any link type to its layers.
pub fn packet(bytes: &[u8]) {
    use natsleuth::parse::packet::packet;
    /// Link types that are decoded, and one that is not.
    const LINKS: [u32; 14] = [0, 1, 9, 12, 50, 51, 101, 105, 108, 113, 127, 228, 276, 999];

    let Some((&link, frame)) = bytes.split_first() else {
        return;
    };
    let _ = format!(
        "{:?}",
        packet(LINKS[usize::from(link) % LINKS.len()], frame)
    );
}

/// One line of a server's log through every layer of its grammar.
pub fn server_log(bytes: &[u8]) {
    use natsleuth::parse::server_log::{
        client_prefix::client_prefix, glance::glance, line::line, message, stack,
    };
    use natsleuth::parse::{client_log, duration, host_log, timestamp};

    let _ = glance(bytes);
    let _ = timestamp::timestamp(bytes);
    if let Some(seen) = line(bytes) {
        let _ = format!("{seen:?}");
    }
    let text = String::from_utf8_lossy(bytes);
    if let Some((tag, rest)) = client_prefix(&text) {
        let _ = format!("{tag:?} {:?}", message::conn(rest));
    }
    let _ = format!(
        "{:?} {:?}",
        message::server(&text),
        message::trace::trace(&text)
    );
    let _ = format!(
        "{:?} {:?} {:?}",
        stack::crash(&text),
        host_log::line(&text, None),
        host_log::victim(&text)
    );
    let _ = duration::go_duration(&text);
    let _ = format!("{:?}", client_log::of_trace(bytes));
}

/// A whole text source, read at once and in small pieces: the same result, whatever stands in it.
pub fn log(bytes: &[u8]) {
    use natsleuth::reconstruct::log;
    use natsleuth::source::{Hints, Kind, Source, SourceId};
    use std::io::{Cursor, Read};
    /// Gives one to thirteen bytes a call.
    struct Drip(Cursor<Vec<u8>>);

    impl Read for Drip {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let most = 1 + (self.0.position() % 13) as usize;
            let most = most.min(buffer.len());
            self.0.read(&mut buffer[..most])
        }
    }

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
}

/// Documents of monitoring endpoints, log exports and configurations.
pub fn monitoring(bytes: &[u8]) {
    use natsleuth::reconstruct::log;
    use natsleuth::source::{Hints, Kind, Source, SourceId};
    use std::io::Cursor;

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
}

/// Any bytes as a file of a bundle: found out, unpacked within its limits, read.
pub fn archive(bytes: &[u8]) {
    use natsleuth::input::{InputOptions, discover};
    use std::io::{Read, sink};

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
}

/// A small bundle of any files, analysed and reported in every format.
///
/// The input is a list of files: a byte for the name, two for the length, the contents.
pub fn bundle(bytes: &[u8]) {
    use natsleuth::align::align;
    use natsleuth::align::timeline::timeline;
    use natsleuth::analyze::{Options, analyze, read};
    use natsleuth::progress::Silent;
    use natsleuth::report::{self, Format, RenderOptions, carve, why};
    use natsleuth::source::SourceId;
    use std::io;
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

    let folder = tempfile::tempdir().expect("a folder");
    let mut rest = bytes;
    while rest.len() > 3 {
        let name = NAMES[usize::from(rest[0]) % NAMES.len()];
        let length = usize::from(u16::from_le_bytes([rest[1], rest[2]])).min(rest.len() - 3);
        std::fs::write(folder.path().join(name), &rest[3..3 + length]).expect("a file");
        rest = &rest[3 + length..];
    }
    let mut options = Options {
        ports_are_default: true,
        ..Options::default()
    };
    options.input.max_total = 8 << 20;
    let Ok((input, analysis)) = analyze(&[folder.path().to_owned()], &options, &Silent) else {
        return;
    };
    for format in FORMATS {
        for verbose in [false, true] {
            let options = RenderOptions {
                verbose,
                color: verbose,
                width: if verbose { 40 } else { 100 },
                ..RenderOptions::default()
            };
            report::render(&analysis, format, &options, &mut io::sink())
                .expect("a sink takes everything");
        }
    }
    let open = |source: SourceId| input.open(source);
    for (index, close) in analysis.closes.iter().enumerate().take(3) {
        carve::carve(&analysis, &[index], &open, &mut io::sink()).expect("a sink takes everything");
        for evidence in close.evidence.iter().take(2) {
            let path = &analysis.sources[evidence.cite.source.0 as usize].path;
            why::write(&analysis, path, evidence.cite.place, &mut io::sink())
                .expect("a sink takes everything");
        }
    }
    let reading = read(&input, &options, &Silent);
    let alignment = align(
        &reading.records,
        &reading.facts,
        &input.sources,
        &options.align,
    );
    let events = timeline(&reading.records, &input.sources, &alignment);
    report::timeline::text(
        &events,
        &input.sources,
        &report::timeline::Shown::default(),
        &mut io::sink(),
    )
    .expect("a sink takes everything");
}
