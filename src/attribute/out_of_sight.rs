//! Connections that the only capture shows open although their client has left them ([`Superseded`]): what their end most
//! likely was, by how long the client took to come back.

use crate::align::superseded::Superseded;

use super::Case;
use super::disconnect::{Disconnect, spoken};
use super::finding::{Confidence, Finding, Initiator};
use super::path::SHORTEST_IDLE_TIMER;

/// How a client that came back found its connection gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// In the midst of traffic and at once: somebody told it, and the server was not told.
    Told,
    /// After a silence in which nobody had anything to say.
    Idle,
    /// It had been speaking, and no longer got through.
    Silent,
}

impl How {
    fn of(end: &Superseded) -> Self {
        match (end.steady, end.silence() < SHORTEST_IDLE_TIMER) {
            (true, true) => Self::Told,
            (false, false) => Self::Idle,
            _ => Self::Silent,
        }
    }
}

/// The finding of one manner, without its remedy.
pub fn ended(disconnect: &Disconnect, case: &Case, how: How) -> Option<Finding> {
    let end = disconnect.joined.superseded.as_deref()?;
    if How::of(end) != how {
        return None;
    }
    let view = disconnect.views.first()?;
    let away = spoken(end.silence());
    let (client, server) = (case.client_label(disconnect), case.server_label(disconnect));
    let (summary, said) = match how {
        How::Told => (
            format!(
                "{client} lost its connection to {server} in the midst of traffic and was back after {away}; no FIN or RST of it reached this capture: a RST that only the client received"
            ),
            "is there at once, so something told it",
        ),
        How::Idle => (
            format!(
                "{client} came back to {server} on a new connection after {away} of silence on this one, whose end never reached this capture: something in between forgot it while it was idle"
            ),
            "is there after the longest silence of this connection",
        ),
        How::Silent => (
            format!(
                "{client} stopped getting through to {server} and came back on a new connection after {away}; the end of this one never reached this capture"
            ),
            "is there, and this one stays silent",
        ),
    };
    Some(
        Finding::new(Confidence::Possible, Initiator::Network, summary)
            .because([
                view.evidence(
                    end.last,
                    format!(
                        "its last packet; it had never been silent for longer than {}",
                        spoken(end.habit)
                    ),
                ),
                view.evidence(end.back, format!("the same client's next connection {said}")),
            ])
            .rival(
                "client-fault",
                "process-exit",
                "a host that lost power, or a process whose FIN was lost on its way, looks the same from here",
            )
            .missing("a capture at the client, or its log")
            .missing("the server's log: when it closes this connection, and why"),
    )
}
