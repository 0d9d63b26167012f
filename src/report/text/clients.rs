//! Closes by client: those that lost connections first, equal ones folded and counted.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::pen::{Indent, Ink, Pen};
use super::{Page, cap, close};
use crate::attribute::finding::Close;
use crate::report::answer::{example, label, lost};
use crate::report::phrase::{count, ordinary, sentence};

/// The closes of one client.
struct Client<'a> {
    name: String,
    closes: Vec<&'a Close>,
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
    unharmed_too(pen, &aside)
}

/// Clients whose every close was meant or routine: their number, and some of their names with their closes.
fn unharmed_too(pen: &mut Pen<'_>, clients: &[Client<'_>]) -> io::Result<()> {
    if clients.is_empty() {
        return Ok(());
    }
    let closes: usize = clients.iter().map(|client| client.closes.len()).sum();
    let mut named = Vec::new();
    for client in clients.iter().take(cap::UNHARMED) {
        let ids: Vec<&str> = client
            .closes
            .iter()
            .map(|close| close.id.as_str())
            .collect();
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

fn grouped<'a>(page: &Page<'a>) -> Vec<Client<'a>> {
    let closes = &page.shown.analysis.closes;
    let mut groups: BTreeMap<String, Vec<&Close>> = BTreeMap::new();
    for &index in &page.shown.closes {
        let close = &closes[index];
        groups.entry(name(close)).or_default().push(close);
    }
    let mut clients: Vec<Client<'_>> = groups
        .into_iter()
        .map(|(name, closes)| Client {
            name,
            lost: closes.iter().filter(|close| !ordinary(close.cause)).count(),
            closes,
        })
        .collect();
    clients.sort_by_key(|client| Reverse(client.lost));
    clients
}

/// A client's own name, or where it connects from.
fn name(close: &Close) -> String {
    match (&close.client_name, close.client_side.or(close.client)) {
        (Some(name), _) if !name.is_empty() => name.clone(),
        (_, Some(address)) => format!("unnamed from {}", address.ip().to_canonical()),
        _ => "unnamed".to_owned(),
    }
}

/// Ids of closes whose evidence is quoted here: those that no incident has quoted, where they are few.
fn proven<'a>(page: &Page<'a>) -> BTreeSet<&'a str> {
    let analysis = page.shown.analysis;
    let mut ids: BTreeSet<&str> = lost(page.shown)
        .into_iter()
        .filter(|&index| {
            let alone = |number: usize| analysis.incidents[number].closes.len() == 1;
            page.options.verbose || page.shown.incident_of[index].is_none_or(alone)
        })
        .map(|index| analysis.closes[index].id.as_str())
        .collect();
    for &number in page.shown.incidents.iter().take(page.cap(cap::INCIDENTS)) {
        if let Some(quoted) = example(page.shown, &analysis.incidents[number]) {
            ids.remove(quoted.id.as_str());
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
    client: &Client<'_>,
    proven: &BTreeSet<&str>,
) -> io::Result<()> {
    head(pen, client)?;
    let (meant, lost): (Vec<&Close>, Vec<&Close>) = client
        .closes
        .iter()
        .partition(|close| ordinary(close.cause));
    let most = page.cap(cap::ROWS);
    if lost.len() <= most {
        for close in &lost {
            close::line(page, pen, close, 2)?;
            if proven.contains(close.id.as_str()) {
                pen.plain(Indent::all(4), &sentence(&close.summary))?;
                close::proof(page, pen, close, 4)?;
            }
        }
    } else {
        folded(page, pen, &lost)?;
    }
    if page.options.verbose {
        for close in &meant {
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

fn head(pen: &mut Pen<'_>, client: &Client<'_>) -> io::Result<()> {
    let mut about = BTreeSet::new();
    let mut addresses = BTreeSet::new();
    for close in &client.closes {
        if let Some(lang) = &close.client_lang {
            let version = close.client_version.as_deref().unwrap_or("");
            about.insert(format!("{lang} {version}").trim_end().to_owned());
        }
        if let Some(address) = close.client_side.or(close.client) {
            addresses.insert(address.ip().to_canonical().to_string());
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
fn folded(page: &Page<'_>, pen: &mut Pen<'_>, closes: &[&Close]) -> io::Result<()> {
    let mut causes: BTreeMap<(&str, &str), Vec<&Close>> = BTreeMap::new();
    for close in closes {
        let alike = causes.entry((close.cause, close.detail)).or_default();
        alike.push(close);
    }
    for ((cause, detail), alike) in causes {
        if let [close] = alike[..] {
            close::line(page, pen, close, 2)?;
            continue;
        }
        let (first, last) = (alike[0], alike[alike.len() - 1]);
        let times: Vec<String> = [first, last]
            .iter()
            .filter_map(|close| Some(page.time.show(close.closed_at?)))
            .collect();
        let cause_label = label(cause, detail);
        let rest = format!(
            " {}, {} to {}",
            count(alike.len(), "time", "times"),
            first.id,
            last.id,
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
