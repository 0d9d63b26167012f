//! PINGs of one side and the PONGs that answer them.
//!
//! A PONG answers the oldest open PING of the other side. Directions reach the builder in any order (a retransmitted
//! PING may come after the PONG that answers it), so a PONG without a PING waits for one that is not younger than itself.

use std::collections::VecDeque;

use crate::span::Moment;

/// How many open PINGs are kept.
const OPEN: usize = 8;
/// How many round trips and intervals a median is taken of.
const SAMPLES: usize = 64;
/// PINGs closer than this are flushes of a client library, not its timer (the shortest timer seen in the field is 1 s).
const FLUSH_NS: i64 = 100_000_000;

/// PINGs of one side.
#[derive(Clone, Debug, Default)]
pub struct Pings {
    open: VecDeque<Moment>,
    /// Open ones that were too many to keep.
    dropped: u64,
    /// PONGs of the peer that came before the PING they answer.
    early: VecDeque<Moment>,
    last: Option<Moment>,
    intervals: Samples,
    /// PONGs up to this moment may have been lost: a PING from before it that is believed later stays out of the book.
    forgiven: i64,
    /// This side said nothing after this: later PONGs answer nobody.
    over: Option<i64>,
}

impl Pings {
    /// A PING of this side; gives its round trip when its PONG is already here.
    pub fn ping(&mut self, at: Moment) -> Option<i64> {
        if let Some(last) = self.last.replace(at) {
            let interval = at.ns - last.ns;
            if interval >= FLUSH_NS {
                self.intervals.push(interval);
            }
        }
        while let Some(pong) = self.early.pop_front() {
            if pong.ns >= at.ns {
                return Some(pong.ns - at.ns);
            }
        }
        if at.ns <= self.forgiven {
            return None;
        }
        if self.open.len() == OPEN {
            self.open.pop_front();
            self.dropped += 1;
        }
        self.open.push_back(at);
        None
    }

    /// A PONG of the peer; gives the round trip.
    pub fn pong(&mut self, at: Moment) -> Option<i64> {
        if self.over.is_some_and(|over| at.ns > over) {
            return None;
        }
        if self.dropped > 0 {
            self.dropped -= 1;
            return None;
        }
        match self.open.front() {
            Some(ping) if ping.ns <= at.ns => {
                let ping = self.open.pop_front()?;
                Some(at.ns - ping.ns)
            }
            _ => {
                if self.early.len() == OPEN {
                    self.early.pop_front();
                }
                self.early.push_back(at);
                None
            }
        }
    }

    /// The capture lost bytes of the peer: a PONG may have been among them, so no PING before it counts as unanswered.
    pub fn forgive(&mut self, at: Moment) {
        self.forgiven = self.forgiven.max(at.ns);
        self.open.clear();
        self.dropped = 0;
    }

    /// The capture lost bytes of this side: PINGs may be missing.
    pub fn lost(&mut self) {
        self.last = None;
        self.early.clear();
    }

    /// The next PING is the first of a timer: the one before belonged to the greeting.
    pub fn restart(&mut self) {
        self.last = None;
    }

    /// This side ended: what wakes up and answers afterwards was silent until then.
    pub fn over(&mut self, at: Moment) {
        self.over.get_or_insert(at.ns);
    }

    /// PINGs without answer, oldest first.
    pub fn unanswered(&self) -> Vec<Moment> {
        self.open.iter().copied().collect()
    }

    /// Median time between PINGs. A single interval counts only when the later PING stayed unanswered: two PINGs may as
    /// well be the flushes of an application, which end with their answer.
    pub fn interval(&self) -> Option<i64> {
        let sure = self.intervals.count > 1 || !self.open.is_empty();
        self.intervals.median().filter(|_| sure)
    }
}

/// The last samples of a quantity, and their extremes.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    ring: Vec<i64>,
    next: u8,
    min: i64,
    max: i64,
    count: u64,
}

impl Samples {
    /// Adds one.
    pub fn push(&mut self, value: i64) {
        if self.count == 0 {
            (self.min, self.max) = (value, value);
        }
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.count += 1;
        if self.ring.len() < SAMPLES {
            self.ring.push(value);
        } else {
            self.ring[usize::from(self.next)] = value;
            self.next = (self.next + 1) % SAMPLES as u8;
        }
    }

    /// The lower median of the last samples.
    pub fn median(&self) -> Option<i64> {
        let mut sorted = self.ring.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len().checked_sub(1)? / 2).copied()
    }

    /// Smallest, median, largest, count.
    pub fn summary(&self) -> Option<crate::reconstruct::session::Rtt> {
        Some(crate::reconstruct::session::Rtt {
            min: self.min,
            median: self.median()?,
            max: self.max,
            count: self.count,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Pings, Samples};
    use crate::span::Moment;

    fn at(ns: i64) -> Moment {
        Moment {
            ns,
            frame: ns as u64,
        }
    }

    #[test]
    fn pong_answers_the_oldest_ping() {
        let mut pings = Pings::default();
        assert_eq!(pings.ping(at(10)), None);
        assert_eq!(pings.ping(at(20)), None);
        assert_eq!(pings.pong(at(25)), Some(15));
        assert_eq!(pings.unanswered(), [at(20)]);
    }

    #[test]
    fn a_pong_before_its_ping_in_reading_order_answers_it() {
        let mut pings = Pings::default();
        assert_eq!(pings.pong(at(30)), None);
        assert_eq!(pings.ping(at(20)), Some(10));
        assert!(pings.unanswered().is_empty());
    }

    #[test]
    fn a_pong_from_before_the_capture_answers_nothing_later() {
        let mut pings = Pings::default();
        pings.pong(at(5));
        pings.ping(at(20));
        assert_eq!(pings.unanswered(), [at(20)]);
    }

    #[test]
    fn a_pong_after_the_end_answers_nothing() {
        let mut pings = Pings::default();
        pings.ping(at(10));
        pings.over(at(20));
        assert_eq!(pings.pong(at(30)), None);
        assert_eq!(pings.unanswered(), [at(10)]);
        assert_eq!(pings.pong(at(20)), Some(10), "in flight when the end came");
    }

    #[test]
    fn two_pings_are_no_timer_unless_the_last_stays_open() {
        let second = 1_000_000_000;
        let mut pings = Pings::default();
        pings.ping(at(second));
        pings.pong(at(second + 1));
        pings.ping(at(3 * second));
        assert_eq!(pings.interval(), Some(2 * second));
        pings.pong(at(3 * second + 1));
        assert_eq!(pings.interval(), None);
        pings.restart();
        pings.ping(at(100 * second));
        pings.ping(at(102 * second));
        assert_eq!(pings.interval(), Some(2 * second));
    }

    #[test]
    fn many_open_pings_keep_the_last_and_their_order() {
        let mut pings = Pings::default();
        for n in 1..=20 {
            pings.ping(at(n * 1_000_000_000));
        }
        assert_eq!(pings.unanswered().len(), 8);
        for n in 0..12 {
            assert_eq!(pings.pong(at(100_000_000_000 + n)), None);
        }
        assert_eq!(pings.pong(at(100_000_000_000)), Some(87_000_000_000));
        assert_eq!(pings.interval(), Some(1_000_000_000));
    }

    #[test]
    fn median_of_the_last_samples() {
        let mut samples = Samples::default();
        assert_eq!(samples.summary(), None);
        for value in [5, 1, 9] {
            samples.push(value);
        }
        let summary = samples.summary().unwrap();
        assert_eq!(
            (summary.min, summary.median, summary.max, summary.count),
            (1, 5, 9, 3)
        );
        for _ in 0..100 {
            samples.push(7);
        }
        assert_eq!(samples.median(), Some(7));
        assert_eq!(samples.summary().unwrap().max, 9);
    }
}
