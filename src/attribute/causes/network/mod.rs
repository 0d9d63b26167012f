//! The path between the two ends, and what stands in it.

pub mod blackhole;
pub mod idle_timeout;
pub mod link_down;
pub mod mtu_blackhole;
pub mod packet_loss;
pub mod proxy_closed;
pub mod reset;
pub mod rst_injected;
pub mod unreachable;
