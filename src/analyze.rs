//! The whole flow in one screen: read every source, put them on one time line, judge every close.

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use rayon::prelude::*;

use crate::align::joined::{CaptureFacts, Records};
use crate::align::{AlignOptions, align};
use crate::attribute::advisories::{self, Advisories};
use crate::attribute::finding::Analysis;
use crate::attribute::{Bundle, attribute};
use crate::input::{self, Group, Input, InputOptions};
use crate::progress::Progress;
use crate::reconstruct::capture::{self, CaptureOptions, CaptureResult};
use crate::reconstruct::conn::Conn;
use crate::reconstruct::facts::SourceFacts;
use crate::reconstruct::key_log::KeyLog;
use crate::reconstruct::log::{self, LogResult};
use crate::shelf::{Put, Spool};
use crate::source::{Kind, SourceId};
use crate::span::{Place, Reject};

/// What an analysis may be told.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Limits against hostile input.
    pub input: InputOptions,
    /// Ports, and whether to look for NATS on others.
    pub capture: CaptureOptions,
    /// Nobody named ports: those that logs name are followed too.
    pub ports_are_default: bool,
    /// Zones and clocks that the user knows better.
    pub align: AlignOptions,
    /// Known bugs to hold closes against; `None` for those that are built in.
    pub advisories: Option<Arc<Advisories>>,
}

/// Ports that server logs say they listen on.
fn listeners(parts: &[Read1]) -> Vec<u16> {
    let mut ports: Vec<u16> = Vec::new();
    for part in parts {
        let Read1::Log(results) = part else { continue };
        for life in results.iter().flat_map(|result| &result.servers) {
            let others = life
                .identity
                .other_listeners
                .iter()
                .map(|(_, listen)| *listen);
            ports.extend(
                life.identity
                    .listen
                    .into_iter()
                    .chain(others)
                    .map(|listen| listen.port()),
            );
        }
    }
    ports.sort_unstable();
    ports.dedup();
    ports
}

/// The TLS secrets of all key log files.
#[derive(Debug, Default)]
pub struct KeyLogs {
    /// The secrets.
    pub keys: KeyLog,
    /// Counters, a row a file.
    pub facts: Vec<SourceFacts>,
    /// What could not be read.
    pub rejects: Vec<Reject>,
}

/// Reads every key log file.
pub fn key_log(input: &Input) -> KeyLogs {
    let mut read = KeyLogs::default();
    for source in &input.sources {
        if source.kind != Kind::KeyLog {
            continue;
        }
        match input.open(source.id) {
            Ok(reader) => {
                let (facts, rejects) = read.keys.read(source.id, reader);
                read.facts.push(facts);
                read.rejects.extend(rejects);
            }
            Err(error) => read.rejects.push(reject(source.id, &error)),
        }
    }
    read
}

/// What one group of sources held.
enum Read1 {
    Capture(CaptureResult<Put<Conn>>),
    Log(Vec<LogResult>),
}

/// Everything that was read, before it is judged.
#[derive(Debug, Default)]
pub struct Reading {
    /// The records of all sources.
    pub records: Records,
    /// Counters, a row a source.
    pub facts: Vec<SourceFacts>,
    /// What could not be read.
    pub rejects: Vec<Reject>,
    /// Where records are put away.
    pub spool: Arc<Spool>,
}

/// Reads, aligns and judges everything under `paths`.
pub fn analyze(
    paths: &[PathBuf],
    options: &Options,
    progress: &dyn Progress,
) -> Result<(Input, Analysis), input::Error> {
    let input = input::discover(paths, &options.input)?;
    // The data base of known bugs is a long text: an idle thread reads it meanwhile.
    let known = || options.advisories.is_none().then(advisories::embedded);
    let (reading, _) = rayon::join(|| read(&input, options, progress), known);
    progress.stage("aligning");
    let alignment = align(
        &reading.records,
        &reading.facts,
        &input.sources,
        &options.align,
    );
    progress.stage("attributing");
    let mut analysis = attribute(Bundle {
        records: reading.records,
        alignment,
        sources: input.sources.clone(),
        spool: reading.spool,
        advisories: options.advisories.clone(),
    });
    analysis.source_facts = reading.facts;
    analysis.rejects = reading.rejects;
    Ok((input, analysis))
}

/// Reads every source, in parallel over groups; the result does not depend on the number of threads.
pub fn read(input: &Input, options: &Options, progress: &dyn Progress) -> Reading {
    progress.stage("reading");
    for group in &input.groups {
        announce(input, group, progress);
    }
    // Logs and keys first: they name listeners on ports that nobody would guess.
    let kind = |group: &Group| input.sources[group.members[0].0 as usize].kind;
    let spool = Arc::new(Spool::default());
    let read = |group: &Group, options: &Options| {
        let part = read_group(input, group, options, &spool, progress);
        progress.done(group.members[0]);
        part
    };
    let (captures, texts): (Vec<&Group>, Vec<&Group>) = input
        .groups
        .iter()
        .filter(|group| kind(group) != Kind::KeyLog)
        .partition(|group| kind(group) == Kind::Capture);
    let mut parts: Vec<Read1> = texts.par_iter().map(|group| read(group, options)).collect();
    let mut wider = options.clone();
    for port in listeners(&parts) {
        if options.ports_are_default && !wider.capture.ports.contains(&port) {
            wider.capture.ports.push(port);
        }
    }
    // Threads that captures leave idle among themselves follow connections.
    wider.capture.threads = (rayon::current_num_threads() / captures.len().max(1)).max(1);
    let key_log = key_log(input);
    wider.capture.keys = Arc::new(key_log.keys);
    parts.extend(
        captures
            .par_iter()
            .map(|group| read(group, &wider))
            .collect::<Vec<_>>(),
    );
    let mut reading = Reading {
        rejects: input
            .rejects
            .iter()
            .cloned()
            .chain(key_log.rejects)
            .collect(),
        spool: Arc::clone(&spool),
        ..Reading::default()
    };
    let mut facts: Vec<SourceFacts> = key_log.facts;
    let mut logs: Vec<LogResult> = Vec::new();
    for part in parts {
        match part {
            Read1::Capture(result) => {
                facts.push(SourceFacts {
                    source: result.facts.source,
                    records: result.records,
                    rejected: result.rejects.iter().map(|reject| reject.count).sum(),
                    ..SourceFacts::default()
                });
                reading.records.conns.append(result.conns);
                reading.records.captures.push(result.facts);
                reading.rejects.extend(result.rejects);
            }
            Read1::Log(results) => {
                for result in results {
                    facts.push(result.facts.clone());
                    logs.push(result);
                }
            }
        }
    }
    let merged = log::merge(logs);
    reading.records.servers = merged.servers;
    reading.records.clients = merged.clients;
    reading.records.host_events = merged.host_events;
    reading.rejects.extend(merged.rejects);
    reading
        .rejects
        .sort_by(|a, b| (a.source, a.place, &a.why).cmp(&(b.source, b.place, &b.why)));
    reading.facts = input
        .sources
        .iter()
        .map(|source| {
            let row = facts.iter().find(|row| row.source == source.id);
            SourceFacts {
                source: source.id,
                sha256: input.checksum(source.id),
                ..row.cloned().unwrap_or_default()
            }
        })
        .collect();
    reading
}

/// Tells the progress what will be read as one.
pub fn announce(input: &Input, group: &Group, progress: &dyn Progress) {
    let members = group.members.iter();
    let bytes = members.map(|id| input.sources[id.0 as usize].bytes).sum();
    let first = group.members[0];
    let path = &input.sources[first.0 as usize].path;
    match group.members.len() {
        1 => progress.source(first, path, bytes),
        many => progress.source(first, &format!("{path} and {} more", many - 1), bytes),
    }
}

fn read_group(
    input: &Input,
    group: &Group,
    options: &Options,
    spool: &Arc<Spool>,
    progress: &dyn Progress,
) -> Read1 {
    let first = group.members[0];
    let advance = |bytes: u64| progress.advance(first, bytes);
    if input.sources[first.0 as usize].kind == Kind::Capture {
        let (mut pieces, unreadable) = pieces(input, group);
        let mut result = if pieces.is_empty() {
            CaptureResult {
                facts: CaptureFacts {
                    source: first,
                    ..CaptureFacts::default()
                },
                conns: Vec::new(),
                rejects: Vec::new(),
                records: 0,
            }
        } else {
            capture::read(&mut pieces, &options.capture, spool, &advance)
        };
        result.rejects.extend(unreadable);
        return Read1::Capture(result);
    }
    let read = |id: &SourceId| {
        let source = &input.sources[id.0 as usize];
        let reader = match input.open(*id) {
            Ok(reader) => reader,
            Err(error) => {
                return LogResult {
                    rejects: vec![reject(*id, &error)],
                    ..LogResult::default()
                };
            }
        };
        match source.kind {
            Kind::Monitoring => log::read_monitoring(source, reader),
            Kind::ServerConfig => log::read_config(source, reader),
            Kind::Log => log::read(source, reader, &advance),
            Kind::Capture | Kind::KeyLog | Kind::Unknown => LogResult::default(),
        }
    };
    Read1::Log(group.members.iter().map(read).collect())
}

/// An opened source.
pub type Opened = (SourceId, Box<dyn Read + Send>);

/// The files of a capture, opened, and those that cannot be.
pub fn pieces(input: &Input, group: &Group) -> (Vec<Opened>, Vec<Reject>) {
    let mut pieces = Vec::new();
    let mut unreadable = Vec::new();
    for id in &group.members {
        match input.open(*id) {
            Ok(reader) => pieces.push((*id, reader)),
            Err(error) => unreadable.push(reject(*id, &error)),
        }
    }
    (pieces, unreadable)
}

fn reject(source: SourceId, error: &io::Error) -> Reject {
    Reject {
        source,
        place: None::<Place>,
        why: format!("opening the source: {error}"),
        count: 1,
    }
}
