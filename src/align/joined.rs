//! The parts of one connection, from every source that saw it, joined.

use smallvec::{SmallVec, smallvec};

pub use crate::reconstruct::capture::CaptureFacts;
use crate::shelf::Index;
use crate::source::SourceId;
use crate::span::Moment;

/// Everything reconstructed from all sources, in source order: what `align` and `attribute` look at.
#[derive(Debug, Default)]
pub struct Records {
    /// Connections of all captures.
    pub conns: crate::shelf::Shelf<crate::reconstruct::conn::Conn>,
    /// Server lifetimes of all server logs.
    pub servers: Vec<crate::reconstruct::server::ServerLife>,
    /// Client stories of all client logs.
    pub clients: Vec<crate::reconstruct::client::ClientStory>,
    /// Host events (kernel, service manager, container runtime) that belong to no single server life.
    pub host_events: Vec<crate::reconstruct::server::ServerEvent>,
    /// For each capture: first and last packet, packets, drops that the capturer reported.
    pub captures: Vec<CaptureFacts>,
}

impl Records {
    /// The last packet of a connection's capture, `last` being its own: what is open by then may live on.
    pub fn capture_end(&self, of: SourceId, last: Moment) -> Moment {
        let capture = self.captures.iter().find(|facts| facts.source == of);
        capture.map_or(last, |facts| facts.last.max(last))
    }
}

/// One connection as all sources tell it. At least one part is present. There is one for each connection of a storm, so that
/// each byte counts.
#[derive(Clone, Debug, Default)]
pub struct Joined {
    /// The captured connections, at most one a capture and leg, in capture order.
    pub conns: SmallVec<[Leg; 2]>,
    /// How the parts were joined, and how sure: one row a join.
    pub links: SmallVec<[Link; 8]>,
    /// It ended where no source could see it, and its client came back.
    pub superseded: Option<Box<super::superseded::Superseded>>,
    server: [Index; 2],
    client: [Index; 2],
    server_life: Index,
    client_story: Index,
    next: Index,
}

impl Joined {
    /// One that only a capture tells of, so far.
    pub fn captured(leg: Leg) -> Self {
        Self {
            conns: smallvec![leg],
            ..Self::default()
        }
    }

    /// The one view of a connection that nothing else tells of.
    pub fn only_captured(&self) -> Option<&Leg> {
        let server = self.server().is_some() || self.server_life().is_some();
        let client = self.client().is_some() || self.client_story().is_some();
        match self.conns.as_slice() {
            [leg] if !server && !client => Some(leg),
            _ => None,
        }
    }

    /// The server's part: server life and connection within it.
    pub fn server(&self) -> Option<(usize, usize)> {
        Index::pair(self.server)
    }

    /// Sets the server's part, and its life.
    pub fn set_server(&mut self, life: usize, conn: usize) {
        self.server = [life, conn].map(Index::new);
        self.set_server_life(Some(life));
    }

    /// The client's part: story and connection within it.
    pub fn client(&self) -> Option<(usize, usize)> {
        Index::pair(self.client)
    }

    /// Sets the client's part, and its story.
    pub fn set_client(&mut self, story: usize, conn: usize) {
        self.client = [story, conn].map(Index::new);
        self.set_client_story(Some(story));
    }

    /// The server life that this connection went to, even where its log has no line about it.
    pub fn server_life(&self) -> Option<usize> {
        self.server_life.get()
    }

    /// Sets the server life.
    pub fn set_server_life(&mut self, life: Option<usize>) {
        self.server_life = Index::of(life);
    }

    /// The client story that it belongs to, even where its log has no line about this connection.
    pub fn client_story(&self) -> Option<usize> {
        self.client_story.get()
    }

    /// Sets the client story.
    pub fn set_client_story(&mut self, story: Option<usize>) {
        self.client_story = Index::of(story);
    }

    /// The next connection of the same client, an index into the joined list.
    pub fn next(&self) -> Option<usize> {
        self.next.get()
    }

    /// Sets the next connection.
    pub fn set_next(&mut self, next: Option<usize>) {
        self.next = Index::of(next);
    }
}

/// One captured view of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    conn: u32,
    /// Nearer to which end the capture was taken.
    pub near: Near,
    /// This leg is the one on the client's side of a proxy or NAT (addresses differ from the server's view).
    pub client_leg: bool,
}

impl Leg {
    /// The view of this index into [`Records::conns`].
    pub const fn new(conn: usize, near: Near) -> Self {
        Self {
            conn: conn as u32,
            near,
            client_leg: false,
        }
    }

    /// Index into [`Records::conns`].
    pub const fn conn(&self) -> usize {
        self.conn as usize
    }
}

/// Where a capture was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Near {
    /// Not known.
    #[default]
    Unknown,
    /// At the client's host.
    Client,
    /// At the server's host.
    Server,
    /// In between.
    Middle,
}

/// How two parts were joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The method.
    pub by: LinkBy,
    /// Sure, or only the best of several.
    pub sure: bool,
}

/// Methods of joining, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkBy {
    /// INFO's server_id and client_id equal the log's.
    ServerIdAndCid,
    /// Same address and port, times agree.
    AddressAndPort,
    /// Same initial sequence numbers and payload (two captures).
    SequenceAndPayload,
    /// Client's log carries the cid or its own port.
    ClientCidOrPort,
    /// Client name, and event times against opens and closes.
    NameAndTime,
    /// Event times only.
    Time,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_joined_connection_is_short() {
        assert!(size_of::<Joined>() <= 88);
    }
}
