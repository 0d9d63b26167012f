//! Inputs that once made a fuzzer stop, each in the folder of its target under `fixtures/hostile`; and that every target lives
//! with the fixtures it starts from.

#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::fs;
use std::path::Path;

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
        other => panic!("fixtures/hostile/{other} is no target's name"),
    }
}

#[test]
fn what_once_failed_no_longer_does() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/hostile");
    let mut inputs = 0;
    for target in fs::read_dir(&root).expect("fixtures/hostile") {
        let folder = target.expect("an entry").path();
        if !folder.is_dir() {
            continue;
        }
        let name = folder
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        for input in fs::read_dir(&folder).expect("a folder") {
            run(
                &name,
                &fs::read(input.expect("an entry").path()).expect("a file"),
            );
            inputs += 1;
        }
    }
    assert!(inputs > 0, "nothing under fixtures/hostile");
}
