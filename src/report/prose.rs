//! Prose for a terminal: the small Markdown of catalogue texts and advisories, refilled to a width.
//!
//! Known are headings, paragraphs, `- ` items, `**strong**` and `` `code` ``; everything else is text. Colour replaces the
//! marks of strong words; code keeps its marks without colour, since they delimit exact words to search for.

use std::io::{self, Write};

const BOLD: &str = "\x1b[1m";
const CYAN: &str = "\x1b[36m";
const RESET: &str = "\x1b[0m";

/// Narrower than this, lines are not broken any further.
const NARROWEST: usize = 30;

/// Where and how prose is written.
pub struct Prose<'a> {
    /// The writer.
    pub out: &'a mut dyn Write,
    /// ANSI colours.
    pub color: bool,
    /// Columns.
    pub width: usize,
}

impl Prose<'_> {
    /// A heading on a line of its own.
    pub fn heading(&mut self, text: &str) -> io::Result<()> {
        if self.color {
            writeln!(self.out, "{BOLD}{text}{RESET}")
        } else {
            writeln!(self.out, "{text}")
        }
    }

    /// An empty line.
    pub fn gap(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    /// Text refilled to the width: `first` opens its first line, `rest` the others. Words are never cut.
    pub fn fill(&mut self, first: &str, rest: &str, text: &str) -> io::Result<()> {
        let width = self.width.max(NARROWEST);
        let mut line = first.to_owned();
        let mut column = first.chars().count();
        let mut empty = true;
        for word in Words::of(text) {
            let long = self.columns(word);
            if !empty && column + 1 + long > width {
                self.line(&line)?;
                rest.clone_into(&mut line);
                column = rest.chars().count();
                empty = true;
            }
            if !empty {
                line.push(' ');
                column += 1;
            }
            line.push_str(word);
            column += long;
            empty = false;
        }
        self.line(&line)
    }

    /// A whole text of the catalogue's Markdown.
    pub fn markdown(&mut self, text: &str) -> io::Result<()> {
        let mut block = String::new();
        let mut item = false;
        for line in text.lines().chain([""]) {
            let starts_item = line.starts_with("- ");
            if line.is_empty() || line.starts_with('#') || starts_item {
                self.block(&block, item)?;
                block.clear();
                item = starts_item;
            }
            if line.is_empty() {
                self.gap()?;
            } else if line.starts_with('#') {
                self.heading(line.trim_start_matches('#').trim_start())?;
            } else {
                let said = if starts_item { &line[2..] } else { line.trim() };
                if !block.is_empty() {
                    block.push(' ');
                }
                block.push_str(said);
            }
        }
        Ok(())
    }

    /// Columns that a word takes once its marks are gone.
    fn columns(&self, word: &str) -> usize {
        let strong = 2 * word.matches("**").count();
        let code = if self.color {
            word.matches('`').count()
        } else {
            0
        };
        word.chars().count() - strong - code
    }

    fn block(&mut self, text: &str, item: bool) -> io::Result<()> {
        match (text.is_empty(), item) {
            (true, _) => Ok(()),
            (false, true) => self.fill("- ", "  ", text),
            (false, false) => self.fill("", "", text),
        }
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{}", styled(text.trim_end(), self.color))
    }
}

/// Words between blanks; a code span is one word, so that it can be copied from one line.
struct Words<'a> {
    rest: &'a str,
}

impl<'a> Words<'a> {
    /// A code span longer than this may be broken after all.
    const LONGEST_SPAN: usize = 60;

    fn of(text: &'a str) -> Self {
        Self { rest: text }
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.rest = self.rest.trim_start();
        if self.rest.is_empty() {
            return None;
        }
        let mut inside = false;
        let mut first_blank = None;
        let mut end = self.rest.len();
        for (at, c) in self.rest.char_indices() {
            if c == '`' {
                inside = !inside;
            } else if c == ' ' {
                first_blank = first_blank.or(Some(at));
                if !inside || at > Self::LONGEST_SPAN {
                    end = if inside {
                        first_blank.unwrap_or(at)
                    } else {
                        at
                    };
                    break;
                }
            }
        }
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(word)
    }
}

/// A line with its marks turned into colours, or with the marks of strong words removed.
fn styled(line: &str, color: bool) -> String {
    if !color {
        return line.replace("**", "");
    }
    let mut out = String::with_capacity(line.len() + 16);
    let (mut strong, mut code) = (false, false);
    let mut rest = line;
    while !rest.is_empty() {
        if !code && let Some(after) = rest.strip_prefix("**") {
            strong = !strong;
            out.push_str(if strong { BOLD } else { RESET });
            rest = after;
        } else if let Some(after) = rest.strip_prefix('`') {
            code = !code;
            out.push_str(if code { CYAN } else { RESET });
            rest = after;
        } else {
            let next = rest[1..].find(['`', '*']).map_or(rest.len(), |at| at + 1);
            let next = if rest.is_char_boundary(next) {
                next
            } else {
                rest.len()
            };
            out.push_str(&rest[..next]);
            rest = &rest[next..];
        }
    }
    if strong || code {
        out.push_str(RESET);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &str, width: usize, color: bool) -> String {
        let mut out = Vec::new();
        Prose {
            out: &mut out,
            color,
            width,
        }
        .markdown(text)
        .unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn paragraphs_and_items_are_refilled() {
        let text = "# a/b\n\none two\nthree four five six seven eight nine ten\n\n- first item\n  goes on\n- second\n";
        assert_eq!(
            printed(text, 30, false),
            "a/b\n\none two three four five six\nseven eight nine ten\n\n- first item goes on\n- second\n\n"
        );
    }

    #[test]
    fn marks_take_no_columns() {
        let text = "- **Server log**: one two three";
        assert_eq!(printed(text, 31, false), "- Server log: one two three\n\n");
        assert_eq!(printed(text, 31, true).lines().count(), 2);
    }

    #[test]
    fn a_code_span_stays_on_one_line() {
        let text = "words before it and `Client connection closed` after";
        assert!(printed(text, 30, false).contains("`Client connection closed`"));
    }

    #[test]
    fn marks_become_colours_or_go() {
        assert_eq!(styled("**Capture**: `RST` é", false), "Capture: `RST` é");
        assert_eq!(
            styled("**Capture**: `RST` é", true),
            "\x1b[1mCapture\x1b[0m: \x1b[36mRST\x1b[0m é"
        );
    }

    #[test]
    fn an_unclosed_span_ends_with_its_line() {
        assert_eq!(styled("`open", true), "\x1b[36mopen\x1b[0m");
        let long = "`".to_owned() + &"word ".repeat(40);
        assert!(printed(&long, 40, false).lines().count() > 2);
    }
}
