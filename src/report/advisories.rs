//! `advisories`: the data base for people. Without an id the list by component, with one the advisory or rule.

use std::io::{self, Write};

use super::explain::distance;
use super::prose::Prose;
use crate::attribute::advisories::{Advisories, Advisory, Rule};

/// How many near ids are suggested.
const SUGGESTIONS: usize = 3;

/// Writes the list (`id` is `None`), the advisories of a component (`nats.go`), or one advisory or compatibility rule.
/// False: nothing has that name, and suggestions were written instead.
pub fn render(
    data: &Advisories,
    id: Option<&str>,
    color: bool,
    width: usize,
    out: &mut dyn Write,
) -> io::Result<bool> {
    let mut prose = Prose { out, color, width };
    let Some(id) = id.map(str::trim) else {
        list(data, None, &mut prose)?;
        return Ok(true);
    };
    let advisory = data.find(id);
    let rule = data.rule(id);
    if let Some(advisory) = advisory {
        explain(advisory, &mut prose)?;
    }
    if let Some(rule) = rule {
        explain_rule(rule, &mut prose)?;
    }
    if advisory.is_some() || rule.is_some() {
        return Ok(true);
    }
    if data.advisories.iter().any(|known| known.component == id) {
        list(data, Some(id), &mut prose)?;
        return Ok(true);
    }
    unknown(data, id, &mut prose)?;
    Ok(false)
}

fn list(data: &Advisories, component: Option<&str>, prose: &mut Prose<'_>) -> io::Result<()> {
    let mut last = "";
    let mut rows: Vec<&Advisory> = data
        .advisories
        .iter()
        .filter(|advisory| component.is_none_or(|wanted| wanted == advisory.component))
        .collect();
    // Stable: within a component the data's order stays.
    rows.sort_by_key(|advisory| advisory.component.as_str());
    for advisory in rows {
        if advisory.component != last {
            if !last.is_empty() {
                prose.gap()?;
            }
            last = &advisory.component;
            let newest = data
                .newest
                .get(last)
                .map_or(String::new(), |version| format!(" (known up to {version})"));
            prose.heading(&format!("{last}{newest}"))?;
        }
        prose.fill(
            "  ",
            "    ",
            &format!("{}: {}", advisory.id, advisory.summary),
        )?;
    }
    if component.is_none() {
        prose.gap()?;
        prose.heading("compatibility rules")?;
        for rule in &data.rules {
            prose.fill("  ", "    ", &format!("{}: {}", rule.id, rule.feature))?;
        }
        prose.gap()?;
        prose.fill(
            "",
            "",
            &format!(
                "{} advisories and {} rules as of {}; not covered: {}.",
                data.advisories.len(),
                data.rules.len(),
                data.snapshot,
                if data.not_covered.is_empty() {
                    "nothing known".to_owned()
                } else {
                    data.not_covered.join(", ")
                }
            ),
        )?;
    }
    Ok(())
}

fn explain(advisory: &Advisory, prose: &mut Prose<'_>) -> io::Result<()> {
    prose.heading(&advisory.id)?;
    prose.gap()?;
    prose.fill("", "", &advisory.summary)?;
    let fixed = if advisory.fixed_in.is_empty() {
        "not at this data's date".to_owned()
    } else {
        advisory.fixed_in.join(", ")
    };
    let closes = match advisory.closes_connections.as_str() {
        "true" => "yes",
        "indirect" => "as a consequence",
        _ => "no, it is only mistaken for it",
    };
    prose.gap()?;
    for (name, value) in [
        ("Product", advisory.component.clone()),
        ("Affected", advisory.affected.join(" or ")),
        ("Fixed in", fixed),
        ("Connections", advisory.connection_kinds.join(", ")),
        ("Closes them", closes.to_owned()),
        ("Known from", advisory.confidence.clone()),
    ] {
        prose.fill(&format!("{name:<13}"), &" ".repeat(13), &value)?;
    }
    section(prose, "Why", &[advisory.cause_detail.as_str()])?;
    items(prose, "How it shows", &advisory.symptoms)?;
    items(prose, "Functions in the trace", &advisory.stack_functions)?;
    section(prose, "Until the upgrade", &[advisory.workaround.as_str()])?;
    items(prose, "References", &advisory.references)
}

fn explain_rule(rule: &Rule, prose: &mut Prose<'_>) -> io::Result<()> {
    prose.heading(&rule.id)?;
    prose.gap()?;
    prose.fill("", "", &rule.feature)?;
    let mut first: Vec<String> = Vec::new();
    if !rule.min_server.is_empty() {
        first.push(format!("nats-server {}", rule.min_server));
    }
    first.extend(
        rule.min_client
            .iter()
            .map(|(name, v)| format!("{name} {v}")),
    );
    items(prose, "First version with it", &first)?;
    section(prose, "With an older server", &[&rule.when_server_older])?;
    section(prose, "With an older client", &[&rule.when_client_older])?;
    items(prose, "How it shows", &rule.symptoms)?;
    section(prose, "Notes", &[&rule.notes])?;
    items(prose, "References", &rule.references)
}

fn section(prose: &mut Prose<'_>, title: &str, paragraphs: &[&str]) -> io::Result<()> {
    let mut said = paragraphs.iter().filter(|text| !text.is_empty()).peekable();
    if said.peek().is_none() {
        return Ok(());
    }
    prose.gap()?;
    prose.heading(title)?;
    said.try_for_each(|text| prose.fill("", "", text))
}

fn items(prose: &mut Prose<'_>, title: &str, texts: &[String]) -> io::Result<()> {
    if texts.is_empty() {
        return Ok(());
    }
    prose.gap()?;
    prose.heading(title)?;
    texts
        .iter()
        .try_for_each(|text| prose.fill("- ", "  ", text))
}

fn unknown(data: &Advisories, id: &str, prose: &mut Prose<'_>) -> io::Result<()> {
    // The id comes from the command line: escaped, so that it cannot steer the terminal.
    let shown: String = id.escape_debug().collect();
    prose.fill(
        "",
        "",
        &format!("no advisory is called '{shown}'; near it are:"),
    )?;
    let ids = data.advisories.iter().map(|advisory| &advisory.id);
    let mut near: Vec<(usize, &String)> = ids
        .chain(data.rules.iter().map(|rule| &rule.id))
        .map(|known| {
            let inside = id.len() > 2 && known.contains(&id.to_ascii_lowercase());
            (if inside { 0 } else { distance(id, known) }, known)
        })
        .collect();
    near.sort();
    near.into_iter()
        .take(SUGGESTIONS)
        .try_for_each(|(_, known)| prose.fill("  ", "  ", known))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::advisories::embedded;

    fn printed(id: Option<&str>) -> (bool, String) {
        let mut out = Vec::new();
        let found = render(embedded(), id, false, 90, &mut out).unwrap();
        (found, String::from_utf8(out).unwrap())
    }

    #[test]
    fn the_list_has_every_advisory_and_its_limits() {
        let (found, text) = printed(None);
        assert!(found);
        for advisory in &embedded().advisories {
            assert!(
                text.contains(&format!("  {}:", advisory.id)),
                "{}",
                advisory.id
            );
        }
        assert!(text.contains("nats-server (known up to 2.14.5)\n"));
        assert!(text.contains("not covered: nats-server 2.14.6"));
    }

    #[test]
    fn one_advisory_in_full() {
        let (found, text) = printed(Some("SERVER-ldm-account-limit-double-count"));
        assert!(found);
        for part in [
            "Affected     >=2.0.0, <2.11.11 or >=2.12.0, <2.12.2\n",
            "Fixed in     2.11.11, 2.12.2\n",
            "How it shows\n- -ERR 'maximum account active connections exceeded'\n",
            "- nats-io/nats-server#7527\n",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }

    #[test]
    fn a_rule_a_component_and_a_misspelling() {
        let (found, text) = printed(Some("headers"));
        assert!(
            found && text.contains("- nats-server 2.2.0\n") && text.contains("- nats.py 2.0.0\n")
        );
        let (found, text) = printed(Some("nats.py"));
        assert!(found && text.contains("natspy-flusher-task-dies:") && !text.contains("natsgo-"));
        let (found, text) = printed(Some("natspy-flusher-task-dyes\x1b"));
        assert!(!found && text.contains("  natspy-flusher-task-dies\n"));
        assert!(!text.contains('\x1b'));
    }
}
