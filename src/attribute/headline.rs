//! One sentence for an incident: what happened to whom, how many connections it cost, and what became of the clients.

use std::fmt::Write as _;

use super::Case;
use super::disconnect::spoken;
use super::finding::Close;
use super::pattern;

/// The sentence of the closes `members`.
pub fn of(cause: &str, detail: &str, members: &[usize], closes: &[Close], case: &Case) -> String {
    let members: Vec<&Close> = members.iter().map(|&index| &closes[index]).collect();
    let server = case
        .server_label(&case.disconnects[members[0].joined])
        .to_string();
    let attempts = members.iter().filter(|close| close.attempt).count();
    let mut text = format!(
        "{}: {}",
        what(cause, detail, &server, &who(&members)),
        cost(members.len() - attempts, attempts)
    );
    let outcome = |word: &str| {
        let same = members.iter().filter(|close| close.outcome.word == word);
        same.count()
    };
    let back = outcome("reconnected");
    if back > 0 {
        let mut times: Vec<i64> = members
            .iter()
            .filter_map(|close| close.outcome.after_ns)
            .collect();
        times.sort_unstable();
        let _ = write!(text, ", {back} back");
        if let Some(median) = times.get(times.len() / 2) {
            let within = if back == 1 { "after" } else { "in a median of" };
            let _ = write!(text, " {within} {}", spoken(*median));
        }
    }
    let lost = outcome("gave-up");
    if lost > 0 {
        let _ = write!(text, ", {lost} gave up");
    }
    let down = outcome("still-down");
    if down > 0 {
        let _ = write!(text, ", {down} still down at the log's end");
    }
    for clause in pattern::clauses(&members, case) {
        let _ = write!(text, "; {clause}");
    }
    text
}

/// Whose connections closed: `a client`, `clients`, `a leafnode`.
fn who(members: &[&Close]) -> String {
    let first = members[0].kind;
    let alike = members.iter().all(|close| close.kind == first);
    let kind = match first {
        "route" | "gateway" | "leafnode" if alike => first,
        _ => "client",
    };
    if members.len() == 1 {
        format!("a {kind}")
    } else {
        format!("{kind}s")
    }
}

/// `1 socket closed`, `2 sockets closed and 1 attempt to connect failed`.
fn cost(sockets: usize, attempts: usize) -> String {
    let closed = match sockets {
        1 => "1 socket closed".to_owned(),
        many => format!("{many} sockets closed"),
    };
    let failed = match attempts {
        1 => "1 attempt to connect failed".to_owned(),
        many => format!("{many} attempts to connect failed"),
    };
    match (sockets, attempts) {
        (_, 0) => closed,
        (0, _) => failed,
        _ => format!("{closed} and {failed}"),
    }
}

/// What happened, as one would tell a colleague.
fn what(cause: &str, detail: &str, server: &str, some: &str) -> String {
    match (cause, detail) {
        ("network", "rst-injected") => {
            format!("something in the path to {server} reset connections")
        }
        ("network", "idle-timeout") => {
            format!("a device in the path to {server} forgot idle connections")
        }
        ("network", "proxy-closed") => {
            format!("something between {some} and {server} closed connections towards both")
        }
        ("network", "blackhole") => format!("the path between {some} and {server} went silent"),
        ("network", "packet-loss") => format!("the path between {some} and {server} lost packets"),
        ("network", "mtu-blackhole") => {
            format!("the path between {some} and {server} lost large packets")
        }
        ("network", "unreachable") => format!("{server} could not be reached"),
        ("network", "link-down") => format!("a network link between {some} and {server} went down"),
        ("network", _) => format!("the network between {some} and {server} failed ({detail})"),
        ("server-shutdown", "graceful") => format!("{server} was stopped"),
        ("server-shutdown", "lame-duck") => format!("{server} went into lame duck mode"),
        ("server-shutdown", "crash") => format!("{server} crashed"),
        ("server-shutdown", "killed") => format!("{server} was killed"),
        ("server-shutdown", "host-down") => format!("the host of {server} went away"),
        ("overload", "max-connections") => format!("{server} refused connections over its limit"),
        ("overload", "out-of-memory") => format!("{server} ran out of memory"),
        ("overload", "oom-kill") => format!("the kernel's OOM killer ended {server}"),
        ("overload", "server-stall") => format!("{server} stopped answering"),
        ("overload", "fd-exhaustion") => format!("{server} had no file descriptors left"),
        ("overload", "accept-queue") => format!("{server} did not accept connections in time"),
        ("overload", "resource-limit") => format!("{server} closed {some} over a resource limit"),
        ("overload", _) => format!("{server} was overloaded ({detail})"),
        ("slow-consumer", "pending-bytes" | "write-deadline") => {
            format!("{server} cut off {some} reading too slowly ({detail})")
        }
        ("slow-consumer", "max-payload") => {
            format!("{server} cut off {some} over the largest message it takes (max_payload)")
        }
        ("slow-consumer", "max-control-line") => {
            format!("{server} cut off {some} over the longest line it takes (max_control_line)")
        }
        ("version", "bad-client-protocol") => {
            format!("{server} refused {some} for the protocol level asked for")
        }
        ("version", "minimum-version") => format!("{server} refused {some} for being too old"),
        ("version", "headers-unsupported") => {
            format!(
                "headers were sent between {some} and {server}, and one side does not know them"
            )
        }
        ("client-config", "aggressive-ping") => {
            format!("{some} of {server} took a short hiccup for a dead connection")
        }
        ("client-config", "connect-timeout") => {
            format!("{some} gave up connecting to {server} too soon")
        }
        ("client-config", "wrong-port") => {
            format!("{some} spoke to a port of {server} that is not for clients")
        }
        ("client-config", "tls-mismatch") => format!("{some} and {server} disagree about TLS"),
        ("client-fault", "client-stall") => format!("{some} of {server} stopped running"),
        ("client-fault", "process-exit") => format!("{some} of {server} died"),
        ("auth", "authorization-violation") => {
            format!("{server} refused the credentials of {some}")
        }
        ("auth", "auth-timeout") => format!("{some} of {server} did not authenticate in time"),
        ("auth", "auth-expired") => format!("the credentials of {some} of {server} expired"),
        ("auth", "credentials-changed") => {
            format!("the credentials of {some} of {server} were changed or withdrawn")
        }
        ("auth", "tls-handshake") => format!("TLS handshakes with {server} failed"),
        ("operator", "kicked") => format!("an administrator disconnected {some} of {server}"),
        ("operator", "config-reload") => {
            format!("a configuration reload of {server} closed {some}")
        }
        _ => format!("{cause}/{detail} between {some} and {server}"),
    }
}
