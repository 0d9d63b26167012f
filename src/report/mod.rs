//! The result of an analysis for people and programs: one model, several renderers.
//!
//! Invariant: renderers decide nothing. Nothing here prints: all output goes to a writer.

pub mod advisories;
pub mod explain;
mod prose;
