//! Subcommands, a file each: arguments to library calls to output. Only the files here print.

mod analyze;
mod batch;
mod carve;
mod reading;
mod redact;
mod reference;
pub mod status;
mod table;
mod timeline;
mod why;

use std::io::{self, Write};
use std::path::Path;

use natsleuth::input;
use natsleuth::report::output::{Output, OutputError};
use natsleuth::report::visible;

use crate::cli::{self, Command};

/// Does it and gives the exit status.
pub fn run(command: Command) -> u8 {
    match dispatch(command) {
        Ok(status) => status,
        Err(error) if status::is_broken_pipe(&error) => 0,
        Err(error) => {
            let mut text = format!("{error:#}");
            if let Some(input::Error::Missing { path }) = error.downcast_ref()
                && let Some(meant) = cli::meant(path)
            {
                text = format!("{text}; {meant}");
            }
            complain(&text);
            status::of(&error)
        }
    }
}

fn dispatch(command: Command) -> anyhow::Result<u8> {
    match command {
        Command::Analyze(arguments) => analyze::run(&arguments),
        Command::Conns(arguments) => table::conns(&arguments),
        Command::Sessions(arguments) => table::sessions(&arguments),
        Command::Timeline(arguments) => timeline::run(&arguments),
        Command::Explain { cause, look } => reference::explain(cause.as_deref(), look),
        Command::Advisories {
            id,
            advisories,
            look,
        } => reference::advisories(id.as_deref(), advisories.as_deref(), look),
        Command::Why { place, input } => why::run(&place, &input),
        Command::Carve {
            close,
            output,
            bundle: true,
            max_runs,
            input,
            ..
        } => carve::bundle(&close, &output, max_runs, &input),
        Command::Carve {
            close,
            output,
            force,
            input,
            ..
        } => carve::run(&close, &Output::new(Some(&output), force), &input),
        Command::Redact(arguments) => redact::run(&arguments),
        Command::Batch(arguments) => batch::run(&arguments),
        Command::Schema => {
            print(|out| out.write_all(natsleuth::report::schema::schema().as_bytes()))?;
            Ok(0)
        }
        Command::Completions { shell } => {
            print(|out| cli::pages::completions(shell, out))?;
            Ok(0)
        }
        Command::Man => {
            print(|out| cli::pages::man(out))?;
            Ok(0)
        }
    }
}

/// Writes to standard output.
fn print(render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), OutputError> {
    write(&Output::Stdout, render)
}

/// Writes to `output`. A closed pipe is no error: the reader has seen enough, and the exit status still tells what was found.
fn write(
    output: &Output,
    render: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), OutputError> {
    match output.write(&mut io::stdout().lock(), render) {
        Err(OutputError::Write { path, source })
            if path == Path::new("-") && source.kind() == io::ErrorKind::BrokenPipe =>
        {
            Ok(())
        }
        result => result,
    }
}

/// One line on standard error, without anything that a terminal would obey.
fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "natsleuth: {}", visible(text));
}
