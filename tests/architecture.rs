//! What the code promises about itself: imports point left, each outside crate has one home, nothing is unsafe.

use std::fs;
use std::path::{Path, PathBuf};

/// The stages in order. A stage may use those before it and itself.
const STAGES: &[&str] = &[
    "source",
    "time",
    "span",
    "shelf",
    "progress",
    "input",
    "parse",
    "reconstruct",
    "align",
    "attribute",
    "report",
    "analyze",
    "redact",
    "reduce",
    "batch",
];

/// Outside crates with the files or folders that may name them.
const HOMES: &[(&str, &[&str])] = &[
    ("clap", &["cli.rs", "cli/"]),
    ("clap_complete", &["cli.rs", "cli/pages.rs"]),
    ("clap_mangen", &["cli/pages.rs"]),
    ("indicatif", &["progress.rs"]),
    ("mimalloc", &["main.rs"]),
    ("anyhow", &["main.rs", "cli.rs", "cli/", "command"]),
    ("pcap_parser", &["parse/pcap"]),
    ("etherparse", &["parse/packet"]),
    ("nom", &["parse"]),
    ("aes_gcm", &["parse/tls"]),
    ("chacha20poly1305", &["parse/tls"]),
    ("hmac", &["parse/tls"]),
    ("rustix", &["report/output.rs"]),
    ("parquet", &["report/parquet_table.rs"]),
    ("postcard", &["shelf"]),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// Every source file: its path under `src`, and its code without comments.
fn code() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&root, &mut paths);
    paths.sort();
    assert!(paths.len() > 100, "{} files under src", paths.len());
    let strip = |text: String| {
        let lines = text
            .lines()
            .map(|line| line.split("//").next().unwrap_or_default());
        lines.collect::<Vec<_>>().join("\n")
    };
    paths
        .iter()
        .map(|path| {
            let short = path
                .strip_prefix(&root)
                .expect("under src")
                .to_string_lossy()
                .into_owned();
            (short, strip(fs::read_to_string(path).expect("text")))
        })
        .collect()
}

fn rank(stage: &str) -> Option<usize> {
    STAGES.iter().position(|known| *known == stage)
}

/// Names that follow `crate::` in `text`.
fn imports(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("crate::").map(|(at, prefix)| {
        let rest = &text[at + prefix.len()..];
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        &rest[..end]
    })
}

#[test]
fn imports_point_left() {
    let mut wrong = Vec::new();
    for (path, text) in code() {
        let stage = path.split(['/', '.']).next().expect("a name");
        let Some(own) = rank(stage) else {
            continue;
        };
        for import in imports(&text) {
            if rank(import).is_some_and(|other| other > own) {
                wrong.push(format!("src/{path} uses crate::{import}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_outside_crate_has_one_home() {
    let mut wrong = Vec::new();
    for (path, text) in code() {
        for (name, homes) in HOMES {
            let named = text.match_indices(&format!("{name}::")).any(|(at, _)| {
                !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
            });
            if named && !homes.iter().any(|home| path.starts_with(home)) {
                wrong.push(format!("src/{path} uses {name}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_is_unsafe() {
    for (path, text) in code() {
        let unsafe_code = text
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .any(|word| word == "unsafe");
        assert!(!unsafe_code, "src/{path}");
    }
}

#[test]
fn no_path_of_one_machine_stands_in_a_file() {
    // Written in parts, so that this file does not name what it looks for.
    let foreign = ["/wor", "k/"].concat();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<PathBuf> = ["src", "tests", "fixtures", "benches", "examples", ".ci"]
        .iter()
        .map(|name| root.join(name))
        .collect();
    let mut files = vec![root.join("README.md"), root.join("Cargo.toml")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    for path in files {
        let text = fs::read(&path).expect("a file");
        let text = String::from_utf8_lossy(&text);
        assert!(
            !text.contains(&foreign),
            "{} names {foreign}",
            path.display()
        );
    }
}
