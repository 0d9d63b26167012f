//! `conns` and `sessions`: what captures hold, as tables.

use std::sync::Arc;

use natsleuth::analyze;
use natsleuth::input::{self, Group, Input};
use natsleuth::reconstruct::capture::{self, CaptureResult};
use natsleuth::reconstruct::conn::Conn;
use natsleuth::report::rows::{self, Row, RowFormat};
use natsleuth::report::table::Columns;
use natsleuth::report::{conns, sessions};
use natsleuth::shelf::{Put, Spool, Writer};
use natsleuth::source::Kind;
use natsleuth::span::Reject;
use rayon::prelude::*;

use super::{reading, status, write};
use crate::cli::Table;

/// Writes the table of connections.
pub fn conns(arguments: &Table) -> anyhow::Result<u8> {
    let row = |conn: &Conn, format| Some(conns::row(conn, format));
    run(arguments, true, &row, &conns::COLUMNS)
}

/// Writes the table of sessions.
pub fn sessions(arguments: &Table) -> anyhow::Result<u8> {
    run(arguments, false, &sessions::row, &sessions::COLUMNS)
}

/// Writes the rows that `row` makes of connections; `all`: of those that are not NATS as well.
fn run(
    arguments: &Table,
    all: bool,
    row: &(dyn Fn(&Conn, RowFormat) -> Option<Row> + Sync),
    columns: &Columns,
) -> anyhow::Result<u8> {
    let format = RowFormat::from(arguments.format);
    let output = arguments.target.output();
    output.check()?;
    let read = read(arguments, all, &|conn| row(conn, format))?;
    reading::spare(&output, &read.input.sources)?;
    write(&output, |out| rows::write(read.rows, columns, format, out))?;
    Ok(reading::status(arguments.input.strict, &read.rejects))
}

/// All captures, read.
struct Read {
    input: Input,
    /// By capture, then by first packet.
    rows: Vec<Put<Row>>,
    rejects: Vec<Reject>,
}

/// Reads every capture of the input, keeping each connection's row, with warnings.
fn read(
    arguments: &Table,
    all: bool,
    row: &(dyn Fn(&Conn) -> Option<Row> + Sync),
) -> anyhow::Result<Read> {
    let spool = Arc::new(Spool::default());
    let (input, results, unreadable_keys) =
        reading::with_threads(&arguments.input, |options, progress| {
            let input = input::discover(&arguments.input.paths, &options.input)?;
            let captures: Vec<&Group> = input
                .groups
                .iter()
                .filter(|group| input.sources[group.members[0].0 as usize].kind == Kind::Capture)
                .collect();
            progress.stage("reading");
            for group in &captures {
                analyze::announce(&input, group, progress);
            }
            let mut options = options.capture.clone();
            options.all = all;
            let key_log = analyze::key_log(&input);
            options.keys = Arc::new(key_log.keys);
            options.threads = (options.threads / captures.len().max(1)).max(1);
            let results: Vec<CaptureResult<Option<Put<Row>>>> = captures
                .par_iter()
                .map(|group| {
                    let (mut pieces, unreadable) = analyze::pieces(&input, group);
                    let first = group.members[0];
                    let advance = |bytes| progress.advance(first, bytes);
                    let mut result = capture::read_map(&mut pieces, &options, &advance, &|| {
                        let mut writer = Writer::new(&spool);
                        move |conn: Conn| row(&conn).map(|row| writer.put(row))
                    });
                    progress.done(first);
                    result.rejects.extend(unreadable);
                    result
                })
                .collect();
            Ok::<_, input::Error>((input, results, key_log.rejects))
        })??;
    if results.is_empty() {
        let files = match input.sources.len() {
            1 => "the file is none".to_owned(),
            count => format!("none of the {count} files is one"),
        };
        let why = format!("no capture (pcap, pcapng, snoop) in the input: {files}");
        return Err(status::NoInput(why).into());
    }
    let mut rejects = input.rejects.clone();
    rejects.extend(unreadable_keys);
    let mut rows = Vec::new();
    let mut facts = Vec::new();
    for result in results {
        rows.extend(result.conns.into_iter().flatten());
        rejects.extend(result.rejects);
        facts.push(result.facts);
    }
    rejects.sort_by(|a, b| (a.source, a.place, &a.why).cmp(&(b.source, b.place, &b.why)));
    reading::warn(&input.sources, &rejects);
    Ok(Read {
        input,
        rows,
        rejects,
    })
}
