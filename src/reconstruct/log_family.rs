//! Files that hold one log: rotated ones, and stderr beside its log.

/// Endings that rotation and compression add.
const SUFFIXES: &[&str] = &[
    "gz", "zst", "xz", "bz2", "lz4", "old", "bak", "prev", "previous",
];
/// Endings of a log itself.
const KINDS: &[&str] = &["log", "txt", "out", "err", "stderr", "stdout"];

/// Folder and stem: equal for `nats.log`, `nats.log.1.gz`, `nats.log.2026.11.23.00.11.37.449762641`, `nats.stderr`.
pub fn family(path: &str, stem: &str) -> String {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let mut parts: Vec<&str> = file.split('.').collect();
    let numbered = |part: &&str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'T' | b'Z'))
    };
    // Only numbers after `.log` are rotation's; others are part of the name (`nats-2.10.log`).
    let kind = parts
        .iter()
        .skip(1)
        .rposition(|part| KINDS.contains(part))
        .map(|at| at + 1);
    if let Some(kind) = kind
        && parts[kind + 1..]
            .iter()
            .all(|part| numbered(part) || SUFFIXES.contains(part))
    {
        parts.truncate(kind);
        while parts.len() > 1 && KINDS.contains(&parts[parts.len() - 1]) {
            parts.pop();
        }
    } else if parts.len() > 1 && SUFFIXES.contains(&parts[parts.len() - 1]) {
        parts.pop();
    }
    let own = parts.join(".");
    let name = if own.is_empty() { stem } else { &own };
    // `nats.log-20261123`, `nats.log.err`
    let name = name.split(".log-").next().unwrap_or(name);
    format!("{folder}/{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_log_in_many_files() {
        for path in [
            "b/nats.log",
            "b/nats.log.1",
            "b/nats.log.2.gz",
            "b/nats.log.2026.11.23.00.11.37.449762641",
            "b/nats.stderr",
            "b/nats.log-20261123",
            "b/nats.log.err",
        ] {
            assert_eq!(family(path, ""), "b/nats", "{path}");
        }
        assert_ne!(family("b/2.10.26.log", ""), family("b/2.10.29.log", ""));
        assert_ne!(family("b/nats2.log", ""), family("b/nats.log", ""));
        assert_ne!(family("a/nats.log", ""), family("b/nats.log", ""));
    }
}
