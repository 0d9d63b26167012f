//! nats-server log lines.

pub mod close_reason;
