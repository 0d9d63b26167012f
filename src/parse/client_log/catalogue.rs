//! Every library's rows in one automaton: one pass over a message finds the sentence that it is.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::row::{Fields, Row};
use super::said::{ClientEventKind, Library, Weight};
use super::template::Template;
use super::{c, dotnet, elixir, go, java, js, python, ruby, rust, swift};

/// Longest part of a message that is searched: sentences stand at its start, quoted errors soon after.
const SEARCHED: usize = 2048;

struct Compiled {
    row: &'static Row,
    template: Template,
    /// The sentence begins with its needle; else the needle follows a hole.
    anchored: bool,
}

struct Catalogue {
    rows: Vec<Compiled>,
    needles: AhoCorasick,
    /// Rows by needle.
    by_needle: Vec<Vec<u16>>,
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let rows: Vec<Compiled> = all_rows()
        .map(|row| {
            let template = Template::new(row.text);
            let anchored = template.first_literal().1;
            Compiled {
                row,
                template,
                anchored,
            }
        })
        .collect();
    let mut words: Vec<String> = Vec::new();
    let mut by_needle: Vec<Vec<u16>> = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let needle = row
            .template
            .first_literal()
            .0
            .trim_end()
            .to_ascii_lowercase();
        let slot = words
            .iter()
            .position(|word| *word == needle)
            .unwrap_or_else(|| {
                words.push(needle);
                by_needle.push(Vec::new());
                words.len() - 1
            });
        by_needle[slot].push(index as u16);
    }
    let needles = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::Standard)
        .kind(Some(AhoCorasickKind::DFA))
        .build(&words)
        .expect("the catalogue's own words are few");
    Catalogue {
        rows,
        needles,
        by_needle,
    }
});

/// Every row of every library.
pub(super) fn all_rows() -> impl Iterator<Item = &'static Row> {
    [
        go::ROWS,
        python::ROWS,
        rust::ROWS,
        js::ROWS,
        java::ROWS,
        dotnet::ROWS,
        c::ROWS,
        ruby::ROWS,
        elixir::ROWS,
        swift::ROWS,
    ]
    .into_iter()
    .flatten()
}

/// The sentence that a message is or holds.
pub(super) struct Found<'a> {
    pub(super) row: &'static Row,
    pub(super) index: u16,
    pub(super) fields: Fields<'a>,
    /// The library, where only one says this.
    pub(super) library: Library,
    pub(super) ambiguous: bool,
    /// Where the sentence begins in the message.
    pub(super) start: usize,
}

/// How good a match is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rank {
    start: usize,
    end: usize,
    /// A line beats the error inside it.
    line: bool,
    /// Words of the log's own library beat the same words of another.
    own: bool,
    literal: usize,
    exact: bool,
}

impl Rank {
    fn beats(self, other: Self) -> bool {
        if self.line == other.line {
            let by_words = |rank: Self| (rank.own, rank.literal, rank.exact);
            return by_words(self) > by_words(other);
        }
        let (line, error) = if self.line {
            (self, other)
        } else {
            (other, self)
        };
        // An error's text that holds all of what a line's words would be is that error: C's `Connection Closed`, and
        // `nats: connection closed`, where others print `connection closed` as a line.
        let holds =
            error.start <= line.start && error.end >= line.end && error.literal >= line.literal;
        if !holds {
            self.line
        } else if error.start < line.start {
            !self.line
        } else {
            (self.own, self.exact, self.line) > (other.own, other.exact, other.line)
        }
    }
}

/// The best sentence in a message. `library` is the log's, where known.
pub(super) fn sentence(message: &str, library: Library) -> Option<Found<'_>> {
    best(message, library, false)
}

/// What an error's text means by itself.
pub(super) fn error(text: &str, library: Library) -> Option<ClientEventKind> {
    let found = best(text, library, true)?;
    Some((found.row.says)(&found.fields))
}

fn best(message: &str, library: Library, quoted: bool) -> Option<Found<'_>> {
    let catalogue = &*CATALOGUE;
    let searched = floor_boundary(message, SEARCHED);
    let mut best: Option<(Rank, Found<'_>)> = None;
    for hit in catalogue
        .needles
        .find_overlapping_iter(&message[..searched])
    {
        for &index in &catalogue.by_needle[hit.pattern().as_usize()] {
            let compiled = &catalogue.rows[usize::from(index)];
            let row = compiled.row;
            if quoted && !row.inner
                || !quoted && row.weight == Weight::Bare && row.library != library
            {
                continue;
            }
            let start = if compiled.anchored { hit.start() } else { 0 };
            if !may_start(row, message, start, quoted) {
                continue;
            }
            let Some(found) = compiled.template.match_at(&message[start..]) else {
                continue;
            };
            // A single word is a word of that case: `DISCONNECT` is a code, `disconnect` an event.
            if row.weight <= Weight::Word && !found.exact && !row.text.contains(' ') {
                continue;
            }
            let end = start + found.end;
            if !may_end(row, &compiled.template, message, end) {
                continue;
            }
            let rank = Rank {
                start,
                end,
                line: !row.inner,
                own: library != Library::Unknown && row.library.speaks(library),
                literal: compiled.template.literal_length(),
                exact: found.exact,
            };
            match &mut best {
                Some((held, other)) if rank == *held && other.index != index => {
                    if other.row.library != row.library {
                        other.library = Library::Unknown;
                        other.ambiguous = true;
                    }
                }
                Some((held, _)) if !rank.beats(*held) => {}
                _ => {
                    let fields = Fields {
                        filled: found.filled,
                        library: match library {
                            Library::Unknown => row.library,
                            library => library,
                        },
                        sentence: &message[start..end],
                    };
                    let found = Found {
                        row,
                        index,
                        fields,
                        library: row.library,
                        ambiguous: false,
                        start,
                    };
                    best = Some((rank, found));
                }
            }
        }
    }
    best.map(|(_, found)| found)
}

/// Whether a sentence of that weight may begin here: at a word's start, and words that anybody may print only where
/// the message begins, perhaps after a short label.
fn may_start(row: &Row, message: &str, start: usize, quoted: bool) -> bool {
    let before = &message[..start];
    let at_word = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    match row.weight {
        Weight::Proof => at_word,
        // An example's sentence is a message of its own, or stands behind a colon: "failed to reconnect to h:1" is none.
        Weight::Idiom if !row.inner => {
            at_word && !before.trim_end().ends_with(char::is_alphanumeric)
        }
        Weight::Idiom => at_word,
        Weight::Bare if quoted => {
            at_word && (before.is_empty() || before.ends_with(": ") || before.ends_with("- "))
        }
        Weight::Word | Weight::Bare => {
            let label = before.trim_end();
            label.is_empty() || quoted && at_word || row.inner && at_word || is_label(label)
        }
    }
}

/// One word in front of a message that says who speaks: `[nats]`, `NATS:`, `orders-1 -`.
fn is_label(text: &str) -> bool {
    const WORK: &[&str] = &[
        "error",
        "exception",
        "publish",
        "request",
        "failed",
        "failure",
    ];
    let Some(word) = text.strip_suffix([':', ']', '>', '-', '|']) else {
        return false;
    };
    let word = word.trim().to_ascii_lowercase();
    word.len() <= 32
        && !word.contains(char::is_whitespace)
        && !WORK.iter().any(|work| word.ends_with(work))
}

/// Whether a sentence may end here: errors at a word's end, lines at the message's end or before punctuation.
fn may_end(row: &Row, template: &Template, message: &str, end: usize) -> bool {
    if template.open_ended() {
        return true;
    }
    let rest = &message[end..];
    let ends_word = !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_')
        || message[..end].ends_with(|c: char| !c.is_alphanumeric());
    match row.weight {
        Weight::Proof => ends_word,
        Weight::Idiom => {
            ends_word
                && (rest.trim().is_empty()
                    || rest.starts_with(['.', '!', ',', '"', '\'', ')', ';', ' ']))
        }
        Weight::Word if row.inner => ends_word,
        Weight::Word | Weight::Bare => {
            rest.trim_matches(|c: char| c.is_whitespace() || ".!\"',;)}".contains(c))
                .is_empty()
                || row.inner
                    && ends_word
                    && rest.starts_with([' ', '(', ':', ',', ')'])
                    && row.weight == Weight::Word
        }
    }
}

/// The largest char boundary at or below `limit`.
pub(super) fn floor_boundary(text: &str, limit: usize) -> usize {
    if text.len() <= limit {
        return text.len();
    }
    (0..=limit)
        .rev()
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(0)
}
