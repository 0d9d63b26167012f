//! `explain`: the catalogue for people. Without a selector the list, with one the texts, with an unknown one suggestions.

use std::io::{self, Write};

use super::prose::Prose;
use crate::attribute::catalogue::{CATALOGUE, Entry};

/// How many near names are suggested.
const SUGGESTIONS: usize = 3;

/// Writes the catalogue's list (`selector` is `None`), every text of a cause (`network`), or one text
/// (`network/reset`, or the detail alone). False: nothing has that name, and suggestions were written instead.
pub fn render(
    selector: Option<&str>,
    color: bool,
    width: usize,
    out: &mut dyn Write,
) -> io::Result<bool> {
    let mut prose = Prose { out, color, width };
    let Some(selector) = selector else {
        list(&mut prose)?;
        return Ok(true);
    };
    let wanted = normal(selector);
    let chosen: Vec<&Entry> = CATALOGUE
        .iter()
        .filter(|entry| entry.cause == wanted || entry.detail == wanted || entry.name() == wanted)
        .collect();
    if chosen.is_empty() {
        unknown(&mut prose, selector, &wanted)?;
        return Ok(false);
    }
    for entry in chosen {
        prose.markdown(entry.text)?;
    }
    Ok(true)
}

/// Lower case, with `-` for `_` and blanks: what people type for a name.
fn normal(selector: &str) -> String {
    selector
        .trim()
        .trim_matches('/')
        .to_ascii_lowercase()
        .replace(['_', ' '], "-")
}

fn list(prose: &mut Prose<'_>) -> io::Result<()> {
    let indent = CATALOGUE
        .iter()
        .map(|entry| entry.detail.len())
        .max()
        .unwrap_or(0)
        + 4;
    let mut cause = "";
    for entry in CATALOGUE {
        if entry.cause != cause {
            if !cause.is_empty() {
                prose.gap()?;
            }
            cause = entry.cause;
            prose.heading(cause)?;
        }
        let name = format!("  {:1$}", entry.detail, indent - 2);
        prose.fill(&name, &" ".repeat(indent), &entry.definition())?;
    }
    Ok(())
}

fn unknown(prose: &mut Prose<'_>, selector: &str, wanted: &str) -> io::Result<()> {
    let mut near: Vec<(usize, String)> = CATALOGUE
        .iter()
        .map(|entry| (nearness(wanted, entry), entry.name()))
        .collect();
    near.sort();
    // The selector comes from the command line: escaped, so that it cannot steer the terminal.
    prose.fill(
        "",
        "",
        &format!(
            "no cause is called '{}'; near it are:",
            selector.escape_debug()
        ),
    )?;
    for (_, name) in near.into_iter().take(SUGGESTIONS) {
        prose.fill("  ", "  ", &name)?;
    }
    Ok(())
}

/// The smallest edit distance from `wanted` to any spelling of an entry; 0 where one holds the other.
fn nearness(wanted: &str, entry: &Entry) -> usize {
    let name = entry.name();
    if wanted.len() > 2 && name.contains(wanted) {
        return 0;
    }
    [entry.cause, entry.detail, name.as_str()]
        .into_iter()
        .filter(|spelling| !spelling.is_empty())
        .map(|spelling| distance(wanted, spelling))
        .min()
        .unwrap_or(usize::MAX)
}

/// Levenshtein's edit distance of at most the first 64 bytes of each.
pub fn distance(a: &str, b: &str) -> usize {
    const LONGEST: usize = 64;
    let a = &a.as_bytes()[..a.len().min(LONGEST)];
    let b = &b.as_bytes()[..b.len().min(LONGEST)];
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explain(selector: Option<&str>) -> (bool, String) {
        let mut out = Vec::new();
        let found = render(selector, false, 80, &mut out).unwrap();
        (found, String::from_utf8(out).unwrap())
    }

    #[test]
    fn the_list_names_every_entry_once_within_the_width() {
        let (found, text) = explain(None);
        assert!(found);
        for entry in CATALOGUE.iter().filter(|entry| !entry.detail.is_empty()) {
            let line = format!("  {} ", entry.detail);
            let hits = text.lines().filter(|l| l.starts_with(&line)).count();
            let same = CATALOGUE
                .iter()
                .filter(|e| e.detail == entry.detail)
                .count();
            assert_eq!(hits, same, "{}", entry.name());
        }
        assert!(text.lines().all(|line| line.chars().count() <= 80));
    }

    #[test]
    fn a_detail_a_cause_and_a_full_name_are_found() {
        let (found, one) = explain(Some("network/rst-injected"));
        assert!(found && one.starts_with("network/rst-injected\n"));
        assert!(one.contains("What speaks against it\n"));
        assert_eq!(explain(Some("RST_injected")).1, one);
        let (_, all) = explain(Some("operator"));
        assert!(all.contains("operator/kicked\n") && all.contains("operator/config-reload\n"));
    }

    #[test]
    fn an_unknown_name_gets_suggestions() {
        let (found, text) = explain(Some("kikced"));
        assert!(!found);
        assert!(text.contains("operator/kicked"), "{text}");
        let (found, text) = explain(Some("\x1b[31m"));
        assert!(!found && !text.contains('\x1b'));
    }

    #[test]
    fn distances() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("same", "same"), 0);
    }
}
