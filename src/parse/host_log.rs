//! Lines of the host around a server: kernel (`dmesg`, kern.log, journal), systemd, container runtimes, Kubernetes. Only
//! what ends processes, drops connections or takes links and machines away.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::server_log::record::ServerEventKind;
use super::timestamp::timestamp;
use crate::time::{Basis, SECOND, Stamp};

/// A host's line that matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostLine {
    /// The time in the line itself (kernel ring buffer: since boot, or as `dmesg -T` computes it).
    pub stamp: Option<Stamp>,
    /// What it says.
    pub kind: ServerEventKind,
}

/// The process that a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Victim<'a> {
    /// Process id.
    pub pid: Option<u32>,
    /// Command, container or unit name; the kernel cuts commands to 15 characters.
    pub name: &'a str,
}

/// Without one of these words a bare line is not the host's: one pass over the many lines of applications.
static SUSPECT: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::new([
        "oom",
        "OOM",
        "ut of memory",
        "nf_conntrack",
        "TCP: ",
        ".service: ",
        " container ",
        "exited with code",
        "Exit Code:",
        "Back-off",
        "probe failed",
    ])
    .expect("few short words")
});

/// Makes an event of a line.
type Kind = fn(Box<str>) -> ServerEventKind;

/// Words of the kernel and what they are.
const KERNEL: &[(&str, Kind)] = &[
    ("Killed process ", ServerEventKind::OomKill),
    ("Kill process ", ServerEventKind::OomKill),
    ("oom-kill:constraint=", ServerEventKind::OomKill),
    ("oom_reaper: reaped process ", ServerEventKind::OomKill),
    ("invoked oom-killer", ServerEventKind::Host),
    (
        "conntrack: table full, dropping packet",
        ServerEventKind::Host,
    ),
    ("ossible SYN flooding on port", ServerEventKind::Host),
    (
        "TCP: out of memory -- consider tuning tcp_mem",
        ServerEventKind::Host,
    ),
    ("TCP: too many of orphaned sockets", ServerEventKind::Host),
    ("TCP: too many orphaned sockets", ServerEventKind::Host),
    ("NIC Link is ", ServerEventKind::Host),
    (": Link is Down", ServerEventKind::Host),
    (": Link is Up", ServerEventKind::Host),
    (": link down", ServerEventKind::Host),
    (": link up", ServerEventKind::Host),
    ("link becomes ready", ServerEventKind::Host),
    ("link is not ready", ServerEventKind::Host),
    ("NETDEV WATCHDOG: ", ServerEventKind::Host),
    ("transmit queue", ServerEventKind::Host),
    ("blocked for more than ", ServerEventKind::Host),
    ("soft lockup - CPU", ServerEventKind::Host),
    ("rcu_sched self-detected stall", ServerEventKind::Host),
    ("Kernel panic - not syncing", ServerEventKind::Host),
    ("reboot: Restarting system", ServerEventKind::Host),
    ("reboot: Power down", ServerEventKind::Host),
    ("Linux version ", ServerEventKind::Host),
    ("PM: suspend entry", ServerEventKind::Host),
    ("PM: suspend exit", ServerEventKind::Host),
    (": segfault at ", ServerEventKind::Host),
    ("EXT4-fs error", ServerEventKind::Host),
    ("Buffer I/O error", ServerEventKind::Host),
    (
        "Dropping request. Check SNMP counters",
        ServerEventKind::Host,
    ),
];

/// Words of systemd and its family.
const SYSTEMD: &[(&str, Kind)] = &[
    ("Main process exited, code=", ServerEventKind::ProcessExit),
    ("Failed with result '", ServerEventKind::ProcessExit),
    ("Deactivated successfully", ServerEventKind::ProcessExit),
    ("killed by the OOM killer", ServerEventKind::OomKill),
    (" with signal SIGKILL", ServerEventKind::ProcessExit),
    ("timed out. Killing", ServerEventKind::ProcessExit),
    ("Scheduled restart job", ServerEventKind::Host),
    ("Start request repeated too quickly", ServerEventKind::Host),
    ("Watchdog timeout", ServerEventKind::ProcessExit),
    ("System is rebooting", ServerEventKind::Host),
    ("System is powering down", ServerEventKind::Host),
    ("System is going down", ServerEventKind::Host),
    ("Power key pressed", ServerEventKind::Host),
    ("Lost carrier", ServerEventKind::Host),
    ("Gained carrier", ServerEventKind::Host),
    ("Reached target Reboot", ServerEventKind::Host),
    ("Reached target Power-Off", ServerEventKind::Host),
    ("Reached target Shutdown", ServerEventKind::Host),
    ("Reached target System Shutdown", ServerEventKind::Host),
];

/// Words of container runtimes and Kubernetes.
const CONTAINER: &[(&str, Kind)] = &[
    ("container die ", ServerEventKind::ProcessExit),
    ("container kill ", ServerEventKind::ProcessExit),
    ("container stop ", ServerEventKind::ProcessExit),
    ("container oom ", ServerEventKind::OomKill),
    ("exited with code ", ServerEventKind::ProcessExit),
    ("OOMKilled", ServerEventKind::OomKill),
    ("Exit Code:", ServerEventKind::ProcessExit),
    ("\"exitCode\":", ServerEventKind::ProcessExit),
    (
        "Back-off restarting failed container",
        ServerEventKind::Host,
    ),
    ("Liveness probe failed", ServerEventKind::Host),
    ("Readiness probe failed", ServerEventKind::Host),
    ("Stopping container ", ServerEventKind::ProcessExit),
    ("Evicted", ServerEventKind::Host),
    ("NodeNotReady", ServerEventKind::Host),
];

/// Reads a line without its wrapper; `program` is the syslog tag, where there was one.
pub fn line(text: &str, program: Option<&str>) -> Option<HostLine> {
    let (stamp, rest) = ring_buffer_time(text);
    let rest = rest.strip_prefix("kernel: ").unwrap_or(rest);
    let (stamp, rest) = match ring_buffer_time(rest) {
        (None, rest) => (stamp, rest),
        inner => inner,
    };
    let kind = |table: &[(&str, Kind)]| {
        table
            .iter()
            .find(|(words, _)| rest.contains(words))
            .map(|(_, kind)| kind(rest.trim().into()))
    };
    let kind = match program {
        Some("kernel") => kind(KERNEL),
        Some(name) if name.starts_with("systemd") => kind(SYSTEMD).or_else(|| unit_state(rest)),
        Some("NetworkManager" | "dhclient" | "dhcpcd" | "wpa_supplicant") => network_manager(rest),
        Some("kubelet" | "dockerd" | "containerd" | "podman") => kind(CONTAINER),
        Some(_) => None,
        None if rest.starts_with("-- Reboot --") || boot_mark(rest) => {
            Some(ServerEventKind::Host(rest.trim().into()))
        }
        None if stamp.is_some() || text.starts_with("kernel: ") => kind(KERNEL),
        None if !SUSPECT.is_match(rest) => None,
        // Bare lines: only words that no application writes by chance.
        None => bare(rest)
            .then(|| kind(KERNEL).or_else(|| kind(SYSTEMD)))
            .flatten()
            .or_else(|| container_event(rest).then(|| kind(CONTAINER)).flatten()),
    }?;
    Some(HostLine { stamp, kind })
}

/// The process that was killed or ended, from a line that [`line()`] knows.
pub fn victim(text: &str) -> Option<Victim<'_>> {
    for words in [
        "Killed process ",
        "Kill process ",
        "reaped process ",
        "Killing process ",
    ] {
        if let Some(at) = text.find(words) {
            let rest = &text[at + words.len()..];
            let (pid, rest) = rest.split_once(' ')?;
            let pid = pid.trim_end_matches(',').parse().ok();
            let name = rest.trim_start_matches('(').split([')', ',']).next()?;
            return Some(Victim { pid, name });
        }
    }
    if let Some(at) = text.find(",task=") {
        let name = text[at + 6..].split(',').next()?;
        let pid = text
            .find(",pid=")
            .and_then(|at| text[at + 5..].split(',').next()?.parse().ok());
        return Some(Victim { pid, name });
    }
    if let Some((unit, _)) = text.split_once(".service: ") {
        let name = unit.rsplit(' ').next().unwrap_or(unit);
        return Some(Victim { pid: None, name });
    }
    if let Some((name, _)) = text.split_once(" exited with code ") {
        return Some(Victim { pid: None, name });
    }
    for key in ["name=", "image="] {
        if let Some(at) = text.find(key) {
            let name = text[at + key.len()..].split([',', ')', ' ']).next()?;
            return Some(Victim { pid: None, name });
        }
    }
    None
}

/// Exit status or signal in a line: `code=killed, status=9/KILL`, `exitCode=137`, `exited with code 137`.
pub fn exit_status(text: &str) -> Option<&str> {
    for key in [
        "code=",
        "exited with code ",
        "exitCode=",
        "Exit Code:",
        "Failed with result ",
    ] {
        if let Some(at) = text.find(key) {
            let from = if key == "code=" { at } else { at + key.len() };
            let rest = text[from..].trim_start();
            let end = rest.find(['.', ')', ';']).unwrap_or(rest.len());
            let end = if key == "code=" {
                end
            } else {
                rest[..end].find([',', ' ']).unwrap_or(end)
            };
            return Some(rest[..end].trim_matches('\''));
        }
    }
    None
}

/// `[ 2858.371800] ` since boot, or `[Mon Nov 23 05:12:00 2026] ` as `dmesg -T` prints it.
fn ring_buffer_time(text: &str) -> (Option<Stamp>, &str) {
    let none = (None, text);
    let Some(rest) = text.strip_prefix('[') else {
        return none;
    };
    let Some((inside, rest)) = rest.split_once(']') else {
        return none;
    };
    let rest = rest.strip_prefix(' ').unwrap_or(rest);
    if let Some((seconds, fraction)) = inside.trim().split_once('.')
        && fraction.len() == 6
        && let (Ok(seconds), Ok(micros)) = (seconds.parse::<u32>(), fraction.parse::<u32>())
    {
        let stamp = Stamp {
            ns: i64::from(seconds) * SECOND + i64::from(micros) * 1_000,
            basis: Basis::Boot,
            digits: 6,
        };
        return (Some(stamp), rest);
    }
    match timestamp(inside.as_bytes()) {
        Some((stamp, used)) if used == inside.len() && stamp.basis == Basis::Civil => {
            (Some(stamp), rest)
        }
        _ => none,
    }
}

/// `Started NATS Server.`, `Stopping nats-server.service - NATS Server...`: any unit that sounds like ours.
fn unit_state(text: &str) -> Option<ServerEventKind> {
    let (verb, unit) = text.split_once(' ')?;
    let ours = unit.to_ascii_lowercase().contains("nats");
    match verb {
        "Stopping" | "Stopped" if ours => Some(ServerEventKind::ProcessExit(text.trim().into())),
        "Starting" | "Started" if ours => Some(ServerEventKind::Host(text.trim().into())),
        _ => None,
    }
}

/// NetworkManager: `device (eth0): state change: activated -> unavailable (reason 'carrier-changed', ...)`.
fn network_manager(text: &str) -> Option<ServerEventKind> {
    let link = text.contains("carrier")
        || text.contains("link disconnected")
        || text.contains("link connected")
        || text.contains("-> unavailable")
        || text.contains("-> disconnected");
    link.then(|| ServerEventKind::Host(text.trim().into()))
}

/// `-- Boot 0123abcd... --` of journalctl.
fn boot_mark(text: &str) -> bool {
    text.starts_with("-- Boot ") && text.ends_with(" --")
}

/// Beginnings that only a kernel or systemd writes, for files of bare lines (`dmesg -t`, notes).
fn bare(text: &str) -> bool {
    text.starts_with("oom-kill:constraint=")
        || text.starts_with("Memory cgroup out of memory: ")
        || text.starts_with("Out of memory: Kill")
        || text.starts_with("oom_reaper: ")
        || text.starts_with("nf_conntrack: ")
        || text.starts_with("TCP: request_sock_TCP: ")
        || text.contains(" invoked oom-killer: gfp_mask=")
        || text.contains(".service: Main process exited, code=")
        || text.contains(".service: A process of this unit has been killed")
        || text.contains(".service: Failed with result '")
}

/// `docker events`, `docker compose`, `kubectl describe`, `kubectl get events`.
fn container_event(text: &str) -> bool {
    let trimmed = text.trim_start();
    trimmed.contains(" container die ")
        || trimmed.contains(" container kill ")
        || trimmed.contains(" container oom ")
        || trimmed.contains(" exited with code ") && trimmed.split(' ').count() <= 5
        || trimmed.starts_with("Reason:") && trimmed.contains("OOMKilled")
        || trimmed.starts_with("Exit Code:")
        || trimmed.contains("Back-off restarting failed container")
        || trimmed.contains("Liveness probe failed: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_oom_kill_in_every_time_format() {
        let kill = "Memory cgroup out of memory: Killed process 818 (nats-server) total-vm:1406840kB, anon-rss:124544kB, UID:0";
        for (text, program, basis) in [
            (kill.to_owned(), None, None),
            (kill.to_owned(), Some("kernel"), None),
            (format!("[ 2858.371800] {kill}"), None, Some(Basis::Boot)),
            (
                format!("[ 2858.371800] {kill}"),
                Some("kernel"),
                Some(Basis::Boot),
            ),
            (
                format!("[Mon Nov 23 05:12:00 2026] {kill}"),
                None,
                Some(Basis::Civil),
            ),
            (
                format!("kernel: [ 2858.371800] {kill}"),
                None,
                Some(Basis::Boot),
            ),
        ] {
            let read = line(&text, program).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(read.stamp.map(|stamp| stamp.basis), basis, "{text}");
            let ServerEventKind::OomKill(words) = &read.kind else {
                panic!("{text}: {:?}", read.kind);
            };
            assert_eq!(
                victim(words),
                Some(Victim {
                    pid: Some(818),
                    name: "nats-server"
                }),
                "{text}"
            );
        }
        let older = "Out of memory: Kill process 818 (nats-server) score 900 or sacrifice child";
        assert_eq!(victim(older).map(|victim| victim.pid), Some(Some(818)));
        let record = "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),task_memcg=/X,task=nats-server,pid=818,uid=0";
        assert_eq!(
            victim(record),
            Some(Victim {
                pid: Some(818),
                name: "nats-server"
            })
        );
    }

    #[test]
    fn systemd_and_containers() {
        let samples: &[(&str, Option<&str>, Option<&str>)] = &[
            (
                "nats-server.service: Main process exited, code=killed, status=9/KILL",
                Some("systemd"),
                Some("code=killed, status=9/KILL"),
            ),
            (
                "nats-server.service: Failed with result 'oom-kill'.",
                Some("systemd"),
                Some("oom-kill"),
            ),
            (
                "2026-11-23T05:12:00.1Z container die 0123 (exitCode=137, image=nats, name=nats-1)",
                None,
                Some("137"),
            ),
            ("nats-1 exited with code 137", None, Some("137")),
            ("      Exit Code:    137", None, Some("137")),
        ];
        for (text, program, status) in samples {
            let read = line(text, *program).unwrap_or_else(|| panic!("{text}"));
            assert!(
                matches!(read.kind, ServerEventKind::ProcessExit(_)),
                "{text}"
            );
            assert_eq!(exit_status(text), *status, "{text}");
        }
    }

    #[test]
    fn applications_are_left_alone() {
        for text in [
            "connection closed, Link is Down they say",
            "worker exited with code 1 because the queue was empty and nobody came",
            "[3] 2026/11/23 05:12:01.123456 [INF] Started",
            "Linux version 5 is required",
        ] {
            assert_eq!(line(text, None), None, "{text}");
        }
        assert_eq!(line("Killed process 1 (x)", Some("myapp")), None);
    }
}
