//! `carve`: the packets of one close or incident, annotated.

use std::io::{self, IsTerminal};
use std::path::Path;

use anyhow::{Context, ensure};
use natsleuth::attribute::finding::Analysis;
use natsleuth::attribute::finding::CloseSketch;
use natsleuth::reduce;
use natsleuth::report::carve;
use natsleuth::report::output::Output;
use natsleuth::report::visible;

use super::{complain, print, reading, status, write};
use crate::cli::input::Input;

/// Writes the packets.
pub fn run(id: &str, output: &Output, arguments: &Input) -> anyhow::Result<u8> {
    ensure!(
        *output != Output::Stdout || !io::stdout().is_terminal(),
        "a capture is not written to a terminal; name a file with -o"
    );
    output.check()?;
    let (input, analysis) = reading::analysis(arguments, false)?;
    reading::ensure_something(&analysis.records, &analysis.sources)?;
    reading::spare(output, &analysis.sources)?;
    let closes = carve::named(&analysis, id).with_context(|| unknown(id, &analysis))?;
    let captured = closes.iter().any(|&close| {
        let joined = analysis.closes.sketch(close).map(CloseSketch::joined);
        joined
            .and_then(|joined| analysis.joined.get(joined))
            .is_some_and(|joined| !joined.conns.is_empty())
    });
    if !captured {
        let why = format!("no capture holds a packet of {id}: only logs tell of it");
        return Err(status::NoInput(why).into());
    }
    let mut carved = carve::Carved::default();
    write(output, |out| {
        carved = carve::carve(&analysis, &closes, &|source| input.open(source), out)?;
        Ok(())
    })?;
    if let Output::File { path, .. } = output {
        complain(&format!(
            "{}: {} packets, {} of them with comments, from {} captures",
            path.display(),
            carved.packets,
            carved.commented,
            carved.interfaces
        ));
    }
    Ok(reading::status(arguments.strict, &analysis.rejects))
}

/// Writes the smallest bundle that keeps the verdict.
pub fn bundle(id: &str, out: &Path, max_runs: usize, arguments: &Input) -> anyhow::Result<u8> {
    let (input, analysis) = reading::analysis(arguments, false)?;
    reading::ensure_something(&analysis.records, &analysis.sources)?;
    let closes = carve::named(&analysis, id).with_context(|| unknown(id, &analysis))?;
    let reduced = reading::with_threads(arguments, |options, progress| {
        reduce::reduce(
            &arguments.paths,
            (&input, &analysis),
            &closes,
            out,
            (options, max_runs),
            progress,
        )
    })??;
    print(|out| {
        for (file, records) in &reduced.files {
            writeln!(out, "{}: {records}", visible(&file.to_string_lossy()))?;
        }
        let kept: usize = reduced.files.iter().map(|(_, records)| records).sum();
        let how = if reduced.minimal {
            "none of which can be left out"
        } else {
            "and --max-runs ended the search"
        };
        writeln!(
            out,
            "{kept} of {} lines and packets, {how}; {} analyses",
            reduced.before, reduced.runs
        )
    })?;
    Ok(reading::status(arguments.strict, &analysis.rejects))
}

/// There is no such id; which there are.
fn unknown(id: &str, analysis: &Analysis) -> String {
    let known: Vec<String> = [
        ("c", analysis.closes.len(), "closes"),
        ("i", analysis.incidents.len(), "incidents"),
    ]
    .into_iter()
    .filter(|(_, count, _)| *count > 0)
    .map(|(letter, count, noun)| format!("{noun} {letter}1 to {letter}{count}"))
    .collect();
    if known.is_empty() {
        return format!("no close or incident is called {id}: there are none in this input");
    }
    format!(
        "no close or incident is called {id}; there are {}",
        known.join(" and ")
    )
}
