//! `batch`: many bundles in one go.

use std::io::Write;

use natsleuth::batch::{self, BatchOptions, Shard, Summary};
use natsleuth::report::visible;

use super::{complain, print, reading};
use crate::cli::Batch;

/// Runs the batch and writes what it did.
pub fn run(arguments: &Batch) -> anyhow::Result<u8> {
    let shard = Shard::choose(arguments.shard.as_deref(), &|name| std::env::var(name).ok())?;
    // Bundles run side by side, and the settings are part of what makes a bundle done: no number of this machine.
    let mut analyze = arguments.reading.options(1);
    analyze.input.hash = true;
    analyze.advisories = reading::advisories(arguments.reading.advisories.as_deref())?;
    let options = BatchOptions {
        root: arguments.root.clone(),
        out: arguments.output.clone(),
        depth: arguments.depth,
        analyze,
        // While one bundle's files wait for the disk, another's are worked out.
        jobs: arguments.jobs.unwrap_or_else(|| 2 * reading::processors()),
        memory: arguments.memory,
        shard,
    };
    let progress = reading::progress(arguments.reading.no_progress);
    let result = batch::run(&options, &*progress);
    progress.finish();
    let summary = result?;
    for (bundle, why) in summary.broken.iter().chain(&summary.lost) {
        complain(&format!("{bundle}: {why}"));
    }
    for name in &summary.loose {
        complain(&format!(
            "{name}: neither a folder nor an archive, passed over"
        ));
    }
    print(|out| write(&summary, out))?;
    Ok(summary.exit_status())
}

fn write(summary: &Summary, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(
        out,
        "{} bundles: {} analysed, {} unchanged, {} that cannot be analysed, {} lost",
        summary.bundles,
        summary.analysed,
        summary.unchanged,
        summary.broken.len(),
        summary.lost.len()
    )?;
    let mut causes: Vec<(&String, &u64)> = summary.causes.iter().collect();
    causes.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let width = causes
        .first()
        .map_or(0, |(_, count)| count.to_string().len());
    for (cause, count) in causes {
        writeln!(out, "{count:>width$}  {}", visible(cause))?;
    }
    Ok(())
}
