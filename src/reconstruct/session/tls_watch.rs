//! What the records of both directions say about an encrypted conversation: a blind view of sizes and times.
//!
//! PINGs: the plain text `PING CR LF` has six bytes, so its record has one length per version and suite
//! ([`tls::sealed_len`]). PONG has the same. A record of that length is taken for a PING unless it follows something of
//! the peer's within [`REPLY_NS`]. A PING counts as unanswered when the peer sent no record at all after it, since a PONG
//! may share its record with other data.
//!
//! Alerts: in TLS 1.3 they look like application data of two bytes, which NATS never sends. The last record of a
//! direction of that length is its close_notify once the session is established, and a refusal before.

use super::TlsSeen;
use super::facts::index;
use super::tls_reader::Record;
use crate::parse::tls::{self, Content, Hello, alert_word, version_word};
use crate::reconstruct::conn::End;
use crate::span::Moment;
use crate::time::SECOND;

/// A record this soon after one of the peer's is an answer; PINGs of timers are seconds apart.
const REPLY_NS: i64 = SECOND;
/// Records of each direction that are kept.
const KEPT: usize = 12;
/// Alerts that are kept.
const ALERTS: usize = 8;
const TLS_1_3: u16 = 0x0304;
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
#[derive(Clone, Debug, Default)]
pub struct TlsWatch {
    sides: [Side; 2],
    hello: [Option<Moment>; 2],
    sni: Option<Box<str>>,
    version: Option<u16>,
    suite: u16,
    alerts: Vec<(Moment, End, Box<str>)>,
}

impl TlsWatch {
    /// A record of one end.
    pub fn record(&mut self, from: End, record: Record<'_>) {
        let Record { header, body, at } = record;
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
            Content::Handshake => match tls::hello(body) {
                Some(Hello::Client { sni }) => {
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
        let unanswered = |end: End| {
            if established {
                self.unanswered(end)
            } else {
                Vec::new()
            }
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
            mismatch: None,
            client_unanswered: unanswered(client),
            server_unanswered: unanswered(server),
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

    fn unanswered(&self, end: End) -> Vec<Moment> {
        let (mine, peer) = (&self.sides[index(end)], &self.sides[index(end.other())]);
        let ping = match self.version {
            Some(version) => tls::sealed_len(version, self.suite, PING),
            // A capture that starts late: TLS 1.3 is what present libraries negotiate.
            None => tls::sealed_len(TLS_1_3, 0, PING),
        };
        // What the peer says once this end has closed answers nothing.
        let closed = mine
            .tail
            .back()
            .filter(|last| self.is_alert(**last))
            .map_or(i64::MAX, |last| last.at.ns);
        let silent_since = peer
            .tail
            .iter()
            .rev()
            .find(|seen| seen.at.ns < closed && !self.is_alert(**seen))
            .map_or(i64::MIN, |last| last.at.ns);
        mine.tail
            .iter()
            .filter(|seen| seen.content == Content::ApplicationData && Some(seen.len) == ping)
            .map(|seen| seen.at)
            .filter(|at| at.ns > silent_since.saturating_add(REPLY_NS))
            .collect()
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

    fn alert(&mut self, at: Moment, from: End, word: Box<str>) {
        if self.alerts.len() < ALERTS {
            self.alerts.push((at, from, word));
        }
    }
}
