//! The records of one direction of TLS.

use crate::parse::tls::{self, Content, HEADER, Header};
use crate::span::Moment;

/// A body's buffer of up to this size is kept for the next record.
const BUFFER: usize = 2 << 10;

/// A record that is complete.
#[derive(Debug)]
pub struct Record<'a> {
    /// Its header.
    pub header: Header,
    /// Its last byte.
    pub at: Moment,
    /// The capture holds all of it.
    pub whole: bool,
    /// Its body where it is worth reading: handshake until the first data, alerts of two bytes, everything when keys may be
    /// known; else empty.
    pub body: &'a mut [u8],
}

/// What the reader finds.
#[derive(Debug)]
pub enum Event<'a> {
    /// A record.
    Record(Record<'a>),
    /// Bytes between records that the capture does not hold, or that are no record (none of known length).
    Hole(Moment, u64),
}

/// The reader of one direction.
#[derive(Debug, Default)]
pub struct TlsReader {
    head: [u8; HEADER],
    have: u8,
    record: Option<Header>,
    left: u16,
    body: Vec<u8>,
    /// A part of the record is missing.
    torn: bool,
    /// Data were seen, or bytes are missing: no hello comes any more.
    greeted: bool,
    /// Bodies of all records are kept.
    sealed: bool,
    /// After a hole: records are searched for.
    lost: bool,
}

impl TlsReader {
    /// Keeps the bodies of sealed records from now on, or no longer.
    pub fn keep_sealed(&mut self, keep: bool) {
        self.sealed = keep;
    }

    /// Reads bytes in order and hands over each record.
    pub fn read(&mut self, bytes: &[u8], at: Moment, mut sink: impl FnMut(Event<'_>)) {
        let mut rest = bytes;
        while !rest.is_empty() {
            if let Some(header) = self.record {
                let n = rest.len().min(usize::from(self.left));
                if self.keeps(header) {
                    self.body.extend_from_slice(&rest[..n]);
                }
                rest = &rest[n..];
                self.left -= n as u16;
                if self.left == 0 {
                    self.complete(at, &mut sink);
                }
            } else {
                let lost = self.lost;
                self.head_byte(rest[0]);
                if self.lost && !lost {
                    sink(Event::Hole(at, 0));
                }
                rest = &rest[1..];
            }
        }
    }

    /// Bytes that the capture does not hold.
    pub fn gap(&mut self, at: Moment, len: u64, mut sink: impl FnMut(Event<'_>)) {
        let mut len = len;
        if self.record.is_some() {
            let n = len.min(u64::from(self.left));
            self.left -= n as u16;
            len -= n;
            self.body.clear();
            self.torn |= n > 0;
            self.greeted |= n > 0;
            if self.left == 0 {
                self.complete(at, &mut sink);
            }
        }
        if len > 0 {
            self.have = 0;
            self.lost = true;
            self.greeted = true;
            sink(Event::Hole(at, len));
        }
    }

    fn head_byte(&mut self, byte: u8) {
        self.head[usize::from(self.have)] = byte;
        self.have += 1;
        let have = usize::from(self.have);
        let lost = self.lost;
        let fits = |head: &[u8]| match <&[u8; HEADER]>::try_from(head) {
            Ok(head) => tls::header(head).is_some(),
            // Behind a hole only encrypted records are searched for, whose version is always the same.
            Err(_) if lost => {
                matches!(head, [] | [21 | 23] | [21 | 23, 3] | [21 | 23, 3, 3, ..])
            }
            Err(_) => tls::could_start(&head[..head.len().min(3)]),
        };
        if fits(&self.head[..have]) {
            if have == HEADER {
                self.record = tls::header(&self.head);
                self.left = self.record.map_or(0, |header| header.len);
                self.have = 0;
                self.lost = false;
            }
            return;
        }
        self.lost = true;
        let start = (1..=have).find(|&start| start == have || fits(&self.head[start..have]));
        let start = start.unwrap_or(have);
        self.head.copy_within(start..have, 0);
        self.have = (have - start) as u8;
    }

    fn keeps(&self, header: Header) -> bool {
        if self.torn {
            return false;
        }
        match header.content {
            Content::Handshake => self.sealed || !self.greeted,
            Content::Alert => self.sealed || header.len == 2,
            Content::ApplicationData => self.sealed,
            Content::ChangeCipherSpec => false,
        }
    }

    fn complete(&mut self, at: Moment, sink: &mut impl FnMut(Event<'_>)) {
        if let Some(header) = self.record.take() {
            let mut body = std::mem::take(&mut self.body);
            self.greeted |= header.content == Content::ApplicationData;
            sink(Event::Record(Record {
                header,
                at,
                whole: !std::mem::take(&mut self.torn),
                body: &mut body,
            }));
            if self.sealed && body.capacity() <= BUFFER {
                body.clear();
                self.body = body;
            }
        }
    }
}
