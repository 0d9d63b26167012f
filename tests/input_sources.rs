//! Folders, files, links, pipes and encodings: what becomes a source, under which name, in which order.

mod input_kit;

use std::path::PathBuf;

use input_kit::{Bundle, LOG, gz, pcap};
use natsleuth::input::{Error, InputOptions, discover};

#[test]
fn kinds_come_from_content_not_from_names() {
    let bundle = Bundle::new()
        .file("capture.log", &pcap(1))
        .file("empty.log", b"")
        .file("image.pcap", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
        .file(
            "keys.txt",
            format!("CLIENT_RANDOM {0} {0}\n", "ab".repeat(32)).as_bytes(),
        )
        .file("nats.conf.bak", b"port: 4222\nmax_payload: 1MB\n")
        .file("truth.json", b"{\n \"closes\": [ { \"cid\": 5 } ]\n}\n")
        .file(
            "varz",
            br#"{"server_id":"NA","now":"2026-11-23T05:10:37Z","max_payload":1}"#,
        )
        .file("x.pcap", LOG);
    let input = bundle.discover();
    let kinds: Vec<_> = bundle
        .listed(&input)
        .into_iter()
        .map(|(p, k, _)| (p, k))
        .collect();
    let want = [
        ("capture.log", "capture"),
        ("keys.txt", "key-log"),
        ("nats.conf.bak", "server-config"),
        ("varz", "monitoring"),
        ("x.pcap", "log"),
    ];
    assert_eq!(kinds, want.map(|(p, k)| (p.to_owned(), k)));
    assert_eq!(
        bundle.rejected(&input),
        [
            "empty.log: empty file",
            "image.pcap: looks like a PNG image",
            "truth.json: json that is neither monitoring data of nats-server nor a log",
        ]
    );
}

#[test]
fn any_order_of_arguments_and_any_repetition_gives_the_same() {
    let bundle = Bundle::new()
        .file("b/2.log", LOG)
        .file("b/1.log.gz", &gz(LOG))
        .file("a.pcap", &pcap(1))
        .file("b/c/deep.log", LOG);
    let paths = ["b", "a.pcap", "b/2.log", "b/c", "b/../b/1.log.gz"].map(|p| bundle.path(p));
    let seen = |order: &[usize]| {
        let paths: Vec<PathBuf> = order.iter().map(|&i| paths[i].clone()).collect();
        let input = discover(&paths, &InputOptions::default()).unwrap();
        (input.sources, input.groups, input.rejects)
    };
    let want = seen(&[0, 1, 2, 3, 4]);
    assert_eq!(want.0.len(), 4);
    assert!(want.0.iter().zip(0..).all(|(s, n)| s.id.0 == n));
    for order in [
        &[4, 3, 2, 1, 0][..],
        &[2, 0, 4, 1, 3, 0, 1],
        &[1, 3, 4, 2, 0],
    ] {
        assert_eq!(seen(order), want, "{order:?}");
    }
}

#[test]
fn windows_text_is_read_as_utf8() {
    let text = String::from_utf8_lossy(LOG).replace('\n', "\r\n");
    let wide: Vec<u8> = format!("\u{feff}{text}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let bundle = Bundle::new()
        .file("utf16.log", &wide)
        .file("utf16.log.1.gz", &gz(&wide))
        .file("utf8.log", format!("\u{feff}{text}").as_bytes());
    let input = bundle.discover();
    for (path, kind, contents) in bundle.listed(&input) {
        assert_eq!(
            (kind, String::from_utf8(contents).unwrap()),
            ("log", text.clone()),
            "{path}"
        );
    }
    assert_eq!(input.groups.len(), 2);
}

#[test]
fn a_log_behind_a_hole_of_zeros_is_read() {
    let holed = [&vec![0; 300_000][..], LOG, LOG].concat();
    let bundle = Bundle::new()
        .file("holed.log", &holed)
        .file("holed.log.gz", &gz(&holed))
        .file("zeros", &vec![0; 300_000]);
    let input = bundle.discover();
    let want = ["holed.log", "holed.log.gz"].map(|p| (p.to_owned(), "log", [LOG, LOG].concat()));
    assert_eq!(bundle.listed(&input), want);
}

#[test]
fn only_plain_files_are_offered_for_reading_in_parts() {
    let bundle = Bundle::new()
        .file("a.log", LOG)
        .file("b.log.gz", &gz(LOG))
        .file("c.log", b"\xef\xbb\xbfx y\n");
    let input = bundle.discover();
    let plain: Vec<_> = input
        .sources
        .iter()
        .map(|s| input.plain_file(s.id))
        .collect();
    assert_eq!(plain, [Some(bundle.path("a.log").as_path()), None, None]);
}

#[test]
fn a_missing_path_and_an_empty_folder_are_errors_that_name_the_path() {
    let bundle = Bundle::new();
    let missing = discover(&[bundle.path("nope")], &InputOptions::default()).unwrap_err();
    assert!(matches!(missing, Error::Missing { .. }));
    assert!(missing.to_string().ends_with("/nope"));
    let empty = discover(&[bundle.path("")], &InputOptions::default()).unwrap_err();
    assert!(matches!(empty, Error::Nothing { .. }), "{empty}");
    let bundle = bundle
        .file("a.png", b"\x89PNG\r\n\x1a\n")
        .file("b.log", b"");
    let useless = discover(&[bundle.path("")], &InputOptions::default()).unwrap_err();
    let text = useless.to_string();
    assert!(
        text.ends_with("a.png: looks like a PNG image (and 1 more that were skipped)"),
        "{text}"
    );
    assert!(!useless.is_transient());
}

#[cfg(unix)]
#[test]
fn links_are_followed_inside_the_given_folders_only() {
    use std::os::unix::fs::symlink;
    let outside = Bundle::new().file("secret.log", LOG);
    let bundle = Bundle::new().file("pods/0.log", LOG);
    symlink(bundle.path("pods/0.log"), bundle.path("alias.log")).unwrap();
    symlink(bundle.path(""), bundle.path("loop")).unwrap();
    symlink(outside.path("secret.log"), bundle.path("out.log")).unwrap();
    symlink("nowhere", bundle.path("dangling.log")).unwrap();
    let input = bundle.discover();
    assert_eq!(
        bundle.listed(&input),
        [("pods/0.log".to_owned(), "log", LOG.to_vec())]
    );
    assert_eq!(
        bundle.rejected(&input),
        [
            "dangling.log: a symbolic link that leads nowhere",
            "out.log: a symbolic link that leads out of the given folders",
        ]
    );
    // A link that the user names is what the user wants.
    let named = discover(&[bundle.path("out.log")], &InputOptions::default()).unwrap();
    assert_eq!(named.sources.len(), 1);
}

#[cfg(unix)]
#[test]
fn a_named_pipe_is_read_when_named_and_skipped_in_a_folder() {
    let bundle = Bundle::new().file("x.log", LOG);
    let pipe = bundle.path("pipe");
    let made = std::process::Command::new("mkfifo")
        .arg(&pipe)
        .status()
        .unwrap();
    assert!(made.success());
    let input = bundle.discover();
    assert_eq!(bundle.listed(&input).len(), 1);
    assert!(bundle.rejected(&input)[0].starts_with("pipe: a device, pipe or socket"));

    let writer = {
        let pipe = pipe.clone();
        std::thread::spawn(move || std::fs::write(pipe, gz(LOG)).unwrap())
    };
    let input = discover(&[pipe], &InputOptions::default()).unwrap();
    writer.join().unwrap();
    let twice = [bundle.listed(&input), bundle.listed(&input)];
    assert!(
        twice
            .iter()
            .all(|l| l == &[("pipe".to_owned(), "log", LOG.to_vec())])
    );
}
