//! Named oddities of a connection: a row for each name and sender, with count, first and last packet.

use super::conn::{Anomaly, End};
use crate::span::Moment;

/// The names, as Wireshark spells them in `tcp.analysis`.
pub mod name {
    #![allow(missing_docs, reason = "Wireshark's own names")]
    pub const RETRANSMISSION: &str = "retransmission";
    pub const FAST_RETRANSMISSION: &str = "fast_retransmission";
    pub const SPURIOUS_RETRANSMISSION: &str = "spurious_retransmission";
    pub const OUT_OF_ORDER: &str = "out_of_order";
    pub const LOST_SEGMENT: &str = "lost_segment";
    pub const ACK_LOST_SEGMENT: &str = "ack_lost_segment";
    pub const DUPLICATE_ACK: &str = "duplicate_ack";
    pub const KEEP_ALIVE: &str = "keep_alive";
    pub const KEEP_ALIVE_ACK: &str = "keep_alive_ack";
    pub const ZERO_WINDOW: &str = "zero_window";
    pub const ZERO_WINDOW_PROBE: &str = "zero_window_probe";
    pub const ZERO_WINDOW_PROBE_ACK: &str = "zero_window_probe_ack";
    pub const WINDOW_FULL: &str = "window_full";
    pub const WINDOW_UPDATE: &str = "window_update";
    pub const REUSED_PORTS: &str = "reused_ports";
    /// Ours: the same packet captured twice.
    pub const CAPTURE_DUPLICATE: &str = "capture_duplicate";
}

/// Adds one packet to the row of its name and sender.
pub fn note(anomalies: &mut Vec<Anomaly>, name: &'static str, from: End, at: Moment) {
    if let Some(row) = anomalies
        .iter_mut()
        .find(|row| row.name == name && row.from == from)
    {
        row.count += 1;
        row.last = at;
    } else {
        anomalies.push(Anomaly {
            name,
            from,
            count: 1,
            first: at,
            last: at,
        });
    }
}
