//! The ordinary life of a client. A long capture is made of these, and of one that nothing happened to a few moments tell
//! all that matters to others.

use super::anomaly::name;
use super::conn::{Conn, Flow, Silence};
use super::session::Protocol;
use crate::span::Moment;

/// A client that came, was greeted, spoke, and left by its own FIN; nothing was refused, lost or held back on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Its SYN, the connection's first packet.
    pub came: Moment,
    /// The ACK that completes the handshake.
    pub taken: Moment,
    /// INFO.
    pub greeted: Moment,
    /// Its FIN, the first close.
    pub left: Moment,
    /// The longest silence that it lived through, in nanoseconds.
    pub silence: Option<i64>,
    /// At the end the client's receive window did not hold one segment.
    pub clogged: bool,
}

/// All of this direction was seen, and nothing of it had to be sent again or had to wait.
const fn is_whole(flow: &Flow) -> bool {
    flow.zero_window_ns == 0
        && flow.snapped_bytes == 0
        && flow.final_retransmissions.is_none()
        && flow.worst_retransmissions.is_none()
}

impl Visit {
    /// The visit that a connection was; `None` for one of which anything else could be told.
    pub fn of(conn: &Conn) -> Option<Self> {
        let quiet = conn.is_smooth()
            && conn
                .anomalies
                .iter()
                .all(|row| row.name != name::ACK_LOST_SEGMENT)
            && is_whole(&conn.orig)
            && is_whole(&conn.resp);
        let session = conn.session.as_deref()?;
        let spoke =
            session.ready_at.is_some() || session.server.messages + session.client.messages > 0;
        let info = session.info.as_ref()?;
        let plain = session.protocol == Protocol::Client
            && !session.is_carried()
            && !info.server_id.is_empty()
            && session.errors.is_empty()
            && session.notices.is_empty();
        let client = conn.server_end().other();
        let left = conn.flow(client).fin?;
        let answer = conn.flow(client.other()).fin?;
        let gone = conn.end.by == Some(client) && conn.end.at == left && left < answer;
        let visit = Self {
            came: conn.handshake.syn?,
            taken: conn.handshake.ack?,
            greeted: session.info_at?,
            left,
            clogged: conn.flow(client).zero_window_since.is_some(),
            silence: conn.survived_silence().map(Silence::length),
        };
        let whole = visit.came == conn.first && visit.greeted < left;
        (quiet && plain && spoke && gone && whole).then_some(visit)
    }
}
