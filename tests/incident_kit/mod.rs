//! The incidents under `fixtures/incidents`: what is true of them, and how a report is held against it.

#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use natsleuth::analyze::{self, Options};
use natsleuth::attribute::finding::{Analysis, Close};
use natsleuth::progress::Silent;
use natsleuth::shelf::Held;

/// What happened to one socket.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Truth {
    /// The client's address as the server sees it.
    pub client: String,
    /// The client's name; needed where only its log is given.
    pub name: Option<String>,
    pub cause: String,
    pub detail: String,
    /// `cause/detail` that a careful reader of the same evidence could defend.
    #[serde(default)]
    pub also_ok: Vec<String>,
}

impl Truth {
    /// The verdict is this cause and detail, or one that can be defended.
    pub fn allows(&self, close: &Close) -> bool {
        (close.cause == self.cause && close.detail == self.detail)
            || self
                .also_ok
                .contains(&format!("{}/{}", close.cause, close.detail))
    }

    /// `INCIDENT ADDRESS: CAUSE/DETAIL is true, got VERDICT`.
    pub fn against(&self, incident: &str, close: Option<&Close>) -> String {
        let (cause, detail) = (&self.cause, &self.detail);
        let got = verdict(close);
        format!(
            "{incident} {}: {cause}/{detail} is true, got {got}",
            self.client
        )
    }

    /// The verdict's cause is right, whatever its detail.
    pub fn allows_cause(&self, close: &Close) -> bool {
        let cause_of = |name: &String| name.split('/').next() == Some(close.cause);
        close.cause == self.cause || self.also_ok.iter().any(cause_of)
    }
}

/// One folder: its `case.toml`, and the evidence beside it.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Incident {
    /// The folder's name.
    #[serde(skip)]
    pub name: String,
    #[serde(skip)]
    pub folder: PathBuf,
    pub story: String,
    pub origin: String,
    pub edits: String,
    /// Causes that no close of this incident has.
    pub must_not: Vec<String>,
    pub closes: Vec<Truth>,
}

/// Every incident, by name.
pub fn incidents() -> Vec<Incident> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/incidents");
    let mut found = Vec::new();
    for entry in fs::read_dir(&root).expect("fixtures/incidents") {
        let folder = entry.expect("an entry").path();
        if !folder.is_dir() {
            continue;
        }
        let text = fs::read_to_string(folder.join("case.toml"))
            .unwrap_or_else(|error| panic!("{}/case.toml: {error}", folder.display()));
        let mut incident: Incident = toml::from_str(&text)
            .unwrap_or_else(|error| panic!("{}/case.toml: {error}", folder.display()));
        incident.name = folder.file_name().expect("a name").to_string_lossy().into();
        incident.folder = folder;
        found.push(incident);
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

impl Incident {
    /// The evidence: every file of the folder but the answer.
    pub fn evidence(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = fs::read_dir(&self.folder)
            .expect("the folder")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.file_name().is_some_and(|name| name != "case.toml"))
            .collect();
        files.sort();
        files
    }

    /// What is wrong with the verdicts of an analysis.
    pub fn untrue(&self, analysis: &Analysis) -> Vec<String> {
        let pairs = self.pairs(analysis).into_iter();
        let wrong = pairs
            .filter(|(truth, close)| !close.as_deref().is_some_and(|close| truth.allows(close)));
        wrong
            .map(|(truth, close)| truth.against(&self.name, close.as_deref()))
            .collect()
    }

    /// Each truth with the close that the analysis has for it: by address, else by name where the close has no address.
    pub fn pairs<'a>(&self, analysis: &'a Analysis) -> Vec<(&Truth, Option<Held<'a, Close>>)> {
        let mut used: BTreeSet<usize> = BTreeSet::new();
        let mut pairs: Vec<(&Truth, Option<Held<Close>>)> =
            self.closes.iter().map(|truth| (truth, None)).collect();
        for (truth, slot) in &mut pairs {
            let found = analysis.closes.iter().enumerate().find(|(index, close)| {
                let same = |address: Option<std::net::SocketAddr>| {
                    address.is_some_and(|address| address.to_string() == truth.client)
                };
                !used.contains(index) && (same(close.client) || same(close.client_side))
            });
            if let Some((index, close)) = found {
                used.insert(index);
                *slot = Some(close);
            }
        }
        for (truth, slot) in &mut pairs {
            let Some(name) = truth.name.as_deref().filter(|_| slot.is_none()) else {
                continue;
            };
            // A client that lost several sockets in one log cannot be told apart by name alone.
            if self
                .closes
                .iter()
                .filter(|other| other.name.as_deref() == Some(name))
                .count()
                > 1
            {
                continue;
            }
            let mut found = analysis.closes.iter().enumerate().filter(|(index, close)| {
                let named = close.client_name.as_deref().unwrap_or_default();
                !used.contains(index) && close.client.is_none() && named.ends_with(name)
            });
            if let (Some((index, close)), None) = (found.next(), found.next()) {
                used.insert(index);
                *slot = Some(close);
            }
        }
        pairs
    }
}

/// Analyses `paths` as the command does by default.
pub fn analyze_paths(paths: &[PathBuf]) -> Analysis {
    let options = Options {
        ports_are_default: true,
        ..Options::default()
    };
    analyze::analyze(paths, &options, &Silent)
        .expect("an analysis")
        .1
}

/// `10.0.0.7:41234 server-shutdown/killed (shown)`.
pub fn verdict(close: Option<&Close>) -> String {
    close.map_or_else(
        || "no close".to_owned(),
        |close| {
            format!(
                "{}/{} ({})",
                close.cause,
                close.detail,
                close.confidence.word()
            )
        },
    )
}

/// The last segment of a path is a capture.
pub fn is_capture(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending == "pcap" || ending == "pcapng")
}
