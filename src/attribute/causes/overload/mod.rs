//! The server reached a limit: of connections, processor, memory, descriptors, accounts.

pub mod accept_queue;
pub mod fd_exhaustion;
pub mod max_connections;
pub mod oom_kill;
pub mod out_of_memory;
pub mod resource_limit;
pub mod server_stall;
