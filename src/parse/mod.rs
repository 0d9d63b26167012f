//! Pure grammars: bytes to typed records with spans.
//!
//! Invariant: no files, no clock, no time zone, no printing; bad input is a value ([`crate::span::Reject`]), never a panic.

pub mod client_log;
pub mod duration;
pub mod host_log;
pub mod log_line;
pub mod monitoring;
pub mod mqtt;
pub mod nats;
pub mod packet;
pub mod pcap;
pub mod s2;
pub mod server_config;
pub mod server_log;
pub mod timestamp;
pub mod tls;
pub mod websocket;
pub mod wrapper;
