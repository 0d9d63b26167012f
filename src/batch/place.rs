//! Where bundles come from and where the output goes: a folder, or (with the feature `object-store`) a prefix of a bucket.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::bundle::Bundle;

/// A folder or a bucket's prefix. Names below it are written with `/`.
pub trait Place: Send + Sync {
    /// The bundles `depth` levels below, by name, and the names of what is neither folder nor archive there. Hidden entries
    /// and `out`, where it lies inside, are passed over.
    fn bundles(&self, out: &Path, depth: usize) -> io::Result<(Vec<Bundle>, Vec<String>)>;

    /// Brings a bundle of this place to this machine, if it is not here: its path, and what keeps a copy alive.
    fn fetch(&self, bundle: &Bundle) -> io::Result<(PathBuf, Option<tempfile::TempDir>)>;

    /// Where files are prepared before they are put: on the same file system, where that matters.
    fn stage(&self) -> &Path;

    /// A file's contents; `None` where there is none.
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>>;

    /// Whether there is such a file.
    fn has(&self, name: &str) -> bool;

    /// Puts a prepared file in its place; whole, or not at all.
    fn put(&self, from: &Path, name: &str) -> io::Result<()>;

    /// Removes a file, if it is there, and the folders that it leaves empty.
    fn remove(&self, name: &str) -> io::Result<()>;
}

/// The place that a path or a URL names.
pub fn open(path: &Path) -> io::Result<Box<dyn Place>> {
    match url(path) {
        None => Ok(Box::new(Folder::new(path))),
        #[cfg(feature = "object-store")]
        Some(url) => Ok(Box::new(super::bucket::Bucket::open(url)?)),
        #[cfg(not(feature = "object-store"))]
        Some(_) => Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "this natsleuth was built without object stores; build it with `--features object-store`, or mount the bucket",
        )),
    }
}

/// The text of a path that is a URL: `s3://bucket/prefix`. A folder of that name is written `./s3:/...`.
fn url(path: &Path) -> Option<&str> {
    let text = path.to_str()?;
    let (scheme, rest) = text.split_once("://")?;
    let is_scheme = scheme.len() > 1 && scheme.bytes().all(|b| b.is_ascii_alphanumeric());
    (is_scheme && !rest.is_empty()).then_some(text)
}

/// A folder of this machine.
struct Folder {
    path: PathBuf,
    stage: PathBuf,
}

impl Folder {
    fn new(path: &Path) -> Self {
        Self {
            path: path.to_path_buf(),
            stage: path.join(".partial"),
        }
    }
}

impl Place for Folder {
    fn bundles(&self, out: &Path, depth: usize) -> io::Result<(Vec<Bundle>, Vec<String>)> {
        super::bundle::list(&self.path, out, depth)
    }

    fn fetch(&self, bundle: &Bundle) -> io::Result<(PathBuf, Option<tempfile::TempDir>)> {
        Ok((bundle.path.clone(), None))
    }

    fn stage(&self) -> &Path {
        &self.stage
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.path.join(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.path.join(name).is_file()
    }

    fn put(&self, from: &Path, name: &str) -> io::Result<()> {
        let to = self.path.join(name);
        let parent = to.parent().unwrap_or(&self.path);
        // Another task may remove the folder while it is still empty: then it is made again.
        for _ in 0..16 {
            fs::create_dir_all(parent)?;
            match fs::rename(from, &to) {
                Err(e) if e.kind() == io::ErrorKind::NotFound && from.is_file() => {}
                result => return result,
            }
        }
        Err(io::ErrorKind::NotFound.into())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.path.join(name)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let mut parent = Path::new(name).parent();
        while let Some(folder) = parent.filter(|f| f.components().count() > 1) {
            if fs::remove_dir(self.path.join(folder)).is_err() {
                break;
            }
            parent = folder.parent();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_told_from_a_path() {
        for (path, expected) in [
            ("s3://logs/nightly", true),
            ("gs://logs", true),
            ("bundles", false),
            ("/srv/s3://x", false),
            ("./s3://x", false),
            ("C://bundles", false),
            ("s3://", false),
        ] {
            assert_eq!(url(Path::new(path)).is_some(), expected, "{path}");
        }
    }

    #[cfg(not(feature = "object-store"))]
    #[test]
    fn a_bucket_needs_the_feature_and_the_error_says_which() {
        let error = open(Path::new("s3://logs/nightly")).err().unwrap();
        assert!(error.to_string().contains("--features object-store"));
    }
}
