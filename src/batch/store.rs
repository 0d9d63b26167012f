//! The output folder: files appear whole, and a bundle's files and record always belong together in the end.
//!
//! A bundle is prepared under `.partial/ID` (for a bucket: in a temporary folder), then a record that names its old and new
//! files says that they are being put in place, then they are put there, then the record says what became of it. Whatever is
//! killed in between is done again by the next run, which finds in that record what to replace.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::Error;
use super::data;
use super::place::{self, Place};
use super::record::{Record, Status};
use crate::attribute::finding::Analysis;
use crate::report::{self, Format, RenderOptions, parquet_table};

/// An output folder, or a bucket's prefix.
pub struct Store {
    place: Box<dyn Place>,
}

fn record_name(id: &str) -> String {
    format!("manifest/{id}.json")
}

impl Store {
    /// The output at `out`; a folder is made where it is missing.
    pub fn open(out: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Out {
            path: out.to_path_buf(),
            source,
        };
        let place = place::open(out).map_err(failed)?;
        fs::create_dir_all(place.stage()).map_err(failed)?;
        Ok(Self { place })
    }

    /// Leaves nothing behind, unless another task is still preparing something.
    pub fn close(&self) {
        let _ = fs::remove_dir(self.place.stage());
    }

    /// What an earlier run recorded of a bundle; `None` also where a file of it is gone.
    pub fn record(&self, id: &str) -> io::Result<Option<Record>> {
        let Some(record) = self.any_record(id)? else {
            return Ok(None);
        };
        let whole = record.files.iter().all(|file| self.place.has(file));
        Ok((whole || record.status == Status::Writing).then_some(record))
    }

    fn any_record(&self, id: &str) -> io::Result<Option<Record>> {
        let text = self.place.read(&record_name(id))?;
        Ok(text.and_then(|text| serde_json::from_slice(&text).ok()))
    }

    /// Clears what a killed run may have left of a bundle that is done.
    pub fn settle(&self, id: &str) -> io::Result<()> {
        match fs::remove_dir_all(self.stage(id)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }

    fn stage(&self, id: &str) -> PathBuf {
        self.place.stage().join(id)
    }

    /// Writes everything about an analysed bundle.
    pub fn publish(
        &self,
        id: &str,
        name: &str,
        mut record: Record,
        analysis: &Analysis,
    ) -> io::Result<Record> {
        record.closes = analysis.closes.len() as u64;
        record.incidents = analysis.incidents.len() as u64;
        for close in analysis.closes.sketches() {
            let cause = format!("{}/{}", close.cause(), close.detail());
            *record.causes.entry(cause).or_default() += 1;
        }
        record.status = Status::Done;
        let mut prepared = Prepared::new(self.stage(id))?;
        // A name that is not Unicode is shown with replacement characters, and then may not be unique.
        let lossy = name.contains(char::REPLACEMENT_CHARACTER);
        let folder = if lossy {
            format!("{name}.{id}")
        } else {
            name.to_owned()
        };
        for (ending, format) in [("json", Format::Json), ("html", Format::Html)] {
            prepared.file(format!("reports/{folder}/report.{ending}"), |out| {
                report::render(analysis, format, &RenderOptions::default(), out)
            })?;
        }
        for ((kind, day), table) in data::tables(name, analysis) {
            prepared.file(format!("data/{kind}/date={day}/{id}.parquet"), |out| {
                parquet_table::write(&table.columns, table.rows.into_iter(), out)
            })?;
        }
        self.put(id, record, &prepared)
    }

    /// Records that a bundle cannot be analysed.
    pub fn publish_failure(&self, id: &str, mut record: Record, why: String) -> io::Result<Record> {
        record.status = Status::Failed;
        record.why = Some(why);
        self.put(id, record, &Prepared::new(self.stage(id))?)
    }

    fn put(&self, id: &str, mut record: Record, prepared: &Prepared) -> io::Result<Record> {
        let old: BTreeSet<String> = self
            .any_record(id)?
            .into_iter()
            .flat_map(|r| r.files)
            .filter(|f| is_ours(f))
            .collect();
        let new: BTreeSet<String> = prepared.names.iter().cloned().collect();
        let mut writing = record.clone();
        writing.status = Status::Writing;
        writing.files = old.union(&new).cloned().collect();
        self.write_record(id, &writing, prepared)?;
        for (index, name) in prepared.names.iter().enumerate() {
            self.place
                .put(&prepared.folder.join(index.to_string()), name)?;
        }
        for gone in old.difference(&new) {
            self.place.remove(gone)?;
        }
        record.files = new.into_iter().collect();
        self.write_record(id, &record, prepared)?;
        self.settle(id)?;
        Ok(record)
    }

    fn write_record(&self, id: &str, record: &Record, prepared: &Prepared) -> io::Result<()> {
        let partial = prepared.folder.join("record");
        let mut text = serde_json::to_vec_pretty(record)?;
        text.push(b'\n');
        let mut file = File::create(&partial)?;
        file.write_all(&text)?;
        file.sync_all()?;
        self.place.put(&partial, &record_name(id))
    }
}

/// A record is a file that anybody may have changed: only what a run writes is ever removed.
fn is_ours(file: &str) -> bool {
    let inside = !file.split('/').any(|part| matches!(part, "" | "." | ".."));
    inside && !file.contains('\\') && (file.starts_with("reports/") || file.starts_with("data/"))
}

/// Files ready to be put in place.
struct Prepared {
    folder: PathBuf,
    names: Vec<String>,
}

impl Prepared {
    fn new(folder: PathBuf) -> io::Result<Self> {
        match fs::remove_dir_all(&folder) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        fs::create_dir_all(&folder)?;
        Ok(Self {
            folder,
            names: Vec::new(),
        })
    }

    fn file(
        &mut self,
        name: String,
        write: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>,
    ) -> io::Result<()> {
        let path = self.folder.join(self.names.len().to_string());
        let mut out = BufWriter::with_capacity(1 << 16, File::create(path)?);
        write(&mut out)?;
        out.into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .sync_all()?;
        self.names.push(name);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_ours_are_ever_removed() {
        for ours in [
            "reports/a b.zip/report.json",
            "data/closes/date=2026-11-23/0123.parquet",
        ] {
            assert!(is_ours(ours), "{ours}");
        }
        for other in [
            "../x",
            "reports/../../x",
            "/etc/passwd",
            "manifest/x.json",
            "reports//x",
            "data\\..\\x",
            "",
        ] {
            assert!(!is_ours(other), "{other}");
        }
    }
}
