//! What a source held, in numbers; and the shapes of lines that nobody's grammar reads.

use super::capture::CaptureFacts;
use crate::source::{Checksum, SourceId};
use crate::span::{Cite, Place};

/// Counters of one source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceFacts {
    /// The source.
    pub source: SourceId,
    /// Records read: packets, log lines.
    pub records: u64,
    /// Records that could not be read.
    pub rejected: u64,
    /// The hash of its bytes, where it was asked for and the source was read to its end.
    pub sha256: Option<Checksum>,
    /// Lines that belong to nobody's grammar, by shape with count and first line (bounded).
    pub foreign: Vec<(String, u64, u64)>,
    /// Server lines whose message is not in the tables, likewise.
    pub unknown: Vec<(String, u64, u64)>,
    /// A log that stands newest first was read from its end, and its lines are numbered as read: the number of each in
    /// the file. Empty for every other source.
    pub file_lines: Vec<u64>,
}

/// A citation as its file numbers it: captures that rotated are numbered as one, each file of them from 1; a log that
/// stands newest first is numbered from its end.
pub fn located(captures: &[CaptureFacts], facts: &[SourceFacts], cite: Cite) -> Cite {
    match cite.place {
        Place::Frame(frame) => {
            let capture = captures.iter().find(|facts| facts.source == cite.source);
            capture.map_or(cite, |capture| {
                let (source, frame) = capture.place(frame);
                Cite::frame(source, frame)
            })
        }
        Place::Line(line) => {
            let facts = facts.get(cite.source.0 as usize);
            facts.map_or(cite, |facts| {
                Cite::line(cite.source, file_line(&facts.file_lines, line))
            })
        }
        Place::Byte(_) => cite,
    }
}

/// The number that a line has in its file: see [`SourceFacts::file_lines`].
pub fn file_line(file_lines: &[u64], line: u64) -> u64 {
    let index = line.checked_sub(1).and_then(|at| usize::try_from(at).ok());
    let number = index.and_then(|at| file_lines.get(at));
    number.copied().unwrap_or(line)
}

/// How many shapes are told apart; the rest is counted as [`Shapes::REST`].
const SHAPES: usize = 64;

/// Lines counted by shape: digits, quoted parts and long words do not make a difference.
#[derive(Clone, Debug, Default)]
pub struct Shapes {
    rows: Vec<(String, u64, u64)>,
}

impl Shapes {
    /// The row for lines beyond the first shapes.
    pub const REST: &'static str = "(other shapes)";

    /// Counts a line.
    pub fn count(&mut self, body: &[u8], number: u64) {
        let shape = shape(body);
        if let Some(row) = self.rows.iter_mut().find(|row| row.0 == shape) {
            row.1 += 1;
        } else if self.rows.len() < SHAPES {
            self.rows.push((shape, 1, number));
        } else if let Some(rest) = self.rows.iter_mut().find(|row| row.0 == Self::REST) {
            rest.1 += 1;
        } else {
            self.rows.push((Self::REST.to_owned(), 1, number));
        }
    }

    /// The rows, most frequent first.
    pub fn finish(mut self) -> Vec<(String, u64, u64)> {
        self.rows.sort_by(|a, b| b.1.cmp(&a.1).then(a.2.cmp(&b.2)));
        self.rows
    }
}

/// A line without what varies: runs of digits and hex become `#`, quoted texts `".."`; cut to 80 bytes.
pub fn shape(body: &[u8]) -> String {
    let mut out = String::new();
    let mut quote: Option<char> = None;
    let text = String::from_utf8_lossy(&body[..body.len().min(240)]);
    for character in text.chars() {
        if out.len() >= 80 {
            break;
        }
        match (quote, character) {
            (Some(open), close) if open == close => {
                quote = None;
                out.push(close);
            }
            (Some(_), _) => {}
            (None, '"') => {
                quote = Some('"');
                out.push_str("\"..");
            }
            (None, digit) if digit.is_ascii_digit() => {
                if !out.ends_with('#') {
                    out.push('#');
                }
            }
            (None, other) if other.is_control() => out.push(' '),
            (None, other) => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_varies_does_not_count() {
        let mut shapes = Shapes::default();
        shapes.count(b"took 12ms for \"a b\"", 3);
        shapes.count(b"took 7ms for \"c\"", 4);
        shapes.count(b"else", 5);
        let rows = shapes.finish();
        assert_eq!(rows[0], ("took #ms for \"..\"".to_owned(), 2, 3));
        assert_eq!(rows[1], ("else".to_owned(), 1, 5));
    }

    #[test]
    fn the_table_is_bounded() {
        let mut shapes = Shapes::default();
        for index in 0..1000_u32 {
            let letters: String = index
                .to_string()
                .bytes()
                .map(|b| char::from(b + 20))
                .collect();
            shapes.count(letters.as_bytes(), u64::from(index));
        }
        let rows = shapes.finish();
        assert_eq!(rows.len(), SHAPES + 1);
        assert_eq!(rows.iter().map(|row| row.1).sum::<u64>(), 1000);
    }
}
