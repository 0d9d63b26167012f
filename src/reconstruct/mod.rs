//! Records to things with a life: segments to connections and sessions, server lines to server lifetimes, client lines
//! to client stories.
//!
//! Invariant: memory is bounded by live connections plus closed ones plus a fixed window, never by input bytes.

pub mod client;
pub mod client_story;
pub mod conn;
pub mod server;
pub mod session;
