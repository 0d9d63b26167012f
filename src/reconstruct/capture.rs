//! Captures to connections: a reader that frames and decodes, and tables of connections that follow them.
//!
//! With one thread everything happens in turn. With more, the calling thread reads and decodes, and each worker has a
//! table for its share of connections; buffers are passed on as they are, without copying packets. Results are
//! the same for any number of threads.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Read;
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::vec::IntoIter;

use super::conn::Conn;
use super::conn_table::{ConnTable, Done, Interest, TableFacts};
use super::four_tuple::{Endpoint, KeyHash};
use super::key_log::KeyLog;
use crate::parse::packet::{self, Defragmenter, IcmpError, Packet, Segment};
use crate::parse::pcap::{Frame, Notes, Reader, Step};
use crate::shelf::{Put, Spool, Writer};
use crate::source::SourceId;
use crate::span::{Moment, Place, Reject};

/// What to read from a capture.
#[derive(Clone, Debug)]
pub struct CaptureOptions {
    /// Ports whose connections are reassembled.
    pub ports: Vec<u16>,
    /// Find NATS on any other port by its INFO banner.
    pub auto_ports: bool,
    /// Return every TCP connection, not only those that are wanted.
    pub all: bool,
    /// Secrets of TLS connections, from key log files; those that a capture holds itself are found there.
    pub keys: Arc<KeyLog>,
    /// Threads: 1 works without others; more follow connections on as many, while the calling thread reads ahead of them
    /// and mostly waits.
    pub threads: usize,
}

impl CaptureOptions {
    /// Client, route, gateway and leafnode ports of nats-server's documentation.
    pub const PORTS: [u16; 4] = [4222, 6222, 7222, 7422];
}

impl Default for CaptureOptions {
    fn default() -> Self {
        Self {
            ports: Self::PORTS.to_vec(),
            auto_ports: false,
            all: false,
            keys: Arc::default(),
            threads: 1,
        }
    }
}

/// What is known of a capture as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaptureFacts {
    /// The source.
    pub source: SourceId,
    /// Packets read.
    pub packets: u64,
    /// First packet.
    pub first: Moment,
    /// Last packet.
    pub last: Moment,
    /// Packets that the capturing system says it dropped (pcapng interface statistics).
    pub dropped: Option<u64>,
    /// The snap length cut packets.
    pub snapped: bool,
    /// The file ended inside a record.
    pub cut_short: bool,
    /// Files of a rotated capture, read as one: each with the number of its first frame. Frame `n` of the whole is frame
    /// `n - first + 1` of its file.
    pub pieces: Vec<(SourceId, u64)>,
    /// TCP packets between ports that nobody asked for.
    pub other_tcp: u64,
    /// Packets that are neither TCP nor an ICMP error about it.
    pub other_packets: u64,
    /// Connections that were neither on a port asked for nor NATS by their banner, as far as they were followed.
    pub other_conns: u64,
    /// Packets that came after the end of their connection.
    pub stragglers: u64,
    /// IP fragments.
    pub fragments: u64,
    /// What the files say besides packets: comments (by frame of the whole), names, interfaces, decryption secrets.
    pub notes: Box<Notes>,
}

impl CaptureFacts {
    /// The file and the frame number in it of a frame of the whole.
    pub fn place(&self, frame: u64) -> (SourceId, u64) {
        let piece = self
            .pieces
            .iter()
            .rev()
            .find(|(_, first)| *first <= frame)
            .copied();
        let (source, first) = piece.unwrap_or((self.source, 1));
        (source, frame - first.min(frame) + 1)
    }
}

/// A capture, read.
#[derive(Debug, Default)]
pub struct CaptureResult<T = Conn> {
    /// Connections, by first packet.
    pub conns: Vec<T>,
    /// The capture as a whole.
    pub facts: CaptureFacts,
    /// What could not be read.
    pub rejects: Vec<Reject>,
    /// Packets read.
    pub records: u64,
}

/// The files of one capture, in order.
pub type Pieces<'a> = [(SourceId, Box<dyn Read + Send + 'a>)];

/// Reads the files of one capture, in order, as one; connections are put away as they end. `advance` is told of input
/// bytes as they are consumed.
pub fn read(
    pieces: &mut Pieces<'_>,
    options: &CaptureOptions,
    spool: &Arc<Spool>,
    advance: &dyn Fn(u64),
) -> CaptureResult<Put<Conn>> {
    let mut result = read_map(pieces, options, advance, &|| {
        let mut writer = Writer::new(spool);
        move |mut conn: Conn| {
            conn.pack();
            writer.put(conn)
        }
    });
    for conn in &mut result.conns {
        conn.amend(|sketch| sketch.seen_until(result.facts.last));
    }
    result
}

/// Like [`read`], handing each connection to what `map` makes for each thread as soon as it is over, in any order, and
/// keeping only what that makes of it. The results are in order.
pub fn read_map<T: Send, F: FnMut(Conn) -> T>(
    pieces: &mut Pieces<'_>,
    options: &CaptureOptions,
    advance: &dyn Fn(u64),
    map: &(dyn Fn() -> F + Sync),
) -> CaptureResult<T> {
    let source = pieces.first().map_or(SourceId(0), |piece| piece.0);
    let interest = Interest {
        ports: options.ports.clone(),
        detect: options.auto_ports,
        all: options.all,
    };
    let workers = if options.threads > 1 {
        options.threads
    } else {
        0
    };
    let mut decoder = Decoder::new(source, interest.clone(), workers.max(1));
    let mut ends = if workers == 0 {
        let mut table = ConnTable::new(source, interest, Arc::clone(&options.keys), map());
        decoder.run(pieces, advance, &mut |batch| {
            batch.feed(0, &mut table);
        });
        vec![table.finish()]
    } else {
        std::thread::scope(|scope| {
            let mut senders: Vec<SyncSender<Arc<Batch>>> = Vec::new();
            let mut handles = Vec::new();
            for shard in 0..workers {
                let (sender, receiver): (_, Receiver<Arc<Batch>>) = sync_channel(QUEUE);
                senders.push(sender);
                let interest = interest.clone();
                let keys = Arc::clone(&options.keys);
                handles.push(scope.spawn(move || {
                    let mut table = ConnTable::new(source, interest, keys, map());
                    while let Ok(batch) = receiver.recv() {
                        batch.feed(shard, &mut table);
                    }
                    table.finish()
                }));
            }
            let mut passed: VecDeque<Arc<Batch>> = VecDeque::new();
            decoder.run(pieces, advance, &mut |batch| {
                let full = Arc::new(std::mem::take(batch));
                for sender in &senders {
                    // A worker that is gone has panicked; joining it tells.
                    let _ = sender.send(Arc::clone(&full));
                }
                passed.push_back(full);
                // The oldest batch is free again when every worker has let go of it.
                if let Some(oldest) = passed.front_mut()
                    && Arc::get_mut(oldest).is_some()
                    && let Some(Ok(free)) = passed.pop_front().map(Arc::try_unwrap)
                {
                    *batch = free;
                }
            });
            drop(senders);
            handles
                .into_iter()
                .map(|handle| match handle.join() {
                    Ok(end) => end,
                    Err(panic) => std::panic::resume_unwind(panic),
                })
                .collect()
        })
    };
    let mut servers = BTreeSet::new();
    for table in &mut ends {
        servers.append(&mut table.servers);
    }
    let found = ends.iter().map(|table| table.done.len()).sum();
    let lists = ends.iter_mut().map(|table| std::mem::take(&mut table.done));
    let mut conns: Vec<T> = Vec::with_capacity(found);
    merged(lists, |done| {
        let resp = done.only_if.as_deref();
        if resp.is_none_or(|resp| servers.contains(resp)) {
            conns.push(done.conn);
        }
    });
    let tables = ends.into_iter().map(|table| table.facts);
    let (facts, rejects) = decoder.finish(tables, (found - conns.len()) as u64);
    CaptureResult {
        records: facts.packets,
        conns,
        facts,
        rejects,
    }
}

/// Takes the connections of all tables by their first frames; each list is in order.
fn merged<T>(lists: impl Iterator<Item = Vec<Done<T>>>, mut take: impl FnMut(Done<T>)) {
    let mut lists: Vec<_> = lists.map(Vec::into_iter).collect();
    let first = |list: &&mut IntoIter<Done<T>>| list.as_slice().first().map(|done| done.first);
    while let Some(next) = lists
        .iter_mut()
        .filter(|list| first(list).is_some())
        .min_by_key(first)
        .and_then(Iterator::next)
    {
        take(next);
    }
}

/// Bytes read at a time where other threads take them over: each time costs a wait or two.
const HANDED_ON: usize = 256 * 1024;

/// Batches on their way to a worker.
const QUEUE: usize = 4;

/// A buffer of frames and what was decoded from it.
#[derive(Debug, Default)]
struct Batch {
    bytes: Vec<u8>,
    /// Packets put together from fragments.
    extra: Vec<u8>,
    shards: Vec<Vec<Item>>,
}

#[derive(Debug)]
struct Item {
    at: Moment,
    interface: u32,
    what: What,
}

#[derive(Debug)]
enum What {
    Segment {
        segment: Segment,
        /// Its payload lies in `extra`.
        extra: bool,
    },
    Icmp(Box<IcmpError>),
    /// Lines of a TLS key log, by their place in `extra`.
    Secrets(Range<usize>),
}

impl Batch {
    fn feed<T, F: FnMut(Conn) -> T>(&self, shard: usize, table: &mut ConnTable<T, F>) {
        let Some(items) = self.shards.get(shard) else {
            return;
        };
        for item in items {
            match &item.what {
                What::Segment { segment, extra } => {
                    let bytes = if *extra { &self.extra } else { &self.bytes };
                    let start = segment.payload_start as usize;
                    let payload = bytes
                        .get(start..start + segment.payload_len as usize)
                        .unwrap_or_default();
                    table.segment(segment, payload, item.at, item.interface);
                }
                What::Icmp(error) => table.icmp(error, item.at),
                What::Secrets(range) => {
                    table.secrets(self.extra.get(range.clone()).unwrap_or_default());
                }
            }
        }
    }

    fn clear(&mut self, shards: usize) {
        self.extra.clear();
        self.shards.resize_with(shards, Vec::new);
        for shard in &mut self.shards {
            shard.clear();
        }
    }
}

/// Frames to batches of segments.
struct Decoder {
    interest: Interest,
    shards: usize,
    facts: CaptureFacts,
    defragmenter: Defragmenter,
    rejects: Vec<Reject>,
    /// Packets that could not be decoded, by reason: first frame of the whole, and how many.
    broken: BTreeMap<String, (u64, u64)>,
}

impl Decoder {
    fn new(source: SourceId, interest: Interest, shards: usize) -> Self {
        Self {
            interest,
            shards,
            facts: CaptureFacts {
                source,
                ..CaptureFacts::default()
            },
            defragmenter: Defragmenter::default(),
            rejects: Vec::new(),
            broken: BTreeMap::new(),
        }
    }

    fn run(
        &mut self,
        pieces: &mut Pieces<'_>,
        advance: &dyn Fn(u64),
        pass: &mut dyn FnMut(&mut Batch),
    ) {
        let mut batch = Batch::default();
        batch.clear(self.shards);
        for (source, input) in pieces {
            self.facts.pieces.push((*source, self.facts.packets + 1));
            let mut reader = if self.shards > 1 {
                Reader::in_chunks(input, HANDED_ON)
            } else {
                Reader::new(input)
            };
            let mut told = 0;
            loop {
                match reader.step() {
                    Step::Frame(frame) => self.frame(&frame, reader.bytes(), &mut batch),
                    Step::Secrets(range) => self.secrets(&reader.bytes()[range], &mut batch),
                    Step::Refill => {
                        let fresh = std::mem::take(&mut batch.bytes);
                        batch.bytes = reader.refill(fresh);
                        pass(&mut batch);
                        batch.clear(self.shards);
                        advance(reader.position() - told);
                        told = reader.position();
                    }
                    Step::End => break,
                }
            }
            // The frames of the last buffer still lie in the reader.
            batch.bytes = reader.refill(std::mem::take(&mut batch.bytes));
            pass(&mut batch);
            batch.clear(self.shards);
            advance(reader.position().saturating_sub(told));
            self.piece_over(*source, &reader);
        }
    }

    fn piece_over<R: Read>(&mut self, source: SourceId, reader: &Reader<R>) {
        self.facts.cut_short |= reader.cut_short();
        if let Some(dropped) = reader.dropped() {
            let sum = self.facts.dropped.get_or_insert(0);
            *sum = sum.saturating_add(dropped);
        }
        let first = self.facts.pieces.last().map_or(1, |piece| piece.1);
        self.facts.notes.append(reader.notes(), first);
        let mut rest = reader.trouble_count();
        for trouble in reader.troubles() {
            rest -= 1;
            self.rejects.push(Reject {
                source,
                place: Some(Place::Byte(trouble.offset)),
                why: trouble.why.to_owned(),
                count: 1,
            });
        }
        if rest > 0 {
            self.rejects.push(Reject {
                source,
                place: None,
                why: "more places where no record could be read".to_owned(),
                count: rest,
            });
        }
        if let Some(error) = reader.read_error() {
            self.rejects.push(Reject {
                source,
                place: Some(Place::Byte(reader.position())),
                why: format!("reading stopped: {error}"),
                count: 1,
            });
        } else if reader.cut_short() {
            self.rejects.push(Reject {
                source,
                place: Some(Place::Byte(reader.position())),
                why: "the file ends inside a record".to_owned(),
                count: 1,
            });
        }
    }

    /// A block of secrets goes to every table, in its place among the packets.
    fn secrets(&self, text: &[u8], batch: &mut Batch) {
        let start = batch.extra.len();
        batch.extra.extend_from_slice(text);
        for shard in &mut batch.shards {
            shard.push(Item {
                at: self.facts.last,
                interface: 0,
                what: What::Secrets(start..batch.extra.len()),
            });
        }
    }

    fn frame(&mut self, frame: &Frame, bytes: &[u8], batch: &mut Batch) {
        self.facts.packets += 1;
        let at = Moment {
            ns: frame.ns,
            frame: self.facts.packets,
        };
        if at.frame == 1 {
            self.facts.first = at;
        }
        self.facts.last = at;
        self.facts.snapped |= (frame.len as usize) > frame.captured;
        let data = &bytes[frame.start..frame.start + frame.captured];
        match packet::packet(frame.link, data) {
            Packet::Tcp(mut segment) => {
                segment.payload_start += frame.start as u32;
                self.segment(segment, at, frame.interface, false, batch);
            }
            Packet::Icmp(error) => self.icmp(error, at, batch),
            Packet::Fragment(fragment) => {
                self.facts.fragments += 1;
                let Some(whole) = self.defragmenter.add(&fragment, data) else {
                    return;
                };
                match packet::ip_packet(&whole, fragment.tunnel) {
                    Packet::Tcp(mut segment) => {
                        segment.payload_start += batch.extra.len() as u32;
                        batch.extra.extend_from_slice(&whole);
                        self.segment(segment, at, frame.interface, true, batch);
                    }
                    Packet::Icmp(error) => self.icmp(error, at, batch),
                    _ => self.facts.other_packets += 1,
                }
            }
            Packet::Other => self.facts.other_packets += 1,
            Packet::Broken(why) => self.broken(why.to_owned(), at),
            Packet::UnknownLink => {
                let why = format!(
                    "packets of link type {}, which is not read here",
                    frame.link
                );
                self.broken(why, at);
            }
        }
    }

    fn broken(&mut self, why: String, at: Moment) {
        let row = self.broken.entry(why).or_insert((at.frame, 0));
        row.1 += 1;
    }

    fn segment(
        &mut self,
        segment: Segment,
        at: Moment,
        interface: u32,
        extra: bool,
        batch: &mut Batch,
    ) {
        if !self.interest.wants(segment.src_port, segment.dst_port) {
            self.facts.other_tcp += 1;
            return;
        }
        let shard = if self.shards == 1 {
            0
        } else {
            let (src, dst) = Endpoint::both(&segment);
            KeyHash::shard(src, dst, self.shards)
        };
        batch.shards[shard].push(Item {
            at,
            interface,
            what: What::Segment { segment, extra },
        });
    }

    fn icmp(&mut self, error: IcmpError, at: Moment, batch: &mut Batch) {
        let (sender, receiver) = Endpoint::quoted(&error);
        batch.shards[KeyHash::shard(sender, receiver, self.shards)].push(Item {
            at,
            interface: 0,
            what: What::Icmp(Box::new(error)),
        });
    }

    fn finish(
        mut self,
        tables: impl Iterator<Item = TableFacts>,
        dropped_conns: u64,
    ) -> (CaptureFacts, Vec<Reject>) {
        self.facts.other_conns = dropped_conns;
        let mut troubles = Vec::new();
        for table in tables {
            self.facts.other_conns += table.other_conns;
            self.facts.stragglers += table.stragglers;
            troubles.extend(table.troubles);
        }
        for (why, (frame, count)) in troubles {
            let row = self.broken.entry(why.to_owned()).or_insert((frame, 0));
            row.0 = row.0.min(frame);
            row.1 += count;
        }
        for (why, (frame, count)) in std::mem::take(&mut self.broken) {
            let (source, frame) = self.facts.place(frame);
            self.rejects.push(Reject {
                source,
                place: Some(Place::Frame(frame)),
                why,
                count,
            });
        }
        (self.facts, self.rejects)
    }
}
