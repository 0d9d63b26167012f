//! The manifest's word on one bundle: what it was, and what became of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::bundle::hex;
use crate::analyze::Options;

/// How far a bundle's work has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Its files are being put in place; found only where a run was killed.
    Writing,
    /// Analysed.
    Done,
    /// Cannot be analysed; `why` says why.
    Failed,
}

/// `manifest/ID.json`. Holds nothing that differs between two runs on the same bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The bundle's name.
    pub bundle: String,
    /// Hash of its contents.
    pub content: String,
    /// The version of natsleuth.
    pub tool: String,
    /// Hash of the settings that change results.
    pub settings: String,
    /// How far it is.
    pub status: Status,
    /// Why it failed.
    pub why: Option<String>,
    /// Closed sockets.
    pub closes: u64,
    /// Incidents.
    pub incidents: u64,
    /// Closes by `cause/detail`.
    pub causes: BTreeMap<String, u64>,
    /// Its files, below the output folder.
    pub files: Vec<String>,
}

impl Record {
    /// A record of work that is about to begin.
    pub fn new(bundle: &str, content: String, settings: &str) -> Self {
        Self {
            bundle: bundle.to_owned(),
            content,
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            settings: settings.to_owned(),
            status: Status::Writing,
            why: None,
            closes: 0,
            incidents: 0,
            causes: BTreeMap::new(),
            files: Vec::new(),
        }
    }

    /// True if this is finished, and `fresh` would only repeat it.
    pub fn same_work(&self, fresh: &Self) -> bool {
        self.status != Status::Writing
            && self.bundle == fresh.bundle
            && self.content == fresh.content
            && self.tool == fresh.tool
            && self.settings == fresh.settings
    }
}

/// The hash of the settings that change results.
pub fn settings(options: &Options) -> String {
    // Their debug form names every field, so a new setting counts without anybody remembering it here.
    let digest = Sha256::digest(format!("{options:?}").as_bytes());
    hex(&digest[..8])
}
