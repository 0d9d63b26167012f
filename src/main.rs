//! Arguments to analysis to report; error text; exit status. The only file that prints.

mod cli;

use std::io::{self, Write};
use std::process::ExitCode;

use globset::{Glob, GlobMatcher};
use natsleuth::analyze::{self, Options};
use natsleuth::attribute::advisories;
use natsleuth::attribute::finding::{Analysis, Close};
use natsleuth::input;
use natsleuth::progress::{Bar, Progress, Silent};
use natsleuth::report::output::{Output, OutputError};
use natsleuth::report::{self, Filter, Format, RenderOptions};

use cli::{Analyze, Cli, Command};

/// Exit statuses of design: see `natsleuth --help`.
const FOUND: u8 = 1;
const USAGE: u8 = 2;
const PARTLY: u8 = 3;
const NO_INPUT: u8 = 65;
const IO_FAILED: u8 = 74;

fn main() -> ExitCode {
    let cli = match cli::parse(std::env::args_os().collect()) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { USAGE } else { 0 });
        }
    };
    match run(cli) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            if is_broken_pipe(&error) {
                return ExitCode::SUCCESS;
            }
            complain(&format!("{error:#}"));
            ExitCode::from(status_of(&error))
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<u8> {
    match cli.command {
        Command::Analyze(arguments) => return analyze(&arguments),
        Command::Explain { cause, look } => {
            let known = report::explain::render(
                cause.as_deref(),
                look.color(),
                cli::width(),
                &mut io::stdout().lock(),
            )?;
            return Ok(if known { 0 } else { USAGE });
        }
        Command::Advisories {
            id,
            advisories: file,
            look,
        } => {
            let loaded;
            let data = match file {
                Some(path) => {
                    loaded = advisories::load(&std::fs::read_to_string(&path)?)?;
                    &loaded
                }
                None => advisories::embedded(),
            };
            let out = &mut io::stdout().lock();
            let known =
                report::advisories::render(data, id.as_deref(), look.color(), cli::width(), out)?;
            return Ok(if known { 0 } else { USAGE });
        }
        Command::Completions { shell } => cli::completions(shell, &mut io::stdout().lock()),
        Command::Man => cli::man(&mut io::stdout().lock())?,
        _ => anyhow::bail!("not built yet"),
    }
    Ok(0)
}

fn analyze(arguments: &Analyze) -> anyhow::Result<u8> {
    let output = Output::new(arguments.output.as_deref(), arguments.force);
    output.check()?;
    let selection = Selection::new(arguments)?;
    let options = arguments.input.options()?;
    let (_, analysis) = read(&arguments.input, &options)?;
    let chosen = selection.choose(&analysis);
    let render = RenderOptions {
        color: arguments.look.color() && arguments.output.is_none(),
        width: cli::width(),
        summary: arguments.summary,
        verbose: arguments.verbose,
        command: std::env::args().collect(),
        shown: Filter { closes: chosen },
    };
    output.write(&mut io::stdout().lock(), |out| {
        report::render(&analysis, Format::from(arguments.format), &render, out)
    })?;
    for reject in &analysis.rejects {
        let path = &analysis.sources[reject.source.0 as usize].path;
        let place = reject
            .place
            .map_or_else(String::new, |place| format!(":{}", report::place(place)));
        complain(&format!("{path}{place}: {}", reject.why));
    }
    let found = analysis
        .closes
        .iter()
        .any(|close| arguments.fail_on.iter().any(|cause| names(cause, close)));
    Ok(if found {
        FOUND
    } else if arguments.strict && !analysis.rejects.is_empty() {
        PARTLY
    } else {
        0
    })
}

/// Runs the analysis with threads and progress as asked.
fn read(arguments: &cli::Input, options: &Options) -> anyhow::Result<(input::Input, Analysis)> {
    if let Some(threads) = arguments.threads {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global()?;
    }
    let bar = Bar::new();
    let progress: &dyn Progress = if arguments.no_progress { &Silent } else { &bar };
    let result = analyze::analyze(&arguments.paths, options, progress);
    progress.finish();
    Ok(result?)
}

/// Which closes are shown.
struct Selection {
    since: Option<i64>,
    until: Option<i64>,
    client: Option<GlobMatcher>,
    server: Option<GlobMatcher>,
    causes: Vec<String>,
}

impl Selection {
    fn new(arguments: &Analyze) -> anyhow::Result<Self> {
        let glob = |text: &Option<String>| -> anyhow::Result<Option<GlobMatcher>> {
            Ok(text
                .as_deref()
                .map(Glob::new)
                .transpose()?
                .map(|glob| glob.compile_matcher()))
        };
        Ok(Self {
            since: arguments.since.as_deref().map(cli::instant).transpose()?,
            until: arguments.until.as_deref().map(cli::instant).transpose()?,
            client: glob(&arguments.client)?,
            server: glob(&arguments.server)?,
            causes: arguments.cause.clone(),
        })
    }

    /// `None` when everything is.
    fn choose(&self, analysis: &Analysis) -> Option<Vec<usize>> {
        let all = self.since.is_none()
            && self.until.is_none()
            && self.client.is_none()
            && self.server.is_none();
        if all && self.causes.is_empty() {
            return None;
        }
        let shows = |close: &Close| {
            let at = close.closed_at.map(|when| when.at.0);
            self.since
                .is_none_or(|since| at.is_some_and(|at| at >= since))
                && self
                    .until
                    .is_none_or(|until| at.is_some_and(|at| at <= until))
                && self.client.as_ref().is_none_or(|glob| {
                    close
                        .client_name
                        .as_deref()
                        .is_some_and(|name| glob.is_match(name))
                        || close
                            .client
                            .is_some_and(|address| glob.is_match(address.to_string()))
                })
                && self.server.as_ref().is_none_or(|glob| {
                    close
                        .server_name
                        .as_deref()
                        .is_some_and(|name| glob.is_match(name))
                        || close
                            .server
                            .is_some_and(|address| glob.is_match(address.to_string()))
                })
                && (self.causes.is_empty() || self.causes.iter().any(|cause| names(cause, close)))
        };
        Some(
            (0..analysis.closes.len())
                .filter(|index| shows(&analysis.closes[*index]))
                .collect(),
        )
    }
}

/// Whether CAUSE or CAUSE/DETAIL names a close's verdict.
fn names(cause: &str, close: &Close) -> bool {
    match cause.split_once('/') {
        Some((cause, detail)) => close.cause == cause && close.detail == detail,
        None => close.cause == cause,
    }
}

fn status_of(error: &anyhow::Error) -> u8 {
    match error.downcast_ref::<input::Error>() {
        Some(input::Error::Missing { .. }) => return USAGE,
        Some(error) if error.is_transient() => return IO_FAILED,
        Some(_) => return NO_INPUT,
        None => {}
    }
    match error.downcast_ref::<OutputError>() {
        Some(OutputError::Exists { .. }) => USAGE,
        Some(_) => IO_FAILED,
        None if error.downcast_ref::<io::Error>().is_some() => IO_FAILED,
        None => USAGE,
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// One line on standard error.
fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "natsleuth: {text}");
}
