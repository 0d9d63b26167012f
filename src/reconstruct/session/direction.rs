//! One direction's bytes through its layers: what carries the protocol is told from the first bytes, and again where a
//! line begins with a byte that is no text (TLS after INFO).

use super::facts::Listener;
use crate::parse::nats::glance::could_start;
use crate::parse::nats::op_reader::OpReader;
use crate::span::Moment;

/// Bytes that are looked at before a direction without any known beginning is handed to the protocol's reader.
const SNIFF: usize = 64;

/// What carries the operations.
#[derive(Clone, Debug, Default)]
enum Layer {
    /// Not known yet; the bytes so far.
    #[default]
    Unknown,
    Plain,
}

/// One direction.
#[derive(Clone, Debug, Default)]
pub struct Direction {
    layer: Layer,
    sniffed: Vec<u8>,
    ops: OpReader,
}

impl Direction {
    /// Bytes in order.
    pub fn data(&mut self, at: Moment, bytes: &[u8], listener: &mut Listener<'_>) {
        let mut rest = bytes;
        while !rest.is_empty() {
            match &mut self.layer {
                Layer::Unknown => {
                    if self.sniffed.is_empty() && rest.len() >= 4 && could_start(&rest[..4]) {
                        self.layer = Layer::Plain;
                        continue;
                    }
                    let more = rest.len().min(SNIFF - self.sniffed.len());
                    self.sniffed.extend_from_slice(&rest[..more]);
                    rest = &rest[more..];
                    if self.sniffed.len() == SNIFF {
                        self.decide(at, listener);
                    } else if self.sniffed.len() >= 4 && could_start(&self.sniffed[..4]) {
                        self.decide(at, listener);
                    }
                }
                Layer::Plain => {
                    if let Some(binary) = self.ops.read(rest, at, listener) {
                        rest = &rest[binary..];
                        self.ops.allow_binary();
                    } else {
                        rest = &[];
                    }
                }
            }
        }
    }

    /// Bytes that the capture does not hold.
    pub fn gap(&mut self, at: Moment, len: u64, listener: &mut Listener<'_>) {
        if !self.sniffed.is_empty() {
            self.decide(at, listener);
        }
        self.layer = Layer::Plain;
        if !self.ops.gap(at, len, listener) {
            listener.lost();
        }
    }

    /// The end of the direction.
    pub fn end(&mut self, at: Moment, by_fin: bool, listener: &mut Listener<'_>) {
        if !self.sniffed.is_empty() {
            self.decide(at, listener);
        }
        let cut = self.ops.end(at, listener);
        listener.me.end(at, cut, by_fin);
    }

    fn decide(&mut self, at: Moment, listener: &mut Listener<'_>) {
        self.layer = Layer::Plain;
        let sniffed = std::mem::take(&mut self.sniffed);
        self.data(at, &sniffed, listener);
    }
}
