//! The smallest bundle: a fraction of the records, the same verdict.

mod incident_kit;

use std::fs;

use incident_kit::incidents;
use natsleuth::analyze::{self, Options};
use natsleuth::attribute::finding::Close;
use natsleuth::progress::Silent;
use natsleuth::reduce;

/// Analyses that one close may cost here.
const RUNS: usize = 60;

fn said(close: &Close) -> (Option<std::net::SocketAddr>, &str, &str, &str) {
    (
        close.client,
        close.cause,
        close.detail,
        close.confidence.word(),
    )
}

#[test]
fn few_records_give_the_same_verdict() {
    let options = Options {
        ports_are_default: true,
        ..Options::default()
    };
    for name in [
        "server-killed",
        "oom-kill",
        "rst-injected",
        "blackhole",
        "wrong-password",
        "leafnode-blackhole",
    ] {
        let incident = incidents()
            .into_iter()
            .find(|incident| incident.name == name)
            .expect("an incident");
        let paths = incident.evidence();
        let (input, analysis) = analyze::analyze(&paths, &options, &Silent).expect("an analysis");
        let truth = &incident.closes[0];
        let index = analysis
            .closes
            .iter()
            .position(|close| truth.allows(&close))
            .expect("a close");
        let dir = tempfile::tempdir().expect("a folder");
        let out = dir.path().join("out");
        let done = reduce::reduce(
            &paths,
            (&input, &analysis),
            &[index],
            &out,
            (&options, RUNS),
            &Silent,
        )
        .expect("a bundle");
        let kept: usize = done.files.iter().map(|(_, records)| records).sum();
        assert!(done.runs <= RUNS + 2, "{name}: {done:?}");
        assert!(kept * 4 < done.before, "{name}: {kept} of {}", done.before);
        for (file, _) in &done.files {
            assert!(
                fs::metadata(out.join(file)).is_ok_and(|meta| meta.len() > 0),
                "{name}: {}",
                file.display()
            );
        }
        let again = analyze::analyze(&[out], &options, &Silent)
            .expect("an analysis")
            .1;
        let close = analysis.closes.whole(index);
        let want = said(&close);
        assert!(
            again.closes.iter().any(|close| said(&close) == want),
            "{name}: {want:?}"
        );
    }
}

#[test]
fn a_folder_with_files_is_left_alone() {
    let incident = incidents().remove(0);
    let paths = incident.evidence();
    let options = Options::default();
    let (input, analysis) = analyze::analyze(&paths, &options, &Silent).expect("an analysis");
    let dir = tempfile::tempdir().expect("a folder");
    fs::write(dir.path().join("mine"), "x").expect("a file");
    let refused = reduce::reduce(
        &paths,
        (&input, &analysis),
        &[0],
        dir.path(),
        (&options, 1),
        &Silent,
    );
    assert!(matches!(refused, Err(reduce::Error::NotEmpty { .. })));
}
