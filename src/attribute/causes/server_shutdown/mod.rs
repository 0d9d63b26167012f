//! The server process ended, and its sockets with it.

pub mod crash;
pub mod graceful;
pub mod host_down;
pub mod killed;
pub mod lame_duck;
