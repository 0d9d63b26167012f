//! Laws about memory, on a process that is not given more: inputs at the limits are analysed within a fixed amount of address
//! space, whatever their size. The full-sized inputs are in `benches/limits.sh`.

#![cfg(target_os = "linux")]

use std::io::{BufWriter, Write};
use std::process::{Child, ChildStdin, Command, Output, Stdio};

#[path = "../benches/support/limits.rs"]
#[allow(dead_code, reason = "not every user needs all of it")]
mod limits;
#[path = "../benches/support/traffic.rs"]
#[allow(dead_code, reason = "not every user needs all of it")]
mod traffic;

/// Address space in KiB: the program, its stacks, and room for a few hundred thousand sketches.
const ROOM: u64 = 300 * 1024;

/// Likewise, for input that needs next to no sketches.
const NARROW: u64 = 160 * 1024;

/// Analyses `arguments` with only `room` KiB to live in; `feed` writes to its standard input.
fn confined(
    room: u64,
    arguments: &[&str],
    feed: impl FnOnce(BufWriter<ChildStdin>) + Send,
) -> Output {
    // The shell's limit is inherited by what it becomes. One allocator arena: others only reserve address space.
    let mut child: Child = Command::new("sh")
        .args(["-c", "ulimit -v \"$0\" && exec \"$@\"", &room.to_string()])
        .arg(env!("CARGO_BIN_EXE_natsleuth"))
        .args([
            "analyze",
            "--format",
            "json",
            "--no-progress",
            "--threads",
            "1",
        ])
        .args(arguments)
        .env("MALLOC_ARENA_MAX", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a shell");
    let stdin = child.stdin.take().expect("piped");
    std::thread::scope(|scope| {
        scope.spawn(move || feed(BufWriter::with_capacity(1 << 16, stdin)));
        child.wait_with_output().expect("it ends")
    })
}

/// The report of a run that went well.
fn report(output: &Output) -> serde_json::Value {
    assert!(
        output.status.success(),
        "{}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn a_connection_of_twenty_gigabytes_from_a_pipe() {
    let output = confined(ROOM, &["-"], |mut pipe| {
        limits::connection(&mut pipe, 20_000_000_000).expect("it reads to the end");
        pipe.flush().expect("it reads to the end");
    });
    let report = report(&output);
    assert_eq!(report["closes"].as_array().expect("closes").len(), 1);
    assert!(report["sources"][0]["records"].as_u64() > Some(300_000));
}

#[test]
fn more_input_than_there_is_memory() {
    // A quarter more than the process may have.
    let bytes = NARROW * 1024 / 4 * 5;
    let output = confined(NARROW, &["-"], |mut pipe| {
        // The application's own lines are many and say nothing about connections.
        limits::client_log(&mut pipe, bytes / 64).expect("it reads to the end");
        pipe.flush().expect("it reads to the end");
    });
    let report = report(&output);
    assert!(report["sources"][0]["records"].as_u64() > Some(0));
}

#[test]
fn a_storm_of_thousands_of_connections() {
    let output = confined(ROOM, &["-"], |mut pipe| {
        traffic::write(&mut pipe, traffic::Shape::Storm, 32_000_000, 1)
            .expect("it reads to the end");
        pipe.flush().expect("it reads to the end");
    });
    let report = report(&output);
    let closes = report["closes"].as_array().expect("closes");
    assert!(closes.len() > 15_000, "{}", closes.len());
    assert!(closes.iter().all(|close| close["cause"] == "client-close"));
}

#[test]
fn folders_of_many_files_whole_or_broken() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("whole");
    limits::bundle(&path, 500).expect("room for it");
    let output = confined(ROOM, &[path.to_str().expect("UTF-8")], drop);
    let whole = report(&output);
    assert_eq!(whole["sources"].as_array().expect("sources").len(), 500);
    assert!(whole["closes"].as_array().expect("closes").len() >= 500);

    let path = folder.path().join("broken");
    limits::broken(&path, 500).expect("room for it");
    let output = confined(ROOM, &[path.to_str().expect("UTF-8")], drop);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        matches!(output.status.code(), Some(0 | 65)),
        "{}: {stderr}",
        output.status
    );
    assert!(!stderr.is_empty());
}
