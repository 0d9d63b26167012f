//! From joined connections to causes. Each cause is a rule over one ended connection and its surroundings; `rank` picks one.
//!
//! Invariant: knows no file formats and no output formats.

pub mod advisories;
pub mod catalogue;
pub mod finding;
