//! nats-server log lines: the head (pid, time, level), the connection's tag, and what the message says.

pub mod client_prefix;
pub mod close_reason;
pub mod glance;
pub mod line;
pub mod message;
pub mod record;
pub mod stack;
pub mod startup_error;
