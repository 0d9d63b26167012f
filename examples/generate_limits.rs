//! Writes inputs at the limits: `generate_limits connection GIGABYTES` and `client-log LINES` to stdout,
//! `bundle FILES FOLDER` and `broken FILES FOLDER` into a folder.

#[path = "../benches/support/limits.rs"]
mod limits;

use std::io::{self, BufWriter, Write};
use std::path::Path;

fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let usage = || {
        let usage = "usage: generate_limits connection|client-log|bundle|broken COUNT [FOLDER]";
        io::Error::new(io::ErrorKind::InvalidInput, usage)
    };
    let [kind, count, rest @ ..] = &args[..] else {
        return Err(usage());
    };
    let count: u64 = count.parse().map_err(|_| usage())?;
    let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    match (kind.as_str(), rest) {
        ("connection", []) => limits::connection(&mut out, count * 1_000_000_000)?,
        ("client-log", []) => limits::client_log(&mut out, count)?,
        ("bundle", [folder]) => limits::bundle(Path::new(folder), count)?,
        ("broken", [folder]) => limits::broken(Path::new(folder), count)?,
        _ => return Err(usage()),
    }
    out.flush()
}
