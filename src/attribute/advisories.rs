//! The advisory data base: known defects of servers and clients, and the compatibility rules between them.
//!
//! A version in an advisory's range is context, never a cause. A cause needs the symptom too, and one that decides: a text
//! that only this defect produces, or a function of the defect in the trace of the goroutine that crashed. The data is
//! embedded and can be replaced as a whole.

pub mod component;
pub mod version;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use serde::Deserialize;
use thiserror::Error;

use version::{Range, Version};

/// The data base that is compiled in.
pub const EMBEDDED: &str = include_str!("advisories/advisories.toml");

/// The layout of the data that this program reads.
const SCHEMA: u32 = 1;

/// Why a data base could not be loaded.
#[derive(Debug, Error)]
pub enum LoadError {
    /// Not TOML, or a field is missing or of another type.
    #[error("advisory data base: {0}")]
    Syntax(#[from] toml::de::Error),
    /// Made for another version of this program.
    #[error("advisory data base: schema {found} instead of {SCHEMA}")]
    Schema {
        /// The schema that the file names.
        found: u32,
    },
    /// A range that is not made of `>=X` and `<X`.
    #[error("advisory {id}: cannot read the version range '{range}'")]
    Range {
        /// The advisory.
        id: String,
        /// Its range.
        range: String,
    },
}

/// All advisories and rules.
#[derive(Clone, Debug, Default)]
pub struct Advisories {
    /// The day up to which upstream was read, `YYYY-MM-DD`.
    pub snapshot: String,
    /// Releases known to exist that were not read.
    pub not_covered: Vec<String>,
    /// Defects, in the data's order.
    pub advisories: Vec<Advisory>,
    /// Compatibility rules, in the data's order.
    pub rules: Vec<Rule>,
    /// The newest release known of each component.
    pub newest: BTreeMap<String, Version>,
}

/// One known defect.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Advisory {
    /// Its name in reports.
    pub id: String,
    /// The product: `nats-server`, `nats.go`, `nats.py`, ...
    pub component: String,
    /// What sort of defect: `crash`, `reconnect-bug`, `deadlock-or-stall`, ...
    pub kind: String,
    /// First affected version; empty where unknown.
    pub introduced: String,
    /// First fixed release of each line that was affected; empty while open.
    pub fixed_in: Vec<String>,
    /// Affected versions in words of `>=X` and `<X`; any of them.
    pub affected: Vec<String>,
    /// One sentence.
    pub summary: String,
    /// How it shows: exact texts and short observations.
    pub symptoms: Vec<String>,
    /// Parts of the symptoms that occur literally in logs, close reasons or -ERR texts.
    pub log_literals: Vec<String>,
    /// Those literals that only this defect produces.
    #[serde(default)]
    pub decisive: Vec<String>,
    /// Functions of the defect in a panic's trace.
    pub stack_functions: Vec<String>,
    /// Which connections it closes or freezes; `all` where the process ends.
    pub connection_kinds: Vec<String>,
    /// `true`, `indirect` or `false`.
    pub closes_connections: String,
    /// The mechanism.
    pub cause_detail: String,
    /// What helps until the upgrade; may be empty.
    pub workaround: String,
    /// Issues, commits, files and identifiers upstream.
    pub references: Vec<String>,
    /// How well it is known: `confirmed-by-fix-commit`, `release-notes`, `issue-only`.
    pub confidence: String,
    /// `affected`, read.
    #[serde(skip)]
    ranges: Vec<Range>,
}

/// One rule of which versions understand each other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Rule {
    /// Its name in reports.
    pub id: String,
    /// The feature or the stricter behaviour.
    pub feature: String,
    /// First server with it; empty where always or unknown.
    pub min_server: String,
    /// First client with it, by component.
    pub min_client: BTreeMap<String, String>,
    /// What happens with an older server.
    pub when_server_older: String,
    /// What happens with an older client.
    pub when_client_older: String,
    /// How that shows.
    pub symptoms: Vec<String>,
    /// Parts of the symptoms that occur literally.
    pub log_literals: Vec<String>,
    /// `true`, `indirect` or `false`.
    pub closes_connections: String,
    /// More.
    pub notes: String,
    /// Sources upstream.
    pub references: Vec<String>,
}

/// The layout of the file.
#[derive(Deserialize)]
struct File {
    meta: Meta,
    #[serde(default)]
    advisory: Vec<Advisory>,
    #[serde(default)]
    compat: Vec<Rule>,
    #[serde(default)]
    component: Vec<ComponentRow>,
}

#[derive(Deserialize)]
struct Meta {
    schema: u32,
    snapshot: String,
    #[serde(default)]
    not_covered: Vec<String>,
}

#[derive(Deserialize)]
struct ComponentRow {
    component: String,
    #[serde(default)]
    newest: String,
}

/// What was seen around a close, to be held against symptoms.
#[derive(Clone, Debug, Default)]
pub struct Signals<'a> {
    /// Log lines, close reasons, -ERR texts and client errors of this close and its surroundings.
    pub texts: Vec<&'a str>,
    /// Function lines of the goroutine that crashed (the first of the trace), outermost last; empty without a crash.
    pub trace: Vec<&'a str>,
    /// The kind of the closed connection (`client`, `route`, ...); `None` where it is not known.
    pub kind: Option<&'a str>,
}

/// An advisory whose version range and symptom were both met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match<'a> {
    /// The advisory.
    pub advisory: &'a Advisory,
    /// The literals and functions found.
    pub found: Vec<&'a str>,
    /// One of them decides: only this defect produces it. Else it merely fits, and ordinary causes do as well.
    pub decisive: bool,
}

/// The embedded data base.
pub fn embedded() -> &'static Advisories {
    static LOADED: OnceLock<Advisories> = OnceLock::new();
    // A test holds the embedded text loadable; an empty data base is the harmless way to be wrong here.
    LOADED.get_or_init(|| load(EMBEDDED).unwrap_or_default())
}

/// Reads a data base.
pub fn load(text: &str) -> Result<Advisories, LoadError> {
    let file: File = toml::from_str(text)?;
    if file.meta.schema != SCHEMA {
        return Err(LoadError::Schema {
            found: file.meta.schema,
        });
    }
    let mut advisories = file.advisory;
    for advisory in &mut advisories {
        for range in &advisory.affected {
            let read = Range::parse(range).ok_or_else(|| LoadError::Range {
                id: advisory.id.clone(),
                range: range.clone(),
            })?;
            advisory.ranges.push(read);
        }
    }
    Ok(Advisories {
        snapshot: file.meta.snapshot,
        not_covered: file.meta.not_covered,
        advisories,
        rules: file.compat,
        newest: file
            .component
            .into_iter()
            .filter_map(|row| Some((row.component, Version::parse(&row.newest)?)))
            .collect(),
    })
}

impl Advisory {
    /// Whether `version` is affected.
    pub fn affects(&self, version: Version) -> bool {
        self.ranges.iter().any(|range| range.holds(version))
    }

    /// The fixed release that somebody on `version` should go to: the one of the same line, else the lowest above it.
    pub fn fix_for(&self, version: Version) -> Option<Version> {
        let line = |v: &Version| v.numbers[..2] == version.numbers[..2];
        let mut above: Vec<Version> = self
            .fixed_in
            .iter()
            .filter_map(|text| Version::parse(text))
            .filter(|fixed| *fixed > version)
            .collect();
        above.sort_unstable();
        above.iter().find(|v| line(v)).or(above.first()).copied()
    }

    fn concerns(&self, kind: Option<&str>) -> bool {
        kind.is_none_or(|kind| {
            self.connection_kinds
                .iter()
                .any(|known| known == kind || known == "all")
        })
    }

    /// Literals and functions that the signals hold, and whether one of them decides.
    fn symptom<'a>(&'a self, signals: &Signals<'_>) -> Option<(Vec<&'a str>, bool)> {
        let said = |literal: &&String| signals.texts.iter().any(|t| t.contains(literal.as_str()));
        let called = |name: &&String| signals.trace.iter().any(|t| t.contains(name.as_str()));
        let functions: Vec<&String> = self.stack_functions.iter().filter(called).collect();
        // A crash is recognised by where it crashed; the text of a panic alone is shared by unrelated defects.
        if !signals.trace.is_empty() && !self.stack_functions.is_empty() && functions.is_empty() {
            return None;
        }
        let literals: Vec<&String> = self.log_literals.iter().filter(said).collect();
        if literals.is_empty() && functions.is_empty() {
            return None;
        }
        let decisive =
            !functions.is_empty() || literals.iter().any(|found| self.decisive.contains(*found));
        let found = functions.into_iter().chain(literals);
        Some((found.map(String::as_str).collect(), decisive))
    }
}

impl Advisories {
    /// The advisory with this id, case ignored.
    pub fn find(&self, id: &str) -> Option<&Advisory> {
        self.advisories
            .iter()
            .find(|advisory| advisory.id.eq_ignore_ascii_case(id))
    }

    /// The compatibility rule with this id, case ignored.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules
            .iter()
            .find(|rule| rule.id.eq_ignore_ascii_case(id))
    }

    /// Every advisory whose range holds `version` of `product`: context, not a verdict. None for an unreadable version.
    pub fn applying(&self, product: &str, version: &str) -> Vec<&Advisory> {
        let Some(version) = Version::parse(version) else {
            return Vec::new();
        };
        self.advisories
            .iter()
            .filter(|advisory| advisory.component == product && advisory.affects(version))
            .collect()
    }

    /// Those of [`Self::applying`] whose symptom is among the signals, deciding ones first, then in the data's order.
    pub fn matching(&self, product: &str, version: &str, signals: &Signals<'_>) -> Vec<Match<'_>> {
        let mut matches: Vec<Match<'_>> = self
            .applying(product, version)
            .into_iter()
            .filter(|advisory| advisory.concerns(signals.kind))
            .filter_map(|advisory| {
                let (found, decisive) = advisory.symptom(signals)?;
                Some(Match {
                    advisory,
                    found,
                    decisive,
                })
            })
            .collect();
        matches.sort_by_key(|found| !found.decisive);
        matches
    }

    /// The advisories that apply to any of the products and versions seen, once each, as an id and one sentence: context
    /// beside the verdicts. Those that have nothing to do with ended connections are left out.
    pub fn context<'a>(
        &self,
        seen: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Vec<(String, String)> {
        let seen: BTreeSet<(&str, &str)> = seen.into_iter().collect();
        let mut rows: BTreeMap<&str, String> = BTreeMap::new();
        for (product, version) in seen {
            let fix = |advisory: &Advisory| {
                Version::parse(version)
                    .and_then(|version| advisory.fix_for(version))
                    .map_or("not fixed yet".to_owned(), |fixed| {
                        format!("fixed in {fixed}")
                    })
            };
            for advisory in self.applying(product, version) {
                if advisory.closes_connections != "false" {
                    rows.entry(&advisory.id).or_insert_with(|| {
                        format!(
                            "{} ({product} {version}, {})",
                            advisory.summary,
                            fix(advisory)
                        )
                    });
                }
            }
        }
        rows.into_iter()
            .map(|(id, sentence)| (id.to_owned(), sentence))
            .collect()
    }

    /// Whether `version` of `product` is newer than everything that this data knows: not the same as unaffected.
    pub fn is_beyond(&self, product: &str, version: &str) -> bool {
        match (self.newest.get(product), Version::parse(version)) {
            (Some(newest), Some(version)) => version > *newest,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
