//! The wanted packets of one capture, one after another.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::net::SocketAddr;

use super::Open;
use crate::attribute::finding::Analysis;
use crate::parse::packet::{self, Packet};
use crate::parse::pcap::{Frame, Reader, Step};
use crate::reconstruct::conn::Conn;
use crate::source::SourceId;
use crate::span::Moment;

/// Which packets of a capture are wanted.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Frames of each connection: from its first to its last, since ports are used again. By its two ends, lower first.
    conns: BTreeMap<(SocketAddr, SocketAddr), Vec<(u64, u64)>>,
    /// Frames wanted by number: cited ones, and ICMP errors.
    frames: BTreeSet<u64>,
    /// The last frame that can be wanted.
    last: u64,
}

impl Wanted {
    /// Adds a connection with the errors about it.
    pub fn conn(&mut self, conn: &Conn) {
        let span = (conn.first.frame, conn.last.frame);
        let ends = ordered(conn.tuple.orig, conn.tuple.resp);
        self.conns.entry(ends).or_default().push(span);
        self.last = self.last.max(span.1);
        for error in &conn.icmp {
            self.frame(error.at.frame);
        }
    }

    /// Adds a packet.
    pub fn frame(&mut self, frame: u64) {
        self.frames.insert(frame);
        self.last = self.last.max(frame);
    }

    fn holds(&self, number: u64, link: u32, data: &[u8]) -> bool {
        if self.frames.contains(&number) {
            return true;
        }
        match packet::packet(link, data) {
            Packet::Tcp(segment) => {
                let src = SocketAddr::new(segment.src.ip(), segment.src_port);
                let dst = SocketAddr::new(segment.dst.ip(), segment.dst_port);
                let spans = self.conns.get(&ordered(src, dst));
                spans.is_some_and(|spans| within(spans, number))
            }
            // Ports are in the first piece only: what the two hosts exchanged in this time is taken.
            Packet::Fragment(piece) => {
                let ends = (piece.src.ip(), piece.dst.ip());
                self.conns.iter().any(|((low, high), spans)| {
                    let hosts = (low.ip(), high.ip());
                    (ends == hosts || ends == (hosts.1, hosts.0)) && within(spans, number)
                })
            }
            _ => false,
        }
    }
}

fn ordered(one: SocketAddr, other: SocketAddr) -> (SocketAddr, SocketAddr) {
    if one <= other {
        (one, other)
    } else {
        (other, one)
    }
}

fn within(spans: &[(u64, u64)], number: u64) -> bool {
    spans
        .iter()
        .any(|&(first, last)| (first..=last).contains(&number))
}

/// A packet taken from a capture.
pub struct Taken {
    /// When and which, on the capture's clock.
    pub at: Moment,
    /// Link type.
    pub link: u32,
    /// Captured bytes.
    pub data: Vec<u8>,
    /// Length on the wire.
    pub len: u32,
}

/// A capture being read again: the files of a rotated one as one.
pub struct Stream {
    /// The capture.
    pub source: SourceId,
    wanted: Wanted,
    /// Files still to open, the next one last.
    pieces: Vec<SourceId>,
    reader: Option<Reader<Box<dyn Read + Send>>>,
    spare: Vec<u8>,
    number: u64,
}

impl Stream {
    /// The wanted packets of `source`.
    pub fn new(analysis: &Analysis, source: SourceId, wanted: Wanted) -> Self {
        let captures = &analysis.records.captures;
        let facts = captures.iter().find(|facts| facts.source == source);
        let mut pieces: Vec<SourceId> = facts
            .map(|facts| facts.pieces.iter().rev().map(|piece| piece.0).collect())
            .unwrap_or_default();
        if pieces.is_empty() {
            pieces.push(source);
        }
        Self {
            source,
            wanted,
            pieces,
            reader: None,
            spare: Vec::new(),
            number: 0,
        }
    }

    /// The next wanted packet. A capture that breaks off ends there: what it held was analysed the same way.
    pub fn next(&mut self, open: &Open<'_>) -> io::Result<Option<Taken>> {
        while self.number < self.wanted.last {
            let Some(reader) = &mut self.reader else {
                let Some(piece) = self.pieces.pop() else {
                    return Ok(None);
                };
                self.reader = Some(Reader::new(open(piece)?));
                continue;
            };
            match reader.step() {
                Step::Frame(frame) => {
                    self.number += 1;
                    let data = bytes(reader.bytes(), &frame);
                    if self.wanted.holds(self.number, frame.link, data) {
                        return Ok(Some(Taken {
                            at: Moment {
                                ns: frame.ns,
                                frame: self.number,
                            },
                            link: frame.link,
                            data: data.to_vec(),
                            len: frame.len,
                        }));
                    }
                }
                Step::Secrets(_) => {}
                Step::Refill => self.spare = reader.refill(std::mem::take(&mut self.spare)),
                Step::End => self.reader = None,
            }
        }
        Ok(None)
    }
}

fn bytes<'b>(buffer: &'b [u8], frame: &Frame) -> &'b [u8] {
    buffer
        .get(frame.start..frame.start + frame.captured)
        .unwrap_or_default()
}
