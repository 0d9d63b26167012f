//! `unexplained`: the evidence does not decide, and what would.

use crate::attribute::Case;
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::{Close, Confidence};
use crate::attribute::outcome;
use crate::attribute::rank::describe;
use crate::attribute::wire::View;
use crate::reconstruct::server::ServerLife;

/// A close that no rule explains.
pub fn close(disconnect: &Disconnect, case: &Case) -> Close {
    let mut close = describe(disconnect, case);
    let server_log = disconnect.life.is_some();
    let debug = disconnect.life.is_some_and(|(_, life)| life.debug);
    let client_log = disconnect.story.is_some();
    let capture = !disconnect.views.is_empty();
    close.cause = "unexplained";
    close.confidence = Confidence::Possible;
    close.initiator = disconnect.wire_initiator();
    let mut missing = Vec::new();
    if !capture {
        missing.push(
            "a capture on either side: it shows who ended the connection and what the path did"
                .to_owned(),
        );
    }
    if disconnect.views.iter().any(View::unread) {
        missing.push("what was said: the snap length of the capture cut it off (tcpdump -s 0 keeps it, -s 600 its essentials)".to_owned());
    }
    // A log of the server at this address that does not name the connection cannot be asked for again.
    let unnamed = !server_log
        && case.endpoint(disconnect).is_some_and(|endpoint| {
            let lives = endpoint.lives.iter();
            lives
                .filter_map(|life| disconnect.records.servers.get(*life))
                .any(ServerLife::has_log)
        });
    if unnamed {
        missing.push("a word of this connection in the server's log: the one given does not name it (the server may never have accepted it; -D, debug: true names all it accepts)".to_owned());
    } else if !server_log {
        missing.push("the server's log".to_owned());
    } else if !debug {
        missing.push("the server's log at debug level (-D, debug: true): client closes and their reasons are DBG lines".to_owned());
    }
    if !client_log {
        missing.push("the client's log".to_owned());
    }
    close.detail = if !capture {
        "no-capture"
    } else if !server_log {
        "no-server-log"
    } else if !client_log {
        "no-client-log"
    } else {
        "undecided"
    };
    let client = case.client_label(disconnect);
    let server = case.server_label(disconnect);
    close.summary = format!(
        "the connection between {client} and {server} ended; the evidence given does not tell why"
    );
    close.evidence = disconnect
        .first_close()
        .map(|first| {
            let what = if first.close.rst { "RST" } else { "FIN" };
            first.view.evidence(
                first.close.at,
                format!("{what} of the {} comes first", first.close.side.word()),
            )
        })
        .into_iter()
        .chain(
            disconnect
                .statements
                .iter()
                .map(|said| said.evidence.clone()),
        )
        .chain(
            disconnect
                .client_why()
                .map(|event| disconnect.quote(&event.at)),
        )
        .collect();
    close.missing = missing;
    outcome::complete(&mut close, disconnect, case);
    close
}
