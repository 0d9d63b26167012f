//! Where a report goes: standard output, or a file that gets its name when it is whole. On Linux it has no name at all until
//! then, so that a run that is interrupted or killed leaves nothing behind; elsewhere it is written beside its place and
//! renamed.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Standard output: no `-o`, or `-o -`.
    Stdout,
    /// A file.
    File {
        /// Its path.
        path: PathBuf,
        /// An existing file may be replaced.
        force: bool,
    },
}

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The file exists and `--force` was not given.
    #[error("{} exists; --force replaces it, `-o -` writes to standard output", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be made or replaced.
    #[error("cannot create {}: {source}", path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Writing failed.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file, or `-`.
        path: PathBuf,
        /// The system's reason. A broken pipe on standard output is success to the user: the reader has seen enough.
        source: io::Error,
    },
}

impl Output {
    /// The destination that `-o` names.
    pub fn new(argument: Option<&Path>, force: bool) -> Self {
        match argument {
            Some(path) if path != Path::new("-") => Self::File {
                path: path.to_owned(),
                force,
            },
            _ => Self::Stdout,
        }
    }

    /// Refuses a destination that cannot be written, before hours are spent on what would go there.
    pub fn check(&self) -> Result<(), OutputError> {
        let Self::File { path, force } = self else {
            return Ok(());
        };
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => Err(OutputError::Create {
                path: path.clone(),
                source: io::ErrorKind::IsADirectory.into(),
            }),
            Ok(found) if found.is_file() && !force => {
                Err(OutputError::Exists { path: path.clone() })
            }
            Ok(_) => Ok(()),
            Err(_) => {
                let parent = folder(path);
                if parent.is_dir() {
                    Ok(())
                } else {
                    Err(OutputError::Create {
                        path: path.clone(),
                        source: io::ErrorKind::NotFound.into(),
                    })
                }
            }
        }
    }

    /// Writes what `render` writes. `stdout` is where standard output goes.
    pub fn write(
        &self,
        stdout: &mut dyn Write,
        render: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), OutputError> {
        self.check()?;
        match self {
            Self::Stdout => buffered(stdout, render).map_err(|source| OutputError::Write {
                path: PathBuf::from("-"),
                source,
            }),
            Self::File { path, .. } if special(path) => {
                let file = File::options().write(true).open(path);
                let mut file = file.map_err(|source| OutputError::Create {
                    path: path.clone(),
                    source,
                })?;
                buffered(&mut file, render).map_err(|source| OutputError::Write {
                    path: path.clone(),
                    source,
                })
            }
            Self::File { path, force } => match nameless::create(folder(path)) {
                Some(file) => named_when_whole(file, path, *force, render),
                None => beside(path, render),
            },
        }
    }
}

/// A device or pipe: nothing to rename over.
fn special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file())
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn buffered(
    out: &mut dyn Write,
    render: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, out);
    render(&mut out)?;
    out.flush()
}

/// Files without a name (`open(2)`, `O_TMPFILE`): what is never given one is gone with its process.
#[cfg(target_os = "linux")]
mod nameless {
    use std::fs::File;
    use std::io;
    use std::os::fd::AsRawFd;
    use std::path::Path;

    use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, open};

    /// A file in `folder`; `None` where its file system has no such files.
    pub fn create(folder: &Path) -> Option<File> {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let file = open(folder, flags, Mode::from_raw_mode(0o666)).ok()?;
        // Naming goes by way of procfs.
        Path::new("/proc/self/fd")
            .is_dir()
            .then(|| File::from(file))
    }

    /// Gives `file` a name that is free.
    pub fn name(file: &File, path: &Path) -> io::Result<()> {
        let itself = format!("/proc/self/fd/{}", file.as_raw_fd());
        Ok(linkat(CWD, itself, CWD, path, AtFlags::SYMLINK_FOLLOW)?)
    }
}

#[cfg(not(target_os = "linux"))]
mod nameless {
    use std::fs::File;
    use std::io;
    use std::path::Path;

    pub fn create(_: &Path) -> Option<File> {
        None
    }

    pub fn name(_: &File, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

fn named_when_whole(
    mut file: File,
    path: &Path,
    force: bool,
    render: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), OutputError> {
    let failed = |source| OutputError::Write {
        path: path.to_owned(),
        source,
    };
    buffered(&mut file, render).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    match nameless::name(&file, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && force => {
            // A name cannot be taken over, only renamed over.
            let partial = Partial::of(path);
            nameless::name(&file, &partial.0).map_err(failed)?;
            fs::rename(&partial.0, path).map_err(failed)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(OutputError::Exists {
            path: path.to_owned(),
        }),
        result => result.map_err(failed),
    }
}

fn beside(
    path: &Path,
    render: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), OutputError> {
    let failed = |source| OutputError::Write {
        path: path.to_owned(),
        source,
    };
    let partial = Partial::of(path);
    let mut file = File::create(&partial.0).map_err(|source| OutputError::Create {
        path: path.to_owned(),
        source,
    })?;
    buffered(&mut file, render).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    fs::rename(&partial.0, path).map_err(failed)
}

/// A file that goes unless it was renamed.
struct Partial(PathBuf);

impl Partial {
    /// A name beside `path` that no other process uses.
    fn of(path: &Path) -> Self {
        let mut name = std::ffi::OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(format!(".{}.partial", std::process::id()));
        Self(folder(path).join(name))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // After the rename there is nothing under this name; an error here has nobody to tell.
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("the test's own folder");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().display().to_string())
            .collect();
        names.sort();
        names
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn nothing_has_a_name_before_it_is_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report.html");
        fs::write(&path, "before").expect("written");
        let written = Output::new(Some(&path), true).write(&mut io::sink(), |out| {
            out.write_all(b"half")?;
            out.flush()?;
            assert_eq!(names(folder.path()), ["report.html"]);
            assert_eq!(fs::read(&path)?, b"before");
            out.write_all(b" and whole")
        });
        written.expect("written");
        assert_eq!(names(folder.path()), ["report.html"]);
        assert_eq!(fs::read(&path).expect("replaced"), b"half and whole");
    }

    #[test]
    fn both_ways_of_writing_replace_only_what_they_may() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report.csv");
        beside(&path, |out| out.write_all(b"one")).expect("written");
        assert_eq!(fs::read(&path).expect("there"), b"one");
        let failed = beside(&path, |_| Err(io::ErrorKind::Other.into()));
        assert!(matches!(failed, Err(OutputError::Write { .. })));
        assert_eq!(fs::read(&path).expect("kept"), b"one");
        // Another process made it meanwhile.
        if let Some(file) = nameless::create(folder.path()) {
            let refused = named_when_whole(file, &path, false, |out| out.write_all(b"two"));
            assert!(matches!(refused, Err(OutputError::Exists { .. })));
        }
        assert_eq!(names(folder.path()), ["report.csv"]);
    }

    #[test]
    fn a_whole_file_appears_or_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report.html");
        let output = Output::new(Some(&path), false);
        let failed = output.write(&mut io::sink(), |out| {
            out.write_all(b"half")?;
            Err(io::ErrorKind::Other.into())
        });
        assert!(matches!(failed, Err(OutputError::Write { .. })));
        assert_eq!(names(folder.path()), [] as [&str; 0]);
        output
            .write(&mut io::sink(), |out| out.write_all(b"whole"))
            .expect("written");
        assert_eq!(fs::read(&path).expect("the report"), b"whole");
        assert_eq!(names(folder.path()), ["report.html"]);
    }

    #[test]
    fn an_existing_file_is_replaced_only_by_force() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report.json");
        fs::write(&path, "precious").expect("written");
        let polite = Output::new(Some(&path), false);
        assert!(matches!(polite.check(), Err(OutputError::Exists { .. })));
        let refused = polite.write(&mut io::sink(), |out| out.write_all(b"new"));
        assert!(matches!(refused, Err(OutputError::Exists { .. })));
        assert_eq!(fs::read(&path).expect("kept"), b"precious");
        Output::new(Some(&path), true)
            .write(&mut io::sink(), |out| out.write_all(b"new"))
            .expect("replaced");
        assert_eq!(fs::read(&path).expect("replaced"), b"new");
    }

    #[test]
    fn a_dash_is_standard_output() {
        let output = Output::new(Some(Path::new("-")), false);
        assert_eq!(output, Output::Stdout);
        let mut stdout = Vec::new();
        output
            .write(&mut stdout, |out| out.write_all(b"text"))
            .expect("memory");
        assert_eq!(stdout, b"text");
    }

    #[test]
    fn a_folder_that_is_not_there_is_refused_before_the_work() {
        let folder = tempfile::tempdir().expect("a folder");
        for path in [
            folder.path().join("no/report.json"),
            folder.path().to_owned(),
        ] {
            let output = Output::new(Some(&path), true);
            assert!(matches!(output.check(), Err(OutputError::Create { .. })));
        }
    }
}
