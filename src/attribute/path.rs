//! Judgements about the path and the two processes that several network and stall rules share: who stopped hearing whom.

use crate::reconstruct::conn::{RstOrigin, Silence};
use crate::time::SECOND;

use super::crossing::crossings;
use super::disconnect::Disconnect;
use super::finding::Evidence;
use super::wire::{DeadPath, Side, Unanswered, View};

/// Segments of one side that never got an answer, in one view.
#[derive(Clone, Copy, Debug)]
pub struct Dead<'a> {
    /// The view.
    pub view: View<'a>,
    /// Whose segments.
    pub from: Side,
    /// The retransmissions.
    pub path: DeadPath,
}

/// The path died under this connection: a side's segments went unacknowledged to the end. The view at that side's own
/// host is the witness; the other view only shows what arrived.
pub fn dead_path<'a>(disconnect: &Disconnect<'a>) -> Option<Dead<'a>> {
    let mut found: Vec<Dead> = Vec::new();
    for view in &disconnect.views {
        for from in [Side::Client, Side::Server] {
            if let Some(path) = view.dead_path(from) {
                found.push(Dead {
                    view: *view,
                    from,
                    path,
                });
            }
        }
    }
    if found.is_empty() {
        found.extend(healed(disconnect));
    }
    // A queue that held everything back for a while is a slow path, and nobody's death.
    if !found.is_empty() && all_arrived(disconnect) {
        return None;
    }
    // What follows the first close (a FIN into nothing, a reply to a closed socket) is aftermath, unless the silence
    // began before it.
    let close = disconnect
        .first_close()
        .map(|first| first.view.when(first.close.at).at);
    found
        .into_iter()
        .filter(|dead| close.is_none_or(|close| dead.view.when(dead.path.since).at < close))
        .filter(|dead| !dead.answered_with_rst())
        .min_by_key(|dead| dead.view.when(dead.path.since).at)
}

/// A packet that takes this long was held back.
const HELD_BACK: i64 = SECOND / 5;

/// Two captures of the connection, one near each end, hold the same packets and the same bytes of both directions, and some
/// took long on their way: late, and not lost. A host that drops what its own capture has seen arrive holds nothing back.
pub fn all_arrived(disconnect: &Disconnect) -> bool {
    let (Some(client), Some(server)) = (
        disconnect.view_at(Side::Client),
        disconnect.view_at(Side::Server),
    ) else {
        return false;
    };
    client.conn.source != server.conn.source
        && [Side::Client, Side::Server].into_iter().all(|side| {
            let (here, there) = (client.flow(side), server.flow(side));
            (here.packets, here.bytes) == (there.packets, there.bytes)
        })
        && crossings(disconnect).iter().any(|crossing| {
            crossing
                .delay
                .is_some_and(|delay| delay.high - delay.uncertain > HELD_BACK)
        })
}

/// A path that was dead when an end gave up, and came back too late: the longest run of retransmissions spans the moment
/// of giving up, in front of an open window.
fn healed<'a>(disconnect: &Disconnect<'a>) -> Option<Dead<'a>> {
    const PERSISTENT: u32 = 3;
    let logged = disconnect
        .server
        .and_then(|conn| disconnect.log(conn.closed.as_ref()?));
    let gave_up = logged.or_else(|| {
        let first = disconnect.first_close()?;
        Some(first.view.when(first.close.at))
    })?;
    disconnect.views.iter().find_map(|view| {
        [Side::Client, Side::Server].into_iter().find_map(|from| {
            let run = view
                .flow(from)
                .worst_retransmissions
                .as_deref()
                .copied()
                .filter(|run| run.count >= PERSISTENT && run.last.ns - run.first.ns >= SECOND)?;
            let spans = view.when(run.first).at < gave_up.at
                && view.when(run.last).at.since(gave_up.at) > -SECOND;
            let reads = view.flow(from.other()).zero_windows == 0;
            (spans && reads).then_some(Dead {
                view: *view,
                from,
                path: DeadPath {
                    since: run.first,
                    run,
                    peer_silent: true,
                },
            })
        })
    })
}

/// A path that carries an answer this soon is slow, not dead.
const SLOW: i64 = 3 * SECOND;

impl Dead<'_> {
    /// The peer's host answered, with a RST: its socket was closed already, and no FIN of it had come through.
    fn answered_with_rst(&self) -> bool {
        let since = self.path.since;
        let peer = self.from.other();
        let gone = self.view.flow(peer).fin;
        let mut rsts = self.view.conn.rsts.iter().filter(|rst| {
            self.view.side(rst.from) == peer && rst.origin != RstOrigin::Injected && rst.at > since
        });
        rsts.any(|rst| rst.at.ns - since.ns < SLOW && gone.is_none_or(|fin| rst.at < fin))
    }

    /// As evidence.
    pub fn evidence(&self) -> Vec<Evidence> {
        let from = self.from.word();
        let to = self.from.other().word();
        let count = self.path.run.count;
        let over = super::disconnect::spoken(self.path.run.last.ns - self.path.since.ns);
        vec![
            self.view.evidence(
                self.path.since,
                format!("{from} sends data that the {to} never acknowledges"),
            ),
            self.view.evidence(
                self.path.run.last,
                format!("last of {count} retransmissions of it over {over}"),
            ),
        ]
    }

    /// Segments were lost on this connection before the fatal ones too, or later ones arrived behind them: loss, not
    /// silence. What the peer sends again although it was acknowledged here lacks the same direction's acknowledgements
    /// and speaks of no other loss.
    pub fn lossy(&self) -> bool {
        let flow = self.view.flow(self.from);
        let peer = self.view.flow(self.from.other());
        let last = u64::from(self.path.run.count);
        let needed = peer
            .retransmissions
            .saturating_sub(peer.spurious_retransmissions);
        self.heard() || flow.retransmissions.saturating_sub(last) >= 2 || needed >= 3
    }

    /// The peer told of later segments that arrived behind the fatal one: the path carried something both ways.
    pub fn heard(&self) -> bool {
        !self.path.peer_silent && self.view.flow(self.from.other()).sack_acks > 0
    }

    /// The silence right before the fatal segment, and the longest that the connection had survived before it.
    pub fn idle_before(&self) -> (i64, i64) {
        let conn = self.view.conn;
        (
            conn.last_silence.map_or(0, Silence::length),
            conn.survived_silence().map_or(0, Silence::length),
        )
    }
}

/// A process that its kernel answers for: its PINGs are acknowledged by TCP and answered by nobody.
#[derive(Clone, Copy, Debug)]
pub struct Stalled<'a> {
    /// The view.
    pub view: View<'a>,
    /// The side that does not answer.
    pub side: Side,
    /// The other side's PINGs.
    pub pings: Unanswered,
}

/// `side` stalled: the other's PINGs were acknowledged by its kernel, and no PONG came.
pub fn stalled<'a>(disconnect: &Disconnect<'a>, side: Side) -> Option<Stalled<'a>> {
    // The capture at its own host knows best whether it answered.
    if disconnect
        .view_at(side)
        .is_some_and(|home| home.unanswered(side.other()).is_none())
    {
        return None;
    }
    disconnect.views.iter().find_map(|view| {
        let pings = view.unanswered(side.other())?;
        // A kernel answers within a round trip; where that itself ate the patience, the path is slow.
        let patience = view
            .closer()
            .map_or(i64::MAX, |close| close.at.ns - pings.first.ns);
        if view
            .ack_delay(side.other(), pings.first)
            .is_some_and(|delay| delay > patience / 2)
        {
            return None;
        }
        // Data that the stalled side sends after the PING and before the close says that it runs.
        let close = view.closer().map(|close| close.at);
        let spoke = view.conn.tail.iter().any(|packet| {
            view.side(packet.from) == side
                && packet.len > 0
                && packet.at > pings.first
                && close.is_none_or(|close| packet.at < close)
        });
        (pings.acked && !spoke && view.dead_path(side.other()).is_none()).then_some(Stalled {
            view: *view,
            side,
            pings,
        })
    })
}

/// Silences shorter than this are ordinary: no middlebox forgets a flow that fast.
pub const SHORTEST_IDLE_TIMER: i64 = 5 * SECOND;
