//! Monitoring documents to server lives: one a server id, with the connections that the documents list.

use std::collections::HashMap;

use serde_json::Value;

use super::limits;
use super::server::{
    Identity, NoteKind, ServerConn, ServerEvent, ServerEventKind, ServerLife, ServerNote,
};
use crate::parse::monitoring::{ConnRow, Monitored, ServerRef, document};
use crate::parse::server_log::client_prefix::socket_address;
use crate::source::SourceId;
use crate::span::{Cite, LogRef};
use crate::time::Stamp;

/// Lives that documents tell of, in order of appearance.
#[derive(Debug, Default)]
pub struct MonitoredLives {
    lives: Vec<ServerLife>,
    /// Where a life's connection stands, by number: pages of one answer and later answers name the same ones.
    conns: HashMap<(usize, u64), usize>,
    /// Trouble of a server that the document does not name.
    pub host_events: Vec<ServerEvent>,
}

impl MonitoredLives {
    /// Takes a document that begins on `line`. `row_lines` gives the line of each of its connections, if known.
    /// False: it is no monitoring data.
    pub fn take(&mut self, source: SourceId, line: u64, row_lines: &[u64], value: &Value) -> bool {
        let Some(documents) = document(value) else {
            return false;
        };
        let mut rows = row_lines.iter().copied();
        for read in documents {
            self.one(source, line, &mut rows, read);
        }
        true
    }

    fn one(
        &mut self,
        source: SourceId,
        line: u64,
        rows: &mut impl Iterator<Item = u64>,
        read: Monitored,
    ) {
        let at = |line: u64, stamp: Option<Stamp>, text: &str| LogRef {
            stamp,
            outer: None,
            cite: Cite::line(source, line),
            text: cut(text).into(),
        };
        let asked = at(line, read.now, &summary(&read));
        if let Some(error) = &read.unhealthy {
            let event = ServerEvent::once(
                asked.clone(),
                ServerEventKind::HealthcheckFailed(error.as_str().into()),
            );
            if read.server.id.is_none() && read.server.name.is_none() {
                self.host_events.push(event);
                return;
            }
        }
        if read.server == ServerRef::default() && read.conns.is_empty() && read.settings.is_empty()
        {
            return; // Health that is `ok`, of whatever server.
        }
        let index = self.life(source, &read, &asked);
        let life = &mut self.lives[index];
        if let Some(error) = read.unhealthy {
            life.events.push(ServerEvent::once(
                asked.clone(),
                ServerEventKind::HealthcheckFailed(error.into()),
            ));
        }
        for counter in &read.counters {
            life.events.push(ServerEvent::once(
                asked.clone(),
                ServerEventKind::Other(counter.as_str().into()),
            ));
        }
        if let (Some(start), Some(loaded)) = (read.start, read.config_loaded)
            && loaded.ns - start.ns > RELOAD_AFTER_NS
        {
            let at = at(line, Some(loaded), &asked.text);
            life.events.push(ServerEvent::once(
                at,
                ServerEventKind::Reloaded("server configuration".into()),
            ));
        }
        for (option, value) in &read.settings {
            let at = at(line, read.now, &format!("{option}: {value}"));
            limits::set(&mut life.limits, option, value, &at);
        }
        for row in read.conns {
            let line = rows.next().unwrap_or(line);
            let known = self.conns.entry((index, row.cid));
            let life = &mut self.lives[index];
            let index = *known.or_insert(life.conns.len());
            add(life, index, row, &asked, |stamp, json| {
                at(line, stamp, json)
            });
        }
    }

    /// The life of a document's server, as its index.
    fn life(&mut self, source: SourceId, read: &Monitored, asked: &LogRef) -> usize {
        let found = self.lives.iter().position(|life| {
            if life.identity.id.is_some() || read.server.id.is_some() {
                life.identity.id.as_deref() == read.server.id.as_deref()
            } else {
                life.identity.name.as_deref() == read.server.name.as_deref()
            }
        });
        let index = found.unwrap_or_else(|| {
            self.lives.push(ServerLife {
                sources: vec![source],
                first: Some(asked.clone()),
                ..ServerLife::default()
            });
            self.lives.len() - 1
        });
        let life = &mut self.lives[index];
        life.last = Some(asked.clone());
        let told = Identity {
            name: boxed(read.server.name.as_ref()),
            id: boxed(read.server.id.as_ref()),
            version: boxed(read.server.version.as_ref()),
            git_commit: boxed(read.server.git_commit.as_ref()),
            cluster: boxed(read.server.cluster.as_ref()),
            listen: read.listen.as_deref().and_then(socket_address),
            ..Identity::default()
        };
        super::identity::fill(&mut life.identity, &told);
        if life.started.is_none() && read.start.is_some() {
            life.started = Some(LogRef {
                stamp: read.start,
                ..asked.clone()
            });
        }
        index
    }

    /// The lives.
    pub fn finish(self) -> Vec<ServerLife> {
        let mut lives = self.lives;
        for life in &mut lives {
            life.conns.sort_by_key(|conn| conn.id);
        }
        lives
    }
}

/// A configuration that was loaded this much later than the start was reloaded.
const RELOAD_AFTER_NS: i64 = 5_000_000_000;

fn add(
    life: &mut ServerLife,
    index: usize,
    row: ConnRow,
    asked: &LogRef,
    at: impl Fn(Option<Stamp>, &str) -> LogRef,
) {
    if index == life.conns.len() {
        life.conns.push(ServerConn {
            kind: row.kind,
            id: row.cid,
            ..ServerConn::default()
        });
    }
    let conn = &mut life.conns[index];
    conn.peer = row.peer.or(conn.peer);
    for (slot, told) in [
        (&mut conn.name, &row.name),
        (&mut conn.lang, &row.lang),
        (&mut conn.version, &row.version),
        (&mut conn.account, &row.account),
        (&mut conn.user, &row.user),
        (&mut conn.remote, &row.remote),
    ] {
        if told.is_some() {
            *slot = boxed(told.as_ref());
        }
    }
    conn.in_msgs = conn.in_msgs.max(row.in_msgs);
    conn.out_msgs = conn.out_msgs.max(row.out_msgs);
    if row.start.is_some() {
        conn.opened = Some(at(row.start, &row.json));
    }
    if row.reason.is_some() || row.stop.is_some() {
        let closed = at(row.stop, &row.json);
        conn.notes.push(ServerNote {
            at: closed.clone(),
            kind: NoteKind::Closed(row.reason.clone()),
        });
        conn.closed = Some(closed);
        conn.reason = row.reason;
    }
    if row.stalls > 0 {
        conn.notes.push(ServerNote {
            at: at(asked.stamp, &row.json),
            kind: NoteKind::ProducerStalled,
        });
    }
    conn.last = conn
        .closed
        .clone()
        .or_else(|| Some(at(asked.stamp, &row.json)));
}

/// What a document is, in words, to quote.
fn summary(read: &Monitored) -> String {
    let mut words = Vec::new();
    if let Some(name) = read.server.name.as_ref().or(read.server.id.as_ref()) {
        words.push(format!("server {name}"));
    }
    if let Some(version) = &read.server.version {
        words.push(format!("version {version}"));
    }
    words.extend(read.counters.iter().cloned());
    if !read.conns.is_empty() {
        words.push(format!("{} connections", read.conns.len()));
    }
    words.extend(read.unhealthy.clone());
    words.join(", ")
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(LogRef::QUOTE);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn boxed(text: Option<&String>) -> Option<Box<str>> {
    text.map(|text| text.as_str().into())
}
