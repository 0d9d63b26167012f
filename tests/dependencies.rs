//! What natsleuth is built from: every crate has its reason, a licence that `deny.toml` allows, and one source. `cargo deny`
//! checks the same rules, and more, where it is installed; this needs only cargo.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn toml(name: &str) -> toml::Table {
    let text = fs::read_to_string(root().join(name)).expect("a file of the project");
    text.parse().expect("TOML")
}

/// `allowed` satisfies an SPDX expression (SPDX 2.3, annex D; `/` is the older spelling of OR).
fn satisfied(expression: &str, allowed: &[&str]) -> bool {
    let text = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let mut words = text.split_whitespace().peekable();
    let verdict = any_of(&mut words, allowed);
    assert_eq!(words.next(), None, "{expression}");
    verdict
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn any_of(words: &mut Words, allowed: &[&str]) -> bool {
    let mut verdict = all_of(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        verdict |= all_of(words, allowed);
    }
    verdict
}

fn all_of(words: &mut Words, allowed: &[&str]) -> bool {
    let mut verdict = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        verdict &= one(words, allowed);
    }
    verdict
}

fn one(words: &mut Words, allowed: &[&str]) -> bool {
    let word = words.next().expect("a licence");
    if word == "(" {
        let verdict = any_of(words, allowed);
        assert_eq!(words.next(), Some(")"));
        return verdict;
    }
    let exception = words
        .next_if_eq(&"WITH")
        .map(|_| words.next().expect("an exception"));
    match exception {
        Some(exception) => allowed.contains(&format!("{word} WITH {exception}").as_str()),
        None => allowed.contains(&word),
    }
}

#[test]
fn licence_expressions_are_read_as_spdx_has_them() {
    let allowed = ["MIT", "Apache-2.0 WITH LLVM-exception"];
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0-only", false),
        ("GPL-3.0-only OR MIT", true),
        ("Unlicense/MIT", true),
        ("(GPL-3.0-only OR MIT) AND BSD-3-Clause", false),
        ("MIT AND (MIT OR BSD-3-Clause)", true),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("Apache-2.0", false),
    ] {
        assert_eq!(satisfied(expression, &allowed), expected, "{expression}");
    }
}

#[test]
fn every_crate_has_an_allowed_licence_and_comes_from_the_registry() {
    // What other systems would need is not on a machine that has only built for its own: cargo fetches it.
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let deny = toml("deny.toml");
    let allowed: Vec<&str> = deny["licenses"]["allow"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|licence| licence.as_str().expect("a name"))
        .collect();
    let stated = |version: &str| -> Vec<u32> {
        version
            .split('.')
            .map(|part| part.parse().unwrap_or(0))
            .collect()
    };
    let manifest = toml("Cargo.toml");
    let ours = stated(
        manifest["package"]["rust-version"]
            .as_str()
            .expect("a version"),
    );
    let packages = metadata["packages"].as_array().expect("packages");
    assert!(packages.len() > 50, "{} packages", packages.len());
    let mut wrong = Vec::new();
    for package in packages {
        let name = package["name"].as_str().expect("a name");
        if name == "natsleuth" {
            continue;
        }
        let licence = package["license"].as_str().unwrap_or("none");
        if !satisfied(licence, &allowed) {
            wrong.push(format!("{name}: licence {licence}"));
        }
        let source = package["source"].as_str().unwrap_or("a path");
        if !source.starts_with("registry+") {
            wrong.push(format!("{name} comes from {source}"));
        }
        if let Some(version) = package["rust_version"].as_str()
            && stated(version) > ours
        {
            wrong.push(format!("{name} needs Rust {version}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_dependency_says_why_it_is_there() {
    let text = fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml");
    let mut section = "";
    // A comment above holds for all that follow it up to an empty line or the next comment.
    let mut grouped = false;
    let mut wrong = Vec::new();
    for line in text.lines() {
        if line.starts_with('[') {
            (section, grouped) = (line, false);
        } else if line.starts_with('#') {
            grouped = true;
        } else if section.contains("dependencies") && line.contains(" = ") {
            if !grouped && !line.contains("# ") {
                wrong.push(line.to_owned());
            }
        } else {
            grouped = false;
        }
    }
    assert!(wrong.is_empty(), "no reason for\n{}", wrong.join("\n"));
}
