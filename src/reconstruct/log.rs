//! Text sources: each line goes to the grammar that knows it. One file may hold several servers, streams, host lines
//! and client lines.

use std::io::Read;

use rayon::prelude::*;

pub use super::bundle::merge;
use super::client::ClientStory;
use super::config_file::{self, ConfigFile};
use super::digest::{Digest, digest};
pub use super::facts::SourceFacts;
use super::lines::{Batch, Batches, pieces};
use super::log_reader::{LogReader, WHOLE};
use super::server::{ServerEvent, ServerLife};
use crate::source::Source;
use crate::span::Reject;

/// What text sources hold.
#[derive(Clone, Debug, Default)]
pub struct LogResult {
    /// Server processes.
    pub servers: Vec<ServerLife>,
    /// Clients.
    pub clients: Vec<ClientStory>,
    /// Host events that belong to no server life.
    pub host_events: Vec<ServerEvent>,
    /// Configuration files.
    pub configs: Vec<ConfigFile>,
    /// Path of the source, empty for several.
    pub path: String,
    /// Stem of its name, as the source's hints have it.
    pub stem: String,
    /// Counters of the source.
    pub facts: SourceFacts,
    /// After [`merge`]: the counters of every source, in order.
    pub source_facts: Vec<SourceFacts>,
    /// What could not be read.
    pub rejects: Vec<Reject>,
}

/// Size of the pieces that are digested in parallel.
const PIECE: usize = 512 << 10;

/// Reads one text source. `advance` is told of bytes read.
pub fn read(source: &Source, reader: Box<dyn Read + Send>, advance: &dyn Fn(u64)) -> LogResult {
    let mut log = LogReader::new(source);
    let mut batches = Batches::new(reader);
    let (mut buffer, mut ahead) = (Vec::new(), Vec::new());
    let (mut batch, mut bytes) = batches.next(&mut buffer);
    if matches!(batch, Batch::Lines) && log.look_ahead(&buffer) {
        advance(bytes);
        let (whole, more) = batches.rest(&mut buffer, WHOLE as usize);
        bytes = more;
        if whole {
            advance(bytes);
            log.newest_first(&buffer);
            (batch, bytes) = batches.next(&mut buffer);
        } else {
            log.reject(
                1,
                format!("reading a log that stands newest first: more than {WHOLE} bytes, read as it stands"),
            );
        }
    }
    loop {
        advance(bytes);
        match batch {
            Batch::Lines => {
                // The next batch is read while this one is digested.
                let (digests, next) =
                    rayon::join(|| digested(&buffer), || batches.next(&mut ahead));
                for (piece, digest) in digests {
                    log.fold(piece, digest);
                }
                (batch, bytes) = next;
                std::mem::swap(&mut buffer, &mut ahead);
                continue;
            }
            Batch::TooLong(length) => log.too_long(1, length),
            Batch::Nuls(length) => log.nuls(length),
            Batch::End => break,
            Batch::Failed(error) => {
                log.reject(log.lines() + 1, format!("reading the source: {error}"));
                break;
            }
        }
        (batch, bytes) = batches.next(&mut buffer);
    }
    let records = log.lines();
    log.finish(records)
}

/// The pieces of a batch with what a first look at each gives.
fn digested(batch: &[u8]) -> Vec<(&[u8], Digest)> {
    pieces(batch, PIECE)
        .into_par_iter()
        .map(|piece| (piece, digest(piece)))
        .collect()
}

/// Reads JSON saved from a monitoring endpoint, or exported by a log store. One document or many.
pub fn read_monitoring(source: &Source, reader: Box<dyn Read + Send>) -> LogResult {
    let mut log = LogReader::new(source);
    let Some(bytes) = log.whole(reader) else {
        return log.finish(0);
    };
    let mut documents =
        serde_json::Deserializer::from_slice(&bytes).into_iter::<serde_json::Value>();
    let mut records = 0;
    let (mut counted, mut line) = (0, 1);
    loop {
        let from = documents.byte_offset();
        let Some(value) = documents.next() else {
            break;
        };
        let blanks = bytes[from..]
            .iter()
            .take_while(|b| b.is_ascii_whitespace())
            .count();
        line += memchr::memchr_iter(b'\n', &bytes[counted..from + blanks]).count() as u64;
        counted = from + blanks;
        records += 1;
        match value {
            Ok(value) => log.document(line, &bytes[counted..documents.byte_offset()], &value),
            Err(error) => {
                let line = line + error.line().saturating_sub(1) as u64;
                log.reject(line, format!("reading JSON: {error}"));
                break;
            }
        }
    }
    log.finish(records)
}

/// Reads a nats-server configuration file.
pub fn read_config(source: &Source, reader: Box<dyn Read + Send>) -> LogResult {
    let mut log = LogReader::new(source);
    let Some(bytes) = log.whole(reader) else {
        return log.finish(0);
    };
    let text = String::from_utf8_lossy(&bytes);
    let (config, stopped) = config_file::read(source.id, &source.path, &text);
    if let Some(line) = stopped {
        log.reject(
            line,
            "reading a configuration: expected an option".to_owned(),
        );
    }
    let mut result = log.finish(memchr::memchr_iter(b'\n', &bytes).count() as u64);
    result.configs.push(config);
    result
}
