//! All servers of a case, and which of them each connection went to.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use rayon::prelude::*;

use super::endpoint::Endpoint;
use super::told::{Asides, Told};
use crate::shelf::Index;

/// Connections that tell at once: enough for every thread, and few enough to be held together.
const PART: usize = 4096;

/// All endpoints of a case, and which one each disconnect belongs to.
#[derive(Clone, Debug, Default)]
pub struct Endpoints {
    /// The endpoints.
    pub list: Vec<Endpoint>,
    /// For each joined connection its endpoint, where one is known.
    of: Vec<Index>,
    /// Endpoints and client hosts with a handshake that took no time worth mentioning.
    pub quick_paths: BTreeSet<(Option<usize>, IpAddr)>,
}

impl Endpoints {
    /// The endpoint that a joined connection went to: an index into the list.
    pub fn of(&self, joined: usize) -> Option<usize> {
        self.of[joined].get()
    }

    /// Groups `count` joined connections by server; `tell` says what each tells of its server. Also
    /// returns what they tell of others.
    pub fn new(count: usize, tell: impl Fn(usize) -> Told + Sync) -> (Self, Asides) {
        let mut asides = Asides::default();
        let mut endpoints = Self {
            list: Vec::new(),
            of: Vec::with_capacity(count),
            quick_paths: BTreeSet::new(),
        };
        let mut by_address: BTreeMap<SocketAddr, usize> = BTreeMap::new();
        let mut by_life: BTreeMap<usize, usize> = BTreeMap::new();
        let mut by_name: BTreeMap<String, usize> = BTreeMap::new();
        let mut loose: Vec<Told> = Vec::new();
        for part in (0..count).step_by(PART) {
            let part = part..count.min(part + PART);
            let told: Vec<Told> = part.into_par_iter().map(&tell).collect();
            for told in told {
                asides.take(told.index, &told.aside);
                let (address, life, name) = (told.address, told.life, told.name.as_ref());
                let known = address
                    .and_then(|address| by_address.get(&address))
                    .or_else(|| life.and_then(|life| by_life.get(&life)))
                    .or_else(|| name.and_then(|name| by_name.get(name)))
                    .copied();
                if address.is_none() && life.is_none() && name.is_none() {
                    endpoints.of.push(Index::default());
                    loose.push(told);
                    continue;
                }
                let endpoint = known.unwrap_or_else(|| {
                    let mut fresh = Endpoint::default();
                    if endpoints.list.is_empty() {
                        // Mostly there is one server, and this takes no memory until it is used.
                        fresh.reserve(count);
                    }
                    endpoints.list.push(fresh);
                    endpoints.list.len() - 1
                });
                if let Some(address) = address {
                    by_address.insert(address, endpoint);
                    endpoints.list[endpoint].address.get_or_insert(address);
                }
                if let Some(life) = life {
                    by_life.insert(life, endpoint);
                    if !endpoints.list[endpoint].lives.contains(&life) {
                        endpoints.list[endpoint].lives.push(life);
                    }
                }
                if let Some(name) = name {
                    by_name.insert(name.clone(), endpoint);
                }
                endpoints.of.push(Index::new(endpoint));
                let quick = told.quick.map(|host| (Some(endpoint), host));
                endpoints.quick_paths.extend(quick);
                endpoints.list[endpoint].add(told);
            }
        }
        // A bundle with one server, and clients whose logs name none: it can only be that one.
        if endpoints.list.is_empty() && count > 0 {
            endpoints.list.push(Endpoint::default());
        }
        let only = (endpoints.list.len() == 1).then_some(0);
        for told in loose {
            let quick = told.quick.map(|host| (only, host));
            endpoints.quick_paths.extend(quick);
            if let Some(only) = only {
                endpoints.of[told.index] = Index::new(only);
                endpoints.list[only].add(told);
            }
        }
        for endpoint in &mut endpoints.list {
            endpoint.sort();
        }
        (endpoints, asides)
    }
}
