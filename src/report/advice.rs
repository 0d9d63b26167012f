//! What to do: for each incident, then for closes outside incidents, each advice once.

use std::borrow::Cow;

use super::Shown;
use super::phrase::ordinary;

/// Advice shared by incidents and closes.
pub struct Advice<'a> {
    /// Cause.
    pub cause: &'static str,
    /// Detail.
    pub detail: &'static str,
    /// Ids of the incidents and closes it is about.
    pub about: Vec<String>,
    /// What to do.
    pub steps: Cow<'a, [String]>,
}

/// All advice shown, worst incident first. `ordinary_too` includes closes that somebody meant.
pub fn gathered<'a>(shown: &Shown<'a>, ordinary_too: bool) -> Vec<Advice<'a>> {
    let analysis = shown.analysis;
    let mut advices: Vec<Advice<'a>> = Vec::new();
    let idle = |cause: &str| ordinary(cause) && !ordinary_too;
    let mut add = |cause, detail, about: String, steps: Cow<'a, [String]>| {
        if steps.is_empty() || idle(cause) {
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
    for &number in &shown.incidents {
        let incident = &analysis.incidents[number];
        add(
            incident.cause,
            incident.detail,
            incident.id.clone(),
            Cow::Borrowed(&incident.remedy),
        );
    }
    for &index in &shown.closes {
        let close = &analysis.closes[index];
        let told = shown.incident_of[index]
            .is_some_and(|number| !analysis.incidents[number].remedy.is_empty());
        if !told && close.remedies > 0 && !idle(close.cause()) {
            let steps = analysis.closes.whole(index).remedy.clone();
            add(close.cause(), close.detail(), close.id(), Cow::Owned(steps));
        }
    }
    advices
}
