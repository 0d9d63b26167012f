//! `analyze`: the report.

use std::io::{self, IsTerminal};

use anyhow::ensure;
use natsleuth::attribute::finding::{Analysis, Close};
use natsleuth::report::output::Output;
use natsleuth::report::{self, Filter, Format, RenderOptions};

use super::{reading, status, write};
use crate::cli::{Analyze, output};

/// Writes the report.
pub fn run(arguments: &Analyze) -> anyhow::Result<u8> {
    let output = arguments.target.output();
    output.check()?;
    let format = Format::from(arguments.format);
    ensure!(
        !format.is_binary() || output != Output::Stdout || !io::stdout().is_terminal(),
        "Parquet is not written to a terminal; name a file with -o"
    );
    let (_, analysis) = reading::analysis(&arguments.input, format.names_input())?;
    reading::spare(&output, &analysis.sources)?;
    let options = RenderOptions {
        color: arguments.look.color(&output),
        width: output::width(&output),
        summary: arguments.summary,
        verbose: arguments.verbose,
        command: std::env::args_os()
            .map(|argument| argument.to_string_lossy().into_owned())
            .collect(),
        shown: Filter {
            closes: choose(arguments, &analysis),
        },
    };
    write(&output, |out| {
        report::render(&analysis, format, &options, out)
    })?;
    reading::ensure_something(&analysis.records, &analysis.sources)?;
    let found = !arguments.fail_on.is_empty()
        && analysis
            .closes
            .iter()
            .any(|close| arguments.fail_on.iter().any(|cause| cause.holds(&close)));
    let status = if found {
        status::FOUND
    } else {
        reading::status(arguments.input.strict, &analysis.rejects)
    };
    // The process ends here: to take hundreds of thousands of records apart before it does would only take time.
    std::mem::forget(analysis);
    Ok(status)
}

/// Which closes are shown; `None` when nothing was asked for, and all are.
fn choose(arguments: &Analyze, analysis: &Analysis) -> Option<Vec<usize>> {
    let Analyze {
        since,
        until,
        client,
        server,
        cause,
        ..
    } = arguments;
    let in_time = since.is_none() && until.is_none();
    if in_time && client.is_none() && server.is_none() && cause.is_empty() {
        return None;
    }
    let shows = |close: &Close| {
        let at = close.closed_at.map(|when| when.at.0);
        let address =
            |address: Option<std::net::SocketAddr>| address.map(|found| found.to_string());
        let matches = |glob: &Option<globset::GlobMatcher>, texts: &[Option<String>]| {
            glob.as_ref()
                .is_none_or(|glob| texts.iter().flatten().any(|text| glob.is_match(text)))
        };
        since.is_none_or(|since| at.is_some_and(|at| at >= since))
            && until.is_none_or(|until| at.is_some_and(|at| at <= until))
            && matches(
                client,
                &[
                    close.client_name.as_deref().map(str::to_owned),
                    address(close.client),
                    address(close.client_side),
                ],
            )
            && matches(server, &[close.server_name.clone(), address(close.server)])
            && (cause.is_empty() || cause.iter().any(|cause| cause.holds(close)))
    };
    let closes = analysis.closes.iter().enumerate();
    Some(
        closes
            .filter(|(_, close)| shows(close))
            .map(|(index, _)| index)
            .collect(),
    )
}
