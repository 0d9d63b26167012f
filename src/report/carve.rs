//! The packets of a close or an incident as one annotated capture for Wireshark: read again from the captures, in the order of
//! the common line, with a comment at every cited packet and names for the hosts.
//!
//! Memory is bounded by one packet for each capture: captures are read side by side and merged.

mod pcapng;
mod stream;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::IpAddr;

use super::answer::label;
use super::capture_notes;
use super::clocks::Clocks;
use super::excerpt::{self, visible};
use super::phrase;
use crate::align::joined::Near;
use crate::attribute::finding::{Analysis, Close};
use crate::source::SourceId;
use crate::span::{Moment, Place};
use stream::{Stream, Wanted};

/// Opens a source from its beginning.
pub type Open<'o> = dyn Fn(SourceId) -> io::Result<Box<dyn Read + Send>> + 'o;

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carved {
    /// Packets.
    pub packets: u64,
    /// Packets with comments.
    pub commented: u64,
    /// Interfaces: captures that held any of them.
    pub interfaces: u32,
}

/// The closes that an id names: one (`c12`), or those of an incident (`i1`).
pub fn named(analysis: &Analysis, id: &str) -> Option<Vec<usize>> {
    let close = analysis
        .closes
        .sketches()
        .position(|close| close.id() == id);
    if let Some(index) = close {
        return Some(vec![index]);
    }
    let incident = analysis.incidents.iter().find(|incident| incident.id == id);
    incident.map(|incident| incident.closes.clone())
}

/// Writes the packets of `closes` (indices) to `out` as a pcapng. Nothing is written when no capture holds any of
/// these connections.
pub fn carve(
    analysis: &Analysis,
    closes: &[usize],
    open: &Open<'_>,
    out: &mut dyn Write,
) -> io::Result<Carved> {
    let held: Vec<_> = closes
        .iter()
        .filter_map(|&index| analysis.closes.get(index))
        .collect();
    let closes: Vec<&Close> = held.iter().map(|close| &**close).collect();
    let (wanted, nearness) = wanted(analysis, &closes);
    let mut carved = Carved::default();
    if wanted.is_empty() {
        return Ok(carved);
    }
    let clocks = Clocks::new(analysis);
    let mut comments = comments(analysis, &closes);
    for facts in &analysis.records.captures {
        for (frame, text) in &facts.notes.comments {
            let rows = comments.entry((facts.source, *frame)).or_default();
            rows.push(visible(text).into_owned());
        }
    }
    pcapng::section(out, &headline(analysis, &closes))?;
    let names = names(&closes);
    pcapng::names(
        out,
        names
            .iter()
            .map(|(&address, name)| (address, name.as_str())),
    )?;

    for &source in wanted.keys() {
        let notes = capture_notes::of(analysis, source).map(|facts| &facts.notes);
        for log in notes.map_or(&[][..], |notes| &notes.tls_secrets) {
            pcapng::secrets(out, log)?;
        }
    }
    let mut streams = Vec::new();
    for (source, wanted) in wanted {
        let mut stream = Stream::new(analysis, source, wanted);
        let head = stream.next(open)?;
        streams.push((stream, head));
    }
    let at = |source: SourceId, moment: Moment| {
        let when = clocks.moment(source, moment);
        when.map_or(moment.ns, |when| when.at.0)
    };
    let mut interfaces: Vec<(SourceId, u32)> = Vec::new();
    loop {
        let next = streams
            .iter()
            .enumerate()
            .filter_map(|(index, (stream, head))| {
                let head = head.as_ref()?;
                Some((at(stream.source, head.at), index))
            })
            .min();
        let Some((ns, index)) = next else {
            return Ok(carved);
        };
        let (stream, slot) = &mut streams[index];
        let Some(frame) = slot.take() else {
            return Ok(carved);
        };
        let key = (stream.source, frame.link);
        let known = interfaces.iter().position(|interface| *interface == key);
        let interface = if let Some(number) = known {
            number
        } else {
            let name = excerpt::path(analysis, stream.source);
            let name = name
                .strip_prefix(excerpt::folder(analysis))
                .unwrap_or(&name);
            let about = about(&clocks, stream.source, nearness[&stream.source]);
            pcapng::interface(out, frame.link as u16, name, &about)?;
            interfaces.push(key);
            interfaces.len() - 1
        };
        let place = (stream.source, frame.at.frame);
        let comments = comments.get(&place).map_or(&[][..], Vec::as_slice);
        pcapng::packet(
            out,
            &pcapng::Packet {
                interface: interface as u32,
                ns,
                data: &frame.data,
                len: frame.len,
                comments,
            },
        )?;
        carved.packets += 1;
        carved.commented += u64::from(!comments.is_empty());
        carved.interfaces = interfaces.len() as u32;
        *slot = stream.next(open)?;
    }
}

/// What to take from each capture, and where each was taken.
fn wanted(
    analysis: &Analysis,
    closes: &[&Close],
) -> (BTreeMap<SourceId, Wanted>, BTreeMap<SourceId, Near>) {
    let mut wanted: BTreeMap<SourceId, Wanted> = BTreeMap::new();
    let mut nearness = BTreeMap::new();
    for close in closes {
        let joined = analysis.joined.get(close.joined);
        for leg in joined.map_or(&[][..], |joined| &joined.conns) {
            if let Some(conn) = analysis.records.conns.get(leg.conn()) {
                wanted.entry(conn.source).or_default().conn(&conn);
                nearness.insert(conn.source, leg.near);
            }
        }
        let outcome = close.outcome.evidence.iter();
        for piece in close.evidence.iter().chain(outcome) {
            if let Place::Frame(frame) = piece.cite.place
                && let Some(wanted) = wanted.get_mut(&piece.cite.source)
            {
                wanted.frame(frame);
            }
        }
    }
    (wanted, nearness)
}

/// Comments by packet: what each is evidence for, and where it came from.
fn comments(analysis: &Analysis, closes: &[&Close]) -> BTreeMap<(SourceId, u64), Vec<String>> {
    let folder = excerpt::folder(analysis);
    let mut comments: BTreeMap<(SourceId, u64), Vec<String>> = BTreeMap::new();
    for close in closes {
        let cause = label(close.cause, close.detail);
        for piece in &close.evidence {
            let Place::Frame(frame) = piece.cite.place else {
                continue;
            };
            let weight = if piece.supports { "for" } else { "against" };
            let place = excerpt::cite(analysis, piece.cite);
            let place = place.strip_prefix(folder).unwrap_or(&place);
            let says = visible(&piece.says);
            let key = (piece.cite.source, frame);
            comments
                .entry(key)
                .or_default()
                .push(format!("{} {weight} {cause}: {says} ({place})", close.id));
        }
    }
    comments
}

/// The comment of the whole capture: what happened, and how to filter for it.
fn headline(analysis: &Analysis, closes: &[&Close]) -> String {
    const MOST: usize = 10;
    let mut lines = Vec::new();
    let together = analysis.incidents.iter().find(|incident| {
        closes.len() > 1
            && incident.closes.len() == closes.len()
            && incident.closes.iter().zip(closes).all(|(&index, close)| {
                analysis
                    .closes
                    .get(index)
                    .is_some_and(|own| own.id == close.id)
            })
    });
    if let Some(incident) = together {
        let cause = label(incident.cause, incident.detail);
        let sure = incident.confidence.word();
        lines.push(format!(
            "{} {cause}, {sure}: {}",
            incident.id, incident.summary
        ));
    }
    for close in closes.iter().take(MOST) {
        let cause = label(close.cause, close.detail);
        let sure = close.confidence.word();
        lines.push(format!("{} {cause}, {sure}: {}", close.id, close.summary));
    }
    if closes.len() > MOST {
        lines.push(format!("and {} more closes", closes.len() - MOST));
    }
    let filters: BTreeSet<&str> = closes
        .iter()
        .filter_map(|close| close.wireshark_filter.as_deref())
        .collect();
    if !filters.is_empty() && filters.len() <= MOST {
        let filters: Vec<String> = filters.iter().map(|filter| format!("({filter})")).collect();
        lines.push(format!("Display filter: {}", filters.join(" || ")));
    }
    lines.push("Cited packets: frame.comment".to_owned());
    let shown: Vec<String> = lines
        .iter()
        .map(|line| visible(line).into_owned())
        .collect();
    shown.join("\n")
}

/// Names for Wireshark's name resolution: the clients and servers at each address.
fn names(closes: &[&Close]) -> BTreeMap<IpAddr, String> {
    const MOST: usize = 3;
    let mut named: BTreeMap<IpAddr, BTreeSet<&str>> = BTreeMap::new();
    for close in closes {
        let ends = [
            (close.client, close.client_name.as_deref()),
            (close.client_side, close.client_name.as_deref()),
            (close.server, close.server_name.as_deref()),
        ];
        for (address, name) in ends {
            if let (Some(address), Some(name)) = (address, name.filter(|name| !name.is_empty())) {
                named
                    .entry(address.ip().to_canonical())
                    .or_default()
                    .insert(name);
            }
        }
    }
    named
        .into_iter()
        .map(|(address, names)| {
            let more = names.len().saturating_sub(MOST);
            let mut name = names.into_iter().take(MOST).collect::<Vec<_>>().join("+");
            if more > 0 {
                let _ = write!(name, "+{more}-more");
            }
            // Wireshark shows it where a host name would stand.
            let name = visible(&name).replace(char::is_whitespace, "_");
            (address, name.chars().take(60).collect())
        })
        .collect()
}

fn about(clocks: &Clocks<'_>, source: SourceId, near: Near) -> String {
    let place = match near {
        Near::Client => "taken near the client; ",
        Near::Server => "taken near the server; ",
        Near::Middle => "taken between client and server; ",
        Near::Unknown => "",
    };
    let clock = clocks.of(source).map_or_else(String::new, phrase::clock);
    format!("{place}{clock}; times here are on the common line")
}

#[cfg(test)]
mod tests;
