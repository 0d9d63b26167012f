//! All events of all sources in one order: what `natsleuth timeline` shows.

use std::net::SocketAddr;

use super::Alignment;
use super::clock::When;
use super::joined::{Joined, Records};
use super::link_client;
use crate::reconstruct::client::{ClientEvent, ClientEventKind, Trouble};
use crate::reconstruct::conn::{Conn, End, Manner};
use crate::reconstruct::server::{NoteKind, ServerEventKind};
use crate::source::{Source, SourceId};
use crate::span::{Cite, LogRef, Moment};

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineEvent {
    /// When, on the common line; `None` where the source gives no usable time.
    pub at: Option<When>,
    /// The time as the source wrote it, unchanged: RFC 3339 of the raw stamp, without zone where it has none.
    pub original: String,
    /// The record.
    pub cite: Cite,
    /// What it is, one word a kind: `syn`, `created`, `closed`, `error`, `disconnected`, ...
    pub what: &'static str,
    /// The quoted line, or the packet in words.
    pub says: String,
    /// The joined connection, where the event belongs to one.
    pub joined: Option<usize>,
    /// The client's name, where known.
    pub client: Option<String>,
    /// The client's address as that source has it.
    pub client_address: Option<SocketAddr>,
    /// The server's name or address, where known.
    pub server: Option<String>,
    /// The source's clock is tied to the common line.
    pub aligned: bool,
}

/// Every event that the records keep, by time; those without a time come first, in source order.
pub fn timeline(
    records: &Records,
    sources: &[Source],
    alignment: &Alignment,
) -> Vec<TimelineEvent> {
    let mut gather = Gather {
        records,
        sources,
        alignment,
        events: Vec::new(),
        of_conn: vec![None; records.conns.len()],
        of_server: records
            .servers
            .iter()
            .map(|life| vec![None; life.conns.len()])
            .collect(),
        of_client: records
            .clients
            .iter()
            .map(|story| vec![None; story.conns.len()])
            .collect(),
    };
    gather.index();
    gather.captures();
    gather.servers();
    gather.clients();
    for event in &records.host_events {
        gather.line(&event.at, server_word(&event.kind), None, Who::default());
    }
    let mut events = gather.events;
    events.sort_by(|a, b| {
        let key = |event: &TimelineEvent| (event.at.map(|when| when.at), event.cite);
        key(a).cmp(&key(b)).then_with(|| a.what.cmp(b.what))
    });
    events.dedup_by(|a, b| a.cite == b.cite && a.what == b.what && a.joined == b.joined);
    events
}

/// Whom an event is about.
#[derive(Clone, Default)]
struct Who {
    client: Option<String>,
    address: Option<SocketAddr>,
    server: Option<String>,
}

struct Gather<'a> {
    records: &'a Records,
    sources: &'a [Source],
    alignment: &'a Alignment,
    events: Vec<TimelineEvent>,
    of_conn: Vec<Option<usize>>,
    of_server: Vec<Vec<Option<usize>>>,
    of_client: Vec<Vec<Option<usize>>>,
}

impl Gather<'_> {
    fn index(&mut self) {
        for (index, joined) in self.alignment.joined.iter().enumerate() {
            for leg in &joined.conns {
                self.of_conn[leg.conn()] = Some(index);
            }
            if let Some((life, conn)) = joined.server() {
                self.of_server[life][conn] = Some(index);
            }
            if let Some((story, conn)) = joined.client() {
                self.of_client[story][conn] = Some(index);
            }
        }
    }

    fn who(&self, joined: Option<usize>) -> Who {
        let Some(one) = joined.and_then(|index| self.alignment.joined.get(index)) else {
            return Who::default();
        };
        let story = one
            .client_story()
            .map(|story| &self.records.clients[story].name);
        Who {
            client: link_client::name(self.records, one)
                .map(str::to_owned)
                .or_else(|| story.map(ToString::to_string)),
            address: self.address(one),
            server: one
                .server_life()
                .and_then(|life| self.server_name(life))
                .or_else(|| {
                    let leg = one.conns.last()?;
                    Some(self.records.conns[leg.conn()].resp().to_string())
                }),
        }
    }

    fn address(&self, one: &Joined) -> Option<SocketAddr> {
        let server = one
            .server()
            .and_then(|(life, conn)| self.records.servers[life].conns[conn].peer);
        server.or_else(|| {
            one.conns
                .last()
                .map(|leg| self.records.conns[leg.conn()].orig())
        })
    }

    fn server_name(&self, life: usize) -> Option<String> {
        let identity = &self.records.servers[life].identity;
        let name = identity
            .name
            .as_deref()
            .filter(|name| identity.id.as_deref() != Some(*name));
        name.map(str::to_owned)
            .or_else(|| identity.host.as_deref().map(str::to_owned))
            .or_else(|| identity.listen.map(|address| address.to_string()))
            .or_else(|| identity.id.as_deref().map(str::to_owned))
    }

    fn aligned(&self, source: SourceId) -> bool {
        self.alignment
            .clocks
            .get(source.0 as usize)
            .is_some_and(|clock| clock.aligned)
    }

    fn line(&mut self, at: &LogRef, what: &'static str, joined: Option<usize>, who: Who) {
        let stamp = at.stamp.or(at.outer);
        self.events.push(TimelineEvent {
            at: self.alignment.log(at),
            original: stamp.map(original).unwrap_or_default(),
            cite: at.cite,
            what,
            says: at.text.to_string(),
            joined,
            client: who.client,
            client_address: who.address,
            server: who.server,
            aligned: self.aligned(at.cite.source),
        });
    }

    fn packet(
        &mut self,
        conn: &Conn,
        at: Moment,
        what: &'static str,
        says: String,
        joined: Option<usize>,
        who: &Who,
    ) {
        self.events.push(TimelineEvent {
            at: Some(self.alignment.moment(conn.source, at)),
            original: crate::time::Instant(at.ns).rfc3339(9),
            cite: Cite::frame(conn.source, at.frame),
            what,
            says,
            joined,
            client: who.client.clone(),
            client_address: who.address.or(Some(conn.tuple.orig)),
            server: who.server.clone(),
            aligned: self.aligned(conn.source),
        });
    }

    fn captures(&mut self) {
        for (index, conn) in self.records.conns.iter().enumerate() {
            let conn = &*conn;
            let joined = self.of_conn[index];
            let who = self.who(joined);
            let (orig, resp) = (conn.tuple.orig, conn.tuple.resp);
            let name = |end: End| if end == End::Orig { orig } else { resp };
            for (at, what, says) in [
                (conn.handshake.syn, "syn", format!("SYN {orig} to {resp}")),
                (
                    conn.handshake.syn_ack,
                    "syn-ack",
                    format!("SYN,ACK {resp} to {orig}"),
                ),
                (conn.orig.fin, "fin", format!("FIN from {orig}")),
                (conn.resp.fin, "fin", format!("FIN from {resp}")),
            ] {
                if let Some(at) = at {
                    self.packet(conn, at, what, says, joined, &who);
                }
            }
            for rst in &conn.rsts {
                self.packet(
                    conn,
                    rst.at,
                    "rst",
                    format!("RST from {}", name(rst.from)),
                    joined,
                    &who,
                );
            }
            for icmp in &conn.icmp {
                self.packet(
                    conn,
                    icmp.at,
                    "icmp",
                    format!("ICMP from {}: {}", icmp.from, icmp.says),
                    joined,
                    &who,
                );
            }
            if matches!(conn.end.manner, Manner::Silent) {
                self.packet(
                    conn,
                    conn.end.at,
                    "silent",
                    "the last packet before silence".to_owned(),
                    joined,
                    &who,
                );
            }
            let Some(session) = &conn.session else {
                continue;
            };
            for (at, what, says) in [
                (session.info_at, "info", "INFO"),
                (session.connect_at, "connect", "CONNECT"),
                (session.ready_at, "ready", "the first answer after CONNECT"),
            ] {
                if let Some(at) = at {
                    self.packet(conn, at, what, says.to_owned(), joined, &who);
                }
            }
            for error in &session.errors {
                self.packet(
                    conn,
                    error.at,
                    "error",
                    format!("-ERR '{}'", error.text),
                    joined,
                    &who,
                );
            }
        }
    }

    fn servers(&mut self) {
        for (index, life) in self.records.servers.iter().enumerate() {
            let server = Who {
                server: self.server_name(index),
                ..Who::default()
            };
            for (at, what) in [
                (&life.started, "started"),
                (&life.ready, "ready"),
                (&life.end.at, "end"),
            ] {
                if let Some(at) = at {
                    self.line(at, what, None, server.clone());
                }
            }
            for event in &life.events {
                self.line(&event.at, server_word(&event.kind), None, server.clone());
            }
            for (conn, entry) in life.conns.iter().enumerate() {
                let joined = self.of_server[index][conn];
                let who = Who {
                    server: server.server.clone(),
                    ..self.who(joined)
                };
                for (at, what) in [(&entry.opened, "created"), (&entry.closed, "closed")] {
                    if let Some(at) = at {
                        self.line(at, what, joined, who.clone());
                    }
                }
                for note in &entry.notes {
                    let word = note_word(&note.kind);
                    if !matches!(word, "created" | "closed") {
                        self.line(&note.at, word, joined, who.clone());
                    }
                }
            }
        }
    }

    fn clients(&mut self) {
        for (index, story) in self.records.clients.iter().enumerate() {
            let mut of_event: Vec<Option<usize>> = vec![None; story.events.len()];
            for (conn, own) in story.conns.iter().enumerate() {
                for &event in own.opened.iter().chain(&own.why).chain(&own.closed) {
                    if let Some(slot) = of_event.get_mut(event) {
                        *slot = slot.or(self.of_client[index][conn]);
                    }
                }
            }
            for (event, joined) in story.events.iter().zip(of_event) {
                let who = self.who(joined);
                let who = Who {
                    client: who.client.clone().or_else(|| Some(story.name.to_string())),
                    ..who
                };
                self.line(&event.at, client_word(event), joined, who);
            }
        }
        let _ = self.sources;
    }
}

/// A stamp as its source wrote it.
fn original(stamp: crate::time::Stamp) -> String {
    use crate::time::{Basis, Instant};
    let text = Instant(stamp.ns).rfc3339(stamp.digits);
    match stamp.basis {
        Basis::Utc => text,
        Basis::Civil => text.trim_end_matches('Z').to_owned(),
        Basis::TimeOfDay => text.split_once('T').map_or(text.clone(), |(_, time)| {
            time.trim_end_matches('Z').to_owned()
        }),
        Basis::YearLess => text
            .get(5..)
            .unwrap_or_default()
            .trim_end_matches('Z')
            .to_owned(),
        Basis::Boot => format!(
            "boot+{}.{:06}s",
            stamp.ns / crate::time::SECOND,
            stamp.ns % crate::time::SECOND / 1000
        ),
    }
}

fn server_word(kind: &ServerEventKind) -> &'static str {
    match kind {
        ServerEventKind::Starting => "started",
        ServerEventKind::Ready => "ready",
        ServerEventKind::SignalTrapped(_) => "signal",
        ServerEventKind::ShutdownInitiated => "shutdown",
        ServerEventKind::Exiting => "exiting",
        ServerEventKind::LameDuckEntered => "lame-duck",
        ServerEventKind::ClosingClients => "closing-clients",
        ServerEventKind::Reloaded(_) | ServerEventKind::ReloadFailed => "reload",
        ServerEventKind::ClosedToMaxConnections(_) => "max-connections",
        ServerEventKind::AcceptError(_) => "accept-error",
        ServerEventKind::Pressure(_) => "pressure",
        ServerEventKind::Crash(_) | ServerEventKind::Fatal(_) => "crash",
        ServerEventKind::OutOfMemory(_) | ServerEventKind::OomKill(_) => "out-of-memory",
        ServerEventKind::ProcessExit(_) => "process-exit",
        ServerEventKind::Host(_) => "host",
        _ => "server",
    }
}

fn note_word(kind: &NoteKind) -> &'static str {
    match kind {
        NoteKind::Created => "created",
        NoteKind::Closed(_) => "closed",
        NoteKind::SlowConsumerPending { .. } | NoteKind::SlowConsumerDeadline { .. } => {
            "slow-consumer"
        }
        NoteKind::Stale => "stale",
        NoteKind::PingTimer | NoteKind::PongOverdue | NoteKind::DelayedPing => "ping",
        NoteKind::ReceivedPing
        | NoteKind::ReceivedPong
        | NoteKind::SentPing
        | NoteKind::SentPong => "ping",
        NoteKind::ReadError(_) | NoteKind::WriteError(_) => "error",
        NoteKind::AuthError(_)
        | NoteKind::AuthTimeout
        | NoteKind::AuthExpired
        | NoteKind::AuthRevoked => "auth",
        NoteKind::TlsHandshakeError(_) | NoteKind::TlsStarted | NoteKind::TlsDone => "tls",
        NoteKind::Connect(_) => "connect",
        _ => "note",
    }
}

fn client_word(event: &ClientEvent) -> &'static str {
    match &event.kind {
        ClientEventKind::Connected => "connected",
        ClientEventKind::ConnectFailed(Trouble::Refused) => "refused",
        ClientEventKind::ConnectFailed(_) => "connect-failed",
        ClientEventKind::Disconnected(_) => "disconnected",
        ClientEventKind::Reconnecting(_) => "reconnecting",
        ClientEventKind::Reconnected => "reconnected",
        ClientEventKind::Closed(_) => "client-closed",
        ClientEventKind::GaveUp => "gave-up",
        ClientEventKind::ClosingByApplication => "closing",
        ClientEventKind::Draining => "draining",
        ClientEventKind::Exiting => "exiting",
        ClientEventKind::Stale => "stale",
        ClientEventKind::Error(_) => "error",
        ClientEventKind::SlowConsumer => "slow-consumer",
        ClientEventKind::LameDuck => "lame-duck",
        ClientEventKind::PublishFailed(_)
        | ClientEventKind::RequestTimeout
        | ClientEventKind::NoResponders => "failure",
        ClientEventKind::Crash(_) => "crash",
        _ => "client",
    }
}
