//! Pure grammars: bytes to typed records with spans.
//!
//! Invariant: no files, no clock, no time zone, no printing; bad input is a value ([`crate::span::Reject`]), never a panic.

pub mod duration;
pub mod log_line;
pub mod nats;
pub mod server_log;
pub mod pcap;
pub mod packet;
pub mod timestamp;
pub mod wrapper;
