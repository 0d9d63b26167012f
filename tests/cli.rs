//! The command as people and scripts meet it: exit statuses, what is said on which stream, files written or left alone.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A folder of its own for a test, and what to run in it.
struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// With a server's log, a capture and a client's log, of different incidents.
    fn with_bundle() -> Self {
        let bench = Self::new();
        bench.copy("server-logs/2.14.5.log", "bundle/server.log");
        bench.copy("captures/idle-timeout.pcap", "bundle/server.pcap");
        bench.copy("client-logs/go-stale-reconnected.log", "bundle/client.log");
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn copy(&self, fixture: &str, name: &str) {
        self.file(name, &fixture_bytes(fixture));
    }

    fn file(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, bytes).expect("written");
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_natsleuth"));
        command
            .args(arguments)
            .current_dir(self.0.path())
            .stdin(Stdio::null());
        for name in ["NO_COLOR", "CLICOLOR_FORCE", "COLUMNS"] {
            command.env_remove(name);
        }
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Ran::new(self.command(arguments).output().expect("it runs"))
    }

    fn run_on(&self, stdin: &[u8], arguments: &[&str]) -> Ran {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut pipe = child.stdin.take().expect("a pipe");
        pipe.write_all(stdin).expect("it reads all");
        drop(pipe);
        Ran::new(child.wait_with_output().expect("it ends"))
    }
}

struct Ran {
    status: i32,
    out: Vec<u8>,
    err: String,
}

impl Ran {
    fn new(output: Output) -> Self {
        Self {
            status: output.status.code().expect("no signal ended it"),
            out: output.stdout,
            err: String::from_utf8(output.stderr).expect("messages are text"),
        }
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.out).expect("text")
    }

    fn json(&self) -> Value {
        assert_eq!(self.status, 0, "{}", self.err);
        serde_json::from_slice(&self.out).expect("JSON")
    }

    /// Status, with all that was said on standard error.
    #[track_caller]
    fn says(&self, status: i32, err: &str) {
        assert_eq!((self.status, self.err.as_str()), (status, err));
    }

    #[track_caller]
    fn mentions(&self, status: i32, part: &str) {
        assert_eq!(self.status, status, "{}", self.err);
        assert!(self.err.contains(part), "{}", self.err);
    }
}

fn fixture_bytes(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name);
    fs::read(path).expect("a fixture")
}

fn closes(report: &Value) -> usize {
    report["closes"].as_array().expect("closes").len()
}

const JSON: [&str; 2] = ["--format", "json"];

#[test]
fn every_subcommand_runs() {
    let bench = Bench::with_bundle();
    for (arguments, begins) in [
        (&["bundle"][..], ""),
        (&["analyze", "bundle"], ""),
        (&["--format", "json", "bundle"], "{"),
        (&["--summary", "bundle"], ""),
        (&["-v", "bundle"], ""),
        (&["bundle", "--format", "ndjson"], "{\"type\":\"report\""),
        (&["bundle", "--format", "csv"], "id,"),
        (&["bundle", "--format", "csv-incidents"], "id,"),
        (&["bundle", "--format", "html"], "<!"),
        (&["conns", "bundle"], "start "),
        (&["conns", "bundle", "--format", "tsv"], "start\t"),
        (&["conns", "bundle", "--format", "ndjson"], "{"),
        (&["sessions", "bundle"], "start "),
        (&["sessions", "bundle", "--format", "tsv"], "start\t"),
        (&["sessions", "bundle", "--format", "ndjson"], "{"),
        (&["timeline", "bundle"], ""),
        (&["timeline", "bundle", "--format", "ndjson"], "{"),
        (
            &["why", "server.log:37", "bundle"],
            "server.log:37 is evidence in ",
        ),
        (&["explain"], "network"),
        (&["explain", "network/rst-injected"], ""),
        (&["advisories"], ""),
        (&["schema"], "{"),
        (&["completions", "bash"], "_natsleuth"),
        (&["completions", "zsh"], "#compdef natsleuth"),
        (&["man"], ".ie"),
        (&["--help"], "Why did this NATS connection close?"),
        (&["help", "carve"], "Write the packets"),
        (&["--version"], "natsleuth "),
    ] {
        let ran = bench.run(arguments);
        let begun = ran.out.starts_with(begins.as_bytes());
        assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{arguments:?}");
        assert!(begun && !ran.out.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_data_base_of_known_bugs_can_be_replaced() {
    let bench = Bench::new();
    for file in ["server.log", "server.stderr", "server.pcap"] {
        bench.copy(
            &format!("incidents/null-sources/{file}"),
            &format!("bundle/{file}"),
        );
    }
    bench.file(
        "none.toml",
        b"[meta]\nschema = 1\nsnapshot = \"2026-01-01\"\n",
    );
    let counted = |arguments: &[&str]| {
        let ran = bench.run(&[&["bundle", "--format", "json"], arguments].concat());
        assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{arguments:?}");
        String::from_utf8_lossy(&ran.out)
            .matches("known-bug")
            .count()
    };
    assert!(counted(&[]) > 0, "the built-in data base knows this crash");
    assert_eq!(counted(&["--advisories", "none.toml"]), 0);
    let ran = bench.run(&["bundle", "--advisories", "missing.toml"]);
    assert!(ran.err.contains("cannot read missing.toml"), "{}", ran.err);
}

#[test]
fn wrong_arguments_are_told_with_the_right_ones() {
    let bench = Bench::with_bundle();
    for (arguments, part) in [
        (
            &["bundle", "--fail-on", "netwrok"][..],
            "did you mean network?",
        ),
        (
            &["bundle", "--cause", "network/idle-timout"],
            "network/idle-timeout",
        ),
        (
            &["bundle", "--tz", "server.log=Mars"],
            "give it as +05:30, -8 or Z",
        ),
        (&["bundle", "--clock", "server.log"], "server.log"),
        (&["bundle", "--since", "yesterday"], "RFC 3339"),
        (&["bundle", "--ports", "0"], "4222"),
        (&["bundle", "--threads", "0"], "--threads"),
        (&["bundle", "--client", "{a"], "--client"),
        (&["bundle", "--fromat", "json"], "--format"),
        (&["bundle", "--format", "jason"], "json"),
        (&["timeline", "bundle", "--format", "tsv"], "ndjson"),
        (&["why", "server.log", "bundle"], "FILE:LINE"),
        (
            &["why", "nobody.log:3", "bundle"],
            "no source is called nobody.log",
        ),
        (
            &["carve", "--close", "c9999", "bundle", "-o", "x.pcapng"],
            "closes c1 to c",
        ),
        (&["completions", "cmd"], "bash"),
        (&["batch", "bundle", "-o", "out", "--shard", "3"], "i/n"),
        (&["explain", "--color", "blue"], "never"),
    ] {
        bench.run(arguments).mentions(2, part);
    }
    let explain = bench.run(&["explain", "oom"]);
    assert_eq!(explain.status, 2);
    assert!(explain.text().contains("overload/oom-kill"));
    assert!(!bench.path("x.pcapng").exists() && !bench.path("out").exists());
}

#[test]
fn a_missing_path_is_a_wrong_argument() {
    let bench = Bench::with_bundle();
    bench
        .run(&["bundle", "nothing/here"])
        .says(2, "natsleuth: no such file or folder: nothing/here\n");
    bench
        .run(&["anlyze"])
        .mentions(2, "did you mean `natsleuth analyze`?");
    bench
        .run(&["--no-progress", "conns", "bundle"])
        .mentions(2, "the subcommand `conns` goes before any flag");
    for subcommand in ["conns", "sessions", "timeline"] {
        bench.run(&[subcommand, "nothing"]).mentions(2, "nothing");
    }
    bench
        .run(&["batch", "nothing", "-o", "out"])
        .mentions(2, "nothing");
}

#[test]
fn nothing_to_analyse_is_told_apart_from_failures() {
    let bench = Bench::new();
    fs::create_dir(bench.path("empty")).expect("a folder");
    bench.file(
        "program",
        b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0",
    );
    bench.file("notes.txt", b"we restarted everything\nand it was fine\n");
    bench.file("nothing.log", b"");
    for (path, part) in [
        ("empty", "no files in empty"),
        ("program", "program: looks like an ELF program"),
        ("notes.txt", "nothing to analyse in notes.txt"),
        ("nothing.log", "nothing.log: empty file"),
    ] {
        bench.run(&[path]).mentions(65, part);
    }
    bench.copy("server-logs/2.14.5.log", "server.log");
    for subcommand in ["conns", "sessions"] {
        bench
            .run(&[subcommand, "server.log"])
            .mentions(65, "no capture");
    }
    let carve = ["carve", "--close", "c1", "server.log", "-o", "c1.pcapng"];
    bench
        .run(&carve)
        .mentions(65, "no capture holds a packet of c1");
    assert!(!bench.path("c1.pcapng").exists());
    bench
        .run(&["batch", "empty", "-o", "out"])
        .mentions(65, "no bundles in empty");
}

#[test]
fn a_capture_cut_inside_a_record_is_read_up_to_there() {
    let bench = Bench::new();
    let whole = fixture_bytes("captures/idle-timeout.pcap");
    bench.file("cut.pcap", &whole[..20_000]);
    let ran = bench.run(&["cut.pcap", "--format", "json"]);
    assert_eq!(
        ran.err,
        "natsleuth: cut.pcap:@19945: the file ends inside a record\n"
    );
    let report = ran.json();
    assert!(closes(&report) > 0);
    assert_eq!(report["skipped"].as_array().map(Vec::len), Some(1));
    for subcommand in ["analyze", "conns", "sessions", "timeline"] {
        bench
            .run(&[subcommand, "cut.pcap", "--strict"])
            .mentions(3, "cut.pcap:@19945: ");
    }
}

#[test]
fn bytes_that_are_no_text_cost_their_own_line_only() {
    let bench = Bench::new();
    let whole = fixture_bytes("server-logs/2.14.5.log");
    let line = whole.iter().position(|byte| *byte == b'\n').expect("lines") + 1;
    let mut broken = whole[..line].to_vec();
    broken.extend_from_slice(b"[1] 2026/11/23 07:54:02.000001 [INF] \xff\xfe\x80\n\xc3\x28\n");
    broken.extend_from_slice(&whole[line..]);
    bench.file("whole.log", &whole);
    bench.file("broken.log", &broken);
    let ran = bench.run(&["broken.log", "--format", "json"]);
    assert!(
        ran.err.starts_with("natsleuth: broken.log:2: "),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("not UTF-8") && ran.err.ends_with("(2 times)\n"),
        "{}",
        ran.err
    );
    let causes = |report: &Value| -> Vec<String> {
        let closes = report["closes"].as_array().expect("closes");
        let cause = |close: &Value| format!("{}/{}", close["cause"], close["detail"]);
        closes.iter().map(cause).collect()
    };
    let other = bench.run(&["whole.log", "--format", "json"]);
    assert_eq!(other.err, "");
    assert_eq!(causes(&ran.json()), causes(&other.json()));
    bench
        .run(&["broken.log", "--strict"])
        .mentions(3, "broken.log:2: ");
}

#[test]
fn warnings_cannot_steer_a_terminal() {
    let bench = Bench::with_bundle();
    bench.file(
        "bundle/\u{1b}[2Jx.bin",
        b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0",
    );
    let ran = bench.run(&["bundle"]);
    assert_eq!(ran.status, 0);
    assert!(ran.err.contains("\\x1b[2Jx.bin: ") && !ran.err.contains('\u{1b}'));
}

#[test]
fn fail_on_finds_causes_and_details() {
    let bench = Bench::with_bundle();
    for (causes, status) in [
        ("auth", 1),
        ("auth/authorization-violation", 1),
        ("authorization-violation", 1),
        ("operator,auth", 1),
        ("operator", 0),
        ("operator,cluster/name-conflict", 0),
    ] {
        let ran = bench.run(&["bundle", "--fail-on", causes]);
        assert_eq!((ran.status, ran.err.as_str()), (status, ""), "{causes}");
        assert!(!ran.out.is_empty());
    }
    // What is shown does not change what is found, and what was found outranks what was unreadable.
    bench
        .run(&["bundle", "--fail-on", "auth", "--cause", "operator"])
        .says(1, "");
    bench.file("bundle/x.bin", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    bench
        .run(&["bundle", "--fail-on", "auth", "--strict"])
        .mentions(1, "x.bin");
    bench
        .run(&["bundle", "--fail-on", "operator", "--strict"])
        .mentions(3, "x.bin");
}

#[test]
fn filters_leave_closes_out_and_say_so() {
    let bench = Bench::with_bundle();
    let all = bench.run(&[&["bundle"][..], &JSON].concat()).json();
    for filter in [
        &["--cause", "auth"][..],
        &["--client", "bg-*"],
        &["--client", "10.77.1.2:*"],
        &["--server", "n1"],
        &["--until", "2026-11-23T07:00:00Z"],
        &["--since", "2026-11-23T07:00:00Z"],
    ] {
        let some = bench.run(&[&["bundle"][..], &JSON, filter].concat()).json();
        assert!(
            closes(&some) > 0 && closes(&some) < closes(&all),
            "{filter:?}"
        );
        assert_eq!(some["shown"]["closes_of"], closes(&all));
    }
}

#[test]
fn existing_files_are_kept_unless_forced() {
    let bench = Bench::with_bundle();
    bench.file("report.json", b"precious");
    let refused = bench.run(&["bundle", "--format", "json", "-o", "report.json"]);
    refused.mentions(2, "report.json exists; --force replaces it");
    // Refused before the work: the input is not even looked for.
    bench
        .run(&["nothing", "-o", "report.json"])
        .mentions(2, "report.json exists");
    assert_eq!(
        fs::read(bench.path("report.json")).expect("kept"),
        b"precious"
    );
    for subcommand in ["conns", "sessions", "timeline"] {
        bench
            .run(&[subcommand, "bundle", "-o", "report.json"])
            .mentions(2, "exists");
    }
    bench
        .run(&["carve", "--close", "c1", "bundle", "-o", "report.json"])
        .mentions(2, "exists");
    let forced = bench.run(&["bundle", "--format", "json", "-o", "report.json", "--force"]);
    assert_eq!((forced.status, forced.out.len()), (0, 0), "{}", forced.err);
    let written = fs::read(bench.path("report.json")).expect("replaced");
    let dash = bench.run(&["bundle", "--format", "json", "-o", "-"]);
    assert!(dash.out == written && !bench.path("-").exists());
    bench
        .run(&["bundle", "-o", "no/where.json"])
        .mentions(2, "no/where.json");
    bench
        .run(&["bundle", "-o", "bundle", "--force"])
        .mentions(2, "bundle");
}

#[test]
fn evidence_is_not_replaced_even_by_force() {
    let bench = Bench::with_bundle();
    let before = fs::read(bench.path("bundle/server.pcap")).expect("a capture");
    for arguments in [
        &["bundle"][..],
        &["conns", "bundle"],
        &["timeline", "bundle"],
        &["carve", "--close", "c1", "bundle"],
    ] {
        let output = ["-o", "bundle/../bundle/server.pcap", "--force"];
        bench
            .run(&[arguments, &output].concat())
            .mentions(2, "is input");
    }
    assert!(fs::read(bench.path("bundle/server.pcap")).expect("kept") == before);
}

#[test]
fn standard_input_is_a_log_or_a_capture() {
    let bench = Bench::with_bundle();
    for name in ["bundle/server.log", "bundle/server.pcap"] {
        let bytes = fs::read(bench.path(name)).expect("a file");
        let piped = bench.run_on(&bytes, &["-", "--format", "json"]).json();
        assert_eq!(piped["sources"][0]["path"], "-");
        let named = bench.run(&[name, "--format", "json"]).json();
        assert_eq!(closes(&piped), closes(&named));
        assert!(closes(&piped) > 0);
    }
    bench.run_on(b"", &["-"]).mentions(65, "-: empty");
}

#[test]
fn a_closed_pipe_is_success() {
    let bench = Bench::with_bundle();
    for arguments in [
        &["bundle", "--format", "html"][..],
        &["conns", "bundle"],
        &["timeline", "bundle"],
        &["explain"],
        &["man"],
        &["completions", "bash"],
    ] {
        let mut child = bench
            .command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        drop(child.stdout.take());
        let ran = Ran::new(child.wait_with_output().expect("it ends"));
        assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{arguments:?}");
    }
}

#[test]
fn threads_and_the_order_of_arguments_change_nothing() {
    let bench = Bench::with_bundle();
    let files = [
        "bundle/client.log",
        "bundle/server.log",
        "bundle/server.pcap",
    ];
    for head in [
        &["analyze", "--format", "json"][..],
        &["analyze", "--verbose"],
        &["conns"],
        &["sessions"],
        &["timeline", "--format", "ndjson"],
    ] {
        let bytes = |threads: &str, files: &[&str]| {
            let ran = bench.run(&[head, &["--threads", threads], files].concat());
            assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{head:?}");
            ran.out
        };
        let one = bytes("1", &files);
        assert!(!one.is_empty());
        for threads in ["2", "8"] {
            assert!(
                one == bytes(threads, &files),
                "{head:?} on {threads} threads"
            );
        }
        let turned = [files[2], files[0], files[1], files[0]];
        assert!(one == bytes("2", &turned), "{head:?} in another order");
    }
}

#[test]
fn colour_is_for_terminals_or_on_demand() {
    let bench = Bench::with_bundle();
    let colored = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = bench.command(arguments);
        command.envs(variables.iter().copied());
        let ran = Ran::new(command.output().expect("it runs"));
        assert_eq!(ran.status, 0, "{}", ran.err);
        ran.out.contains(&b'\x1b')
    };
    for command in [&["bundle"][..], &["explain", "network"]] {
        let with = |color| [command, &["--color", color]].concat();
        assert!(!colored(command, &[]));
        assert!(colored(command, &[("CLICOLOR_FORCE", "1")]));
        assert!(!colored(command, &[("CLICOLOR_FORCE", "0")]));
        assert!(colored(&with("always"), &[("NO_COLOR", "1")]));
        assert!(!colored(&with("never"), &[("CLICOLOR_FORCE", "1")]));
    }
}

#[test]
fn why_knows_places_as_reports_write_them() {
    let bench = Bench::with_bundle();
    let report = bench.run(&["bundle", "--format", "json"]).json();
    let closes = report["closes"].as_array().expect("closes");
    let evidence = closes.iter().flat_map(|close| {
        let pieces = close["evidence"].as_array().expect("evidence");
        pieces.iter().map(move |piece| (close, piece))
    });
    let (close, piece) = evidence
        .clone()
        .find(|(_, piece)| piece["frame"].is_u64())
        .expect("a cited packet");
    let frame = &piece["frame"];
    for place in [
        format!("server.pcap:#{frame}"),
        format!("server.pcap:{frame}"),
        format!("bundle/server.pcap:#{frame}"),
    ] {
        let ran = bench.run(&["why", &place, "bundle"]);
        let id = close["id"].as_str().expect("an id");
        assert!(ran.text().contains(&format!("\n{id} ")), "{}", ran.text());
    }
    let none = bench.run(&["why", "server.log:1", "bundle"]);
    assert_eq!(
        (none.status, none.text()),
        (0, "No finding cites server.log:1.\n")
    );
}

#[test]
fn carve_writes_a_capture_that_can_be_read_again() {
    let bench = Bench::with_bundle();
    let report = bench.run(&["bundle", "--format", "json"]).json();
    let closes = report["closes"].as_array().expect("closes");
    let close = closes
        .iter()
        .find(|close| close["cause"] == "network")
        .expect("a close that the capture shows");
    let id = close["id"].as_str().expect("an id");
    let ran = bench.run(&["carve", "--close", id, "bundle", "-o", "one.pcapng"]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(
        ran.err.starts_with("natsleuth: one.pcapng: "),
        "{}",
        ran.err
    );
    let conns = bench.run(&["conns", "one.pcapng", "--format", "ndjson"]);
    let rows: Vec<Value> = conns
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["orig"], close["socket"]["client"]);
}

#[test]
fn a_batch_does_what_is_new_and_only_that() {
    let bench = Bench::new();
    bench.copy("server-logs/2.14.5.log", "root/one/server.log");
    bench.copy("captures/idle-timeout.pcap", "root/two/server.pcap");
    let run = ["batch", "root", "-o", "out"];
    let first = bench.run(&run);
    assert_eq!((first.status, first.err.as_str()), (0, ""));
    assert!(
        first
            .text()
            .starts_with("2 bundles: 2 analysed, 0 unchanged")
    );
    // How many bundles run at once is no reason to do them again.
    let second = bench.run(&[&run[..], &["--jobs", "1"]].concat());
    assert!(
        second
            .text()
            .starts_with("2 bundles: 0 analysed, 2 unchanged")
    );
    bench.file("root/three/x.bin", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    bench.run(&run).mentions(65, "three: ");
    assert!(bench.path("out/reports/one/report.html").is_file());
}
