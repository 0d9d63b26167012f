//! All records onto one line of time, and the parts of one connection joined.
//!
//! Invariant: nothing here reads bytes of sources, and nothing claims an order tighter than the bounds of the clocks.

pub mod clock;
pub mod joined;
