//! A client's events in bounded memory.
//!
//! Changes of a connection are kept one by one, as each is a closed or opened socket. Between two changes equal events
//! are folded, and of what remains the first and the last are kept.

use std::mem::discriminant;

use crate::parse::client_log::said::{ClientEventKind, Said, Trouble};
use crate::reconstruct::client::ClientEvent;
use crate::span::LogRef;
use crate::time::Stamp;

/// Events kept between two changes: the first ...
const KEPT_FIRST: usize = 16;
/// ... and the last.
const KEPT_LAST: usize = 32;
/// How far back an equal event is looked for.
const LOOK_BACK: usize = 8;
/// Attempts that reached a server, each kept since it was a socket there, between two changes.
const KEPT_ATTEMPTS: usize = 4096;
/// Within this, the same event under another logger is the application's echo of the library's line.
const ECHO_NS: i64 = 50_000_000;

/// An event with what only the builder needs.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) event: ClientEvent,
    pub(super) logger: Option<Box<str>>,
    pub(super) ambiguous: bool,
    pub(super) row: u16,
    /// Dials and failures since this event, up to the next change.
    pub(super) dials: u32,
    pub(super) fails: u32,
}

impl Entry {
    pub(super) fn new(event: ClientEvent, logger: Option<&str>, ambiguous: bool, row: u16) -> Self {
        Self {
            event,
            logger: logger.map(Box::from),
            ambiguous,
            row,
            dials: 0,
            fails: 0,
        }
    }
}

/// What the last change left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Unknown,
    Up,
    Down,
    Closed,
}

/// The list.
#[derive(Clone, Debug, Default)]
pub(super) struct Events {
    entries: Vec<Entry>,
    state: State,
    /// Where the current stretch between two changes begins.
    stretch: usize,
    /// Attempts that reached a server in this stretch.
    attempts: usize,
}

impl Events {
    /// Adds an event; where it, or the one it was folded into, is.
    pub(super) fn push(&mut self, entry: Entry) -> usize {
        if let Some(slot) = self.echo(&entry) {
            return slot;
        }
        if self.changes(&entry.event.kind) {
            self.entries.push(entry);
            self.stretch = self.entries.len();
            self.attempts = 0;
            return self.entries.len() - 1;
        }
        self.count(&entry.event.kind);
        if let Some(slot) = self.fold(&entry) {
            return slot;
        }
        if reached_server(&entry.event.kind) {
            self.attempts += 1;
        }
        self.entries.push(entry);
        self.trim();
        self.entries.len() - 1
    }

    /// The application's own line right after the library's, saying the same: the library's is kept.
    fn echo(&mut self, entry: &Entry) -> Option<usize> {
        let from = self.entries.len().saturating_sub(3);
        let slot = (from..self.entries.len()).rev().find(|&slot| {
            let other = &self.entries[slot];
            other.logger != entry.logger
                && discriminant(&other.event.kind) == discriminant(&entry.event.kind)
                && nearer(&other.event.at, &entry.event.at, ECHO_NS)
                && compatible(&other.event.kind, &entry.event.kind)
        })?;
        let other = &mut self.entries[slot];
        if matches!(
            other.event.kind.trouble(),
            Some(Trouble::Unsaid | Trouble::Other(_))
        ) && let Some(trouble) = entry.event.kind.trouble()
            && trouble != Trouble::Unsaid
        {
            other.event.kind = other.event.kind.with_trouble(trouble);
        }
        let event = &mut other.event;
        event.server = event.server.take().or_else(|| entry.event.server.clone());
        event.cid = event.cid.or(entry.event.cid);
        Some(slot)
    }

    /// Whether this event changes the connection, and the state after it.
    fn changes(&mut self, kind: &ClientEventKind) -> bool {
        use ClientEventKind as K;
        let next = match kind {
            K::Connected | K::Reconnected => State::Up,
            K::Disconnected(_) if self.state != State::Closed => State::Down,
            K::Closed(_) | K::GaveUp => State::Closed,
            K::Exiting | K::Draining | K::ClosingByApplication | K::Crash(_) => {
                return !self.repeats(kind);
            }
            _ => return false,
        };
        let repeated = self.state == next && (next != State::Up);
        self.state = next;
        !repeated || next == State::Up && !self.repeats(kind)
    }

    fn repeats(&self, kind: &ClientEventKind) -> bool {
        self.entries
            .last()
            .is_some_and(|last| last.event.kind == *kind)
    }

    /// Counts dials and failures on the change before them.
    fn count(&mut self, kind: &ClientEventKind) {
        let Some(change) = self.stretch.checked_sub(1) else {
            return;
        };
        match kind {
            ClientEventKind::Reconnecting(_) => self.entries[change].dials += 1,
            ClientEventKind::ConnectFailed(_) => self.entries[change].fails += 1,
            _ => {}
        }
    }

    /// Folds an event into an equal one of the same stretch.
    fn fold(&mut self, entry: &Entry) -> Option<usize> {
        if reached_server(&entry.event.kind) && self.attempts < KEPT_ATTEMPTS {
            return None;
        }
        let from = self
            .stretch
            .max(self.entries.len().saturating_sub(LOOK_BACK));
        let slot = (from..self.entries.len())
            .rev()
            .find(|&slot| alike(&self.entries[slot], entry))?;
        let held = &mut self.entries[slot].event;
        let previous = std::mem::replace(&mut held.at, entry.event.at.clone());
        held.first.get_or_insert(previous);
        held.count = held.count.saturating_add(1);
        held.kind = entry.event.kind.clone();
        Some(slot)
    }

    /// Drops what is neither first nor last in the stretch.
    fn trim(&mut self) {
        let kept = KEPT_FIRST + KEPT_LAST + self.attempts.min(KEPT_ATTEMPTS);
        if self.entries.len() - self.stretch > kept {
            let from = self.stretch + KEPT_FIRST;
            let middle = (from..self.entries.len())
                .find(|&slot| !reached_server(&self.entries[slot].event.kind))
                .unwrap_or(from);
            self.entries.remove(middle);
        }
    }

    /// Lets a record's later line tell more about its event; where the event is then.
    pub(super) fn refine(&mut self, slot: usize, said: Said) -> usize {
        let last = slot + 1 == self.entries.len();
        let Some(entry) = self.entries.get_mut(slot) else {
            return slot;
        };
        let event = &mut entry.event;
        let trouble = said.kind.trouble();
        event.server = event.server.take().or(said.server);
        event.local = event.local.or(said.local);
        match (&event.kind, trouble) {
            // "nats: encountered error" alone is nothing: the exception is the event.
            (ClientEventKind::Error(Trouble::Unsaid), _) if last && event.count == 1 => {
                event.kind = said.kind;
                entry.ambiguous |= said.ambiguous;
                if let Some(entry) = self.entries.pop() {
                    return self.push(entry);
                }
            }
            (kind, Some(trouble))
                if matches!(kind.trouble(), Some(Trouble::Unsaid | Trouble::Other(_)))
                    && !matches!(trouble, Trouble::Unsaid | Trouble::Other(_)) =>
            {
                event.kind = kind.with_trouble(trouble);
            }
            _ => {}
        }
        slot
    }

    /// The event only says that there is trouble: the next line may say which.
    pub(super) fn is_bare_error(&self, slot: usize) -> bool {
        self.entries
            .get(slot)
            .is_some_and(|entry| entry.event.kind == ClientEventKind::Error(Trouble::Unsaid))
    }

    /// Whether an exception under a record is the record's own, rather than the end of the process.
    pub(super) fn explained_by(&self, slot: usize, said: Option<&Said>) -> bool {
        let Some(trouble) = self
            .entries
            .get(slot)
            .and_then(|entry| entry.event.kind.trouble())
        else {
            return false;
        };
        matches!(trouble, Trouble::Unsaid | Trouble::Other(_))
            || said.and_then(|said| said.kind.trouble()) == Some(trouble)
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn into_entries(self) -> Vec<Entry> {
        self.entries
    }

    /// Joins another client's events, by place.
    pub(super) fn merge(&mut self, other: Self) {
        self.entries.extend(other.entries);
        self.entries
            .sort_by_key(|entry| entry.event.first.as_ref().unwrap_or(&entry.event.at).cite);
    }

    /// Some event tells about connections, rather than about work that failed.
    pub(super) fn has_life(&self) -> bool {
        use ClientEventKind as K;
        self.entries.iter().any(|entry| {
            matches!(
                entry.event.kind,
                K::Connected
                    | K::Reconnected
                    | K::Disconnected(_)
                    | K::Closed(_)
                    | K::GaveUp
                    | K::ConnectFailed(_)
            )
        })
    }
}

/// A failed attempt that was a socket at the server.
fn reached_server(kind: &ClientEventKind) -> bool {
    matches!(kind, ClientEventKind::ConnectFailed(trouble) if trouble.reached_server())
}

/// Equal but for place and attempt number.
fn alike(held: &Entry, new: &Entry) -> bool {
    let same = match (&held.event.kind, &new.event.kind) {
        (ClientEventKind::Reconnecting(_), ClientEventKind::Reconnecting(_)) => held.row == new.row,
        (ClientEventKind::PingOut(_), ClientEventKind::PingOut(_)) => true,
        (a, b) => a == b,
    };
    same && held.event.server == new.event.server
        && held.event.local == new.event.local
        && held.event.cid == new.event.cid
}

/// Two events of one kind do not contradict each other.
fn compatible(a: &ClientEventKind, b: &ClientEventKind) -> bool {
    match (a.trouble(), b.trouble()) {
        (Some(a), Some(b)) => {
            a == b
                || matches!(a, Trouble::Unsaid | Trouble::Other(_))
                || matches!(b, Trouble::Unsaid | Trouble::Other(_))
        }
        _ => true,
    }
}

/// The time of a line that can be compared within its source.
pub(super) fn time(at: &LogRef) -> Option<Stamp> {
    at.stamp.or(at.outer)
}

/// Whether two lines are at most `ns` apart; lines without comparable times, at most three lines.
pub(super) fn nearer(a: &LogRef, b: &LogRef, ns: i64) -> bool {
    match gap(a, b) {
        Some(gap) => gap.abs() <= ns,
        None => line(a).abs_diff(line(b)) <= 3,
    }
}

/// Nanoseconds from `a` to `b`.
pub(super) fn gap(a: &LogRef, b: &LogRef) -> Option<i64> {
    let (a, b) = (time(a)?, time(b)?);
    (a.basis == b.basis).then(|| b.ns.saturating_sub(a.ns))
}

fn line(at: &LogRef) -> u64 {
    match at.cite.place {
        crate::span::Place::Line(line) => line,
        _ => 0,
    }
}
