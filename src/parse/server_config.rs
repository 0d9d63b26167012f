//! nats-server configuration files: the options as set, flat, with their lines. The format is nats-server's own
//! (conf/lex.go): `key: value`, `key = value` or `key value`, maps, arrays, `#` and `//` comments, bare words, sizes.
//!
//! Variables (`$NAME`) are replaced by what the same file sets before, from the inside out (conf/parse.go `lookupVariable`); those of
//! the environment stay as they are. An `include` is an option like others: whoever has the other file follows it.

use nom::branch::alt;
use nom::bytes::complete::{is_not, tag, take_while, take_while1};
use nom::character::complete::{char, multispace1, one_of};
use nom::combinator::{opt, recognize, value};
use nom::multi::many0_count;
use nom::sequence::preceded;
use nom::{IResult, Parser};

/// One option: `authorization.timeout`, `ping_interval`, `cluster.name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Keys from the outside in, joined by dots, in lower case.
    pub option: String,
    /// The value's text, unquoted. A map's or list's own row has an empty value.
    pub value: String,
    /// Line, from 1.
    pub line: u64,
}

/// Maps within maps beyond this are passed over.
const DEPTH: usize = 24;
/// Options beyond this are not looked at.
const SETTINGS: usize = 20_000;
/// Variables beyond this keep their names: looking up is a walk through what was set.
const LOOKUPS: usize = 1000;

/// The options in a file, and the line at which reading stopped, if it did.
pub fn settings(text: &str) -> (Vec<Setting>, Option<u64>) {
    let mut reader = Reader {
        whole: text,
        settings: Vec::new(),
        counted: (0, 1),
        lookups: LOOKUPS,
    };
    let text = text.trim_start_matches('\u{feff}');
    // Braces around the whole file are allowed (JSON).
    let outer = blank(text)
        .ok()
        .and_then(|(rest, _)| rest.strip_prefix('{'));
    let rest = reader.entries(outer.unwrap_or(text), "", 0);
    let (rest, _) = blank(rest).unwrap_or((rest, 0));
    let rest = match outer {
        Some(_) => rest.strip_prefix('}').unwrap_or(rest),
        None => rest,
    };
    let (rest, _) = blank(rest).unwrap_or((rest, 0));
    let stopped = (!rest.is_empty()).then(|| reader.line(rest));
    (reader.settings, stopped)
}

struct Reader<'a> {
    whole: &'a str,
    settings: Vec<Setting>,
    /// An offset and its line: lines are counted once, from there on.
    counted: (usize, u64),
    /// Variables that may still be looked up.
    lookups: usize,
}

impl<'a> Reader<'a> {
    /// The line on which `rest`, a tail of the file, begins.
    fn line(&mut self, rest: &str) -> u64 {
        let offset = self.whole.len() - rest.len();
        let (from, line) = self.counted;
        if offset >= from {
            let between = &self.whole.as_bytes()[from..offset];
            self.counted = (
                offset,
                line + memchr::memchr_iter(b'\n', between).count() as u64,
            );
        }
        self.counted.1
    }

    fn add(&mut self, option: &str, value: &str, at: &str) {
        if self.settings.len() < SETTINGS {
            let line = self.line(at);
            self.settings.push(Setting {
                option: option.to_ascii_lowercase(),
                value: value.to_owned(),
                line,
            });
        }
    }

    /// Entries up to a closing brace, the end, or something that is no entry.
    fn entries(&mut self, input: &'a str, path: &str, depth: usize) -> &'a str {
        let mut rest = input;
        loop {
            rest = blank(rest).map_or(rest, |(rest, _)| rest);
            let Ok((after_key, key)) = key(rest) else {
                return rest;
            };
            let option = if path.is_empty() {
                key.to_owned()
            } else {
                format!("{path}.{key}")
            };
            match self.entry_value(after_key, rest, &option, depth) {
                Some(after) => rest = after,
                None => return rest,
            }
        }
    }

    fn entry_value(
        &mut self,
        input: &'a str,
        at: &'a str,
        option: &str,
        depth: usize,
    ) -> Option<&'a str> {
        if depth > DEPTH {
            return None;
        }
        if let Some(inside) = input.strip_prefix('{') {
            self.add(option, "", at);
            let rest = self.entries(inside, option, depth + 1);
            return blank(rest).ok()?.0.strip_prefix('}');
        }
        if let Some(inside) = input.strip_prefix('[') {
            self.add(option, "", at);
            return self.list(inside, option, depth + 1);
        }
        let (rest, text) = scalar(input).ok()?;
        match self.variable(input, text, option) {
            Some(value) => self.add(option, &value, at),
            None => self.add(option, text, at),
        }
        Some(rest)
    }

    /// What a bare `$NAME` stands for: the latest setting of that name in the innermost map that has one.
    fn variable(&mut self, input: &str, text: &str, option: &str) -> Option<String> {
        // A bcrypted password begins like a variable.
        let name = text.strip_prefix('$').filter(|_| {
            input.starts_with('$') && !text.starts_with("$2a$") && !text.starts_with("$2b$")
        })?;
        self.lookups = self.lookups.checked_sub(1)?;
        let mut scope = option.to_ascii_lowercase();
        while let Some(end) = scope.rfind('.') {
            scope.truncate(end);
            if let Some(value) = self.latest(&format!("{scope}.{}", name.to_ascii_lowercase())) {
                return Some(value);
            }
        }
        self.latest(&name.to_ascii_lowercase())
    }

    fn latest(&self, option: &str) -> Option<String> {
        let mut latest_first = self.settings.iter().rev();
        let found = latest_first.find(|setting| setting.option == option)?;
        Some(found.value.clone())
    }

    /// Items of a list; those that are maps give their own options, under the list's name.
    fn list(&mut self, input: &'a str, option: &str, depth: usize) -> Option<&'a str> {
        let mut rest = input;
        loop {
            rest = blank(rest).ok()?.0;
            if let Some(after) = rest.strip_prefix(']') {
                return Some(after);
            }
            let item = format!("{option}[]");
            rest = self.entry_value(rest, rest, &item, depth)?;
        }
    }
}

/// Blanks, separators and comments.
fn blank(input: &str) -> IResult<&str, usize> {
    many0_count(alt((
        value((), multispace1),
        value((), one_of(",;")),
        value((), preceded(alt((tag("#"), tag("//"))), opt(is_not("\n")))),
    )))
    .parse(input)
}

/// A key with its separator (`:`, `=`, or blanks).
fn key(input: &str) -> IResult<&str, &str> {
    let (rest, name) = alt((
        quoted,
        take_while1(|c: char| !c.is_whitespace() && !"{}[]:=,;#\"'".contains(c)),
    ))
    .parse(input)?;
    let (rest, _) = take_while(|c: char| c == ' ' || c == '\t').parse(rest)?;
    let (rest, _) = opt(one_of(":=")).parse(rest)?;
    let (rest, _) = take_while(char::is_whitespace).parse(rest)?;
    Ok((rest, name))
}

/// A quoted text or a bare word.
fn scalar(input: &str) -> IResult<&str, &str> {
    alt((quoted, block, bare)).parse(input)
}

/// `"text"` or `'text'`; escapes are left as they are, since no option that matters here has any.
fn quoted(input: &str) -> IResult<&str, &str> {
    let (rest, quote) = one_of("\"'").parse(input)?;
    let mut escaped = false;
    let end = rest.char_indices().find_map(|(at, c)| {
        if escaped {
            escaped = false;
        } else if c == '\\' && quote == '"' {
            escaped = true;
        } else if c == quote {
            return Some(at);
        }
        None
    });
    let end = end.unwrap_or(rest.len());
    let (rest, _) = opt(char(quote)).parse(&rest[end..])?;
    Ok((rest, &input[1..=end]))
}

/// `( ... )`: a raw block that ends with a line of its own.
fn block(input: &str) -> IResult<&str, &str> {
    let (rest, _) = char('(').parse(input)?;
    let end = rest.find("\n)").map_or(rest.len(), |at| at + 1);
    Ok((rest.get(end + 1..).unwrap_or(""), &rest[..end]))
}

/// A word without blanks. A comment may follow.
fn bare(input: &str) -> IResult<&str, &str> {
    recognize(take_while1(|c: char| {
        !c.is_whitespace() && !"{}[],;#\"'".contains(c)
    }))
    .parse(input)
}

/// A size: `8388608`, `8MB`, `1k`. `k` is 1000; `kb`, `ki` and `kib` are 1024 (conf/parse.go).
pub fn size(text: &str) -> Option<i64> {
    let digits = text
        .bytes()
        .enumerate()
        .take_while(|(at, b)| b.is_ascii_digit() || (*at == 0 && *b == b'-'))
        .count();
    let number: i64 = text[..digits].parse().ok()?;
    let suffix = text[digits..].to_ascii_lowercase();
    let power = match suffix.chars().next() {
        None => return Some(number),
        Some('k') => 1,
        Some('m') => 2,
        Some('g') => 3,
        Some('t') => 4,
        Some(_) => return None,
    };
    let base: i64 = match &suffix[1..] {
        "" => 1000,
        "b" | "i" | "ib" => 1024,
        _ => return None,
    };
    number.checked_mul(base.pow(power))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r#"# a server
listen: "10.0.0.1:4222"   # clients
server_name=n1
max_payload 8MB; max_pending: 512mb
ping_interval: "20s", ping_max: 3
authorization {
  timeout: 0.5
  users: [ {user: "app", password: "a#b"}, {user: ops, password: $OPS} ]
}
tls: { cert_file: "./c.pem", timeout: 3 } // yes
cluster { name: C1, routes = [
  nats-route://a:6222
  nats-route://b:6222
] }
"#;

    fn value(option: &str) -> Option<(String, u64)> {
        let (settings, stopped) = settings(SAMPLE);
        assert_eq!(stopped, None);
        settings
            .iter()
            .find(|setting| setting.option == option)
            .map(|setting| (setting.value.clone(), setting.line))
    }

    #[test]
    fn options_with_their_lines() {
        for (option, text, line) in [
            ("listen", "10.0.0.1:4222", 2),
            ("server_name", "n1", 3),
            ("max_payload", "8MB", 4),
            ("max_pending", "512mb", 4),
            ("ping_interval", "20s", 5),
            ("ping_max", "3", 5),
            ("authorization.timeout", "0.5", 7),
            ("authorization.users[].password", "a#b", 8),
            ("tls", "", 10),
            ("tls.timeout", "3", 10),
            ("cluster.name", "C1", 11),
            ("cluster.routes[]", "nats-route://a:6222", 12),
        ] {
            assert_eq!(value(option), Some((text.to_owned(), line)), "{option}");
        }
    }

    #[test]
    fn variables_are_looked_up_from_the_inside_out() {
        let text = "big: 4MB\nmax_payload: $big\nmax_pending: $BIG\ncluster { big: 1MB, x: $big }\n\
            ping_interval: $PING\npassword: $2a$11$abc\nname: \"$big\"\nlate: $after\nafter: 3\n";
        let (settings, stopped) = settings(text);
        assert_eq!(stopped, None);
        let value = |option: &str| {
            let found = settings.iter().find(|setting| setting.option == option);
            found.map(|setting| setting.value.as_str())
        };
        for (option, expected) in [
            ("max_payload", "4MB"),
            ("max_pending", "4MB"),
            ("cluster.x", "1MB"),
            // Of the environment, a hash, quoted, and not yet set: no variables of this file.
            ("ping_interval", "$PING"),
            ("password", "$2a$11$abc"),
            ("name", "$big"),
            ("late", "$after"),
        ] {
            assert_eq!(value(option), Some(expected), "{option}");
        }
    }

    #[test]
    fn json_is_a_configuration_too() {
        let (settings, stopped) = settings("{\"port\": 4222, \"tls\": {\"timeout\": 2}}\n");
        let options: Vec<_> = settings
            .iter()
            .map(|s| (s.option.as_str(), s.value.as_str()))
            .collect();
        assert_eq!(
            options,
            [("port", "4222"), ("tls", ""), ("tls.timeout", "2")]
        );
        assert_eq!(stopped, None);
    }

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("0", 0),
            ("-1", -1),
            ("1k", 1000),
            ("64KB", 65_536),
            ("8MB", 8 << 20),
            ("1g", 1_000_000_000),
            ("2GiB", 2 << 30),
        ] {
            assert_eq!(size(text), Some(bytes), "{text}");
        }
        for text in ["", "x", "10s", "1xb", "99999999999999g"] {
            assert_eq!(size(text), None, "{text}");
        }
    }

    #[test]
    fn cut_anywhere_keeps_what_came_before() {
        for cut in 0..SAMPLE.len() {
            let (settings, _) = settings(&SAMPLE[..cut]);
            assert_eq!(
                settings
                    .iter()
                    .any(|s| s.option == "server_name" && s.value == "n1"),
                cut >= 61,
                "{cut}"
            );
        }
    }

    #[test]
    fn braces_without_end_are_no_trouble() {
        let deep = "a {".repeat(100_000);
        let (settings, stopped) = settings(&deep);
        assert!(settings.len() <= DEPTH + 2);
        assert_eq!(stopped, Some(1));
    }
}
