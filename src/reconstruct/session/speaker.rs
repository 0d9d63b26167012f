//! What one end said: counters while the connection lives, [`Talk`] when it is over.

use super::last_ops::LastOps;
use super::pings::Pings;
use super::requests::Requests;
use super::{Cut, Talk, Verb};
use crate::parse::nats::glance::Glance;
use crate::span::Moment;
use crate::time::SECOND;

/// A drain takes at most this long from its last UNSUB to the close (the longest default drain timeout is 30 s).
const DRAIN_NS: i64 = 60 * SECOND;

/// How far a drain has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Drain {
    #[default]
    None,
    /// Every subscription is gone.
    Unsubscribed,
    /// And a PING followed.
    Flushed,
}

/// One end's counters.
#[derive(Clone, Debug, Default)]
pub struct Speaker {
    messages: u64,
    message_bytes: u64,
    largest_message: u64,
    longest_line: u32,
    subs: u32,
    unsubs: u32,
    pings: u32,
    pongs: u32,
    headers_used: bool,
    drain: Drain,
    last_unsub_ns: i64,
    last_ops: LastOps,
    pub(super) book: Option<Box<Pings>>,
    requests: Option<Box<Requests>>,
    rare: Option<Box<Rare>>,
}

/// What most connections never need.
#[derive(Clone, Debug, Default)]
struct Rare {
    unknown_verb: Option<(Moment, Box<str>)>,
    cut: Option<Cut>,
    drained: bool,
}

impl Speaker {
    /// A control line was read.
    pub fn line(&mut self, seen: Glance, len: usize) {
        self.longest_line = self
            .longest_line
            .max(u32::try_from(len).unwrap_or(u32::MAX));
        self.largest_message = self.largest_message.max(seen.payload);
    }

    /// An operation is complete.
    pub fn done(&mut self, at: Moment, seen: Glance) {
        match seen.verb {
            Verb::Pub | Verb::Msg | Verb::Routed => self.message(seen.payload),
            Verb::Hpub | Verb::Hmsg => {
                self.headers_used = true;
                self.message(seen.payload);
            }
            Verb::Sub => {
                self.subs = self.subs.saturating_add(1);
                self.drain = Drain::None;
            }
            Verb::Unsub => {
                self.unsubs = self.unsubs.saturating_add(1);
                self.last_unsub_ns = at.ns;
                if self.subs > 0 && self.unsubs >= self.subs {
                    self.drain = Drain::Unsubscribed;
                }
            }
            Verb::Ping => {
                self.pings = self.pings.saturating_add(1);
                if self.drain == Drain::Unsubscribed {
                    self.drain = Drain::Flushed;
                }
            }
            Verb::Pong => self.pongs += 1,
            _ => {}
        }
        self.last_ops.push(at, seen.verb);
    }

    /// How many PINGs it sent.
    pub const fn pings_sent(&self) -> u32 {
        self.pings
    }

    /// This end closed: PONGs that come later answer nobody.
    pub fn closed(&mut self, at: Moment) {
        if let Some(book) = &mut self.book {
            book.over(at);
        }
    }

    /// PINGs of this end.
    pub fn book(&mut self) -> &mut Pings {
        self.book.get_or_insert_default()
    }

    /// It asked for something, or an answer to it was seen.
    pub fn has_requests(&self) -> bool {
        self.requests.is_some()
    }

    /// Its requests.
    pub fn requests(&mut self) -> &mut Requests {
        self.requests.get_or_insert_default()
    }

    /// Something that the peer's grammar does not hold; the first one is kept.
    pub fn unknown(&mut self, at: Moment, quote: &[u8]) {
        let rare = self.rare.get_or_insert_default();
        if rare.unknown_verb.is_none() {
            rare.unknown_verb = Some((at, quote.escape_ascii().to_string().into()));
        }
    }

    /// The direction ended.
    pub fn end(&mut self, at: Moment, cut: Option<Cut>, by_fin: bool) {
        if by_fin && let Some(book) = &mut self.book {
            book.over(at);
        }
        let drained =
            by_fin && self.drain == Drain::Flushed && at.ns - self.last_unsub_ns <= DRAIN_NS;
        if cut.is_some() || drained {
            let rare = self.rare.get_or_insert_default();
            rare.cut = rare.cut.or(cut);
            rare.drained |= drained;
        }
    }

    /// The counters as facts.
    pub fn talk(self) -> Talk {
        let rare = self.rare.map(|rare| *rare).unwrap_or_default();
        let last_ops = self.last_ops.list();
        Talk {
            messages: self.messages,
            message_bytes: self.message_bytes,
            largest_message: self.largest_message,
            longest_line: self.longest_line.into(),
            subs: self.subs.into(),
            unsubs: self.unsubs.into(),
            pings: self.pings.into(),
            pongs: self.pongs.into(),
            unanswered_pings: self
                .book
                .as_ref()
                .map_or_else(Vec::new, |book| book.unanswered()),
            ping_interval: self.book.as_ref().and_then(|book| book.interval()),
            headers_used: self.headers_used,
            asked: self
                .requests
                .and_then(|requests| requests.exchange())
                .map(Box::new),
            last_op: last_ops.last().map(|op| op.0),
            last_ops,
            cut: rare.cut,
            unknown_verb: rare.unknown_verb,
            drained: rare.drained,
        }
    }

    fn message(&mut self, bytes: u64) {
        self.messages += 1;
        self.message_bytes += bytes;
    }
}
