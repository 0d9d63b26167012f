//! A batch over bundles made here: what it writes, what it leaves alone, and that being killed changes nothing.

mod input_kit;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use input_kit::{Bundle, Tar, gz, tree};
use natsleuth::analyze::Options;
use natsleuth::batch::{self, BatchOptions, Error, Shard, Summary};
use natsleuth::progress::{Progress, Silent};
use natsleuth::source::SourceId;
use parquet::file::reader::{FileReader, SerializedFileReader};

/// A server log with two closes on `day`, one of them a slow consumer.
fn log(day: u32, port: u32) -> Vec<u8> {
    let at = |time: &str, text: &str| format!("[6871] 2026/11/{day:02} {time} {text}\n");
    [
        at("05:10:37.120114", "[INF] Starting nats-server"),
        at("05:10:37.120301", "[INF]   Version:  2.10.20"),
        at("05:10:37.121000", "[INF] Listening for client connections on 0.0.0.0:4222"),
        at("05:10:37.121100", "[INF] Server is ready"),
        at("05:10:38.000001", &format!("[DBG] 10.0.0.7:{port} - cid:5 - Client connection created")),
        at("05:10:39.000001", &format!("[DBG] 10.0.0.8:{port} - cid:6 - Client connection created")),
        at("05:11:38.000001", &format!("[DBG] 10.0.0.7:{port} - cid:5 - Client connection closed: Client Closed")),
        at("05:12:38.000001", &format!("[INF] 10.0.0.8:{port} - cid:6 - Slow Consumer Detected: WriteDeadline of 10s exceeded with 3 chunks of 98304 total bytes.")),
        at("05:12:38.000101", &format!("[DBG] 10.0.0.8:{port} - cid:6 - Client connection closed: Slow Consumer (Write Deadline)")),
    ]
    .concat()
    .into_bytes()
}

/// Bundles of every kind, in `in/`; the output goes to `out/`.
fn root() -> Bundle {
    let mut root = Bundle::new()
        .file("in/broken/image.png", b"\x89PNG\r\n\x1a\n")
        .file("in/loose.log", &log(23, 1))
        .file("in/.hidden/nats.log", &log(23, 1));
    for i in 0..6 {
        let day = 20 + i % 3;
        root = root.file(&format!("in/folder-{i}/nats.log"), &log(day, 40_000 + i));
        let tar = Tar::new().file("b/nats.log", &log(day, 50_000 + i)).end();
        root = root.file(&format!("in/archive-{i}.tgz"), &gz(&tar));
    }
    root
}

fn options(root: &Path, out: PathBuf) -> BatchOptions {
    BatchOptions {
        root: root.to_path_buf(),
        out,
        depth: 1,
        analyze: Options::default(),
        jobs: 2,
        memory: 256 << 20,
        shard: None,
    }
}

fn run(root: &Bundle, out: &str) -> Summary {
    batch::run(&options(&root.path("in"), root.path(out)), &Silent).unwrap()
}

fn rows(tree: &BTreeMap<PathBuf, Vec<u8>>, kind: &str) -> i64 {
    let files = tree
        .iter()
        .filter(|(p, _)| p.starts_with(format!("data/{kind}")));
    files
        .map(|(_, bytes)| {
            let mut file = tempfile::tempfile().unwrap();
            std::io::Write::write_all(&mut file, bytes).unwrap();
            let reader = SerializedFileReader::new(file).unwrap();
            reader.metadata().file_metadata().num_rows()
        })
        .sum()
}

#[test]
fn every_bundle_gets_a_report_and_rows_and_the_next_run_has_nothing_to_do() {
    let root = root();
    let first = run(&root, "out");
    assert_eq!(
        (first.bundles, first.analysed, first.unchanged),
        (13, 13, 0)
    );
    assert_eq!(first.broken.len(), 1);
    assert_eq!(first.broken[0].0, "broken");
    assert!(
        first.broken[0]
            .1
            .contains("broken/image.png: looks like a PNG image"),
        "{:?}",
        first.broken
    );
    assert!(
        !first.broken[0]
            .1
            .contains(&*root.path("in").to_string_lossy())
    );
    assert_eq!(first.lost, []);
    assert_eq!(first.loose, ["loose.log"]);
    assert_eq!(first.exit_status(), 65);
    assert_eq!(first.causes.values().sum::<u64>(), 24);

    let written = tree(&root.path("out"));
    assert_eq!(rows(&written, "closes"), 24);
    assert_eq!(rows(&written, "sources"), 12);
    assert!(rows(&written, "incidents") > 0);
    assert!(
        written
            .keys()
            .any(|p| p.starts_with("data/closes/date=2026-11-20"))
    );
    for name in ["folder-3", "archive-5.tgz"] {
        for ending in ["json", "html"] {
            let path = format!("reports/{name}/report.{ending}");
            assert!(!written[Path::new(&path)].is_empty(), "{path}");
        }
    }
    let report = String::from_utf8_lossy(&written[Path::new("reports/archive-5.tgz/report.json")]);
    assert!(report.contains("archive-5.tgz!/b/nats.log"));
    assert!(
        !report.contains(&*root.path("in").to_string_lossy()),
        "no path of this machine"
    );

    let second = run(&root, "out");
    assert_eq!((second.analysed, second.unchanged), (0, 13));
    assert_eq!((second.causes, second.broken), (first.causes, first.broken));
    assert!(tree(&root.path("out")) == written);
}

#[test]
fn what_changed_is_done_again_and_its_old_files_go() {
    let root = root();
    run(&root, "out");
    let root = root
        .file("in/folder-0/nats.log", &log(28, 41_000))
        .file("in/new/nats.log", &log(20, 42_000));
    std::fs::remove_file(root.path("out/reports/folder-1/report.html")).unwrap();
    let again = run(&root, "out");
    assert_eq!((again.analysed, again.unchanged), (3, 11));
    run(&root, "fresh");
    assert!(tree(&root.path("out")) == tree(&root.path("fresh")));
}

#[test]
fn shards_give_together_what_one_run_gives() {
    let root = root();
    run(&root, "whole");
    let mut bundles = 0;
    for index in 0..3 {
        let mut part = options(&root.path("in"), root.path("parts"));
        part.shard = Some(Shard { index, count: 3 });
        part.jobs = 1;
        bundles += batch::run(&part, &Silent).unwrap().bundles;
    }
    assert_eq!(bundles, 13);
    assert!(tree(&root.path("parts")) == tree(&root.path("whole")));
}

#[test]
fn bundles_lie_deeper_where_asked_and_the_output_is_none_of_them() {
    let root = Bundle::new()
        .file("in/acme/monday/nats.log", &log(23, 1))
        .file("in/zeta/tuesday/nats.log", &log(24, 1));
    let mut deep = options(&root.path("in"), root.path("in/out"));
    deep.depth = 2;
    let summary = batch::run(&deep, &Silent).unwrap();
    assert_eq!((summary.bundles, summary.exit_status()), (2, 0));
    let written = tree(&root.path("in/out"));
    assert!(written.contains_key(Path::new("reports/acme/monday/report.json")));
    assert_eq!(batch::run(&deep, &Silent).unwrap().unchanged, 2);
}

#[test]
fn a_wrong_root_is_an_error() {
    let root = Bundle::new().file("in/only.log", &log(23, 1));
    let empty = batch::run(&options(&root.path("in"), root.path("out")), &Silent).unwrap_err();
    assert!(matches!(empty, Error::NoBundles { .. }), "{empty}");
    let missing = batch::run(&options(&root.path("nope"), root.path("out")), &Silent).unwrap_err();
    assert!(matches!(missing, Error::Root { .. }), "{missing}");
}

/// Says on standard output when a bundle is done, for the test that kills it.
struct Telling;

impl Progress for Telling {
    fn source(&self, _: SourceId, _: &str, _: u64) {}
    fn advance(&self, _: SourceId, _: u64) {
        #[allow(clippy::print_stdout)]
        {
            println!("advanced");
        }
    }
    fn done(&self, _: SourceId) {}
    fn stage(&self, _: &'static str) {}
    fn finish(&self) {}
}

/// Not a test of its own: the process that [`killed_at_any_moment_it_ends_with_the_same_output`] starts and kills.
#[test]
fn child_that_is_killed() {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    let (Some(root), Some(out)) = (variable("BATCH_CHILD_ROOT"), variable("BATCH_CHILD_OUT"))
    else {
        return;
    };
    batch::run(&options(&root, out), &Telling).unwrap();
}

#[test]
fn killed_at_any_moment_it_ends_with_the_same_output() {
    let root = root();
    run(&root, "whole");
    let whole = tree(&root.path("whole"));
    let mut killed = 0;
    for after in 0..20 {
        // Every few kills the output begins anew, so that early moments are met as well.
        let out = root.path(&format!("out-{}", after / 5));
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_is_killed", "--nocapture"])
            .env("BATCH_CHILD_ROOT", root.path("in"))
            .env("BATCH_CHILD_OUT", &out)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Kept open until the child is gone: a closed pipe would stop it in another way.
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = |line: &Result<String, _>| line.as_ref().is_ok_and(|l| l.contains("advanced"));
        let seen = lines.by_ref().filter(said).take(1 + after % 4).count();
        // The moment within the next bundle differs from kill to kill.
        for _ in 0..after * 20_000 {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        killed += usize::from(!child.wait().unwrap().success() && seen > 0);
    }
    assert!(killed > 0, "no child was killed at work");
    for group in 0..4 {
        let name = format!("out-{group}");
        run(&root, &name);
        assert!(tree(&root.path(&name)) == whole, "{name}");
    }
}

/// The queries that the guide to batches gives, in order.
fn queries(out: &Path) -> Vec<String> {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/batch/README.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let block = guide.split("```sql\n").nth(1).unwrap();
    let block = block.split("```").next().unwrap();
    let block = block.replace("OUT/", &format!("{}/", out.display()));
    let queries = block.split(';').map(str::trim);
    queries
        .filter(|query| !query.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
#[allow(clippy::print_stderr, reason = "a skipped test says so")]
fn duckdb_answers_the_guides_queries_over_the_data_set() {
    let mut duckdb = Command::new("python3");
    duckdb.args(["-c", "import duckdb"]);
    if !duckdb
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
    {
        eprintln!("skipped: DuckDB's Python package is not installed");
        return;
    }
    let root = root();
    // Two customers, as `--depth 2` finds them; one has a bundle that cannot be read.
    for (bundle, to) in [
        ("folder-0", "acme/monday"),
        ("archive-1.tgz", "acme/tuesday.tgz"),
        ("folder-2", "umbrella/monday"),
        ("broken", "umbrella/tuesday"),
    ] {
        let to = root.path("customers").join(to);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::rename(root.path("in").join(bundle), to).unwrap();
    }
    let customers = BatchOptions {
        depth: 2,
        ..options(&root.path("customers"), root.path("out"))
    };
    batch::run(&customers, &Silent).unwrap();
    let answers: Vec<serde_json::Value> = queries(&root.path("out"))
        .iter()
        .map(|query| {
            let script = "import duckdb, json, sys\n\
                print(json.dumps([list(row) for row in duckdb.sql(sys.argv[1]).fetchall()], default=str))";
            let output = Command::new("python3")
                .args(["-c", script, query])
                .output()
                .unwrap();
            assert!(output.status.success(), "{query}: {output:?}");
            serde_json::from_slice(&output.stdout).unwrap()
        })
        .collect();
    let [mix, weeks, failed] = &answers[..] else {
        panic!("{} queries", answers.len());
    };
    let sum = |rows: &serde_json::Value, column: usize| -> i64 {
        let rows = rows.as_array().unwrap().iter();
        rows.map(|row| row[column].as_i64().unwrap()).sum()
    };
    // Two closes in each of three bundles: a normal one and a slow consumer.
    assert_eq!(sum(mix, 4), 6, "{mix}");
    let slow = mix
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row[2] == "slow-consumer");
    assert_eq!(slow.unwrap()[3], "write-deadline");
    assert_eq!(sum(weeks, 3), 6, "{weeks}");
    let of = |customer: &str| -> i64 {
        let rows = weeks.as_array().unwrap().iter();
        rows.filter(|row| row[0] == customer)
            .map(|row| row[3].as_i64().unwrap())
            .sum()
    };
    assert_eq!((of("acme"), of("umbrella")), (4, 2), "{weeks}");
    assert_eq!(failed[0][0], "umbrella/tuesday", "{failed}");
    assert!(
        failed[0][1].as_str().unwrap().contains("PNG image"),
        "{failed}"
    );
    assert_eq!(failed.as_array().unwrap().len(), 1, "{failed}");
}
