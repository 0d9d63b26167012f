//! The end of a log: what became of each connection, and whether the application meant its close.

use crate::parse::client_log::said::{ClientEventKind as Kind, Library, Trouble};
use crate::reconstruct::client::ClientOutcome;
use crate::span::LogRef;
use crate::time::SECOND;

use super::super::events::{gap, nearer};
use super::{BURST_NS, GIVE_UP_NS, Machine, leaves};

/// A line that ends the process belongs to a close that stands right before it.
const EXIT_NS: i64 = 300_000_000;
/// A log that goes on this long after a loss without a word of a connection tells that the client is still down.
const STILL_NS: i64 = 5 * SECOND;

impl Machine<'_> {
    /// The log is over: what is open, down or final gets its outcome.
    pub(super) fn end(&mut self, last: Option<&LogRef>) {
        for conn in std::mem::take(&mut self.open) {
            self.end_open(conn);
        }
        if let Some(down) = self.down.take() {
            self.count_attempts(down, self.events.len());
            let closed = self.conns[down].closed.unwrap_or(0);
            let still = self.conns[down].attempts > 0
                || last.is_some_and(|last| {
                    gap(&self.events[closed].at, last).is_some_and(|gap| gap > STILL_NS)
                });
            let left = self.left_after(closed, self.events.len()) || self.crashed();
            let intended = self.intended(down);
            let closed_since = self.closed_since(closed);
            let told = self.tells_return();
            let conn = &mut self.conns[down];
            conn.intended = intended;
            conn.outcome = if closed_since {
                ClientOutcome::GaveUp
            } else if left || intended {
                ClientOutcome::Exited
            } else if !told {
                ClientOutcome::Unknown
            } else if still {
                ClientOutcome::StillDown
            } else {
                ClientOutcome::Silent
            };
        }
        if let Some(first) = self.first_failed.take() {
            let closed = self.conns[first].closed.unwrap_or(0);
            self.conns[first].outcome = if self.left_after(closed, self.events.len()) {
                ClientOutcome::Exited
            } else {
                ClientOutcome::Unknown
            };
        }
        for (conn, by) in std::mem::take(&mut self.finals) {
            let intended = self.intended(conn);
            let outcome = if intended || self.left_before(conn, by) || self.quiet(conn, by) {
                ClientOutcome::Exited
            } else {
                ClientOutcome::GaveUp
            };
            self.conns[conn].intended = intended;
            self.conns[conn].outcome = outcome;
        }
        let after = self
            .refused
            .iter()
            .filter_map(|&attempt| {
                self.conns[..attempt]
                    .iter()
                    .rev()
                    .find(|conn| !conn.attempt)
            })
            .chain(self.refused.iter().map(|&attempt| &self.conns[attempt]))
            .map(|conn| conn.outcome)
            .max()
            .unwrap_or_default();
        for attempt in std::mem::take(&mut self.refused) {
            self.conns[attempt].outcome = after;
        }
        for index in 0..self.conns.len() {
            if self.conns[index].outcome == ClientOutcome::Reconnected && !self.conns[index].attempt
            {
                self.conns[index].intended = self.intended(index);
            }
        }
    }

    /// A connection that nothing closed: the process left, or the log just stops.
    fn end_open(&mut self, conn: usize) {
        let opened = self.conns[conn].opened.unwrap_or(0);
        let leaving =
            (opened + 1..self.events.len()).find(|&index| leaves(&self.events[index].kind));
        let crash = self.crashed().then(|| self.events.len() - 1);
        if let Some(index) = leaving.filter(|_| crash.is_none()) {
            self.close(conn, index);
            self.conns[conn].intended = true;
            self.conns[conn].outcome = ClientOutcome::Exited;
        } else if let Some(index) = crash {
            self.close(conn, index);
            self.conns[conn].outcome = ClientOutcome::Exited;
        } else if let Some(index) = self.stale {
            self.close(conn, index);
            self.conns[conn].outcome = ClientOutcome::Silent;
        } else {
            self.conns[conn].outcome = ClientOutcome::Silent;
        }
    }

    /// The application meant this close: it said so before or with it, and nothing failed in the same burst.
    fn intended(&self, conn: usize) -> bool {
        let Some(closed) = self.conns[conn].closed else {
            return false;
        };
        let opened = self.conns[conn].opened.map_or(0, |opened| opened + 1);
        let failed = self.conns[conn]
            .why
            .iter()
            .any(|&index| self.fails(index, opened));
        if failed {
            return false;
        }
        let said = self.events[opened.min(closed)..closed]
            .iter()
            .any(|event| leaves(&event.kind));
        if said {
            return true;
        }
        let at = &self.events[closed].at;
        let with = self.events[closed..]
            .iter()
            .take(8)
            .any(|event| leaves(&event.kind) && nearer(at, &event.at, EXIT_NS));
        // A closed line that has no reason, or only an old one.
        let nothing_wrong = self.conns[conn].why.iter().any(|&index| {
            matches!(&self.events[index].kind, Kind::Closed(trouble) if *trouble != Trouble::Unsaid)
                && !self.fails(index, opened)
        });
        let nil = self.conns[conn]
            .why
            .iter()
            .any(|&index| self.events[index].kind == Kind::Disconnected(Trouble::NoError));
        match &self.events[closed].kind {
            // A library that calls "closed" only when the application closes, or with an error.
            Kind::Closed(Trouble::Unsaid | Trouble::NoError) => {
                with || nothing_wrong
                    || self.library != Library::Python && self.library != Library::Unknown
            }
            Kind::Disconnected(Trouble::NoError) => with || nothing_wrong,
            Kind::Disconnected(Trouble::Unsaid) => with || nothing_wrong || nil,
            kind => leaves(kind),
        }
    }

    /// An event of a close's burst says that something failed; Go's and C's closed line may repeat an old error
    /// (facts, trap 2).
    fn fails(&self, index: usize, opened: usize) -> bool {
        let Some(trouble) = self.events[index].kind.trouble() else {
            return false;
        };
        if matches!(
            trouble,
            Trouble::Unsaid | Trouble::NoError | Trouble::NotConnected
        ) {
            return false;
        }
        let closed_line = matches!(self.events[index].kind, Kind::Closed(_));
        let old = closed_line
            && self.events[opened.min(index)..index].iter().any(|event| {
                event.kind.trouble() == Some(trouble.clone())
                    && !nearer(&event.at, &self.events[index].at, BURST_NS)
            });
        let harmless = matches!(&trouble, Trouble::Other(text) if text.contains("slow consumer"));
        !(old || closed_line && harmless)
    }

    /// A live connection closed for good and nothing failed: an ordinary end, though nobody says that it was meant.
    fn quiet(&self, conn: usize, by: usize) -> bool {
        let from = self.conns[conn].opened.map_or(0, |opened| opened + 1);
        let burst = self.conns[conn]
            .closed
            .is_some_and(|closed| nearer(&self.events[closed].at, &self.events[by].at, BURST_NS));
        burst
            && self.attempts[from.min(by)..by]
                .iter()
                .all(|attempts| *attempts == (0, 0))
            && !self.conns[conn]
                .why
                .iter()
                .any(|&index| self.fails(index, from))
    }

    /// A call failed because the client is closed for good, which not every library logs by itself.
    fn closed_since(&self, from: usize) -> bool {
        const CLOSED: &[&str] = &[
            "onnection closed",
            "onnection Closed",
            "CONNECTION_CLOSED",
            "CONN_CLOSED",
            "closed connection",
        ];
        self.events[from..].iter().any(|event| {
            event.kind == Kind::PublishFailed(Trouble::NotConnected)
                && CLOSED.iter().any(|words| event.at.text.contains(words))
        })
    }

    /// The log is one that tells when a connection is back. Python's default error callback, for one, does not.
    fn tells_return(&self) -> bool {
        self.events.iter().any(|event| {
            matches!(
                event.kind,
                Kind::Connected | Kind::Reconnected | Kind::Disconnected(Trouble::Unsaid)
            )
        }) || matches!(
            self.library,
            Library::Go | Library::C | Library::Java | Library::DotNetV2 | Library::RustAsync
        )
    }

    /// The story ends in a crash of the application.
    fn crashed(&self) -> bool {
        self.events
            .last()
            .is_some_and(|event| matches!(event.kind, Kind::Crash(_)))
    }

    /// The application left after a loss.
    fn left_after(&self, from: usize, until: usize) -> bool {
        self.events[from.min(until)..until]
            .iter()
            .any(|event| leaves(&event.kind))
    }

    /// A final close of a lost connection was the application's, not the library giving up.
    fn left_before(&self, conn: usize, by: usize) -> bool {
        let closed = self.conns[conn].closed.unwrap_or(by);
        match &self.events[by].kind {
            Kind::Closed(Trouble::Unsaid | Trouble::NoError) if closed < by => {}
            _ => return false,
        }
        if self.left_after(closed, by) {
            return true;
        }
        let at = &self.events[by].at;
        let gave_up = self.events[closed..by]
            .iter()
            .rev()
            .find(|event| matches!(event.kind, Kind::ConnectFailed(_) | Kind::Reconnecting(_)))
            .is_some_and(|event| nearer(&event.at, at, GIVE_UP_NS));
        let exits = self.events[by..]
            .iter()
            .take(8)
            .any(|event| leaves(&event.kind) && nearer(at, &event.at, EXIT_NS));
        exits && !gave_up
    }
}
