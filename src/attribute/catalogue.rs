//! The catalogue of causes: every `cause/detail` that a verdict can name, with the text that explains it.
//!
//! Each text lives beside its rule (`causes/CAUSE/DETAIL.md`); this table is the only list of them, in the order in which
//! they are presented. The texts are what `explain` prints.

/// One `cause/detail` with its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What a person must act on.
    pub cause: &'static str,
    /// Its precise form; empty for `unexplained`, whose details name what is missing.
    pub detail: &'static str,
    /// Markdown with fixed headings: what happened, how it shows, what speaks against it, what to do, references.
    pub text: &'static str,
}

impl Entry {
    /// `cause/detail`, or the cause alone where there is no detail.
    pub fn name(&self) -> String {
        if self.detail.is_empty() {
            self.cause.to_owned()
        } else {
            format!("{}/{}", self.cause, self.detail)
        }
    }

    /// The sentence under the heading: what the verdict means, without line breaks.
    pub fn definition(&self) -> String {
        self.text
            .lines()
            .skip(1)
            .skip_while(|line| line.is_empty())
            .take_while(|line| !line.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// Every entry, in the order of presentation: the causes that the tool exists for come first.
pub static CATALOGUE: &[Entry] = &[
    Entry {
        cause: "network",
        detail: "rst-injected",
        text: include_str!("causes/network/rst_injected.md"),
    },
    Entry {
        cause: "network",
        detail: "idle-timeout",
        text: include_str!("causes/network/idle_timeout.md"),
    },
    Entry {
        cause: "network",
        detail: "proxy-closed",
        text: include_str!("causes/network/proxy_closed.md"),
    },
    Entry {
        cause: "network",
        detail: "blackhole",
        text: include_str!("causes/network/blackhole.md"),
    },
    Entry {
        cause: "network",
        detail: "packet-loss",
        text: include_str!("causes/network/packet_loss.md"),
    },
    Entry {
        cause: "network",
        detail: "mtu-blackhole",
        text: include_str!("causes/network/mtu_blackhole.md"),
    },
    Entry {
        cause: "network",
        detail: "unreachable",
        text: include_str!("causes/network/unreachable.md"),
    },
    Entry {
        cause: "network",
        detail: "link-down",
        text: include_str!("causes/network/link_down.md"),
    },
    Entry {
        cause: "network",
        detail: "reset",
        text: include_str!("causes/network/reset.md"),
    },
    Entry {
        cause: "server-shutdown",
        detail: "graceful",
        text: include_str!("causes/server_shutdown/graceful.md"),
    },
    Entry {
        cause: "server-shutdown",
        detail: "lame-duck",
        text: include_str!("causes/server_shutdown/lame_duck.md"),
    },
    Entry {
        cause: "server-shutdown",
        detail: "crash",
        text: include_str!("causes/server_shutdown/crash.md"),
    },
    Entry {
        cause: "server-shutdown",
        detail: "killed",
        text: include_str!("causes/server_shutdown/killed.md"),
    },
    Entry {
        cause: "server-shutdown",
        detail: "host-down",
        text: include_str!("causes/server_shutdown/host_down.md"),
    },
    Entry {
        cause: "overload",
        detail: "max-connections",
        text: include_str!("causes/overload/max_connections.md"),
    },
    Entry {
        cause: "overload",
        detail: "server-stall",
        text: include_str!("causes/overload/server_stall.md"),
    },
    Entry {
        cause: "overload",
        detail: "out-of-memory",
        text: include_str!("causes/overload/out_of_memory.md"),
    },
    Entry {
        cause: "overload",
        detail: "oom-kill",
        text: include_str!("causes/overload/oom_kill.md"),
    },
    Entry {
        cause: "overload",
        detail: "fd-exhaustion",
        text: include_str!("causes/overload/fd_exhaustion.md"),
    },
    Entry {
        cause: "overload",
        detail: "accept-queue",
        text: include_str!("causes/overload/accept_queue.md"),
    },
    Entry {
        cause: "overload",
        detail: "resource-limit",
        text: include_str!("causes/overload/resource_limit.md"),
    },
    Entry {
        cause: "slow-consumer",
        detail: "pending-bytes",
        text: include_str!("causes/slow_consumer/pending_bytes.md"),
    },
    Entry {
        cause: "slow-consumer",
        detail: "write-deadline",
        text: include_str!("causes/slow_consumer/write_deadline.md"),
    },
    Entry {
        cause: "slow-consumer",
        detail: "max-payload",
        text: include_str!("causes/slow_consumer/max_payload.md"),
    },
    Entry {
        cause: "slow-consumer",
        detail: "max-control-line",
        text: include_str!("causes/slow_consumer/max_control_line.md"),
    },
    Entry {
        cause: "version",
        detail: "protocol-violation",
        text: include_str!("causes/version/protocol_violation.md"),
    },
    Entry {
        cause: "version",
        detail: "headers-unsupported",
        text: include_str!("causes/version/headers_unsupported.md"),
    },
    Entry {
        cause: "version",
        detail: "bad-client-protocol",
        text: include_str!("causes/version/bad_client_protocol.md"),
    },
    Entry {
        cause: "version",
        detail: "minimum-version",
        text: include_str!("causes/version/minimum_version.md"),
    },
    Entry {
        cause: "version",
        detail: "known-bug",
        text: include_str!("causes/version/known_bug.md"),
    },
    Entry {
        cause: "client-config",
        detail: "aggressive-ping",
        text: include_str!("causes/client_config/aggressive_ping.md"),
    },
    Entry {
        cause: "client-config",
        detail: "connect-timeout",
        text: include_str!("causes/client_config/connect_timeout.md"),
    },
    Entry {
        cause: "client-config",
        detail: "wrong-port",
        text: include_str!("causes/client_config/wrong_port.md"),
    },
    Entry {
        cause: "client-config",
        detail: "tls-mismatch",
        text: include_str!("causes/client_config/tls_mismatch.md"),
    },
    Entry {
        cause: "client-fault",
        detail: "client-stall",
        text: include_str!("causes/client_fault/client_stall.md"),
    },
    Entry {
        cause: "client-fault",
        detail: "process-exit",
        text: include_str!("causes/client_fault/process_exit.md"),
    },
    Entry {
        cause: "auth",
        detail: "authorization-violation",
        text: include_str!("causes/auth/authorization_violation.md"),
    },
    Entry {
        cause: "auth",
        detail: "auth-timeout",
        text: include_str!("causes/auth/auth_timeout.md"),
    },
    Entry {
        cause: "auth",
        detail: "auth-expired",
        text: include_str!("causes/auth/auth_expired.md"),
    },
    Entry {
        cause: "auth",
        detail: "credentials-changed",
        text: include_str!("causes/auth/credentials_changed.md"),
    },
    Entry {
        cause: "auth",
        detail: "tls-handshake",
        text: include_str!("causes/auth/tls_handshake.md"),
    },
    Entry {
        cause: "auth",
        detail: "account",
        text: include_str!("causes/auth/account.md"),
    },
    Entry {
        cause: "operator",
        detail: "kicked",
        text: include_str!("causes/operator/kicked.md"),
    },
    Entry {
        cause: "operator",
        detail: "config-reload",
        text: include_str!("causes/operator/config_reload.md"),
    },
    Entry {
        cause: "cluster",
        detail: "duplicate-route",
        text: include_str!("causes/cluster/duplicate_route.md"),
    },
    Entry {
        cause: "cluster",
        detail: "name-conflict",
        text: include_str!("causes/cluster/name_conflict.md"),
    },
    Entry {
        cause: "cluster",
        detail: "route-to-self",
        text: include_str!("causes/cluster/route_to_self.md"),
    },
    Entry {
        cause: "cluster",
        detail: "duplicate-leafnode",
        text: include_str!("causes/cluster/duplicate_leafnode.md"),
    },
    Entry {
        cause: "cluster",
        detail: "duplicate-client-id",
        text: include_str!("causes/cluster/duplicate_client_id.md"),
    },
    Entry {
        cause: "cluster",
        detail: "leafnode-loop",
        text: include_str!("causes/cluster/leafnode_loop.md"),
    },
    Entry {
        cause: "cluster",
        detail: "wrong-gateway",
        text: include_str!("causes/cluster/wrong_gateway.md"),
    },
    Entry {
        cause: "client-close",
        detail: "normal",
        text: include_str!("causes/client_close/normal.md"),
    },
    Entry {
        cause: "client-close",
        detail: "drain",
        text: include_str!("causes/client_close/drain.md"),
    },
    Entry {
        cause: "client-close",
        detail: "probe",
        text: include_str!("causes/client_close/probe.md"),
    },
    Entry {
        cause: "unexplained",
        detail: "",
        text: include_str!("causes/unexplained/missing_evidence.md"),
    },
];

/// The entry of a verdict. Any detail of `unexplained` finds its one entry.
pub fn find(cause: &str, detail: &str) -> Option<&'static Entry> {
    CATALOGUE
        .iter()
        .find(|entry| entry.cause == cause && (entry.detail == detail || entry.detail.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADINGS: &[&str] = &[
        "## What happened",
        "## How it shows",
        "## What speaks against it",
        "## What to do",
        "## References",
    ];

    #[test]
    fn every_text_has_its_name_and_all_headings_in_order() {
        for entry in CATALOGUE {
            let name = entry.name();
            assert_eq!(
                entry.text.lines().next(),
                Some(format!("# {name}").as_str())
            );
            let headings: Vec<&str> = entry
                .text
                .lines()
                .filter(|line| line.starts_with("## "))
                .collect();
            assert_eq!(headings, HEADINGS, "{name}");
            for view in ["**Server log**", "**Client log**", "**Capture**"] {
                assert!(
                    entry.text.contains(&format!("- {view}: ")),
                    "{name}: {view}"
                );
            }
            assert!(entry.definition().ends_with('.'), "{name}");
        }
    }

    #[test]
    fn sections_say_something_and_fit_a_screen() {
        for entry in CATALOGUE {
            let lines: Vec<&str> = entry.text.lines().collect();
            assert!((15..=60).contains(&lines.len()), "{}", entry.name());
            for (at, line) in lines.iter().enumerate() {
                assert!(line.chars().count() <= 140, "{}:{}", entry.name(), at + 1);
                if line.starts_with('#') {
                    let said = lines.get(at + 2).copied().unwrap_or("");
                    assert!(
                        !said.is_empty() && !said.starts_with('#'),
                        "{}: {line}",
                        entry.name()
                    );
                }
            }
        }
    }

    #[test]
    fn names_are_unique_and_code_marks_are_closed() {
        let mut names: Vec<String> = CATALOGUE.iter().map(Entry::name).collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
        for entry in CATALOGUE {
            let marks = entry.text.matches('`').count();
            assert_eq!(marks % 2, 0, "{}", entry.name());
        }
    }

    #[test]
    fn find_is_exact_except_for_unexplained() {
        assert_eq!(
            find("network", "rst-injected").map(|e| e.detail),
            Some("rst-injected")
        );
        assert!(find("network", "rst").is_none());
        assert!(find("overload", "rst-injected").is_none());
        assert!(find("unexplained", "no-server-log").is_some());
    }
}
