//! Text in columns: words wrapped to a width, inked where colour is wanted, with hostile characters written out.

use std::io::{self, Write};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::report::excerpt::visible;

/// What a piece of text is, which decides its colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Ink {
    /// Running text.
    #[default]
    Plain,
    /// A name or headline.
    Bold,
    /// Times, citations, hints: there to look up.
    Dim,
    /// A section's title.
    Title,
    /// A cause that lost somebody a connection.
    Bad,
    /// Speaks against, or is missing.
    Doubt,
    /// Recovered, or ordinary.
    Good,
}

impl Ink {
    const fn sequence(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Bold => "\x1b[1m",
            Self::Dim => "\x1b[2m",
            Self::Title => "\x1b[1;36m",
            Self::Bad => "\x1b[1;31m",
            Self::Doubt => "\x1b[33m",
            Self::Good => "\x1b[32m",
        }
    }
}

/// Writes a text report.
pub(super) struct Pen<'o> {
    out: &'o mut dyn Write,
    width: usize,
    color: bool,
}

/// Where a paragraph stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Indent {
    /// Columns before the first line.
    pub first: usize,
    /// Columns before the others.
    pub rest: usize,
    /// Lines at most; what follows is cut with an ellipsis. 0 is no limit.
    pub lines: usize,
}

impl Indent {
    /// The same for every line.
    pub const fn all(columns: usize) -> Self {
        Self::hanging(columns, columns)
    }

    /// Further in from the second line on.
    pub const fn hanging(first: usize, rest: usize) -> Self {
        Self {
            first,
            rest,
            lines: 0,
        }
    }
}

impl<'o> Pen<'o> {
    /// A pen for `width` columns; too narrow ones are widened to 40.
    pub fn new(out: &'o mut dyn Write, width: usize, color: bool) -> Self {
        Self {
            out,
            width: width.max(40),
            color,
        }
    }

    /// Columns of the page.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// An empty line.
    pub fn blank(&mut self) -> io::Result<()> {
        self.out.write_all(b"\n")
    }

    /// A section's title with an empty line before it.
    pub fn title(&mut self, text: &str) -> io::Result<()> {
        self.blank()?;
        self.write(Indent::default(), &[(Ink::Title, text)])
    }

    /// A paragraph of plain text.
    pub fn plain(&mut self, indent: Indent, text: &str) -> io::Result<()> {
        self.write(indent, &[(Ink::Plain, text)])
    }

    /// A paragraph of inked pieces, wrapped at spaces; a word longer than a line is broken.
    pub fn write(&mut self, indent: Indent, pieces: &[(Ink, &str)]) -> io::Result<()> {
        let mut line = Line::new(indent, self.width);
        'pieces: for &(ink, text) in pieces {
            let text = visible(text);
            // Keeps the spaces before a word with it, so that quoted text keeps its columns.
            for (spaces, word) in words(&text) {
                if !line.put(self, ink, spaces, word)? {
                    break 'pieces;
                }
            }
        }
        self.blank()
    }

    fn ink(&mut self, ink: Ink, text: &str) -> io::Result<()> {
        let sequence = ink.sequence();
        if self.color && !sequence.is_empty() && !text.is_empty() {
            write!(self.out, "{sequence}{text}\x1b[0m")
        } else {
            self.out.write_all(text.as_bytes())
        }
    }
}

/// A line being filled.
struct Line {
    indent: Indent,
    width: usize,
    column: usize,
    number: usize,
    started: bool,
}

impl Line {
    fn new(indent: Indent, width: usize) -> Self {
        // Something must fit beside the indent, however narrow the page.
        let cap = |columns: usize| columns.min(width / 2);
        Self {
            indent: Indent {
                first: cap(indent.first),
                rest: cap(indent.rest),
                lines: indent.lines,
            },
            width,
            column: 0,
            number: 1,
            started: false,
        }
    }

    fn start(&mut self, pen: &mut Pen<'_>) -> io::Result<()> {
        let columns = if self.number == 1 {
            self.indent.first
        } else {
            self.indent.rest
        };
        write!(pen.out, "{:columns$}", "")?;
        self.column = columns;
        self.started = true;
        Ok(())
    }

    /// Goes to the next line; false when there may be none.
    fn next(&mut self, pen: &mut Pen<'_>) -> io::Result<bool> {
        if self.number == self.indent.lines {
            pen.ink(Ink::Dim, " ...")?;
            return Ok(false);
        }
        pen.blank()?;
        self.number += 1;
        self.start(pen)?;
        Ok(true)
    }

    fn put(&mut self, pen: &mut Pen<'_>, ink: Ink, spaces: usize, word: &str) -> io::Result<bool> {
        if !self.started {
            self.start(pen)?;
            return self.fill(pen, ink, word);
        }
        // On the last line allowed, room for the ellipsis is kept.
        let room = if self.number == self.indent.lines {
            self.width.saturating_sub(4)
        } else {
            self.width
        };
        if self.column + spaces + word.width() > room {
            if !self.next(pen)? {
                return Ok(false);
            }
        } else {
            write!(pen.out, "{:spaces$}", "")?;
            self.column += spaces;
        }
        self.fill(pen, ink, word)
    }

    fn fill(&mut self, pen: &mut Pen<'_>, ink: Ink, mut word: &str) -> io::Result<bool> {
        loop {
            let room = self.width.saturating_sub(self.column).max(1);
            let cut = fitting(word, room);
            pen.ink(ink, &word[..cut])?;
            self.column += word[..cut].width();
            word = &word[cut..];
            if word.is_empty() {
                return Ok(true);
            }
            if !self.next(pen)? {
                return Ok(false);
            }
        }
    }
}

/// Words with the number of spaces before each.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let word_at = rest.len() - rest.trim_start_matches(' ').len();
        let tail = &rest[word_at..];
        if rest.is_empty() {
            return None;
        }
        let end = tail.find(' ').unwrap_or(tail.len());
        rest = &tail[end..];
        Some((word_at, &tail[..end]))
    })
}

/// Bytes of `text` that fit `room` columns; at least one character.
fn fitting(text: &str, room: usize) -> usize {
    let mut columns = 0;
    for (at, char) in text.char_indices() {
        columns += char.width().unwrap_or(0);
        if columns > room && at > 0 {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(width: usize, indent: Indent, text: &str) -> String {
        let mut out = Vec::new();
        Pen::new(&mut out, width, false)
            .plain(indent, text)
            .unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn no_line_is_wider_than_the_page() {
        let long = "x".repeat(200);
        for text in [
            "one two three four five six seven eight nine ten eleven twelve",
            &long,
            "日本語の名前が長いクライアント日本語の名前が長いクライアント日本語の名前が長い",
            "[15256] 2026/11/23   05:19:19.422831 [INF]   Version:  2.12.8",
        ] {
            for lines in [0, 1, 2] {
                let indent = Indent {
                    lines,
                    ..Indent::hanging(2, 6)
                };
                let shown = written(40, indent, text);
                assert!(shown.lines().all(|line| line.width() <= 44), "{shown}");
                assert!(lines == 0 || shown.lines().count() <= lines, "{shown}");
            }
        }
    }

    #[test]
    fn runs_of_spaces_stay_inside_a_line() {
        assert_eq!(
            written(60, Indent::all(2), "[INF]   Version:  2.12.8"),
            "  [INF]   Version:  2.12.8\n"
        );
    }

    #[test]
    fn a_terminal_gets_no_control_character_of_a_log() {
        let mut out = Vec::new();
        Pen::new(&mut out, 60, true)
            .write(Indent::all(0), &[(Ink::Bad, "\x1b]0;owned\x07 name")])
            .unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "\x1b[1;31m\\x1b]0;owned\\x07\x1b[0m \x1b[1;31mname\x1b[0m\n"
        );
    }
}
