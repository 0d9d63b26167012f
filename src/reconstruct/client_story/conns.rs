//! A client's events to its connections: what opened and closed each, whether the application meant it, what came
//! after.

mod ends;

use crate::parse::client_log::said::{ClientEventKind as Kind, Library, Trouble};
use crate::reconstruct::client::{ClientConn, ClientEvent, ClientOutcome, ClientStory};
use crate::time::SECOND;

use super::events::nearer;
use super::settle::Draft;

/// Lines of one close stand this close together: the error, the disconnect and the closed callback.
const BURST_NS: i64 = SECOND;
/// Two "connected" this close together are one connection, said by library and application.
const ECHO_NS: i64 = 2 * SECOND;
/// A library that gives up closes in the instant of the last failed attempt.
const GIVE_UP_NS: i64 = 100_000_000;

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
