//! Writes a nats-server log as `-DV` makes it, of about as many megabytes as the first argument says, to standard output:
//! input for `cargo bench --bench server_log` and for comparisons with other tools.

use std::io::{BufWriter, Write, stdout};

#[path = "../benches/trace_log/mod.rs"]
mod trace_log;

fn main() -> std::io::Result<()> {
    let megabytes: usize = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(100);
    let mut out = BufWriter::new(stdout().lock());
    trace_log::write(&mut out, megabytes << 20)?;
    out.flush()
}
