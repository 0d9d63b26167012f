//! Packets to connections: found by key, split when ports are reused, closed when they are over.
//!
//! What becomes of a packet depends on its own connection and its own time only, never on when memory is freed:
//! the result is the same however connections are spread over tables.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use super::conn::{Conn, End, FourTuple};
use super::four_tuple::{Endpoint, Key, KeyHash};
use super::key_log::{KeyLog, KeyRing};
use super::live_conn::{FirstPacket, LiveConn, Wish};
use super::server_port::is_likely;
use crate::parse::packet::{ACK, Host, IcmpError, RST, SYN, Segment};
use crate::source::SourceId;
use crate::span::Moment;
use crate::time::SECOND;

/// A connection that is over is kept this long after its last packet, for late ones.
const LINGER: i64 = 3 * SECOND;

/// Likewise, when a FIN still waits for its acknowledgement: retransmissions come with growing pauses.
const LINGER_UNACKED: i64 = 60 * SECOND;

/// A connection attempt that nobody answers: longer than any system goes on sending SYNs (Linux: 127 s with 6 retries).
const ATTEMPT: i64 = 180 * SECOND;

/// Packets without SYN that come this long after the end are stragglers of the old connection, not a new one.
const STRAGGLERS: i64 = 60 * SECOND;

/// Payload kept behind holes, over all connections of a table.
const HELD: usize = 48 * 1024 * 1024;

/// What to follow.
#[derive(Clone, Debug, Default)]
pub struct Interest {
    /// Ports whose connections are wanted.
    pub ports: Vec<u16>,
    /// Look for NATS on other ports.
    pub detect: bool,
    /// Keep every connection.
    pub all: bool,
}

impl Interest {
    /// A port is one of those asked for.
    pub fn has(&self, port: u16) -> bool {
        self.ports.contains(&port)
    }

    /// A segment between these ports can be of use.
    pub fn wants(&self, one: u16, other: u16) -> bool {
        self.detect || self.all || self.has(one) || self.has(other)
    }
}

/// How long after its last packet a connection that is over is kept.
fn linger(conn: &LiveConn) -> i64 {
    if conn.is_settled() {
        LINGER
    } else {
        LINGER_UNACKED
    }
}

/// How long after its last packet a connection is let go; `None` while it is in use.
fn wait(conn: &LiveConn) -> Option<i64> {
    if conn.is_over() {
        Some(linger(conn))
    } else {
        conn.is_attempt().then_some(ATTEMPT)
    }
}

/// When to look at a connection, in which slot, and its first packet: another may have the slot by then.
type Look = (i64, u32, Moment);

/// What a table has to say besides connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableFacts {
    /// Connections that were neither on a port asked for nor NATS.
    pub other_conns: u64,
    /// Packets that came after the end of their connection.
    pub stragglers: u64,
    /// Sessions that could not be read in full: why, the first frame, how many.
    pub troubles: BTreeMap<&'static str, (u64, u64)>,
}

/// The connections of one shard.
pub struct ConnTable<T, F: FnMut(Conn) -> T> {
    source: SourceId,
    interest: Interest,
    keys: Arc<KeyRing>,
    slots: HashMap<Key, u32, KeyHash>,
    live: Vec<Option<(Key, Box<LiveConn>)>>,
    free: Vec<u32>,
    /// Connections that began or ended, to be looked at in the same order a while later.
    fresh: VecDeque<Look>,
    /// Connections to be looked at again, the next first.
    later: BinaryHeap<Reverse<Look>>,
    /// Connections that are over and handed out, by the print of their key: the time of the last packet. A storm leaves a
    /// hundred thousand of them behind in a minute.
    gone: HashMap<u64, i64, KeyHash>,
    /// When to forget them.
    forget: VecDeque<(i64, u64)>,
    /// Hop counts of hosts, for RSTs of ends that sent nothing else.
    host_ttl: HashMap<Host, (u8, u8), KeyHash>,
    held: usize,
    now: i64,
    found: Found<T>,
    finish: F,
}

/// A connection that is over.
pub struct Done<T> {
    /// Its first frame.
    pub first: u64,
    /// It is wanted only if a server that is listens here.
    pub only_if: Option<Box<SocketAddr>>,
    /// What was made of it.
    pub conn: T,
}

/// What a table found.
pub struct Found<T> {
    /// Its connections, by first frame.
    pub done: Vec<Done<T>>,
    /// Responders of those that are wanted.
    pub servers: BTreeSet<SocketAddr>,
    /// What there is to say besides.
    pub facts: TableFacts,
}

/// Hosts remembered for their hop counts.
const HOSTS: usize = 65_536;

impl<T, F: FnMut(Conn) -> T> ConnTable<T, F> {
    /// An empty table; `finish` gets every connection when it is over.
    pub fn new(source: SourceId, interest: Interest, keys: Arc<KeyLog>, finish: F) -> Self {
        Self {
            source,
            interest,
            keys: Arc::new(KeyRing::new(keys)),
            slots: HashMap::default(),
            live: Vec::new(),
            free: Vec::new(),
            fresh: VecDeque::new(),
            later: BinaryHeap::new(),
            gone: HashMap::default(),
            forget: VecDeque::new(),
            host_ttl: HashMap::default(),
            held: 0,
            now: i64::MIN,
            found: Found {
                done: Vec::new(),
                servers: BTreeSet::new(),
                facts: TableFacts::default(),
            },
            finish,
        }
    }

    /// Takes lines of a TLS key log that the capture holds.
    pub fn secrets(&mut self, text: &[u8]) {
        self.keys.add(text);
    }

    /// Takes the next segment of the capture.
    pub fn segment(&mut self, segment: &Segment, payload: &[u8], at: Moment, interface: u32) {
        self.pass_time(at);
        let (key, from_low) = Key::of(segment);
        let slot = self.find(&key, segment, at);
        let Some(slot) = slot else {
            self.found.facts.stragglers += 1;
            return;
        };
        let Some((_, conn)) = &mut self.live[slot as usize] else {
            return;
        };
        let end = if from_low == conn.orig_is_low {
            End::Orig
        } else {
            End::Resp
        };
        let was_over = conn.is_over();
        let held = conn.held_bytes();
        let host_ttl = if segment.has(RST) {
            self.host_ttl.get(&segment.src).copied()
        } else {
            None
        };
        conn.segment(end, segment, payload, at, interface, host_ttl);
        let now_held = conn.held_bytes();
        self.held = self.held + now_held - held;
        if self.held > HELD && now_held > 0 {
            conn.give_up_holes();
            self.held = self.held + conn.held_bytes() - now_held;
        }
        if !was_over && conn.is_over() {
            let first = conn.first;
            self.fresh.push_back((at.ns + LINGER, slot, first));
        }
        if segment.has(SYN) && !segment.has(RST) {
            self.learn_ttl(segment);
        }
    }

    fn learn_ttl(&mut self, segment: &Segment) {
        if self.host_ttl.len() < HOSTS || self.host_ttl.contains_key(&segment.src) {
            let ttl = segment.ttl;
            let range = self.host_ttl.entry(segment.src).or_insert((ttl, ttl));
            *range = (range.0.min(ttl), range.1.max(ttl));
        }
    }

    /// The slot of a segment's connection, made if need be; `None` for a straggler.
    fn find(&mut self, key: &Key, segment: &Segment, at: Moment) -> Option<u32> {
        let Some(&slot) = self.slots.get(key) else {
            let gone = || self.gone.get(&self.print(key));
            let straggler =
                !segment.has(SYN) && gone().is_some_and(|last| at.ns - last < STRAGGLERS);
            return (!straggler).then(|| self.open(key, segment, at));
        };
        let (_, conn) = self.live[slot as usize].as_mut()?;
        let stale = wait(conn).is_some_and(|wait| at.ns - conn.last.ns > wait);
        let reused = conn.is_reused_by(segment, at);
        if reused {
            conn.replace();
        } else if !stale {
            return Some(slot);
        }
        self.close(slot);
        if stale && !segment.has(SYN) {
            return None;
        }
        let slot = self.open(key, segment, at);
        if reused && let Some((_, conn)) = &mut self.live[slot as usize] {
            conn.note_reuse(at);
        }
        Some(slot)
    }

    fn open(&mut self, key: &Key, segment: &Segment, at: Moment) -> u32 {
        let (src, dst) = Endpoint::both(segment);
        let (orig, resp, first) = self.roles(src, dst, segment);
        let tuple = FourTuple {
            orig: orig.socket(),
            resp: resp.socket(),
        };
        // A client may leave from a port that servers use: the responder's counts, unless only the other is known.
        let wanted = self.interest.has(resp.port) || self.interest.has(orig.port);
        let wish = Wish {
            wanted,
            detect: self.interest.detect && !wanted,
            keys: &self.keys,
        };
        let conn = Box::new(LiveConn::new(
            self.source,
            tuple,
            orig == key.low(),
            key.tunnel(),
            at,
            first,
            wish,
        ));
        let attempt = segment.has(SYN);
        let slot = self.free.pop().unwrap_or_else(|| {
            self.live.push(None);
            (self.live.len() - 1) as u32
        });
        self.live[slot as usize] = Some((*key, conn));
        self.slots.insert(*key, slot);
        if attempt {
            self.fresh.push_back((at.ns + LINGER, slot, at));
        }
        slot
    }

    /// Originator and responder of a connection that begins with a segment from `src`, and what Zeek makes of it.
    fn roles(
        &self,
        src: Endpoint,
        dst: Endpoint,
        segment: &Segment,
    ) -> (Endpoint, Endpoint, FirstPacket) {
        let begins = segment.has(SYN) && !segment.has(ACK);
        let answers = segment.has(SYN | ACK);
        // Without a SYN the server's port tells, best one that was asked for; of two, the smaller.
        let [rank, other] = [src.port, dst.port]
            .map(|port| u8::from(is_likely(port)).max(2 * u8::from(self.interest.has(port))));
        let flipped = !begins
            && (rank > other || rank > 0 && rank == other && !answers && src.port < dst.port);
        let from = if answers || flipped {
            End::Resp
        } else {
            End::Orig
        };
        let first = FirstPacket { from, flipped };
        match from {
            End::Orig => (src, dst, first),
            End::Resp => (dst, src, first),
        }
    }

    /// An ICMP error that quotes a segment.
    pub fn icmp(&mut self, error: &IcmpError, at: Moment) {
        self.pass_time(at);
        let (sender, receiver) = Endpoint::quoted(error);
        let (key, _) = Key::new(sender, receiver, error.tunnel);
        if let Some(&slot) = self.slots.get(&key)
            && let Some((_, conn)) = &mut self.live[slot as usize]
        {
            let about = if conn.tuple.orig == sender.socket() {
                End::Orig
            } else {
                End::Resp
            };
            conn.icmp_error(about, error, at);
        }
    }

    /// Frees what is over. Changes no result: see [`ConnTable::find`].
    fn pass_time(&mut self, at: Moment) {
        if at.ns <= self.now {
            return;
        }
        self.now = at.ns;
        while let Some(&look) = self.fresh.front() {
            if look.0 >= self.now {
                break;
            }
            self.fresh.pop_front();
            self.look(look);
        }
        while let Some(&Reverse(look)) = self.later.peek() {
            if look.0 >= self.now {
                break;
            }
            self.later.pop();
            self.look(look);
        }
        while let Some(&(due, print)) = self.forget.front() {
            if due >= self.now {
                break;
            }
            self.forget.pop_front();
            if let Some(last) = self.gone.get(&print)
                && last + STRAGGLERS < self.now
            {
                self.gone.remove(&print);
            }
        }
    }

    /// Closes a connection whose time is up, or says when to look at it again.
    fn look(&mut self, (_, slot, first): Look) {
        if let Some((_, conn)) = &self.live[slot as usize]
            && conn.first == first
            && let Some(wait) = wait(conn)
        {
            let due = conn.last.ns + wait;
            if due >= self.now {
                self.later.push(Reverse((due, slot, first)));
            } else {
                self.close(slot);
            }
        }
    }

    /// Stands for a key where a hundred thousand are remembered: that two of them share one is not to be expected in a
    /// thousand million such captures.
    fn print(&self, key: &Key) -> u64 {
        key.print(self.gone.hasher())
    }

    fn close(&mut self, slot: u32) {
        let Some((key, conn)) = self.live[slot as usize].take() else {
            return;
        };
        self.free.push(slot);
        self.held -= conn.held_bytes();
        self.slots.remove(&key);
        let print = self.print(&key);
        self.gone.insert(print, conn.last.ns);
        self.forget.push_back((conn.last.ns + STRAGGLERS, print));
        self.hand_out(conn);
    }

    fn hand_out(&mut self, conn: Box<LiveConn>) {
        let (first, resp) = (conn.first.frame, conn.tuple.resp);
        if conn.wanted {
            self.found.servers.insert(resp);
        }
        let only_if = (!conn.wanted && !self.interest.all).then(|| Box::new(resp));
        // Looking for NATS by its banner, an attempt without an answer may turn out to be one at a NATS server.
        let open_question = self.interest.detect && !conn.has_answer();
        if only_if.is_some() && !open_question {
            self.found.facts.other_conns += 1;
            return;
        }
        let conn = conn.finish();
        let troubles = conn.session.iter().flat_map(|session| session.troubles());
        for (why, at) in troubles {
            let row = self
                .found
                .facts
                .troubles
                .entry(why)
                .or_insert((at.frame, 0));
            row.0 = row.0.min(at.frame);
            row.1 += 1;
        }
        self.found.done.push(Done {
            first,
            only_if,
            conn: (self.finish)(conn),
        });
    }

    /// Ends all connections.
    pub fn finish(mut self) -> Found<T> {
        // What only more packets would need goes first: its memory is given back while the last connections are written.
        self.slots = HashMap::default();
        self.gone = HashMap::default();
        self.forget = VecDeque::new();
        self.host_ttl = HashMap::default();
        for slot in 0..self.live.len() {
            if let Some((_, conn)) = self.live[slot].take() {
                self.hand_out(conn);
            }
        }
        self.found.done.sort_unstable_by_key(|done| done.first);
        self.found
    }
}

#[cfg(test)]
mod tests;
