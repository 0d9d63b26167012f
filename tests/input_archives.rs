//! Archives as people send them, and as they should not: built here, opened through the public interface.

mod input_kit;

use std::io::Write;

use input_kit::{Bundle, LOG, Tar, gz, pcap, xz, zip_of, zst};
use natsleuth::input::InputOptions;

#[test]
fn members_of_every_kind_of_archive_are_read() {
    let tar = Tar::new()
        .file("b/nats.log", LOG)
        .file("b/c.pcap.gz", &gz(&pcap(3)))
        .end();
    for (name, bytes) in [
        ("b.tar", tar.clone()),
        ("b.tar.gz", gz(&tar)),
        ("b.tar.xz", xz(&tar)),
        ("no-ending-at-all", zst(&tar)),
        ("twice.gz", gz(&xz(&tar))),
    ] {
        let bundle = Bundle::new().file(name, &bytes);
        let input = bundle.discover();
        assert_eq!(
            bundle.listed(&input),
            [
                (format!("{name}!/b/c.pcap.gz"), "capture", pcap(3)),
                (format!("{name}!/b/nats.log"), "log", LOG.to_vec()),
            ],
            "{name}"
        );
        assert!(bundle.rejected(&input).is_empty(), "{name}");
    }
}

#[test]
fn zip_members_are_read_whatever_their_method() {
    let method = |m| zip::write::SimpleFileOptions::default().compression_method(m);
    let members = [
        ("a/deflated.log", method(zip::CompressionMethod::Deflated)),
        ("a/stored.log", method(zip::CompressionMethod::Stored)),
        ("b/bzip2.log", method(zip::CompressionMethod::Bzip2)),
        ("b/zstd.log", method(zip::CompressionMethod::Zstd)),
    ];
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.add_directory("a", method(zip::CompressionMethod::Stored))
        .unwrap();
    for (name, options) in members {
        zip.start_file(name, options).unwrap();
        zip.write_all(LOG).unwrap();
    }
    let bundle = Bundle::new().file("b.zip", &zip.finish().unwrap().into_inner());
    let input = bundle.discover();
    let want = members.map(|(name, _)| (format!("b.zip!/{name}"), "log", LOG.to_vec()));
    assert_eq!(bundle.listed(&input), want);
}

#[test]
fn archives_in_archives_are_read_up_to_the_limit() {
    let inner = Tar::new().file("deep.log", LOG).end();
    let zip = zip_of(&[
        ("inner.tar.gz", &gz(&inner)),
        ("stored.zip", &zip_of(&[("x.log", LOG)])),
    ]);
    let tar = Tar::new().file("mid.zip", &zip).file("top.log", LOG).end();
    let bundle = Bundle::new().file("b.tgz", &gz(&tar));
    let input = bundle.discover();
    let want = [
        "b.tgz!/mid.zip!/inner.tar.gz!/deep.log",
        "b.tgz!/mid.zip!/stored.zip!/x.log",
        "b.tgz!/top.log",
    ];
    assert_eq!(
        bundle.listed(&input),
        want.map(|p| (p.to_owned(), "log", LOG.to_vec()))
    );

    let shallow = InputOptions {
        max_depth: 2,
        ..InputOptions::default()
    };
    let input = bundle.discover_with(&shallow);
    assert_eq!(
        bundle.listed(&input),
        [("b.tgz!/top.log".to_owned(), "log", LOG.to_vec())]
    );
    let rejected = bundle.rejected(&input);
    assert_eq!(rejected.len(), 2);
    assert!(
        rejected
            .iter()
            .all(|r| r.contains("nested more than 2 deep")),
        "{rejected:?}"
    );
}

#[test]
fn what_does_not_fit_in_memory_is_read_all_the_same() {
    let logs: Vec<_> = (0..5).map(|i| input_kit::noisy_log(i, 300_000)).collect();
    let mut tar = Tar::new();
    for (i, log) in logs.iter().enumerate() {
        tar = tar.file(&format!("{i}.log"), log);
    }
    let bundle = Bundle::new().file("b.tgz", &gz(&tar.end()));
    let tight = InputOptions {
        memory: 100_000,
        ..InputOptions::default()
    };
    let input = bundle.discover_with(&tight);
    let got = bundle.listed(&input);
    assert_eq!(got.len(), 5);
    for ((_, _, got), want) in got.iter().zip(&logs) {
        assert!(got == want);
    }
    assert!(
        bundle.listed(&input) == got,
        "a second reading gives the same"
    );
}

#[test]
fn hostile_names_links_and_devices_are_named_and_the_rest_is_read() {
    let tar = Tar::new()
        .file("../../etc/passwd", LOG)
        .file("/etc/shadow", LOG)
        .file("a/../../b", LOG)
        .file("C:\\windows\\x.log", LOG)
        .link("link.log", "/etc/passwd", b'2')
        .link("hard.log", "/etc/passwd", b'1')
        .link("device", "", b'3')
        .link("pipe", "", b'6')
        .file("./good.log", LOG)
        .end();
    for (name, bytes) in [("h.tar", tar.clone()), ("h.tgz", gz(&tar))] {
        let bundle = Bundle::new().file(name, &bytes);
        let input = bundle.discover();
        assert_eq!(
            bundle.listed(&input),
            [(format!("{name}!/good.log"), "log", LOG.to_vec())]
        );
        assert_eq!(
            bundle.rejected(&input),
            [
                "!/../../etc/passwd: its name leads out of the archive",
                "!//etc/shadow: its name is an absolute path",
                "!/C:\\windows\\x.log: its name is an absolute path",
                "!/a/../../b: its name leads out of the archive",
                "!/device: a device node",
                "!/hard.log: a hard link",
                "!/link.log: a symbolic link",
                "!/pipe: a named pipe",
            ]
            .map(|r| format!("{name}{r}"))
        );
    }
}

#[test]
fn encrypted_and_forged_zip_members_are_named_and_the_rest_is_read() {
    let mut bytes = zip_of(&[("good.log", LOG), ("secret.log", LOG), ("../up.log", LOG)]);
    input_kit::mark_encrypted(&mut bytes, "secret.log");
    let bundle = Bundle::new().file("z.zip", &bytes);
    let input = bundle.discover();
    assert_eq!(
        bundle.listed(&input),
        [("z.zip!/good.log".to_owned(), "log", LOG.to_vec())]
    );
    assert_eq!(
        bundle.rejected(&input),
        [
            "z.zip!/../up.log: its name leads out of the archive",
            "z.zip!/secret.log: encrypted: unpack it with its password and give the result",
        ]
    );
}

#[test]
fn zip_members_that_share_bytes_are_refused() {
    let bytes = input_kit::overlapping_zip(LOG);
    let bundle = Bundle::new().file("z.zip", &bytes).file("x.log", LOG);
    let input = bundle.discover();
    let rejected = bundle.rejected(&input);
    assert!(
        rejected.iter().any(|r| r.contains("shares its bytes")),
        "{rejected:?}"
    );
}

#[test]
fn bombs_are_named_and_the_rest_is_read() {
    let zeros = vec![b' '; 20 << 20];
    let mut line = zeros;
    line[..LOG.len()].copy_from_slice(LOG);
    let tight = InputOptions {
        max_ratio: 50,
        ..InputOptions::default()
    };
    let tar = Tar::new()
        .file("good.log", LOG)
        .file("bomb.log", &line)
        .end();
    let bundle = Bundle::new().file("b.tgz", &gz(&tar)).file("x.log", LOG);
    let input = bundle.discover_with(&tight);
    assert_eq!(
        bundle.listed(&input),
        [
            ("b.tgz!/good.log".to_owned(), "log", LOG.to_vec()),
            ("x.log".to_owned(), "log", LOG.to_vec()),
        ]
    );
    let rejected = bundle.rejected(&input);
    assert!(
        rejected
            .iter()
            .any(|r| r.starts_with("b.tgz!/bomb.log: expands more than 50 times")),
        "{rejected:?}"
    );

    // A compressed log is not unpacked before it is parsed: the bomb shows while it is read.
    let bundle = Bundle::new().file("b.log.gz", &gz(&line));
    let input = bundle.discover_with(&tight);
    let error = std::io::copy(
        &mut input.open(input.sources[0].id).unwrap(),
        &mut std::io::sink(),
    )
    .unwrap_err();
    assert!(error.to_string().contains("expands more than 50 times"));
}

#[test]
fn the_total_limit_holds_over_all_archives_in_path_order() {
    let log = input_kit::noisy_log(1, 60_000);
    let tar = gz(&Tar::new().file("x.log", &log).end());
    let bundle = Bundle::new()
        .file("a.tgz", &tar)
        .file("b.tgz", &tar)
        .file("c.zip", &zip_of(&[("x.log", &log)]));
    let small = InputOptions {
        max_total: 100_000,
        ..InputOptions::default()
    };
    let input = bundle.discover_with(&small);
    let listed = bundle.listed(&input);
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].0, "a.tgz!/x.log");
    let rejected = bundle.rejected(&input);
    assert!(
        rejected.iter().all(|r| r.contains("100000 bytes")),
        "{rejected:?}"
    );
    assert!(
        rejected.iter().any(|r| r.starts_with("c.zip!/x.log")),
        "{rejected:?}"
    );
}

#[test]
fn a_cut_archive_gives_its_beginning_and_says_where_it_ends() {
    let first = input_kit::noisy_log(1, 50_000);
    let second = input_kit::noisy_log(2, 50_000);
    let tar = Tar::new()
        .file("1.log", &first)
        .file("2.log", &second)
        .end();
    for (name, bytes) in [
        ("c.tar", tar[..80_000].to_vec()),
        ("c.tgz", {
            let packed = gz(&tar);
            packed[..packed.len() * 8 / 10].to_vec()
        }),
    ] {
        let bundle = Bundle::new().file(name, &bytes);
        let input = bundle.discover();
        let listed = bundle.listed(&input);
        assert_eq!(listed.len(), 2, "{name}");
        assert!(listed[0].2 == first, "{name}");
        assert!(
            listed[1].2.len() > 10_000 && second.starts_with(&listed[1].2),
            "{name}"
        );
        let rejected = bundle.rejected(&input);
        assert!(
            rejected.iter().any(|r| r.starts_with(&format!("{name}:"))),
            "{rejected:?}"
        );
    }
}

#[test]
fn a_cut_zip_gives_the_members_before_the_cut() {
    let first = input_kit::noisy_log(1, 50_000);
    let second = input_kit::noisy_log(2, 50_000);
    let members = [("1.log", &first[..]), ("2.log", &second[..])];
    for zip in [zip_of(&members), input_kit::zip_written_to_a_pipe(&members)] {
        let bundle = Bundle::new().file("c.zip", &zip[..zip.len() * 7 / 10]);
        let input = bundle.discover();
        let listed = bundle.listed(&input);
        assert_eq!(listed.len(), 2);
        assert!(listed[0].2 == first);
        assert!(listed[1].2.len() > 10_000 && second.starts_with(&listed[1].2));
        let rejected = bundle.rejected(&input);
        assert!(rejected[0].contains("2 members were found"), "{rejected:?}");
    }
}

#[test]
fn an_archive_cut_at_every_kind_of_place_never_fails_as_a_whole() {
    let tar = Tar::new()
        .file(&format!("{}/nats.log", "long".repeat(60)), LOG)
        .file("c.pcap", &pcap(2))
        .end();
    let zip = zip_of(&[("nats.log", LOG), ("c.pcap", &pcap(2))]);
    let packed = gz(&tar);
    for whole in [tar, zip, packed] {
        for end in (1..whole.len()).step_by(whole.len() / 61) {
            let bundle = Bundle::new().file("cut", &whole[..end]).file("x.log", LOG);
            let input = bundle.discover();
            assert!(
                bundle.listed(&input).iter().any(|(p, _, _)| p == "x.log"),
                "{end}"
            );
        }
    }
}

#[test]
fn flipped_bits_never_panic() {
    let tar = Tar::new()
        .file("nats.log", LOG)
        .file("c.pcap", &pcap(2))
        .end();
    let zip = zip_of(&[("nats.log", LOG), ("c.pcap", &pcap(2))]);
    for whole in [tar, zip] {
        for at in (0..whole.len()).step_by(whole.len() / 97) {
            let mut bad = whole.clone();
            bad[at] ^= 0xff;
            let bundle = Bundle::new().file("bad", &bad).file("x.log", LOG);
            let input = bundle.discover();
            assert!(
                bundle.listed(&input).iter().any(|(p, _, _)| p == "x.log"),
                "{at}"
            );
        }
    }
}

#[test]
fn a_flood_of_bad_members_is_counted_not_listed() {
    let mut tar = Tar::new();
    for i in 0..1_000 {
        tar = tar.link(&format!("l{i:04}"), "/etc/passwd", b'2');
    }
    let bundle = Bundle::new().file("f.tar", &tar.file("good.log", LOG).end());
    let input = bundle.discover();
    assert_eq!(bundle.listed(&input).len(), 1);
    assert_eq!(input.rejects.len(), 201);
    assert_eq!(input.rejects.iter().map(|r| r.count).sum::<u64>(), 1_000);
}

#[test]
fn a_claimed_size_is_not_believed() {
    let mut tar = Tar::new().file("huge.log", LOG).end();
    input_kit::claim_size(&mut tar, "77777777777");
    let bundle = Bundle::new().file("t.tar", &tar).file("t.tgz", &gz(&tar));
    let input = bundle.discover();
    for (path, _, got) in bundle.listed(&input) {
        assert!(got.starts_with(LOG), "{path}");
        assert!(got.len() <= tar.len(), "{path}");
    }
}
