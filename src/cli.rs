//! The command line: every flag with its help. The only file that knows clap.

use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use natsleuth::align::AlignOptions;
use natsleuth::analyze::Options;
use natsleuth::input::InputOptions;
use natsleuth::reconstruct::capture::CaptureOptions;
use natsleuth::report::Format;

const EXAMPLES: &str = "\
Examples:
  natsleuth bundle/                              every log and capture in a folder or archive
  natsleuth server.log client.log trace.pcap     single files
  natsleuth bundle.tar.gz --format html -o report.html
  kubectl logs nats-0 --timestamps | natsleuth -
  natsleuth explain network/idle-timeout         what a verdict means and what to do

Exit status: 0 analysed; 1 a cause named in --fail-on was found; 2 bad usage; 3 with --strict, input partly unreadable;
65 nothing in the input can be analysed; 74 reading or writing failed.";

/// Why did this NATS connection close? Reads server logs, client logs and captures, and cites its evidence.
#[derive(Debug, Parser)]
#[command(name = "natsleuth", version, after_help = EXAMPLES, args_conflicts_with_subcommands = false)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Subcommands. Paths without one mean `analyze`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say for every closed connection why it closed (the default)
    Analyze(Analyze),
    /// The TCP connections of captures, as a table
    Conns(Table),
    /// The NATS sessions of captures, as a table
    Sessions(Table),
    /// All events of all sources on one line of time
    Timeline(Timeline),
    /// What a cause means, how it shows, what speaks against it, what to do
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
    /// The JSON Schema of `--format json`
    Schema,
    /// Every finding that cites FILE:LINE or CAPTURE:FRAME
    Why {
        /// FILE:LINE or CAPTURE:FRAME
        place: String,
        #[command(flatten)]
        input: Input,
    },
    /// Write the packets of one close or incident as an annotated pcapng for Wireshark
    Carve {
        /// Id of a close (c1) or incident (i1), as the report shows it
        #[arg(long, value_name = "ID")]
        close: String,
        /// The pcapng to write
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
        /// Replace an existing file
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        input: Input,
    },
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
    /// Server ports to follow, comma separated; `auto` finds NATS on any port by its INFO banner
    #[arg(long, value_name = "PORTS")]
    pub ports: Option<String>,
    /// A source's time zone: SOURCE=ZONE, where SOURCE is a path or glob and ZONE like +05:30, -8 or Z
    #[arg(long, value_name = "SOURCE=ZONE")]
    pub tz: Vec<String>,
    /// A source's clock correction: SOURCE=+1.5s is added to its times
    #[arg(long, value_name = "SOURCE=OFFSET")]
    pub clock: Vec<String>,
    /// Threads; as many as processors without
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// No progress bar
    #[arg(long)]
    pub no_progress: bool,
    /// Compressed input may grow by this factor
    #[arg(long, value_name = "N", default_value_t = InputOptions::default().max_ratio)]
    pub max_ratio: u64,
    /// Compressed input may hold this many bytes in all
    #[arg(long, value_name = "BYTES", default_value_t = InputOptions::default().max_total)]
    pub max_total: u64,
}

/// How text looks.
#[derive(Clone, Copy, Debug, Args)]
pub struct Look {
    /// Colour
    #[arg(long, value_enum, default_value_t = Color::Auto)]
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
    /// Write here instead of standard output; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace an existing output file
    #[arg(long)]
    pub force: bool,
    /// Only closes at or after this time (RFC 3339)
    #[arg(long, alias = "from", value_name = "TIME")]
    pub since: Option<String>,
    /// Only closes at or before this time (RFC 3339)
    #[arg(long, alias = "to", value_name = "TIME")]
    pub until: Option<String>,
    /// Only closes whose client name or address matches
    #[arg(long, value_name = "GLOB")]
    pub client: Option<String>,
    /// Only closes whose server name or address matches
    #[arg(long, value_name = "GLOB")]
    pub server: Option<String>,
    /// Only closes of these causes (CAUSE or CAUSE/DETAIL), comma separated
    #[arg(long, value_name = "CAUSE", value_delimiter = ',')]
    pub cause: Vec<String>,
    /// Exit with status 1 if a close has one of these causes, comma separated
    #[arg(long, value_name = "CAUSE", value_delimiter = ',')]
    pub fail_on: Vec<String>,
    /// Exit with status 3 if input was partly unreadable
    #[arg(long)]
    pub strict: bool,
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
}

/// `timeline`.
#[derive(Debug, Args)]
pub struct Timeline {
    #[command(flatten)]
    pub table: Table,
    /// Only events of clients that match
    #[arg(long, value_name = "GLOB")]
    pub client: Option<String>,
    /// Only events of servers that match
    #[arg(long, value_name = "GLOB")]
    pub server: Option<String>,
    /// Only events at or after this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Only events at or before this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
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

/// Table formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TableName {
    /// Columns
    Text,
    /// Tab separated values
    Tsv,
    /// One JSON object a line
    Ndjson,
}

/// Words that begin a subcommand; anything else in first place means `analyze`.
const SUBCOMMANDS: &[&str] = &[
    "analyze",
    "conns",
    "sessions",
    "timeline",
    "explain",
    "advisories",
    "schema",
    "why",
    "carve",
    "completions",
    "man",
    "help",
    "-h",
    "--help",
    "-V",
    "--version",
];

/// Reads the arguments; `analyze` is implied.
pub fn parse(mut arguments: Vec<OsString>) -> Result<Cli, clap::Error> {
    let implied = arguments
        .get(1)
        .is_some_and(|first| !SUBCOMMANDS.iter().any(|known| first == known));
    if implied {
        arguments.insert(1, "analyze".into());
    }
    Cli::try_parse_from(arguments)
}

impl Input {
    /// What the library is told.
    pub fn options(&self) -> anyhow::Result<Options> {
        let mut capture = CaptureOptions {
            auto_ports: true,
            ..CaptureOptions::default()
        };
        if let Some(ports) = &self.ports {
            capture.ports.clear();
            capture.auto_ports = false;
            for port in ports.split(',').map(str::trim) {
                if port == "auto" {
                    capture.auto_ports = true;
                } else {
                    capture.ports.push(
                        port.parse()
                            .with_context(|| format!("--ports: {port:?} is no port"))?,
                    );
                }
            }
        }
        let mut align = AlignOptions::default();
        for pair in &self.tz {
            let (source, zone) = split(pair, "--tz", "SOURCE=ZONE")?;
            align.zones.push((
                source,
                zone_seconds(&zone).with_context(|| format!("--tz {pair}"))?,
            ));
        }
        for pair in &self.clock {
            let (source, offset) = split(pair, "--clock", "SOURCE=+1.5s")?;
            align.clocks.push((
                source,
                offset_ns(&offset).with_context(|| format!("--clock {pair}"))?,
            ));
        }
        let input = InputOptions {
            max_ratio: self.max_ratio,
            max_total: self.max_total,
            ..InputOptions::default()
        };
        Ok(Options {
            input,
            capture,
            ports_are_default: self.ports.is_none(),
            align,
        })
    }
}

fn split(pair: &str, flag: &str, form: &str) -> anyhow::Result<(String, String)> {
    let (source, value) = pair
        .rsplit_once('=')
        .with_context(|| format!("{flag} {pair}: expected {form}"))?;
    Ok((source.to_owned(), value.to_owned()))
}

/// `Z`, `UTC`, `+05:30`, `-8`, `+0530` in seconds east of UTC.
fn zone_seconds(zone: &str) -> anyhow::Result<i32> {
    if matches!(zone, "Z" | "z" | "UTC" | "utc") {
        return Ok(0);
    }
    let (sign, digits) = match zone.split_at_checked(1) {
        Some(("+", rest)) => (1, rest),
        Some(("-", rest)) => (-1, rest),
        _ => (1, zone),
    };
    let digits = digits.replace(':', "");
    let number: i32 = digits
        .parse()
        .with_context(|| format!("{zone:?} is no zone; give it as +05:30, -8 or Z"))?;
    let (hours, minutes) = if digits.len() <= 2 {
        (number, 0)
    } else {
        (number / 100, number % 100)
    };
    if hours > 14 || minutes > 59 {
        bail!("{zone:?} is no zone: hours go to 14");
    }
    Ok(sign * (hours * 3600 + minutes * 60))
}

/// `+1.5s`, `-200ms`, `3` (seconds) in nanoseconds.
fn offset_ns(offset: &str) -> anyhow::Result<i64> {
    let (number, unit) = ["ms", "us", "ns", "m", "h", "s"]
        .iter()
        .find_map(|unit| Some((offset.strip_suffix(unit)?, *unit)))
        .unwrap_or((offset, "s"));
    let value: f64 = number
        .parse()
        .with_context(|| format!("{offset:?} is no offset; give it as +1.5s"))?;
    let scale = match unit {
        "ns" => 1.0,
        "us" => 1e3,
        "ms" => 1e6,
        "m" => 60e9,
        "h" => 3600e9,
        _ => 1e9,
    };
    Ok((value * scale) as i64)
}

/// RFC 3339 to nanoseconds since the epoch.
pub fn instant(text: &str) -> anyhow::Result<i64> {
    let time = chrono::DateTime::parse_from_rfc3339(text)
        .with_context(|| format!("{text:?} is no RFC 3339 time such as 2026-11-23T05:18:30Z"))?;
    time.timestamp_nanos_opt()
        .with_context(|| format!("{text:?} is out of range"))
}

impl Look {
    /// Whether to colour standard output.
    pub fn color(self) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                let set = |name| {
                    std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0")
                };
                set("CLICOLOR_FORCE") || !set("NO_COLOR") && std::io::stdout().is_terminal()
            }
        }
    }
}

/// Columns of the terminal, or 100.
pub fn width() -> usize {
    let columns = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok());
    columns
        .or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)))
        .unwrap_or(100)
        .clamp(40, 200)
}

/// Writes shell completions.
pub fn completions(shell: clap_complete::Shell, out: &mut dyn Write) {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "natsleuth", &mut text);
    let _ = out.write_all(&text);
}

/// Writes the manual page.
pub fn man(out: &mut dyn Write) -> std::io::Result<()> {
    clap_mangen::Man::new(Cli::command()).render(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn zones_and_offsets() {
        assert_eq!(zone_seconds("+05:30").unwrap(), 19800);
        assert_eq!(zone_seconds("-8").unwrap(), -28800);
        assert_eq!(zone_seconds("Z").unwrap(), 0);
        assert!(zone_seconds("Mars").is_err());
        assert_eq!(offset_ns("+1.5s").unwrap(), 1_500_000_000);
        assert_eq!(offset_ns("-200ms").unwrap(), -200_000_000);
    }

    #[test]
    fn paths_alone_mean_analyze() {
        let cli = parse(vec!["natsleuth".into(), "bundle".into()]).unwrap();
        assert!(matches!(cli.command, Command::Analyze(_)));
    }
}
