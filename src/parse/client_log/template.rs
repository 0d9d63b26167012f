//! A sentence with holes: `Disconnected due to: {err}, will attempt reconnects for {n}m`.
//!
//! A hole is `{word}`; its name says what fits (see [`Hole::new`]). Literals match without regard to ASCII case, since
//! libraries changed the case of their words between versions; an exact match ranks higher. A hole ends where the next
//! literal begins, or at the end of the line.

/// What a hole takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fits {
    /// Digits, perhaps with a fraction.
    Number,
    /// Printable text without blanks.
    Word,
    /// A word that can be a URL or a host: it has a dot or a colon.
    Url,
    /// A word with a port: `10.0.0.1:4222`.
    HostPort,
    /// Anything, also nothing.
    Text,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hole {
    name: &'static str,
    fits: Fits,
}

impl Hole {
    fn new(name: &'static str) -> Self {
        let fits = match name {
            "n" | "cid" | "sid" | "attempt" => Fits::Number,
            "url" => Fits::Url,
            "word" | "host" | "subj" | "name" | "version" | "id" | "R" => Fits::Word,
            "hostport" => Fits::HostPort,
            _ => Fits::Text,
        };
        Self { name, fits }
    }

    fn accepts(self, text: &str) -> bool {
        match self.fits {
            Fits::Text => true,
            Fits::Number => {
                !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
            }
            Fits::Word => !text.is_empty() && !text.contains(char::is_whitespace),
            Fits::Url => text.contains(['.', ':']) && !text.contains(char::is_whitespace),
            Fits::HostPort => {
                !text.contains(char::is_whitespace)
                    && !text.contains("://")
                    && text.rsplit_once(':').is_some_and(|(host, port)| {
                        !host.is_empty()
                            && !port.is_empty()
                            && port.len() <= 5
                            && port.bytes().all(|b| b.is_ascii_digit())
                    })
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(&'static str),
    Hole(Hole),
}

/// A compiled sentence.
#[derive(Clone, Debug)]
pub(super) struct Template {
    pieces: Vec<Piece>,
}

/// What the holes took, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filled<'a> {
    holes: Vec<(&'static str, &'a str)>,
}

impl<'a> Filled<'a> {
    /// The text of the first hole of that name.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.holes
            .iter()
            .find(|(hole, _)| *hole == name)
            .map(|(_, text)| *text)
    }
}

/// A match of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Match<'a> {
    pub(super) filled: Filled<'a>,
    /// Bytes of the text up to the end of the sentence.
    pub(super) end: usize,
    /// Every literal had the very case of the template.
    pub(super) exact: bool,
}

impl Template {
    pub(super) fn new(text: &'static str) -> Self {
        let mut pieces = Vec::new();
        let (mut start, mut at) = (0, 0);
        while let Some(open) = text[at..].find('{').map(|i| at + i) {
            let name_length = text[open + 1..]
                .bytes()
                .take_while(u8::is_ascii_alphabetic)
                .count();
            let close = open + 1 + name_length;
            if name_length == 0 || text.as_bytes().get(close) != Some(&b'}') {
                at = open + 1;
                continue;
            }
            if start < open {
                pieces.push(Piece::Literal(&text[start..open]));
            }
            pieces.push(Piece::Hole(Hole::new(&text[open + 1..close])));
            (start, at) = (close + 1, close + 1);
        }
        if start < text.len() {
            pieces.push(Piece::Literal(&text[start..]));
        }
        Self { pieces }
    }

    /// The first literal, and whether the sentence begins with it.
    pub(super) fn first_literal(&self) -> (&'static str, bool) {
        self.pieces
            .iter()
            .enumerate()
            .find_map(|(index, piece)| match piece {
                Piece::Literal(text) => Some((*text, index == 0)),
                Piece::Hole(_) => None,
            })
            .unwrap_or(("", false))
    }

    /// Bytes of literal text: how much a match says.
    pub(super) fn literal_length(&self) -> usize {
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Literal(text) => text.len(),
                Piece::Hole(_) => 0,
            })
            .sum()
    }

    /// The literal text alone.
    #[cfg(test)]
    pub(super) fn literals(&self) -> String {
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Literal(text) => text,
                Piece::Hole(_) => "",
            })
            .collect()
    }

    /// The sentence ends in a hole that takes everything.
    pub(super) fn open_ended(&self) -> bool {
        matches!(self.pieces.last(), Some(Piece::Hole(hole)) if hole.fits == Fits::Text)
    }

    /// The sentence at the very start of `text`.
    pub(super) fn match_at<'a>(&self, text: &'a str) -> Option<Match<'a>> {
        let mut at = 0;
        let mut exact = true;
        let mut filled = Filled::default();
        let mut pieces = self.pieces.iter().peekable();
        while let Some(piece) = pieces.next() {
            match piece {
                Piece::Literal(literal) => {
                    // A blank at the very end of a sentence may have been trimmed from the line.
                    let literal = if pieces.peek().is_none() && at + literal.len() == text.len() + 1
                    {
                        literal.trim_end()
                    } else {
                        literal
                    };
                    let found = text.get(at..at + literal.len())?;
                    if !found.eq_ignore_ascii_case(literal) {
                        return None;
                    }
                    exact &= found == literal;
                    at += literal.len();
                }
                Piece::Hole(hole) => {
                    let rest = text.get(at..)?;
                    let length = match pieces.peek() {
                        Some(Piece::Literal(next)) => find_ignore_case(rest, next)?,
                        _ => last_hole_length(*hole, rest),
                    };
                    let taken = &rest[..length];
                    if !hole.accepts(taken) {
                        return None;
                    }
                    filled.holes.push((hole.name, taken));
                    at += length;
                }
            }
        }
        Some(Match {
            filled,
            end: at,
            exact,
        })
    }
}

/// How much a hole at the end of a sentence takes.
fn last_hole_length(hole: Hole, rest: &str) -> usize {
    match hole.fits {
        Fits::Text => rest.trim_end().len(),
        Fits::Number => rest
            .bytes()
            .take_while(|b| b.is_ascii_digit() || *b == b'.')
            .count(),
        Fits::Word | Fits::Url | Fits::HostPort => {
            let word = rest.split_whitespace().next().unwrap_or("");
            if rest.starts_with(char::is_whitespace) {
                return 0;
            }
            word.trim_end_matches(['.', ',', ';', '!', ')', ']', '}', '"', '\''])
                .len()
        }
    }
}

/// Where `needle` begins in `text`, whatever the ASCII case.
pub(super) fn find_ignore_case(text: &str, needle: &str) -> Option<usize> {
    let (text, needle) = (text.as_bytes(), needle.as_bytes());
    let first = *needle.first()?;
    let (low, high) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
    memchr::memchr2_iter(low, high, text).find(|&at| {
        text.get(at..at + needle.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(needle))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(
        template: &'static str,
        text: &'static str,
    ) -> Option<Vec<(&'static str, &'static str)>> {
        Template::new(template)
            .match_at(text)
            .map(|found| found.filled.holes)
    }

    #[test]
    fn holes_take_what_their_name_says() {
        let template = "Disconnected due to: {err}, will attempt reconnects for {n}m";
        assert_eq!(
            filled(
                template,
                "Disconnected due to: EOF, will attempt reconnects for 10m"
            ),
            Some(vec![("err", "EOF"), ("n", "10")])
        );
        assert_eq!(
            filled(
                template,
                "disconnected due to: , will attempt reconnects for 10m"
            ),
            Some(vec![("err", ""), ("n", "10")])
        );
        assert_eq!(
            filled(
                template,
                "Disconnected due to: EOF, will attempt reconnects for tenm"
            ),
            None
        );
        assert_eq!(filled("connected {hostport}", "connected to you"), None);
        assert_eq!(
            filled("connected {hostport}", "connected [::1]:4222."),
            Some(vec![("hostport", "[::1]:4222")])
        );
        assert_eq!(
            filled(
                "{ type: 'ldm', data: '{hostport}' }",
                "{ type: 'ldm', data: 'a:4222' }"
            ),
            Some(vec![("hostport", "a:4222")])
        );
        assert_eq!(
            filled("staleConnection: ", "staleConnection:"),
            Some(vec![])
        );
    }

    #[test]
    fn any_cut_of_a_line_is_harmless() {
        let line = "Disconnected due to: é, will attempt reconnects for 10m";
        let template =
            Template::new("Disconnected due to: {err}, will attempt reconnects for {n}m");
        for end in (0..line.len()).filter(|&end| line.is_char_boundary(end)) {
            let found = template.match_at(&line[..end]);
            assert_eq!(
                found.is_some(),
                end + 1 == line.len() + 1,
                "{}",
                &line[..end]
            );
        }
    }
}
