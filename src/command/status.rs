//! Exit statuses, a promise to scripts and schedulers: 65 and 74 as in sysexits(3), `EX_DATAERR` and `EX_IOERR`.

use std::io;

use natsleuth::batch;
use natsleuth::input;
use natsleuth::redact;
use natsleuth::reduce;
use natsleuth::report::output::OutputError;

/// A cause named in `--fail-on` was found.
pub const FOUND: u8 = 1;
/// Wrong arguments, or a path that does not exist.
pub const USAGE: u8 = 2;
/// With `--strict`: input was partly unreadable.
pub const PARTLY: u8 = 3;
/// Nothing in the input can be analysed; trying again will not help.
pub const NO_INPUT: u8 = 65;
/// Reading or writing failed; trying again may help.
pub const IO_FAILED: u8 = 74;

/// Nothing in the input can be analysed by this command.
#[derive(Debug)]
pub struct NoInput(pub String);

impl std::fmt::Display for NoInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoInput {}

/// The status that says what went wrong.
pub fn of(error: &anyhow::Error) -> u8 {
    if error.is::<NoInput>() {
        return NO_INPUT;
    }
    if let Some(error) = error.downcast_ref::<input::Error>() {
        return of_input(error);
    }
    if let Some(error) = error.downcast_ref::<reduce::Error>() {
        return match error {
            reduce::Error::Input(error) => of_input(error),
            reduce::Error::TooLarge { .. } | reduce::Error::NotReproduced { .. } => NO_INPUT,
            reduce::Error::NotEmpty { .. } => USAGE,
            reduce::Error::Copy { .. } => IO_FAILED,
        };
    }
    if let Some(error) = error.downcast_ref::<redact::Error>() {
        return match error {
            redact::Error::Input(error) => of_input(error),
            redact::Error::NotEmpty { .. } => USAGE,
            redact::Error::Write { .. } => IO_FAILED,
        };
    }
    if let Some(error) = error.downcast_ref::<OutputError>() {
        return match error {
            OutputError::Exists { .. } => USAGE,
            OutputError::Create { source, .. } => of_io(source),
            OutputError::Write { .. } => IO_FAILED,
        };
    }
    if let Some(error) = error.downcast_ref::<batch::Error>() {
        return match error {
            batch::Error::Root { source, .. } => of_io(source),
            batch::Error::Out { .. } => IO_FAILED,
            batch::Error::NoBundles { .. } => NO_INPUT,
        };
    }
    error.downcast_ref::<io::Error>().map_or(USAGE, of_io)
}

fn of_input(error: &input::Error) -> u8 {
    match error {
        input::Error::Missing { .. } => USAGE,
        _ if error.is_transient() => IO_FAILED,
        _ => NO_INPUT,
    }
}

/// A path that is not there, or is a folder where a file is needed, is a wrong argument.
fn of_io(error: &io::Error) -> u8 {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory => {
            USAGE
        }
        _ => IO_FAILED,
    }
}

/// The reader of standard output has seen enough: success to the user.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
