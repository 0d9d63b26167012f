//! The client process stopped, or ended without meaning to close.

pub mod client_stall;
pub mod process_exit;
