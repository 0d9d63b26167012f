//! One direction of TLS: its records watched from outside, and opened where the keys are known. What they hold is read
//! like any direction of its own: NATS, or a WebSocket that carries it.

use super::Keys;
use super::direction::Direction;
use super::facts::Listener;
use super::tls_handshake::{Openers, TlsHandshake};
use super::tls_open::{Open, Out};
use super::tls_reader::{Event, Record, TlsReader};
use crate::parse::tls::{self, Content, alert_word};
use crate::span::Moment;

/// Record bytes that wait for the other end's hello. An end seals nothing before it has seen that; in a capture that
/// recorded packets out of order a flight may come earlier.
const WAITING: usize = 64 << 10;

/// How far the keys of a direction have come.
#[derive(Debug)]
enum Stage {
    /// The hellos are not complete; what came since.
    Waiting(Vec<Held>, usize),
    Open(Box<Open>),
    /// Records are only watched.
    Blind,
}

/// Something that waits.
#[derive(Debug)]
enum Held {
    Record(tls::Header, Moment, bool, Vec<u8>),
    Hole(Moment, u64),
}

/// The layer.
#[derive(Debug)]
pub struct TlsLayer {
    reader: TlsReader,
    stage: Stage,
    inner: Option<Box<Direction>>,
}

impl TlsLayer {
    /// A layer at its first byte; `keys`: secrets may be known.
    pub fn new(keys: bool) -> Self {
        Self {
            reader: TlsReader::default(),
            stage: if keys {
                Stage::Waiting(Vec::new(), 0)
            } else {
                Stage::Blind
            },
            inner: None,
        }
    }

    /// Bytes in order.
    pub fn data(&mut self, at: Moment, bytes: &[u8], listener: &mut Listener<'_>) {
        let Self {
            reader,
            stage,
            inner,
        } = self;
        reader.keep_sealed(!matches!(stage, Stage::Blind));
        reader.read(bytes, at, |event| take(stage, inner, event, listener));
    }

    /// Bytes that the capture does not hold.
    pub fn gap(&mut self, at: Moment, len: u64, listener: &mut Listener<'_>) {
        let Self {
            reader,
            stage,
            inner,
        } = self;
        reader.gap(at, len, |event| take(stage, inner, event, listener));
    }

    /// The end of the direction; `false` when what it holds was never read.
    pub fn end(&mut self, at: Moment, by_fin: bool, listener: &mut Listener<'_>) -> bool {
        if matches!(self.stage, Stage::Waiting(..)) {
            settle(&mut self.stage, &mut self.inner, listener);
        }
        if let Stage::Open(open) = &self.stage {
            let keys = open.outcome();
            note(keys, listener);
        }
        match &mut self.inner {
            Some(inner) => {
                inner.end(at, by_fin, listener);
                true
            }
            None => false,
        }
    }
}

/// Both hellos, kept with what the records of both directions say.
fn handshake_of<'a>(listener: &'a mut Listener<'_>) -> &'a mut TlsHandshake {
    &mut listener.facts.tls.get_or_insert_default().handshake
}

fn note(keys: Keys, listener: &mut Listener<'_>) {
    let from = listener.from;
    handshake_of(listener).note(from, keys);
}

/// A record or a hole on its way.
fn take(
    stage: &mut Stage,
    inner: &mut Option<Box<Direction>>,
    event: Event<'_>,
    listener: &mut Listener<'_>,
) {
    let from = listener.from;
    if let Event::Record(record) = &event {
        let watch = listener.facts.tls.get_or_insert_default();
        watch.record(from, record);
        if let Some(ring) = listener.keys
            && record.header.content == Content::Handshake
            && let Some(hello) = tls::hello(record.body)
        {
            let handshake = handshake_of(listener);
            handshake.hello(from, &hello, Some(ring));
        }
    }
    if let Stage::Waiting(held, bytes) = stage {
        hold(held, bytes, event);
        let full = *bytes > WAITING;
        settle(stage, inner, listener);
        if full && matches!(stage, Stage::Waiting(..)) {
            *stage = Stage::Blind;
        }
        return;
    }
    open(stage, inner, event, listener);
}

fn hold(held: &mut Vec<Held>, bytes: &mut usize, event: Event<'_>) {
    let (event, size) = match event {
        Event::Record(record) => {
            let body = record.body.to_vec();
            let size = body.len();
            (
                Held::Record(record.header, record.at, record.whole, body),
                size,
            )
        }
        Event::Hole(at, len) => (Held::Hole(at, len), 0),
    };
    held.push(event);
    *bytes += size + size_of::<Held>();
}

/// Goes on from waiting when the hellos are complete.
fn settle(stage: &mut Stage, inner: &mut Option<Box<Direction>>, listener: &mut Listener<'_>) {
    let from = listener.from;
    let handshake = handshake_of(listener);
    let next = match handshake.openers(from) {
        Openers::NotYet => return,
        Openers::Never(keys) => {
            handshake.note(from, keys);
            Stage::Blind
        }
        Openers::Now(suite, early, opener) => {
            Stage::Open(Box::new(Open::new(suite, early, opener)))
        }
    };
    let Stage::Waiting(held, _) = std::mem::replace(stage, next) else {
        return;
    };
    for event in held {
        match event {
            Held::Record(header, at, whole, mut body) => {
                let record = Record {
                    header,
                    at,
                    whole,
                    body: &mut body,
                };
                open(stage, inner, Event::Record(record), listener);
            }
            Held::Hole(at, len) => open(stage, inner, Event::Hole(at, len), listener),
        }
    }
}

/// Opens a record, if there is a key, and reads what it holds.
fn open(
    stage: &mut Stage,
    inner: &mut Option<Box<Direction>>,
    event: Event<'_>,
    listener: &mut Listener<'_>,
) {
    let Stage::Open(keys) = stage else { return };
    let mut read = |at: Moment, out: Out<'_>| match out {
        Out::Data(bytes) => inner
            .get_or_insert_with(|| Box::new(Direction::inside_tls()))
            .data(at, bytes, listener),
        Out::Gap(len) => inner
            .get_or_insert_with(|| Box::new(Direction::inside_tls()))
            .gap(at, len, listener),
        Out::Lost => inner
            .get_or_insert_with(|| Box::new(Direction::inside_tls()))
            .lost(at, listener),
        Out::Alert(level, description) => {
            let level = if level == 2 { "fatal " } else { "" };
            let word = format!("{level}{}", alert_word(description));
            let from = listener.from;
            let watch = listener.facts.tls.get_or_insert_default();
            watch.alert(at, from, word.into());
        }
    };
    let goes_on = match event {
        Event::Record(record) => keys.record(record, &mut read),
        Event::Hole(at, len) => keys.hole(at, len, &mut read),
    };
    if !goes_on {
        let keys = keys.outcome();
        *stage = Stage::Blind;
        note(keys, listener);
    }
}
