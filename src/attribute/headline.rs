//! One sentence for an incident: what happened to whom, how many connections it cost, and what became of the clients.

use std::fmt::Write as _;

use super::Case;
use super::disconnect::spoken;
use super::finding::Close;
use super::label::Label;
use super::pattern::{self, Member};

/// What became of an incident's clients, close by close.
#[derive(Debug, Default)]
pub struct Tally {
    sockets: usize,
    attempts: usize,
    back: usize,
    lost: usize,
    down: usize,
    /// Nanoseconds until each was back, or had given up.
    times: Vec<i64>,
    /// The kind of all of them, while it is one.
    kind: Option<&'static str>,
    mixed: bool,
    /// What a pattern would show in.
    members: Vec<Member>,
}

impl Tally {
    /// Counts one.
    pub fn count(&mut self, close: &Close, case: &Case) {
        self.members.push(Member::new(close, case));
        if close.attempt {
            self.attempts += 1;
        } else {
            self.sockets += 1;
        }
        match close.outcome.word {
            "reconnected" => self.back += 1,
            "gave-up" => self.lost += 1,
            "still-down" => self.down += 1,
            _ => {}
        }
        self.times.extend(close.outcome.after_ns);
        self.mixed |= *self.kind.get_or_insert(close.kind) != close.kind;
    }

    /// Whose connections closed: `a client`, `clients`, `a leafnode`.
    fn who(&self) -> String {
        let kind = match self.kind {
            Some(kind @ ("route" | "gateway" | "leafnode")) if !self.mixed => kind,
            _ => "client",
        };
        if self.sockets + self.attempts == 1 {
            format!("a {kind}")
        } else {
            format!("{kind}s")
        }
    }
}

/// The sentence of an incident at `server`.
pub fn of(cause: &str, detail: &str, server: Label<'_>, mut tally: Tally) -> String {
    let mut text = format!(
        "{}: {}",
        what(cause, detail, &server.to_string(), &tally.who()),
        cost(tally.sockets, tally.attempts)
    );
    if tally.back > 0 {
        tally.times.sort_unstable();
        let back = tally.back;
        let _ = write!(text, ", {back} back");
        if let Some(median) = tally.times.get(tally.times.len() / 2) {
            let within = if back == 1 { "after" } else { "in a median of" };
            let _ = write!(text, " {within} {}", spoken(*median));
        }
    }
    if tally.lost > 0 {
        let _ = write!(text, ", {} gave up", tally.lost);
    }
    if tally.down > 0 {
        let _ = write!(text, ", {} still down at the log's end", tally.down);
    }
    for clause in pattern::clauses(&tally.members) {
        let _ = write!(text, "; {clause}");
    }
    text
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
