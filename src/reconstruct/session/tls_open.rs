//! The sealed records of one direction, opened in order.
//!
//! A record is sealed under its number, which is not on the wire: after a hole of the capture the numbers that may have
//! come are tried. In TLS 1.3 the key changes after the Finished message; since a record opens under its own key only, the
//! first one under the traffic key shows that.

use std::ops::Range;

use super::Keys;
use super::tls_reader::Record;
use crate::parse::tls::Content;
use crate::parse::tls::protection::{Opener, Suite};
use crate::span::Moment;

/// Bytes of the smallest record, header included: one byte of an AEAD suite.
const SMALLEST: u64 = 22;
/// Numbers tried for a record after a hole.
const TRIES: u64 = 512;
/// Records in a row that do not open before the keys are given up. A handshake without its own secrets has fewer.
const FAILURES: u8 = 24;
/// Sealed records of a handshake: EncryptedExtensions, CertificateRequest, Certificate (a large one in several),
/// CertificateVerify, Finished.
const HANDSHAKE: u8 = 8;
/// KeyUpdate (RFC 8446 section 4.6.3).
const KEY_UPDATE: u8 = 24;

/// What comes out of the records.
#[derive(Clone, Copy, Debug)]
pub enum Out<'a> {
    /// Application data.
    Data(&'a [u8]),
    /// Application data of this length that cannot be read.
    Gap(u64),
    /// An unknown amount is missing.
    Lost,
    /// An alert: level and description.
    Alert(u8, u8),
}

/// The state of one direction.
#[derive(Debug)]
pub struct Open {
    suite: Suite,
    /// TLS 1.3 before its Finished: the handshake's key, if it was logged, and the next number under it.
    early: Option<(Option<Opener>, u64)>,
    opener: Opener,
    /// The next number.
    seq: u64,
    /// How many numbers the next record may be ahead of that.
    doubt: u64,
    failures: u8,
    /// ChangeCipherSpec was seen, or may have been missed: TLS 1.2 seals from there on.
    sealed: bool,
    opened: bool,
}

impl Open {
    /// Before the first sealed record. `early`: the key of the handshake in TLS 1.3.
    pub fn new(suite: Suite, early: Option<Opener>, opener: Opener) -> Self {
        Self {
            suite,
            early: suite.is_1_3().then_some((early, 0)),
            opener,
            seq: 0,
            doubt: 0,
            failures: 0,
            sealed: false,
            opened: false,
        }
    }

    /// What became of the keys.
    pub fn outcome(&self) -> Keys {
        // Records of a handshake whose own secrets are not known stay shut under the right keys too.
        let own = self.suite.is_1_3() && matches!(self.early, Some((None, _)));
        let excused = if own { HANDSHAKE } else { 0 };
        match (self.opened, self.failures) {
            (true, FAILURES..) => Keys::Lost,
            (true, _) => Keys::Fit,
            (false, failures) if failures > excused => Keys::Wrong,
            (false, _) => Keys::NotGiven,
        }
    }

    /// A record; false when the keys are given up.
    pub fn record(&mut self, record: Record<'_>, out: &mut impl FnMut(Moment, Out<'_>)) -> bool {
        let Record {
            header, at, body, ..
        } = record;
        if header.content == Content::ChangeCipherSpec {
            if !self.suite.is_1_3() && !self.opened {
                self.sealed = true;
                (self.seq, self.doubt, self.failures) = (0, 0, 0);
            }
            return true;
        }
        let sealed = header.content == Content::ApplicationData || self.sealed;
        if !sealed {
            return true;
        }
        if record.whole
            && let Some((content, range)) = self.open(header.content, body)
        {
            self.failures = 0;
            self.inside(content, &body[range], at, out);
            return true;
        }
        if record.whole {
            self.failures += 1;
            if self.failures >= FAILURES {
                if self.opened {
                    out(at, Out::Lost);
                }
                return false;
            }
        }
        self.missed(record.whole, header.content, header.len, at, out);
        true
    }

    /// Bytes between two records that the capture does not hold; false when the keys are given up.
    pub fn hole(&mut self, at: Moment, len: u64, out: &mut impl FnMut(Moment, Out<'_>)) -> bool {
        self.doubt = (self.doubt + len / SMALLEST + 1).min(TRIES);
        self.sealed |= !self.suite.is_1_3();
        if self.opened {
            out(at, Out::Lost);
        }
        true
    }

    /// Opens a record under the number that fits.
    fn open(&mut self, content: Content, body: &mut [u8]) -> Option<(Content, Range<usize>)> {
        if let Some((Some(early), seq)) = &mut self.early
            && let Some((number, opened)) = tried(early, *seq, self.doubt, content, body)
        {
            *seq = number + 1;
            self.doubt = 0;
            // What a handshake says in its own cover is nobody's data.
            return Some(opened);
        }
        let (number, opened) = tried(&self.opener, self.seq, self.doubt, content, body)?;
        self.early = None;
        self.opened = true;
        self.seq = number + 1;
        self.doubt = 0;
        Some(opened)
    }

    /// A record that stays shut, as a whole or in part missing.
    fn missed(
        &mut self,
        whole: bool,
        content: Content,
        len: u16,
        at: Moment,
        out: &mut impl FnMut(Moment, Out<'_>),
    ) {
        if self.doubt > 0 || (whole && !self.opened) {
            // A handshake without its secrets, or bytes that only look like a record behind a hole.
            if self.doubt > 0 {
                self.doubt = (self.doubt + 1).min(TRIES);
            }
            if self.opened {
                out(at, Out::Lost);
            }
            return;
        }
        if let Some((_, seq)) = &mut self.early {
            *seq += 1;
            self.doubt = 1;
            return;
        }
        self.seq += 1;
        if content == Content::ApplicationData {
            self.opened |= !whole;
            out(at, Out::Gap(self.suite.plain_len(len).into()));
        }
    }

    fn inside(
        &mut self,
        content: Content,
        bytes: &[u8],
        at: Moment,
        out: &mut impl FnMut(Moment, Out<'_>),
    ) {
        match (content, bytes) {
            (Content::ApplicationData, _) => out(at, Out::Data(bytes)),
            (Content::Alert, [level, description]) => out(at, Out::Alert(*level, *description)),
            (Content::Handshake, _) if self.early.is_none() && updates(bytes) => {
                if let Some(next) = self.opener.updated() {
                    self.opener = next;
                    self.seq = 0;
                }
            }
            _ => {}
        }
    }
}

/// Tries `doubt` numbers from `seq` on.
fn tried(
    opener: &Opener,
    seq: u64,
    doubt: u64,
    content: Content,
    body: &mut [u8],
) -> Option<(u64, (Content, Range<usize>))> {
    (seq..=seq + doubt).find_map(|seq| Some((seq, opener.open(seq, content, body)?)))
}

/// The handshake messages end with a KeyUpdate, behind which its sender uses the next key.
fn updates(messages: &[u8]) -> bool {
    let mut rest = messages;
    while let [kind, a, b, c, body @ ..] = rest {
        let len = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        let Some(after) = body.get(len..) else {
            return false;
        };
        if *kind == KEY_UPDATE && after.is_empty() {
            return true;
        }
        rest = after;
    }
    false
}
