//! `overload/server-stall`: the server process stopped answering while its kernel and the path did not.

use crate::align::clock::When;
use crate::attribute::Case;
use crate::attribute::disconnect::{Disconnect, spoken};
use crate::attribute::finding::{Confidence, Evidence, Finding, Initiator};
use crate::attribute::label::Label;
use crate::attribute::path::{dead_path, stalled};
use crate::attribute::settings::Names;
use crate::attribute::wire::Side;
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::client::Trouble;
use crate::reconstruct::conn::RetransmissionRun;
use crate::reconstruct::server::{NoteKind, ServerEventKind};
use crate::time::SECOND;

/// A server notices a FIN within milliseconds; this much later means that it did not run.
const LATE: i64 = SECOND;

/// Three shapes: PINGs acknowledged and unanswered; a handshake completed and no INFO; a close that the server notices
/// only long after it happened.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let mine = disconnect.reason().is_none_or(CloseReason::is_departure);
    if !mine || disconnect.intended() {
        return None;
    }
    let server = case.server_label(disconnect);
    let client = case.client_label(disconnect);
    let (confidence, evidence, summary) = unanswered_pings(disconnect, server, client)
        .or_else(|| no_info(disconnect, case, server, client))
        .or_else(|| noticed_late(disconnect, case, server, client))
        .or_else(|| thawed(disconnect, case, server))?;
    let names = Names::of_client(disconnect);
    let finding = Finding::new(confidence, Initiator::Client, summary)
        .because(evidence)
        .because(pressure(disconnect))
        .missing("processor, memory and disk figures of the server's host at that time; its /varz before and after")
        .remedy("find what held the server: processor quota (throttling of its cgroup), a frozen or migrating VM, swapping, slow JetStream disk; GOMAXPROCS and the quota should agree");
    // What waited for a greeting had a connect timeout, not PINGs.
    let counted = disconnect.trouble(|trouble| *trouble == Trouble::Stale);
    if counted.is_none() && stalled(disconnect, Side::Server).is_none() {
        return Some(finding);
    }
    Some(finding.remedy(format!(
        "{}: {} x ({} + 1) is how long it waits for a silent server{}",
        names.library,
        names.ping_interval,
        names.max_pings_out,
        lasted(disconnect, case).unwrap_or_default()
    )))
}

/// How long the stall lasted at least, in words: from what was not answered first to the server's next greeting.
fn lasted(disconnect: &Disconnect, case: &Case) -> Option<String> {
    let stalled = stalled(disconnect, Side::Server)?;
    let from = stalled.view.when(stalled.pings.first);
    let left = disconnect.closed?;
    let back = case.endpoint(disconnect)?.greeted_after(left)?;
    let waited = spoken(left.since(from));
    Some(format!(
        ": here {waited}, and the server greeted again {} after the PING that it did not answer; a product above that would have held the connection",
        spoken(back.since(from))
    ))
}

type Shape = Option<(Confidence, Vec<Evidence>, String)>;

fn unanswered_pings(disconnect: &Disconnect, server: Label, client: Label) -> Shape {
    let stalled = stalled(disconnect, Side::Server)?;
    let closed = disconnect.first_close()?;
    if closed.close.side != Side::Client || dead_path(disconnect).is_some() {
        return None;
    }
    let waited = spoken(closed.close.at.ns - stalled.pings.first.ns);
    let pings = stalled.pings.count;
    let evidence = vec![
        stalled.view.evidence(
            stalled.pings.first,
            format!("client's PING ({pings} in all), acknowledged by the server's kernel, no PONG"),
        ),
        closed
            .view
            .evidence(closed.close.at, format!("client gives up after {waited}")),
    ];
    // One PING that is out when an application closes is no stall; the wait must be the client's own patience.
    let told = disconnect.lost_by_log()
        || disconnect
            .trouble(|trouble| *trouble == Trouble::Stale)
            .is_some();
    let confidence =
        if told || pings >= 2 || closed.close.at.ns - stalled.pings.first.ns > 2 * SECOND {
            Confidence::Shown
        } else {
            return None;
        };
    let summary = format!(
        "{server} stopped answering: {client} waited {waited} for a PONG that never came, although its PINGs arrived"
    );
    Some((confidence, evidence, summary))
}

/// Nobody waits this long for a greeting on a path that is well.
const SLOW_GREETING: i64 = SECOND;

fn no_info(disconnect: &Disconnect, case: &Case, server: Label, client: Label) -> Shape {
    if disconnect
        .session()
        .is_some_and(|session| session.connect.is_some())
    {
        return None;
    }
    let view = disconnect.views.iter().find(|view| view.established())?;
    let tls_first = view.session().is_some_and(|session| session.tls.is_some());
    let waited = view.wait_for_greeting()?;
    let lossy = view
        .flow(Side::Client)
        .final_retransmissions
        .as_deref()
        .is_some_and(|run: &RetransmissionRun| run.count >= 2);
    if tls_first || lossy || !case.speaks_nats(disconnect) {
        return None;
    }
    let greeted = view.greeted_in_time();
    let gave_up = !greeted && case.waited_out(disconnect, waited);
    if !(gave_up || greeted && waited >= SLOW_GREETING) {
        return None;
    }
    let end = if greeted {
        view.session()?.info_at?
    } else {
        view.conn.end.at
    };
    let what = if greeted {
        "INFO comes only now"
    } else {
        "the client leaves, no INFO came before"
    };
    let evidence = vec![
        view.evidence(
            view.conn.handshake.ack.unwrap_or(view.conn.first),
            "the kernel completes the handshake",
        ),
        view.evidence(end, what),
    ];
    let summary = format!(
        "{server} did not greet {client}: its kernel took the connection, no INFO came for {}",
        spoken(waited)
    );
    Some((Confidence::Likely, evidence, summary))
}

fn noticed_late(disconnect: &Disconnect, case: &Case, server: Label, client: Label) -> Shape {
    let conn = disconnect.server?;
    let logged = disconnect.log(conn.closed.as_ref()?)?;
    // Logs alone: the client gives up on a server that then notices several such closes at one instant.
    let given_up = disconnect.trouble(|trouble| {
        matches!(trouble, Trouble::Stale | Trouble::Timeout | Trouble::Unsaid)
    })?;
    let left = disconnect.log(&given_up.at)?;
    if logged.bounds.low.saturating_sub(left.bounds.high) < LATE
        || disconnect
            .first_close()
            .is_some_and(|first| first.close.side == Side::Server)
        || dead_path(disconnect).is_some()
    {
        return None;
    }
    // The way may have been what took so long: a capture at the server shows when the end arrived there, and a process that
    // goes on finds connections that its kernel took meanwhile, and whose clients are gone.
    let arrived = disconnect
        .view_at(Side::Server)
        .and_then(|view| Some(view.when(view.closer()?.at)));
    let endpoint = case.endpoint(disconnect)?;
    let prompt = arrived.map_or(endpoint.dead_on_arrival(logged) == 0, |at| {
        logged.since(at) < LATE
    });
    let together = endpoint.noticed_together(logged);
    let queued = arrived.is_none() && could_not_accept(disconnect, logged);
    if prompt || queued || together < 2 {
        return None;
    }
    let late = spoken(logged.since(left));
    let evidence = vec![
        disconnect.quote(&given_up.at),
        disconnect.quote(conn.closed.as_ref()?),
    ];
    let summary = format!(
        "{server} stopped answering: it noticed that {client} had left only {late} later, together with {} others",
        together - 1
    );
    Some((Confidence::Likely, evidence, summary))
}

/// Connections waited in the accept queue for another reason: the server's log says that it could not accept any.
fn could_not_accept(disconnect: &Disconnect, logged: When) -> bool {
    const AROUND: i64 = 60 * SECOND;
    disconnect.life.is_some_and(|(_, life)| {
        life.events
            .iter()
            .filter(|event| matches!(event.kind, ServerEventKind::AcceptError(_)))
            .flat_map(|event| [event.first.as_ref(), Some(&event.at)])
            .filter_map(|at| disconnect.log(at?))
            .any(|at| logged.since(at).abs() < AROUND)
    })
}

/// Lines that show the server under pressure around the close.
fn pressure(disconnect: &Disconnect) -> Option<Evidence> {
    const AROUND: i64 = 30 * SECOND;
    let at = disconnect.closed?;
    let (_, life) = disconnect.life?;
    let note = disconnect.note(|note| matches!(note, NoteKind::ReadloopTime(_)));
    note.map(|note| disconnect.quote(&note.at)).or_else(|| {
        let event = life.events.iter().find(|event| {
            matches!(event.kind, ServerEventKind::Pressure(_))
                && disconnect
                    .log(&event.at)
                    .is_some_and(|when| when.since(at).abs() < AROUND)
        })?;
        Some(disconnect.quote(&event.at))
    })
}

/// A server's log alone: the moment at which a process that did not run goes on. It notices several ends at once, and
/// accepts connections whose clients are gone already.
fn thawed(disconnect: &Disconnect, case: &Case, server: Label) -> Shape {
    let conn = disconnect.server?;
    let logged = disconnect.log(conn.closed.as_ref()?)?;
    let endpoint = case.endpoint(disconnect)?;
    let dead = endpoint.dead_on_arrival(logged);
    let together = endpoint.noticed_together(logged);
    let stillborn = disconnect.logged_lifetime() < SECOND / 100;
    let reset = matches!(
        disconnect.reason(),
        Some(CloseReason::ReadError | CloseReason::WriteError)
    );
    if could_not_accept(disconnect, logged) {
        return None;
    }
    // A connection that was made and left within the stall may have been left on purpose.
    if !disconnect.views.is_empty() || dead < 2 || together < 4 || stillborn && !reset {
        return None;
    }
    let evidence = vec![disconnect.quote(conn.closed.as_ref()?)];
    let summary = format!(
        "{server} stopped running for a while: at one moment it noticed {together} ends and accepted {dead} connections that were dead already"
    );
    Some((Confidence::Likely, evidence, summary))
}
