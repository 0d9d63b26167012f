//! All servers of a case, and which of them each connection went to.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use rayon::prelude::*;

use super::aside::Asides;
use super::endpoint::Endpoint;
use super::told::Told;
use crate::shelf::Index;

/// Connections that tell at once: enough for every thread, and few enough that two parts are held together.
const PART: usize = 1024;

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
        let mut grouping = Grouping::new(count);
        let (mut told, mut telling): (Vec<Told>, Vec<Told>) = Default::default();
        for part in (0..count).step_by(PART) {
            let part = (part..count.min(part + PART)).into_par_iter().map(&tell);
            // One part is grouped while the next one tells.
            rayon::join(
                || grouping.take_all(&mut told),
                || part.collect_into_vec(&mut telling),
            );
            std::mem::swap(&mut told, &mut telling);
        }
        grouping.take_all(&mut told);
        grouping.finish()
    }
}

/// Endpoints on their way.
#[derive(Default)]
struct Grouping {
    count: usize,
    endpoints: Endpoints,
    asides: Asides,
    by_address: BTreeMap<SocketAddr, usize>,
    by_life: BTreeMap<usize, usize>,
    by_name: BTreeMap<String, usize>,
    /// Those that do not say which server they went to.
    loose: Vec<Told>,
}

impl Grouping {
    fn new(count: usize) -> Self {
        let mut grouping = Self {
            count,
            ..Self::default()
        };
        // What is not used of it takes no memory.
        grouping.endpoints.of.reserve_exact(count);
        grouping.asides.lived.reserve_exact(count);
        grouping
    }

    /// Takes what the next connections tell.
    fn take_all(&mut self, told: &mut Vec<Told>) {
        for told in told.drain(..) {
            self.take(told);
        }
    }

    fn take(&mut self, told: Told) {
        let endpoints = &mut self.endpoints;
        self.asides.take(told.index, &told.aside);
        let (address, life, name) = (told.address, told.life, told.name.as_ref());
        let known = address
            .and_then(|address| self.by_address.get(&address))
            .or_else(|| life.and_then(|life| self.by_life.get(&life)))
            .or_else(|| name.and_then(|name| self.by_name.get(name)))
            .copied();
        if address.is_none() && life.is_none() && name.is_none() {
            endpoints.of.push(Index::default());
            self.loose.push(told);
            return;
        }
        let of = known.unwrap_or_else(|| {
            let mut fresh = Endpoint::default();
            if endpoints.list.is_empty() {
                // Mostly there is one server, and this takes no memory until it is used.
                fresh.reserve(self.count);
            }
            endpoints.list.push(fresh);
            endpoints.list.len() - 1
        });
        let endpoint = &mut endpoints.list[of];
        if let Some(address) = address {
            self.by_address.insert(address, of);
            endpoint.address.get_or_insert(address);
        }
        if let Some(life) = life {
            self.by_life.insert(life, of);
            if !endpoint.lives.contains(&life) {
                endpoint.lives.push(life);
            }
        }
        if let Some(name) = name {
            self.by_name.insert(name.clone(), of);
        }
        endpoints.of.push(Index::new(of));
        let quick = told.quick.map(|host| (Some(of), host));
        endpoints.quick_paths.extend(quick);
        endpoint.add(told);
    }

    fn finish(self) -> (Endpoints, Asides) {
        let mut endpoints = self.endpoints;
        // A bundle with one server, and clients whose logs name none: it can only be that one.
        if endpoints.list.is_empty() && self.count > 0 {
            endpoints.list.push(Endpoint::default());
        }
        let only = (endpoints.list.len() == 1).then_some(0);
        for told in self.loose {
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
        (endpoints, self.asides)
    }
}
