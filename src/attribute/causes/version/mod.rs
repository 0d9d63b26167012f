//! Bytes, protocol levels and bugs that go with versions.

pub mod bad_client_protocol;
pub mod headers_unsupported;
pub mod known_bug;
pub mod minimum_version;
pub mod protocol_violation;
