//! The command line: every flag with its help. Only this file and those below it know clap.

pub mod value;

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::builder::RangedU64ValueParser;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use globset::GlobMatcher;

use natsleuth::align::AlignOptions;
use natsleuth::analyze::Options;
use natsleuth::input::InputOptions;
use natsleuth::reconstruct::capture::CaptureOptions;
use natsleuth::report::Format;
use natsleuth::report::conns::ConnsFormat;
use natsleuth::report::output::Output;

use value::{Ports, Selector};

const EXAMPLES: &str = "\
Examples:
  natsleuth bundle/                              every log and capture in a folder or archive
  natsleuth server.log client.log trace.pcap     single files
  natsleuth bundle.tar.gz --format html -o report.html
  kubectl logs nats-0 --timestamps | natsleuth -
  natsleuth why server.log:1234 bundle/          what a line is evidence for
  natsleuth carve --close c1 bundle/ -o c1.pcapng
  natsleuth explain network/idle-timeout         what a verdict means and what to do

Exit status: 0 analysed; 1 a cause named in --fail-on was found; 2 bad usage or a path that does not exist; 3 with \
--strict, input partly unreadable; 65 nothing in the input can be analysed (do not retry); 74 reading or writing failed \
(retry).";

const ANALYZE_EXAMPLES: &str = "\
Examples:
  natsleuth bundle/ --summary                    only the answer and what to do
  natsleuth bundle/ --client 'orders-*' --since 2026-11-23T05:00:00Z
  natsleuth bundle/ --fail-on network,slow-consumer --format json -o report.json
  natsleuth app.log nats.log --tz app.log=+05:30 --clock nats.log=-2.5s";

const CONNS_EXAMPLES: &str = "\
Examples:
  natsleuth conns server.pcap
  natsleuth conns bundle/ --format tsv -o conns.tsv
  natsleuth conns server.pcap --format ndjson | jq 'select(.end == \"rst\")'";

const SESSIONS_EXAMPLES: &str = "\
Examples:
  natsleuth sessions server.pcap
  natsleuth sessions server.pcap --format ndjson";

const TIMELINE_EXAMPLES: &str = "\
Examples:
  natsleuth timeline bundle/ --client 'orders-*'
  natsleuth timeline bundle/ --since 2026-11-23T05:18:00Z --until 2026-11-23T05:19:00Z
  natsleuth timeline bundle/ --format ndjson -o timeline.ndjson";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  natsleuth explain                              the list of causes
  natsleuth explain slow-consumer                every detail of one cause
  natsleuth explain network/rst-injected         one verdict";

const WHY_EXAMPLES: &str = "\
Examples:
  natsleuth why server.log:1234 bundle/          a line
  natsleuth why 'client.pcap:#4711' bundle/      a packet, as reports cite it";

const CARVE_EXAMPLES: &str = "\
Examples:
  natsleuth carve --close c12 bundle/ -o c12.pcapng       one close
  natsleuth carve --close i1 bundle/ -o incident.pcapng   every close of an incident
  natsleuth carve --close c12 bundle/ -o - | wireshark -k -i -";

const BATCH_EXAMPLES: &str = "\
Examples:
  natsleuth batch bundles/ -o out/               a report for each bundle, one data set of all
  natsleuth batch bundles/ -o out/ --depth 2     bundles/CUSTOMER/BUNDLE
  natsleuth batch bundles/ -o out/ --shard 0/8   one of eight tasks; Slurm, Kubernetes and AWS Batch are recognised

Exit status: 0 all done; 65 some bundles cannot be analysed (recorded, do not retry); 74 some were lost to the system \
(retry).";

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
#[command(name = "natsleuth", version, after_help = EXAMPLES, arg_required_else_help = true)]
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
    #[command(after_help = ANALYZE_EXAMPLES)]
    Analyze(Box<Analyze>),
    /// The TCP connections of captures, as a table
    #[command(after_help = CONNS_EXAMPLES)]
    Conns(Table),
    /// The NATS sessions of captures, as a table
    #[command(after_help = SESSIONS_EXAMPLES)]
    Sessions(Table),
    /// All events of all sources on one line of time
    #[command(after_help = TIMELINE_EXAMPLES)]
    Timeline(Box<Timeline>),
    /// What a cause means, how it shows, what speaks against it, what to do
    #[command(after_help = EXPLAIN_EXAMPLES)]
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
    #[command(after_help = WHY_EXAMPLES)]
    Why {
        /// FILE:LINE, CAPTURE:FRAME or CAPTURE:#FRAME; FILE may be the end of a source's path
        place: String,
        #[command(flatten)]
        input: Input,
    },
    /// Write the packets of one close or incident as an annotated pcapng for Wireshark
    #[command(after_help = CARVE_EXAMPLES)]
    Carve {
        /// Id of a close (c1) or incident (i1), as the report shows it
        #[arg(long, value_name = "ID")]
        close: String,
        /// The pcapng to write; `-` is standard output
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
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
    #[command(after_help = BATCH_EXAMPLES)]
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

/// Where a result goes.
#[derive(Debug, Args)]
pub struct Target {
    /// Write here instead of standard output; `-` is standard output
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    pub path: Option<PathBuf>,
    /// Replace an existing output file
    #[arg(long)]
    pub force: bool,
}

/// How text looks.
#[derive(Clone, Copy, Debug, Args)]
pub struct Look {
    /// Colour
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

/// When to colour.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE wins
    Auto,
    /// Always
    Always,
    /// Never
    Never,
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
    #[arg(long, alias = "from", value_name = "TIME", value_parser = value::instant)]
    pub since: Option<i64>,
    /// Only closes at or before this time (RFC 3339)
    #[arg(long, alias = "to", value_name = "TIME", value_parser = value::instant)]
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
    #[arg(long, alias = "from", value_name = "TIME", value_parser = value::instant)]
    pub since: Option<i64>,
    /// Only events at or before this time (RFC 3339)
    #[arg(long, alias = "to", value_name = "TIME", value_parser = value::instant)]
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
    /// The folder that holds the bundles
    pub root: PathBuf,
    /// The output folder: reports, a Parquet data set, and a manifest that makes the next run cheap
    #[arg(short, long, value_name = "FOLDER")]
    pub output: PathBuf,
    /// How deep bundles are below ROOT: 2 for ROOT/CUSTOMER/BUNDLE
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = RangedU64ValueParser::<usize>::new().range(1..=16))]
    pub depth: usize,
    /// Bundles at once; as many as processors without
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

/// Report formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormatName {
    /// For reading
    Text,
    /// One JSON object
    Json,
    /// One JSON object a line
    Ndjson,
    /// A table of closes
    Csv,
    /// A table of incidents
    CsvIncidents,
    /// One self-contained page
    Html,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Text => Self::Text,
            FormatName::Json => Self::Json,
            FormatName::Ndjson => Self::Ndjson,
            FormatName::Csv => Self::Csv,
            FormatName::CsvIncidents => Self::CsvIncidents,
            FormatName::Html => Self::Html,
        }
    }
}

/// Formats of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TableName {
    /// Columns
    Text,
    /// Tab separated values
    Tsv,
    /// One JSON object a line
    Ndjson,
}

impl From<TableName> for ConnsFormat {
    fn from(name: TableName) -> Self {
        match name {
            TableName::Text => Self::Text,
            TableName::Tsv => Self::Tsv,
            TableName::Ndjson => Self::Ndjson,
        }
    }
}

/// Formats of lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListName {
    /// For reading
    Text,
    /// One JSON object a line
    Ndjson,
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

impl Reading {
    /// What the library is told, with the threads of one capture.
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
        }
    }
}

impl Target {
    /// As the library knows it.
    pub fn output(&self) -> Output {
        Output::new(self.path.as_deref(), self.force)
    }
}

impl Look {
    /// Whether to colour what goes to `output`.
    pub fn color(self, output: &Output) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                let set = |name| {
                    std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0")
                };
                // no-color.org: any value that is not empty.
                let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                *output == Output::Stdout
                    && (set("CLICOLOR_FORCE") || !refused && io::stdout().is_terminal())
            }
        }
    }
}

/// Columns of the terminal where text goes to one, else 100.
pub fn width(output: &Output) -> usize {
    if *output != Output::Stdout {
        return 100;
    }
    let columns = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok());
    columns
        .or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)))
        .unwrap_or(100)
        .clamp(40, 200)
}

/// Writes shell completions.
pub fn completions(shell: clap_complete::Shell, out: &mut dyn Write) -> io::Result<()> {
    // The generator panics where its writer fails, as a closed pipe does.
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "natsleuth", &mut text);
    out.write_all(&text)
}

/// Writes the manual page: the command and, below it, every subcommand.
pub fn man(out: &mut dyn Write) -> io::Result<()> {
    let mut command = Cli::command();
    command.build();
    clap_mangen::Man::new(command.clone()).render(out)?;
    for sub in command
        .get_subcommands()
        .filter(|sub| sub.get_name() != "help")
    {
        let page = clap_mangen::Man::new(sub.clone());
        let name = sub.get_name().to_uppercase();
        writeln!(out, ".SH \"{name}\"")?;
        page.render_description_section(out)?;
        page.render_synopsis_section(out)?;
        page.render_options_section(out)?;
    }
    Ok(())
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
