//! The page in a browser, where one is installed: nothing of a log runs, the filter works, many closes open.

use std::path::PathBuf;
use std::process::Command;

use crate::attribute::finding::Analysis;
use crate::report::{Format, RenderOptions, render, sample};

fn page(analysis: &Analysis) -> String {
    let options = RenderOptions {
        command: ["natsleuth", "analyze", "it's here/logs", "--format", "html"]
            .map(str::to_owned)
            .to_vec(),
        ..RenderOptions::default()
    };
    let mut out = Vec::new();
    render(analysis, Format::Html, &options, &mut out).expect("memory");
    String::from_utf8(out).expect("UTF-8")
}

/// The document after its script ran, or `None` where there is no Chromium.
fn in_browser(html: &str, fragment: &str) -> Option<String> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let path = std::env::var_os("PATH")?;
    let browser = std::env::split_paths(&path)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|file| file.is_file());
    let Some(browser) = browser else {
        skip_line();
        return None;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let file: PathBuf = folder.path().join("report.html");
    std::fs::write(&file, html).expect("written");
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--dump-dom",
        ])
        .arg(format!(
            "--user-data-dir={}",
            folder.path().join("profile").display()
        ))
        .arg(format!("file://{}{fragment}", file.display()))
        .output()
        .expect("the browser starts");
    let dom = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        dom.contains("data-ready=\"yes\""),
        "the page's script did not finish: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(dom)
}

#[allow(clippy::print_stderr, reason = "a skipped test says so")]
fn skip_line() {
    eprintln!("SKIPPED: no Chromium in PATH, the page was not opened in a browser");
}

#[test]
fn nothing_loads_and_no_placeholder_is_left() {
    for analysis in [sample::killed(), sample::silent_path(), Analysis::default()] {
        let html = page(&analysis);
        assert!(!html.contains("{{"));
        for word in ["http://", "https://", "src=", "@import", "url("] {
            let found = html.replace("http://www.w3.org/2000/svg", "");
            assert!(!found.contains(word), "{word}");
        }
    }
    assert!(page(&sample::killed()).contains("&#39;it&#39;\\&#39;&#39;s here/logs&#39;"));
}

#[test]
fn hostile_text_is_text() {
    let html = page(&sample::hostile());
    // The page's own elements, and none that a log brought.
    assert_eq!(html.matches("<script").count(), 3);
    assert_eq!(html.matches("</script").count(), 3);
    assert!(!html.contains("<img"));
    let Some(dom) = in_browser(&html, "#open=c1") else {
        return;
    };
    assert!(
        dom.contains("<title>natsleuth: &lt;/script&gt;"),
        "the title"
    );
    assert!(!dom.contains("<img"));
    assert!(dom.contains("onerror=document.title"), "shown as text");
}

#[test]
fn the_filter_shows_what_matches_and_counts_it() {
    let html = page(&sample::killed());
    let Some(dom) = in_browser(&html, "#q=app-1&cause=server-shutdown/killed") else {
        return;
    };
    assert!(dom.contains("1 of 4 closes shown"), "{dom}");
    assert_eq!(dom.matches("data-close=\"").count(), 1);
    let dom = in_browser(&html, "#sort=-at").expect("found before");
    let order: Vec<usize> = ["c4", "c3", "c2", "c1"]
        .iter()
        .filter_map(|id| dom.find(&format!("data-close=\"{id}\"")))
        .collect();
    assert_eq!(order.len(), 4);
    assert!(order.is_sorted());
}

#[test]
fn an_opened_close_shows_its_ladder() {
    let Some(dom) = in_browser(&page(&sample::two_sided()), "#open=c1") else {
        return;
    };
    assert!(dom.contains("class=\"ladder\""));
    assert!(dom.contains("300 µs on the way"), "seen by both captures");
    assert!(dom.contains("not in the other capture"));
    assert!(dom.contains("MSG  PSH, ACK seq 4065"));
}

#[test]
fn a_long_stretch_that_nothing_cites_is_folded() {
    let mut analysis = sample::two_sided();
    analysis.records.conns.change(0, |conn| {
        let first = conn.tail[0];
        for step in 1..=12 {
            let mut packet = first;
            packet.at.ns -= step * 1_000_000;
            packet.at.frame -= step as u64;
            conn.tail.insert(0, packet);
        }
    });
    let Some(dom) = in_browser(&page(&analysis), "#open=c1") else {
        return;
    };
    assert_eq!(
        dom.matches("steps that the verdict does not need").count(),
        1
    );
    assert!(
        dom.contains("300 µs on the way"),
        "what is near the end stays"
    );
}

#[test]
fn many_closes_open() {
    let Some(dom) = in_browser(&page(&sample::full(20_000)), "#q=gateway-late-7") else {
        return;
    };
    assert!(dom.contains("of 20 000 closes shown"));
    assert!(dom.matches("data-close=\"").count() <= 200);
}
