//! The fuzz targets over real files and damaged copies of them, and over inputs that once made one stop (kept under
//! `fixtures/hostile/TARGET` when there are any).

mod damage_kit;
#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::fs;
use std::path::{Path, PathBuf};

use damage_kit::{Damage, Dice};
use rayon::prelude::*;

/// How many damaged copies of each file are tried.
const COPIES: u64 = 2;

/// A target by its name.
fn run(target: &str, bytes: &[u8]) {
    match target {
        "archive" => targets::archive(bytes),
        "bundle" => targets::bundle(bytes),
        "capture" => targets::capture(bytes),
        "log" => targets::log(bytes),
        "monitoring" => targets::monitoring(bytes),
        "packet" => targets::packet(bytes),
        "server_log" => targets::server_log(bytes),
        other => panic!("{other} is no target's name"),
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).into_iter().flatten();
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn fixtures(folder: &str) -> Vec<PathBuf> {
    files(
        &Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fixtures")
            .join(folder),
    )
}

#[test]
fn what_once_failed_no_longer_does() {
    for path in fixtures("hostile") {
        let folder = path.parent().and_then(Path::file_name).expect("a folder");
        run(&folder.to_string_lossy(), &fs::read(&path).expect("a file"));
    }
}

/// Targets that read a file of this ending, each with the byte that it takes before the file.
fn readers(path: &Path) -> &'static [(&'static str, &'static [u8])] {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("pcap" | "pcapng") => &[("capture", &[3]), ("archive", &[]), ("packet", &[1])],
        Some("log" | "stderr") => &[("log", &[]), ("server_log", &[])],
        Some("json") => &[("monitoring", &[0])],
        Some("conf") => &[("monitoring", &[1])],
        _ => &[],
    }
}

#[test]
fn every_target_lives_through_damaged_files() {
    let mut paths = fixtures("captures");
    paths.extend(fixtures("server-logs"));
    paths.extend(fixtures("client-logs"));
    paths.par_iter().for_each(|path| {
        let whole = fs::read(path).expect("a file");
        let capture = path
            .extension()
            .is_some_and(|ending| ending == "pcap" || ending == "pcapng");
        let file = &whole[..whole.len().min(24 << 10)];
        for (target, head) in readers(path) {
            for damage in Damage::ALL {
                for seed in 0..COPIES {
                    let damaged = damage.done_to(file, capture, &mut Dice(seed));
                    run(target, &[head, &damaged[..]].concat());
                }
            }
        }
    });
}
