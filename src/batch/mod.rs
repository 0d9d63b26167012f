//! Many bundles in one go: a report for each, one data set of all, and a manifest that makes the next run cheap.
//!
//! The output folder is a function of the bundles, the tool and its settings, and of nothing else: not of time, threads or
//! shards, and not of how often a run was killed and started again. Layout:
//!
//! - `reports/BUNDLE/report.json`, `report.html`: what `analyze` gives for the bundle;
//! - `data/closes|incidents|sources/date=YYYY-MM-DD/ID.parquet`: a row each, partitioned by UTC day;
//! - `manifest/ID.json`: what the bundle was (content hash) and what became of it; [`record::Record`].
//!
//! Tasks of an array share nothing but this folder: every bundle belongs to one shard, and every file to one bundle.

#[cfg(feature = "object-store")]
mod bucket;
mod bundle;
mod data;
mod place;
mod record;
mod shard;
mod store;
mod workers;

use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

pub use record::{Record, Status};
pub use shard::{Shard, ShardError};

use crate::analyze::{self, Options};
use crate::progress::{Progress, Silent};
use crate::source::SourceId;
use bundle::Bundle;
use place::Place;
use store::Store;

/// What a batch is told.
#[derive(Clone, Debug)]
pub struct BatchOptions {
    /// The folder that holds the bundles, or a bucket's URL.
    pub root: PathBuf,
    /// The output folder, made where it is missing, or a bucket's URL.
    pub out: PathBuf,
    /// How deep bundles are below the root: 1 for `ROOT/BUNDLE`, 2 for `ROOT/CUSTOMER/BUNDLE`.
    pub depth: usize,
    /// How each bundle is analysed.
    pub analyze: Options,
    /// Bundles at once.
    pub jobs: usize,
    /// Bytes of memory that all bundles in work may need together, by estimate. A bundle that needs more runs alone.
    pub memory: u64,
    /// The part of the bundles that this run does; all of them without.
    pub shard: Option<Shard>,
}

/// Why a batch did not run at all. A bundle that fails does not stop the rest; see [`Summary`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The root cannot be listed.
    #[error("cannot list the bundles in {}: {source}", path.display())]
    Root {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The output folder cannot be written.
    #[error("cannot write to {}: {source}", path.display())]
    Out {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// There is nothing to do, which in a nightly job means a wrong path.
    #[error("no bundles in {}: a bundle is a folder or an archive", path.display())]
    NoBundles {
        /// The root.
        path: PathBuf,
    },
}

/// What a run did, over the bundles of its shard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Bundles of this shard.
    pub bundles: usize,
    /// Analysed now.
    pub analysed: usize,
    /// Left as an earlier run left them.
    pub unchanged: usize,
    /// Closes by cause and detail, over all bundles of this shard.
    pub causes: BTreeMap<String, u64>,
    /// Bundles that cannot be analysed, with the reason; recorded, and not tried again until they change.
    pub broken: Vec<(String, String)>,
    /// Bundles that could not be read or written this time; not recorded, so that the next run tries them again.
    pub lost: Vec<(String, String)>,
    /// Entries of the root that are neither folder nor archive.
    pub loose: Vec<String>,
}

impl Summary {
    /// For the scheduler: 0 all done; 74 something was lost to the system, try again; 65 some bundles are broken, and trying
    /// again will not help.
    pub fn exit_status(&self) -> u8 {
        if !self.lost.is_empty() {
            74
        } else if !self.broken.is_empty() {
            65
        } else {
            0
        }
    }
}

/// What became of one bundle.
enum Done {
    Unchanged(Record),
    Analysed(Record),
    Lost(String),
}

/// Does every bundle of the shard that is new or changed. `progress` counts bytes of bundles.
pub fn run(options: &BatchOptions, progress: &dyn Progress) -> Result<Summary, Error> {
    let store = Store::open(&options.out)?;
    let failed = |source| Error::Root {
        path: options.root.clone(),
        source,
    };
    let root = place::open(&options.root).map_err(failed)?;
    let (bundles, loose) = root.bundles(&options.out, options.depth).map_err(failed)?;
    if bundles.is_empty() {
        let path = options.root.clone();
        return Err(Error::NoBundles { path });
    }
    let mine: Vec<Bundle> = bundles
        .into_iter()
        .filter(|b| options.shard.is_none_or(|shard| shard.holds(&b.name)))
        .collect();
    // A bundle counts as one source.
    let number = |index: usize| SourceId(u32::try_from(index).unwrap_or(u32::MAX));
    for (index, bundle) in mine.iter().enumerate() {
        progress.source(number(index), &bundle.name, bundle.bytes);
    }
    progress.stage("analysing bundles");
    let settings = record::settings(&options.analyze);
    let done = workers::each(
        &mine,
        options.jobs,
        options.memory,
        |bundle| estimate(bundle, options),
        |bundle| {
            let done = one(bundle, options, &settings, &*root, &store);
            if let Some(index) = mine.iter().position(|known| known.id == bundle.id) {
                progress.advance(number(index), bundle.bytes);
                progress.done(number(index));
            }
            done
        },
    );
    progress.finish();
    store.close();
    Ok(summary(&mine, done, loose))
}

/// Memory that a bundle needs: what archives may keep, buffers, and records, which grow with closed connections and so
/// with input, though far slower.
fn estimate(bundle: &Bundle, options: &BatchOptions) -> u64 {
    const FIXED: u64 = 32 << 20;
    FIXED + options.analyze.input.memory.min(bundle.bytes) + (bundle.bytes / 8).min(512 << 20)
}

fn one(
    bundle: &Bundle,
    options: &BatchOptions,
    settings: &str,
    root: &dyn Place,
    store: &Store,
) -> Done {
    let lost = |e: &dyn std::fmt::Display| Done::Lost(e.to_string());
    let content = match bundle.hash() {
        Ok(content) => content,
        Err(e) => return lost(&e),
    };
    let fresh = Record::new(&bundle.name, content, settings);
    match store.record(&bundle.id) {
        Ok(Some(old)) if old.same_work(&fresh) => {
            return match store.settle(&bundle.id) {
                Ok(()) => Done::Unchanged(old),
                Err(e) => lost(&e),
            };
        }
        Ok(_) => {}
        Err(e) => return lost(&e),
    }
    let (path, _copy) = match root.fetch(bundle) {
        Ok(here) => here,
        Err(e) => return lost(&e),
    };
    // A defect that one bundle lays bare must not cost the night's other bundles.
    let analysed = catch_unwind(AssertUnwindSafe(|| {
        analyze::analyze(std::slice::from_ref(&path), &options.analyze, &Silent)
    }));
    let result = match analysed {
        Ok(Ok((_, mut analysis))) => {
            bundle.relative_paths(&path, &mut analysis.sources);
            store.publish(&bundle.id, &bundle.name, fresh, &analysis)
        }
        Ok(Err(e)) if e.is_transient() || matches!(e, crate::input::Error::Missing { .. }) => {
            return lost(&e);
        }
        Ok(Err(e)) => {
            let why = bundle.relative(&path, &e.to_string());
            store.publish_failure(&bundle.id, fresh, why)
        }
        Err(_) => {
            let why = "a defect in natsleuth: the analysis panicked".to_owned();
            store.publish_failure(&bundle.id, fresh, why)
        }
    };
    match result {
        Ok(record) => Done::Analysed(record),
        Err(e) => lost(&e),
    }
}

fn summary(bundles: &[Bundle], done: Vec<Done>, loose: Vec<String>) -> Summary {
    let mut summary = Summary {
        bundles: bundles.len(),
        loose,
        ..Summary::default()
    };
    for (bundle, done) in bundles.iter().zip(done) {
        let record = match done {
            Done::Unchanged(record) => {
                summary.unchanged += 1;
                record
            }
            Done::Analysed(record) => {
                summary.analysed += 1;
                record
            }
            Done::Lost(why) => {
                summary.lost.push((bundle.name.clone(), why));
                continue;
            }
        };
        for (cause, count) in record.causes {
            *summary.causes.entry(cause).or_default() += count;
        }
        if let Some(why) = record.why {
            summary.broken.push((bundle.name.clone(), why));
        }
    }
    summary
}
