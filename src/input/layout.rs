//! Where copies of sources go: the bundle's own layout below a new folder, archives as folders, nothing packed.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

/// Endings that say how a file is packed; what [`super::Input::open`] gives is not.
const PACKED: &[&str] = &[".gz", ".zst", ".xz", ".bz2", ".lz4", ".lzma", ".Z"];

/// A relative path for a copy of `source`, found under one of `paths`: below the argument it was found by, or under that
/// argument's name where there are several. Never leaves its folder, and never gives one path twice.
pub fn place(paths: &[PathBuf], source: &str, taken: &mut BTreeSet<PathBuf>) -> PathBuf {
    let mut place = PathBuf::new();
    for component in Path::new(&below(paths, source)).components() {
        if let Component::Normal(part) = component {
            place.push(part);
        }
    }
    let name = place.file_name().map_or_else(
        || "stdin".into(),
        |name| name.to_string_lossy().into_owned(),
    );
    let mut name = name.as_str();
    while let Some(bare) = PACKED
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .filter(|bare| !bare.is_empty())
    {
        name = bare;
    }
    if name == "-" {
        name = "stdin";
    }
    let mut unique = place.with_file_name(name);
    let mut number = 1;
    while !taken.insert(unique.clone()) {
        number += 1;
        unique = place.with_file_name(format!("{number}-{name}"));
    }
    unique
}

fn below(paths: &[PathBuf], source: &str) -> String {
    let inside = |rest: &str| rest.replace("!/", "/");
    for path in paths {
        let shown: PathBuf = path
            .components()
            .filter(|part| !matches!(part, Component::CurDir))
            .collect();
        let shown = shown.to_string_lossy();
        let shown = shown.trim_end_matches('/');
        let Some(rest) = source.strip_prefix(shown) else {
            continue;
        };
        if !(rest.is_empty() || shown.is_empty() || rest.starts_with(['/', '!'])) {
            continue;
        }
        if paths.len() == 1 && !rest.is_empty() {
            return inside(rest);
        }
        let name = Path::new(shown)
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        return format!("{}{}", name.unwrap_or_default(), inside(rest));
    }
    inside(source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        for (paths, source, want) in [
            (&["bundle"][..], "bundle/a/x.log.gz", "a/x.log"),
            (&["./bundle/"], "bundle/a/x.log", "a/x.log"),
            (&["b.tar.gz"], "b.tar.gz!/var/log/x.log", "var/log/x.log"),
            (
                &["/tmp/b.zip"],
                "/tmp/b.zip!/in.tar!/x.log.1.zst",
                "in.tar/x.log.1",
            ),
            (&["a", "b"], "b/x.log", "b/x.log"),
            (&["/tmp/x.log"], "/tmp/x.log", "x.log"),
            (&["."], "x/y.log", "x/y.log"),
            (&["b.zip"], "b.zip!/../../etc/x.log", "etc/x.log"),
            (&["-"], "-", "stdin"),
        ] {
            let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
            assert_eq!(
                place(&paths, source, &mut BTreeSet::new()),
                PathBuf::from(want),
                "{source}"
            );
        }
    }

    #[test]
    fn no_path_twice() {
        let paths = [PathBuf::from("b")];
        let mut taken = BTreeSet::new();
        assert_eq!(place(&paths, "b/x.log", &mut taken), PathBuf::from("x.log"));
        assert_eq!(
            place(&paths, "b/x.log.gz", &mut taken),
            PathBuf::from("2-x.log")
        );
    }
}
