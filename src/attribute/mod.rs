//! From joined connections to causes. Each cause is a rule over one ended connection and its surroundings; `rank` picks
//! one; rivals stay visible.
//!
//! Invariant: knows no file formats and no output formats.

pub mod advisories;
mod aside;
pub mod catalogue;
pub mod causes;
mod client_words;
mod close_sketch;
mod closing_order;
pub mod crossing;
pub mod disconnect;
pub mod endpoint;
mod endpoints;
mod farewell;
pub mod finding;
pub mod gone;
mod headline;
mod identity;
pub mod incident;
mod kin;
pub mod label;
pub mod life_end;
mod listener;
pub mod moments;
mod out_of_sight;
pub mod outcome;
pub mod path;
mod pattern;
pub mod peer_gone;
pub mod process_end;
pub mod rank;
pub mod said;
pub mod server_gone;
pub mod settings;
pub mod signs;
pub mod slow;
pub mod stale;
pub mod statement;
pub mod survival;
mod told;
pub mod unsent;
pub mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use crate::align::Alignment;
use crate::align::joined::Records;
use crate::reconstruct::client::Library;
use crate::reconstruct::conn_sketch::ConnSketch;
use crate::reconstruct::visit::Visit;
use crate::shelf::{Put, Shelf, Spool, Writer};
use crate::source::Source;

use advisories::Advisories;
use disconnect::Disconnect;
use endpoint::{Ended, Endpoint};
use endpoints::Endpoints;
use finding::{Analysis, Close, Evidence};
use gone::Gone;
use label::Label;
use listener::Listener;
use moments::Moments;
use survival::{Survival, Timer};
use told::Told;

/// A bundle's disconnects with what they tell together.
#[derive(Debug)]
pub struct Case<'a> {
    /// All that was reconstructed.
    pub records: &'a Records,
    /// The common line.
    pub alignment: &'a Alignment,
    /// Known bugs.
    pub advisories: &'a Advisories,
    /// Servers.
    pub endpoints: Endpoints,
    gone: Vec<Option<Box<Gone>>>,
    /// Silences that connections lived through or died of.
    survival: Survival,
    /// Endpoint, wait and moment of leaving of each connection that was never greeted, ascending.
    waits: Vec<(Option<usize>, i64, i64)>,
    /// Of each endpoint with such connections, whom it accepted and when it spoke.
    listeners: BTreeMap<usize, Listener>,
    /// For each server life, whether its log names clients.
    named: Vec<bool>,
    /// Libraries whose logs here tell of a close that was meant.
    talking: Vec<Library>,
    /// When clients left whose connections a server called stale, by their logs.
    stale_leavings: Moments,
}

impl<'a> Case<'a> {
    /// Collects.
    pub fn new(records: &'a Records, alignment: &'a Alignment, advisories: &'a Advisories) -> Self {
        let mut case = Self {
            records,
            alignment,
            advisories,
            endpoints: Endpoints::default(),
            gone: Vec::new(),
            survival: Survival::default(),
            waits: Vec::new(),
            listeners: BTreeMap::new(),
            named: Vec::new(),
            talking: Vec::new(),
            stale_leavings: Moments::default(),
        };
        let count = alignment.joined.len();
        let (endpoints, asides) = Endpoints::new(count, |index| case.tell(index));
        case.endpoints = endpoints;
        let of = |index: u32| case.endpoints.of(index as usize);
        let waits = asides.waits.iter();
        case.waits = waits
            .map(|(index, wait, left)| (of(*index), *wait, *left))
            .collect();
        case.waits.sort_unstable();
        case.survival = Survival::new(asides.died, asides.lived, of);
        let waiting = case.waits.iter().filter_map(|(of, ..)| *of);
        let mut listeners: BTreeMap<usize, Listener> =
            waiting.map(|of| (of, Listener::default())).collect();
        for index in 0..count {
            if let Some(own) = case
                .endpoints
                .of(index)
                .and_then(|of| listeners.get_mut(&of))
            {
                case.with(index, |disconnect| own.hear(disconnect));
            }
        }
        listeners.values_mut().for_each(Listener::settle);
        case.listeners = listeners;
        case.named = records
            .servers
            .iter()
            .map(|life| life.conns.iter().any(|conn| conn.lang.is_some()))
            .collect();
        case.talking = records
            .clients
            .iter()
            .filter(|story| story.conns.iter().any(|conn| conn.intended))
            .map(|story| story.library)
            .collect();
        case.stale_leavings = Moments::new(asides.stale_left);
        case.gone = vec![None; count];
        let gone = case.judge_all(&asides.may_be_gone, |disconnect| {
            server_gone::server_gone(disconnect, &case)
        });
        case.note_gone(gone);
        let gone = &case.gone;
        let by_end = |endpoint: &mut Endpoint| {
            let ends = endpoint.take_ends().into_iter();
            ends.filter(|end| gone[end.disconnect as usize].is_some())
                .collect()
        };
        let died: Vec<Vec<Ended>> = case.endpoints.list.iter_mut().map(by_end).collect();
        if died.iter().any(|died| !died.is_empty()) {
            let refused = case.judge_all(&asides.refused, |disconnect| {
                case.refused_while_gone(disconnect, &died)
            });
            case.note_gone(refused);
        }
        case
    }

    /// What one joined connection tells of its server.
    fn tell(&self, index: usize) -> Told {
        let servers = &self.records.servers;
        match self.visit(index) {
            Some((conn, visit)) => Told::of_visit(index, conn, &visit, self.alignment, servers),
            None => self.with(index, |disconnect| Told::new(index, disconnect)),
        }
    }

    /// An ordinary client that one capture saw and no log tells of: of most connections of a storm this is all that others
    /// ask, so that they are not read for it again.
    fn visit(&self, index: usize) -> Option<(&ConnSketch, Visit)> {
        let leg = self.alignment.joined[index].only_captured()?;
        let conn = &self.records.conns[leg.conn()];
        Some((conn, conn.visit()?))
    }

    /// Judges some of the joined connections.
    fn judge_all(
        &self,
        these: &[u32],
        judge: impl Fn(&Disconnect) -> Option<Gone> + Sync,
    ) -> Vec<(u32, Gone)> {
        let judge = |index: &u32| Some((*index, self.with(*index as usize, &judge)?));
        these.par_iter().filter_map(judge).collect()
    }

    fn note_gone(&mut self, gone: Vec<(u32, Gone)>) {
        for (index, gone) in gone {
            self.gone[index as usize] = Some(Box::new(gone));
        }
    }

    /// Looks at one joined connection, ended or not.
    pub fn with<R>(&self, index: usize, look: impl FnOnce(&Disconnect) -> R) -> R {
        let joined = &self.alignment.joined[index];
        let conns: Vec<_> = joined
            .conns
            .iter()
            .filter_map(|leg| self.records.conns.get(leg.conn()))
            .collect();
        look(&Disconnect::new(
            index,
            joined,
            &conns,
            self.records,
            self.alignment,
        ))
    }

    /// An attempt that nobody answered because the server of that address had ended and was not back; `died` holds for
    /// each endpoint the ends that the server's own end explains.
    fn refused_while_gone(&self, disconnect: &Disconnect, died: &[Vec<Ended>]) -> Option<Gone> {
        let refusal = disconnect.refused()?;
        let at = disconnect.closed?;
        let endpoint = self.endpoint(disconnect)?;
        let died = &died[self.endpoints.of(disconnect.index)?];
        let last = died.partition_point(|end| end.at.at <= at.at);
        let died = &died[last.checked_sub(1)?];
        let gone = self.gone.get(died.disconnect as usize)?.as_deref()?;
        let back = endpoint.spoke_between(died.at, at);
        (!back).then(|| Gone {
            evidence: std::iter::once(refusal)
                .chain(gone.evidence.iter().take(2).cloned())
                .collect(),
            ..gone.clone()
        })
    }

    /// The server that a connection went to.
    pub fn endpoint(&self, disconnect: &Disconnect) -> Option<&Endpoint> {
        self.endpoints
            .list
            .get(self.endpoints.of(disconnect.index)?)
    }

    /// Whether the server process ended and this socket with it.
    pub fn gone(&self, disconnect: &Disconnect) -> Option<&Gone> {
        self.gone.get(disconnect.index)?.as_deref()
    }

    /// Another connection between the same hosts shows a path with a short round trip.
    pub fn knows_quick_path(&self, disconnect: &Disconnect) -> bool {
        let endpoint = self.endpoints.of(disconnect.index);
        let host = disconnect.client_addresses().0.map(|address| address.ip());
        host.is_some_and(|host| self.endpoints.quick_paths.contains(&(endpoint, host)))
    }

    /// What this server speaks is NATS: some connection to it got an INFO, or its log is here.
    pub fn speaks_nats(&self, disconnect: &Disconnect) -> bool {
        disconnect.life.is_some()
            || self
                .endpoint(disconnect)
                .is_some_and(|endpoint| !endpoint.infos.is_empty())
    }

    /// A client that left after `waited` without a greeting did so because its patience ended: that long is a library's
    /// default connect timeout, or at least two others at this server waited as long and left at other moments.
    pub fn waited_out(&self, disconnect: &Disconnect, waited: i64) -> bool {
        use crate::time::SECOND;
        const DEFAULTS: [i64; 3] = [2 * SECOND, 5 * SECOND, 20 * SECOND];
        let alike = |other: i64| (other - waited).abs() * 20 <= other.max(waited);
        let endpoint = self.endpoints.of(disconnect.index);
        let at = disconnect.closed.map_or(0, |when| when.at.0);
        waited >= SECOND / 4
            && (DEFAULTS.into_iter().any(alike)
                || self.waits[self.waits.partition_point(|(of, wait, _)| {
                    (*of, *wait) < (endpoint, waited) && (*of != endpoint || !alike(*wait))
                })..]
                    .iter()
                    .take_while(|(of, wait, _)| *of == endpoint && alike(*wait))
                    .filter(|(_, _, left)| (left - at).abs() > SECOND / 10)
                    .nth(1)
                    .is_some())
    }

    /// A packet that shows the server running and serving others while this connection waited to be accepted.
    pub fn served_others_meanwhile(&self, disconnect: &Disconnect) -> Option<Evidence> {
        let listener = self.listeners.get(&self.endpoints.of(disconnect.index)?)?;
        let view = disconnect.views.iter().find(|view| view.established())?;
        listener.spoke_meanwhile(view, self)
    }

    /// This server's log names clients in its tags, so that one without a name never sent CONNECT.
    pub fn names_clients(&self, disconnect: &Disconnect) -> bool {
        disconnect
            .life
            .is_some_and(|(life, _)| self.named.get(life) == Some(&true))
    }

    /// Logs of this library tell of closes that the application meant.
    pub fn tells_of_meant_closes(&self, library: Library) -> bool {
        self.talking.contains(&library)
    }

    /// How many connections this one's server refused over a limit.
    pub fn refused_over_limit(&self, disconnect: &Disconnect) -> usize {
        let endpoint = self.endpoints.of(disconnect.index);
        endpoint.map_or(0, |of| self.endpoints.list[of].over_limit)
    }

    /// The idle timer that connections of this server tell of, one of which died after `idle`.
    pub fn timer(&self, disconnect: &Disconnect, idle: i64) -> Timer {
        self.survival
            .timer(self.endpoints.of(disconnect.index), idle)
    }

    /// The server in words: its name, else its address, else "the server".
    pub fn server_label<'d>(&self, disconnect: &'d Disconnect<'d>) -> Label<'d> {
        Label::Server(disconnect)
    }

    /// The client in words: its name, else its address, else "the client".
    pub fn client_label<'d>(&self, disconnect: &'d Disconnect<'d>) -> Label<'d> {
        Label::Client(disconnect)
    }
}

/// Everything that the earlier stages hand over.
#[derive(Debug, Default)]
pub struct Bundle {
    /// All that was reconstructed.
    pub records: Records,
    /// The common line and the joined connections.
    pub alignment: Alignment,
    /// The sources.
    pub sources: Vec<Source>,
    /// Where closes are put away.
    pub spool: Arc<Spool>,
    /// Known bugs; `None` for those that are built in.
    pub advisories: Option<Arc<Advisories>>,
}

/// Judges every closed socket.
pub fn attribute(bundle: Bundle) -> Analysis {
    let Bundle {
        records,
        alignment,
        sources,
        spool,
        advisories,
    } = bundle;
    let known = advisories
        .as_deref()
        .unwrap_or_else(|| advisories::embedded());
    let (closes, incidents) = {
        let case = Case::new(&records, &alignment, known);
        let closes = judge(&case, &spool);
        let incidents = incident::group(&closes, &case);
        (closes, incidents)
    };
    let advisories = context(&closes, &records, known);
    let process_ends = process_end::ends(&records, &alignment, &closes);
    let signs = signs::signs(&records, &alignment);
    let Alignment { clocks, joined, .. } = alignment;
    Analysis {
        sources,
        clocks,
        records,
        joined,
        closes,
        incidents,
        process_ends,
        signs,
        advisories,
        ..Analysis::default()
    }
}

/// Connections that are judged at once, by one thread.
const PART: usize = 2048;

/// The verdict on every closed socket, by time.
fn judge(case: &Case, spool: &Arc<Spool>) -> Shelf<Close> {
    let count = case.alignment.joined.len();
    // Few enough stay in memory.
    let room = if count <= PART { PART } else { 0 };
    let parts: Vec<Vec<Put<Close>>> = (0..count.div_ceil(PART))
        .into_par_iter()
        .map(|part| {
            let mut writer = Writer::with_room(spool, room);
            let close = |index: usize| {
                case.with(index, |disconnect| {
                    disconnect.ended().then(|| rank::close(disconnect, case))
                })
            };
            (part * PART..count.min((part + 1) * PART))
                .filter_map(close)
                .map(|close| writer.put(close))
                .collect()
        })
        .collect();
    let mut puts: Vec<Put<Close>> = Vec::with_capacity(parts.iter().map(Vec::len).sum());
    puts.extend(parts.into_iter().flatten());
    puts.par_sort_unstable_by_key(|put| {
        (
            put.sketch().closed_at().map(|when| when.at),
            put.sketch().joined(),
        )
    });
    let mut closes = Shelf::default();
    closes.append(puts);
    closes.amend(|index, sketch| sketch.number = index as u32 + 1);
    closes
}

/// Known bugs of the versions seen that have to do with ended connections: context, not verdicts.
fn context(closes: &Shelf<Close>, records: &Records, known: &Advisories) -> Vec<(String, String)> {
    let servers = records
        .servers
        .iter()
        .filter_map(|life| Some(("nats-server", life.identity.version.as_deref()?)));
    let mut told: BTreeSet<(&str, &str)> = BTreeSet::new();
    for close in closes.sketches() {
        // One by one: a set that is made from a list holds the list first, and a storm has hundreds of thousands.
        let version = close.client_version.as_deref();
        told.extend(close.client_lang.as_deref().zip(version));
    }
    let clients = told.iter().filter_map(|(lang, version)| {
        Some((advisories::component::of_client(lang, version)?, *version))
    });
    known.context(servers.chain(clients))
}
