//! What the page's script is given: an overview that is read at once, and details of closes in parts that are read when one
//! of their closes is opened. Compact, because a page may hold 20 000 closes: arrays in a fixed order, strings once a part.
//!
//! Times are microseconds since the overview's `base` (a midnight, in milliseconds since the Unix epoch).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::lanes::{IncidentRow, ServerLane, SourceLane};
use crate::align::clock::When;
use crate::attribute::finding::{Close, Evidence};
use crate::report::answer::label;
use crate::report::clocks::Clocks;
use crate::report::excerpt::visible;
use crate::report::ladder::{self, Packet, Rung, Side, What};
use crate::report::model::socket;
use crate::report::{Shown, phrase};
use crate::time::{Instant, SECOND};

/// Closes in one part.
const PART: usize = 256;
/// Rungs in one ladder, and in all: many closes have short ladders.
const RUNGS: usize = 60;
/// Rungs of all ladders together.
const ALL_RUNGS: usize = 240_000;

/// Strings told once and named by number.
#[derive(Default)]
struct Strings {
    numbers: BTreeMap<String, u32>,
    list: Vec<String>,
}

impl Strings {
    fn number(&mut self, text: &str) -> u32 {
        let text = visible(text);
        if let Some(&number) = self.numbers.get(&*text) {
            return number;
        }
        let number = self.list.len() as u32;
        self.list.push(text.clone().into_owned());
        self.numbers.insert(text.into_owned(), number);
        number
    }

    fn optional(&mut self, text: Option<&str>) -> Option<u32> {
        text.filter(|text| !text.is_empty())
            .map(|text| self.number(text))
    }
}

/// Read at once.
#[derive(Serialize)]
pub(super) struct Overview {
    base: i64,
    dated: bool,
    part: usize,
    total: usize,
    strings: Vec<String>,
    sources: Vec<SourceLane>,
    servers: Vec<ServerLane>,
    incidents: Vec<IncidentRow>,
    /// Per close: id, time, low, high, digits, name, client, server, cause/detail, confidence, initiator, outcome word, seconds
    /// down, incident number; texts by number.
    closes: Vec<CloseRow>,
}

type CloseRow = (
    u32,
    Option<f64>,
    Option<f64>,
    Option<f64>,
    u8,
    Option<u32>,
    Option<u32>,
    Option<u32>,
    u32,
    u32,
    u32,
    u32,
    Option<f64>,
    Option<u32>,
);

/// Details of some closes.
#[derive(Serialize)]
pub(super) struct Part {
    strings: Vec<String>,
    closes: Vec<Detail>,
}

/// What an opened close shows; texts by number.
#[derive(Serialize)]
struct Detail {
    summary: u32,
    facts: Vec<(&'static str, u32)>,
    evidence: Vec<Piece>,
    after: Vec<Piece>,
    rivals: Vec<(u32, u32)>,
    missing: Vec<u32>,
    remedy: Vec<u32>,
    filter: Option<u32>,
    ladder: Vec<Row>,
    shortened: bool,
}

/// Place, time, digits, text, speaks for, time in the source.
type Piece = (u32, Option<f64>, u8, u32, bool, Option<u32>);
/// Kind, time, digits, text, places, note, cited text, speaks for.
type Row = (
    char,
    Option<f64>,
    u8,
    u32,
    Vec<u32>,
    Option<u32>,
    Option<u32>,
    bool,
);

/// Makes the page's data.
pub(super) struct Data<'a> {
    pub shown: &'a Shown<'a>,
    pub clocks: Clocks<'a>,
    base: Instant,
    dated: bool,
    rungs: usize,
}

impl<'a> Data<'a> {
    pub fn new(shown: &'a Shown<'a>) -> Self {
        const DAY: i64 = 86_400 * SECOND;
        let (first, last) = shown.span.unwrap_or_default();
        let most = ALL_RUNGS / shown.closes.len().max(1);
        Self {
            shown,
            clocks: Clocks::new(shown.analysis),
            base: Instant(first.0.div_euclid(DAY) * DAY),
            dated: first.0.div_euclid(DAY) != last.0.div_euclid(DAY),
            rungs: most.clamp(12, RUNGS),
        }
    }

    pub fn us(&self, at: Instant) -> f64 {
        at.since(self.base) as f64 / 1e3
    }

    pub fn when(&self, when: Option<When>) -> Option<f64> {
        when.map(|when| self.us(when.at))
    }

    /// The overview.
    pub fn overview(&self) -> Overview {
        let mut strings = Strings::default();
        let closes = self
            .shown
            .closes
            .iter()
            .map(|&index| self.row(index, &mut strings))
            .collect();
        Overview {
            base: self.base.0 / 1_000_000,
            dated: self.dated,
            part: PART,
            total: self.shown.analysis.closes.len(),
            closes,
            strings: strings.list,
            sources: self.sources(),
            servers: self.servers(),
            incidents: self.incidents(),
        }
    }

    fn row(&self, index: usize, strings: &mut Strings) -> CloseRow {
        let close = self.shown.analysis.closes.whole(index);
        let incident = self.shown.incident_of[index].and_then(|number| {
            let place = self.shown.incidents.binary_search(&number);
            place.ok().map(|place| place as u32)
        });
        let bounds = close.closed_at.map(|when| when.bounds);
        let outcome = &close.outcome;
        (
            strings.number(&close.id),
            self.when(close.closed_at),
            bounds.map(|bounds| self.us(Instant(bounds.low))),
            bounds.map(|bounds| self.us(Instant(bounds.high))),
            close.closed_at.map_or(0, |when| when.digits.min(6)),
            strings.optional(close.client_name.as_deref()),
            close.client.map(|client| strings.number(&socket(client))),
            close.server.map(|server| strings.number(&socket(server))),
            strings.number(&label(close.cause, close.detail)),
            strings.number(close.confidence.word()),
            strings.number(close.initiator.word()),
            strings.number(if outcome.word.is_empty() {
                "unknown"
            } else {
                outcome.word
            }),
            outcome.after_ns.map(|ns| ns as f64 / SECOND as f64),
            incident,
        )
    }

    /// Details, a part at a time.
    pub fn parts(&self) -> impl Iterator<Item = Part> {
        self.shown.closes.chunks(PART).map(|indices| {
            let mut strings = Strings::default();
            let closes = indices
                .iter()
                .map(|&index| self.detail(&self.shown.analysis.closes.whole(index), &mut strings))
                .collect();
            Part {
                strings: strings.list,
                closes,
            }
        })
    }

    fn detail(&self, close: &Close, strings: &mut Strings) -> Detail {
        let rungs = ladder::rungs(self.shown.analysis, &self.clocks, close, self.rungs);
        Detail {
            summary: strings.number(&phrase::sentence(&close.summary)),
            facts: facts(close)
                .into_iter()
                .map(|(name, fact)| (name, strings.number(&fact)))
                .collect(),
            evidence: self.pieces(&close.evidence, strings),
            after: self.pieces(&close.outcome.evidence, strings),
            rivals: close
                .alternatives
                .iter()
                .map(|rival| {
                    let name = label(rival.cause, rival.detail);
                    (strings.number(&name), strings.number(&rival.why_not))
                })
                .collect(),
            missing: numbers(&close.missing, strings),
            remedy: numbers(&close.remedy, strings),
            filter: strings.optional(close.wireshark_filter.as_deref()),
            shortened: rungs.len() >= self.rungs && self.rungs < RUNGS,
            ladder: rungs.iter().map(|rung| self.rung(rung, strings)).collect(),
        }
    }

    fn pieces(&self, pieces: &[Evidence], strings: &mut Strings) -> Vec<Piece> {
        pieces
            .iter()
            .map(|piece| {
                let common = piece.at.map(|when| when.at.rfc3339(when.digits));
                let written = piece
                    .at
                    .and_then(|when| self.clocks.as_written(piece.cite, when))
                    .filter(|written| Some(written) != common.as_ref());
                (
                    strings.number(&self.shown.cite(piece.cite)),
                    self.when(piece.at),
                    piece.at.map_or(0, |when| when.digits.min(6)),
                    strings.number(&piece.says),
                    piece.supports,
                    written.map(|written| strings.number(&written)),
                )
            })
            .collect()
    }

    fn rung(&self, rung: &Rung, strings: &mut Strings) -> Row {
        let cites = rung
            .cites
            .iter()
            .map(|&cite| strings.number(&self.shown.cite(cite)))
            .collect();
        let (kind, text, note) = match &rung.what {
            What::Packet(packet) => (
                if packet.from_client { '>' } else { '<' },
                packet_words(packet),
                packet_note(packet),
            ),
            What::Op { from_client, verb } => (
                if *from_client { '>' } else { '<' },
                ladder::verb(*verb).to_owned(),
                None,
            ),
            What::Line { side, text } => (
                match side {
                    Side::Client => 'c',
                    Side::Server => 's',
                    Side::Other => 'o',
                },
                // The verdict quotes the line, often longer than the record keeps it.
                rung.cited
                    .as_ref()
                    .map_or_else(|| text.clone(), |(says, _)| says.clone()),
                None,
            ),
        };
        let cited = rung.cited.as_ref().filter(|(says, _)| *says != text);
        (
            kind,
            self.when(rung.at),
            rung.at.map_or(0, |when| when.digits.min(6)),
            strings.number(&text),
            cites,
            note.map(|note| strings.number(note)),
            match (&rung.cited, cited) {
                (None, _) => None,
                (Some(_), None) => Some(strings.number("")),
                (Some(_), Some((says, _))) => Some(strings.number(says)),
            },
            rung.cited.as_ref().is_none_or(|(_, supports)| *supports),
        )
    }
}

fn numbers(texts: &[String], strings: &mut Strings) -> Vec<u32> {
    texts.iter().map(|text| strings.number(text)).collect()
}

/// What is known of a close beside its verdict, by name.
fn facts(close: &Close) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    let mut add = |name, fact: Option<String>| {
        if let Some(fact) = fact.filter(|fact| !fact.is_empty()) {
            facts.push((name, fact));
        }
    };
    add(
        "Kind",
        (close.kind != "client").then(|| close.kind.to_owned()),
    );
    add("Client's own address", close.client_side.map(socket));
    add("cid", close.cid.map(|cid| cid.to_string()));
    let version = close.client_version.as_deref().unwrap_or("");
    let lang = close.client_lang.as_ref();
    add("Library", lang.map(|lang| format!("{lang} {version}")));
    add("Account", close.account.clone());
    add("Server", close.server_name.clone());
    if let (Some(opened), Some(closed)) = (close.opened_at, close.closed_at) {
        add("Open for", Some(phrase::duration(closed.since(opened))));
    }
    add("Afterwards", Some(phrase::outcome(&close.outcome)));
    facts
}

fn packet_words(packet: &Packet) -> String {
    let tail = packet.tail;
    let ops: Vec<&str> = packet.ops.iter().map(|&verb| ladder::verb(verb)).collect();
    let mut words = ladder::flags(tail.flags);
    if !ops.is_empty() {
        words = format!("{}  {words}", ops.join(" "));
    }
    let _ = write!(words, " seq {} ack {}", tail.seq, tail.ack);
    if tail.len > 0 {
        let _ = write!(words, " len {}", tail.len);
    }
    let _ = write!(words, " win {}", tail.window);
    if let Some(travel) = packet.travel_ns {
        let _ = write!(words, ", {} on the way", phrase::duration(travel));
    }
    if packet.alone {
        words.push_str(", not in the other capture");
    }
    if !tail.note.is_empty() {
        let _ = write!(words, ", {}", tail.note.replace('_', " "));
    }
    words
}

/// The class of a packet's arrow.
fn packet_note(packet: &Packet) -> Option<&'static str> {
    let tail = packet.tail;
    let resent = tail.note.contains("retransmission");
    Some(match (packet.alone, tail.flags) {
        (true, _) if resent => "alone retransmission",
        (true, _) => "alone",
        (_, flags) if flags & 4 != 0 => "reset",
        (_, flags) if flags & 1 != 0 => "end",
        _ if resent => "retransmission",
        _ => return None,
    })
}
