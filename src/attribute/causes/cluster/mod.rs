//! Routes, gateways and leafnodes keeping house; ordinary while a mesh forms.

pub mod duplicate_client_id;
pub mod duplicate_leafnode;
pub mod duplicate_route;
pub mod leafnode_loop;
pub mod name_conflict;
pub mod route_to_self;
pub mod wrong_gateway;
