//! Server processes that ended: what their own logs tell of it, and whether any closed connection in this input does.
//!
//! At its default level a nats-server names no connection that it closes. Its stop, its crash and its restart are in its log
//! all the same.

use std::fmt::Write as _;

use crate::align::Alignment;
use crate::align::clock::When;
use crate::align::joined::Records;
use crate::reconstruct::server::{EndManner, ServerLife};
use crate::shelf::Shelf;

use super::endpoint;
use super::finding::{Close, Evidence};
use super::life_end;

/// A server process that ended.
#[derive(Clone, Debug)]
pub struct ProcessEnd {
    /// Index of the server life.
    pub life: usize,
    /// When, by the line that says so best.
    pub at: Option<When>,
    /// The detail that the catalogue explains it under, if one does: `server-shutdown/killed`.
    pub name: Option<&'static str>,
    /// One sentence that stands alone.
    pub summary: String,
    /// Lines that say so.
    pub evidence: Vec<Evidence>,
    /// Closes that its end explains, as far as the input names them.
    pub closes: usize,
    /// Its log holds the lines (DBG) in which connections come and go.
    pub names_connections: bool,
}

impl ProcessEnd {
    /// No close tells of it: a reader learns of it here or not at all.
    pub const fn untold(&self) -> bool {
        self.closes == 0
    }
}

/// Every server process whose end is known, in the order of their ends.
pub fn ends(records: &Records, alignment: &Alignment, closes: &Shelf<Close>) -> Vec<ProcessEnd> {
    if records.servers.is_empty() {
        return Vec::new();
    }
    let mut counts = vec![0; records.servers.len()];
    for close in closes.sketches() {
        let with_it = close.cause() == "server-shutdown"
            || matches!(close.detail(), "oom-kill" | "out-of-memory");
        let life = close.server_life().filter(|_| with_it);
        if let Some(count) = life.and_then(|life| counts.get_mut(life)) {
            *count += 1;
        }
    }
    let mut ends: Vec<ProcessEnd> = records
        .servers
        .iter()
        .zip(counts)
        .enumerate()
        .filter_map(|(index, (life, closes))| {
            let (how, name) = manner(life.end.manner)?;
            Some(ProcessEnd {
                life: index,
                at: life.end.at.as_ref().and_then(|at| alignment.log(at)),
                name,
                summary: summary(records, alignment, life, how),
                evidence: life_end::evidence(records, alignment, life),
                closes,
                names_connections: life.debug,
            })
        })
        .collect();
    ends.sort_by_key(|end| (end.at.map(|when| when.at), end.life));
    ends
}

/// In words, and under which detail the catalogue explains it.
const fn manner(manner: EndManner) -> Option<(&'static str, Option<&'static str>)> {
    Some(match manner {
        EndManner::Unknown | EndManner::Running => return None,
        EndManner::Graceful => ("was stopped", Some("server-shutdown/graceful")),
        EndManner::LameDuck => (
            "was stopped in lame duck mode",
            Some("server-shutdown/lame-duck"),
        ),
        EndManner::Crash => ("crashed", Some("server-shutdown/crash")),
        EndManner::OutOfMemory => (
            "ran out of memory and died of it",
            Some("overload/out-of-memory"),
        ),
        EndManner::OomKill => (
            "was killed by the kernel, which was out of memory",
            Some("overload/oom-kill"),
        ),
        EndManner::Killed => (
            "was killed or vanished without a word",
            Some("server-shutdown/killed"),
        ),
        EndManner::Fatal => ("gave up over a fatal error", None),
    })
}

fn summary(records: &Records, alignment: &Alignment, life: &ServerLife, how: &str) -> String {
    let mut text = format!("{} {how}", label(life));
    let next = life.end.next.and_then(|next| records.servers.get(next));
    let again = next.and_then(|next| next.started.as_ref());
    let (ended, again) = (
        life.end.at.as_ref().and_then(|at| alignment.log(at)),
        again.and_then(|at| alignment.log(at)),
    );
    if let (Some(ended), Some(again)) = (ended, again) {
        let away = super::disconnect::spoken(again.since(ended));
        // The last words of a process that was killed may be far older than its end.
        let within = if life.end.manner == EndManner::Killed {
            "at most "
        } else {
            ""
        };
        let _ = write!(text, ", and was started again {within}{away} later");
    }
    text
}

/// The process in words: its name, else its address.
fn label(life: &ServerLife) -> String {
    let identity = &life.identity;
    let name = identity.name.as_deref().or(identity.id.as_deref());
    let name = name.map(|name| {
        if name.len() == 56 && name.starts_with('N') {
            format!(" {}…", endpoint::short(name))
        } else {
            format!(" {name}")
        }
    });
    let address = identity.listen.map(|address| format!(" ({address})"));
    let host = identity.host.as_deref().map(|host| format!(" on {host}"));
    match (name, address.or(host)) {
        (None, None) => "the server".to_owned(),
        (name, place) => format!(
            "server{}{}",
            name.unwrap_or_default(),
            place.unwrap_or_default()
        ),
    }
}
