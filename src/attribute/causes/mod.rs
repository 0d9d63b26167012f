//! The register: one line a detail, in order of precedence among equally sure findings.

pub mod auth;
pub mod client_close;
pub mod client_config;
pub mod client_fault;
pub mod cluster;
pub mod network;
pub mod operator;
pub mod overload;
pub mod server_shutdown;
pub mod slow_consumer;
pub mod unexplained;
pub mod version;

use super::Case;
use super::disconnect::Disconnect;
use super::finding::Finding;

/// A detail of a cause with its check.
#[derive(Clone, Copy)]
pub struct Rule {
    /// Cause.
    pub cause: &'static str,
    /// Detail.
    pub detail: &'static str,
    /// Guards first; evidence collected as they pass.
    pub check: fn(&Disconnect, &Case) -> Option<Finding>,
}

const fn rule(
    cause: &'static str,
    detail: &'static str,
    check: fn(&Disconnect, &Case) -> Option<Finding>,
) -> Rule {
    Rule {
        cause,
        detail,
        check,
    }
}

/// Every rule.
pub const REGISTER: &[Rule] = &[
    rule("version", "known-bug", version::known_bug::check),
    rule(
        "client-config",
        "tls-mismatch",
        client_config::tls_mismatch::check,
    ),
    rule(
        "client-config",
        "wrong-port",
        client_config::wrong_port::check,
    ),
    rule(
        "client-config",
        "connect-timeout",
        client_config::connect_timeout::check,
    ),
    rule("client-close", "probe", client_close::probe::check),
    rule(
        "auth",
        "credentials-changed",
        auth::credentials_changed::check,
    ),
    rule("auth", "auth-expired", auth::auth_expired::check),
    rule("auth", "auth-timeout", auth::auth_timeout::check),
    rule("auth", "tls-handshake", auth::tls_handshake::check),
    rule("auth", "account", auth::account::check),
    rule(
        "auth",
        "authorization-violation",
        auth::authorization_violation::check,
    ),
    rule(
        "overload",
        "max-connections",
        overload::max_connections::check,
    ),
    rule(
        "overload",
        "resource-limit",
        overload::resource_limit::check,
    ),
    rule(
        "slow-consumer",
        "max-payload",
        slow_consumer::max_payload::check,
    ),
    rule(
        "slow-consumer",
        "max-control-line",
        slow_consumer::max_control_line::check,
    ),
    rule("cluster", "leafnode-loop", cluster::leafnode_loop::check),
    rule("cluster", "wrong-gateway", cluster::wrong_gateway::check),
    rule("cluster", "route-to-self", cluster::route_to_self::check),
    rule(
        "version",
        "headers-unsupported",
        version::headers_unsupported::check,
    ),
    rule(
        "version",
        "bad-client-protocol",
        version::bad_client_protocol::check,
    ),
    rule(
        "version",
        "minimum-version",
        version::minimum_version::check,
    ),
    rule(
        "version",
        "protocol-violation",
        version::protocol_violation::check,
    ),
    rule("operator", "kicked", operator::kicked::check),
    rule("operator", "config-reload", operator::config_reload::check),
    rule(
        "cluster",
        "duplicate-route",
        cluster::duplicate_route::check,
    ),
    rule("cluster", "name-conflict", cluster::name_conflict::check),
    rule(
        "cluster",
        "duplicate-leafnode",
        cluster::duplicate_leafnode::check,
    ),
    rule(
        "cluster",
        "duplicate-client-id",
        cluster::duplicate_client_id::check,
    ),
    rule("overload", "oom-kill", overload::oom_kill::check),
    rule("overload", "out-of-memory", overload::out_of_memory::check),
    rule(
        "server-shutdown",
        "lame-duck",
        server_shutdown::lame_duck::check,
    ),
    rule("server-shutdown", "crash", server_shutdown::crash::check),
    rule(
        "server-shutdown",
        "host-down",
        server_shutdown::host_down::check,
    ),
    rule("server-shutdown", "killed", server_shutdown::killed::check),
    rule(
        "server-shutdown",
        "graceful",
        server_shutdown::graceful::check,
    ),
    rule("network", "idle-timeout", network::idle_timeout::check),
    rule("network", "rst-injected", network::rst_injected::check),
    rule("network", "mtu-blackhole", network::mtu_blackhole::check),
    rule("network", "link-down", network::link_down::check),
    rule("network", "unreachable", network::unreachable::check),
    rule("network", "packet-loss", network::packet_loss::check),
    rule("network", "blackhole", network::blackhole::check),
    rule("overload", "fd-exhaustion", overload::fd_exhaustion::check),
    rule("overload", "server-stall", overload::server_stall::check),
    rule(
        "client-fault",
        "client-stall",
        client_fault::client_stall::check,
    ),
    rule(
        "slow-consumer",
        "pending-bytes",
        slow_consumer::pending_bytes::check,
    ),
    rule(
        "slow-consumer",
        "write-deadline",
        slow_consumer::write_deadline::check,
    ),
    rule("overload", "accept-queue", overload::accept_queue::check),
    rule(
        "client-config",
        "aggressive-ping",
        client_config::aggressive_ping::check,
    ),
    rule("network", "proxy-closed", network::proxy_closed::check),
    rule("client-close", "drain", client_close::drain::check),
    rule(
        "client-fault",
        "process-exit",
        client_fault::process_exit::check,
    ),
    rule("client-close", "normal", client_close::normal::check),
    rule("network", "reset", network::reset::check),
];
