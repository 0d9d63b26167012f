//! The smallest bundle: the few log lines and packets that still give the same verdict for one close.
//!
//! First everything that has nothing to do with the close is left out at once; then parts of what is left, as long as the
//! analysis of the rest says the same of the close: who, cause, detail, confidence.

mod delta;
mod records;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::analyze::{self, Options};
use crate::attribute::finding::{Analysis, Close};
use crate::input::{self, Input};
use crate::parse::packet::{self, Packet};
use crate::progress::{Progress, Silent};
use crate::reconstruct::conn::FourTuple;
use crate::source::{Kind, SourceId};
use crate::span::Cite;
use records::Record;

/// Analyses that a reduction may cost.
pub const RUNS: usize = 400;
/// Bytes of a bundle that is held in memory to be reduced.
const BYTES_MAX: u64 = 512 << 20;
/// Lines around a cited one, and at the beginning of a log, that are kept at first: they give the file its kind and clock.
const AROUND: usize = 40;

/// Why there is no smaller bundle.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bundle cannot be read.
    #[error(transparent)]
    Input(#[from] input::Error),
    /// It does not fit in memory.
    #[error(
        "the bundle holds {bytes} bytes, and at most {BYTES_MAX} are reduced: give the files of the close's time only"
    )]
    TooLarge {
        /// Its size on disk.
        bytes: u64,
    },
    /// The output folder holds something.
    #[error("{path} is not empty: a reduced bundle is not mixed with other files")]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// The verdict rests on something that records do not hold, such as the order of paths.
    #[error(
        "the verdict on {id} does not hold on a copy of the same files: its folder layout matters, and a copy has another"
    )]
    NotReproduced {
        /// The close.
        id: String,
    },
    /// Reading or writing failed.
    #[error("cannot copy {path}: {source}")]
    Copy {
        /// What was read or written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reduced {
    /// Files, by their path in the output folder, with the records kept.
    pub files: Vec<(PathBuf, usize)>,
    /// Records of the whole bundle.
    pub before: usize,
    /// Analyses that it took.
    pub runs: usize,
    /// No single record can be left out any more.
    pub minimal: bool,
}

/// What has to stay: who, and what is said of it.
type Verdict = String;

/// Writes the smallest bundle that keeps the verdicts on `closes` (indices into `analysis`) to `out`.
pub fn reduce(
    paths: &[PathBuf],
    (input, analysis): (&Input, &Analysis),
    closes: &[usize],
    out: &Path,
    (options, budget): (&Options, usize),
    progress: &dyn Progress,
) -> Result<Reduced, Error> {
    if fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Error::NotEmpty {
            path: out.to_path_buf(),
        });
    }
    let bundle = Bundle::load(paths, input)?;
    let held: Vec<_> = closes
        .iter()
        .filter_map(|&index| analysis.closes.get(index))
        .collect();
    let closes: Vec<&Close> = held.iter().map(|close| &**close).collect();
    let want: Vec<Verdict> = closes.iter().map(|close| verdict(close)).collect();
    progress.stage("reducing");
    let mut runs = 0;
    let mut holds = |items: &[usize]| {
        runs += 1;
        let have = bundle.verdicts(items, options).unwrap_or_default();
        want.iter().all(|verdict| have.contains(verdict))
    };
    let all: Vec<usize> = (0..bundle.records.len()).collect();
    let likely = bundle.likely(analysis, &closes);
    let start = if holds(&likely) {
        likely
    } else if holds(&all) {
        all
    } else {
        let id = closes
            .first()
            .map_or_else(String::new, |close| close.id.clone());
        return Err(Error::NotReproduced { id });
    };
    let smallest = delta::reduce(start, budget, &mut holds);
    let files = bundle.write(&smallest.items, out)?;
    Ok(Reduced {
        files,
        before: bundle
            .records
            .iter()
            .filter(|(_, record)| !record.header)
            .count(),
        runs,
        minimal: smallest.minimal,
    })
}

fn verdict(close: &Close) -> Verdict {
    let name = close
        .client_name
        .as_deref()
        .filter(|_| close.client.is_none());
    format!(
        "{:?} {:?} {name:?} {}/{} {:?}",
        close.client, close.server, close.cause, close.detail, close.confidence
    )
}

/// A bundle in memory.
struct Bundle {
    /// Where each source goes.
    places: Vec<PathBuf>,
    /// All records with their sources.
    records: Vec<(SourceId, Record)>,
}

impl Bundle {
    fn load(paths: &[PathBuf], input: &Input) -> Result<Self, Error> {
        let bytes = input.sources.iter().map(|source| source.bytes).sum();
        if bytes > BYTES_MAX {
            return Err(Error::TooLarge { bytes });
        }
        let mut places = Vec::new();
        let mut records = Vec::new();
        let mut taken = BTreeSet::new();
        for source in &input.sources {
            let place = input::layout::place(paths, &source.path, &mut taken);
            if !matches!(source.kind, Kind::Unknown | Kind::KeyLog) {
                let read = input
                    .open(source.id)
                    .and_then(|mut reader| records::read(source.kind, &mut reader));
                let failed = |source| Error::Copy {
                    path: place.clone(),
                    source,
                };
                records.extend(
                    read.map_err(failed)?
                        .into_iter()
                        .map(|record| (source.id, record)),
                );
            }
            places.push(place);
        }
        Ok(Self { places, records })
    }

    /// Records that have to do with the closes: what is cited, their packets, lines that name them, and the beginning of
    /// each log.
    fn likely(&self, analysis: &Analysis, closes: &[&Close]) -> Vec<usize> {
        let cited: BTreeSet<Cite> = closes
            .iter()
            .flat_map(|close| close.evidence.iter().chain(&close.outcome.evidence))
            .map(|evidence| evidence.cite)
            .collect();
        let tuples: BTreeSet<[std::net::SocketAddr; 2]> = closes
            .iter()
            .filter_map(|close| analysis.joined.get(close.joined))
            .flat_map(|joined| &joined.conns)
            .filter_map(|leg| analysis.records.conns.get(leg.conn()))
            .map(|conn| ends(conn.tuple))
            .collect();
        let names: Vec<String> = closes.iter().flat_map(|close| names(close)).collect();
        let (mut line, mut frame, mut of) = (0_u64, 0_u64, None);
        let mut likely = Vec::new();
        for (index, (source, record)) in self.records.iter().enumerate() {
            if of != Some(*source) {
                (line, frame, of) = (0, 0, Some(*source));
            }
            let stays = if let Some((link, start)) = record.packet {
                frame += 1;
                cited.contains(&Cite::frame(*source, frame))
                    || concerns(link, &record.bytes[start..], &tuples)
            } else if record.header {
                true
            } else {
                line += 1;
                let near = Cite::line(*source, line.saturating_sub(AROUND as u64))
                    ..=Cite::line(*source, line + AROUND as u64);
                let named = || {
                    names
                        .iter()
                        .any(|name| memchr::memmem::find(&record.bytes, name.as_bytes()).is_some())
                };
                line <= AROUND as u64 || cited.range(near).next().is_some() || named()
            };
            if stays && !record.header {
                likely.push(index);
            }
        }
        likely
    }

    /// What an analysis of some of the records says.
    fn verdicts(&self, items: &[usize], options: &Options) -> Result<BTreeSet<Verdict>, Error> {
        let failed = |source| Error::Copy {
            path: std::env::temp_dir(),
            source,
        };
        let folder = tempfile::tempdir().map_err(failed)?;
        self.write(items, folder.path())?;
        let (_, analysis) = analyze::analyze(&[folder.path().to_path_buf()], options, &Silent)?;
        Ok(analysis
            .closes
            .iter()
            .map(|close| verdict(&close))
            .collect())
    }

    /// Writes some of the records, and the headers that they need; gives the files with the records in each.
    fn write(&self, items: &[usize], out: &Path) -> Result<Vec<(PathBuf, usize)>, Error> {
        let kept: BTreeSet<usize> = items.iter().copied().collect();
        let mut files = Vec::new();
        let mut from = 0;
        for (index, place) in self.places.iter().enumerate() {
            let own = self.records[from..]
                .iter()
                .take_while(|(source, _)| source.0 as usize == index)
                .count();
            let range = from..from + own;
            from += own;
            let count = range.clone().filter(|at| kept.contains(at)).count();
            if count == 0 {
                continue;
            }
            let bytes: Vec<u8> = range
                .filter(|at| self.records[*at].1.header || kept.contains(at))
                .flat_map(|at| self.records[at].1.bytes.iter().copied())
                .collect();
            let path = out.join(place);
            let failed = |source| Error::Copy {
                path: path.clone(),
                source,
            };
            fs::create_dir_all(path.parent().unwrap_or(out)).map_err(failed)?;
            fs::write(&path, bytes).map_err(failed)?;
            files.push((place.clone(), count));
        }
        Ok(files)
    }
}

/// The two ends, in one order for both directions.
fn ends(tuple: FourTuple) -> [std::net::SocketAddr; 2] {
    let mut ends = [tuple.orig, tuple.resp];
    ends.sort_unstable();
    ends
}

/// A packet of one of the connections, or an error about one.
fn concerns(link: u32, frame: &[u8], tuples: &BTreeSet<[std::net::SocketAddr; 2]>) -> bool {
    let (src, dst) = match packet::packet(link, frame) {
        Packet::Tcp(segment) => (
            (segment.src, segment.src_port),
            (segment.dst, segment.dst_port),
        ),
        Packet::Icmp(error) => ((error.src, error.src_port), (error.dst, error.dst_port)),
        // Pieces of packets tell no ports.
        Packet::Fragment(_) => return true,
        _ => return false,
    };
    let mut ends = [src, dst].map(|(host, port)| std::net::SocketAddr::new(host.ip(), port));
    ends.sort_unstable();
    tuples.contains(&ends)
}

/// What lines may call the close by.
fn names(close: &Close) -> Vec<String> {
    let addresses = close
        .client
        .iter()
        .chain(&close.client_side)
        .map(ToString::to_string);
    let cid = close.cid.map(|cid| format!("cid:{cid} "));
    addresses
        .chain(cid)
        .chain(close.client_name.map(|name| name.to_string()))
        .collect()
}
