//! A server's listening socket seen from outside: which connections its kernel took and the process did not greet, and
//! what the process said elsewhere meanwhile. A process that speaks and does not accept has its reason in `accept`.

use crate::parse::packet::FIN;
use crate::reconstruct::conn::Sample;
use crate::time::SECOND;

use super::Case;
use super::disconnect::Disconnect;
use super::finding::Evidence;
use super::wire::{Side, View};

/// A process that goes on after a stall accepts and answers within milliseconds of each other, in any order: words this
/// close to a greeting do not show that it ran while nobody was greeted.
const ONE_WAKING: i64 = SECOND / 4;

/// An accepting process takes a connection within this.
const PROMPT: i64 = SECOND / 10;

/// One server's accepting.
#[derive(Clone, Debug, Default)]
pub struct Listener {
    /// When each greeted connection was taken by the kernel, ascending, with the earliest greeting of it and of all later
    /// ones: the accept queue is first in, first out.
    taken: Vec<(i64, i64)>,
    /// When somebody was greeted, ascending.
    greeted: Vec<i64>,
    /// When the process spoke on a connection that it had greeted, ascending, no two nearer than [`PROMPT`].
    spoke: Vec<(i64, Spoken)>,
}

/// A packet in which the process spoke, by disconnect and frame.
#[derive(Clone, Copy, Debug)]
struct Spoken {
    disconnect: usize,
    at: crate::span::Moment,
}

impl Listener {
    /// Takes in what one connection of the server tells.
    pub fn hear(&mut self, disconnect: &Disconnect) {
        let Some(view) = disconnect.views.first() else {
            return;
        };
        let ns = |at: crate::span::Moment| view.when(at).at.0;
        let info = view.session().and_then(|session| session.info_at).map(ns);
        if let (Some(taken), Some(info)) = (view.conn.handshake.ack.map(ns), info) {
            self.taken.push((taken, info));
        }
        self.greeted.extend(info);
        if disconnect.was_ready() {
            let spoken = own_words(view).map(|at| {
                let disconnect = disconnect.index;
                (ns(at), Spoken { disconnect, at })
            });
            self.spoke.extend(spoken);
        }
    }

    /// Brings in order what was heard of all its connections.
    pub fn settle(&mut self) {
        self.taken.sort_unstable();
        let mut earliest = i64::MAX;
        for (_, info) in self.taken.iter_mut().rev() {
            earliest = earliest.min(*info);
            *info = earliest;
        }
        self.greeted.sort_unstable();
        self.spoke
            .sort_by_key(|(ns, spoken)| (*ns, spoken.disconnect));
        let mut last = i64::MIN;
        self.spoke.retain(|(ns, _)| {
            let keep = ns.saturating_sub(last) >= PROMPT;
            if keep {
                last = *ns;
            }
            keep
        });
        self.spoke.shrink_to_fit();
    }

    /// A packet in which the process spoke to somebody else while the connection of `view` waited to be accepted.
    pub fn spoke_meanwhile(&self, view: &View, case: &Case) -> Option<Evidence> {
        let taken = view.when(view.conn.handshake.ack?).at.0;
        // A later connection that was greeted had been behind this one in the queue.
        let later = self.taken.partition_point(|(other, _)| *other <= taken);
        let own = view.session().and_then(|session| session.info_at);
        let until = self
            .taken
            .get(later)
            .map_or(i64::MAX, |(_, info)| *info)
            .min(own.map_or(i64::MAX, |at| view.when(at).at.0));
        let from = taken.saturating_add(PROMPT);
        let first = self.spoke.partition_point(|(ns, _)| *ns < from);
        let (_, spoken) = self.spoke[first..]
            .iter()
            .take_while(|(ns, _)| *ns < until)
            .find(|(ns, _)| !self.greeted_near(*ns))?;
        case.with(spoken.disconnect, |other| {
            let view = other.views.first()?;
            Some(view.evidence(
                spoken.at,
                "meanwhile the server speaks on another connection: it runs, and accepts nobody",
            ))
        })
    }

    fn greeted_near(&self, ns: i64) -> bool {
        let from = self
            .greeted
            .partition_point(|at| *at < ns.saturating_sub(ONE_WAKING));
        self.greeted
            .get(from)
            .is_some_and(|at| *at <= ns.saturating_add(ONE_WAKING))
    }
}

/// Packets that only a running process causes: first transmissions of its data, not what a kernel still had to send, and
/// its FIN in answer to the client's.
fn own_words<'a>(view: &'a View) -> impl Iterator<Item = crate::span::Moment> + 'a {
    let conn = view.conn;
    let server = move |from| view.side(from) == Side::Server;
    let queued = view.flow(Side::Client).zero_windows > 0;
    let full = view.flow(Side::Server).mss.map_or(1_200, u32::from) * 4 / 5;
    let samples = conn
        .samples
        .iter()
        .filter(move |sample| server(sample.from) && (1..full).contains(&sample.len))
        .map(Sample::at);
    let answers = view
        .closer()
        .is_some_and(|close| close.side == Side::Client && !close.rst);
    let tail = conn
        .tail
        .iter()
        .filter(move |packet| {
            let data = (1..full).contains(&packet.len);
            server(packet.from)
                && packet.note.is_empty()
                && (data || answers && packet.flags & FIN != 0)
        })
        .map(|packet| packet.at);
    samples.chain(tail).filter(move |_| !queued)
}
