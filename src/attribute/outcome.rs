//! What became of the client after the close, and what failed meanwhile.

use std::net::SocketAddr;

use crate::align::Alignment;
use crate::align::clock::When;
use crate::reconstruct::client::{ClientEventKind, ClientOutcome, Trouble};
use crate::reconstruct::conn_sketch::ConnSketch;
use crate::reconstruct::visit::Visit;
use crate::time::SECOND;

use super::Case;
use super::disconnect::{Disconnect, spoken};
use super::finding::{Close, Outcome};
use super::settings::Names;

/// A next connection later than this is a new run of the program, not a reconnect.
const SAME_RUN: i64 = 3_600 * SECOND;

/// A connection as the next one of a client: what it says of what became of the client.
#[derive(Debug, PartialEq, Eq)]
pub struct Arrival {
    opened: Option<When>,
    ready: bool,
    server: Option<SocketAddr>,
}

impl Arrival {
    fn new(index: usize, case: &Case) -> Self {
        match case.visit(index) {
            Some((conn, visit)) => Self::of_visit(conn, &visit, case.alignment),
            None => case.with(index, Self::of),
        }
    }

    /// Of any connection.
    pub fn of(disconnect: &Disconnect) -> Self {
        Self {
            opened: disconnect.opened,
            ready: disconnect.was_ready(),
            server: disconnect.server_address(),
        }
    }

    /// Of an ordinary client that one capture saw: the same as [`Arrival::of`], without asking for the whole of it.
    pub fn of_visit(conn: &ConnSketch, visit: &Visit, alignment: &Alignment) -> Self {
        Self {
            opened: Some(alignment.moment(conn.source, visit.came)),
            ready: true,
            server: Some(conn.roles().1),
        }
    }
}

/// The outcome of one close.
pub fn of(disconnect: &Disconnect, case: &Case) -> Outcome {
    let mut outcome = Outcome {
        word: "unknown",
        ..Outcome::default()
    };
    let next = disconnect.joined.next();
    if let (Some(story), Some(conn)) = (disconnect.story, disconnect.client) {
        outcome.word = match conn.outcome {
            ClientOutcome::Reconnected => "reconnected",
            ClientOutcome::GaveUp => "gave-up",
            ClientOutcome::Exited => "exited",
            ClientOutcome::StillDown => "still-down",
            ClientOutcome::Silent if conn.intended => "exited",
            ClientOutcome::Unknown | ClientOutcome::Silent => "unknown",
        };
        outcome.attempts = (conn.attempts > 0).then_some(conn.attempts);
        let closed = conn
            .closed
            .and_then(|at| story.events.get(at))
            .and_then(|event| disconnect.log(&event.at));
        if let Some(back) = conn.back.and_then(|at| story.events.get(at)) {
            outcome.after_ns =
                disconnect.apart(disconnect.log(&back.at), closed.or(disconnect.closed));
            outcome.server = back.server.as_ref().map(ToString::to_string);
            outcome.evidence.push(disconnect.quote(&back.at));
        }
        let until = conn
            .back
            .and_then(|at| story.events.get(at))
            .and_then(|event| disconnect.log(&event.at));
        let within = |at: Option<When>| {
            at.is_some_and(|at| {
                closed.is_some_and(|from| at.at >= from.at)
                    && until.is_none_or(|until| at.at <= until.at)
            })
        };
        for failure in &story.failures {
            if within(disconnect.log(&failure.first)) || within(disconnect.log(&failure.last)) {
                match failure.what {
                    "publish" => outcome.failed_publishes += failure.count,
                    _ => outcome.timed_out_requests += failure.count,
                }
                outcome.evidence.push(disconnect.quote(&failure.first));
            }
        }
        if outcome.word == "gave-up" {
            let from = conn.closed.map_or(0, |at| at + 1);
            if let Some(last) = story.events[from.min(story.events.len())..]
                .iter()
                .find(|event| {
                    matches!(
                        event.kind,
                        ClientEventKind::GaveUp
                            | ClientEventKind::Closed(
                                Trouble::NoServers | Trouble::MaxReconnects | Trouble::Refused
                            )
                    )
                })
            {
                outcome.after_ns = disconnect.apart(disconnect.log(&last.at), closed);
                outcome.evidence.push(disconnect.quote(&last.at));
            }
        }
    } else if let Some(next) = next {
        let next = Arrival::new(next, case);
        let after = disconnect.apart(next.opened, disconnect.closed);
        if after.is_some_and(|after| after < SAME_RUN) {
            outcome.word = if next.ready { "reconnected" } else { "unknown" };
            outcome.after_ns = after.map(|after| after.max(0));
            outcome.server = next.server.map(|address| address.to_string());
        }
    }
    if outcome.word == "unknown" && disconnect.intended() {
        outcome.word = "exited";
    }
    outcome
}

/// Adds to the verdict what follows from the outcome: the reconnect budget of a client that gave up.
pub fn complete(close: &mut Close, disconnect: &Disconnect, case: &Case) {
    if close.outcome.word != "gave-up" {
        return;
    }
    let names = Names::of_client(disconnect);
    let attempts = close
        .outcome
        .attempts
        .map_or_else(String::new, |count| match count {
            1 => " after 1 attempt".to_owned(),
            count => format!(" after {count} attempts"),
        });
    let within = close
        .outcome
        .after_ns
        .map_or_else(String::new, |ns| format!(" within {}", spoken(ns)));
    close.outcome.budget = Some(format!(
        "{} and {}",
        names.max_reconnects, names.reconnect_wait
    ));
    // On a failed path the same server greets others all the while.
    let server = matches!(close.cause, "server-shutdown" | "overload");
    let enough = enough(&close.outcome, disconnect, case).filter(|_| server);
    let enough = enough.unwrap_or_default();
    close.remedy.push(format!(
        "{}: raise {} or {}, without limit where the application can wait; this client gave up{attempts}{within}{enough}",
        names.library, names.max_reconnects, names.reconnect_wait
    ));
}

/// How long the server was away after the loss, and how many attempts at this client's pace would have outlasted that.
fn enough(outcome: &Outcome, disconnect: &Disconnect, case: &Case) -> Option<String> {
    let lost = disconnect.closed?;
    let back = case.endpoint(disconnect)?.greeted_after(lost)?;
    let away = back.since(lost);
    let tried = outcome.after_ns.filter(|tried| *tried > 0)?;
    if away <= tried {
        return None;
    }
    let told = format!(", the server was back after {}", spoken(away));
    if let Some(attempts) = outcome.attempts.filter(|attempts| *attempts > 0) {
        let pace = (tried / i64::from(attempts)).max(1);
        let needed = away / pace + 1;
        return Some(format!(
            "{told}: {needed} attempts at this pace outlast that"
        ));
    }
    Some(told)
}
