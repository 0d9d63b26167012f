//! A bundle: one folder or one archive below the root, with its name and the hash of its contents.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::input;
use crate::source::Source;

/// One bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// Its path below the root, with `/`.
    pub name: String,
    /// Names its files in the output: follows from the name, is safe as a file name, and is unique.
    pub id: String,
    /// Where it is; empty if it is in a bucket.
    pub path: PathBuf,
    /// Bytes of all its files.
    pub bytes: u64,
    /// What stands for its contents without reading them: a bucket's listing.
    pub listed: Option<String>,
}

/// Folders inside a bundle that are looked into.
const MAX_DEPTH: usize = 64;

/// The bundles `depth` levels below `root`, by name, and the names of what is neither folder nor archive there. Hidden
/// entries and the output folder are passed over.
pub fn list(root: &Path, out: &Path, depth: usize) -> io::Result<(Vec<Bundle>, Vec<String>)> {
    let out = fs::canonicalize(out).ok();
    let mut found = (Vec::new(), Vec::new());
    level(root, "", depth.max(1), out.as_deref(), &mut found)?;
    found.0.sort_by(|a, b| a.name.cmp(&b.name));
    found.1.sort();
    Ok(found)
}

fn level(
    folder: &Path,
    prefix: &str,
    depth: usize,
    out: Option<&Path>,
    found: &mut (Vec<Bundle>, Vec<String>),
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let file_name = entry.file_name();
        let shown = file_name.to_string_lossy();
        if shown.starts_with('.') || out.is_some() && fs::canonicalize(&path).ok().as_deref() == out
        {
            continue;
        }
        let name = format!("{prefix}{shown}");
        // A link to a folder or archive is a bundle too; one that leads nowhere is not.
        let Ok(meta) = fs::metadata(&path) else {
            found.1.push(name);
            continue;
        };
        let is_bundle = if meta.is_dir() {
            if depth > 1 {
                level(&path, &format!("{name}/"), depth - 1, out, found)?;
                continue;
            }
            true
        } else {
            meta.is_file() && input::is_archive(&path)?
        };
        if !is_bundle {
            found.1.push(name);
            continue;
        }
        let raw = path.strip_prefix(folder).unwrap_or(&path);
        found.0.push(Bundle {
            id: id(prefix, raw.as_os_str().as_encoded_bytes()),
            bytes: size(&path, 0),
            name,
            path,
            listed: None,
        });
    }
    Ok(())
}

fn id(prefix: &str, raw: &[u8]) -> String {
    let digest = Sha256::new()
        .chain_update(prefix)
        .chain_update(raw)
        .finalize();
    hex(&digest[..8])
}

/// A name that leads nowhere else.
#[cfg(feature = "object-store")]
pub fn is_plain(part: &str) -> bool {
    !matches!(part, "" | "." | "..") && !part.contains(['/', '\\', '\0'])
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Bytes below a path, as far as they can be counted: for progress and estimates only.
fn size(path: &Path, depth: usize) -> u64 {
    let Ok(meta) = fs::metadata(path) else {
        return 0;
    };
    if !meta.is_dir() || depth == MAX_DEPTH {
        return meta.len();
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries
        .filter(|e| !e.file_type().is_ok_and(|t| t.is_symlink()))
        .map(|e| size(&e.path(), depth + 1))
        .sum()
}

impl Bundle {
    /// A bundle of a bucket. Its identifier is that of the same folder on a file system.
    #[cfg(feature = "object-store")]
    pub fn listed(name: &str, bytes: u64, content: String) -> Self {
        Self {
            id: id("", name.as_bytes()),
            name: name.to_owned(),
            path: PathBuf::new(),
            bytes,
            listed: Some(content),
        }
    }

    /// The hash of names and contents, in hexadecimal. Times, owners and the order on disk do not matter.
    pub fn hash(&self) -> io::Result<String> {
        if let Some(listed) = &self.listed {
            return Ok(listed.clone());
        }
        let mut hasher = Sha256::new();
        hash_tree(&self.path, "", 0, &mut hasher)?;
        Ok(hex(&hasher.finalize()))
    }

    /// Paths of sources as they read inside the bundle's place: below the root, not at `path` on this machine.
    pub fn relative_paths(&self, path: &Path, sources: &mut [Source]) {
        for source in sources {
            source.path = self.relative(path, &source.path);
        }
    }

    /// A text with this machine's path to the bundle replaced by its name.
    pub fn relative(&self, path: &Path, text: &str) -> String {
        text.replace(&*path.to_string_lossy(), &self.name)
    }
}

fn hash_tree(path: &Path, name: &str, depth: usize, hasher: &mut Sha256) -> io::Result<()> {
    let meta = if depth == 0 {
        fs::metadata(path)?
    } else {
        fs::symlink_metadata(path)?
    };
    // Length first, so that no two trees give the same bytes.
    let mut item = |kind: u8, len: u64| {
        hasher.update([kind]);
        hasher.update((name.len() as u64).to_be_bytes());
        hasher.update(name.as_bytes());
        hasher.update(len.to_be_bytes());
    };
    if meta.is_dir() {
        if depth == MAX_DEPTH {
            return Ok(());
        }
        let entries: io::Result<Vec<_>> = fs::read_dir(path)?.collect();
        let mut entries = entries?;
        entries.sort_by_key(fs::DirEntry::file_name);
        item(b'd', entries.len() as u64);
        for entry in entries {
            let file_name = entry.file_name();
            hash_tree(
                &entry.path(),
                &file_name.to_string_lossy(),
                depth + 1,
                hasher,
            )?;
        }
    } else if meta.is_file() {
        item(b'f', meta.len());
        let mut file = fs::File::open(path)?;
        let mut buf = vec![0; 256 << 10];
        loop {
            match file.read(&mut buf)? {
                0 => break,
                n => hasher.update(&buf[..n]),
            }
        }
    } else {
        item(b'o', 0);
    }
    Ok(())
}
