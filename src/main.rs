//! Arguments to a command to an exit status.

mod cli;
mod command;

use std::process::ExitCode;

/// Connections come and go by the hundred thousand, each with a dozen small allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match cli::parse(std::env::args_os().collect()) {
        Ok(cli) => ExitCode::from(command::run(cli.command)),
        Err(error) => {
            let _ = error.print();
            let status = if error.use_stderr() {
                command::status::USAGE
            } else {
                0
            };
            ExitCode::from(status)
        }
    }
}
