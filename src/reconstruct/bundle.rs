//! All text sources of a bundle as one: rotated files in order, stderr with its log, kernel and service-manager lines with
//! the process that they are about, configuration and monitoring data with their server.

use std::collections::BTreeMap;

use super::config_file::{ConfigFile, base_name, follow_includes};
use super::host_end;
use super::limits;
use super::log::LogResult;
use super::log_family::family;
use super::server::{EndManner, ServerLife};
use super::server_absorb::{absorb, continue_with};
use super::server_end::speaks_on_sigterm;
use super::year;

/// A life and where it comes from.
#[derive(Debug)]
struct Row {
    life: ServerLife,
    /// Folder and stem of its file.
    family: String,
    /// Ordinal of its part, and of the life within it.
    part: usize,
}

/// Puts the parts together. Lives keep the order of parts and, within one, of lines.
pub fn merge(mut parts: Vec<LogResult>) -> LogResult {
    year::resolve(&mut parts);
    let mut all = LogResult::default();
    let mut rows: Vec<Option<Row>> = Vec::new();
    let mut configs = Vec::new();
    for (index, part) in parts.into_iter().enumerate() {
        let base = rows.len();
        let family = family(&part.path, &part.stem);
        rows.extend(part.servers.into_iter().map(|mut life| {
            life.end.next = life.end.next.map(|next| next + base);
            Some(Row {
                life,
                family: family.clone(),
                part: index,
            })
        }));
        all.clients.extend(part.clients);
        all.host_events.extend(part.host_events);
        all.rejects.extend(part.rejects);
        configs.extend(part.configs);
        all.source_facts.push(part.facts);
    }
    join_rotated(&mut rows);
    join_monitored(&mut rows);
    join_stderr(&mut rows);
    all.servers = compact(rows);
    host_end::apply(&mut all.servers, &mut all.host_events);
    bind_configs(&mut all.servers, &follow_includes(&configs));
    all
}

/// Files of one family, in order of time: a life without a banner goes on in the next file, a banner follows.
fn join_rotated(rows: &mut [Option<Row>]) {
    let mut families: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        if let Some(row) = row
            && row.life.first.is_some()
        {
            families.entry(row.family.clone()).or_default().push(index);
        }
    }
    for members in families.values_mut() {
        members.sort_by_key(|index| {
            let row = rows[*index].as_ref();
            row.and_then(|row| Some((start_ns(&row.life)?, *index)))
        });
        let mut at = 0;
        while at + 1 < members.len() {
            let (earlier, later) = (members[at], members[at + 1]);
            match relation(rows, earlier, later) {
                Relation::Continues => {
                    if let Some(row) = rows[later].take()
                        && let Some(first) = &mut rows[earlier]
                    {
                        let next = row.life.end.next;
                        continue_with(&mut first.life, row.life);
                        first.part = row.part;
                        first.life.end.next = next;
                    }
                    redirect(rows, later, earlier);
                    members.remove(at + 1);
                }
                Relation::Follows => {
                    if let Some(first) = &mut rows[earlier] {
                        followed(&mut first.life, later);
                    }
                    at += 1;
                }
                Relation::None => at += 1,
            }
        }
    }
}

enum Relation {
    Continues,
    Follows,
    None,
}

/// How two lives of one family stand, the second of which began later.
fn relation(rows: &[Option<Row>], earlier: usize, later: usize) -> Relation {
    let (Some(a), Some(b)) = (&rows[earlier], &rows[later]) else {
        return Relation::None;
    };
    if a.part == b.part || a.life.identity.host != b.life.identity.host {
        return Relation::None;
    }
    let apart = match (end_ns(&a.life), start_ns(&b.life)) {
        (Some(end), Some(start)) => end <= start,
        _ => false,
    };
    if !apart || a.life.end.next.is_some() || !may_be_same(&a.life, &b.life) {
        return Relation::None;
    }
    if b.life.started.is_some() {
        return Relation::Follows;
    }
    if a.life.identity.pid == b.life.identity.pid {
        Relation::Continues
    } else {
        Relation::None
    }
}

/// Nothing says that two lives are of different servers.
fn may_be_same(a: &ServerLife, b: &ServerLife) -> bool {
    let named = |life: &ServerLife| {
        let identity = &life.identity;
        identity
            .name
            .clone()
            .filter(|_| identity.name != identity.id)
    };
    let ports = [a, b].map(|life| life.identity.listen.map(|listen| listen.port()));
    let differ = |x: &Option<u16>, y: &Option<u16>| x.is_some() && y.is_some() && x != y;
    match (named(a), named(b)) {
        (Some(a), Some(b)) => a == b,
        _ => !differ(&ports[0], &ports[1]),
    }
}

fn start_ns(life: &ServerLife) -> Option<i64> {
    let first = life.first.as_ref()?;
    first.stamp.or(first.outer).map(|stamp| stamp.ns)
}

fn end_ns(life: &ServerLife) -> Option<i64> {
    let last = life.last.as_ref()?;
    last.stamp.or(last.outer).map(|stamp| stamp.ns)
}

/// A banner comes after a life that ended without a word.
fn followed(life: &mut ServerLife, next: usize) {
    life.end.next = Some(next);
    if life.end.manner == EndManner::Unknown && speaks_on_sigterm(&life.identity) {
        life.end.manner = EndManner::Killed;
        life.end.at.clone_from(&life.last);
    }
}

/// Successors named `from` are now `to`.
fn redirect(rows: &mut [Option<Row>], from: usize, to: usize) {
    for row in rows.iter_mut().flatten() {
        if row.life.end.next == Some(from) {
            row.life.end.next = Some(to);
        }
    }
}

/// Monitoring data goes to the life of the same server id; it stays a life of its own where there is none.
fn join_monitored(rows: &mut [Option<Row>]) {
    let mut by_id: BTreeMap<String, usize> = BTreeMap::new();
    // Lives from logs first: they take in the others.
    for logs in [true, false] {
        for index in 0..rows.len() {
            let Some(row) = &rows[index] else { continue };
            let from_log = row.life.has_log();
            let Some(id) = row.life.identity.id.as_deref().map(str::to_owned) else {
                continue;
            };
            if from_log != logs {
                continue;
            }
            match by_id.get(&id) {
                None => {
                    by_id.insert(id, index);
                }
                Some(into) if !from_log => {
                    let into = *into;
                    if let Some(row) = rows[index].take()
                        && let Some(target) = &mut rows[into]
                    {
                        absorb(&mut target.life, row.life);
                    }
                }
                Some(_) => {}
            }
        }
    }
}

/// A crash on stderr belongs to the life whose log stops there.
fn join_stderr(rows: &mut [Option<Row>]) {
    for index in 0..rows.len() {
        let Some(row) = &rows[index] else { continue };
        if row.life.first.is_some() || row.life.end.at.is_none() {
            continue;
        }
        let Some(target) = crashed_life(rows, index) else {
            continue;
        };
        if let Some(row) = rows[index].take()
            && let Some(target) = &mut rows[target]
        {
            let next = target.life.end.next;
            let end = row.life.end;
            target.life.sources.extend(row.life.sources);
            target.life.events.extend(row.life.events);
            target.life.end.manner = end.manner;
            target.life.end.at = end.at;
            target.life.end.evidence.extend(end.evidence);
            target.life.end.trace = end.trace;
            target.life.end.next = next;
        }
    }
}

/// By time where the crash has one, else the first end without a word in the same family, else its last open end, else
/// the only open end there is.
fn crashed_life(rows: &[Option<Row>], crash: usize) -> Option<usize> {
    let orphan = rows[crash].as_ref()?;
    let open = |row: &Row| {
        row.life.first.is_some()
            && matches!(row.life.end.manner, EndManner::Unknown | EndManner::Killed)
    };
    let candidates: Vec<(usize, &Row)> = rows
        .iter()
        .enumerate()
        .filter_map(|(index, row)| Some((index, row.as_ref()?)))
        .filter(|(index, row)| *index != crash && open(row))
        .collect();
    let family: Vec<(usize, &Row)> = candidates
        .iter()
        .filter(|(_, row)| row.family == orphan.family)
        .copied()
        .collect();
    let pool = if family.is_empty() {
        // Another server's crash is not this one's: only without a choice.
        let servers = rows
            .iter()
            .flatten()
            .filter(|row| row.life.first.is_some())
            .count();
        if servers > 1 && candidates.len() > 1 {
            return None;
        }
        candidates
    } else {
        family
    };
    let at = orphan.life.end.at.as_ref()?.outer;
    if let Some(at) = at {
        let before = pool.iter().filter(|(_, row)| {
            row.life
                .last
                .as_ref()
                .and_then(|last| last.outer)
                .is_some_and(|last| last.basis == at.basis && last.ns <= at.ns)
        });
        if let Some((index, _)) = before.max_by_key(|(_, row)| end_ns(&row.life)) {
            return Some(*index);
        }
    }
    // A life that a new start follows did end; one whose log merely stops may still run.
    pool.iter()
        .find(|(_, row)| row.life.end.manner == EndManner::Killed)
        .or_else(|| pool.last())
        .map(|(index, _)| *index)
}

/// Without the rows that were taken into others; successors renumbered.
fn compact(rows: Vec<Option<Row>>) -> Vec<ServerLife> {
    let mut renumbered = Vec::with_capacity(rows.len());
    let mut count = 0;
    for row in &rows {
        renumbered.push(row.as_ref().map(|_| count));
        count += usize::from(row.is_some());
    }
    rows.into_iter()
        .flatten()
        .map(|row| {
            let mut life = row.life;
            life.end.next = life
                .end
                .next
                .and_then(|next| renumbered.get(next).copied().flatten());
            life
        })
        .collect()
}

/// Gives each life the configuration that fits it best.
fn bind_configs(servers: &mut [ServerLife], configs: &[ConfigFile]) {
    for life in servers {
        let fits: Vec<(i32, &ConfigFile)> = configs
            .iter()
            .filter_map(|config| Some((fit(life, config, configs.len() == 1)?, config)))
            .collect();
        let Some(best) = fits.iter().map(|(fit, _)| *fit).max() else {
            continue;
        };
        let mut of_best = fits.iter().filter(|(fit, _)| *fit == best);
        if let (Some((_, config)), None) = (of_best.next(), of_best.next()) {
            limits::fill(&mut life.limits, &config.limits);
        }
    }
}

/// How well a configuration fits a life: by name, by the file name that the banner prints, by listener, or because there
/// is just one. `None`: it is another server's.
fn fit(life: &ServerLife, config: &ConfigFile, only: bool) -> Option<i32> {
    let identity = &life.identity;
    let mut fit = i32::from(only);
    if let (Some(configured), Some(name)) = (&config.name, &identity.name) {
        // A server without a name shows its id.
        if configured.as_str() == name.as_ref() {
            fit += 5;
        } else {
            return None;
        }
    }
    if let Some(path) = &identity.config {
        fit += if base_name(path) == config.file {
            4
        } else {
            -3
        };
    }
    if let Some(listen) = identity.listen {
        if config.port.is_some_and(|port| port != listen.port()) {
            return None;
        }
        fit += match config.listen {
            Some(configured) if configured == listen => 3,
            Some(configured)
                if !configured.ip().is_unspecified() && !listen.ip().is_unspecified() =>
            {
                return None;
            }
            _ => i32::from(config.port.is_some()),
        };
    }
    (fit > 0).then_some(fit)
}
