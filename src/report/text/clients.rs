//! Closes by client: those that lost connections first, equal ones folded and counted.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::pen::{Indent, Ink, Pen};
use super::{Page, cap, close};
use crate::attribute::finding::CloseSketch;
use crate::report::answer::{example, label, lost};
use crate::report::phrase::{count, ordinary, sentence};
use crate::shelf::Shelved;

/// The closes of one client.
struct Client {
    name: String,
    /// Indices.
    closes: Vec<usize>,
    lost: usize,
}

pub(super) fn write(page: &Page<'_>, pen: &mut Pen<'_>) -> io::Result<()> {
    let mut clients = grouped(page);
    if clients.is_empty() {
        return Ok(());
    }
    pen.title("CLOSES BY CLIENT")?;
    let proven = proven(page);
    // Clients that lost nothing are named in one paragraph where others did: the reader looks for those.
    let unharmed = clients.iter().position(|client| client.lost == 0);
    let aside = match unharmed {
        Some(first) if first > 0 && !page.options.verbose => clients.split_off(first),
        _ => Vec::new(),
    };
    let most = page.cap(cap::CLIENTS);
    for client in clients.iter().take(most) {
        told(page, pen, client, &proven)?;
    }
    if let Some(rest) = clients.get(most..).filter(|rest| !rest.is_empty()) {
        let closes: usize = rest.iter().map(|client| client.closes.len()).sum();
        let text = format!(
            "... and {} with {}; -v lists all, --client and --cause select",
            count(rest.len(), "more client", "more clients"),
            count(closes, "close", "closes")
        );
        pen.write(Indent::default(), &[(Ink::Dim, &text)])?;
    }
    unharmed_too(page, pen, &aside)
}

/// Clients whose every close was meant or routine: their number, and some of their names with their closes.
fn unharmed_too(page: &Page<'_>, pen: &mut Pen<'_>, clients: &[Client]) -> io::Result<()> {
    if clients.is_empty() {
        return Ok(());
    }
    let all = &page.shown.analysis.closes;
    let closes: usize = clients.iter().map(|client| client.closes.len()).sum();
    let mut named = Vec::new();
    for client in clients.iter().take(cap::UNHARMED) {
        let ids: Vec<String> = client.closes.iter().map(|&index| all[index].id()).collect();
        named.push(match &ids[..] {
            [] | [_] | [_, _] => format!("{} ({})", client.name, ids.join(", ")),
            [first, .., last] => {
                format!("{} ({} closes, {first} to {last})", client.name, ids.len())
            }
        });
    }
    if clients.len() > cap::UNHARMED {
        named.push(count(clients.len() - cap::UNHARMED, "more", "more"));
    }
    let head = format!(
        "{} lost nothing ({}, on purpose or routine): ",
        count(clients.len(), "more client", "more clients"),
        count(closes, "close", "closes"),
    );
    pen.write(
        Indent::hanging(0, 4),
        &[(Ink::Good, &head), (Ink::Plain, &named.join(", "))],
    )
}

fn grouped(page: &Page<'_>) -> Vec<Client> {
    let closes = &page.shown.analysis.closes;
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for &index in &page.shown.closes {
        groups.entry(name(&closes[index])).or_default().push(index);
    }
    let mut clients: Vec<Client> = groups
        .into_iter()
        .map(|(name, own)| Client {
            name,
            lost: own
                .iter()
                .filter(|&&index| !ordinary(closes[index].cause()))
                .count(),
            closes: own,
        })
        .collect();
    clients.sort_by_key(|client| Reverse(client.lost));
    clients
}

/// A client's own name, or where it connects from.
fn name(close: &CloseSketch) -> String {
    match (&close.client_name, close.host) {
        (Some(name), _) if !name.is_empty() => name.to_string(),
        (_, Some(host)) => format!("unnamed from {}", host.to_canonical()),
        _ => "unnamed".to_owned(),
    }
}

/// Numbers of closes whose evidence is quoted here: those that no incident has quoted, where they are few.
fn proven(page: &Page<'_>) -> BTreeSet<u32> {
    let analysis = page.shown.analysis;
    let mut ids: BTreeSet<u32> = lost(page.shown)
        .into_iter()
        .filter(|&index| {
            let alone = |number: usize| analysis.incidents[number].closes.len() == 1;
            page.options.verbose || page.shown.incident_of[index].is_none_or(alone)
        })
        .map(|index| analysis.closes[index].number)
        .collect();
    for &number in page.shown.incidents.iter().take(page.cap(cap::INCIDENTS)) {
        if let Some(quoted) = example(page.shown, &analysis.incidents[number]) {
            ids.remove(&quoted.sketch().number);
        }
    }
    if ids.len() > page.cap(cap::PROVEN) {
        ids.clear();
    }
    ids
}

fn told(
    page: &Page<'_>,
    pen: &mut Pen<'_>,
    client: &Client,
    proven: &BTreeSet<u32>,
) -> io::Result<()> {
    head(page, pen, client)?;
    let closes = &page.shown.analysis.closes;
    let (meant, lost): (Vec<usize>, Vec<usize>) = client
        .closes
        .iter()
        .partition(|&&index| ordinary(closes[index].cause()));
    let most = page.cap(cap::ROWS);
    if lost.len() <= most {
        for &index in &lost {
            let close = &closes.whole(index);
            close::line(page, pen, close, 2)?;
            if proven.contains(&closes[index].number) {
                pen.plain(Indent::all(4), &sentence(&close.summary))?;
                close::proof(page, pen, close, 4)?;
            }
        }
    } else {
        folded(page, pen, &lost)?;
    }
    if page.options.verbose {
        for &index in &meant {
            let close = &closes.whole(index);
            close::line(page, pen, close, 2)?;
            pen.plain(Indent::all(4), &sentence(&close.summary))?;
            close::proof(page, pen, close, 4)?;
        }
        return Ok(());
    }
    if !meant.is_empty() {
        folded(page, pen, &meant)?;
    }
    Ok(())
}

fn head(page: &Page<'_>, pen: &mut Pen<'_>, client: &Client) -> io::Result<()> {
    let mut about = BTreeSet::new();
    let mut addresses = BTreeSet::new();
    for &index in &client.closes {
        let close = &page.shown.analysis.closes[index];
        if let Some(lang) = &close.client_lang {
            let version = close.client_version.as_deref().unwrap_or("");
            about.insert(format!("{lang} {version}").trim_end().to_owned());
        }
        if let Some(host) = close.host {
            addresses.insert(host.to_canonical().to_string());
        }
    }
    let library = about.into_iter().take(3).collect::<Vec<_>>().join(" and ");
    let from = match addresses.len() {
        0 => String::new(),
        1 if client.name.starts_with("unnamed from") => String::new(),
        1..=3 => format!(
            "from {}",
            addresses.into_iter().collect::<Vec<_>>().join(" and ")
        ),
        many => format!("from {many} addresses"),
    };
    let about = [library, from]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(", ");
    let about = if about.is_empty() {
        about
    } else {
        format!("  {about}")
    };
    pen.write(
        Indent::hanging(0, 4),
        &[(Ink::Bold, &client.name), (Ink::Dim, &about)],
    )
}

/// Closes counted by cause, with the first and the last of each.
fn folded(page: &Page<'_>, pen: &mut Pen<'_>, indices: &[usize]) -> io::Result<()> {
    let closes = &page.shown.analysis.closes;
    let mut causes: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for &index in indices {
        let close = &closes[index];
        let alike = causes.entry((close.cause(), close.detail())).or_default();
        alike.push(index);
    }
    for ((cause, detail), alike) in causes {
        if let [index] = alike[..] {
            close::line(page, pen, &closes.whole(index), 2)?;
            continue;
        }
        let (first, last) = (&closes[alike[0]], &closes[alike[alike.len() - 1]]);
        let times: Vec<String> = [first, last]
            .iter()
            .filter_map(|close| Some(page.time.show(close.closed_at()?)))
            .collect();
        let cause_label = label(cause, detail);
        let rest = format!(
            " {}, {} to {}",
            count(alike.len(), "time", "times"),
            first.id(),
            last.id(),
        );
        pen.write(
            Indent::hanging(2, 4),
            &[
                (Ink::Dim, &times.join(" to ")),
                (Ink::Plain, "  "),
                (close::ink(cause), &cause_label),
                (Ink::Plain, &rest),
            ],
        )?;
    }
    Ok(())
}
