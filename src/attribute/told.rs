//! What one connection tells of its server.

use std::net::{IpAddr, SocketAddr};

use smallvec::SmallVec;

use super::aside::Aside;
use super::closing_order::{Closed, Held};
use super::disconnect::Disconnect;
use super::endpoint::{Attempt, Seen};
use super::farewell::{Farewell, farewell};
use super::kin::{EndMark, Host};
use super::life_end::LAST_WORDS;
use super::server_gone::told_to_move;
use super::survival::Silences;
use super::wire::{Side, View};
use crate::align::Alignment;
use crate::align::clock::When;
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::client::{ClientEventKind, Trouble};
use crate::reconstruct::conn::Manner;
use crate::reconstruct::conn_sketch::ConnSketch;
use crate::reconstruct::server::ServerLife;
use crate::reconstruct::visit::Visit;
use crate::shelf::Name;
use crate::time::SECOND;

/// The server as this connection knows it, and what it saw of it.
#[derive(Debug, Default)]
pub struct Told {
    /// Index of the disconnect in the case.
    pub index: usize,
    /// The server's address.
    pub address: Option<SocketAddr>,
    /// Its life.
    pub life: Option<usize>,
    /// What the client calls it.
    pub name: Option<String>,
    /// The client's host, if a handshake shows that the path to it is quick.
    pub quick: Option<IpAddr>,
    /// Attempts that failed.
    pub attempts: Vec<Attempt>,
    /// INFOs seen, one a view.
    pub infos: SmallVec<[Seen; 1]>,
    /// When its log notices the end.
    pub noticed: Option<When>,
    /// Likewise, if it was accepted and found reset within milliseconds.
    pub stillborn: Option<When>,
    /// The end.
    pub end: Option<EndMark>,
    /// A goodbye of the server, and when.
    pub farewell: Option<(When, Farewell)>,
    /// That the server held it, where its handshake was seen.
    pub held: Option<Held>,
    /// That the server's side closed it, without a reason and a session being up.
    pub closed: Option<Closed>,
    /// That the server refused it over a limit of connections.
    pub over_limit: bool,
    /// What it tells of others.
    pub aside: Aside,
}

impl Told {
    /// Listens to one connection.
    pub fn new(index: usize, disconnect: &Disconnect) -> Self {
        let mut told = Self {
            index,
            address: disconnect.server_address(),
            life: disconnect.life.map(|(life, _)| life),
            name: disconnect
                .client
                .and_then(|conn| conn.server.as_deref().map(str::to_owned)),
            quick: quick_path(disconnect),
            aside: Aside::new(disconnect),
            ..Self::default()
        };
        for view in &disconnect.views {
            match view.conn.end.manner {
                Manner::Refused => told.attempts.push(Attempt {
                    disconnect: index,
                    at: view.when(view.conn.end.at),
                    refused: true,
                    evidence: view.evidence(
                        view.conn.end.at,
                        "SYN answered by RST: nobody listens there",
                    ),
                }),
                Manner::Unanswered => told.attempts.push(Attempt {
                    disconnect: index,
                    at: view.when(view.conn.end.at),
                    refused: false,
                    evidence: view.evidence(view.conn.end.at, "SYN without any answer"),
                }),
                _ => {}
            }
            if let Some(session) = view.session()
                && let (Some(info), Some(at)) = (&session.info, session.info_at)
                && !info.server_id.is_empty()
            {
                told.infos.push(Seen {
                    at: view.when(at),
                    frame: at.frame,
                    source: view.conn.source,
                    disconnect: index as u32,
                    server_id: Name::of(&info.server_id),
                });
            }
        }
        if let Some(story) = disconnect.story
            && let Some(conn) = disconnect.client
        {
            let from = conn.closed.map_or(0, |closed| closed + 1);
            let until = conn
                .back
                .unwrap_or(story.events.len())
                .min(story.events.len());
            for event in story.events.get(from.min(until)..until).unwrap_or_default() {
                if let ClientEventKind::ConnectFailed(trouble) | ClientEventKind::Error(trouble) =
                    &event.kind
                    && matches!(trouble, Trouble::Refused)
                    && let Some(at) = disconnect.log(event.first.as_ref().unwrap_or(&event.at))
                {
                    let evidence = disconnect.quote(event.first.as_ref().unwrap_or(&event.at));
                    told.attempts.push(Attempt {
                        disconnect: index,
                        at,
                        refused: true,
                        evidence,
                    });
                }
            }
        }
        told.noticed = disconnect
            .server
            .and_then(|conn| disconnect.log(conn.closed.as_ref()?));
        let reset = matches!(
            disconnect.reason(),
            Some(CloseReason::ReadError | CloseReason::WriteError | CloseReason::ClientClosed)
        );
        let short = disconnect.server.is_some_and(|conn| conn.opened.is_some())
            && disconnect.logged_lifetime() < SECOND / 100;
        if reset && short && !disconnect.was_ready() {
            told.stillborn = told.noticed;
        }
        let Some(at) = disconnect.closed else {
            return told;
        };
        let first = disconnect.first_close().map(|first| first.close.side);
        let remote_by_log = !disconnect.intended()
            && disconnect
                .troubles()
                .any(|(_, trouble)| matches!(trouble, Trouble::Eof | Trouble::Reset))
            || disconnect.client.is_some()
                && !disconnect.intended()
                && disconnect.client_closed().is_some()
                && disconnect.lost_by_log()
                && disconnect
                    .troubles()
                    .all(|(_, trouble)| matches!(trouble, Trouble::Unsaid));
        let host = match (disconnect.client_addresses().0, disconnect.story) {
            (Some(address), _) => Host::Address(address.ip()),
            (None, Some(story)) => Host::Name(story.name.clone()),
            (None, None) => Host::Name(Box::default()),
        };
        let own_reason = disconnect.statements.iter().any(|statement| {
            !matches!(
                statement.reason,
                CloseReason::ClientClosed
                    | CloseReason::ReadError
                    | CloseReason::WriteError
                    | CloseReason::ServerShutdown
            )
        });
        let ready = disconnect.was_ready() && !disconnect.views.iter().any(View::attempt_failed);
        told.over_limit = disconnect.statements.iter().any(|said| {
            matches!(
                said.reason,
                CloseReason::MaxConnectionsExceeded | CloseReason::MaxAccountConnectionsExceeded
            )
        });
        told.farewell = farewell(disconnect)
            .filter(|_| !own_reason)
            .map(|farewell| (at, farewell));
        let greeted = disconnect.info().is_some();
        let by_server = ready && !own_reason && first == Some(Side::Server);
        let home = disconnect.view_at(Side::Server);
        let shown = home.or(disconnect.views.first()).filter(|_| by_server);
        let taken = |view: &View| Some(view.when(view.conn.handshake.ack?).at.0);
        let taken = disconnect.views.iter().find_map(taken);
        told.held = taken.filter(|_| ready || greeted).map(|taken| Held {
            disconnect: index as u32,
            taken,
            closed: at.at.0,
        });
        told.closed = shown.and_then(|view| {
            Some(Closed {
                disconnect: index as u32,
                source: view.conn.source,
                ns: view.closer()?.at.ns,
            })
        });
        let clogged = disconnect.views.iter().any(|view| {
            let flow = view.flow(Side::Client);
            flow.zero_window_since.is_some() || flow.zero_window_ns > LAST_WORDS
        });
        told.end = Some(EndMark {
            at,
            opened: disconnect.opened,
            host,
            first,
            remote_by_log,
            ready,
            clogged,
            own_reason,
        });
        told
    }

    /// What an ordinary client tells that one capture saw: the same as [`Told::new`], without asking for the whole of it.
    pub fn of_visit(
        index: usize,
        conn: &ConnSketch,
        visit: &Visit,
        alignment: &Alignment,
        servers: &[ServerLife],
    ) -> Self {
        let when = |at| alignment.moment(conn.source, at);
        let (client, server) = conn.roles();
        let left = when(visit.left);
        let quick = visit.taken.ns - visit.came.ns < QUICK;
        let info = conn.server_id.map(|server_id| Seen {
            at: when(visit.greeted),
            frame: visit.greeted.frame,
            source: conn.source,
            disconnect: index as u32,
            server_id,
        });
        let end = EndMark {
            at: left,
            opened: Some(when(visit.came)),
            host: Host::Address(client.ip()),
            first: Some(Side::Client),
            remote_by_log: false,
            ready: true,
            clogged: visit.clogged,
            own_reason: false,
        };
        Self {
            index,
            address: Some(server),
            quick: quick.then(|| client.ip()),
            infos: info.into_iter().collect(),
            end: Some(end),
            held: Some(Held {
                disconnect: index as u32,
                taken: when(visit.taken).at.0,
                closed: left.at.0,
            }),
            aside: Aside {
                silences: Silences {
                    died: None,
                    lived: visit.silence,
                },
                may_be_gone: told_to_move(servers),
                ..Aside::default()
            },
            ..Self::default()
        }
    }
}

/// A handshake faster than this shows a path that no connect timeout finds long.
const QUICK: i64 = SECOND / 10;

fn quick_path(disconnect: &Disconnect) -> Option<IpAddr> {
    let quick = |view: &View| {
        let shake = &view.conn.handshake;
        shake.rtt().is_some_and(|rtt| rtt < QUICK)
    };
    let client = || Some(disconnect.client_addresses().0?.ip());
    disconnect.views.iter().any(quick).then(client).flatten()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::Read;
    use std::path::{Path, PathBuf};
    use std::sync::Arc;

    use super::*;
    use crate::align::joined::{Joined, Leg, Near, Records};
    use crate::attribute::outcome::Arrival;
    use crate::reconstruct::capture::{CaptureOptions, read};
    use crate::source::SourceId;

    /// The captures below a folder of fixtures.
    fn captures(folder: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).expect("a folder of fixtures") {
            let path = entry.expect("a fixture").path();
            if path.is_dir() {
                found.extend(captures(&path));
            } else if path.extension().is_some_and(|ending| ending == "pcap") {
                found.push(path);
            }
        }
        found
    }

    #[test]
    fn a_visit_tells_what_the_whole_connection_tells() {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
        let mut visits = 0;
        for path in captures(&fixtures) {
            let file = File::open(&path).expect("a fixture");
            let mut pieces: [(SourceId, Box<dyn Read + Send>); 1] = [(SourceId(0), Box::new(file))];
            let options = CaptureOptions {
                ports: vec![4222, 4223, 4224],
                ..CaptureOptions::default()
            };
            let mut records = Records::default();
            let result = read(&mut pieces, &options, &Arc::default(), &|_| {});
            records.conns.extend(result.conns);
            let alignment = Alignment::default();
            for (index, sketch) in records.conns.sketches().enumerate() {
                let Some(visit) = sketch.visit() else {
                    continue;
                };
                visits += 1;
                let whole = [records.conns.whole(index)];
                assert_eq!(Some(visit), Visit::of(&whole[0]), "{path:?}");
                let joined = Joined::captured(Leg::new(index, Near::Unknown));
                let disconnect = Disconnect::new(index, &joined, &whole, &records, &alignment);
                let told = Told::of_visit(index, sketch, &visit, &alignment, &records.servers);
                let wanted = Told::new(index, &disconnect);
                assert_eq!(format!("{told:?}"), format!("{wanted:?}"), "{path:?}");
                let arrival = Arrival::of_visit(sketch, &visit, &alignment);
                assert_eq!(arrival, Arrival::of(&disconnect), "{path:?}");
            }
        }
        assert!(visits > 40, "{visits}");
    }
}
