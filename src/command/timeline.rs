//! `timeline`: every event of every source in one order.

use natsleuth::align::align;
use natsleuth::align::timeline::timeline;
use natsleuth::reconstruct::facts::located;
use natsleuth::report::timeline::{self as report, Shown};
use natsleuth::time::Instant;
use natsleuth::{analyze, input};

use super::{reading, write};
use crate::cli::Timeline;
use crate::cli::output::ListName;

/// Writes the events.
pub fn run(arguments: &Timeline) -> anyhow::Result<u8> {
    let output = arguments.target.output();
    output.check()?;
    let shown = Shown {
        client: arguments.client.clone(),
        server: arguments.server.clone(),
        since: arguments.since.map(Instant),
        until: arguments.until.map(Instant),
    };
    let (input, reading, events) =
        reading::with_threads(&arguments.input, |options, progress| {
            let input = input::discover(&arguments.input.paths, &options.input)?;
            let reading = analyze::read(&input, options, progress);
            progress.stage("aligning");
            let alignment = align(
                &reading.records,
                &reading.facts,
                &input.sources,
                &options.align,
            );
            let mut events = timeline(&reading.records, &input.sources, &alignment);
            for event in &mut events {
                event.cite = located(&reading.records.captures, &reading.facts, event.cite);
            }
            Ok::<_, input::Error>((input, reading, events))
        })??;
    reading::warn(&input.sources, &reading.rejects);
    reading::spare(&output, &input.sources)?;
    write(&output, |out| match arguments.format {
        ListName::Text => report::text(&events, &input.sources, &shown, out),
        ListName::Ndjson => report::ndjson(&events, &input.sources, &shown, out),
    })?;
    reading::ensure_something(&reading.records, &input.sources)?;
    Ok(reading::status(arguments.input.strict, &reading.rejects))
}
