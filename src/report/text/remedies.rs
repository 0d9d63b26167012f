//! What to do, last: for each incident, then for closes outside incidents, each advice once.

use std::io;

use super::answer::label;
use super::pen::{Indent, Ink, Pen};
use super::{Page, cap, close};
use crate::report::phrase::{count, ordinary};

/// Advice shared by incidents and closes.
struct Advice<'a> {
    cause: &'static str,
    detail: &'static str,
    about: Vec<&'a str>,
    steps: &'a [String],
}

pub(super) fn write(page: &Page<'_>, pen: &mut Pen<'_>) -> io::Result<()> {
    let advices = gathered(page);
    if advices.is_empty() {
        return Ok(());
    }
    pen.title("WHAT TO DO")?;
    let advice_cap = page.cap(cap::ADVICE);
    for advice in advices.iter().take(advice_cap) {
        let most = page.cap(cap::NAMES);
        let mut about = advice
            .about
            .iter()
            .take(most)
            .copied()
            .collect::<Vec<_>>()
            .join(", ");
        if advice.about.len() > most {
            about.push_str(&format!(" and {} more", advice.about.len() - most));
        }
        let cause = label(advice.cause, advice.detail);
        pen.write(
            Indent::hanging(0, 4),
            &[
                (close::ink(advice.cause), &cause),
                (Ink::Dim, &format!("  {about}")),
            ],
        )?;
        for step in advice.steps {
            pen.plain(Indent::hanging(2, 4), &format!("- {step}"))?;
        }
    }
    if advices.len() > advice_cap {
        let more = count(advices.len() - advice_cap, "more", "more");
        pen.write(
            Indent::default(),
            &[(Ink::Dim, &format!("... and {more}; -v shows all"))],
        )?;
    }
    Ok(())
}

fn gathered<'a>(page: &Page<'a>) -> Vec<Advice<'a>> {
    let analysis = page.shown.analysis;
    let mut advices: Vec<Advice<'a>> = Vec::new();
    let mut add = |cause, detail, about: &'a str, steps: &'a [String]| {
        if steps.is_empty() || (ordinary(cause) && !page.options.verbose) {
            return;
        }
        let known = advices.iter_mut().find(|advice| {
            (advice.cause, advice.detail) == (cause, detail) && advice.steps == steps
        });
        match known {
            Some(advice) => advice.about.push(about),
            None => advices.push(Advice {
                cause,
                detail,
                about: vec![about],
                steps,
            }),
        }
    };
    for &number in &page.shown.incidents {
        let incident = &analysis.incidents[number];
        add(
            incident.cause,
            incident.detail,
            &incident.id,
            &incident.remedy,
        );
    }
    for &index in &page.shown.closes {
        let close = &analysis.closes[index];
        let told = page.shown.incident_of[index]
            .is_some_and(|number| !analysis.incidents[number].remedy.is_empty());
        if !told {
            add(close.cause, close.detail, &close.id, &close.remedy);
        }
    }
    advices
}
