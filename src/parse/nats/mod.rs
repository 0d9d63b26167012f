//! The NATS protocol: bytes of one direction to operations.
//!
//! Limits: control lines are kept up to [`op_reader::LINE_MAX`] (INFO and CONNECT up to [`op_reader::JSON_MAX`]); payloads
//! are counted, never kept. Grammar after nats-server `server/parser.go`, facts per version in its module docs.

pub mod address;
pub mod connect_info;
pub mod glance;
pub mod jwt;
pub mod not_nats;
pub mod op;
pub mod op_reader;
pub mod protocol_error;
