//! One piece of a rotated log or capture: what its name is without rotation, and where in the order it stands.

use super::date::find_date;

/// A name taken apart. Sorts from the oldest piece to the newest within one base.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Piece {
    /// The path without what rotation added.
    pub base: String,
    /// Kubernetes' restart count of the container.
    restart: u64,
    /// The file that is still written to comes after all that were put aside.
    current: bool,
    /// Digits of the date in the name; empty without one.
    date: String,
    /// Count in the name, rising with time.
    sequence: i64,
    /// A number at the end of a name without extension.
    pub bare: Option<Bare>,
}

/// `cap007`: number 7 of width 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bare {
    /// Its value.
    pub number: u64,
    /// Its digits.
    pub width: usize,
}

/// Endings that compression programs add.
const COMPRESSED: [&str; 8] = [".gz", ".zst", ".xz", ".lz4", ".bz2", ".zstd", ".Z", ".bz"];

/// Endings of captures, after which tcpdump -C and -W put a number.
const CAPTURE_ENDINGS: [&str; 7] = [
    ".pcapng", ".pcap", ".cap", ".dump", ".dmp", ".trc", ".snoop",
];

/// Endings of logs.
const LOG_ENDINGS: [&str; 10] = [
    ".log", ".txt", ".out", ".err", ".stderr", ".stdout", ".jsonl", ".ndjson", ".json", ".conf",
];

/// Endings of a piece that was put aside once.
const OLD: [&str; 5] = [".old", ".bak", ".prev", ".previous", "~"];

impl Piece {
    /// A file that is no piece of anything.
    pub fn whole(path: &str) -> Self {
        Self {
            base: path.to_owned(),
            restart: 0,
            current: true,
            date: String::new(),
            sequence: 0,
            bare: None,
        }
    }

    /// A log by its path.
    pub fn of_log(path: &str) -> Self {
        let (folder, name) = split(path);
        let name = uncompressed(name);
        let mut piece = Self::whole("");
        let mut base = name.to_owned();
        if let Some((without, date)) = find_date(name) {
            piece.date = date;
            piece.current = false;
            base = without;
        } else if let Some((without, number)) = numbered(name) {
            piece.sequence = -number;
            piece.current = false;
            without.clone_into(&mut base);
        } else if let Some(without) = OLD.iter().find_map(|end| name.strip_suffix(end)) {
            piece.current = false;
            without.clone_into(&mut base);
        }
        if let Some(number) = base.strip_suffix(".log").and_then(|n| n.parse().ok())
            && folder.contains("pods/")
        {
            piece.restart = number;
            "#.log".clone_into(&mut base);
        }
        // Replicated's support bundle: pods/logs/NAMESPACE/POD/CONTAINER-previous.log.
        if folder.contains("pods/logs/")
            && let Some(container) = base.strip_suffix("-previous.log")
        {
            piece.current = false;
            base = format!("{container}.log");
        }
        if base == "previous.log" {
            piece.current = false;
            "current.log".clone_into(&mut base);
        }
        piece.base = format!("{folder}{base}");
        piece
    }

    /// A capture by its path.
    pub fn of_capture(path: &str) -> Self {
        let (folder, name) = split(path);
        let name = uncompressed(name);
        let mut piece = Self::whole("");
        let mut base = name.to_owned();
        if let Some((without, date)) = find_date(name) {
            piece.date = date;
            base = without;
        }
        let end = base.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let digits = &base[end..];
        if let Ok(number) = digits.parse::<u32>() {
            let after_ending = CAPTURE_ENDINGS.iter().any(|e| base[..end].ends_with(e));
            if after_ending {
                piece.sequence = i64::from(number);
                base.truncate(end);
            } else if !base.contains('.') && end > 0 {
                piece.bare = Some(Bare {
                    number: u64::from(number),
                    width: digits.len(),
                });
                piece.sequence = i64::from(number);
                base.truncate(end);
            }
        }
        piece.base = format!("{folder}{base}");
        piece
    }
}

/// A file's name without compression, rotation and ending: what is left names the program or host.
pub fn stem(name: &str) -> String {
    let name = uncompressed(name);
    let (name, _) = find_date(name).unwrap_or_else(|| (name.to_owned(), String::new()));
    let mut stem = numbered(&name).map_or(name.as_str(), |(without, _)| without);
    for end in OLD {
        stem = stem.strip_suffix(end).unwrap_or(stem);
    }
    let bare = stem.trim_end_matches(|c: char| c.is_ascii_digit());
    if CAPTURE_ENDINGS.iter().any(|e| bare.ends_with(e)) {
        stem = bare;
    }
    for end in CAPTURE_ENDINGS.iter().chain(&LOG_ENDINGS) {
        if let Some(shorter) = stem.strip_suffix(end)
            && !shorter.is_empty()
        {
            return shorter.to_owned();
        }
    }
    stem.to_owned()
}

fn split(path: &str) -> (&str, &str) {
    path.split_at(path.rfind('/').map_or(0, |slash| slash + 1))
}

fn uncompressed(mut name: &str) -> &str {
    while let Some(shorter) = COMPRESSED.iter().find_map(|end| name.strip_suffix(end)) {
        if shorter.is_empty() {
            break;
        }
        name = shorter;
    }
    name
}

/// `x.log.12`: logrotate and most programs' own rotation, the highest number the oldest. Versions at the end of a
/// name (`nats-server-v2.10`) are no rotation.
fn numbered(name: &str) -> Option<(&str, i64)> {
    let (base, number) = name.rsplit_once('.')?;
    let digits =
        !number.is_empty() && number.len() <= 3 && number.bytes().all(|b| b.is_ascii_digit());
    let version = base.ends_with(|c: char| c.is_ascii_digit());
    (digits && !base.is_empty() && !version).then(|| (base, number.parse().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems() {
        for (name, want) in [
            ("client-orders-0.log.1.gz", "client-orders-0"),
            ("client-orders-0.log", "client-orders-0"),
            ("nats-0_server.log", "nats-0_server"),
            ("f.log.2026.11.23.00.11.37.449762641", "f"),
            ("nats.log-20261121.xz", "nats"),
            ("app-2026-11-23T05-11-18.123.log", "app"),
            ("c_00001_20261123051118.pcap", "c"),
            ("server.pcap12", "server"),
            ("my.service.log", "my.service"),
            ("server.stderr", "server"),
            ("syslog", "syslog"),
            (".log", ".log"),
            ("", ""),
        ] {
            assert_eq!(stem(name), want, "{name}");
        }
    }
}
