//! `client-fault/client-stall`: the client process stopped running: its kernel acknowledges, it answers no PING.

use crate::attribute::Case;
use crate::attribute::disconnect::{Disconnect, spoken};
use crate::attribute::finding::{Confidence, Finding, Initiator};
use crate::attribute::label::Label;
use crate::attribute::path::{dead_path, stalled};
use crate::attribute::stale;
use crate::attribute::wire::Side;
use crate::time::SECOND;

/// The server's PINGs were acknowledged and not answered; or, from logs alone, its stale verdict reached the client.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let server = case.server_label(disconnect);
    let client = case.client_label(disconnect);
    let remedy = "look at the client process at that time: paused (SIGSTOP, debugger, VM suspend, cgroup freezer), starved of processor, in a long garbage collection, or blocking the thread that reads the connection in a message handler";
    if let Some(stalled) = stalled(disconnect, Side::Client)
        && dead_path(disconnect).is_none()
        && (stale::stated(disconnect) || stalled.pings.count >= 2)
        && disconnect.first_by(Side::Server)
    {
        let pings = stalled.pings.count;
        let summary = format!(
            "{client} stopped running: {pings} PINGs of {server} reached its kernel, and no PONG came"
        );
        let close = disconnect.first_close()?;
        return Some(
            Finding::new(Confidence::Shown, Initiator::Server, summary)
                .because([
                    stalled.view.evidence(
                        stalled.pings.first,
                        "server's PING, acknowledged by the client's kernel, no PONG",
                    ),
                    close.view.evidence(
                        close.close.at,
                        format!(
                            "the server gives up after {}",
                            spoken(close.close.at.ns - stalled.pings.first.ns)
                        ),
                    ),
                ])
                .because(stale::lines(disconnect))
                .remedy(remedy),
        );
    }
    if let Some(finding) = mqtt_silence(disconnect, server, client) {
        return Some(finding.remedy(remedy));
    }
    let verdict = stale::from_logs(disconnect, case)?;
    if !verdict.client_stalled {
        return None;
    }
    let summary =
        format!("{client} stopped answering: {server} called it stale, and the client heard of it");
    Some(
        Finding::new(verdict.confidence, Initiator::Server, summary)
            .because(verdict.evidence)
            .rival(
                "network",
                "blackhole",
                "a capture would show whether the client's kernel acknowledged the server's PINGs",
            )
            .missing("a capture on either side of the connection")
            .remedy(remedy),
    )
}

/// MQTT 3.1.1 section 3.1.2.10: a server closes a client that stays silent for one and a half times its keep alive.
fn mqtt_silence(disconnect: &Disconnect, server: Label, client: Label) -> Option<Finding> {
    let view = disconnect.views.iter().find(|view| {
        view.session()
            .and_then(|session| session.mqtt.as_ref())
            .is_some_and(|mqtt| mqtt.keep_alive > 0 && mqtt.disconnect.is_none())
    })?;
    let keep_alive = i64::from(view.session()?.mqtt.as_ref()?.keep_alive) * SECOND;
    let close = view.closer().filter(|close| close.side == Side::Server)?;
    let last = view.conn.tail.iter().rev().find(|packet| {
        view.side(packet.from) == Side::Client && packet.len > 0 && packet.at < close.at
    })?;
    let silent = close.at.ns - last.at.ns;
    if silent < keep_alive || dead_path(disconnect).is_some() {
        return None;
    }
    let summary = format!(
        "{client} said nothing to {server} for {}, longer than its MQTT keep alive of {} allows",
        spoken(silent),
        spoken(keep_alive)
    );
    Some(
        Finding::new(Confidence::Shown, Initiator::Server, summary).because([
            view.evidence(last.at, "the last thing that the client says"),
            view.evidence(close.at, "the server closes"),
        ]),
    )
}
