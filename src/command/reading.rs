//! Reading input for a command: threads, the progress bar, and warnings about what could not be read.

use std::fs;
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, ensure};
use natsleuth::align::joined::Records;
use natsleuth::analyze::{self, Options};
use natsleuth::attribute::advisories::{self, Advisories};
use natsleuth::attribute::finding::Analysis;
use natsleuth::input::Input;
use natsleuth::progress::{Bar, Progress, Silent};
use natsleuth::report;
use natsleuth::report::output::Output;
use natsleuth::source::{Kind, Source};
use natsleuth::span::Reject;

use super::{complain, status};
use crate::cli;

/// Does `work` on as many threads as asked for, with a progress bar unless unwanted.
pub fn with_threads<T: Send>(
    arguments: &cli::input::Input,
    work: impl FnOnce(&Options, &dyn Progress) -> T + Send,
) -> anyhow::Result<T> {
    let threads = arguments.threads.unwrap_or_else(processors);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .context("starting threads")?;
    let options = Options {
        advisories: advisories(arguments.reading.advisories.as_deref())?,
        ..arguments.reading.options(threads)
    };
    let progress = progress(arguments.reading.no_progress);
    let result = pool.install(|| work(&options, &*progress));
    progress.finish();
    Ok(result)
}

/// The data base of known bugs in `file`, if one was given.
pub fn advisories(file: Option<&Path>) -> anyhow::Result<Option<Arc<Advisories>>> {
    let read = |path: &Path| -> anyhow::Result<Arc<Advisories>> {
        let text =
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let data = advisories::load(&text).with_context(|| format!("in {}", path.display()))?;
        Ok(Arc::new(data))
    };
    file.map(read).transpose()
}

/// Processors that this process may use.
pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// The bar, which shows itself only on a terminal and in long work.
pub fn progress(unwanted: bool) -> Box<dyn Progress> {
    if unwanted {
        Box::new(Silent)
    } else {
        Box::new(Bar::new())
    }
}

/// The whole analysis, with warnings. `hash` is for reports that name their input by its content.
pub fn analysis(arguments: &cli::input::Input, hash: bool) -> anyhow::Result<(Input, Analysis)> {
    let (input, analysis) = with_threads(arguments, |options, progress| {
        let mut options = options.clone();
        options.input.hash = hash;
        analyze::analyze(&arguments.paths, &options, progress)
    })??;
    warn(&analysis.sources, &analysis.rejects);
    Ok((input, analysis))
}

/// Fails where nothing in the input is known to any grammar.
pub fn ensure_something(records: &Records, sources: &[Source]) -> anyhow::Result<()> {
    let something = !records.servers.is_empty()
        || !records.clients.is_empty()
        || !records.host_events.is_empty()
        || records.captures.iter().any(|capture| capture.packets > 0);
    if something {
        return Ok(());
    }
    let known = sources.iter().filter(|source| source.kind != Kind::Unknown);
    let names: Vec<&str> = known.map(|source| source.path.as_str()).take(2).collect();
    let more = if sources.len() > names.len() {
        ", ..."
    } else {
        ""
    };
    Err(status::NoInput(format!(
        "nothing to analyse in {}{more}: no line of a nats-server, of a NATS client or of a host, and no packet",
        names.join(", ")
    ))
    .into())
}

/// One warning a line for what could not be read, each with its file and place.
pub fn warn(sources: &[Source], rejects: &[Reject]) {
    for reject in rejects {
        let path = sources
            .get(reject.source.0 as usize)
            .map_or("?", |source| source.path.as_str());
        let place = reject
            .place
            .map_or_else(String::new, |place| format!(":{}", report::place(place)));
        let count = match reject.count {
            0 | 1 => String::new(),
            count => format!(" ({count} times)"),
        };
        complain(&format!("{path}{place}: {}{count}", reject.why));
    }
}

/// Refuses to replace evidence, even by force.
pub fn spare(output: &Output, sources: &[Source]) -> anyhow::Result<()> {
    let Output::File { path, .. } = output else {
        return Ok(());
    };
    let Ok(target) = fs::canonicalize(path) else {
        return Ok(());
    };
    let read = sources
        .iter()
        .filter(|source| source.kind != Kind::Unknown)
        .map(|source| source.path.split("!/").next().unwrap_or_default());
    for source in read {
        ensure!(
            fs::canonicalize(Path::new(source)).ok().as_ref() != Some(&target),
            "{} is input: it is not replaced, not even with --force",
            path.display()
        );
    }
    Ok(())
}

/// The status of a run that went through.
pub fn status(strict: bool, rejects: &[Reject]) -> u8 {
    if strict && !rejects.is_empty() {
        status::PARTLY
    } else {
        0
    }
}
