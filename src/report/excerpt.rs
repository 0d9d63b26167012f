//! A citation as a reader sees it, and quoted text made safe to show: logs are hostile.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::attribute::finding::Analysis;
use crate::reconstruct::facts;
use crate::source::SourceId;
use crate::span::{Cite, Place};

/// The path of a source; ids that name none print as such.
pub fn path(analysis: &Analysis, source: SourceId) -> Cow<'_, str> {
    analysis
        .sources
        .get(source.0 as usize)
        .map_or(Cow::Borrowed("?"), |source| visible(&source.path))
}

/// The folder (or archive) that holds every source, with its slash; empty where there is none.
pub fn folder(analysis: &Analysis) -> &str {
    let mut paths = analysis.sources.iter().map(|source| source.path.as_str());
    let Some(mut common) = paths.next() else {
        return "";
    };
    for path in std::iter::once(common).chain(paths) {
        let end = common
            .bytes()
            .zip(path.bytes())
            .take_while(|(one, other)| one == other)
            .count();
        let slash = common.as_bytes()[..end]
            .iter()
            .rposition(|&byte| byte == b'/');
        common = &common[..slash.map_or(0, |at| at + 1)];
    }
    common
}

/// A citation as its file numbers it.
pub fn located(analysis: &Analysis, cite: Cite) -> Cite {
    facts::located(&analysis.records.captures, &analysis.source_facts, cite)
}

/// `server.log:123`, `client.pcap:#4711`, `varz.json:@2048`.
pub fn cite(analysis: &Analysis, cite: Cite) -> String {
    let cite = located(analysis, cite);
    format!("{}:{}", path(analysis, cite.source), place(cite.place))
}

/// `123`, `#4711`, `@2048`: a line, a frame, a byte offset.
pub fn place(place: Place) -> String {
    match place {
        Place::Line(line) => line.to_string(),
        Place::Frame(frame) => format!("#{frame}"),
        Place::Byte(byte) => format!("@{byte}"),
    }
}

/// Text with everything that a terminal or a page would obey written out instead: control characters, and the invisible
/// ones that reorder or hide what follows (Unicode TR 36).
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        match char {
            '\t' => shown.push_str("\\t"),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            _ if !obeyed(char) => shown.push(char),
            _ if (char as u32) < 0x100 => {
                let _ = write!(shown, "\\x{:02x}", char as u32);
            }
            _ => {
                let _ = write!(shown, "\\u{{{:x}}}", char as u32);
            }
        }
    }
    Cow::Owned(shown)
}

fn obeyed(char: char) -> bool {
    char.is_control()
        || matches!(
            char,
            '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{2069}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Hints, Kind, Source};

    #[test]
    fn the_folder_of_all_sources() {
        for (paths, common) in [
            (&["a/b/server.log", "a/b/client.log"][..], "a/b/"),
            (&["a/b/server.log", "a/bc/client.log"], "a/"),
            (&["b.tgz!/pod/x.log", "b.tgz!/y.log"], "b.tgz!/"),
            (&["/var/log/nats.log"], "/var/log/"),
            (&["logs/é.log", "logs/è.log"], "logs/"),
            (&["server.log", "client.log"], ""),
            (&[], ""),
        ] {
            let analysis = Analysis {
                sources: paths
                    .iter()
                    .map(|path| Source {
                        id: SourceId(0),
                        path: (*path).to_owned(),
                        kind: Kind::Log,
                        bytes: 0,
                        hints: Hints::default(),
                    })
                    .collect(),
                ..Analysis::default()
            };
            assert_eq!(folder(&analysis), common);
        }
    }

    #[test]
    fn what_a_terminal_obeys_is_written_out() {
        for (text, shown) in [
            (
                "plain - \"v1.22.1:go:a\" é 日本",
                "plain - \"v1.22.1:go:a\" é 日本",
            ),
            ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
            ("a\tb\r\nc\0", "a\\tb\\r\\nc\\x00"),
            ("\u{9b}2J\u{85}", "\\x9b2J\\x85"),
            ("abc\u{202e}gnp.exe", "abc\\u{202e}gnp.exe"),
            ("zero\u{200b}width\u{feff}", "zero\\u{200b}width\\u{feff}"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }
}
