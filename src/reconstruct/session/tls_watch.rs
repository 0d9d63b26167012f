//! What the records of both directions say about an encrypted conversation: a blind view of sizes and times.
//!
//! PINGs: the plain text `PING CR LF` has six bytes, so its record has one length per version and suite
//! ([`tls::sealed_len`]). PONG has the same. A record of that length is taken for a PONG when the peer has a PING open or
//! spoke within [`REPLY_NS`] before, else for a PING. Any longer record answers all open PINGs of the peer, since a PONG
//! may share its record with other data.
//!
//! Alerts: in TLS 1.3 they look like application data of two bytes, which NATS never sends. The last record of a
//! direction of that length is its close_notify once the session is established, and a refusal before.

use super::facts::index;
use super::tls_handshake::TlsHandshake;
use super::tls_reader::Record;
use super::{Keys, TlsSeen};
use crate::parse::tls::{self, Content, Hello, TLS_1_2, TLS_1_3, alert_word, version_word};
use crate::reconstruct::conn::End;
use crate::span::Moment;
use crate::time::SECOND;

/// A record this soon after one of the peer's is an answer; PINGs of timers are seconds apart.
const REPLY_NS: i64 = SECOND;
/// Records of each direction that are kept.
const KEPT: usize = 12;
/// Alerts that are kept.
const ALERTS: usize = 8;
/// Plain text lengths.
const PING: u16 = 6;
const ALERT: u16 = 2;

/// A record in the tail of a direction.
#[derive(Clone, Copy, Debug)]
struct Seen {
    at: Moment,
    len: u16,
    content: Content,
}

/// One direction.
#[derive(Clone, Debug, Default)]
struct Side {
    first: Option<Moment>,
    /// The last records, oldest first.
    tail: std::collections::VecDeque<Seen>,
    records: u64,
    changed_cipher: bool,
    /// Application-data records by order: the first and the last that is longer than an alert.
    first_data: Option<Moment>,
    last_data: Option<Moment>,
}

/// Both directions.
#[derive(Debug, Default)]
pub struct TlsWatch {
    sides: [Side; 2],
    hello: [Option<Moment>; 2],
    sni: Option<Box<str>>,
    version: Option<u16>,
    suite: u16,
    alerts: Vec<(Moment, End, Box<str>)>,
    /// Hellos and secrets, where a key log is at hand.
    pub handshake: TlsHandshake,
}

impl TlsWatch {
    /// A record of one end.
    pub fn record(&mut self, from: End, record: &Record<'_>) {
        let (header, at) = (record.header, record.at);
        let body = &*record.body;
        let side = &mut self.sides[index(from)];
        side.first.get_or_insert(at);
        match header.content {
            Content::ChangeCipherSpec => side.changed_cipher = true,
            Content::ApplicationData => {
                side.records += 1;
                if header.len != ALERT + 1 + 16 {
                    side.first_data.get_or_insert(at);
                    side.last_data = Some(at);
                }
            }
            Content::Alert if header.len == ALERT => {
                if let [level, description] = *body {
                    let level = if level == 2 { "fatal " } else { "" };
                    let word = format!("{level}{}", alert_word(description));
                    self.alert(at, from, word.into());
                }
            }
            Content::Alert => {}
            // Renegotiation is sealed.
            Content::Handshake if side.changed_cipher && self.version == Some(TLS_1_2) => {}
            Content::Handshake => match tls::hello(body) {
                Some(Hello::Client { sni, .. }) => {
                    self.hello[index(from)].get_or_insert(at);
                    if self.sni.is_none() {
                        self.sni = sni;
                    }
                }
                Some(Hello::Server { version, suite, .. }) => {
                    self.version = Some(version);
                    self.suite = suite;
                }
                None => {}
            },
        }
        let side = &mut self.sides[index(from)];
        if side.tail.len() == KEPT {
            side.tail.pop_front();
        }
        side.tail.push_back(Seen {
            at,
            len: header.len,
            content: header.content,
        });
    }

    /// The end that sent a ClientHello.
    pub fn client(&self) -> Option<End> {
        [End::Orig, End::Resp]
            .into_iter()
            .find(|&end| self.hello[index(end)].is_some())
    }

    /// The first ClientHello.
    pub fn hello_at(&self, from: End) -> Option<Moment> {
        self.hello[index(from)]
    }

    /// First record of an end.
    pub fn first_of(&self, from: End) -> Option<Moment> {
        self.sides[index(from)].first
    }

    /// The facts. `info_at`: the server's first plain INFO.
    pub fn seen(mut self, server: End, info_at: Option<Moment>) -> TlsSeen {
        let client = server.other();
        let established = self.established(client);
        let close_notify = [End::Orig, End::Resp].map(|end| self.close_notify(end, established));
        self.alerts.sort_by_key(|alert| alert.0);
        let first_record = [End::Orig, End::Resp]
            .into_iter()
            .filter_map(|end| self.first_of(end))
            .min()
            .unwrap_or_default();
        let mut unanswered = if established {
            self.unanswered()
        } else {
            Default::default()
        };
        TlsSeen {
            at: first_record,
            first: info_at.is_none_or(|info| first_record.ns < info.ns),
            established,
            version: self.version.map(|version| version_word(version).into()),
            sni: self.sni.clone(),
            client_close_notify: close_notify[index(client)],
            server_close_notify: close_notify[index(server)],
            client_records: self.sides[index(client)].records,
            server_records: self.sides[index(server)].records,
            decrypted: false,
            keys: Keys::NotGiven,
            mismatch: None,
            client_unanswered: std::mem::take(&mut unanswered[index(client)]),
            server_unanswered: std::mem::take(&mut unanswered[index(server)]),
            alerts: self
                .alerts
                .iter()
                .map(|(at, from, word)| (*at, *from == server, word.clone()))
                .collect(),
        }
    }

    /// TLS 1.3 hides the end of the handshake: the client's first encrypted records are its Finished and CONNECT, whatever
    /// the server sends after them that is longer than an alert is its consent.
    fn established(&self, client: End) -> bool {
        let mine = &self.sides[index(client)];
        let peer = &self.sides[index(client.other())];
        let midstream = mine.first == mine.first_data && peer.first == peer.first_data;
        match (mine.first_data, peer.last_data) {
            _ if midstream => mine.first_data.is_some() || peer.first_data.is_some(),
            (Some(finished), Some(consent)) if self.version == Some(TLS_1_3) => {
                consent.ns >= finished.ns && mine.records > 1
            }
            (Some(_), Some(_)) => true,
            _ => false,
        }
    }

    /// The close_notify of an end; before the session is established a refusal, which goes to the alerts.
    fn close_notify(&mut self, end: End, established: bool) -> Option<Moment> {
        let side = &self.sides[index(end)];
        let last = *side.tail.back()?;
        let opened = self
            .alerts
            .iter()
            .find(|(at, from, _)| *at == last.at && *from == end);
        if let Some((at, _, word)) = opened
            && self.is_alert(last)
        {
            return word.ends_with("close_notify").then_some(*at);
        }
        if self.is_alert(last) && (last.content, last.len) != (Content::Alert, ALERT) {
            let word = if established { "close_notify" } else { "alert" };
            self.alert(last.at, end, format!("encrypted {word}").into());
            return established.then_some(last.at);
        }
        let said = self
            .alerts
            .iter()
            .find(|(_, from, word)| *from == end && word.ends_with("close_notify"));
        said.map(|said| said.0)
    }

    /// Probable PINGs that nothing answered, of each end; what follows the first close is not looked at.
    fn unanswered(&self) -> [Vec<Moment>; 2] {
        let ping = match self.version {
            Some(version) => tls::sealed_len(version, self.suite, PING),
            // A capture that starts late: TLS 1.3 is what present libraries negotiate.
            None => tls::sealed_len(TLS_1_3, 0, PING),
        };
        let mut both: Vec<(End, Seen)> = [End::Orig, End::Resp]
            .into_iter()
            .flat_map(|end| {
                self.sides[index(end)]
                    .tail
                    .iter()
                    .map(move |seen| (end, *seen))
            })
            .collect();
        both.sort_by_key(|(end, seen)| (seen.at, index(*end)));
        let mut open: [Vec<Moment>; 2] = Default::default();
        let mut last = [i64::MIN; 2];
        for (end, seen) in both {
            if self.is_alert(seen) {
                break;
            }
            if seen.content != Content::ApplicationData {
                continue;
            }
            let (me, peer) = (index(end), index(end.other()));
            let answers = seen.at.ns.saturating_sub(last[peer]) <= REPLY_NS;
            if Some(seen.len) != ping {
                open[peer].clear();
            } else if !open[peer].is_empty() {
                open[peer].remove(0);
            } else if !answers {
                open[me].push(seen.at);
            }
            last[me] = seen.at.ns;
        }
        open
    }

    fn is_alert(&self, seen: Seen) -> bool {
        match seen.content {
            Content::Alert => true,
            Content::ApplicationData => {
                seen.len == ALERT + 1 + 16 && self.version.is_none_or(|version| version == TLS_1_3)
            }
            Content::ChangeCipherSpec | Content::Handshake => false,
        }
    }

    /// An alert whose description is known.
    pub fn alert(&mut self, at: Moment, from: End, word: Box<str>) {
        if self.alerts.len() < ALERTS {
            self.alerts.push((at, from, word));
        }
    }
}
