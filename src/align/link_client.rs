//! Client logs' connections: by cid or local port where lines carry them, else by client name and times, else by times.
//!
//! A client log's clock is not known yet. The offset that explains most of its events by opens and closes of
//! connections that may be its own is found first, then each of its connections is given to the nearest.

use std::collections::HashMap;

use super::clock::Clock;
use super::joined::{Joined, LinkBy, Records};
use super::link::Links;
use super::link_vote::{CANDIDATES, Told, assign};
use crate::reconstruct::client::{ClientStory, Library};

/// Joins client connections that name the server's cid or their own port.
pub fn exact(records: &Records, links: &mut Links) {
    if records.clients.is_empty() {
        return;
    }
    let mut by_port: HashMap<std::net::SocketAddr, Vec<usize>> = HashMap::new();
    let mut by_cid: HashMap<u64, Vec<usize>> = HashMap::new();
    for (index, joined) in links.joined.iter().enumerate() {
        for address in addresses(records, joined) {
            let uses = by_port.entry(address).or_default();
            if uses.last() != Some(&index) {
                uses.push(index);
            }
        }
        if let Some(cid) = cid(records, joined) {
            by_cid.entry(cid).or_default().push(index);
        }
    }
    for (index, story) in records.clients.iter().enumerate() {
        for (conn, own) in story.conns.iter().enumerate() {
            let events = || {
                own.opened
                    .iter()
                    .chain(&own.why)
                    .chain(&own.closed)
                    .filter_map(|&event| story.events.get(event))
            };
            let by_local = events()
                .filter_map(|event| by_port.get(&event.local?))
                .find(|uses| uses.len() == 1);
            let by_number = || {
                events()
                    .filter_map(|event| by_cid.get(&event.cid?))
                    .find_map(|uses| {
                        let fits: Vec<usize> = uses
                            .iter()
                            .copied()
                            .filter(|&index| may_be(records, &links.joined[index], story))
                            .collect();
                        <[usize; 1]>::try_from(fits).ok().map(|[only]| only)
                    })
            };
            if let Some(joined) = by_local.map(|uses| uses[0]).or_else(by_number) {
                links.client(joined, index, conn, LinkBy::ClientCidOrPort, true);
            }
        }
    }
}

/// The client's address as each part shows it.
fn addresses<'a>(
    records: &'a Records,
    joined: &'a Joined,
) -> impl Iterator<Item = std::net::SocketAddr> + 'a {
    let server = joined
        .server()
        .and_then(|(life, conn)| records.servers[life].conns[conn].peer);
    joined
        .conns
        .iter()
        .map(|leg| records.conns[leg.conn()].orig())
        .chain(server)
}

fn cid(records: &Records, joined: &Joined) -> Option<u64> {
    joined
        .server()
        .map(|(life, conn)| records.servers[life].conns[conn].id)
        .or_else(|| {
            joined
                .conns
                .iter()
                .find_map(|leg| records.conns[leg.conn()].client_id())
        })
}

/// The client name that the connection gave itself.
pub fn name<'a>(records: &'a Records, joined: &Joined) -> Option<&'a str> {
    let connect = |conn: usize| records.conns[conn].name.as_deref();
    joined
        .conns
        .iter()
        .find_map(|leg| connect(leg.conn()))
        .or_else(|| {
            joined
                .server()
                .and_then(|(life, conn)| records.servers[life].conns[conn].name.as_deref())
        })
        .filter(|name| !name.is_empty())
}

/// The client library that the connection gave.
fn lang<'a>(records: &'a Records, joined: &Joined) -> Option<&'a str> {
    let connect = |conn: usize| records.conns[conn].lang.as_deref();
    joined
        .conns
        .iter()
        .find_map(|leg| connect(leg.conn()))
        .or_else(|| {
            joined
                .server()
                .and_then(|(life, conn)| records.servers[life].conns[conn].lang.as_deref())
        })
}

/// Nothing that the connection says of its client speaks against this story.
fn may_be(records: &Records, joined: &Joined, story: &ClientStory) -> bool {
    if name(records, joined)
        .is_some_and(|name| story.name_from_text && !same_name(&story.name, name))
    {
        return false;
    }
    lang(records, joined).is_none_or(|lang| speaks(story.library, lang))
}

/// Whether a library writes this `lang` into CONNECT (facts 4.1); unknown ones may be anything.
fn speaks(library: Library, lang: &str) -> bool {
    match library {
        Library::Unknown => true,
        Library::Go | Library::NatsCli => lang == "go",
        Library::Python => lang.starts_with("python"),
        Library::RustAsync | Library::RustSync => lang == "rust",
        Library::JsV1 | Library::JsV2 | Library::JsV3 => {
            !matches!(lang, "go" | "rust" | "java" | "C") && !lang.starts_with("python")
        }
        Library::Java => lang == "java",
        Library::DotNetV1 | Library::DotNetV2 => {
            lang.starts_with('.') || lang.contains("NET") || lang == "C#"
        }
        Library::C => lang == "C" || lang == "c",
        Library::Ruby => lang.contains("ruby"),
        Library::Elixir => lang == "elixir",
        Library::Swift => lang.eq_ignore_ascii_case("swift"),
    }
}

/// Equal, or one is the other behind a separator: the log's file stem `client-orders-0` and the client `orders-0`.
pub fn same_name(story: &str, name: &str) -> bool {
    let ends = |long: &str, short: &str| {
        !short.is_empty()
            && long.strip_suffix(short).is_some_and(|head| {
                head.is_empty() || head.ends_with(['-', '_', '.', '/', ' ', ':'])
            })
    };
    ends(story, name) || ends(name, story)
}

/// Joins by name and time.
pub fn by_name(records: &Records, links: &mut Links, clocks: &[Clock]) {
    let pool = pool(records, links);
    let mut sources: Vec<u32> = records.clients.iter().map(|story| story.source.0).collect();
    sources.sort_unstable();
    sources.dedup();
    let mut of_source: HashMap<u32, Vec<Told>> = HashMap::new();
    for (story, candidates) in pool.into_iter().enumerate() {
        if !candidates.is_empty() {
            let source = records.clients[story].source.0;
            of_source
                .entry(source)
                .or_default()
                .push(Told { story, candidates });
        }
    }
    for source in sources {
        if let Some(told) = of_source.remove(&source) {
            assign(records, links, clocks, &told, LinkBy::NameAndTime);
        }
    }
}

/// Joins stories that no name points at: whatever speaks their library and is nobody else's.
pub fn by_time(records: &Records, links: &mut Links, clocks: &[Clock]) {
    let pool = pool(records, links);
    let mut claimed = vec![false; links.joined.len()];
    for &joined in pool.iter().flatten() {
        claimed[joined] = true;
    }
    let free: Vec<usize> = (0..links.joined.len())
        .filter(|&joined| links.joined[joined].client().is_none() && !claimed[joined])
        .collect();
    let mut told: Vec<Told> = Vec::new();
    for (story, named) in pool.iter().enumerate() {
        let own = &records.clients[story];
        let loose = links.of_client[story].iter().any(Option::is_none);
        if !loose {
            continue;
        }
        // A story with a name still has attempts that never got as far as giving it.
        let mut candidates: Vec<usize> = free
            .iter()
            .chain(named)
            .copied()
            .filter(|&joined| {
                links.joined[joined].client().is_none()
                    && may_be(records, &links.joined[joined], own)
            })
            .take(CANDIDATES + 1)
            .collect();
        if candidates.len() <= CANDIDATES {
            candidates.sort_unstable();
            told.push(Told { story, candidates });
        }
    }
    assign(records, links, clocks, &told, LinkBy::Time);
}

/// For each story, the connections under its name.
fn pool(records: &Records, links: &Links) -> Vec<Vec<usize>> {
    if records.clients.is_empty() {
        return Vec::new();
    }
    let mut named: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, joined) in links.joined.iter().enumerate() {
        if let Some(name) = name(records, joined) {
            named.entry(name).or_default().push(index);
        }
    }
    records
        .clients
        .iter()
        .map(|story| candidates_by_name(&named, &story.name))
        .collect()
}

/// Connections under this story's name: the name itself, or its longest suffix behind a separator that is a name.
fn candidates_by_name(named: &HashMap<&str, Vec<usize>>, story: &str) -> Vec<usize> {
    let starts = std::iter::once(0).chain(
        story
            .match_indices(['-', '_', '.', '/', ' ', ':'])
            .map(|(at, _)| at + 1),
    );
    starts
        .take(16)
        .find_map(|start| named.get(&story[start..]))
        .cloned()
        .unwrap_or_default()
}
