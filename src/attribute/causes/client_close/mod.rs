//! The application meant it, or it never was a NATS client.

pub mod drain;
pub mod normal;
pub mod probe;
