//! What both directions tell together: INFO and CONNECT, errors, notices, round trips.

use super::pings::Samples;
use super::speaker::Speaker;
use super::tls_watch::TlsWatch;
use super::{Connect, Info, MqttSeen, Notice, Verb, WebSocketSeen};
use crate::parse::nats::address::{address, is_inbox};
use crate::parse::nats::glance::Glance;
use crate::parse::nats::op_reader::OpSink;
use crate::reconstruct::conn::End;
use crate::reconstruct::key_log::KeyRing;
use crate::span::Moment;

/// How many -ERR and how many notices are kept.
pub const KEPT: usize = 16;

/// Facts of the connection while it lives.
#[derive(Debug, Default)]
pub struct Facts {
    /// First INFO of each end: originator, responder.
    pub info: [Option<Box<(Moment, Info)>>; 2],
    /// CONNECT of each end.
    pub connect: [Option<Box<(Moment, Connect)>>; 2],
    /// First PONG or +OK of each end.
    pub welcome: [Option<Moment>; 2],
    /// Round trips.
    pub rtt: Option<Box<Samples>>,
    /// What most connections never need.
    pub rare: Option<Box<Rare>>,
    /// Which protocols' verbs were seen.
    pub kin: Kin,
    /// TLS records.
    pub tls: Option<Box<TlsWatch>>,
    /// S2 frames were seen.
    pub compressed: bool,
    /// Payload bytes of an end were seen: originator, responder.
    pub any_from: [bool; 2],
}

impl Facts {
    /// What most connections never need.
    pub fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// Any -ERR was seen.
    pub fn has_errors(&self) -> bool {
        self.rare
            .as_ref()
            .is_some_and(|rare| !rare.errors.is_empty())
    }
}

/// What most connections never need.
#[derive(Clone, Debug, Default)]
pub struct Rare {
    /// -ERR: moment, who sent it, text.
    pub errors: Vec<(Moment, End, Box<str>)>,
    /// Later INFOs that matter.
    pub notices: Vec<(Moment, Notice)>,
    /// Unreadable bytes: the first place, and how many times.
    pub garbage: Option<(Moment, u64)>,
    /// What is spoken, when it is not NATS.
    pub other: Option<&'static str>,
    /// WebSocket upgrade and close.
    pub websocket: Option<WebSocketSeen>,
    /// MQTT.
    pub mqtt: Option<MqttSeen>,
    /// Who sent the first WebSocket close frame.
    pub websocket_close: Option<End>,
}

/// Verbs that belong to one protocol only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kin {
    /// PUB, HPUB, SUB, UNSUB of an end: originator, responder.
    pub asks: [bool; 2],
    /// MSG, +OK of an end.
    pub serves: [bool; 2],
    /// RS+, RS-, RMSG.
    pub route: bool,
    /// LS+, LS-, LMSG.
    pub leaf: bool,
    /// A+, A-.
    pub gateway: bool,
}

/// Place of an end's entry in a pair.
pub const fn index(end: End) -> usize {
    match end {
        End::Orig => 0,
        End::Resp => 1,
    }
}

/// A direction's operations on their way into the facts.
pub struct Listener<'a> {
    /// Who speaks.
    pub from: End,
    /// The speaker.
    pub me: &'a mut Speaker,
    /// The other end.
    pub peer: &'a mut Speaker,
    /// Facts of both.
    pub facts: &'a mut Facts,
    /// Secrets that were logged.
    pub keys: Option<&'a KeyRing>,
}

impl OpSink for Listener<'_> {
    fn line(&mut self, at: Moment, seen: Glance, line: &[u8]) {
        self.me.line(seen, line.len());
        match seen.verb {
            Verb::Info => self.info(at, &line[4.min(line.len())..]),
            Verb::Connect => self.connect(at, &line[7.min(line.len())..]),
            Verb::Err => self.error(at, &line[4.min(line.len())..]),
            Verb::Interest | Verb::Routed => match line.first() {
                Some(b'R' | b'r') => self.facts.kin.route = true,
                Some(b'L' | b'l') => self.facts.kin.leaf = true,
                Some(b'A' | b'a') => self.facts.kin.gateway = true,
                _ => {}
            },
            Verb::Sub | Verb::Unsub => self.facts.kin.asks[index(self.from)] = true,
            Verb::Pub => {
                self.facts.kin.asks[index(self.from)] = true;
                self.message(at, seen.verb, line);
            }
            Verb::Hpub => {
                self.facts.kin.asks[index(self.from)] = true;
                self.message(at, seen.verb, line);
                self.headers_before_their_time(at, line);
            }
            Verb::Msg => {
                self.facts.kin.serves[index(self.from)] = true;
                self.message(at, seen.verb, line);
            }
            Verb::Hmsg => self.message(at, seen.verb, line),
            Verb::Ok | Verb::Ping | Verb::Pong => {}
        }
    }

    fn done(&mut self, at: Moment, seen: Glance) {
        self.me.done(at, seen);
        match seen.verb {
            Verb::Ping => {
                let greeting = self.me.pings_sent() == 1;
                let trip = self.me.book().ping(at);
                if greeting && self.facts.connect[index(self.from)].is_some() {
                    self.me.book().restart();
                }
                self.round_trip(trip);
            }
            Verb::Pong => {
                let trip = self.peer.book().pong(at);
                self.round_trip(trip);
                self.welcome(at);
            }
            Verb::Ok => self.welcome(at),
            _ => {}
        }
    }

    fn partial(&mut self, at: Moment, line: &[u8]) {
        let after = |word: &str| {
            let head = line.get(..word.len())?;
            head.eq_ignore_ascii_case(word.as_bytes())
                .then(|| &line[word.len()..])
        };
        if let Some(json) = after("INFO ") {
            self.info(at, json);
        } else if let Some(json) = after("CONNECT ") {
            self.connect(at, json);
        } else if let Some(text) = after("-ERR ") {
            self.error(at, text);
        }
    }

    fn unreadable(&mut self, at: Moment, quote: &[u8]) {
        let rare = self.facts.rare();
        let garbage = rare.garbage.get_or_insert((at, 0));
        garbage.1 += 1;
        if !quote.is_empty() {
            self.me.unknown(at, quote);
        }
    }
}

impl Listener<'_> {
    /// The capture lost bytes of this direction among which control lines may have been.
    pub fn lost(&mut self, at: Moment) {
        self.peer.book().forgive(at);
        if let Some(book) = &mut self.me.book {
            book.lost();
        }
    }

    /// The direction speaks something else.
    pub fn name(&mut self, name: &'static str) {
        let rare = self.facts.rare();
        rare.other.get_or_insert(name);
    }

    /// A WebSocket close frame; the first one counts.
    pub fn closed(&mut self, at: Moment, code: u16, reason: &[u8]) {
        let from = self.from;
        let rare = self.facts.rare();
        if let Some(seen) = &mut rare.websocket
            && rare.websocket_close.is_none()
        {
            let reason = String::from_utf8_lossy(reason).into();
            seen.close = Some((at, false, code, reason));
            rare.websocket_close = Some(from);
        }
    }

    /// A message that may ask for an answer, or be one.
    fn message(&mut self, at: Moment, verb: Verb, line: &[u8]) {
        let Some(address) = address(verb, line) else {
            return;
        };
        let inbox = is_inbox(address.subject);
        if inbox || self.peer.has_requests() {
            self.peer.requests().answer(address.subject, at, inbox);
        }
        if let Some(reply) = address.reply {
            self.me.requests().ask(reply, at);
        }
    }

    fn round_trip(&mut self, trip: Option<i64>) {
        if let Some(trip) = trip {
            self.facts.rtt.get_or_insert_default().push(trip);
        }
    }

    fn welcome(&mut self, at: Moment) {
        // The first one behind the peer's CONNECT counts, in whatever order the directions are read.
        let connected = self.facts.connect[index(self.from.other())]
            .as_ref()
            .map(|connect| connect.0.ns);
        let welcome = &mut self.facts.welcome[index(self.from)];
        if welcome.is_none_or(|old| connected.is_some_and(|connected| old.ns < connected)) {
            *welcome = Some(at);
        }
    }

    fn info(&mut self, at: Moment, json: &[u8]) {
        let (info, whole) = Info::from_json(json);
        if !whole && info == Info::default() {
            return;
        }
        let Some(first) = &mut self.facts.info[index(self.from)] else {
            self.facts.info[index(self.from)] = Some(Box::new((at, info)));
            return;
        };
        if first.1.remote_account.is_none() {
            first.1.remote_account.clone_from(&info.remote_account);
        }
        if info.server_id.is_empty() {
            // Between gateways INFO also carries commands.
            return;
        }
        if !info.ldm && info.connect_urls == first.1.connect_urls && self.facts.rare.is_none() {
            return;
        }
        let notices = &mut self.facts.rare.get_or_insert_default().notices;
        if info.ldm && notices.len() < KEPT {
            notices.push((at, Notice::LameDuck));
        }
        let known = notices
            .iter()
            .rev()
            .find_map(|(_, notice)| match notice {
                Notice::ConnectUrls(urls) => Some(urls),
                Notice::LameDuck => None,
            })
            .unwrap_or(&first.1.connect_urls);
        let mut old: Vec<&str> = known.iter().map(|url| &**url).collect();
        let mut new: Vec<&str> = info.connect_urls.iter().map(|url| &**url).collect();
        old.sort_unstable();
        new.sort_unstable();
        if old != new && whole && notices.len() < KEPT {
            notices.push((at, Notice::ConnectUrls(info.connect_urls)));
        }
    }

    fn connect(&mut self, at: Moment, json: &[u8]) {
        let slot = &mut self.facts.connect[index(self.from)];
        if slot.is_none() {
            *slot = Some(Box::new((at, Connect::from_json(json).0)));
            let welcome = &mut self.facts.welcome[index(self.from.other())];
            if welcome.is_some_and(|welcome| welcome.ns < at.ns) {
                *welcome = None;
            }
        }
    }

    fn error(&mut self, at: Moment, text: &[u8]) {
        let errors = &mut self.facts.rare().errors;
        if errors.len() < KEPT {
            let text = String::from_utf8_lossy(&text[..text.len().min(1024)]);
            let text = text.trim().trim_matches('\'');
            errors.push((at, self.from, text.into()));
        }
    }

    /// HPUB to a server that has no headers (before 2.2.0): its parser does not know the verb.
    fn headers_before_their_time(&mut self, at: Moment, line: &[u8]) {
        let info = self.facts.info[index(self.from.other())].as_ref();
        if info.is_some_and(|info| !info.1.headers && !info.1.version.is_empty()) {
            self.me.unknown(at, &line[..line.len().min(64)]);
        }
    }
}
