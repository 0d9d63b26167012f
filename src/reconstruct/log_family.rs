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
    while parts.len() > 1 {
        let last = parts[parts.len() - 1];
        let number = !last.is_empty()
            && last
                .bytes()
                .all(|b| b.is_ascii_digit() || b == b'-' || b == b'_' || b == b'T' || b == b'Z');
        if number || SUFFIXES.contains(&last) || KINDS.contains(&last) {
            parts.pop();
        } else {
            break;
        }
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
        assert_ne!(family("b/nats2.log", ""), family("b/nats.log", ""));
        assert_ne!(family("a/nats.log", ""), family("b/nats.log", ""));
    }
}
