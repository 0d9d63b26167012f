//! The client's own settings ended it; path and server were well.

pub mod aggressive_ping;
pub mod connect_timeout;
pub mod tls_mismatch;
pub mod wrong_port;
