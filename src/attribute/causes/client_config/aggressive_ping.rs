//! `client-config/aggressive-ping`: the client's ping interval times its pings out is shorter than ordinary hiccups.

use crate::attribute::Case;
use crate::attribute::disconnect::{Disconnect, spoken};
use crate::attribute::finding::{Confidence, Finding, Initiator};
use crate::attribute::path::{all_arrived, dead_path};
use crate::attribute::settings::Names;
use crate::attribute::wire::Side;
use crate::reconstruct::client::Trouble;
use crate::time::SECOND;

/// A patience below this does not outlast one retransmission with back-off (RFC 6298: 1 s, 2 s, 4 s) or a pause of the
/// other side's garbage collector and scheduler; every library's default is a hundred times longer.
const SHORT_PATIENCE: i64 = 3 * SECOND;

/// The client left over PINGs that had been out for a short time, and the server was answering: its PONG came late, or
/// its other data kept coming.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let first = disconnect
        .first_close()
        .filter(|first| first.close.side == Side::Client)?;
    if let Some(finding) =
        faster_than_the_path(disconnect, case).or_else(|| answered_late(disconnect, case))
    {
        return Some(finding);
    }
    let pings = first.view.unanswered(Side::Client)?;
    if dead_path(disconnect).is_some() || !disconnect.was_ready() {
        return None;
    }
    let patience = first.close.at.ns - pings.first.ns;
    let interval = first.view.talk(Side::Client)?.ping_interval;
    let told = disconnect.trouble(|trouble| *trouble == Trouble::Stale);
    let frequent = interval.map_or(told.is_some(), |interval| interval < SHORT_PATIENCE);
    let alive = first
        .view
        .flow(Side::Server)
        .last_data
        .is_some_and(|last| last.ns > first.close.at.ns - patience);
    let late = disconnect.views.iter().find_map(|view| {
        let close = view.closer()?;
        let last = view.talk(Side::Server)?.last_op?;
        (last.ns > close.at.ns).then_some((*view, last))
    });
    // The kernel answered at once and the process did not: that is the server's stall, however short the patience.
    let prompt = disconnect.views.iter().any(|view| {
        let Some(pings) = view.unanswered(Side::Client) else {
            return false;
        };
        let quick = view
            .ack_delay(Side::Client, pings.first)
            .is_some_and(|delay| delay < patience / 4);
        let answered = view
            .talk(Side::Server)
            .and_then(|talk| talk.last_op)
            .is_some_and(|last| last.ns > pings.first.ns && last.ns - pings.first.ns < patience);
        quick && !answered && (view.near_server() || disconnect.views.len() == 1)
    });
    if prompt || patience > SHORT_PATIENCE || !frequent || !(alive || late.is_some()) {
        return None;
    }
    let names = Names::of_client(disconnect);
    let every = spoken(interval.unwrap_or(patience));
    let summary = format!(
        "{} called a healthy connection stale after {}: it pings every {every}",
        case.client_label(disconnect),
        spoken(patience)
    );
    Some(
        Finding::new(Confidence::Shown, Initiator::Client, summary)
            .because([first.view.evidence(
                pings.first,
                format!(
                    "first of {} PINGs that the client did not wait for",
                    pings.count
                ),
            )])
            .because(told.map(|event| disconnect.quote(&event.at)))
            .because(late.map(|(view, at)| {
                view.evidence(at, "the server's answer arrives after the client has left")
            }))
            .remedy(more_patience(&names, &every)),
    )
}

/// Answers that come this much later are no hiccup.
const HICCUP: i64 = 10 * SECOND;

/// A hiccup of the path, and the client does not outlast it: its FIN waits behind data that is not acknowledged yet, and
/// the RST, with which its kernel answers what arrives for the closed socket, is all that the wire shows of its leaving.
/// Its log tells when it left; two captures show that nothing was lost.
fn answered_late(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    if !disconnect.was_ready() || disconnect.intended() || disconnect.server_gave_reason() {
        return None;
    }
    let view = disconnect.first_close()?.view;
    let interval = view
        .talk(Side::Client)?
        .ping_interval
        .filter(|interval| *interval < SHORT_PATIENCE)?;
    let rst = view.left_in_a_hiccup()?;
    let answer = view.talk(Side::Server)?.last_op?;
    let told = disconnect.trouble(|trouble| matches!(trouble, Trouble::Stale | Trouble::Unsaid));
    let left = told.and_then(|event| disconnect.log(&event.at));
    let soon = left.is_none_or(|left| {
        [answer, rst.at]
            .map(|at| view.when(at).bounds)
            .iter()
            .all(|at| {
                at.high >= left.bounds.low && at.low.saturating_sub(left.bounds.high) < HICCUP
            })
    });
    if !soon {
        return None;
    }
    let arrived = all_arrived(disconnect);
    let names = Names::of_client(disconnect);
    let every = spoken(interval);
    let late = left
        .map(|left| view.when(answer).bounds.low - left.bounds.high)
        .filter(|late| *late > 0)
        .map_or(String::new(), |late| {
            format!(", {} after it had left", spoken(late))
        });
    let (confidence, came) = if arrived {
        (Confidence::Likely, "every answer came")
    } else {
        (Confidence::Possible, "answers came")
    };
    let summary = format!(
        "{} did not outlast a hiccup of the path: it pings every {every}, and {came}{late}",
        case.client_label(disconnect),
    );
    let finding = Finding::new(confidence, Initiator::Client, summary)
        .because(told.map(|event| disconnect.quote(&event.at)))
        .because([
            view.evidence(answer, "an answer of the server, late"),
            view.evidence(rst.at, "a RST answers what is late: the client's socket is closed already"),
        ])
        .remedy(more_patience(&names, &every))
        .remedy("look for what held packets back in the path at that moment: a full queue (bufferbloat), a policer, a virtual machine that was moved");
    Some(if arrived {
        finding
    } else {
        finding
            .rival(
                "network",
                "packet-loss",
                "one capture does not tell whether packets were late or lost",
            )
            .missing("a second capture, at the other host, and the client's log")
    })
}

/// Seen from the server: its PONGs leave at once, and the path is so long that the client's next PING is due before one
/// can arrive.
fn faster_than_the_path(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    if disconnect.intended() || !disconnect.was_ready() || disconnect.server_gave_reason() {
        return None;
    }
    let (view, interval, rtt) = disconnect.views.iter().find_map(|view| {
        let interval = view.talk(Side::Client)?.ping_interval?;
        let rtt = view.conn.handshake.rtt()?;
        let at_server = !view.near_client() && view.unanswered(Side::Client).is_none();
        (at_server && interval < rtt).then_some((*view, interval, rtt))
    })?;
    let names = Names::of(disconnect.client_identity().1);
    let (every, trip) = (spoken(interval), spoken(rtt));
    let summary = format!(
        "{} pings every {every} over a path whose round trip is {trip}: no PONG can come in time",
        case.client_label(disconnect)
    );
    Some(
        Finding::new(Confidence::Likely, Initiator::Client, summary)
            .because([view.evidence(
                view.conn.handshake.ack?,
                format!("the handshake's round trip: {trip}"),
            )])
            .because(disconnect.first_close().map(|first| {
                first
                    .view
                    .evidence(first.close.at, "the client leaves first")
            }))
            .remedy(format!(
                "{}: raise {} (now {every}) well above the path's round trip",
                names.library, names.ping_interval
            )),
    )
}

fn more_patience(names: &Names, every: &str) -> String {
    format!(
        "{}: raise {} (now {every}) and {}; the product is the hiccup that it survives",
        names.library, names.ping_interval, names.max_pings_out
    )
}
