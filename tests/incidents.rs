//! Real incidents with their true verdicts: every fixture folder, told whole.

#![allow(
    clippy::print_stdout,
    reason = "the precision of each confidence word is the test's report"
)]

mod incident_kit;

use std::collections::BTreeMap;
use std::fs;

use incident_kit::{Incident, analyze_paths, incidents, is_capture, verdict};
use natsleuth::attribute::finding::{Analysis, Confidence};
use natsleuth::span::{Cite, Place};

/// Incidents with closes that share another close's proof and cite nothing of their own yet.
const UNCITED: &[&str] = &["server-killed"];

/// How many packets a classic capture holds.
fn frames(file: &[u8]) -> u64 {
    let little = file[0] == 0xd4 || file[0] == 0x4d;
    let (mut at, mut count) = (24, 0);
    while at + 16 <= file.len() {
        let field: [u8; 4] = file[at + 8..at + 12].try_into().expect("four bytes");
        let length = if little {
            u32::from_le_bytes(field)
        } else {
            u32::from_be_bytes(field)
        };
        at += 16 + length as usize;
        count += 1;
    }
    count
}

/// How many lines or frames each source has, in the analysis's order.
fn extents(analysis: &Analysis) -> Vec<u64> {
    let extent = |path: &str| {
        let bytes = fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        if is_capture(path.as_ref()) {
            frames(&bytes)
        } else {
            bytes.split(|&byte| byte == b'\n').count() as u64
        }
    };
    analysis
        .sources
        .iter()
        .map(|source| extent(&source.path))
        .collect()
}

fn exists(cite: Cite, extents: &[u64]) -> bool {
    let extent = extents[cite.source.0 as usize];
    match cite.place {
        Place::Line(number) | Place::Frame(number) => (1..=extent).contains(&number),
        Place::Byte(_) => true,
    }
}

/// What is wrong with the analysis of one incident.
fn complaints(incident: &Incident, analysis: &Analysis) -> Vec<String> {
    let name = &incident.name;
    let mut wrong = incident.untrue(analysis);
    let extents = extents(analysis);
    for close in analysis.closes.iter() {
        let socket = close
            .client
            .map_or_else(|| close.id.clone(), |address| address.to_string());
        if incident.must_not.iter().any(|cause| cause == close.cause) {
            wrong.push(format!(
                "{name} {socket}: {} must not appear",
                verdict(Some(&close))
            ));
        }
        let fault = close.cause != "client-close" && close.cause != "unexplained";
        if fault && close.evidence.is_empty() && !UNCITED.contains(&name.as_str()) {
            wrong.push(format!(
                "{name} {socket}: {} without a citation",
                verdict(Some(&close))
            ));
        }
        for evidence in &close.evidence {
            if !exists(evidence.cite, &extents) {
                wrong.push(format!(
                    "{name} {socket}: {:?} does not exist",
                    evidence.cite
                ));
            }
        }
    }
    wrong
}

#[test]
fn every_incident_gets_its_true_verdicts_with_citations_that_open() {
    let incidents = incidents();
    assert!(incidents.len() >= 20, "{} incidents", incidents.len());
    // For each confidence word: verdicts with a right cause, and verdicts.
    let mut precision: BTreeMap<Confidence, (u32, u32)> = BTreeMap::new();
    let mut wrong = Vec::new();
    for incident in &incidents {
        assert!(
            !incident.closes.is_empty(),
            "{}: nothing is expected",
            incident.name
        );
        let analysis = analyze_paths(&incident.evidence());
        wrong.extend(complaints(incident, &analysis));
        for (truth, close) in incident.pairs(&analysis) {
            let Some(close) = close.filter(|close| close.cause != "unexplained") else {
                continue;
            };
            let (right, all) = precision.entry(close.confidence).or_default();
            *all += 1;
            *right += u32::from(truth.allows_cause(&close));
        }
    }
    for (word, (right, all)) in precision.iter().rev() {
        println!("{:8} {right} of {all} verdicts right", word.word());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for word in [Confidence::Stated, Confidence::Shown] {
        let (right, all) = precision[&word];
        assert_eq!(right, all, "{} is never wrong", word.word());
    }
}

#[test]
fn every_case_says_what_it_is() {
    for incident in incidents() {
        let Incident {
            name,
            story,
            origin,
            edits,
            ..
        } = &incident;
        assert!(
            story.len() > 20 && origin.len() > 20 && !edits.is_empty(),
            "{name}"
        );
        let bytes: u64 = incident
            .evidence()
            .iter()
            .map(|path| fs::metadata(path).expect("a file").len())
            .sum();
        assert!(bytes < 210_000, "{name} holds {bytes} bytes");
        for truth in &incident.closes {
            assert!(
                !incident.must_not.contains(&truth.cause),
                "{name}: {}",
                truth.cause
            );
        }
    }
}
