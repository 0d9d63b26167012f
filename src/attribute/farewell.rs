//! What a server's last bytes say of its process: a Go server that closes a connection itself says goodbye inside TLS
//! (close_notify, RFC 8446 section 6.1) and WebSocket (a close frame, `markConnAsClosed` in server/client.go); a kernel
//! that closes the sockets of a dead process cannot.

use super::disconnect::Disconnect;
use super::finding::Evidence;
use super::wire::{Side, View};

/// A goodbye, or its absence.
#[derive(Clone, Debug)]
pub struct Farewell {
    /// The process said goodbye itself.
    pub said: bool,
    /// The packet.
    pub evidence: Evidence,
}

/// The farewell of a connection that the server's side closed, where its protocol has one.
pub fn farewell(disconnect: &Disconnect) -> Option<Farewell> {
    disconnect.views.iter().find_map(of_view)
}

fn of_view(view: &View) -> Option<Farewell> {
    let close = view.closer().filter(|close| close.side == Side::Server)?;
    let session = view.session()?;
    let tls = session.tls.as_ref().filter(|tls| tls.established);
    let web = session
        .websocket
        .as_ref()
        .filter(|web| web.status == Some(101));
    let notified = tls.and_then(|tls| tls.server_close_notify);
    let framed = web
        .and_then(|web| web.close.as_ref())
        .filter(|(_, from_server, ..)| *from_server)
        .map(|(at, ..)| *at);
    if let Some(at) = notified.or(framed) {
        let what = if notified.is_some() {
            "TLS close_notify"
        } else {
            "WebSocket close frame"
        };
        let says = format!("{what} from the server: its process closed the connection itself");
        return Some(Farewell {
            said: true,
            evidence: view.evidence(at, says),
        });
    }
    let flow = view.flow(Side::Server);
    let whole = flow.capture_lost_bytes == 0 && flow.snapped_bytes == 0;
    // What a full window held back may have been the goodbye.
    let open = !view.zero_window_at_end(Side::Client) && flow.unacked_since.is_none();
    let what = if tls.is_some() {
        "TLS close_notify"
    } else {
        "WebSocket close frame"
    };
    let lacking = whole && open && !close.rst && (tls.is_some() || web.is_some());
    lacking.then(|| Farewell {
        said: false,
        evidence: view.evidence(
            close.at,
            format!("FIN of the server without a {what} before it: the kernel closed it, not the process"),
        ),
    })
}
