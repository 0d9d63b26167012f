//! The parts of one connection, from every source that saw it, joined.

pub use crate::reconstruct::capture::CaptureFacts;

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

/// One connection as all sources tell it. At least one part is present.
#[derive(Clone, Debug, Default)]
pub struct Joined {
    /// The captured connections: indices into [`Records::conns`], at most one a capture and leg, in capture order.
    pub conns: Vec<Leg>,
    /// The server's part: server life and connection within it.
    pub server: Option<(usize, usize)>,
    /// The client's part: story and connection within it.
    pub client: Option<(usize, usize)>,
    /// The server life that this connection went to, even where its log has no line about it.
    pub server_life: Option<usize>,
    /// The client story that it belongs to, even where its log has no line about this connection.
    pub client_story: Option<usize>,
    /// The next connection of the same client, an index into the joined list.
    pub next: Option<usize>,
    /// It ended where no source could see it, and its client came back.
    pub superseded: Option<Box<super::superseded::Superseded>>,
    /// How the parts were joined, and how sure: one row a join.
    pub links: Vec<Link>,
}

/// One captured view of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    /// Index into [`Records::conns`].
    pub conn: usize,
    /// Nearer to which end the capture was taken.
    pub near: Near,
    /// This leg is the one on the client's side of a proxy or NAT (addresses differ from the server's view).
    pub client_leg: bool,
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
