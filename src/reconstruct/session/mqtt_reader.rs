//! One direction of an MQTT connection: packets to operations. PUBLISH counts as a message with its whole body, PINGREQ
//! and PINGRESP as PING and PONG.

use super::facts::{Listener, index};
use super::{Connect, MqttSeen, Verb};
use crate::parse::mqtt::{self, HEADER_MAX, Header, Packet};
use crate::parse::nats::glance::Glance;
use crate::parse::nats::op_reader::{Cut, OpSink};
use crate::span::Moment;

/// Bodies of CONNECT and CONNACK are kept up to this.
const KEPT: usize = 4096;

/// The reader of one direction.
#[derive(Clone, Debug, Default)]
pub struct MqttReader {
    head: [u8; HEADER_MAX],
    have: u8,
    packet: Option<(Packet, u32)>,
    begun: Moment,
    left: u32,
    body: Vec<u8>,
    /// Nothing can be read until the next hole.
    blind: bool,
}

impl MqttReader {
    /// Reads bytes in order.
    pub fn read(&mut self, bytes: &[u8], at: Moment, listener: &mut Listener<'_>) {
        let mut rest = bytes;
        while !rest.is_empty() && !self.blind {
            if let Some((packet, _)) = self.packet {
                let n = rest.len().min(self.left as usize);
                if matches!(
                    packet,
                    Packet::Connect | Packet::Connack | Packet::Disconnect
                ) {
                    let room = KEPT - self.body.len().min(KEPT);
                    self.body.extend_from_slice(&rest[..n.min(room)]);
                }
                self.left -= n as u32;
                rest = &rest[n..];
                self.complete(at, listener);
                continue;
            }
            self.head[usize::from(self.have)] = rest[0];
            self.have += 1;
            rest = &rest[1..];
            match mqtt::header(&self.head[..usize::from(self.have)]) {
                Header::More => {}
                Header::Whole(packet, len) => {
                    self.have = 0;
                    self.packet = Some((packet, len));
                    self.left = len;
                    self.begun = at;
                    self.complete(at, listener);
                }
                Header::Wrong => {
                    self.blind = true;
                    let have = usize::from(self.have);
                    listener.unreadable(at, &self.head[..have]);
                }
            }
        }
    }

    /// Bytes that the capture does not hold. True when the reader stays in step.
    pub fn gap(&mut self, at: Moment, len: u64, listener: &mut Listener<'_>) -> bool {
        let mut len = len;
        if self.packet.is_some() {
            let n = len.min(u64::from(self.left));
            len -= n;
            self.left -= n as u32;
            self.complete(at, listener);
        }
        if len > 0 {
            self.have = 0;
            self.blind = false;
        }
        len == 0
    }

    /// The end of the direction; gives the message that it cuts.
    pub fn end(&self, me: Verb) -> Option<Cut> {
        let (packet, len) = self.packet?;
        (packet == Packet::Publish).then(|| Cut {
            verb: me,
            declared: u64::from(len),
            present: u64::from(len - self.left),
            at: self.begun,
        })
    }

    fn complete(&mut self, at: Moment, listener: &mut Listener<'_>) {
        let Some((packet, len)) = self.packet.filter(|_| self.left == 0) else {
            return;
        };
        self.packet = None;
        let body = std::mem::take(&mut self.body);
        let mine = index(listener.from);
        let serves = listener.facts.kin.serves[mine];
        let verb = match packet {
            Packet::Connect => {
                listener.facts.kin.asks[mine] = true;
                connect(&body, at, listener);
                Verb::Connect
            }
            Packet::Connack => {
                listener.facts.kin.serves[mine] = true;
                let seen = listener.facts.rare().mqtt.get_or_insert_default();
                seen.connack = body.get(1).map(|&code| (at, code));
                Verb::Ok
            }
            Packet::Publish if serves => Verb::Msg,
            Packet::Publish => Verb::Pub,
            Packet::Subscribe => Verb::Sub,
            Packet::Unsubscribe => Verb::Unsub,
            Packet::Pingreq => Verb::Ping,
            Packet::Pingresp => Verb::Pong,
            Packet::Disconnect => {
                let from_server = serves;
                let seen = listener.facts.rare().mqtt.get_or_insert_default();
                seen.disconnect = Some((at, from_server, body.first().copied().unwrap_or(0)));
                return;
            }
            Packet::Other => return,
        };
        let payload = if packet == Packet::Publish { len } else { 0 };
        let seen = Glance {
            verb,
            payload: u64::from(payload),
        };
        listener.me.line(seen, 0);
        listener.done(at, seen);
    }
}

fn connect(body: &[u8], at: Moment, listener: &mut Listener<'_>) {
    let Some(said) = mqtt::connect(body) else {
        return;
    };
    let connect = Connect {
        name: (!said.client_id.is_empty()).then(|| said.client_id.clone()),
        credentials: said.user.is_some().then_some("user"),
        user: said.user,
        protocol: Some(i64::from(said.level)),
        ..Connect::default()
    };
    listener.facts.rare().mqtt = Some(MqttSeen {
        level: said.level,
        keep_alive: said.keep_alive,
        clean: said.clean,
        ..MqttSeen::default()
    });
    listener.facts.connect[index(listener.from)].get_or_insert_with(|| Box::new((at, connect)));
}
