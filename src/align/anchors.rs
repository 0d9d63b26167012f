//! All anchors of a bundle, gathered on all threads. Each kind is gathered again only when the links that it rests on changed.

use std::collections::HashMap;

use rayon::prelude::*;

use super::anchor::Anchor;
use super::joined::{Joined, Records};
use super::link::Links;
use super::{anchor_client, anchor_server, envelope};

/// Joined connections that one thread asks at once.
const PART: usize = 1024;

/// First those that no link of a log changes, then those of server logs, then those of client logs.
#[derive(Default)]
pub struct Anchors {
    /// All of them.
    pub list: Vec<Anchor>,
    /// How many of them are of the first kind.
    fixed: usize,
    /// How many are of the first two, and how many links to server logs there were then.
    servers: Option<(usize, usize)>,
}

impl Anchors {
    /// Adds those of captures and of whole server lives to what is there.
    pub fn gather_fixed(
        &mut self,
        records: &Records,
        links: &Links,
        lives: &HashMap<&str, Vec<usize>>,
    ) {
        let stretches = envelope::stretches(&links.joined);
        self.gather(&links.joined, |joined, out| {
            envelope::anchors(&records.conns, joined, stretches, out);
        });
        anchor_server::life_anchors(records, lives, &mut self.list);
        anchor_server::monitoring_anchors(records, &mut self.list);
        self.fixed = self.list.len();
    }

    /// Those of logs as they are linked now.
    pub fn gather_linked(&mut self, records: &Records, links: &Links) {
        if let Some((kept, _)) = self.servers.filter(|(_, of)| *of == links.servers) {
            self.list.truncate(kept);
        } else {
            self.list.truncate(self.fixed);
            self.gather(&links.joined, |joined, out| {
                anchor_server::anchors(records, joined, out);
            });
            self.servers = Some((self.list.len(), links.servers));
        }
        let of_clients = self.list.len();
        self.gather(&links.joined, |joined, out| {
            anchor_client::anchors(records, joined, &links.doubt, out);
        });
        anchor_client::promptest(&mut self.list[of_clients..]);
    }

    /// Adds what each joined connection tells.
    fn gather(&mut self, joined: &[Joined], tell: impl Fn(&Joined, &mut Vec<Anchor>) + Sync) {
        let told = joined.par_chunks(PART).map(|part| {
            let mut told = Vec::new();
            for one in part {
                tell(one, &mut told);
            }
            told
        });
        let told: Vec<Vec<Anchor>> = told.collect();
        self.list.reserve_exact(told.iter().map(Vec::len).sum());
        for told in told {
            self.list.extend(told);
        }
    }
}
