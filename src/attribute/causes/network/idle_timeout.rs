//! `network/idle-timeout`: a NAT, firewall or load balancer forgot an idle flow; the first packet after the silence is
//! lost or reset.

use crate::attribute::Case;
use crate::attribute::disconnect::{Disconnect, spoken};
use crate::attribute::finding::{Confidence, Evidence, Finding, Initiator};
use crate::attribute::out_of_sight::{self, How};
use crate::attribute::path::{SHORTEST_IDLE_TIMER, dead_path};
use crate::attribute::settings::Names;
use crate::attribute::unsent::unsent;
use crate::attribute::wire::Side;
use crate::reconstruct::conn::{self, RstOrigin};

/// The connection had never survived a silence this long (within this factor): regular PINGs that got through before
/// speak against a timer.
const LONGER_THAN_EVER: f64 = 1.3;

/// A silence that was lived through and is this many times shorter than the deadly one bounds nothing worth a word.
const TELLING: i64 = 4;

/// A silence longer than any before it, then the first packet after it is lost or answered with a RST.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    if !disconnect.was_ready() {
        return None;
    }
    if let Some(finding) = out_of_sight::ended(disconnect, case, How::Idle) {
        let names = Names::of_client(disconnect);
        let pings = format!(
            "{}: set {} well below the silence that it did not survive, or ping_interval on the server; or raise the idle timer of the firewall, NAT or load balancer in the path",
            names.library, names.ping_interval
        );
        return Some(finding.remedy(pings));
    }
    // Idle is who has nothing to send, not who cannot.
    if unsent(disconnect).is_some() {
        return None;
    }
    let (idle, survived, evidence) =
        lost_after_silence(disconnect).or_else(|| reset_after_silence(disconnect))?;
    if spoken_meanwhile(disconnect, idle)
        || idle < SHORTEST_IDLE_TIMER
        || (idle as f64) < survived as f64 * LONGER_THAN_EVER
    {
        return None;
    }
    // Others that died at the same moment without such a silence: the whole path failed, not one flow's entry.
    let timer = case.timer(disconnect, idle);
    let confidence = if timer.deaths >= 2 || disconnect.views.len() >= 2 {
        Confidence::Shown
    } else {
        Confidence::Likely
    };
    let names = Names::of_client(disconnect);
    let summary = format!(
        "a device between {} and {} forgot the connection while it was idle for {}",
        case.client_label(disconnect),
        case.server_label(disconnect),
        spoken(idle)
    );
    let summary = match timer.deaths {
        0 | 1 => summary,
        2 => format!("{summary}, as another did at about that age"),
        deaths => format!("{summary}, as {} others did at about that age", deaths - 1),
    };
    let telling = timer.above.filter(|above| *above > timer.below / TELLING);
    let between = telling.map_or_else(
        || format!("below {}", spoken(timer.below)),
        |above| {
            format!(
                "between {}, which a connection lived through, and {}",
                spoken(above),
                spoken(timer.below)
            )
        },
    );
    let half = timer.below / 2;
    let safe = timer.above.filter(|above| *above > half).unwrap_or(half);
    Some(
        Finding::new(confidence, Initiator::Network, summary)
            .because(evidence)
            .rival("network", "blackhole", "a path that failed during the silence looks the same on one connection; several that die at the same idle age do not")
            .remedy(format!(
                "{}: set {} to {} or less, or ping_interval on the server: the device's idle timer lies {between}",
                names.library,
                names.ping_interval,
                spoken(safe)
            ))
            .remedy(format!(
                "or raise the idle timer of the firewall, NAT or load balancer in the path to {} (for example nf_conntrack_tcp_timeout_established, the load balancer's idle timeout) above the ping interval (servers ping every 2 minutes by default)",
                disconnect.server_address().map_or_else(|| "the server".to_owned(), |address| address.to_string())
            )),
    )
}

/// One capture's silence is no idle time when another saw an end retransmit all through it.
fn spoken_meanwhile(disconnect: &Disconnect, idle: i64) -> bool {
    disconnect.views.iter().any(|view| {
        [Side::Client, Side::Server].into_iter().any(|side| {
            let run = view.flow(side).worst_retransmissions.as_deref();
            run.is_some_and(|run| {
                let lasted = run.last.ns - run.first.ns;
                let before = disconnect.views.iter().any(|other| {
                    let silence = other.conn.last_silence;
                    silence.is_some_and(|silence| {
                        other.when(silence.until).at.since(view.when(run.first).at) > idle / 2
                    })
                });
                run.count >= 3 && lasted > idle / 2 && before
            })
        })
    })
}

type Silence = Option<(i64, i64, Vec<Evidence>)>;

fn lost_after_silence(disconnect: &Disconnect) -> Silence {
    let dead = dead_path(disconnect)?;
    let (idle, survived) = dead.idle_before();
    let silence = dead.view.conn.last_silence?;
    // The fatal segment must be the one that broke the silence.
    if dead.path.since.ns - silence.until.ns > idle / 2 {
        return None;
    }
    let mut evidence = vec![dead.view.evidence(
        silence.from,
        format!("last packet before {} of silence", spoken(idle)),
    )];
    evidence.extend(dead.evidence());
    Some((idle, survived, evidence))
}

fn reset_after_silence(disconnect: &Disconnect) -> Silence {
    disconnect.views.iter().find_map(|view| {
        let rst = view.closing_rst()?;
        let silence = view.conn.last_silence?;
        let idle = silence.length();
        let prompt = rst.at.ns - silence.until.ns < idle / 2;
        let own = matches!(rst.origin, RstOrigin::OwnActive) && view.side(rst.from) == Side::Client;
        let alone = disconnect.view_at(view.side(rst.from)).is_none_or(|other| {
            std::ptr::eq(other.conn, view.conn)
                || !other
                    .conn
                    .rsts
                    .iter()
                    .any(|seen| other.side(seen.from) == view.side(rst.from))
        });
        if !prompt || own || !alone {
            return None;
        }
        let survived = view.conn.survived_silence();
        let survived = survived.map_or(0, conn::Silence::length);
        let evidence = vec![
            view.evidence(
                silence.from,
                format!("last packet before {} of silence", spoken(idle)),
            ),
            view.evidence(silence.until, "the first packet after it"),
            view.evidence(rst.at, "answered by a RST"),
        ];
        Some((idle, survived, evidence))
    })
}
