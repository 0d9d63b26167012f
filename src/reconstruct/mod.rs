//! Records to things with a life: segments to connections and sessions, server lines to server lifetimes, client lines
//! to client stories.
//!
//! Invariant: memory is bounded by live connections plus closed ones plus a fixed window, never by input bytes.

mod anomaly;
mod assembler;
pub mod bundle;
pub mod capture;
pub mod client;
pub mod client_story;
pub mod config_file;
pub mod conn;
pub mod conn_sketch;
mod conn_state;
mod conn_table;
mod crash_block;
mod crash_trace;
mod digest;
mod direction;
pub mod facts;
mod flow;
mod four_tuple;
mod host_end;
mod identity;
pub mod key_log;
mod limits;
pub mod lines;
mod live_conn;
pub mod log;
mod log_family;
mod log_reader;
mod mix;
pub mod monitored;
mod rst;
mod sample;
mod seq;
pub mod server;
mod server_absorb;
mod server_conns;
mod server_end;
mod server_events;
pub mod server_life;
mod server_port;
mod server_succession;
pub mod session;
pub mod session_builder;
mod tail;
pub mod visit;
mod year;
