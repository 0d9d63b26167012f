//! What never left its host: an end gave up and closed its socket, and the capture at its host shows no packet of that.
//! TCP sends a FIN or RST for every socket that it closes (RFC 9293 section 3.6), so the host could not send.

use crate::parse::server_log::close_reason::CloseReason;
use crate::reconstruct::client::{ClientEvent, ClientEventKind, Trouble};
use crate::span::Moment;
use crate::time::SECOND;

use super::disconnect::{Disconnect, spoken};
use super::finding::Evidence;
use super::wire::{Side, View};

/// Ends do not give up sooner than this.
const SHORTEST_PATIENCE: i64 = 2 * SECOND;

/// An end whose packets did not leave its host.
#[derive(Clone, Debug)]
pub struct Unsent<'a> {
    /// The capture at that host.
    pub view: View<'a>,
    /// The end.
    pub side: Side,
    /// The connection's last packet before its silence.
    from: Moment,
    /// How it is known that this end closed the connection meanwhile.
    closed: Evidence,
}

impl Unsent<'_> {
    /// As evidence.
    pub fn evidence(&self) -> [Evidence; 2] {
        let host = self.side.word();
        let last = format!("the last packet before a silence; nothing leaves the {host}'s host");
        [self.view.evidence(self.from, last), self.closed.clone()]
    }
}

/// The end of this connection whose packets did not leave.
pub fn unsent<'a>(disconnect: &Disconnect<'a>) -> Option<Unsent<'a>> {
    [Side::Client, Side::Server]
        .into_iter()
        .find_map(|side| by_log(disconnect, side).or_else(|| by_reset(disconnect, side)))
}

/// Its log says when it gave up, in the middle of the silence.
fn by_log<'a>(disconnect: &Disconnect<'a>, side: Side) -> Option<Unsent<'a>> {
    let local = || {
        let first = disconnect.views.first();
        first.filter(|_| side == Side::Client && no_way_out(disconnect).is_some())
    };
    let view = disconnect.view_at(side).or_else(local)?;
    let line = match side {
        Side::Client => {
            let given_up = |trouble: &Trouble| matches!(trouble, Trouble::Stale | Trouble::Unsaid);
            &disconnect.trouble(given_up)?.at
        }
        Side::Server if disconnect.reason() == Some(&CloseReason::StaleConnection) => {
            disconnect.server?.closed.as_ref()?
        }
        Side::Server => return None,
    };
    let bounds = disconnect.log(line)?.bounds;
    let (from, until) = silence(view)?;
    let meanwhile = bounds.low - view.when(from).bounds.high >= SHORTEST_PATIENCE
        && bounds.high < view.when(until).bounds.low;
    (meanwhile && quiet(view, side, from)).then(|| Unsent {
        view: *view,
        side,
        from,
        closed: disconnect.quote(line),
    })
}

/// Its kernel answers what arrives after the silence for a socket that is gone, and the capture at its host has not seen
/// it go.
fn by_reset<'a>(disconnect: &Disconnect<'a>, side: Side) -> Option<Unsent<'a>> {
    let view = disconnect.view_at(side)?;
    let rst = view.answer_for_a_gone_socket(side)?;
    let silence = view.conn.last_silence?;
    let lasted = silence.length();
    let woken = (0..SECOND).contains(&(rst.at.ns - silence.until.ns));
    let says = format!(
        "after {} of silence a RST answers for its socket: it was closed meanwhile",
        spoken(lasted)
    );
    (woken && lasted >= SHORTEST_PATIENCE && quiet(view, side, silence.from)).then(|| Unsent {
        view: *view,
        side,
        from: silence.from,
        closed: view.evidence(rst.at, says),
    })
}

/// The connection's last silence, to its end or that of the capture.
fn silence(view: &View) -> Option<(Moment, Moment)> {
    let conn = view.conn;
    let still = view.capture_end.ns - conn.last.ns;
    if still >= SHORTEST_PATIENCE
        && conn
            .last_silence
            .is_none_or(|silence| silence.length() < still)
    {
        return Some((conn.last, view.capture_end));
    }
    conn.last_silence
        .map(|silence| (silence.from, silence.until))
}

/// `side` was neither sending again nor had it closed when the silence began: what backs off is silent, too, and a FIN waits
/// behind data that is not acknowledged.
fn quiet(view: &View, side: Side, from: Moment) -> bool {
    let flow = view.flow(side);
    let run = flow.worst_retransmissions.as_deref();
    run.is_none_or(|run| run.first > from || run.last < from)
        && flow.unacked_since.is_none_or(|since| since > from)
        && flow.fin.is_none_or(|fin| fin > from)
        && view.unanswered(side).is_none_or(|pings| pings.first > from)
}

/// The client's own kernel has no way out: its log says so right after it lost the connection, or before.
pub fn no_way_out<'a>(disconnect: &Disconnect<'a>) -> Option<&'a ClientEvent> {
    let before = disconnect.trouble(|trouble| *trouble == Trouble::NoNetwork);
    before.or_else(|| {
        let (story, conn) = (disconnect.story?, disconnect.client?);
        let after = story.events.get(conn.closed? + 1..)?;
        let away = after.iter().take_while(|event| {
            !matches!(
                event.kind,
                ClientEventKind::Connected | ClientEventKind::Reconnected
            )
        });
        let mut troubles = away.filter_map(|event| Some((event, event.kind.trouble()?)));
        let (first, trouble) = troubles.next()?;
        (trouble == Trouble::NoNetwork).then_some(first)
    })
}
