//! `version/known-bug`: a known bug of exactly this version, its symptoms included.

use crate::attribute::Case;
use crate::attribute::advisories::version::Version;
use crate::attribute::advisories::{Advisory, Signals, component};
use crate::attribute::disconnect::Disconnect;
use crate::attribute::finding::{Confidence, Evidence, Finding, Initiator};
use crate::attribute::server_gone;
use crate::reconstruct::server::EndManner;

/// Needs the version range and a symptom that decides, never the range alone.
pub fn check(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    server_crash(disconnect, case).or_else(|| client_words(disconnect, case))
}

/// The server crashed where an advisory for its version says that it does.
fn server_crash(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let (_, life) = disconnect.life?;
    let finding = server_gone::finding(
        disconnect,
        case,
        &[EndManner::Crash, EndManner::Fatal],
        "crashed",
    )?;
    let version = life.identity.version.as_deref()?;
    let signals = Signals {
        texts: life.end.evidence.iter().map(|at| &*at.text).collect(),
        trace: life.end.trace.iter().map(|at| &*at.text).collect(),
        kind: None,
    };
    let matches = case.advisories.matching("nats-server", version, &signals);
    let known = matches.first().filter(|known| known.decisive)?;
    let frames = life.end.trace.iter().filter(|at| {
        let named = |part: &&str| at.text.contains(*part);
        known.found.iter().any(named)
    });
    let summary = format!(
        "{} crashed of a known bug of nats-server {version} ({}), and this socket with it",
        case.server_label(disconnect),
        known.advisory.id
    );
    let named = Finding { summary, ..finding };
    Some(advised(
        named.because(frames.map(|at| disconnect.quote(at))),
        known.advisory,
        version,
    ))
}

/// The client's log has words that only a bug of its library's version says.
fn client_words(disconnect: &Disconnect, case: &Case) -> Option<Finding> {
    let events: Vec<_> = disconnect.client_why().collect();
    if events.is_empty() {
        return None;
    }
    let (_, lang, version) = disconnect.client_identity();
    let (lang, version) = (lang?, version?);
    let product = component::of_client(lang, version)?;
    let signals = Signals {
        texts: events.iter().map(|event| &*event.at.text).collect(),
        trace: Vec::new(),
        kind: Some("client"),
    };
    let matches = case.advisories.matching(product, version, &signals);
    let known = matches.first().filter(|known| known.decisive)?;
    let said: Vec<Evidence> = events
        .iter()
        .filter(|event| known.found.iter().any(|part| event.at.text.contains(part)))
        .map(|event| disconnect.quote(&event.at))
        .collect();
    let finding = Finding::new(
        Confidence::Likely,
        Initiator::Client,
        format!(
            "a known bug of {product} {version} ended the connection ({})",
            known.advisory.id
        ),
    );
    Some(advised(finding.because(said), known.advisory, version))
}

/// The release to go to, what helps until then, and where to read more.
fn advised(finding: Finding, advisory: &Advisory, version: &str) -> Finding {
    let fixed = Version::parse(version).and_then(|version| advisory.fix_for(version));
    let upgrade = fixed.map_or_else(
        || format!("no release of {} repaired it yet", advisory.component),
        |fixed| format!("upgrade {} to {fixed} or later", advisory.component),
    );
    let finding = finding.remedy(format!(
        "{upgrade}; natsleuth advisories {} explains",
        advisory.id
    ));
    if advisory.workaround.is_empty() {
        finding
    } else {
        finding.remedy(format!("until then: {}", advisory.workaround))
    }
}
