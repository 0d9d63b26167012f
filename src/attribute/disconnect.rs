//! One ended connection with everything that any source says about it, on the common line.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use crate::align::Alignment;
use crate::align::clock::When;
use crate::align::joined::{Joined, Records};
use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::client::{ClientConn, ClientEventKind, ClientStory, Trouble};
use crate::reconstruct::conn::{Conn, Manner};
use crate::reconstruct::server::{NoteKind, ServerConn, ServerLife, ServerNote};
use crate::reconstruct::session::{Info, Notice, Protocol, Session};
use crate::shelf::Held;
use crate::span::LogRef;
use crate::time::SECOND;

use super::finding::{Evidence, Initiator};
use super::statement::{Speaker, Statement, reason_of_error};
use super::wire::{Side, View, WireClose};

/// The first close on the wire, with the view that shows it.
#[derive(Clone, Copy, Debug)]
pub struct FirstClose<'a> {
    /// The view.
    pub view: View<'a>,
    /// The packet.
    pub close: WireClose,
}

/// Every library gives up on a handshake well before this; a connection that a server knew for longer had a session.
const READY_BY_AGE: i64 = 2 * SECOND;

/// An ended connection.
#[derive(Clone, Debug)]
pub struct Disconnect<'a> {
    /// All that was reconstructed.
    pub records: &'a Records,
    /// The common line.
    pub alignment: &'a Alignment,
    /// Its index in the joined list.
    pub index: usize,
    /// Its parts.
    pub joined: &'a Joined,
    /// What each capture saw.
    pub views: Vec<View<'a>>,
    /// What the server's log says of it.
    pub server: Option<&'a ServerConn>,
    /// The server process it went to, and its index.
    pub life: Option<(usize, &'a ServerLife)>,
    /// The client whose it was.
    pub story: Option<&'a ClientStory>,
    /// What the client's log says of it.
    pub client: Option<&'a ClientConn>,
    /// When it was opened.
    pub opened: Option<When>,
    /// When it was closed: the first that anyone did to end it.
    pub closed: Option<When>,
    /// What the ends said.
    pub statements: Vec<Statement>,
    first_close: Option<FirstClose<'a>>,
}

impl<'a> Disconnect<'a> {
    /// Collects what is known of one joined connection; `conns` are what its legs name.
    pub fn new(
        index: usize,
        joined: &'a Joined,
        conns: &'a [Held<'a, Conn>],
        records: &'a Records,
        alignment: &'a Alignment,
    ) -> Self {
        let views: Vec<View> = joined
            .conns
            .iter()
            .zip(conns)
            .map(|(leg, conn)| View::new(conn, *leg, records, alignment))
            .collect();
        let life = joined
            .server_life()
            .or(joined.server().map(|(life, _)| life));
        let story = joined
            .client_story()
            .or(joined.client().map(|(story, _)| story));
        let mut disconnect = Self {
            records,
            alignment,
            index,
            joined,
            views,
            server: joined
                .server()
                .and_then(|(life, conn)| records.servers.get(life)?.conns.get(conn)),
            life: life.and_then(|life| Some((life, records.servers.get(life)?))),
            story: story.and_then(|story| records.clients.get(story)),
            client: joined
                .client()
                .and_then(|(story, conn)| records.clients.get(story)?.conns.get(conn)),
            opened: None,
            closed: None,
            statements: Vec::new(),
            first_close: None,
        };
        disconnect.first_close = disconnect.find_first_close();
        disconnect.opened = disconnect.find_opened();
        if disconnect.life.is_none() {
            disconnect.life = disconnect.find_life();
        }
        disconnect.statements = disconnect.find_statements();
        disconnect.closed = disconnect.find_closed();
        disconnect
    }

    /// Whether anything shows that this socket is closed: a line says so even where it carries no time (`logtime: false`).
    pub fn ended(&self) -> bool {
        self.closed.is_some() || self.server.is_some_and(|conn| conn.closed.is_some())
    }

    /// A log line on the common line.
    pub fn log(&self, at: &LogRef) -> Option<When> {
        self.alignment.log(at)
    }

    /// A log line as evidence.
    pub fn quote(&self, at: &LogRef) -> Evidence {
        Evidence {
            cite: at.cite,
            at: self.log(at),
            says: at.text.to_string(),
            supports: true,
        }
    }

    /// The server process of a connection that only the client's log knows: the one that listens at the address that the
    /// client names (or the only server of the bundle), at the time when the connection was open.
    fn find_life(&self) -> Option<(usize, &'a ServerLife)> {
        let called = self.client?.server.as_deref();
        // Of an attempt that came to nothing the log may tell the end alone.
        let failed = || self.client_closed().and_then(|event| self.log(&event.at));
        let opened = self.opened.or_else(failed)?;
        let address: Option<SocketAddr> = called.and_then(|server| server.parse().ok());
        let names: BTreeSet<_> = self
            .records
            .servers
            .iter()
            .filter_map(|life| life.identity.listen)
            .collect();
        let listens = |life: &ServerLife| match (address, life.identity.listen) {
            (Some(there), Some(listen)) => {
                there.port() == listen.port()
                    && (listen.ip().is_unspecified() || listen.ip() == there.ip())
            }
            _ => names.len() <= 1,
        };
        self.records
            .servers
            .iter()
            .enumerate()
            .filter(|(_, life)| listens(life))
            .filter(|(_, life)| {
                let start = life
                    .started
                    .as_ref()
                    .or(life.first.as_ref())
                    .and_then(|at| self.log(at));
                start.is_none_or(|start| start.bounds.low <= opened.bounds.high + SECOND)
            })
            .max_by_key(|(index, life)| {
                let start = life
                    .started
                    .as_ref()
                    .or(life.first.as_ref())
                    .and_then(|at| self.log(at));
                (start.map(|start| start.at), *index)
            })
    }

    fn find_opened(&self) -> Option<When> {
        let wire = self
            .views
            .iter()
            .find_map(|view| Some(view.when(view.conn.handshake.syn?)));
        wire.or_else(|| self.server.and_then(|conn| self.log(conn.opened.as_ref()?)))
            .or_else(|| self.client_opened().and_then(|event| self.log(&event.at)))
            .or_else(|| self.views.first().map(|view| view.when(view.conn.first)))
    }

    fn find_closed(&self) -> Option<When> {
        let wire = self
            .first_close()
            .map(|first| first.view.when(first.close.at));
        let server = self.server.and_then(|conn| self.log(conn.closed.as_ref()?));
        let client = self.client_closed().and_then(|event| self.log(&event.at));
        let failed = self
            .views
            .iter()
            .find(|view| !matches!(view.conn.end.manner, Manner::Open))
            .map(|view| view.when(view.conn.end.at));
        let died = || {
            let (_, life) = self.life?;
            let known = life.end.manner.is_told();
            let at = self.log(life.end.at.as_ref()?)?;
            (known && self.opened.is_none_or(|opened| opened.at <= at.at)).then_some(at)
        };
        let silent_attempt = || {
            self.client
                .filter(|conn| conn.opened.is_none() && conn.closed.is_some())
                .and(self.opened)
        };
        let superseded = || {
            let view = self.views.first()?;
            let superseded = self.joined.superseded.as_ref()?;
            Some(superseded.closed(self.alignment, view.conn.source))
        };
        wire.or(server)
            .or(client)
            .or(failed)
            .or_else(died)
            .or_else(silent_attempt)
            .or_else(superseded)
    }

    fn find_statements(&self) -> Vec<Statement> {
        let mut statements = Vec::new();
        if let Some(conn) = self.server
            && let Some(reason) = &conn.reason
            && let Some(at) = conn.closed.as_ref().or(conn.last.as_ref())
        {
            statements.push(Statement {
                reason: reason.clone(),
                by: Speaker::Server,
                evidence: self.quote(at),
            });
        }
        // A server that dialled another one quotes what that one refused it with.
        for note in self.server.into_iter().flat_map(|conn| &conn.notes) {
            if let NoteKind::PeerError(text) = &note.kind
                && let Some(reason) = reason_of_error(text)
            {
                statements.push(Statement {
                    reason,
                    by: Speaker::Wire,
                    evidence: self.quote(&note.at),
                });
            }
        }
        for view in &self.views {
            let Some(session) = view.session() else {
                continue;
            };
            for error in &session.errors {
                if let Some(reason) = reason_of_error(&error.text) {
                    let whose = if error.from_server {
                        "server"
                    } else {
                        "client"
                    };
                    let evidence =
                        view.evidence(error.at, format!("{whose} sends -ERR '{}'", error.text));
                    if error.from_server {
                        statements.push(Statement {
                            reason,
                            by: Speaker::Wire,
                            evidence,
                        });
                    }
                }
            }
        }
        for event in self.client_why() {
            let (ClientEventKind::Disconnected(trouble)
            | ClientEventKind::Closed(trouble)
            | ClientEventKind::ConnectFailed(trouble)
            | ClientEventKind::Error(trouble)) = &event.kind
            else {
                continue;
            };
            if let Trouble::ServerError(text) | Trouble::Auth(text) = trouble
                && let Some(reason) = reason_of_error(text)
            {
                statements.push(Statement {
                    reason,
                    by: Speaker::Client,
                    evidence: self.quote(&event.at),
                });
            }
        }
        statements
    }

    /// What an end said that amounts to `reason`, best speaker first.
    pub fn stated(&self, reason: &CloseReason) -> Vec<&Statement> {
        let mut found: Vec<_> = self
            .statements
            .iter()
            .filter(|statement| statement.reason == *reason)
            .collect();
        found.sort_by_key(|statement| statement.by);
        found
    }

    /// Somebody states a reason of the server's own: the server closed it, or refused it.
    pub fn server_gave_reason(&self) -> bool {
        self.statements
            .iter()
            .any(|said| !said.reason.is_departure())
    }

    /// The server's own reason, from its log.
    pub fn reason(&self) -> Option<&'a CloseReason> {
        self.server.and_then(|conn| conn.reason.as_ref())
    }

    /// A typed server-log line about this connection.
    pub fn note(&self, wanted: impl Fn(&NoteKind) -> bool) -> Option<&'a ServerNote> {
        self.server?.notes.iter().find(|note| wanted(&note.kind))
    }

    /// The view that was really taken at a side's host.
    pub fn view_at(&self, side: Side) -> Option<&View<'a>> {
        self.views.iter().find(|view| {
            if side == Side::Client {
                view.near_client()
            } else {
                view.near_server()
            }
        })
    }

    /// The first close on the wire over all views. At the host of a side its own packets are seen as they leave, so of
    /// two views that disagree each is right about its own side: the earlier on the common line wins.
    pub const fn first_close(&self) -> Option<FirstClose<'a>> {
        self.first_close
    }

    fn find_first_close(&self) -> Option<FirstClose<'a>> {
        self.views
            .iter()
            .filter_map(|view| {
                Some(FirstClose {
                    view: *view,
                    close: view.closer()?,
                })
            })
            .min_by_key(|first| first.view.when(first.close.at).at)
    }

    /// Whether every view that shows a close shows `side` first.
    pub fn first_by(&self, side: Side) -> bool {
        let mut seen = false;
        for close in self.views.iter().filter_map(View::closer) {
            if close.side != side {
                return false;
            }
            seen = true;
        }
        seen
    }

    /// The conversation, from the view that has most of it.
    pub fn session(&self) -> Option<&'a Session> {
        self.views
            .iter()
            .filter_map(View::session)
            .max_by_key(|session| {
                (
                    session.info.is_some(),
                    session.connect.is_some(),
                    session.client.messages,
                )
            })
    }

    /// INFO as captured.
    pub fn info(&self) -> Option<&'a Info> {
        self.views
            .iter()
            .filter_map(View::session)
            .find_map(|session| session.info.as_ref())
    }

    /// A NATS session was up: CONNECT answered, messages flowing, or a log says connected.
    pub fn was_ready(&self) -> bool {
        let spoken = self.views.iter().filter_map(View::session).any(|session| {
            session.ready_at.is_some()
                || session.server.messages + session.client.messages > 0
                || session
                    .tls
                    .as_ref()
                    .is_some_and(|tls| tls.client_records > 3)
                || session.connect.is_none()
                    && session.info.is_none()
                    && session.protocol == Protocol::Client
        });
        let conversed = self.views.iter().any(View::conversed_unheard);
        // A capture that saw the handshake saw whatever came after it; logs decide only where none did.
        let seen = self
            .views
            .iter()
            .any(|view| view.conn.handshake.syn.is_some() && !view.unread());
        spoken
            || conversed
            || !seen
                && (self.client.is_some_and(|conn| conn.opened.is_some())
                    || self.server.is_some_and(|conn| {
                        conn.name.is_some()
                            || conn.lang.is_some()
                            || self.logged_lifetime() > READY_BY_AGE
                    }))
    }

    /// How long the server's log knew the connection, in nanoseconds; 0 where it does not say.
    pub fn logged_lifetime(&self) -> i64 {
        let times = self.server.and_then(|conn| {
            let opened = self.log(conn.opened.as_ref()?)?;
            Some(self.log(conn.closed.as_ref()?)?.since(opened))
        });
        times.unwrap_or(0)
    }

    /// The lame duck notice on the wire.
    pub fn lame_duck_notice(&self) -> Option<Evidence> {
        self.views.iter().find_map(|view| {
            let session = view.session()?;
            let (at, _) = session
                .notices
                .iter()
                .find(|(_, notice)| matches!(notice, Notice::LameDuck))?;
            Some(view.evidence(*at, "server sends INFO with \"ldm\":true"))
        })
    }

    /// The attempt was refused: the host is up, nobody listens; or its kernel took it and reset it before a word.
    pub fn refused(&self) -> Option<Evidence> {
        self.views.iter().find_map(|view| {
            if view.conn.end.manner == Manner::Refused {
                return Some(view.evidence(
                    view.conn.end.at,
                    "SYN answered by RST: nobody listens there",
                ));
            }
            let close = view
                .closer()
                .filter(|close| close.rst && close.side == Side::Server)?;
            let mute = view.flow(Side::Server).bytes == 0 && view.conn.handshake.syn.is_some();
            mute.then(|| {
                view.evidence(
                    close.at,
                    "taken by the kernel and reset before INFO: nobody accepts any more",
                )
            })
        })
    }

    /// It never became a session, and the client's own wish is not the reason.
    pub fn turned_away(&self) -> bool {
        self.refused().is_some()
            || self.views.iter().any(|view| {
                matches!(
                    view.conn.end.manner,
                    Manner::Unanswered | Manner::Unreachable
                )
            })
    }

    /// Who ended it on the wire, as far as plain packets tell.
    pub fn wire_initiator(&self) -> Initiator {
        match self.first_close().map(|first| first.close.side) {
            Some(Side::Client) => Initiator::Client,
            Some(Side::Server) => Initiator::Server,
            None => Initiator::Unknown,
        }
    }

    /// Nanoseconds between two moments if both are aligned.
    pub fn apart(&self, a: Option<When>, b: Option<When>) -> Option<i64> {
        Some(a?.since(b?))
    }

    /// How long it lived.
    pub fn lifetime(&self) -> Option<i64> {
        self.apart(self.closed, self.opened)
    }
}

/// Whether `a` may lie within `slack` nanoseconds of `b`, given both uncertainties.
pub fn near(a: When, b: When, slack: i64) -> bool {
    a.bounds.low.saturating_sub(slack) <= b.bounds.high
        && b.bounds.low.saturating_sub(slack) <= a.bounds.high
}

/// Nanoseconds as people say them: `41 µs`, `12.3 ms`, `4.1 s`, `2 min 5 s`.
pub fn spoken(ns: i64) -> String {
    let ns = ns.abs();
    match ns {
        0..1_000_000 => format!("{} µs", ns / 1_000),
        1_000_000..1_000_000_000 => format!("{:.1} ms", ns as f64 / 1e6),
        _ if ns < 120 * SECOND => format!("{:.1} s", ns as f64 / 1e9),
        _ if ns < 7_200 * SECOND => format!("{} min {} s", ns / (60 * SECOND), ns / SECOND % 60),
        _ => format!("{:.1} h", ns as f64 / 3.6e12),
    }
}

/// How often: `once`, `twice`, `7 times`.
pub fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        many => format!("{many} times"),
    }
}
