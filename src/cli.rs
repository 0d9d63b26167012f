//! The command line: every flag with its help. Only this file and those below it know clap.

mod examples;
pub mod input;
pub mod output;
pub mod pages;
pub mod value;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::builder::RangedU64ValueParser;
use clap::{Args, CommandFactory, Parser, Subcommand};
use globset::GlobMatcher;

use input::{Input, Reading};
use output::{FormatName, ListName, Look, TableName, Target};
use value::Selector;

const REDACT_EXAMPLES: &str = "\
Examples:
  natsleuth redact bundle.tar.gz -o shared/                     with a random key that nobody keeps
  natsleuth redact bundle/ -o shared/ --key-file mapping.key    the same key gives the same names next time

Replaced: addresses (prefixes kept), hardware addresses, names of hosts, clients, servers, users and accounts, subjects, \
payloads, passwords, tokens, keys, and every word that no grammar knows. Kept: protocol words, reasons, versions, times, \
lengths, ports, numbers. What cannot be read is left out and named.

Exit status: 0 written, every verdict as before; 3 written, and verdicts differ; 65 nothing can be analysed; 74 reading or \
writing failed.";

/// Why did this NATS connection close? Reads server logs, client logs and captures, and cites its evidence.
#[derive(Debug, Parser)]
#[command(name = "natsleuth", version, after_help = examples::COMMAND, arg_required_else_help = true)]
#[command(override_usage = "natsleuth [OPTIONS] PATH...\n       natsleuth COMMAND ...")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Subcommands. Paths without one mean `analyze`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say for every closed connection why it closed (the default)
    #[command(after_help = examples::ANALYZE)]
    Analyze(Box<Analyze>),
    /// The TCP connections of captures, as a table
    #[command(after_help = examples::CONNS)]
    Conns(Table),
    /// The NATS sessions of captures, as a table
    #[command(after_help = examples::SESSIONS)]
    Sessions(Table),
    /// All events of all sources on one line of time
    #[command(after_help = examples::TIMELINE)]
    Timeline(Box<Timeline>),
    /// What a cause means, how it shows, what speaks against it, what to do
    #[command(after_help = examples::EXPLAIN)]
    Explain {
        /// CAUSE or CAUSE/DETAIL; all of them without
        cause: Option<String>,
        #[command(flatten)]
        look: Look,
    },
    /// Known bugs of servers and clients that disconnect
    Advisories {
        /// One advisory
        id: Option<String>,
        /// Use this data base instead of the built-in one
        #[arg(long, value_name = "FILE")]
        advisories: Option<PathBuf>,
        #[command(flatten)]
        look: Look,
    },
    /// Every finding that cites FILE:LINE or CAPTURE:FRAME
    #[command(after_help = examples::WHY)]
    Why {
        /// FILE:LINE, CAPTURE:FRAME or CAPTURE:#FRAME; FILE may be the end of a source's path
        place: String,
        #[command(flatten)]
        input: Input,
    },
    /// Write the packets of one close or incident as an annotated pcapng for Wireshark
    #[command(after_help = examples::CARVE)]
    Carve {
        /// Id of a close (c1) or incident (i1), as the report shows it
        #[arg(long, value_name = "ID")]
        close: String,
        /// The pcapng to write; `-` is standard output. With --bundle a folder, made or empty
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
        /// Write the few log lines and packets that still give the same verdict, as files of their own
        #[arg(long)]
        bundle: bool,
        /// With --bundle: analyses that finding them may cost
        #[arg(long, value_name = "N", default_value_t = natsleuth::reduce::RUNS, requires = "bundle")]
        max_runs: usize,
        /// Replace an existing file
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        input: Input,
    },
    /// Write a bundle that can be shared: the same evidence and the same verdicts under other names
    #[command(after_help = REDACT_EXAMPLES)]
    Redact(Redact),
    /// Analyse every bundle (folder or archive) of a folder that is new or changed
    #[command(after_help = examples::BATCH)]
    Batch(Batch),
    /// The JSON Schema of `--format json`
    Schema,
    /// Completions for a shell, on standard output
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// The manual page, on standard output
    Man,
}

/// `analyze`.
#[derive(Debug, Args)]
pub struct Analyze {
    #[command(flatten)]
    pub input: Input,
    #[command(flatten)]
    pub look: Look,
    /// Output format
    #[arg(long, value_enum, default_value_t = FormatName::Text)]
    pub format: FormatName,
    #[command(flatten)]
    pub target: Target,
    /// Only closes at or after this time (RFC 3339)
    #[arg(long, visible_alias = "from", value_name = "TIME", value_parser = value::instant)]
    pub since: Option<i64>,
    /// Only closes at or before this time (RFC 3339)
    #[arg(long, visible_alias = "to", value_name = "TIME", value_parser = value::instant)]
    pub until: Option<i64>,
    /// Only closes whose client name or address matches
    #[arg(long, value_name = "GLOB", value_parser = value::glob)]
    pub client: Option<GlobMatcher>,
    /// Only closes whose server name or address matches
    #[arg(long, value_name = "GLOB", value_parser = value::glob)]
    pub server: Option<GlobMatcher>,
    /// Only closes of these causes (CAUSE or CAUSE/DETAIL), comma separated
    #[arg(long, value_name = "CAUSE", value_delimiter = ',', value_parser = value::cause)]
    pub cause: Vec<Selector>,
    /// Exit with status 1 if a close has one of these causes, comma separated
    #[arg(long, value_name = "CAUSE", value_delimiter = ',', value_parser = value::cause)]
    pub fail_on: Vec<Selector>,
    /// Only the answer, the incidents and what to do
    #[arg(long)]
    pub summary: bool,
    /// Everything: no grouping, no caps
    #[arg(short, long)]
    pub verbose: bool,
}

/// `conns` and `sessions`.
#[derive(Debug, Args)]
pub struct Table {
    #[command(flatten)]
    pub input: Input,
    /// Output format
    #[arg(long, value_enum, default_value_t = TableName::Text)]
    pub format: TableName,
    #[command(flatten)]
    pub target: Target,
}

/// `timeline`.
#[derive(Debug, Args)]
pub struct Timeline {
    #[command(flatten)]
    pub input: Input,
    /// Output format
    #[arg(long, value_enum, default_value_t = ListName::Text)]
    pub format: ListName,
    #[command(flatten)]
    pub target: Target,
    /// Only events of clients that match, by name or address
    #[arg(long, value_name = "GLOB", value_parser = value::glob)]
    pub client: Option<GlobMatcher>,
    /// Only events of servers that match, by name
    #[arg(long, value_name = "GLOB", value_parser = value::glob)]
    pub server: Option<GlobMatcher>,
    /// Only events at or after this time (RFC 3339)
    #[arg(long, visible_alias = "from", value_name = "TIME", value_parser = value::instant)]
    pub since: Option<i64>,
    /// Only events at or before this time (RFC 3339)
    #[arg(long, visible_alias = "to", value_name = "TIME", value_parser = value::instant)]
    pub until: Option<i64>,
}

/// `redact`.
#[derive(Debug, Args)]
pub struct Redact {
    /// The folder to write to; made, or empty
    #[arg(short, long, value_name = "FOLDER")]
    pub output: PathBuf,
    /// Any file whose bytes make the mapping; who has it can tell which name stands for a guessed one
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    #[command(flatten)]
    pub input: Input,
}

/// `batch`.
#[derive(Debug, Args)]
pub struct Batch {
    /// The folder that holds the bundles; or s3://BUCKET/PREFIX, gs:// or az://, where built with object stores
    pub root: PathBuf,
    /// The output folder (or s3://...): reports, a Parquet data set, and a manifest that makes the next run cheap
    #[arg(short, long, value_name = "FOLDER")]
    pub output: PathBuf,
    /// How deep bundles are below ROOT: 2 for ROOT/CUSTOMER/BUNDLE
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = RangedU64ValueParser::<usize>::new().range(1..=16))]
    pub depth: usize,
    /// Bundles at once; twice as many as processors without
    #[arg(long, visible_alias = "threads", value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=1024))]
    pub jobs: Option<usize>,
    /// Memory that all bundles in work may need together, by estimate
    #[arg(long, value_name = "BYTES", default_value = "2G", value_parser = value::bytes)]
    pub memory: u64,
    /// The part of the bundles to do: I/N with I from 0, or /N with the scheduler's index
    #[arg(long, value_name = "I/N")]
    pub shard: Option<String>,
    #[command(flatten)]
    pub reading: Reading,
}

/// Names of the subcommands.
pub fn subcommands() -> Vec<String> {
    let command = Cli::command();
    let names = command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned());
    names.collect()
}

/// Reads the arguments; `analyze` is implied where the first names no other subcommand.
pub fn parse(mut arguments: Vec<OsString>) -> Result<Cli, clap::Error> {
    const ABOUT_ALL: [&str; 5] = ["help", "-h", "--help", "-V", "--version"];
    let implied = arguments.get(1).is_some_and(|first| {
        !ABOUT_ALL.iter().any(|known| first == known)
            && !subcommands().iter().any(|known| first == known.as_str())
    });
    if implied {
        arguments.insert(1, "analyze".into());
    }
    Cli::try_parse_from(arguments)
}

/// What a path that does not exist may have been meant to be.
pub fn meant(path: &Path) -> Option<String> {
    let name = path.to_str()?;
    subcommands()
        .into_iter()
        .map(|sub| (natsleuth::report::explain::distance(name, &sub), sub))
        .filter(|(distance, _)| *distance <= 2)
        .min()
        .map(|(distance, sub)| {
            if distance == 0 {
                format!("the subcommand `{sub}` goes before any flag")
            } else {
                format!("did you mean `natsleuth {sub}`?")
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use natsleuth::input::InputOptions;

    fn parsed(arguments: &[&str]) -> Result<Cli, clap::Error> {
        let program = std::iter::once("natsleuth");
        parse(
            program
                .chain(arguments.iter().copied())
                .map(OsString::from)
                .collect(),
        )
    }

    #[test]
    fn arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn paths_alone_mean_analyze_also_after_flags() {
        for arguments in [
            &["bundle"][..],
            &["--format", "json", "bundle"],
            &["-"],
            &["-o", "x", "bundle", "--strict"],
            &["./why"],
        ] {
            let cli = parsed(arguments).expect("analyze");
            assert!(matches!(cli.command, Command::Analyze(_)), "{arguments:?}");
        }
        let cli = parsed(&["conns", "x.pcap"]).expect("conns");
        assert!(matches!(cli.command, Command::Conns(_)));
        assert!(parsed(&["--version"]).is_err_and(|error| !error.use_stderr()));
        assert!(parsed(&[]).is_err_and(|error| error.use_stderr()));
    }

    #[test]
    fn the_default_of_total_bytes_is_the_librarys() {
        let Command::Analyze(analyze) = parsed(&["x"]).expect("analyze").command else {
            panic!("another command");
        };
        let options = analyze.input.reading.options(1);
        assert_eq!(options.input, InputOptions::default());
    }

    #[test]
    fn ports_given_replace_those_guessed() {
        let Command::Analyze(analyze) = parsed(&["x", "--ports", "5222"]).expect("analyze").command
        else {
            panic!("another command");
        };
        let options = analyze.input.reading.options(1);
        assert_eq!(options.capture.ports, [5222]);
        assert!(!options.capture.auto_ports && !options.ports_are_default);
    }
}
