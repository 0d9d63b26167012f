//! A server process that ended, and a socket with it.

use crate::reconstruct::server::EndManner;

use super::disconnect::Disconnect;
use super::finding::{Confidence, Evidence};

/// The verdict on the process.
#[derive(Clone, Debug)]
pub struct Gone {
    /// The manner.
    pub manner: EndManner,
    /// It is the process at the other end of a connection between servers, not the one that the connection went to.
    pub peer: bool,
    /// How sure, manner and link to this socket together.
    pub confidence: Confidence,
    /// For it.
    pub evidence: Vec<Evidence>,
    /// The manner itself is an inference from packets, and a neighbouring one cannot be excluded.
    pub manner_open: bool,
}

/// The first packet that closes, as evidence.
pub fn closing_packet(disconnect: &Disconnect) -> Option<Evidence> {
    let first = disconnect.first_close()?;
    let what = if first.close.rst { "RST" } else { "FIN" };
    Some(first.view.evidence(
        first.close.at,
        format!(
            "{what} from the {} side comes first, no -ERR before it",
            first.close.side.word()
        ),
    ))
}
