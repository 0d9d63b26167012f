//! Did the server process end, and did this socket end with it? Shared by the server-shutdown details and by running
//! out of memory, which differ only in the manner.

use std::ops::ControlFlow;

use crate::align::clock::When;
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::server::{EndManner, ServerLife};
use crate::time::SECOND;

use super::Case;
use super::disconnect::Disconnect;
use super::endpoint::Endpoint;
use super::finding::{Confidence, Evidence, Finding, Initiator};
use super::gone::{Gone, closing_packet};
use super::life_end::LifeEnd;
use super::peer_gone::peer_gone;
use super::wire::{Side, View};

/// How long after the end a refused attempt still speaks of the same outage.
const OUTAGE: i64 = 10 * SECOND;

/// What a connection tells by itself: whether the process took it along, or nothing yet.
pub fn by_itself(disconnect: &Disconnect) -> ControlFlow<Option<Gone>> {
    let attempt = disconnect.views.iter().any(View::attempt_failed);
    if disconnect.closed.is_none() || attempt && disconnect.server.is_none() {
        return ControlFlow::Break(None);
    }
    if let Some(gone) = peer_gone(disconnect) {
        return ControlFlow::Break(Some(gone));
    }
    let reason = disconnect.reason();
    if reason == Some(&CloseReason::ServerShutdown) {
        return ControlFlow::Continue(());
    }
    // The server was alive to log another reason, so it did not take this socket down with it.
    let lived = reason.is_some() && disconnect.server.is_some_and(|conn| conn.closed.is_some());
    let said_otherwise = disconnect
        .statements
        .iter()
        .any(|statement| statement.reason != CloseReason::ServerShutdown);
    let told_to_move =
        || disconnect.lame_duck_notice().is_some() || told_to_move(&disconnect.records.servers);
    if lived
        || said_otherwise
        || disconnect.intended()
        || client_first(disconnect) && !told_to_move()
    {
        return ControlFlow::Break(None);
    }
    ControlFlow::Continue(())
}

/// A server's log tells of lame duck mode: its clients may have left because of it.
pub fn told_to_move(servers: &[ServerLife]) -> bool {
    servers.iter().any(|life| life.end.lame_duck.is_some())
}

/// Judges one connection.
pub fn server_gone(disconnect: &Disconnect, case: &Case) -> Option<Gone> {
    if let ControlFlow::Break(verdict) = by_itself(disconnect) {
        return verdict;
    }
    let at = disconnect.closed?;
    let life_end = LifeEnd::of(disconnect).or_else(|| of_the_address(disconnect, case, at));
    if disconnect.reason() == Some(&CloseReason::ServerShutdown) {
        return Some(said_shutdown(disconnect, life_end));
    }
    if client_first(disconnect) {
        return moved_by_lame_duck(disconnect, life_end);
    }
    let injected = disconnect
        .views
        .iter()
        .filter_map(View::closing_rst)
        .any(|rst| rst.origin == crate::reconstruct::conn::RstOrigin::Injected);
    if injected {
        return None;
    }
    if let Some(end) = life_end.clone()
        && end.manner.is_told()
        && end.holds(at)
    {
        return from_log(disconnect, case, end);
    }
    from_fate(disconnect, case, life_end.as_ref())
}

fn said_shutdown(disconnect: &Disconnect, life_end: Option<LifeEnd>) -> Gone {
    let mut evidence: Vec<Evidence> = disconnect
        .stated(&CloseReason::ServerShutdown)
        .into_iter()
        .map(|said| said.evidence.clone())
        .collect();
    let mut manner = EndManner::Graceful;
    if let Some(end) = life_end {
        if let Some(lame_duck) = end.lame_duck {
            evidence.push(lame_duck);
            manner = EndManner::LameDuck;
        }
        evidence.extend(end.evidence);
    }
    if let Some(notice) = disconnect.lame_duck_notice() {
        evidence.push(notice);
        manner = EndManner::LameDuck;
    }
    Gone {
        peer: false,
        manner,
        confidence: Confidence::Stated,
        evidence,
        manner_open: false,
    }
}

/// A client that was told of lame duck mode and leaves by itself.
fn moved_by_lame_duck(disconnect: &Disconnect, life_end: Option<LifeEnd>) -> Option<Gone> {
    let notice = disconnect.lame_duck_notice();
    let end = life_end
        .filter(|end| end.lame_duck.is_some() && disconnect.closed.is_some_and(|at| end.holds(at)));
    let lame_duck = notice.or_else(|| end.and_then(|end| end.lame_duck))?;
    let told = lame_duck.at?;
    let at = disconnect.closed?;
    (at.at > told.at && disconnect.was_ready() && at.at.since(told.at) < OUTAGE).then(|| Gone {
        peer: false,
        manner: EndManner::LameDuck,
        confidence: Confidence::Likely,
        evidence: vec![lame_duck],
        manner_open: true,
    })
}

fn from_log(disconnect: &Disconnect, case: &Case, end: LifeEnd) -> Option<Gone> {
    let at = disconnect.closed?;
    let server_first = first_is_server(disconnect);
    let fate = case
        .endpoint(disconnect)
        .map(|endpoint| endpoint.common_fate(at));
    let survivors = fate.is_some_and(|fate| fate.survivors > 0);
    let told = matches!(end.manner, EndManner::Graceful | EndManner::LameDuck);
    // Where only the log of the server shows the connection, it was open when the process ended: it died with it.
    let by_remote = server_first || disconnect.first_close().is_none();
    if !by_remote
        && !disconnect
            .first_close()
            .is_some_and(|first| first.close.rst)
    {
        return None;
    }
    // An abrupt end is only bounded by the last line and the next banner: others living on speak against it.
    if !told && survivors {
        return None;
    }
    let exact = end
        .until
        .is_some_and(|until| until.bounds.low - end.from.bounds.high < 2 * SECOND);
    let together = fate.map_or(0, |fate| fate.together);
    let confidence = match end.manner {
        EndManner::Graceful | EndManner::LameDuck => Confidence::Stated,
        EndManner::Crash | EndManner::OutOfMemory | EndManner::OomKill | EndManner::Fatal
            if exact || together >= 2 || disconnect.first_close().is_none() =>
        {
            Confidence::Stated
        }
        _ if together >= 2
            || exact
            || disconnect.views.is_empty() && disconnect.client.is_none() =>
        {
            Confidence::Shown
        }
        _ => Confidence::Likely,
    };
    let mut evidence = end.evidence;
    evidence.extend(closing_packet(disconnect));
    let manner = if told && (end.lame_duck.is_some() || disconnect.lame_duck_notice().is_some()) {
        EndManner::LameDuck
    } else {
        end.manner
    };
    evidence.extend(end.lame_duck);
    Some(Gone {
        peer: false,
        manner,
        confidence,
        evidence,
        manner_open: false,
    })
}

/// The end of the one process at this address that ended there, for a connection that no log names: without debug lines
/// it is only the capture's.
fn of_the_address(disconnect: &Disconnect, case: &Case, at: When) -> Option<LifeEnd> {
    let lives = &case.endpoint(disconnect)?.lives;
    let mut ends = lives
        .iter()
        .filter_map(|life| LifeEnd::of_life(disconnect, *life))
        .filter(|end| end.manner.is_told())
        .filter(|end| end.holds(at));
    ends.next().filter(|_| ends.next().is_none())
}

/// The logs of the processes at this address cover the moment, and none of them ended there.
fn lived_on(disconnect: &Disconnect, endpoint: &Endpoint, at: When) -> bool {
    let started = |life: usize| {
        let first = disconnect.records.servers.get(life)?.first.as_ref()?;
        Some(disconnect.log(first)?.bounds.high < at.bounds.low)
    };
    let mut ends = endpoint
        .lives
        .iter()
        .filter(|life| started(**life) == Some(true))
        .map(|life| LifeEnd::of_life(disconnect, *life))
        .peekable();
    ends.peek().is_some() && ends.all(|end| end.is_some_and(|end| !end.holds(at)))
}

/// What the fate of the server's other connections tells, where its log does not.
fn from_fate(disconnect: &Disconnect, case: &Case, life_end: Option<&LifeEnd>) -> Option<Gone> {
    let at = disconnect.closed?;
    let endpoint = case.endpoint(disconnect)?;
    if !disconnect.was_ready()
        || endpoint.same_process_across(at).is_some()
        || lived_on(disconnect, endpoint, at)
    {
        return None;
    }
    let by_server = first_is_server(disconnect);
    let by_log = disconnect.first_close().is_none()
        && disconnect.troubles().any(|(_, trouble)| {
            use crate::reconstruct::client::Trouble as T;
            matches!(trouble, T::Eof | T::Reset | T::BrokenPipe)
                || *trouble == T::Unsaid && disconnect.lost_by_log()
        });
    if !by_server && !by_log {
        return None;
    }
    let fate = endpoint.common_fate(at);
    let refused = endpoint.refused_after(at, OUTAGE);
    let replaced = endpoint.replaced_across(at);
    // Without DBG lines a log is silent while the server runs: that it stops says nothing.
    let talks = disconnect.life.is_some_and(|(_, life)| life.debug);
    let log_stops = talks
        && life_end.is_some_and(|end| {
            end.manner == EndManner::Unknown && end.holds(at) && end.until.is_none()
        });
    // Clients that lose their connections at one moment may have lost a path in common: only a word of the server's end
    // (its address refuses, another process answers, its log breaks off) makes it more than that.
    if !by_server && refused.is_none() && replaced.is_none() && !log_stops {
        return None;
    }
    let all_together = fate.together >= 2 && fate.survivors == 0;
    let mut signs = 0;
    let mut evidence: Vec<Evidence> = closing_packet(disconnect).into_iter().collect();
    if all_together {
        signs += 1 + usize::from(fate.hosts >= 2);
    }
    if let Some(attempt) = refused {
        signs += 2;
        evidence.push(attempt.evidence.clone());
    }
    if let Some((before, after)) = replaced {
        signs += 2;
        evidence.extend([before.evidence(), after.evidence()]);
    }
    if signs == 0
        || signs == 1 && !(log_stops || by_server && fate.together >= 3)
        || fate.survivors > 0 && replaced.is_none()
    {
        return None;
    }
    let ended = match signs {
        3.. if by_server => Confidence::Shown,
        2 if by_server && refused.is_some() && all_together => Confidence::Shown,
        2.. => Confidence::Likely,
        _ => Confidence::Possible,
    };
    if let Some(notice) = disconnect.lame_duck_notice() {
        evidence.push(notice);
        return Some(Gone {
            peer: false,
            manner: EndManner::LameDuck,
            confidence: ended,
            evidence,
            manner_open: false,
        });
    }
    let (manner, sure) = if log_stops {
        evidence.extend(life_end.into_iter().flat_map(|end| end.evidence.clone()));
        (EndManner::Killed, Confidence::Likely)
    } else {
        manner_on_the_wire(disconnect, endpoint, at, &mut evidence)
    };
    Some(Gone {
        peer: false,
        manner,
        confidence: ended.min(sure),
        evidence,
        manner_open: true,
    })
}

/// How a process ended whose sockets were closed at `at`: its goodbye decides, else the order of the closes. Nothing on the
/// wire tells a kill from a crash, and without any sign the ordinary is assumed: a stop.
fn manner_on_the_wire(
    disconnect: &Disconnect,
    endpoint: &Endpoint,
    at: When,
    evidence: &mut Vec<Evidence>,
) -> (EndManner, Confidence) {
    if let Some(farewell) = endpoint.farewell(at) {
        tell(evidence, farewell.evidence.clone());
        let manner = if farewell.said {
            EndManner::Graceful
        } else {
            EndManner::Killed
        };
        return (manner, Confidence::Likely);
    }
    let Some(order) = endpoint.closing_order(disconnect) else {
        return (EndManner::Graceful, Confidence::Possible);
    };
    let count = order.count;
    let (says, verdict) = match (order.reverse, count) {
        (true, 2) => return (EndManner::Graceful, Confidence::Possible),
        (true, 3) => (
            format!(
                "the {count} sockets close in reverse of their opening, as a kernel closes those of a dead process"
            ),
            (EndManner::Killed, Confidence::Possible),
        ),
        (true, _) => (
            format!(
                "the {count} sockets close in reverse of their opening, as a kernel closes those of a dead process"
            ),
            (EndManner::Killed, Confidence::Likely),
        ),
        (false, _) => (
            format!(
                "the {count} sockets close in no order of a kernel's: the process closed them itself"
            ),
            (EndManner::Graceful, Confidence::Likely),
        ),
    };
    if let Some(first) = disconnect.first_close() {
        tell(evidence, first.view.evidence(first.close.at, says));
    }
    verdict
}

/// Adds evidence; what the same packet says goes on in one sentence.
fn tell(evidence: &mut Vec<Evidence>, item: Evidence) {
    match evidence.iter_mut().find(|known| known.cite == item.cite) {
        Some(known) => {
            known.says.push_str("; ");
            known.says.push_str(&item.says);
        }
        None => evidence.push(item),
    }
}

/// A finding for one manner, if that is how the process ended.
pub fn finding(
    disconnect: &Disconnect,
    case: &Case,
    manners: &[EndManner],
    what: &str,
) -> Option<Finding> {
    let gone = case.gone(disconnect)?;
    if !manners.contains(&gone.manner) {
        return None;
    }
    let server = case.server_label(disconnect);
    let summary = if gone.peer {
        format!("the peer server {what}, and its connection to {server} with it")
    } else if disconnect.refused().is_some() {
        format!("{server} {what}; this attempt came while it was down")
    } else {
        format!("{server} {what}, and this socket with it")
    };
    let mut finding =
        Finding::new(gone.confidence, Initiator::Server, summary).because(gone.evidence.clone());
    if gone.manner_open {
        let missing = "the server's log and stderr, the service manager's or kernel's log: they tell how the process ended";
        finding = finding.missing(missing);
        for (manner, detail) in [
            (EndManner::Graceful, "graceful"),
            (EndManner::Killed, "killed"),
            (EndManner::Crash, "crash"),
        ] {
            if manner != gone.manner {
                finding = finding.rival(
                    "server-shutdown",
                    detail,
                    "on the wire a stop, a kill and a crash look alike; the server's log would decide",
                );
            }
        }
    }
    Some(finding)
}

/// The client's FIN came first.
fn client_first(disconnect: &Disconnect) -> bool {
    disconnect
        .first_close()
        .is_some_and(|first| first.close.side == Side::Client && !first.close.rst)
}

/// The earliest close of all views is the server's. A view that missed a packet may show the answer first.
fn first_is_server(disconnect: &Disconnect) -> bool {
    disconnect
        .first_close()
        .is_some_and(|first| first.close.side == Side::Server)
}
