//! What each client library calls its settings, so that a remedy names one that exists.
//! Names checked in each library's source: Go `nats.Options`, nats-py `Client.connect`, async-nats `ConnectOptions`,
//! nats.js `ConnectionOptions`, jnats `Options.Builder`, `NatsOpts`, nats.c `natsOptions_*`.

use crate::reconstruct::client::Library;

use super::disconnect::Disconnect;

/// A library's names for what decides about disconnects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Names {
    /// The library in words.
    pub library: &'static str,
    /// Maximum reconnect attempts.
    pub max_reconnects: &'static str,
    /// Wait between attempts.
    pub reconnect_wait: &'static str,
    /// Ping interval.
    pub ping_interval: &'static str,
    /// Unanswered PINGs allowed.
    pub max_pings_out: &'static str,
    /// Connect timeout.
    pub connect_timeout: &'static str,
    /// Limit of messages or bytes waiting in a subscription.
    pub pending_limits: &'static str,
}

const GO: Names = Names {
    library: "nats.go",
    max_reconnects: "MaxReconnects",
    reconnect_wait: "ReconnectWait",
    ping_interval: "PingInterval",
    max_pings_out: "MaxPingsOutstanding",
    connect_timeout: "Timeout",
    pending_limits: "Subscription.SetPendingLimits",
};
const PYTHON: Names = Names {
    library: "nats-py",
    max_reconnects: "max_reconnect_attempts",
    reconnect_wait: "reconnect_time_wait",
    ping_interval: "ping_interval",
    max_pings_out: "max_outstanding_pings",
    connect_timeout: "connect_timeout",
    pending_limits: "pending_msgs_limit and pending_bytes_limit of subscribe()",
};
const RUST: Names = Names {
    library: "async-nats",
    max_reconnects: "ConnectOptions::max_reconnects",
    reconnect_wait: "ConnectOptions::reconnect_delay_callback",
    ping_interval: "ConnectOptions::ping_interval",
    max_pings_out: "(fixed at 2)",
    connect_timeout: "ConnectOptions::connection_timeout",
    pending_limits: "ConnectOptions::subscription_capacity",
};
const JS: Names = Names {
    library: "nats.js",
    max_reconnects: "maxReconnectAttempts",
    reconnect_wait: "reconnectTimeWait",
    ping_interval: "pingInterval",
    max_pings_out: "maxPingOut",
    connect_timeout: "timeout",
    pending_limits: "the subscription's slow option",
};
const JAVA: Names = Names {
    library: "jnats",
    max_reconnects: "Options.Builder.maxReconnects",
    reconnect_wait: "Options.Builder.reconnectWait",
    ping_interval: "Options.Builder.pingInterval",
    max_pings_out: "Options.Builder.maxPingsOut",
    connect_timeout: "Options.Builder.connectionTimeout",
    pending_limits: "Consumer.setPendingLimits",
};
const DOTNET: Names = Names {
    library: "NATS.Net",
    max_reconnects: "NatsOpts.MaxReconnectRetry",
    reconnect_wait: "NatsOpts.ReconnectWaitMin and ReconnectWaitMax",
    ping_interval: "NatsOpts.PingInterval",
    max_pings_out: "NatsOpts.MaxPingOut",
    connect_timeout: "NatsOpts.ConnectTimeout",
    pending_limits: "NatsSubChannelOpts.Capacity",
};
const C: Names = Names {
    library: "nats.c",
    max_reconnects: "natsOptions_SetMaxReconnect",
    reconnect_wait: "natsOptions_SetReconnectWait",
    ping_interval: "natsOptions_SetPingInterval",
    max_pings_out: "natsOptions_SetMaxPingsOut",
    connect_timeout: "natsOptions_SetTimeout",
    pending_limits: "natsSubscription_SetPendingLimits",
};
const GENERAL: Names = Names {
    library: "client",
    max_reconnects: "the limit of reconnect attempts (MaxReconnects in Go, maxReconnectAttempts in JavaScript)",
    reconnect_wait: "the wait between them (ReconnectWait in Go, reconnectTimeWait in JavaScript)",
    ping_interval: "the ping interval (PingInterval in Go, pingInterval in JavaScript)",
    max_pings_out: "the PINGs that may go unanswered (MaxPingsOutstanding in Go, maxPingOut in JavaScript)",
    connect_timeout: "the connect timeout (Timeout in Go, timeout in JavaScript)",
    pending_limits: "the subscription's pending limits (Subscription.SetPendingLimits in Go)",
};

impl Names {
    /// The names for a connection's client, by its CONNECT or else by the library that wrote its log.
    pub fn of_client(disconnect: &Disconnect) -> Self {
        let (_, lang, _) = disconnect.client_identity();
        if lang.is_some() {
            return Self::of(lang);
        }
        match disconnect.story.map(|story| story.library) {
            Some(Library::Go) => GO,
            Some(Library::Python) => PYTHON,
            Some(Library::RustAsync) => RUST,
            Some(Library::JsV1 | Library::JsV2 | Library::JsV3) => JS,
            Some(Library::Java) => JAVA,
            Some(Library::DotNetV2) => DOTNET,
            Some(Library::C) => C,
            _ => GENERAL,
        }
    }

    /// The names for a CONNECT `lang`.
    pub fn of(lang: Option<&str>) -> Self {
        match lang.unwrap_or_default() {
            "go" => GO,
            "python3" | "python" | "python2" => PYTHON,
            "rust" => RUST,
            "nats.js" | "nats.deno" | "nats.ws" | "node" => JS,
            "java" => JAVA,
            ".NET" | "C#" => DOTNET,
            "C" => C,
            _ => GENERAL,
        }
    }
}
