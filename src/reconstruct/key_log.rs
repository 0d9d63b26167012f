//! TLS secrets by the connection that they are for, as key log files and captures hold them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::Read;
use std::sync::{Arc, PoisonError, RwLock};

use super::facts::SourceFacts;
use super::lines::{Batch, Batches};
use crate::parse::tls::key_log::{Label, Line, Random, Secret, line};
use crate::source::SourceId;
use crate::span::{Place, Reject};

/// Connections whose secrets are kept: a few hundred bytes each.
const MOST: usize = 100_000;

/// Secrets of one connection; pairs are the client's and the server's.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// TLS 1.2.
    pub master: Option<Secret>,
    /// TLS 1.3, from the hellos to the Finished messages.
    pub handshake: [Option<Secret>; 2],
    /// TLS 1.3, behind them.
    pub traffic: [Option<Secret>; 2],
}

/// Secrets by the client's random.
#[derive(Clone, Debug, Default)]
pub struct KeyLog {
    by_random: HashMap<Random, Box<Secrets>>,
}

/// What a text of lines held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// Secrets.
    pub secrets: u64,
    /// Lines that are none of a key log: the first, counted from 1, and how many.
    pub broken: Option<(u64, u64)>,
    /// Secrets beyond the number that is kept.
    pub dropped: u64,
    /// All lines.
    pub lines: u64,
}

impl KeyLog {
    /// Reads lines.
    pub fn add(&mut self, text: &[u8]) -> Added {
        let mut added = Added::default();
        for text in text.split_inclusive(|&byte| byte == b'\n') {
            added.lines += 1;
            match line(text) {
                Line::Secret(label, random, secret) if self.keep(label, random, secret) => {
                    added.secrets += 1;
                }
                Line::Secret(..) => added.dropped += 1,
                Line::Other => {}
                Line::Broken => added.broken.get_or_insert((added.lines, 0)).1 += 1,
            }
        }
        added
    }

    /// The secrets of a connection.
    pub fn get(&self, random: &Random) -> Option<&Secrets> {
        self.by_random.get(random).map(|secrets| &**secrets)
    }

    /// Keeps a secret, unless there are too many; of two with one name the first counts.
    fn keep(&mut self, label: Label, random: Random, secret: Secret) -> bool {
        let full = self.by_random.len() >= MOST;
        let secrets = match self.by_random.entry(random) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(_) if full => return false,
            Entry::Vacant(entry) => entry.insert(Box::default()),
        };
        let place = match label {
            Label::Master => &mut secrets.master,
            Label::ClientHandshake => &mut secrets.handshake[0],
            Label::ServerHandshake => &mut secrets.handshake[1],
            Label::ClientTraffic => &mut secrets.traffic[0],
            Label::ServerTraffic => &mut secrets.traffic[1],
        };
        place.get_or_insert(secret);
        true
    }

    /// Reads a key log file.
    pub fn read(
        &mut self,
        source: SourceId,
        reader: Box<dyn Read + Send>,
    ) -> (SourceFacts, Vec<Reject>) {
        let mut facts = SourceFacts {
            source,
            ..SourceFacts::default()
        };
        let mut rejects = Vec::new();
        let mut reject = |line: Option<u64>, why: String, count: u64| {
            rejects.push(Reject {
                source,
                place: line.map(Place::Line),
                why,
                count,
            });
        };
        let (mut lines, mut dropped) = (0, 0);
        let mut broken: Option<(u64, u64)> = None;
        let mut batches = Batches::new(reader);
        let mut buffer = Vec::new();
        loop {
            match batches.next(&mut buffer).0 {
                Batch::Lines => {
                    let added = self.add(&buffer);
                    facts.records += added.secrets;
                    dropped += added.dropped;
                    if let Some((first, count)) = added.broken {
                        broken.get_or_insert((lines + first, 0)).1 += count;
                    }
                    lines += added.lines;
                }
                Batch::TooLong(_) | Batch::Nuls(_) => {
                    lines += 1;
                    broken.get_or_insert((lines, 0)).1 += 1;
                }
                Batch::End => break,
                Batch::Failed(error) => {
                    reject(Some(lines + 1), format!("reading the source: {error}"), 1);
                    break;
                }
            }
        }
        if let Some((first, count)) = broken {
            facts.rejected = count;
            reject(
                Some(first),
                "a line that is none of a TLS key log".to_owned(),
                count,
            );
        }
        if dropped > 0 {
            let why = format!("TLS secrets of more than {MOST} connections");
            reject(None, why, dropped);
        }
        (facts, rejects)
    }
}

/// Where the connections of one capture look their secrets up: in what was given, then in what the capture itself held
/// before them.
#[derive(Debug, Default)]
pub struct KeyRing {
    given: Arc<KeyLog>,
    /// Locked when a hello is read or a block of secrets comes by, never for a packet.
    found: RwLock<KeyLog>,
}

impl KeyRing {
    /// A ring that knows `given`.
    pub fn new(given: Arc<KeyLog>) -> Self {
        Self {
            given,
            found: RwLock::default(),
        }
    }

    /// Adds the lines of a block of secrets.
    pub fn add(&self, text: &[u8]) {
        self.found
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .add(text);
    }

    /// Nothing is known so far.
    pub fn is_empty(&self) -> bool {
        let found = self.found.read().unwrap_or_else(PoisonError::into_inner);
        self.given.by_random.is_empty() && found.by_random.is_empty()
    }

    /// The secrets of a connection.
    pub fn get(&self, random: &Random) -> Option<Secrets> {
        self.given.get(random).cloned().or_else(|| {
            let found = self.found.read().unwrap_or_else(PoisonError::into_inner);
            found.get(random).cloned()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;
    use std::sync::Arc;

    use super::{KeyLog, KeyRing, MOST};
    use crate::source::SourceId;
    use crate::span::Place;

    fn text(label: &str, number: usize, len: usize) -> String {
        format!("{label} {number:064x} {}\n", "ab".repeat(len))
    }

    #[test]
    fn secrets_of_one_connection_come_together() {
        let mut keys = KeyLog::default();
        let log = [
            text("CLIENT_TRAFFIC_SECRET_0", 5, 32),
            text("SERVER_TRAFFIC_SECRET_0", 5, 32),
            text("CLIENT_RANDOM", 6, 48),
            "what is this\n".to_owned(),
            text("EXPORTER_SECRET", 5, 32),
            "CLIENT_RANDOM cut".to_owned(),
        ]
        .concat();
        let (facts, rejects) = keys.read(SourceId(3), Box::new(std::io::Cursor::new(log)));
        assert_eq!((facts.records, facts.rejected), (3, 2));
        assert_eq!(
            (rejects[0].place, rejects[0].count),
            (Some(Place::Line(4)), 2)
        );
        let ring = KeyRing::new(Arc::new(keys));
        let mut random = [0; 32];
        random[31] = 5;
        let five = ring.get(&random).unwrap();
        assert!(five.traffic.iter().all(Option::is_some) && five.master.is_none());
        random[31] = 7;
        assert!(ring.get(&random).is_none());
        ring.add(text("CLIENT_RANDOM", 7, 48).as_bytes());
        assert!(ring.get(&random).unwrap().master.is_some());
    }

    #[test]
    fn the_number_of_connections_is_bounded() {
        let mut log = String::new();
        for number in 0..MOST + 10 {
            write!(log, "{}", text("CLIENT_RANDOM", number, 48)).unwrap();
        }
        let added = KeyLog::default().add(log.as_bytes());
        assert_eq!((added.secrets, added.dropped), (MOST as u64, 10));
    }
}
