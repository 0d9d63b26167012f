//! A client's events to its connections: what opened and closed each, whether the application meant it, what came
//! after.

use crate::parse::client_log::said::{ClientEventKind as Kind, Library, Trouble};
use crate::reconstruct::client::{ClientConn, ClientEvent, ClientOutcome, ClientStory};
use crate::span::LogRef;
use crate::time::SECOND;

use super::events::{gap, nearer};
use super::settle::Draft;

/// Lines of one close stand this close together: the error, the disconnect and the closed callback.
const BURST_NS: i64 = SECOND;
/// Two "connected" this close together are one connection, said by library and application.
const ECHO_NS: i64 = 2 * SECOND;
/// A line that ends the process belongs to a close that stands right before it.
const EXIT_NS: i64 = 300_000_000;
/// A library that gives up closes in the instant of the last failed attempt.
const GIVE_UP_NS: i64 = 100_000_000;
/// A log that goes on this long after a loss without a word of a connection tells that the client is still down.
const STILL_NS: i64 = 5 * SECOND;

/// The story with its connections.
pub(super) fn build(draft: Draft) -> ClientStory {
    let Draft {
        mut story,
        attempts,
        ..
    } = draft;
    let mut machine = Machine {
        events: &story.events,
        attempts: &attempts,
        library: story.library,
        conns: Vec::new(),
        open: Vec::new(),
        down: None,
        first_failed: None,
        refused: Vec::new(),
        stale: None,
        finals: Vec::new(),
    };
    for index in 0..story.events.len() {
        machine.event(index);
    }
    machine.end(story.last.as_ref());
    story.conns = machine.conns;
    story
}

struct Machine<'a> {
    events: &'a [ClientEvent],
    attempts: &'a [(u32, u32)],
    library: Library,
    conns: Vec<ClientConn>,
    /// Open connections, oldest first.
    open: Vec<usize>,
    /// The lost connection that the client tries to replace.
    down: Option<usize>,
    /// The first connect, failing.
    first_failed: Option<usize>,
    /// Attempts that reached a server since the last connection: they share what came after.
    refused: Vec<usize>,
    /// The client's own stale verdict on the open connection.
    stale: Option<usize>,
    /// Connections that ended for good, with what said so.
    finals: Vec<(usize, usize)>,
}

impl Machine<'_> {
    fn event(&mut self, index: usize) {
        match &self.events[index].kind {
            Kind::Connected => self.connected(index, false),
            Kind::Reconnected => self.connected(index, true),
            Kind::Disconnected(_) => self.disconnected(index),
            Kind::Closed(_) | Kind::GaveUp => self.closed(index),
            Kind::Stale if !self.open.is_empty() => self.stale = Some(index),
            Kind::Reconnecting(_) => self.dialling(index),
            Kind::ConnectFailed(trouble) => {
                let trouble = trouble.clone();
                self.connect_failed(index, &trouble);
            }
            _ => {}
        }
    }

    fn connected(&mut self, index: usize, again: bool) {
        if let Some(&last) = self.open.last() {
            let opened = self.conns[last].opened.unwrap_or(index);
            let same_server = self.conns[last].server.is_none()
                || self.events[index].server.is_none()
                || self.conns[last].server == self.events[index].server
                || self.events[opened]
                    .at
                    .text
                    .contains("connected successfully");
            if same_server && nearer(&self.events[opened].at, &self.events[index].at, ECHO_NS) {
                self.note_server(last, index);
                return;
            }
            if again {
                // Back without a word of the loss: that connection is over.
                self.open.pop();
                self.conns[last].back = Some(index);
                self.conns[last].outcome = ClientOutcome::Reconnected;
            } else if let Some(stale) = self.stale.take() {
                self.close(last, stale);
            }
        }
        if let Some(down) = self.down.take() {
            self.conns[down].back = Some(index);
            self.conns[down].outcome = ClientOutcome::Reconnected;
            self.count_attempts(down, index);
        }
        for attempt in self
            .first_failed
            .take()
            .into_iter()
            .chain(std::mem::take(&mut self.refused))
        {
            self.conns[attempt].back = Some(index);
            self.conns[attempt].outcome = ClientOutcome::Reconnected;
        }
        self.conns.push(ClientConn {
            opened: Some(index),
            server: self.events[index].server.clone(),
            ..ClientConn::default()
        });
        self.open.push(self.conns.len() - 1);
        self.stale = None;
    }

    /// async-nats first names only the port.
    fn note_server(&mut self, conn: usize, index: usize) {
        if self.conns[conn].server.is_none() {
            self.conns[conn]
                .server
                .clone_from(&self.events[index].server);
        }
    }

    fn disconnected(&mut self, index: usize) {
        if let Some(conn) = self.pick_open(index) {
            self.close(conn, index);
            self.down = Some(conn);
            return;
        }
        if let Some(down) = self.down {
            if self.in_burst(down, index) {
                self.also(down, index);
            }
            return;
        }
        if let Some(&(conn, _)) = self.finals.last()
            && self.in_burst(conn, index)
        {
            self.also(conn, index);
            return;
        }
        if self.first_failed.is_none() && self.conns.is_empty() {
            // The log begins later than the connection.
            self.conns.push(ClientConn {
                server: self.events[index].server.clone(),
                ..ClientConn::default()
            });
            let conn = self.conns.len() - 1;
            self.close(conn, index);
            self.down = Some(conn);
        }
    }

    fn closed(&mut self, index: usize) {
        if let Some(conn) = self.pick_open(index) {
            self.close(conn, index);
            self.finals.push((conn, index));
            return;
        }
        if let Some(down) = self.down.take() {
            if self.in_burst(down, index) {
                self.also(down, index);
            }
            self.count_attempts(down, index);
            self.finals.push((down, index));
            return;
        }
        if let Some(first) = self.first_failed.take() {
            self.conns[first].outcome = ClientOutcome::GaveUp;
            return;
        }
        if let Some(&(conn, _)) = self.finals.last()
            && self.in_burst(conn, index)
        {
            self.also(conn, index);
            return;
        }
        if self.conns.is_empty() {
            self.conns.push(ClientConn::default());
            let conn = self.conns.len() - 1;
            self.close(conn, index);
            self.finals.push((conn, index));
        }
    }

    /// A dial begins: whatever was open is gone.
    fn dialling(&mut self, index: usize) {
        let Some(&conn) = self.open.last() else {
            return;
        };
        let opened = self.conns[conn].opened.unwrap_or(index);
        if nearer(&self.events[opened].at, &self.events[index].at, GIVE_UP_NS) {
            return;
        }
        self.open.pop();
        let by = self.stale.take().unwrap_or(index);
        self.close(conn, by);
        self.down = Some(conn);
    }

    fn connect_failed(&mut self, index: usize, trouble: &Trouble) {
        if self.stale.is_some() && !self.open.is_empty() {
            self.dialling(index);
        }
        if *trouble == Trouble::NoServers || *trouble == Trouble::MaxReconnects {
            if let Some(first) = self.first_failed.take() {
                self.conns[first].outcome = ClientOutcome::GaveUp;
                return;
            }
            if let Some(down) = self.down.take() {
                self.count_attempts(down, index);
                self.finals.push((down, index));
                return;
            }
        }
        let down = self.down.is_some() || !self.open.is_empty();
        if trouble.reached_server() {
            self.conns.push(ClientConn {
                closed: Some(index),
                why: vec![index],
                server: self.events[index].server.clone(),
                attempt: true,
                attempts: self.events[index].count.saturating_sub(1),
                ..ClientConn::default()
            });
            let attempt = self.conns.len() - 1;
            if !down {
                self.first_failed = Some(attempt);
            }
            self.refused.push(attempt);
            return;
        }
        if down {
            return;
        }
        match self.first_failed {
            Some(first) if !self.conns[first].attempt => {
                self.conns[first].attempts += self.events[index].count;
            }
            _ => {
                self.conns.push(ClientConn {
                    closed: Some(index),
                    why: vec![index],
                    server: self.events[index].server.clone(),
                    attempts: self.events[index].count.saturating_sub(1),
                    ..ClientConn::default()
                });
                self.first_failed = Some(self.conns.len() - 1);
            }
        }
    }

    /// The open connection that an event is about: the one with its cid, its local address or its server, else the
    /// youngest.
    fn pick_open(&mut self, index: usize) -> Option<usize> {
        let event = &self.events[index];
        let with = |conn: usize| {
            let opened = self.conns[conn].opened.map(|opened| &self.events[opened]);
            opened.is_some_and(|opened| {
                event.cid.is_some() && opened.cid == event.cid
                    || event.local.is_some() && opened.local == event.local
            }) || event.server.is_some() && self.conns[conn].server == event.server
        };
        let at = self
            .open
            .iter()
            .rposition(|&conn| with(conn))
            .or_else(|| self.open.len().checked_sub(1))?;
        Some(self.open.remove(at))
    }

    /// Ends a connection by an event, with everything nearby that tells why.
    fn close(&mut self, conn: usize, index: usize) {
        self.open.retain(|&other| other != conn);
        let opened = self.conns[conn].opened;
        let at = &self.events[index].at;
        let from = opened.map_or(0, |opened| opened + 1);
        let mut why: Vec<usize> = (from..index)
            .rev()
            .take(32)
            .filter(|&other| tells_why(&self.events[other].kind))
            .filter(|&other| nearer(&self.events[other].at, at, BURST_NS))
            .collect();
        why.reverse();
        if let Some(stale) = self.stale.take()
            && !why.contains(&stale)
        {
            why.insert(0, stale);
        }
        why.push(index);
        let later = self.events.iter().enumerate().skip(index + 1).take(8);
        for (other, event) in later {
            let belongs = matches!(event.kind, Kind::Closed(_) | Kind::Error(_) | Kind::Stale)
                && nearer(at, &event.at, BURST_NS);
            if matches!(event.kind, Kind::Connected | Kind::Reconnected) {
                break;
            }
            if belongs && !why.contains(&other) {
                why.push(other);
            }
        }
        let conn = &mut self.conns[conn];
        conn.closed = Some(index);
        conn.why = why;
        if conn.server.is_none() {
            conn.server.clone_from(&self.events[index].server);
        }
    }

    /// One more event that tells why.
    fn also(&mut self, conn: usize, index: usize) {
        let why = &mut self.conns[conn].why;
        if !why.contains(&index) {
            why.push(index);
        }
    }

    /// Attempts between a loss and the event that ended it.
    fn count_attempts(&mut self, conn: usize, until: usize) {
        let Some(closed) = self.conns[conn].closed else {
            return;
        };
        // A dial may itself be what shows the loss; while a connection lives there are none.
        let closed = self.conns[conn].opened.unwrap_or(closed);
        let (dials, fails) = self.attempts[closed.min(until)..until.max(closed)]
            .iter()
            .fold(
                (0_u32, 0_u32),
                |(dials, fails), (more_dials, more_fails)| {
                    (
                        dials.saturating_add(*more_dials),
                        fails.saturating_add(*more_fails),
                    )
                },
            );
        self.conns[conn].attempts = dials.max(fails);
    }

    fn in_burst(&self, conn: usize, index: usize) -> bool {
        self.conns[conn]
            .closed
            .is_some_and(|closed| nearer(&self.events[closed].at, &self.events[index].at, BURST_NS))
    }

    /// The log is over: what is open, down or final gets its outcome.
    fn end(&mut self, last: Option<&LogRef>) {
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

/// The application says that it leaves.
fn leaves(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Exiting | Kind::Draining | Kind::ClosingByApplication
    )
}

/// Events that tell why a connection ended, when they stand near its end.
fn tells_why(kind: &Kind) -> bool {
    match kind {
        Kind::Stale
        | Kind::Disconnected(_)
        | Kind::Closed(_)
        | Kind::Error(_)
        | Kind::LameDuck
        | Kind::Crash(_) => true,
        Kind::PublishFailed(trouble) => matches!(
            trouble,
            Trouble::WriteTimeout | Trouble::BrokenPipe | Trouble::Reset
        ),
        _ => false,
    }
}
