//! Damaged evidence: nothing panics or hangs, and no damage makes the report blame what is not to blame.
//!
//! `NATSLEUTH_DAMAGE=N` tries N times as many places.

mod damage_kit;
mod incident_kit;

use std::io::{Cursor, Read};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use damage_kit::{Damage, Dice, rewritten};
use incident_kit::{Incident, analyze_paths, incidents, is_capture};
use natsleuth::attribute::finding::Analysis;
use natsleuth::reconstruct::capture::{CaptureOptions, read_map};
use natsleuth::reconstruct::log;
use natsleuth::report::{self, Format, RenderOptions};
use natsleuth::source::{Hints, Kind, Source, SourceId};
use rayon::prelude::*;

/// No small incident may take longer, whatever was done to it: this is a guard against hangs, not a measurement.
const HANG: Duration = Duration::from_secs(60);

/// How many times as much as usual is tried.
fn more() -> usize {
    std::env::var("NATSLEUTH_DAMAGE").map_or(1, |text| {
        text.parse().expect("NATSLEUTH_DAMAGE is a number")
    })
}

/// Every format is written: what damaged bytes do to a report shows there.
fn rendered(analysis: &Analysis) {
    for format in [
        Format::Text,
        Format::Json,
        Format::Ndjson,
        Format::Csv,
        Format::CsvIncidents,
        Format::Html,
    ] {
        let mut page = Vec::new();
        report::render(analysis, format, &RenderOptions::default(), &mut page).expect("a report");
        assert!(std::str::from_utf8(&page).is_ok(), "{format:?} is text");
    }
}

/// Verdicts that neither hold nor admit that they do not know.
fn blamed(incident: &Incident, analysis: &Analysis) -> Vec<String> {
    let pairs = incident.pairs(analysis);
    let wrong = pairs.into_iter().filter(|(truth, close)| {
        close
            .as_ref()
            .is_some_and(|close| close.cause != "unexplained" && !truth.allows_cause(close))
    });
    wrong
        .map(|(truth, close)| truth.against(&incident.name, close.as_deref()))
        .collect()
}

/// Analyses the incident with one of its files damaged.
fn damaged(incident: &Incident, damage: Damage, seed: u64) -> Vec<String> {
    let mut dice = Dice(seed);
    let files = incident.evidence();
    let victim = dice.below(files.len());
    let what = format!("{damage:?} of {} with seed {seed}", files[victim].display());
    let (_folder, paths) = rewritten(&files, |path, bytes| {
        if path == files[victim] {
            damage.done_to(&bytes, is_capture(path), &mut dice)
        } else {
            bytes
        }
    });
    let began = Instant::now();
    let analysis = analyze_paths(&paths);
    rendered(&analysis);
    assert!(began.elapsed() < HANG, "{what} took {:?}", began.elapsed());
    let blamed = blamed(incident, &analysis);
    blamed
        .into_iter()
        .map(|line| format!("{line} ({what})"))
        .collect()
}

#[test]
fn no_damage_makes_a_report_blame_another_cause() {
    let cases: Vec<(Incident, Damage, u64)> = incidents()
        .into_iter()
        .flat_map(|incident| {
            let seeds = 0..more() as u64;
            let ways = Damage::ALL
                .into_iter()
                .flat_map(move |damage| seeds.clone().map(move |seed| (damage, seed)));
            ways.map(move |(damage, seed)| (incident.clone(), damage, seed))
                .collect::<Vec<_>>()
        })
        .collect();
    let tried = cases.len();
    let wrong: Vec<String> = cases
        .par_iter()
        .flat_map(|(incident, damage, seed)| damaged(incident, *damage, *seed))
        .collect();
    assert!(tried > 250, "{tried} tried");
    assert!(
        wrong.is_empty(),
        "{} of {tried}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Evenly spread places of a file, all of them where it is small enough.
fn places(length: usize, most: usize) -> impl ParallelIterator<Item = usize> {
    let step = length.div_ceil(most).max(1);
    (0..length.div_ceil(step))
        .into_par_iter()
        .map(move |number| number * step)
}

fn fixtures(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn captures_cut_at_many_places_keep_every_packet_before_the_cut() {
    let options = CaptureOptions {
        all: true,
        auto_ports: true,
        ..CaptureOptions::default()
    };
    let packets = |bytes: &[u8]| {
        let piece: Box<dyn Read + Send> = Box::new(Cursor::new(bytes.to_vec()));
        read_map(&mut [(SourceId(0), piece)], &options, &|_| {}, &|| {
            |conn| conn
        })
        .records
    };
    for path in fixtures("fixtures/captures")
        .into_iter()
        .filter(|path| is_capture(path))
    {
        let whole = std::fs::read(&path).expect("a file");
        let most = if whole.len() > 200_000 { 20 } else { 60 } * more();
        places(whole.len(), most).for_each(|cut| {
            let kept = &whole[..cut];
            let (_, records) = damage_kit::records(kept, true);
            let complete = records
                .iter()
                .filter(|record| {
                    let length: [u8; 4] = record[8..12].try_into().expect("four bytes");
                    record.len() == 16 + u32::from_le_bytes(length) as usize
                })
                .count();
            assert!(
                packets(kept) >= complete as u64,
                "{} cut at {cut}",
                path.display()
            );
        });
    }
}

#[test]
fn logs_cut_at_many_places_keep_every_line_before_the_cut() {
    let mut logs = fixtures("fixtures/server-logs");
    logs.extend(fixtures("fixtures/client-logs"));
    for path in logs
        .into_iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "log"))
    {
        let whole = std::fs::read(&path).expect("a file");
        let source = Source {
            id: SourceId(0),
            path: path.display().to_string(),
            kind: Kind::Log,
            bytes: whole.len() as u64,
            hints: Hints::default(),
        };
        places(whole.len(), 24 * more()).for_each(|cut| {
            let kept = whole[..cut].to_vec();
            let lines = memchr::memchr_iter(b'\n', &kept).count() as u64;
            let result = log::read(&source, Box::new(Cursor::new(kept)), &|_| {});
            let seen = result.facts.records;
            assert!(
                (lines..=lines + 1).contains(&seen),
                "{} cut at {cut}: {seen} of {lines} lines",
                path.display()
            );
        });
    }
}
