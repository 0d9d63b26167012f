//! One capture's view of a connection, read in NATS roles: what each side did on the wire around the end.

use crate::align::Alignment;
use crate::align::clock::When;
use crate::align::joined::{Leg, Near, Records};
use crate::reconstruct::conn::{Conn, End, Flow, Manner, RetransmissionRun, Rst, RstOrigin};
use crate::reconstruct::session::{Protocol, Session, Talk};
use crate::span::{Cite, Moment};
use crate::time::SECOND;

use super::finding::Evidence;

/// A NATS role.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum Side {
    /// The connecting side.
    Client,
    /// The accepting side.
    Server,
}

impl Side {
    /// The other side.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    /// In words.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}

/// The first packet that closes, in one view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireClose {
    /// In whose name it came.
    pub side: Side,
    /// A RST, not a FIN.
    pub rst: bool,
    /// The packet.
    pub at: Moment,
}

/// PINGs of one side without an answer at the end, told apart by what TCP says of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// The first of them.
    pub first: Moment,
    /// The last.
    pub last: Moment,
    /// How many.
    pub count: usize,
    /// The peer's kernel acknowledged the first of them: the path works, the peer's process does not answer.
    pub acked: bool,
}

/// One side's segments that nobody acknowledged to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeadPath {
    /// First transmission of what was never acknowledged.
    pub since: Moment,
    /// The retransmissions of it.
    pub run: RetransmissionRun,
    /// The peer sent nothing at all after `since` in this view.
    pub peer_silent: bool,
}

/// A view.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The captured connection.
    pub conn: &'a Conn,
    /// Where the capture was taken.
    pub leg: Leg,
    /// The capture's last packet: a connection still open then may live on.
    pub capture_end: Moment,
    server_end: End,
    closer: Option<WireClose>,
    unread: bool,
    alignment: &'a Alignment,
}

/// An exchange that lasts this long is more than a refusal.
const CONVERSED: i64 = 3 * SECOND;

/// The snap length cut payload off.
const fn snapped(conn: &Conn) -> bool {
    conn.orig.snapped_bytes + conn.resp.snapped_bytes > 0
}

/// Bytes passed, the capture holds the beginnings of packets only, and nothing in those says what was said.
fn unread(conn: &Conn) -> bool {
    snapped(conn)
        && conn.session.as_ref().is_none_or(|session| {
            session.info.is_none()
                && session.connect.is_none()
                && !session.is_carried()
                && [&session.client, &session.server]
                    .iter()
                    .all(|talk| talk.last_op.is_none())
        })
}

impl<'a> View<'a> {
    /// A view of `conn`.
    pub fn new(conn: &'a Conn, leg: Leg, records: &Records, alignment: &'a Alignment) -> Self {
        let mut view = Self {
            conn,
            leg,
            capture_end: records.capture_end(conn.source, conn.last),
            server_end: conn.server_end(),
            closer: None,
            unread: unread(conn),
            alignment,
        };
        view.closer = view.find_closer();
        view
    }

    /// Taken at the client's host.
    pub fn near_client(&self) -> bool {
        self.leg.near == Near::Client
    }

    /// Taken at the server's host.
    pub fn near_server(&self) -> bool {
        self.leg.near == Near::Server
    }

    /// The role of an end.
    pub fn side(&self, end: End) -> Side {
        if end == self.server_end {
            Side::Server
        } else {
            Side::Client
        }
    }

    fn end(&self, side: Side) -> End {
        match side {
            Side::Server => self.server_end,
            Side::Client => self.server_end.other(),
        }
    }

    /// What `side` sent.
    pub fn flow(&self, side: Side) -> &'a Flow {
        self.conn.flow(self.end(side))
    }

    /// The conversation, where bytes were followed and could be read.
    pub fn session(&self) -> Option<&'a Session> {
        self.conn.session.as_deref().filter(|_| !self.unread)
    }

    /// The snap length cut off what was said: only what TCP shows is known.
    pub const fn unread(&self) -> bool {
        self.unread
    }

    /// What the server said last is what the snap length cut off.
    pub fn last_words_cut(&self) -> bool {
        let flow = self.flow(Side::Server);
        let read = self.talk(Side::Server).and_then(|talk| talk.last_op);
        flow.snapped_bytes > 0
            && read.is_none_or(|read| flow.last_data.is_some_and(|last| last > read))
    }

    /// A conversation that went on after the server's first answer, where the snap length cut off some of its words.
    pub fn conversed_unheard(&self) -> bool {
        if !snapped(self.conn) {
            return false;
        }
        let (client, server) = (self.flow(Side::Client), self.flow(Side::Server));
        let answered = client.first_data.zip(server.last_data);
        answered.is_some_and(|(asked, answer)| {
            answer > asked
                && (client.last_data.is_some_and(|last| last > answer)
                    || answer.ns - asked.ns > CONVERSED)
        })
    }

    /// What `side` said.
    pub fn talk(&self, side: Side) -> Option<&'a Talk> {
        self.session().map(|session| match side {
            Side::Client => &session.client,
            Side::Server => &session.server,
        })
    }

    /// When a packet passed, on the common line.
    pub fn when(&self, at: Moment) -> When {
        self.alignment.moment(self.conn.source, at)
    }

    /// A packet as evidence.
    pub fn evidence(&self, at: Moment, says: impl Into<String>) -> Evidence {
        Evidence {
            cite: Cite::frame(self.conn.source, at.frame),
            at: Some(self.when(at)),
            says: says.into(),
            supports: true,
        }
    }

    /// The first packet that closes; `None` where a FIN answers something that the capture lost, perhaps the other end's FIN.
    pub const fn closer(&self) -> Option<WireClose> {
        self.closer
    }

    fn find_closer(&self) -> Option<WireClose> {
        let fins = [Side::Client, Side::Server].into_iter().filter_map(|side| {
            Some(WireClose {
                side,
                rst: false,
                at: self.flow(side).fin?,
            })
        });
        let rsts = self.conn.rsts.iter().map(|rst| WireClose {
            side: self.side(rst.from),
            rst: true,
            at: rst.at,
        });
        let notices = self
            .session()
            .and_then(|session| session.tls.as_ref())
            .into_iter()
            .flat_map(|tls| {
                // A TLS peer that means to close says so before its FIN (RFC 8446 section 6.1), and the answer's FIN may
                // overtake its own.
                [
                    (Side::Client, tls.client_close_notify),
                    (Side::Server, tls.server_close_notify),
                ]
                .into_iter()
                .filter_map(|(side, at)| {
                    Some(WireClose {
                        side,
                        rst: false,
                        at: at?,
                    })
                })
            });
        // So do WebSocket (RFC 6455 section 5.5.1) and MQTT 3.1.1 (section 3.14), where the server's FIN comes first.
        let goodbyes = self.session().into_iter().flat_map(|session| {
            let frame = session
                .websocket
                .as_ref()
                .and_then(|web| web.close.as_ref())
                .map(|close| {
                    let side = if close.1 { Side::Server } else { Side::Client };
                    WireClose {
                        side,
                        rst: false,
                        at: close.0,
                    }
                });
            let farewell = session.mqtt.as_ref().and_then(|mqtt| mqtt.disconnect);
            let disconnect = farewell.map(|(at, from_server, _)| WireClose {
                side: if from_server {
                    Side::Server
                } else {
                    Side::Client
                },
                rst: false,
                at,
            });
            frame.into_iter().chain(disconnect)
        });
        fins.chain(rsts)
            .chain(notices)
            .chain(goodbyes)
            .min_by_key(|close| close.at)
            .filter(|close| close.rst || !self.acknowledges_unseen(close))
    }

    /// The packet acknowledges more than the capture holds of the other end, or all that came before it is missing.
    fn acknowledges_unseen(&self, close: &WireClose) -> bool {
        if self.conn.handshake.syn.is_none() && close.at == self.conn.first {
            return true;
        }
        let end = self.end(close.side);
        self.conn.anomalies.iter().any(|row| {
            row.name == "ack_lost_segment"
                && row.from == end
                && (row.first == close.at || row.last == close.at)
        })
    }

    /// The RST that is the first closing packet.
    pub fn closing_rst(&self) -> Option<&'a Rst> {
        let closer = self.closer().filter(|close| close.rst)?;
        self.conn.rsts.iter().find(|rst| rst.at == closer.at)
    }

    /// The RST that closes the connection, where it is the kernel's of `side` and answers for a socket that is gone: without
    /// ACK (RFC 9293 section 3.10.7.1).
    pub fn answer_for_a_gone_socket(&self, side: Side) -> Option<&'a Rst> {
        self.closing_rst().filter(|rst| {
            self.side(rst.from) == side && !rst.ack && rst.origin != RstOrigin::Injected
        })
    }

    /// The client's RST that closes the connection, where it answers packets that were late: until just before it one end
    /// had been sending again and again without an answer.
    pub fn left_in_a_hiccup(&self) -> Option<&'a Rst> {
        const AGAIN: u32 = 3;
        let rst = self.answer_for_a_gone_socket(Side::Client)?;
        let late = [Side::Client, Side::Server].into_iter().any(|side| {
            let run = self.flow(side).worst_retransmissions.as_deref();
            run.is_some_and(|run| {
                run.count >= AGAIN && (-SECOND..2 * SECOND).contains(&(rst.at.ns - run.last.ns))
            })
        });
        late.then_some(rst)
    }

    /// PINGs of `side` that no PONG answered.
    pub fn unanswered(&self, side: Side) -> Option<Unanswered> {
        let session = self.session()?;
        let pings = match (&session.tls, side) {
            (Some(tls), Side::Client) if !tls.decrypted => &tls.client_unanswered,
            (Some(tls), Side::Server) if !tls.decrypted => &tls.server_unanswered,
            _ => &self.talk(side)?.unanswered_pings,
        };
        let (first, last) = (*pings.first()?, *pings.last()?);
        let flow = self.flow(side);
        let acked = flow.unacked_since.is_none_or(|since| since > first);
        Some(Unanswered {
            first,
            last,
            count: pings.len(),
            acked,
        })
    }

    /// Segments of `side` that went unacknowledged to the end, retransmitted at least twice or over a second.
    pub fn dead_path(&self, side: Side) -> Option<DeadPath> {
        let flow = self.flow(side);
        let since = flow.unacked_since?;
        let run = flow.final_retransmissions.as_deref().copied()?;
        let long = run.count >= 2 || run.last.ns - since.ns >= 1_000_000_000;
        if !long || self.zero_window_at_end(side.other()) {
            return None;
        }
        let peer = self.end(side.other());
        // What arrives after the last retransmission belongs to a path that has come back.
        let peer_silent = !self
            .conn
            .tail
            .iter()
            .any(|packet| packet.from == peer && packet.at > since && packet.at < run.last);
        Some(DeadPath {
            since,
            run,
            peer_silent,
        })
    }

    /// `side` had closed its receive window at the end: it was not reading.
    pub fn zero_window_at_end(&self, side: Side) -> bool {
        let flow = self.flow(side);
        flow.zero_window_since.is_some()
            || self.flow(side.other()).zero_window_probes > 0 && flow.window == Some(0)
    }

    /// TCP was established.
    pub fn established(&self) -> bool {
        let shake = &self.conn.handshake;
        shake.ack.is_some()
            || shake.syn.is_none() && self.conn.orig.packets > 0 && self.conn.resp.packets > 0
    }

    /// How long the peer's kernel took to acknowledge a packet of `side`, as this view shows it.
    pub fn ack_delay(&self, side: Side, at: Moment) -> Option<i64> {
        let from = self.end(side);
        let sent = self
            .conn
            .tail
            .iter()
            .find(|packet| packet.at == at && packet.from == from)?;
        let wanted = sent.seq.wrapping_add(sent.len);
        let answer = self.conn.tail.iter().find(|packet| {
            packet.from != from && packet.at > at && packet.ack.wrapping_sub(wanted) < u32::MAX / 2
        })?;
        Some(answer.at.ns - at.ns)
    }

    /// INFO reached the client before anybody closed.
    pub fn greeted_in_time(&self) -> bool {
        let close = self.closer().map(|close| close.at);
        // Where it cannot be read, what a server says first is INFO.
        let first = || self.flow(Side::Server).first_data.filter(|_| self.unread);
        self.session()
            .and_then(|session| session.info_at)
            .or_else(first)
            .is_some_and(|at| close.is_none_or(|close| at < close))
    }

    /// How long an established connection waited for INFO, or for its end where none came before it.
    pub fn wait_for_greeting(&self) -> Option<i64> {
        let ack = self.conn.handshake.ack?;
        let close = self.closer().map_or(self.conn.last, |close| close.at);
        let until = self
            .flow(Side::Server)
            .first_data
            .filter(|data| *data < close)
            .unwrap_or(close);
        Some(until.ns - ack.ns)
    }

    /// The SYN was refused, unanswered or answered by ICMP.
    pub fn attempt_failed(&self) -> bool {
        matches!(
            self.conn.end.manner,
            Manner::Refused | Manner::Unanswered | Manner::Unreachable
        )
    }

    /// Retransmitted share of the data packets of `side`.
    pub fn loss_share(&self, side: Side) -> f64 {
        let flow = self.flow(side);
        flow.retransmissions as f64 / (flow.packets.max(1)) as f64
    }

    /// Something other than NATS was spoken.
    pub fn other_protocol(&self) -> Option<&'a str> {
        match &self.session()?.protocol {
            Protocol::Other(what) => Some(what),
            _ => None,
        }
    }
}
