//! Every incident with clocks that are wrong: each source shifted, drifting, in another zone, some stepped half-way. The
//! truth is known, since all sources of an incident were recorded by one clock: it lies inside the reported intervals, and
//! verdicts stay true.

#[path = "damage_kit/mod.rs"]
mod damage_kit;
#[path = "incident_kit/mod.rs"]
mod incident_kit;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use damage_kit::{Dice, records};
use incident_kit::{Incident, analyze_paths, incidents, is_capture};
use natsleuth::align::clock::{Clock, When};
use natsleuth::attribute::finding::Analysis;
use natsleuth::span::{Moment, Place};
use natsleuth::time::{SECOND, Stamp};
use rayon::prelude::*;
use tempfile::TempDir;

/// How a source's clock is wrong.
#[derive(Clone, Copy, Debug, Default)]
struct Warp {
    /// Ahead by this, nanoseconds.
    ahead: i64,
    /// Fast by this, parts per million.
    ppm: f64,
    /// The moment from which drift counts.
    since: i64,
    /// From this true moment on, ahead by this much more.
    step: Option<(i64, i64)>,
}

impl Warp {
    /// What it shows at a true moment.
    fn shows(&self, at: i64) -> i64 {
        let step = self
            .step
            .filter(|step| at >= step.0)
            .map_or(0, |step| step.1);
        let drift = (at - self.since) as f64 * self.ppm * 1e-6;
        at + self.ahead + drift as i64 + step
    }
}

/// A civil time in a line: where it stands, in nanoseconds as if in UTC, its digits, and whether it says that it is UTC.
struct Written {
    start: usize,
    end: usize,
    ns: i64,
    digits: u8,
    utc: bool,
}

/// The first time in a line that is written with date, seconds and a fraction.
fn written(line: &[u8]) -> Option<Written> {
    const SHAPE: &[u8] = b"9999-99-99T99:99:99.9";
    let fits = |at: usize| {
        line.get(at..at + SHAPE.len()).is_some_and(|text| {
            text.iter().zip(SHAPE).all(|(byte, shape)| match shape {
                b'9' => byte.is_ascii_digit(),
                b'-' => matches!(byte, b'-' | b'/'),
                b'T' => matches!(byte, b'T' | b' '),
                b'.' => matches!(byte, b'.' | b','),
                _ => byte == shape,
            })
        })
    };
    let start = (0..line.len().min(60)).find(|&at| fits(at))?;
    let number = |from: usize, len: usize| -> i64 {
        line[start + from..start + from + len]
            .iter()
            .fold(0, |number, byte| number * 10 + i64::from(byte - b'0'))
    };
    let fraction = line[start + 20..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit());
    let digits = fraction.count();
    let date = chrono::NaiveDate::from_ymd_opt(
        number(0, 4) as i32,
        number(5, 2) as u32,
        number(8, 2) as u32,
    )?;
    let time = date.and_hms_opt(
        number(11, 2) as u32,
        number(14, 2) as u32,
        number(17, 2) as u32,
    )?;
    let part = number(20, digits.min(9)) * 10_i64.pow(9 - digits.min(9) as u32);
    let end = start + 20 + digits;
    Some(Written {
        start,
        end,
        ns: time.and_utc().timestamp() * SECOND + part,
        digits: digits.min(9) as u8,
        utc: line.get(end) == Some(&b'Z'),
    })
}

/// The line with another time in the same form.
fn rewritten(line: &[u8], at: &Written, ns: i64) -> Vec<u8> {
    let time =
        chrono::DateTime::from_timestamp(ns.div_euclid(SECOND), ns.rem_euclid(SECOND) as u32)
            .expect("a time");
    let old = &line[at.start..at.end];
    let mut text = time.format("%Y-%m-%dT%H:%M:%S").to_string().into_bytes();
    for place in [4, 7, 10] {
        text[place] = old[place];
    }
    let nanos = format!("{:09}", ns.rem_euclid(SECOND));
    text.push(old[19]);
    text.extend_from_slice(&nanos.as_bytes()[..usize::from(at.digits)]);
    [&line[..at.start], &text, &line[at.end..]].concat()
}

/// A record of a source: what its clock shows, where it stands, and the true moment.
struct Record {
    place: Place,
    shown: i64,
    digits: u8,
    truth: i64,
}

impl Record {
    /// Where a clock has it on the common line.
    fn when(&self, clock: &Clock) -> When {
        match self.place {
            Place::Frame(frame) => clock.moment(Moment {
                ns: self.shown,
                frame,
            }),
            place => clock.stamp(place, Stamp::civil(self.shown, self.digits)),
        }
    }
}

/// A file with its clock warped, and its records.
fn warped(bytes: &[u8], capture: bool, warp: &Warp, zone_s: i64) -> (Vec<u8>, Vec<Record>) {
    let (mut out, parts) = records(bytes, capture);
    let mut kept = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        if capture {
            let word = |at: usize| u32::from_le_bytes(part[at..at + 4].try_into().expect("four"));
            let unit = if bytes[..4] == [0x4d, 0x3c, 0xb2, 0xa1] {
                1
            } else {
                1000
            };
            let truth = i64::from(word(0)) * SECOND + i64::from(word(4)) * unit;
            let shown = warp.shows(truth).div_euclid(unit) * unit;
            out.extend(((shown / SECOND) as u32).to_le_bytes());
            out.extend(((shown % SECOND / unit) as u32).to_le_bytes());
            out.extend_from_slice(&part[8..]);
            kept.push(Record {
                place: Place::Frame(index as u64 + 1),
                shown,
                digits: if unit == 1 { 9 } else { 6 },
                truth,
            });
        } else if let Some(at) = written(part) {
            let zone = if at.utc { 0 } else { zone_s * SECOND };
            let shown = warp.shows(at.ns) + zone;
            out.extend(rewritten(part, &at, shown));
            kept.push(Record {
                place: Place::Line(index as u64 + 1),
                shown,
                digits: at.digits,
                truth: at.ns,
            });
        } else {
            out.extend_from_slice(part);
        }
    }
    (out, kept)
}

/// An incident whose sources have wrong clocks.
struct Wrong {
    _folder: TempDir,
    paths: Vec<PathBuf>,
    sources: BTreeMap<String, (Warp, Vec<Record>)>,
}

fn wrong(
    incident: &Incident,
    warp: impl Fn(&Path, &mut Dice, i64) -> (Warp, i64),
    seed: u64,
) -> Wrong {
    let folder = tempfile::tempdir().expect("a folder");
    let mut dice = Dice(seed);
    let (mut paths, mut sources) = (Vec::new(), BTreeMap::new());
    for path in incident.evidence() {
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let bytes = fs::read(&path).expect("a file");
        let capture = is_capture(&path);
        let log = path.extension().is_some_and(|ending| ending == "log");
        let copy = folder.path().join(&name);
        // What the kernel and the shell wrote keeps its clock: few of its lines say when.
        if capture || log && !name.starts_with("kern") {
            let (_, plain) = warped(&bytes, capture, &Warp::default(), 0);
            let middle = plain.get(plain.len() / 2).map_or(0, |record| record.truth);
            let (warp, zone) = warp(&path, &mut dice, middle);
            let (bytes, records) = warped(&bytes, capture, &warp, zone);
            fs::write(&copy, bytes).expect("a copy");
            sources.insert(name, (warp, records));
        } else {
            fs::write(&copy, bytes).expect("a copy");
        }
        paths.push(copy);
    }
    Wrong {
        _folder: folder,
        paths,
        sources,
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

impl Wrong {
    /// Records whose true moment is not where the common line has them; the common line is the reference's clock.
    fn outside(&self, incident: &str, analysis: &Analysis) -> Vec<String> {
        let reference = analysis
            .clocks
            .iter()
            .find(|clock| clock.how.starts_with("the reference"));
        let Some(reference) = reference else {
            return Vec::new();
        };
        let name = file_name(&analysis.sources[reference.source.0 as usize].path);
        let Some((line, _)) = self.sources.get(name) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for clock in analysis
            .clocks
            .iter()
            .filter(|clock| clock.aligned && !clock.outer)
        {
            let name = file_name(&analysis.sources[clock.source.0 as usize].path);
            let Some((warp, records)) = self.sources.get(name) else {
                continue;
            };
            let wrong = records.iter().find_map(|record| {
                let when = record.when(clock);
                // Both were cut to their digits when they were written.
                let cut = 2 * 10_i64.pow(9 - u32::from(record.digits)).max(1000);
                let truth = line.shows(record.truth);
                let inside = when.bounds.low - cut <= truth && truth <= when.bounds.high + cut;
                (!inside).then(|| {
                    format!(
                        "{incident}/{name} {:?}: {} ns outside of an interval of {} ns, {warp:?}; {}",
                        record.place,
                        (truth - when.bounds.high).max(when.bounds.low - truth),
                        when.bounds.high - when.bounds.low,
                        clock.how
                    )
                })
            });
            found.extend(wrong);
        }
        found
    }
}

/// Up to two minutes wrong and 40 ppm fast or slow, logs in any zone.
fn any(path: &Path, dice: &mut Dice, middle: i64) -> (Warp, i64) {
    let capture = is_capture(path);
    let ahead = dice.below(240_000_000) as i64 * 1000 - 120 * SECOND;
    let ppm = dice.below(81) as f64 - 40.0;
    let zone = (dice.below(105) as i64 - 48) * 900;
    let warp = Warp {
        ahead,
        ppm,
        since: middle,
        step: None,
    };
    (warp, if capture { 0 } else { zone })
}

/// How many times each incident is warped.
fn rounds() -> u64 {
    std::env::var("NATSLEUTH_CLOCKS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(2)
}

fn assert_none(broken: &[String]) {
    assert!(
        broken.is_empty(),
        "{} broken:\n{}",
        broken.len(),
        broken.join("\n")
    );
}

fn all_hold(warp: impl Fn(&Path, &mut Dice, i64) -> (Warp, i64) + Sync) {
    let incidents = incidents();
    let broken: Vec<String> = incidents
        .par_iter()
        .flat_map(|incident| {
            (0..rounds())
                .into_par_iter()
                .map(move |seed| (incident, seed))
        })
        .flat_map_iter(|(incident, seed)| {
            let wrong = wrong(incident, &warp, seed * 7919 + 1);
            let analysis = analyze_paths(&wrong.paths);
            let mut broken = wrong.outside(&incident.name, &analysis);
            broken.extend(incident.untrue(&analysis));
            broken
                .into_iter()
                .map(move |text| format!("seed {seed}: {text}"))
        })
        .collect();
    assert_none(&broken);
}

#[test]
fn shifted_drifting_and_rezoned_sources_keep_the_truth_inside_and_every_verdict() {
    all_hold(any);
}

/// The widest interval of each source beside a capture, in milliseconds, by kind of source.
fn widths(kind: impl Fn(&str) -> bool + Sync) -> Vec<f64> {
    let incidents = incidents();
    let mut widths: Vec<f64> = incidents
        .par_iter()
        .flat_map_iter(|incident| {
            let wrong = wrong(incident, any, 5);
            let analysis = analyze_paths(&wrong.paths);
            let beside_a_capture = wrong.sources.keys().any(|name| is_capture(Path::new(name)));
            let clocks = analysis.clocks.iter().filter(|clock| {
                beside_a_capture
                    && clock.aligned
                    && !clock.outer
                    && !clock.how.starts_with("the reference")
            });
            let widest = |clock: &Clock| {
                let name = file_name(&analysis.sources[clock.source.0 as usize].path);
                let (_, records) = wrong.sources.get(name).filter(|_| kind(name))?;
                let widths = records.iter().map(|record| {
                    let bounds = record.when(clock).bounds;
                    (bounds.high - bounds.low) as f64 / 1e6
                });
                widths.max_by(f64::total_cmp)
            };
            clocks.filter_map(widest).collect::<Vec<f64>>()
        })
        .collect();
    widths.sort_by(f64::total_cmp);
    widths
}

/// Few are wider: a capture that shares one direction only with another one, a log whose connections were not captured.
#[test]
fn intervals_are_as_narrow_as_the_evidence_allows() {
    let share = |widths: &[f64], part: f64| widths[(widths.len() as f64 * part) as usize];
    let captures = widths(|name| is_capture(Path::new(name)));
    assert!(
        captures.len() >= 50 && share(&captures, 0.95) < 1.0,
        "{captures:?}"
    );
    let servers = widths(|name| name.starts_with("server"));
    assert!(
        servers.len() >= 50 && share(&servers, 0.95) < 50.0,
        "{servers:?}"
    );
    let clients = widths(|name| name.starts_with("client-") && !is_capture(Path::new(name)));
    assert!(
        clients.len() >= 150 && share(&clients, 0.6) < 150.0,
        "{clients:?}"
    );
    // Those with several lines about packets: one of them was prompt.
    assert!(share(&clients, 0.03) < 50.0, "{clients:?}");
}

/// Incidents in which a step is taken for something else: a capture that runs backwards turns closes about, and a client's
/// log of few lines has nothing that tells its step from a wrong pair.
const STEPS_MISLEAD: &[&str] = &[
    "account-moved",
    "aggressive-ping",
    "proxy-idle-timeout",
    "reset-by-log",
];

/// One source at a time is set right by 2 to 30 seconds in its middle.
#[test]
fn a_clock_that_steps_blames_nothing_else() {
    let incidents = incidents();
    let told = |incident: &&Incident| !STEPS_MISLEAD.contains(&incident.name.as_str());
    let broken: Vec<String> = incidents
        .par_iter()
        .filter(told)
        .flat_map_iter(|incident| {
            let evidence = incident.evidence().into_iter();
            evidence.flat_map(move |stepped| {
                let step = |path: &Path, dice: &mut Dice, middle: i64| {
                    let by = (dice.below(28_000) as i64 + 2_000) * 1_000_000;
                    let by = if dice.below(2) == 0 { by } else { -by };
                    let warp = Warp {
                        step: (*path == stepped).then_some((middle, by)),
                        ..Warp::default()
                    };
                    (warp, 0)
                };
                let wrong = wrong(incident, step, 3);
                let analysis = analyze_paths(&wrong.paths);
                let untrue = incident.untrue(&analysis).into_iter();
                let blamed = untrue.filter(|text| !text.contains("got unexplained"));
                let stepped = file_name(&stepped.to_string_lossy()).to_owned();
                blamed
                    .map(move |text| format!("{stepped}: {text}"))
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    assert_none(&broken);
}

/// The line before which the server's log was set, as `sources` tells it.
fn line_of_the_step(paths: &[PathBuf]) -> Option<usize> {
    let analysis = analyze_paths(paths);
    let log = analysis
        .sources
        .iter()
        .find(|source| file_name(&source.path) == "server.log")?;
    let told = &analysis.clocks[log.id.0 as usize].how;
    let (_, place) = told.split_once(" s before line ")?;
    place.split([',', ';']).next()?.parse().ok()
}

/// A log that stands newest first is read from its end, but its reader counts from its beginning.
#[test]
fn a_step_is_told_by_the_line_that_the_file_has() {
    let mut compared = 0;
    for incident in &incidents() {
        let ahead = |path: &Path, _: &mut Dice, middle: i64| {
            let is_server = file_name(&path.to_string_lossy()) == "server.log";
            let warp = Warp {
                step: is_server.then_some((middle, 30 * SECOND)),
                ..Warp::default()
            };
            (warp, 0)
        };
        let wrong = wrong(incident, ahead, 3);
        let Some(line) = line_of_the_step(&wrong.paths) else {
            continue;
        };
        let log = wrong.paths.iter().find(|path| path.ends_with("server.log"));
        let log = log.expect("it was read");
        let text = fs::read_to_string(log).unwrap();
        let reversed: Vec<&str> = text.lines().rev().collect();
        fs::write(log, reversed.join("\n")).unwrap();
        let mirrored = line_of_the_step(&wrong.paths);
        assert_eq!(
            mirrored.map(|mirrored| mirrored + line),
            Some(reversed.len() + 1),
            "{}",
            incident.name
        );
        compared += 1;
    }
    assert!(compared > 0);
}
