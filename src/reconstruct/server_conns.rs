//! The connections of one server process while its log is read: notes are kept bounded, closes that only an ERR or INF
//! line implies are remembered until a closed line comes or the log ends.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::server::{ConnKind, NoteKind, ServerConn, ServerNote};
use crate::parse::server_log::client_prefix::ConnTag;
use crate::parse::server_log::close_reason::CloseReason;
use crate::parse::server_log::message::ConnMessage;
use crate::span::LogRef;

/// Notes kept from the beginning of a connection.
const FIRST_NOTES: usize = 4;
/// Notes kept from its end.
const LAST_NOTES: usize = 6;
/// Pings and the like kept, always the last ones: the digest of a piece keeps as many.
pub const LAST_ROUTINE: usize = 6;

/// Connections by number.
#[derive(Debug, Default)]
pub struct ServerConns {
    rows: Vec<ServerConn>,
    by_id: HashMap<u64, usize>,
    /// Closes that a line implies and that no closed line has confirmed.
    implied: BTreeMap<usize, (LogRef, CloseReason)>,
}

impl ServerConns {
    /// The connection of a tag, made if new.
    pub fn of(&mut self, kind: ConnKind, id: u64) -> &mut ServerConn {
        let rows = &mut self.rows;
        let index = *self.by_id.entry(id).or_insert_with(|| {
            rows.push(ServerConn {
                kind,
                id,
                ..ServerConn::default()
            });
            rows.len() - 1
        });
        &mut self.rows[index]
    }

    /// What a tag tells of its connection.
    pub fn identify(&mut self, tag: &ConnTag<'_>) {
        identify(self.of(tag.kind, tag.id), tag);
    }

    /// What a traced CONNECT tells: the only place with names where tags have none (2.9.15 to 2.11.17).
    pub fn connected(&mut self, tag: &ConnTag<'_>, options: &str) {
        let Ok(options) = serde_json::from_str::<ConnectOptions<'_>>(options) else {
            return;
        };
        let told = ConnTag {
            name: options.name.filter(|name| !name.is_empty()),
            lang: options.lang.filter(|lang| !lang.is_empty()),
            version: options.version.filter(|version| !version.is_empty()),
            user: options.user.filter(|user| !user.is_empty()),
            ..ConnTag::default()
        };
        let conn = self.of(tag.kind, tag.id);
        if tag.kind == ConnKind::Client || tag.kind == ConnKind::WebSocket {
            identify(conn, &told);
        } else if conn.remote.is_none() {
            conn.remote = told.name.map(|name| name.as_ref().into());
        }
    }

    /// A typed line about a connection.
    pub fn note(&mut self, tag: &ConnTag<'_>, message: ConnMessage<'_>, at: LogRef) {
        let conn = self.of(tag.kind, tag.id);
        identify(conn, tag);
        if let Some(remote) = message.remote {
            conn.remote = Some(remote.into());
        }
        if let Some(account) = message.account
            && conn.account.is_none()
        {
            conn.account = Some(account.into());
        }
        let implies = message.implies;
        let Some(kind) = message.note else {
            conn.last = Some(at);
            return;
        };
        match &kind {
            NoteKind::Created => conn.opened = Some(at.clone()),
            NoteKind::Closed(reason) => {
                conn.closed = Some(at.clone());
                if reason.is_some() {
                    conn.reason.clone_from(reason);
                }
            }
            _ => {}
        }
        conn.last = Some(at.clone());
        let closed = matches!(kind, NoteKind::Closed(_));
        push_bounded(
            &mut conn.notes,
            ServerNote {
                at: at.clone(),
                kind,
            },
        );
        let index = self.by_id[&tag.id];
        if let Some(reason) = implies {
            if self.rows[index].closed.is_none() {
                self.implied.entry(index).or_insert((at, reason));
            } else if self.rows[index].reason.is_none() {
                self.rows[index].reason = Some(reason);
            }
        } else if closed
            && let Some((_, reason)) = self.implied.remove(&index)
            && self.rows[index].reason.is_none()
        {
            self.rows[index].reason = Some(reason);
        }
    }

    /// All connections, ascending; what only a line implied has become a close.
    pub fn finish(mut self) -> Vec<ServerConn> {
        for (index, (at, reason)) in self.implied {
            let conn = &mut self.rows[index];
            if conn.closed.is_none() {
                conn.closed = Some(at);
                conn.reason = Some(reason);
            }
        }
        self.rows.sort_by_key(|conn| conn.id);
        self.rows
    }
}

/// The options of CONNECT that say who connects.
#[derive(Deserialize)]
struct ConnectOptions<'a> {
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    lang: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    version: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    user: Option<Cow<'a, str>>,
}

/// What a tag tells.
fn identify(conn: &mut ServerConn, tag: &ConnTag<'_>) {
    conn.peer = conn.peer.or(tag.peer);
    conn.forwarded = conn.forwarded.or(tag.forwarded);
    for (known, told) in [
        (&mut conn.name, &tag.name),
        (&mut conn.lang, &tag.lang),
        (&mut conn.version, &tag.version),
        (&mut conn.account, &tag.account),
        (&mut conn.user, &tag.user),
    ] {
        // A name with `%` in it was mangled by the server's own Printf.
        if let Some(told) = told
            && !told.contains("%!")
            && known.as_deref() != Some(told)
        {
            *known = Some(told.as_ref().into());
        }
    }
}

/// Routine lines have a bound of their own: a tail full of pings must not push out what ended the connection.
fn routine(kind: &NoteKind) -> bool {
    matches!(
        kind,
        NoteKind::PingTimer
            | NoteKind::DelayedPing
            | NoteKind::ReceivedPing
            | NoteKind::ReceivedPong
            | NoteKind::SentPing
            | NoteKind::SentPong
    )
}

/// Adds a note. Beyond the bound the oldest one of its sort gives way, except the first few.
pub fn push_bounded(notes: &mut Vec<ServerNote>, note: ServerNote) {
    let is_routine = routine(&note.kind);
    let (first, most) = if is_routine {
        (0, LAST_ROUTINE)
    } else {
        (FIRST_NOTES, FIRST_NOTES + LAST_NOTES)
    };
    let mut alike = notes
        .iter()
        .enumerate()
        .filter(|(_, other)| routine(&other.kind) == is_routine)
        .map(|(at, _)| at);
    let victim = alike.clone().nth(first);
    if alike.by_ref().count() >= most
        && let Some(victim) = victim
    {
        notes.remove(victim);
    }
    notes.push(note);
}
