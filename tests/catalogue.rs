//! The register of rules, the catalogue of texts and the README's table name the same causes.

mod incident_kit;

use std::collections::BTreeSet;

use incident_kit::incidents;
use natsleuth::attribute::catalogue::CATALOGUE;
use natsleuth::attribute::causes::REGISTER;

/// Entries that no rule of the register yields, with the reason.
const WITHOUT_RULE: &[(&str, &str)] = &[("unexplained", "what is left when no rule applies")];

fn rules() -> BTreeSet<String> {
    REGISTER
        .iter()
        .map(|rule| format!("{}/{}", rule.cause, rule.detail))
        .collect()
}

fn entries() -> BTreeSet<String> {
    CATALOGUE
        .iter()
        .map(natsleuth::attribute::catalogue::Entry::name)
        .collect()
}

#[test]
fn every_rule_has_a_text_and_every_text_a_rule() {
    let excused: BTreeSet<String> = WITHOUT_RULE
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    let (rules, entries) = (rules(), entries());
    assert_eq!(
        rules.difference(&entries).collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
    assert_eq!(
        entries.difference(&rules).collect::<Vec<_>>(),
        excused.iter().collect::<Vec<_>>()
    );
}

#[test]
fn every_rule_has_a_recorded_case() {
    let incidents = incidents();
    let truths = incidents.iter().flat_map(|incident| &incident.closes);
    let recorded: BTreeSet<String> = truths
        .map(|truth| format!("{}/{}", truth.cause, truth.detail))
        .collect();
    let rules = rules();
    let missing: Vec<&String> = rules.difference(&recorded).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn nothing_stands_twice() {
    assert_eq!(rules().len(), REGISTER.len());
    assert_eq!(entries().len(), CATALOGUE.len());
}

#[test]
fn every_text_has_its_headings() {
    for entry in CATALOGUE {
        let name = entry.name();
        assert!(!entry.definition().is_empty(), "{name}");
        let headings: Vec<&str> = entry
            .text
            .lines()
            .filter_map(|line| line.strip_prefix("## "))
            .collect();
        assert!(
            headings.contains(&"How it shows") || entry.detail.is_empty(),
            "{name}: {headings:?}"
        );
        assert!(headings.contains(&"What to do"), "{name}: {headings:?}");
    }
}

#[test]
fn the_readme_names_every_cause_and_detail() {
    let readme = include_str!("../README.md");
    for entry in CATALOGUE {
        let row = readme
            .lines()
            .find(|line| line.starts_with(&format!("| {} |", entry.cause)));
        let row = row.unwrap_or_else(|| panic!("README has no row for {}", entry.cause));
        assert!(
            row.contains(entry.detail),
            "README's row of {} lacks {}",
            entry.cause,
            entry.detail
        );
    }
}
