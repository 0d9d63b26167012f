//! Closes by client: those that lost connections first, equal ones folded and counted.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::net::IpAddr;

use smallvec::SmallVec;

use super::pen::{Indent, Ink, Pen};
use super::{Page, cap, close};
use crate::attribute::finding::CloseSketch;
use crate::report::answer::{example, label};
use crate::report::phrase::{count, ordinary, sentence};
use crate::shelf::{Name, Shelved};

/// The closes of one client.
struct Client {
    who: Who,
    /// Indices. Most clients of a storm have one.
    closes: SmallVec<[usize; 2]>,
    lost: usize,
}

impl Client {
    fn new(who: Who) -> Self {
        Self {
            who,
            closes: SmallVec::new(),
            lost: 0,
        }
    }
}

pub(super) fn write(page: &Page<'_>, pen: &mut Pen<'_>) -> io::Result<()> {
    let mut clients = grouped(page);
    if clients.is_empty() {
        return Ok(());
    }
    // Clients that lost nothing are named in one paragraph where others did: the reader looks for those.
    let harmed = |client: &Client| client.lost > 0;
    let mut aside = Vec::new();
    if !page.options.verbose && clients.iter().any(harmed) {
        (clients, aside) = clients.into_iter().partition(harmed);
    }
    pen.title("CLOSES BY CLIENT")?;
    let proven = proven(page);
    let most = page.cap(cap::CLIENTS);
    put_first(&mut clients, most);
    put_first(&mut aside, cap::UNHARMED);
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
            [] | [_] | [_, _] => format!("{} ({})", client.who.text(), ids.join(", ")),
            [first, .., last] => {
                format!(
                    "{} ({} closes, {first} to {last})",
                    client.who.text(),
                    ids.len()
                )
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
    // In a storm nearly every close is of another client: lists that grow would be copied over and over.
    let most = page.shown.closes.len();
    let mut places: HashMap<Who, usize> = HashMap::with_capacity(most);
    let mut clients: Vec<Client> = Vec::with_capacity(most);
    for &index in &page.shown.closes {
        let close = &closes[index];
        let who = Who::of(close);
        let place = *places.entry(who).or_insert_with(|| {
            clients.push(Client::new(who));
            clients.len() - 1
        });
        clients[place].closes.push(index);
        clients[place].lost += usize::from(!ordinary(close.cause()));
    }
    clients
}

/// Puts `most` clients in their order before the others, which are only counted: those that lost most, by name.
fn put_first(clients: &mut [Client], most: usize) {
    let order = |a: &Client, b: &Client| {
        let by_name = || a.who.text().cmp(&b.who.text());
        b.lost.cmp(&a.lost).then_with(by_name)
    };
    if most < clients.len() {
        clients.select_nth_unstable_by(most, order);
    }
    let first = most.min(clients.len());
    clients[..first].sort_unstable_by(order);
}

/// A client's own name, or where it connects from.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Who {
    Named(Name),
    From(IpAddr),
    Unknown,
}

impl Who {
    fn of(close: &CloseSketch) -> Self {
        match (close.client_name, close.host) {
            (Some(name), _) if !name.is_empty() => Self::Named(name),
            (_, Some(host)) => Self::From(host.to_canonical()),
            _ => Self::Unknown,
        }
    }

    fn text(self) -> Cow<'static, str> {
        match self {
            Self::Named(name) => name.text().into(),
            Self::From(host) => format!("unnamed from {host}").into(),
            Self::Unknown => "unnamed".into(),
        }
    }
}

/// Numbers of closes whose evidence is quoted here: those that no incident has quoted, where they are few.
fn proven(page: &Page<'_>) -> BTreeSet<u32> {
    let analysis = page.shown.analysis;
    let mut ids: BTreeSet<u32> = page
        .shown
        .lost
        .iter()
        .filter(|&&index| {
            let alone = |number: usize| analysis.incidents[number].closes.len() == 1;
            page.options.verbose || page.shown.incident_of[index].is_none_or(alone)
        })
        .map(|&index| analysis.closes[index].number)
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
        1 if matches!(client.who, Who::From(_)) => String::new(),
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
        &[(Ink::Bold, &client.who.text()), (Ink::Dim, &about)],
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
