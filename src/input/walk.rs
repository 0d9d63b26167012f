//! From the paths that the user gave to files: folders are walked, every file comes once, in one order.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, FileType};
use std::io;
use std::path::{Path, PathBuf};

use super::error::Error;

/// A file to look at, or a path to name as skipped.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A file of so many bytes.
    File(u64),
    /// A pipe or device that was named by the user: it can be read once.
    Stream,
    /// Standard input.
    Stdin,
    /// Not read, and why.
    Skip(String),
}

/// What the walk found, sorted by path.
pub type Steps = BTreeMap<PathBuf, Step>;

/// The path that stands for standard input.
pub const STDIN: &str = "-";

/// Folders inside folders that are walked.
const MAX_DEPTH: usize = 64;

/// Walks all paths. The result is the same for any order of `paths`, and names a file once however often and by
/// whichever path it was given.
pub fn walk(paths: &[PathBuf]) -> Result<Steps, Error> {
    let mut roots = BTreeSet::new();
    for path in paths {
        if path.as_os_str() != STDIN {
            let root = fs::canonicalize(path).map_err(|e| failure(path, e))?;
            roots.insert(root);
        }
    }
    let mut walk = Walk {
        roots,
        names: BTreeMap::new(),
        skips: BTreeMap::new(),
    };
    let mut steps = Steps::new();
    for path in paths {
        if path.as_os_str() == STDIN {
            steps.insert(path.clone(), Step::Stdin);
            continue;
        }
        let meta = fs::metadata(path).map_err(|e| failure(path, e))?;
        let shown = tidy(path);
        if meta.is_dir() {
            fs::read_dir(path).map_err(|e| failure(path, e))?;
            walk.folder(path, &shown, 0);
        } else if meta.is_file() {
            fs::File::open(path).map_err(|e| failure(path, e))?;
            walk.file(path, shown, meta.len());
        } else {
            steps.insert(path.clone(), Step::Stream);
        }
    }
    steps.extend(
        walk.skips
            .into_iter()
            .map(|(path, why)| (path, Step::Skip(why))),
    );
    steps.extend(
        walk.names
            .into_values()
            .map(|(path, len)| (path, Step::File(len))),
    );
    Ok(steps)
}

struct Walk {
    roots: BTreeSet<PathBuf>,
    /// By real path: the name to show, and the size.
    names: BTreeMap<PathBuf, (PathBuf, u64)>,
    skips: BTreeMap<PathBuf, String>,
}

impl Walk {
    fn file(&mut self, path: &Path, shown: PathBuf, len: u64) {
        let Ok(real) = fs::canonicalize(path) else {
            self.skips
                .insert(shown, "vanished while it was looked at".to_owned());
            return;
        };
        let entry = self
            .names
            .entry(real)
            .or_insert_with(|| (shown.clone(), len));
        // Of several names the smallest is shown, so that the order of arguments does not matter.
        if shown < entry.0 {
            entry.0 = shown;
        }
    }

    fn folder(&mut self, path: &Path, shown: &Path, depth: usize) {
        if depth == MAX_DEPTH {
            let why = format!("folders nested more than {MAX_DEPTH} deep");
            self.skips.insert(shown.to_path_buf(), why);
            return;
        }
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(e) => {
                self.skips.insert(shown.to_path_buf(), unreadable(&e));
                return;
            }
        };
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(e) => {
                    self.skips.insert(shown.to_path_buf(), unreadable(&e));
                    return;
                }
            };
            let shown = if shown.as_os_str().is_empty() {
                PathBuf::from(entry.file_name())
            } else {
                shown.join(entry.file_name())
            };
            match entry.file_type() {
                Ok(kind) => self.entry(&entry.path(), shown, kind, depth),
                Err(e) => {
                    self.skips.insert(shown, unreadable(&e));
                }
            }
        }
    }

    fn entry(&mut self, path: &Path, shown: PathBuf, kind: FileType, depth: usize) {
        if kind.is_dir() {
            self.folder(path, &shown, depth + 1);
        } else if kind.is_symlink() {
            self.link(path, shown);
        } else if kind.is_file() {
            match fs::File::open(path).and_then(|f| f.metadata()) {
                Ok(meta) => self.file(path, shown, meta.len()),
                Err(e) => {
                    self.skips.insert(shown, unreadable(&e));
                }
            }
        } else {
            let why = "a device, pipe or socket: only read when it is named itself";
            self.skips.insert(shown, why.to_owned());
        }
    }

    /// A link to somewhere inside the given folders needs no following: what it leads to is walked under its own
    /// name, once, and loops cannot arise.
    fn link(&mut self, path: &Path, shown: PathBuf) {
        let why = match fs::canonicalize(path) {
            Ok(target) if self.roots.iter().any(|root| target.starts_with(root)) => return,
            Ok(_) => "a symbolic link that leads out of the given folders",
            Err(_) => "a symbolic link that leads nowhere",
        };
        self.skips.insert(shown, why.to_owned());
    }
}

/// The path without `.` parts, as it is shown.
fn tidy(path: &Path) -> PathBuf {
    let tidied: PathBuf = path
        .components()
        .filter(|c| !matches!(c, std::path::Component::CurDir))
        .collect();
    tidied
}

fn failure(path: &Path, source: io::Error) -> Error {
    let path = path.to_path_buf();
    if source.kind() == io::ErrorKind::NotFound {
        Error::Missing { path }
    } else {
        Error::Unreadable { path, source }
    }
}

fn unreadable(e: &io::Error) -> String {
    format!("cannot be read: {e}")
}
