//! The text report of every sample, and what must hold for all of them.

use super::*;
use crate::attribute::finding::Analysis;
use crate::report::{Filter, Format, render, sample};

fn text(analysis: &Analysis, options: &RenderOptions) -> String {
    let mut out = Vec::new();
    render(analysis, Format::Text, options, &mut out).expect("writing to memory");
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn a_killed_server_reads_from_answer_to_remedy() {
    insta::assert_snapshot!(
        "killed.txt",
        text(&sample::killed(), &RenderOptions::default())
    );
}

#[test]
fn a_silent_path_reads_well_in_eighty_columns_and_with_everything() {
    let mut options = RenderOptions {
        width: 80,
        ..RenderOptions::default()
    };
    insta::assert_snapshot!("silent_path.txt", text(&sample::silent_path(), &options));
    options.verbose = true;
    insta::assert_snapshot!(
        "silent_path_verbose.txt",
        text(&sample::silent_path(), &options)
    );
}

#[test]
fn thousands_of_closes_stay_readable() {
    let shown = text(&sample::full(5_000), &RenderOptions::default());
    assert!(shown.lines().count() < 100, "{shown}");
    insta::assert_snapshot!("full.txt", shown);
}

#[test]
fn a_filter_keeps_counts_honest() {
    let options = RenderOptions {
        summary: true,
        shown: Filter {
            closes: Some(vec![3]),
        },
        ..RenderOptions::default()
    };
    let shown = text(&sample::killed(), &options);
    assert!(shown.contains("1 of 4 closes shown"), "{shown}");
    assert!(!shown.contains("was killed"), "{shown}");
}

#[test]
fn nothing_that_a_terminal_obeys_gets_through() {
    let options = RenderOptions {
        verbose: true,
        ..RenderOptions::default()
    };
    let shown = text(&sample::hostile(), &options);
    assert!(shown.contains("\\x1b[31m"));
    assert!(
        shown.chars().all(|char| char == '\n' || !char.is_control()),
        "{shown}"
    );
    assert!(!shown.contains('\u{202e}'));
}

#[test]
fn colour_only_where_asked_for() {
    let analysis = sample::killed();
    let plain = RenderOptions::default();
    let coloured = RenderOptions {
        color: true,
        ..RenderOptions::default()
    };
    assert!(!text(&analysis, &plain).contains('\x1b'));
    let mut bare = String::new();
    for part in text(&analysis, &coloured).split('\x1b') {
        bare.push_str(
            part.strip_prefix('[')
                .and_then(|part| part.split_once('m'))
                .map_or(part, |(_, rest)| rest),
        );
    }
    assert_eq!(bare, text(&analysis, &plain));
}

#[test]
fn nothing_found_is_said_in_one_line() {
    let shown = text(&Analysis::default(), &RenderOptions::default());
    assert!(shown.starts_with("No closed connection was found in this input.\n"));
}
