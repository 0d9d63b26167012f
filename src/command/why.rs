//! `why`: what a line or a packet is evidence for.

use anyhow::{Context, ensure};
use natsleuth::report::why;

use super::{print, reading};
use crate::cli::input::Input;

/// Writes every finding that cites `place`.
pub fn run(place: &str, arguments: &Input) -> anyhow::Result<u8> {
    let (path, place) = why::parse(place).with_context(|| {
        format!("{place:?} is no place; give it as FILE:LINE or CAPTURE:#FRAME, as reports cite it")
    })?;
    let (_, analysis) = reading::analysis(arguments, false)?;
    reading::ensure_something(&analysis.records, &analysis.sources)?;
    let names = || {
        let names = analysis.sources.iter().map(|source| source.path.as_str());
        names.take(5).collect::<Vec<_>>().join(", ")
    };
    ensure!(
        why::is_source(&analysis, path),
        "no source is called {path}; there are {}{}",
        names(),
        if analysis.sources.len() > 5 {
            ", ..."
        } else {
            ""
        }
    );
    print(|out| why::write(&analysis, path, place, out))?;
    Ok(reading::status(arguments.strict, &analysis.rejects))
}
