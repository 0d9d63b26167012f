//! `server-shutdown/host-down`: the whole machine went away: its kernel answers nobody any more, and comes back, if at
//! all, without memory of its connections.

use crate::attribute::Case;
use crate::attribute::disconnect::{Disconnect, near};
use crate::attribute::finding::{Confidence, Finding, Initiator};
use crate::attribute::path::dead_path;
use crate::attribute::wire::Side;
use crate::reconstruct::server::{EndManner, ServerEventKind};
use crate::time::SECOND;

/// The log stopped within this of the last packet that the server's host answered.
const TOGETHER: i64 = 30 * SECOND;

/// Clients' data goes unanswered, and the server's log stops there or a new process starts after it: a path failure would
/// have left the server writing.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let dead =
        dead_path(disconnect).filter(|dead| dead.from == Side::Client && dead.path.peer_silent)?;
    let rebooted = disconnect.records.host_events.iter().find(|event| {
        matches!(&event.kind, ServerEventKind::Host(what) if what.contains("reboot") || what.contains("power"))
            && disconnect.closed.is_some_and(|at| disconnect.log(&event.at).is_some_and(|when| near(when, at, TOGETHER)))
    });
    let (_, life) = disconnect.life?;
    let stopped = matches!(life.end.manner, EndManner::Killed | EndManner::Unknown);
    let last = life.last.as_ref().and_then(|at| disconnect.log(at))?;
    let since = dead.view.when(dead.path.since);
    // A quiet log proves nothing: it must have been talking (debug level, timers firing) until the moment.
    let talked = life.debug && near(last, since, TOGETHER) && last.at <= since.at;
    let restarted = life.end.next.is_some();
    if !stopped || !talked && rebooted.is_none() || !restarted && rebooted.is_none() {
        return None;
    }
    let server = case.server_label(disconnect);
    let summary = format!("the host of {server} went away: no packet from it, and its log stops");
    Some(
        Finding::new(Confidence::Likely, Initiator::Server, summary)
            .because(dead.evidence())
            .because(rebooted.map(|event| disconnect.quote(&event.at)))
            .missing("the host's kernel log or its hypervisor's events around that time")
            .remedy("look at the host: power, kernel panic, hypervisor migration; clients find out faster with a shorter ping interval"),
    )
}
