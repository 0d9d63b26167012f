//! A bundle that can be shared: the same evidence under other names.
//!
//! Addresses, hardware addresses, names of hosts, clients, servers, users and accounts, subjects, credentials and every word
//! that no grammar knows are replaced by a keyed mapping, alike in logs, answers of monitoring endpoints, configuration
//! files and captures; payloads are blanked. Protocol words, reasons, versions, times, lengths and ports stay, so that the
//! verdicts stay: [`redact`] analyses what it wrote and compares.
//!
//! What cannot be read is left out and named, never copied.

mod address;
mod capture;
mod check;
mod content;
mod jwt;
pub mod key;
pub mod mapper;
mod ops;
mod packet;
mod stream;
mod text;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

pub use check::Check;
pub use key::Key;
use mapper::Mapper;
use text::Style;

use crate::analyze::{self, Options};
use crate::input::{self, Input};
use crate::progress::Progress;
use crate::source::{Kind, Source};

/// Text is read in pieces of this size, cut at a line's end or, in longer lines, at a blank.
const PIECE: usize = 1 << 20;

/// Why nothing, or not everything, was written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bundle cannot be read.
    #[error(transparent)]
    Input(#[from] input::Error),
    /// The output folder holds something.
    #[error("{path} is not empty: redacted files are not mixed with others")]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// Writing failed.
    #[error("cannot write {path}: {source}")]
    Write {
        /// What was written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A source that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// Its path in the bundle.
    pub from: String,
    /// Its path in the output folder.
    pub to: PathBuf,
    /// What is missing in it, if anything.
    pub note: Option<String>,
}

/// What was done.
#[derive(Clone, Debug, Default)]
pub struct Redacted {
    /// Sources written, in their order.
    pub copies: Vec<Copy>,
    /// Sources left out, and why.
    pub left_out: Vec<(String, String)>,
    /// Verdicts before and after.
    pub check: Check,
}

/// Writes the bundle under `paths` to the folder `out`, which is made or is empty.
pub fn redact(
    paths: &[PathBuf],
    out: &Path,
    key: &Key,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Redacted, Error> {
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |source| Error::Write { path, source }
    };
    if fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Error::NotEmpty {
            path: out.to_path_buf(),
        });
    }
    let (input, analysis) = analyze::analyze(paths, options, progress)?;
    let mut mapper = Mapper::new(key);
    mapper.learn(&analysis);
    fs::create_dir_all(out).map_err(failed(out))?;
    progress.stage("redacting");
    let mut redacted = Redacted::default();
    let (mut places, mut taken) = (BTreeSet::new(), BTreeSet::new());
    for source in &input.sources {
        if let Err(why) = usable(&input, source) {
            redacted.left_out.push((source.path.clone(), why));
            continue;
        }
        let to = place(&mapper, paths, &source.path, (&mut places, &mut taken));
        let path = out.join(&to);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed(folder))?;
        }
        let file = File::create_new(&path).map_err(failed(&path))?;
        let mut file = BufWriter::new(file);
        match copy(&mapper, &input, source, &mut file) {
            Ok(note) => redacted.copies.push(Copy {
                from: source.path.clone(),
                to,
                note,
            }),
            Err(Failure::Read(why)) => {
                drop(file);
                fs::remove_file(&path).map_err(failed(&path))?;
                redacted.left_out.push((source.path.clone(), why));
            }
            Err(Failure::Write(source)) => return Err(Error::Write { path, source }),
        }
    }
    progress.stage("comparing verdicts");
    redacted.check = check::compare(&mapper, &analysis, out, options, progress);
    Ok(redacted)
}

/// Whether a source can be redacted, else why not.
fn usable(input: &Input, source: &Source) -> Result<(), String> {
    match source.kind {
        Kind::Capture | Kind::Log | Kind::Monitoring | Kind::ServerConfig => Ok(()),
        Kind::KeyLog => Err("keys that open what was encrypted".to_owned()),
        Kind::Unknown => {
            let why = input
                .rejects
                .iter()
                .find(|reject| reject.source == source.id);
            Err(why.map_or_else(
                || "of no known kind".to_owned(),
                |reject| reject.why.clone(),
            ))
        }
    }
}

/// Which side failed.
enum Failure {
    Read(String),
    Write(io::Error),
}

/// Tells errors of writing from those of reading, which pass through the same functions.
struct Sink<'a> {
    out: &'a mut dyn Write,
    failed: Option<io::Error>,
}

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes).map_err(|error| {
            let kind = error.kind();
            self.failed = Some(error);
            kind.into()
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush().map_err(|error| {
            let kind = error.kind();
            self.failed = Some(error);
            kind.into()
        })
    }
}

fn copy(
    mapper: &Mapper,
    input: &Input,
    source: &Source,
    out: &mut dyn Write,
) -> Result<Option<String>, Failure> {
    let mut reader = input
        .open(source.id)
        .map_err(|error| Failure::Read(error.to_string()))?;
    let mut sink = Sink { out, failed: None };
    let result = if source.kind == Kind::Capture {
        capture::rewrite(mapper, &mut reader, &mut sink).map(|written| note(&written))
    } else {
        let style = Style {
            config: source.kind == Kind::ServerConfig,
            monitoring: source.kind == Kind::Monitoring,
            ..Style::default()
        };
        copy_text(mapper, style, &mut reader, &mut sink).map(|()| None)
    };
    let flushed = sink.flush();
    match (result, sink.failed) {
        (_, Some(error)) => Err(Failure::Write(error)),
        (Err(error), None) => match input::Broken::of(&error) {
            // What came before the break is written, as it is analysed.
            Some(broken) => Ok(Some(broken.to_string())),
            None => Err(Failure::Read(error.to_string())),
        },
        (Ok(note), None) => flushed.map(|()| note).map_err(Failure::Write),
    }
}

fn note(written: &capture::Written) -> Option<String> {
    if written.cut {
        return Some(format!("cut or broken behind packet {}", written.packets));
    }
    (written.blanked > 0).then(|| {
        format!(
            "{} packets of an unknown link type are blanked",
            written.blanked
        )
    })
}

/// Text in pieces that end with a line where they can.
fn copy_text(
    mapper: &Mapper,
    style: Style,
    input: &mut dyn Read,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut held: Vec<u8> = Vec::with_capacity(PIECE);
    loop {
        let room = PIECE.saturating_sub(held.len()).max(1 << 12) as u64;
        let read = input.take(room).read_to_end(&mut held);
        let last = !matches!(read, Ok(n) if n > 0);
        let end = if last { held.len() } else { piece_end(&held) };
        let mut text = String::with_capacity(end);
        for chunk in held[..end].utf8_chunks() {
            text.push_str(chunk.valid());
            // A byte that is no UTF-8 is shown as one that is not, in as many bytes.
            text.extend(chunk.invalid().iter().map(|_| '?'));
        }
        out.write_all(text::redact(mapper, &text, style).as_bytes())?;
        held.drain(..end);
        if last {
            return read.map(|_| ());
        }
    }
}

/// The end of the last line, or of the last word where no line ends; nothing while more may come.
fn piece_end(held: &[u8]) -> usize {
    if let Some(lf) = memchr::memrchr(b'\n', held) {
        return lf + 1;
    }
    if held.len() < PIECE {
        return 0;
    }
    let blank = held
        .iter()
        .rposition(|byte| matches!(byte, b' ' | b',' | b'{' | b'}'));
    blank.map_or(held.len(), |at| at + 1)
}

/// Where a source goes: its place in the bundle, every part of it redacted.
fn place(
    mapper: &Mapper,
    paths: &[PathBuf],
    source: &str,
    (places, taken): (&mut BTreeSet<PathBuf>, &mut BTreeSet<PathBuf>),
) -> PathBuf {
    let mut to = PathBuf::new();
    for part in &input::layout::place(paths, source, places) {
        let part = part.to_string_lossy();
        to.push(text::redact(mapper, &part, Style::default()).replace(['/', '\0'], "_"));
    }
    let name = to
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let mut number = 1;
    while !taken.insert(to.clone()) {
        number += 1;
        to.set_file_name(format!("{number}-{name}"));
    }
    to
}
