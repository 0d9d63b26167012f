//! Writes a benchmark capture to stdout: `generate_capture busy|storm|feed|one MEGABYTES [SEED]`; or with `log` what the
//! server of such a storm logs of it.

#![allow(clippy::print_stderr, reason = "a command-line tool")]

#[path = "../benches/support/traffic.rs"]
mod traffic;

use std::io::{self, BufWriter, Write};

fn main() -> io::Result<()> {
    let mut args = std::env::args().skip(1);
    let kind = args.next();
    let shape = match kind.as_deref() {
        Some("log") => traffic::Shape::Storm,
        Some("busy") => traffic::Shape::Busy { conns: 941 },
        Some("storm") => traffic::Shape::Storm,
        Some("feed") => traffic::Shape::Feed { conns: 100 },
        Some("one") => traffic::Shape::Feed { conns: 1 },
        _ => {
            let usage = "usage: generate_capture busy|storm|log|feed|one MEGABYTES [SEED] > FILE";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, usage));
        }
    };
    let mut number = |default| {
        args.next()
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let (megabytes, seed): (u64, u64) = (number(500), number(1));
    let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    if kind.as_deref() == Some("log") {
        let lines = traffic::write_log(&mut out, megabytes * 1_000_000, seed)?;
        out.flush()?;
        eprintln!("{lines} lines");
        return Ok(());
    }
    let (packets, conns) = traffic::write(&mut out, shape, megabytes * 1_000_000, seed)?;
    out.flush()?;
    eprintln!("{packets} packets, {conns} connections");
    Ok(())
}
