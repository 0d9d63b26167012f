//! Ends of server processes that the host tells: the kernel's OOM killer, systemd, container runtimes.

use super::server::{EndManner, Identity, ServerEvent, ServerEventKind, ServerLife};
use crate::parse::host_log::{Victim, exit_status, victim};
use crate::span::{LogRef, Place};
use crate::time::Stamp;

/// Gives each host event that ends a server process to that life; the others stay.
pub fn apply(servers: &mut [ServerLife], events: &mut Vec<ServerEvent>) {
    events.retain(|event| {
        let (ServerEventKind::OomKill(text) | ServerEventKind::ProcessExit(text)) = &event.kind
        else {
            return true;
        };
        let Some(victim) = victim(text) else {
            return true;
        };
        match ended_life(servers, event, victim) {
            Some(index) => {
                end(&mut servers[index], event, text);
                false
            }
            None => true,
        }
    });
}

/// The life that a line about a process means.
fn ended_life(servers: &[ServerLife], event: &ServerEvent, victim: Victim<'_>) -> Option<usize> {
    let oom = matches!(event.kind, ServerEventKind::OomKill(_));
    let open = |life: &ServerLife| {
        matches!(
            life.end.manner,
            EndManner::Unknown | EndManner::Killed | EndManner::OomKill
        ) || !oom
    };
    let candidates: Vec<usize> = (0..servers.len())
        .filter(|index| {
            open(&servers[*index]) && before(&servers[*index], &event.at) != Some(false)
        })
        .collect();
    // In containers every pid is 1, and the kernel names the host's: an equal pid is proof, another one is none.
    if let Some(pid) = victim.pid
        && let Some(index) = candidates
            .iter()
            .rfind(|index| servers[**index].identity.pid == Some(pid))
    {
        return Some(*index);
    }
    if !named_like(victim.name)
        && !candidates
            .iter()
            .any(|i| is_host(&servers[*i].identity, victim.name))
    {
        return None;
    }
    let hosted: Vec<usize> = candidates
        .iter()
        .copied()
        .filter(|index| is_host(&servers[*index].identity, victim.name))
        .collect();
    let pool = if hosted.is_empty() {
        candidates
    } else {
        hosted
    };
    let in_container = |index: &&usize| matches!(servers[**index].identity.pid, None | Some(1));
    let pool: Vec<usize> = if victim.pid.is_some() {
        pool.iter().filter(in_container).copied().collect()
    } else {
        pool
    };
    // The last one that had begun by then, as far as times can be compared; else only without a choice.
    let timed = pool
        .iter()
        .rfind(|index| before(&servers[**index], &event.at) == Some(true));
    match (timed, pool.as_slice()) {
        (Some(index), _) | (None, [index]) => Some(*index),
        _ => None,
    }
}

/// A process or unit name that means nats-server.
fn named_like(name: &str) -> bool {
    let server = "nats-server";
    name.contains(server) || name.contains("gnatsd") || name == "nats"
}

/// A container or unit name that the life's stream carries.
fn is_host(identity: &Identity, name: &str) -> bool {
    identity
        .host
        .as_deref()
        .is_some_and(|host| host.split('/').any(|part| part == name))
}

/// Whether a life's last line is before a moment, where the two can be compared.
fn before(life: &ServerLife, at: &LogRef) -> Option<bool> {
    let first = life.first.as_ref()?;
    if first.cite.source == at.cite.source
        && let (Place::Line(first), Place::Line(at)) = (first.cite.place, at.cite.place)
    {
        return Some(first < at);
    }
    let comparable = |a: Option<Stamp>, b: Option<Stamp>| match (a, b) {
        (Some(a), Some(b)) if a.basis == b.basis => Some(a.ns <= b.ns),
        _ => None,
    };
    comparable(first.outer, at.outer)
        .or_else(|| comparable(first.stamp, at.stamp))
        .or_else(|| comparable(first.stamp, at.outer))
}

fn end(life: &mut ServerLife, event: &ServerEvent, text: &str) {
    if let Some(status) = exit_status(text) {
        life.end.exit = Some(status.into());
    }
    let unsaid = matches!(life.end.manner, EndManner::Unknown | EndManner::Killed);
    let manner = match &event.kind {
        ServerEventKind::OomKill(_) => Some(EndManner::OomKill),
        _ if text.contains("oom-kill") || text.contains("OOMKilled") => Some(EndManner::OomKill),
        _ if !unsaid => None,
        _ if text.contains("status=9/KILL")
            || text.contains("exitCode=137")
            || text.contains("code 137")
            || text.contains("SIGKILL")
            || text.contains("timed out. Killing") =>
        {
            Some(EndManner::Killed)
        }
        _ if text.contains("status=2/")
            || text.contains("exitCode=2,")
            || text.ends_with("code 2")
            || text.contains("code=dumped") =>
        {
            Some(EndManner::Crash)
        }
        // Before 2.2.0 the process itself says nothing when it is stopped.
        _ if text.contains("status=15/TERM") || text.starts_with("Stopping ") => {
            Some(EndManner::Graceful)
        }
        _ => None,
    };
    if let Some(manner) = manner {
        life.end.manner = manner;
        life.end.at = Some(event.at.clone());
    }
    life.end.evidence.push(event.at.clone());
    life.events.push(event.clone());
}
