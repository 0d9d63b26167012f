//! What is read, and how: flags that every command with input shares.

use std::path::PathBuf;

use clap::Args;
use clap::builder::RangedU64ValueParser;
use natsleuth::align::AlignOptions;
use natsleuth::analyze::Options;
use natsleuth::input::InputOptions;
use natsleuth::reconstruct::capture::CaptureOptions;

use super::value::{self, Ports};

/// Inputs and how to read them.
#[derive(Debug, Args)]
pub struct Input {
    /// Files, folders, archives; `-` is standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub reading: Reading,
    /// Threads; as many as processors without
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=1024))]
    pub threads: Option<usize>,
    /// Exit with status 3 if input was partly unreadable
    #[arg(long)]
    pub strict: bool,
}

/// How to read inputs.
#[derive(Debug, Args)]
pub struct Reading {
    /// Server ports to follow, comma separated; `auto` also finds NATS on any other port by its INFO banner. Without:
    /// 4222, 6222, 7222, 7422, those that logs name, and auto
    #[arg(long, value_name = "PORTS", value_parser = value::ports)]
    pub ports: Option<Ports>,
    /// A source's time zone: SOURCE=ZONE, where SOURCE is a path or glob and ZONE like +05:30, -8 or Z
    #[arg(long, value_name = "SOURCE=ZONE", value_parser = value::zone_of_source)]
    pub tz: Vec<(String, i32)>,
    /// A source's clock correction: SOURCE=+1.5s is added to its times
    #[arg(long, value_name = "SOURCE=OFFSET", value_parser = value::clock_of_source)]
    pub clock: Vec<(String, i64)>,
    /// Use this data base of known bugs instead of the built-in one
    #[arg(long, value_name = "FILE")]
    pub advisories: Option<PathBuf>,
    /// No progress bar
    #[arg(long)]
    pub no_progress: bool,
    /// Compressed input may grow by this factor
    #[arg(long, value_name = "N", default_value_t = InputOptions::default().max_ratio)]
    pub max_ratio: u64,
    /// Compressed input may hold this many bytes in all, such as 512M or 64G
    #[arg(long, value_name = "BYTES", default_value = "256G", value_parser = value::bytes)]
    pub max_total: u64,
}

impl Reading {
    /// What the library is told, with the threads of one capture; the data base of known bugs is still to be read.
    pub fn options(&self, threads: usize) -> Options {
        let mut capture = CaptureOptions {
            auto_ports: true,
            threads,
            ..CaptureOptions::default()
        };
        if let Some(given) = &self.ports {
            capture.ports.clone_from(&given.ports);
            capture.auto_ports = given.auto;
        }
        Options {
            input: InputOptions {
                max_ratio: self.max_ratio,
                max_total: self.max_total,
                ..InputOptions::default()
            },
            capture,
            ports_are_default: self.ports.is_none(),
            align: AlignOptions {
                zones: self.tz.clone(),
                clocks: self.clock.clone(),
            },
            advisories: None,
        }
    }
}
