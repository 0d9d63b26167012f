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
pub mod server;
pub mod client;
pub mod client_story;
pub mod facts;
mod limits;
pub mod lines;
pub mod log;
mod server_conns;
mod server_events;
pub mod server_life;
mod server_succession;
pub mod session_builder;
