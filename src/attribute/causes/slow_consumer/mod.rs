//! The receiver reads too slowly, or a message is larger than the limits.

pub mod max_control_line;
pub mod max_payload;
pub mod pending_bytes;
pub mod write_deadline;
