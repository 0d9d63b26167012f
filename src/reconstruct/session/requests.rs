//! Messages of one end that ask for an answer, and how long the first answer took: an end's requests, and what it is asked
//! itself (a service's requests, JetStream's deliveries), each on the side that sent the message with the reply subject.
//!
//! An answer is the first message of the peer on that subject. The directions reach the builder in any order, so an answer
//! without a request waits for one, where its subject shows what it is.

use super::Exchange;
use super::pings::Samples;
use crate::reconstruct::mix::{ODD, mix};
use crate::span::Moment;

/// How many open requests are kept; the oldest go.
const OPEN: usize = 32;
/// How many early answers are kept.
const EARLY: usize = 8;

/// Requests of one end.
#[derive(Clone, Debug, Default)]
pub struct Requests {
    sent: u64,
    /// Reply subjects, hashed, with the request's moment; oldest first. Mostly few: a ring would wander over its memory.
    open: Vec<(u64, i64)>,
    early: Vec<(u64, i64)>,
    latency: Samples,
}

impl Requests {
    /// This end sent a message with a reply subject.
    pub fn ask(&mut self, reply: &[u8], at: Moment) {
        let reply = hash(reply);
        self.sent += 1;
        let answer = self
            .early
            .iter()
            .position(|early| early.0 == reply && early.1 >= at.ns)
            .map(|place| self.early.remove(place));
        if let Some((_, answered)) = answer {
            self.latency.push(answered - at.ns);
            return;
        }
        push(&mut self.open, OPEN, (reply, at.ns));
    }

    /// The peer sent a message on this subject. `inbox`: it can only be an answer.
    pub fn answer(&mut self, subject: &[u8], at: Moment, inbox: bool) {
        let subject = hash(subject);
        let request = self
            .open
            .iter()
            .position(|open| open.0 == subject && open.1 <= at.ns)
            .map(|place| self.open.remove(place));
        if let Some((_, asked)) = request {
            self.latency.push(at.ns - asked);
        } else if inbox {
            push(&mut self.early, EARLY, (subject, at.ns));
        }
    }

    /// The facts; `None` when nothing was asked.
    pub fn exchange(&self) -> Option<Exchange> {
        (self.sent > 0).then(|| Exchange {
            requests: self.sent,
            open: self.open.len() as u64,
            latency: self.latency.summary(),
        })
    }
}

/// Adds a row to at most `most`; the oldest goes.
fn push(rows: &mut Vec<(u64, i64)>, most: usize, row: (u64, i64)) {
    if rows.len() == most {
        rows.remove(0);
    }
    rows.push(row);
}

/// A hash of eight bytes a step.
fn hash(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    words
        .iter()
        .chain([&last])
        .map(|word| u64::from_le_bytes(*word))
        .fold(bytes.len() as u64 ^ !ODD, |hash, word| {
            mix(hash ^ word, ODD)
        })
}

#[cfg(test)]
mod tests {
    use super::{OPEN, Requests};
    use crate::span::Moment;

    fn at(ns: i64) -> Moment {
        Moment {
            ns,
            frame: ns as u64,
        }
    }

    #[test]
    fn the_first_answer_counts() {
        let mut requests = Requests::default();
        assert_eq!(requests.exchange(), None);
        requests.ask(b"_INBOX.1", at(10));
        requests.ask(b"_INBOX.2", at(20));
        requests.answer(b"_INBOX.2", at(25), true);
        requests.answer(b"_INBOX.2", at(90), true);
        let exchange = requests.exchange().unwrap();
        assert_eq!((exchange.requests, exchange.open), (2, 1));
        let latency = exchange.latency.unwrap();
        assert_eq!((latency.min, latency.max, latency.count), (5, 5, 1));
    }

    #[test]
    fn an_answer_that_is_read_before_its_request() {
        let mut requests = Requests::default();
        requests.answer(b"_INBOX.1", at(25), true);
        requests.answer(b"own.inbox", at(25), false);
        requests.ask(b"_INBOX.1", at(10));
        requests.ask(b"_INBOX.1", at(30));
        assert_eq!(requests.exchange().unwrap().latency.unwrap().max, 15);
        assert_eq!(requests.exchange().unwrap().open, 1);
    }

    #[test]
    fn open_requests_are_bounded() {
        let mut requests = Requests::default();
        for n in 0..1000_i64 {
            requests.ask(&n.to_le_bytes(), at(n));
        }
        let exchange = requests.exchange().unwrap();
        assert_eq!((exchange.requests, exchange.open), (1000, OPEN as u64));
    }
}
