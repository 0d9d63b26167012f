//! natsleuth answers one question from files: why did this NATS connection close?
//!
//! The flow, left to right; each stage may use those before it:
//! `input` (paths to sources) -> `parse` (bytes to records) -> `reconstruct` (records to connections, sessions, server
//! lifetimes, client stories) -> `align` (one time line, joined parts) -> `attribute` (causes with evidence) -> `report`.

pub mod align;
pub mod analyze;
pub mod attribute;
pub mod batch;
pub mod input;
pub mod parse;
pub mod progress;
pub mod reconstruct;
pub mod redact;
pub mod reduce;
pub mod report;
pub mod shelf;
pub mod source;
pub mod span;
pub mod time;
