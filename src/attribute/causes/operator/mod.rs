//! Closed on purpose by an administrator.

pub mod config_reload;
pub mod kicked;
