//! Records to things with a life: segments to connections and sessions, server lines to server lifetimes, client lines
//! to client stories.
//!
//! Invariant: memory is bounded by live connections plus closed ones plus a fixed window, never by input bytes.

pub mod capture;
mod four_tuple;
mod seq;
mod assembler;
mod flow;
pub mod conn;
mod conn_state;
mod anomaly;
mod rst;
mod sample;
mod tail;
mod live_conn;
mod conn_table;
pub mod session;
pub mod session_builder;
pub mod server;
pub mod client;
