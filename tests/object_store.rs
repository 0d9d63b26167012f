//! A batch from a bucket into a bucket, against moto's S3 server where it is installed: what a folder gives, and nothing anew
//! the second time.
#![cfg(feature = "object-store")]

mod input_kit;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use input_kit::{Bundle, Tar, gz, tree};

/// Who asks; the emulator looks at no signature.
const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=test/20261123/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";

/// The emulator, stopped at the end.
struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// `None` where it is not installed.
    fn start() -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0")
            .ok()?
            .local_addr()
            .ok()?
            .port();
        let mut command = Command::new("moto_server");
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let server = Self {
            child: command.spawn().ok()?,
            port,
        };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "moto_server does not answer"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(server)
    }

    /// One request; the body of the answer.
    fn ask(&self, method: &str, path: &str, body: &[u8]) -> Vec<u8> {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: {SIGNED}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            self.port,
            body.len()
        );
        socket.write_all(head.as_bytes()).unwrap();
        socket.write_all(body).unwrap();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).unwrap();
        let text = String::from_utf8_lossy(&answer);
        let status = text.split(' ').nth(1).unwrap_or_default();
        assert!(status.starts_with('2'), "{method} {path}: {text}");
        let body = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap();
        answer.split_off(body + 4)
    }

    /// Names of all objects in the bucket.
    fn names(&self) -> Vec<String> {
        let listing = self.ask("GET", "/bucket?list-type=2&max-keys=1000", b"");
        let listing = String::from_utf8(listing).unwrap();
        let keys = listing.split("<Key>").skip(1);
        keys.map(|key| key.split("</Key>").next().unwrap().to_owned())
            .collect()
    }

    fn batch(&self, root: &str, out: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_natsleuth"))
            .args(["batch", root, "-o", out, "--no-progress", "--depth", "2"])
            .env(
                "AWS_ENDPOINT_URL",
                format!("http://127.0.0.1:{}", self.port),
            )
            .env("AWS_ALLOW_HTTP", "true")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_REGION", "us-east-1")
            .output()
            .unwrap()
    }
}

fn log(port: u32) -> Vec<u8> {
    let lines = [
        "[7] 2026/11/23 05:10:37.120114 [INF] Starting nats-server\n".to_owned(),
        format!(
            "[7] 2026/11/23 05:10:38.000001 [DBG] 10.0.0.7:{port} - cid:5 - Client connection created\n"
        ),
        format!(
            "[7] 2026/11/23 05:12:38.000001 [INF] 10.0.0.7:{port} - cid:5 - Slow Consumer Detected: WriteDeadline of 10s exceeded with 3 chunks of 98304 total bytes.\n"
        ),
        format!(
            "[7] 2026/11/23 05:12:38.000101 [DBG] 10.0.0.7:{port} - cid:5 - Client connection closed: Slow Consumer (Write Deadline)\n"
        ),
    ];
    lines.concat().into_bytes()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A file as it is; of the manifest all but the hash of contents, which a listing stands for.
fn comparable(name: &str, bytes: Vec<u8>) -> Vec<u8> {
    if !name.starts_with("manifest/") {
        return bytes;
    }
    let mut record: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    record["content"].take();
    record.to_string().into_bytes()
}

#[test]
#[allow(clippy::print_stderr, reason = "a skipped test says so")]
fn a_bucket_gives_what_a_folder_gives() {
    let Some(server) = Server::start() else {
        eprintln!("skipped: moto_server is not installed");
        return;
    };
    let tar = Tar::new().file("b/nats.log", &log(50_000)).end();
    let members = [
        ("acme/monday/nats.log", log(40_000)),
        ("acme/monday/more/nats.log", log(40_001)),
        ("acme/tuesday.tgz", gz(&tar)),
        ("umbrella/monday/nats.log", log(40_002)),
        ("umbrella/notes.txt", b"nothing to see\n".to_vec()),
    ];
    let mut here = Bundle::new();
    server.ask("PUT", "/bucket", b"");
    for (name, bytes) in &members {
        here = here.file(&format!("in/{name}"), bytes);
        server.ask("PUT", &format!("/bucket/nightly/{name}"), bytes);
    }
    // A folder's marker, as consoles make them.
    server.ask("PUT", "/bucket/nightly/acme/monday/", b"");

    let first = server.batch("s3://bucket/nightly", "s3://bucket/nightly/out");
    assert_eq!(first.status.code(), Some(0), "{first:?}");
    assert!(
        stdout(&first).starts_with("3 bundles: 3 analysed, 0 unchanged"),
        "{first:?}"
    );
    let complaints = String::from_utf8_lossy(&first.stderr).into_owned();
    assert!(
        complaints.contains("umbrella/notes.txt: neither a folder nor an archive"),
        "{complaints}"
    );

    let local = server.batch(
        here.path("in").to_str().unwrap(),
        here.path("out").to_str().unwrap(),
    );
    assert_eq!(stdout(&local), stdout(&first));
    let expected: BTreeMap<String, Vec<u8>> = tree(&here.path("out"))
        .into_iter()
        .map(|(path, bytes)| {
            let name = path.to_str().unwrap().to_owned();
            let bytes = comparable(&name, bytes);
            (name, bytes)
        })
        .collect();
    let below = |name: &String| name.strip_prefix("nightly/out/").map(str::to_owned);
    let names: Vec<String> = server.names().iter().filter_map(below).collect();
    assert_eq!(names, expected.keys().cloned().collect::<Vec<_>>());
    for (name, bytes) in &expected {
        let put = server.ask("GET", &format!("/bucket/nightly/out/{name}"), b"");
        assert_eq!(&comparable(name, put), bytes, "{name}");
    }

    let second = server.batch("s3://bucket/nightly", "s3://bucket/nightly/out");
    assert!(
        stdout(&second).starts_with("3 bundles: 0 analysed, 3 unchanged"),
        "{second:?}"
    );

    // One bundle changes, one loses a file of its output, one is as it was.
    server.ask("PUT", "/bucket/nightly/acme/monday/nats.log", &log(40_009));
    server.ask(
        "DELETE",
        "/bucket/nightly/out/reports/umbrella/monday/report.html",
        b"",
    );
    let third = server.batch("s3://bucket/nightly", "s3://bucket/nightly/out");
    assert!(
        stdout(&third).starts_with("3 bundles: 2 analysed, 1 unchanged"),
        "{third:?}"
    );
    let report = server.ask(
        "GET",
        "/bucket/nightly/out/reports/acme/monday/report.json",
        b"",
    );
    assert!(String::from_utf8_lossy(&report).contains("40009"));
}

#[test]
fn a_store_that_does_not_answer_is_lost_and_not_broken() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let output = Command::new(env!("CARGO_BIN_EXE_natsleuth"))
        .args([
            "batch",
            "s3://bucket/nightly",
            "-o",
            "s3://bucket/out",
            "--no-progress",
        ])
        .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"))
        .env("AWS_ALLOW_HTTP", "true")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(74), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("s3://bucket/nightly"));
}
