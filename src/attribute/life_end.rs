//! The end of a server process as its own log tells it: between which moments sockets can have died with it.

use crate::align::Alignment;
use crate::align::clock::When;
use crate::align::joined::Records;
use crate::reconstruct::server::{EndManner, ServerEventKind, ServerLife};
use crate::span::LogRef;
use crate::time::SECOND;

use super::disconnect::Disconnect;
use super::finding::Evidence;

/// A server process's end as its log tells it, on the common line: between `low` and `high`.
#[derive(Clone, Debug)]
pub struct LifeEnd {
    /// The manner.
    pub manner: EndManner,
    /// Earliest and latest moment that sockets can have died with it.
    pub from: When,
    /// Latest; `None` when the log is open-ended.
    pub until: Option<When>,
    /// Lines that say so.
    pub evidence: Vec<Evidence>,
    /// Lame duck mode was entered.
    pub lame_duck: Option<Evidence>,
}

/// Slack between a server's last words and the last packets of its sockets: the final flush, and the kernel's close.
pub const LAST_WORDS: i64 = 5 * SECOND;

impl LifeEnd {
    /// The end of the life that a connection went to.
    pub fn of(disconnect: &Disconnect) -> Option<Self> {
        Self::of_life(disconnect, disconnect.life?.0)
    }

    /// The end of any life of the bundle, for a connection of a peer of it.
    pub fn of_life(disconnect: &Disconnect, life: usize) -> Option<Self> {
        let life = disconnect.records.servers.get(life)?;
        let evidence = evidence(disconnect.records, disconnect.alignment, life);
        let lame_duck = life.end.lame_duck.as_ref().map(|at| disconnect.quote(at));
        let event = |wanted: fn(&ServerEventKind) -> bool| {
            life.events
                .iter()
                .find(|event| wanted(&event.kind))
                .and_then(|event| disconnect.log(&event.at))
        };
        let at = life.end.at.as_ref().and_then(|at| disconnect.log(at));
        let last = life.last.as_ref().and_then(|at| disconnect.log(at));
        let next = life
            .end
            .next
            .and_then(|next| disconnect.records.servers.get(next)?.started.as_ref())
            .and_then(|at| disconnect.log(at));
        let (from, until) = match life.end.manner {
            EndManner::Graceful => {
                let signal = event(|kind| matches!(kind, ServerEventKind::SignalTrapped(_)));
                let begun = event(|kind| matches!(kind, ServerEventKind::ShutdownInitiated));
                (begun.or(signal).or(at)?, last.or(at))
            }
            EndManner::LameDuck => {
                let closing = event(|kind| matches!(kind, ServerEventKind::LameDuckEntered));
                (closing.or(at)?, last.or(at))
            }
            EndManner::Unknown | EndManner::Running => (last?, next),
            _ => {
                let from = last.or(at)?;
                (from, at.filter(|at| at.at > from.at).or(next))
            }
        };
        Some(Self {
            manner: life.end.manner,
            from,
            until,
            evidence,
            lame_duck,
        })
    }

    /// Whether a socket that ended at `at` can have died with the process.
    pub fn holds(&self, at: When) -> bool {
        let after = at.bounds.high.saturating_add(SECOND / 4) >= self.from.bounds.low;
        let before = match (self.manner, self.until) {
            (EndManner::Graceful | EndManner::LameDuck, Some(until)) => {
                at.bounds.low <= until.bounds.high.saturating_add(LAST_WORDS)
            }
            (_, Some(until)) => at.bounds.low <= until.bounds.high.saturating_add(SECOND / 4),
            (_, None) => true,
        };
        after && before
    }
}

/// The lines that tell of a server process's end.
pub fn evidence(records: &Records, alignment: &Alignment, life: &ServerLife) -> Vec<Evidence> {
    let quote = |at: &LogRef, what: &str| Evidence {
        cite: at.cite,
        at: alignment.log(at),
        says: format!("{what}{}", at.text),
        supports: true,
    };
    let mut evidence: Vec<Evidence> = life.end.evidence.iter().map(|at| quote(at, "")).collect();
    if matches!(life.end.manner, EndManner::Killed | EndManner::Unknown) {
        let last = life.last.as_ref();
        evidence.extend(last.map(|at| quote(at, "the last line of its log: ")));
        let next = life.end.next.and_then(|next| records.servers.get(next));
        let banner = next.and_then(|next| next.started.as_ref());
        evidence.extend(banner.map(|at| quote(at, "no word of an end, then a new process: ")));
    }
    evidence
}
