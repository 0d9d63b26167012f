//! A source: one file, archive member or stream, with what is known of it before it is parsed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Index of a source in the analysis, in report order. Sources are sorted by path, so ids do not depend on the
/// order of arguments.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct SourceId(pub u32);

/// What a source is, sniffed from its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// pcap, pcapng or snoop.
    Capture,
    /// Text made of lines: nats-server, client, kernel or service-manager logs, plain or wrapped, perhaps mixed.
    Log,
    /// JSON saved from a monitoring endpoint (`/varz`, `/connz`, ...) or `nats server request`.
    Monitoring,
    /// A nats-server configuration file.
    ServerConfig,
    /// TLS key log (`SSLKEYLOGFILE`).
    KeyLog,
    /// Recognised, and of no use here (images, binaries, ...), or not recognised.
    Unknown,
}

impl Kind {
    /// The word used in reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Log => "log",
            Self::Monitoring => "monitoring",
            Self::ServerConfig => "server-config",
            Self::KeyLog => "key-log",
            Self::Unknown => "unknown",
        }
    }
}

/// Hints from names: never proof.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// The file's stem without rotation suffixes: `client-orders-0` for `client-orders-0.log.1.gz`.
    pub stem: String,
    /// Host, from a bundle's folder layout.
    pub host: Option<String>,
    /// Kubernetes pod.
    pub pod: Option<String>,
    /// Kubernetes or docker container.
    pub container: Option<String>,
}

/// The SHA-256 of a source as it is stored: of a compressed file its compressed bytes, of a member of an archive the bytes
/// that unpacking it gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checksum(pub [u8; 32]);

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// One input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its index.
    pub id: SourceId,
    /// Its path as a reader can open it; a member of an archive is `archive!/member`.
    pub path: String,
    /// What it is.
    pub kind: Kind,
    /// Bytes on disk (compressed size where compressed); 0 for a stream.
    pub bytes: u64,
    /// What its name hints at.
    pub hints: Hints,
}
