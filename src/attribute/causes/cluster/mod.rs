//! Routes, gateways and leafnodes keeping house; ordinary while a mesh forms.

pub mod duplicate_client_id;
pub mod duplicate_leafnode;
pub mod duplicate_route;
pub mod name_conflict;
