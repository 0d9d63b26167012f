//! NATS control lines, as captured and as traced in logs: verbs, numbers and lengths stay; subjects, names, credentials and
//! addresses are replaced.

use super::mapper::{Mapper, in_run, is_word, runs};
use super::text::{self, Style};

/// Fields of INFO, CONNECT and user claims that name nobody.
const OPEN: &[&str] = &[
    "version",
    "go",
    "lang",
    "proto",
    "protocol",
    "git_commit",
    "compression",
    "type",
    "typ",
    "alg",
    "permissions",
];
/// Fields that are secrets.
const SECRET: &[&str] = &["pass", "auth_token", "sig", "nonce", "xkey"];
/// Fields that no analysis needs: they give way where an address grew and the length has to stay. A nonce has to be there.
const SPARE: &[(&str, usize)] = &[
    ("xkey", 0),
    ("git_commit", 0),
    ("go", 0),
    ("nonce", 1),
    ("jti", 0),
];

/// One control line without its CR LF; with `same_length`, as long as before.
pub fn line(mapper: &Mapper, line: &str, same_length: bool) -> String {
    let verb = &line[..line.find([' ', '\t']).unwrap_or(line.len())];
    let args = &line[verb.len()..];
    let free = Style {
        same_length,
        traced: true,
        ..Style::default()
    };
    match verb.to_ascii_uppercase().as_str() {
        "INFO" | "CONNECT" => format!("{verb}{}", json(mapper, args, same_length)),
        "PING" | "PONG" | "+OK" if args.trim().is_empty() => line.to_owned(),
        "PUB" | "HPUB" | "MSG" | "HMSG" | "SUB" | "UNSUB" | "RMSG" | "LMSG" | "RS+" | "RS-"
        | "LS+" | "LS-" | "A+" | "A-" => {
            let first = matches!(verb.to_ascii_uppercase().as_str(), "UNSUB");
            format!("{verb}{}", arguments(mapper, args, first))
        }
        _ => text::redact(mapper, line, free),
    }
}

/// Arguments: the first is a subject or an account unless `numbered`; numbers behind it are sizes and ids.
fn arguments(mapper: &Mapper, args: &str, numbered: bool) -> String {
    let mut first = !numbered;
    let mut out = String::with_capacity(args.len());
    for part in args.split_inclusive([' ', '\t']) {
        let word = part.trim_end_matches([' ', '\t']);
        let number = !first && word.bytes().all(|byte| byte.is_ascii_digit());
        if word.is_empty() || number {
            out.push_str(part);
            continue;
        }
        first = false;
        out.push_str(&subject(mapper, word));
        out.push_str(&part[word.len()..]);
    }
    out
}

/// A subject, reply, queue or account: of the server's own (`$JS.API.STREAM.INFO.orders`) the words of the interface stay.
pub fn subject(mapper: &Mapper, subject: &str) -> String {
    let own = subject.starts_with('$') || subject.starts_with("_R_") || subject.starts_with("_GR_");
    let stays = |run: &str| {
        let interface = own
            && run
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        run == "INBOX"
            || (interface && (is_word(run) || run.bytes().all(|byte| byte.is_ascii_digit())))
    };
    let mut out = String::with_capacity(subject.len());
    let mut rest = subject;
    while let Some(start) = rest.find(in_run) {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let len = rest.find(|c| !in_run(c)).unwrap_or(rest.len());
        let run = &rest[..len];
        if stays(run) {
            out.push_str(run);
        } else {
            out.push_str(&mapper.name_word(run));
        }
        rest = &rest[len..];
    }
    out.push_str(rest);
    out
}

/// A string of a JSON text, or what stands between two.
struct Piece<'a> {
    old: &'a str,
    new: String,
    /// How short it may become; `None` where it may not.
    least: Option<usize>,
}

/// A JSON object, perhaps cut off, field by field; with `same_length`, as long as before.
pub fn json(mapper: &Mapper, json: &str, same_length: bool) -> String {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut rest = json;
    let mut key = "";
    while let Some(quote) = rest.find('"') {
        let between = &rest[..=quote];
        pieces.push(Piece {
            old: between,
            new: between.to_owned(),
            least: None,
        });
        rest = &rest[quote + 1..];
        let len = string_length(rest);
        let old = &rest[..len];
        rest = &rest[len..];
        let whole = rest.starts_with('"');
        let is_key = rest
            .strip_prefix('"')
            .is_some_and(|behind| behind.trim_start().starts_with(':'));
        let new = if is_key {
            key = old;
            // Names of fields are known; any other may be somebody's name.
            if runs(old).all(is_word) {
                old.to_owned()
            } else {
                value(mapper, "", old, same_length)
            }
        } else {
            value(mapper, key, old, false)
        };
        let least = SPARE
            .iter()
            .find(|(name, _)| *name == key && !is_key && whole)
            .map(|(_, least)| *least);
        pieces.push(Piece { old, new, least });
        // The closing quote belongs to what follows.
        if let Some(behind) = rest.strip_prefix('"') {
            pieces.push(Piece {
                old: "\"",
                new: "\"".to_owned(),
                least: None,
            });
            rest = behind;
        }
    }
    pieces.push(Piece {
        old: rest,
        new: rest.to_owned(),
        least: None,
    });
    if same_length {
        fit(mapper, &mut pieces);
    }
    pieces.iter().map(|piece| piece.new.as_str()).collect()
}

/// Bytes of a JSON string before its closing quote.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at,
            _ => {}
        }
    }
    text.len()
}

fn value(mapper: &Mapper, key: &str, value: &str, same_length: bool) -> String {
    if OPEN.contains(&key) || (is_word(value) && !SECRET.contains(&key)) {
        return value.to_owned();
    }
    let style = Style {
        secret: SECRET.contains(&key),
        name: !SECRET.contains(&key),
        same_length,
        ..Style::default()
    };
    text::redact(mapper, value, style)
}

/// Brings the pieces to their old length together: spare fields give way to addresses that grew; where there are none, an
/// address is replaced by as many digits, which is no address any more. Room that is left becomes blanks.
fn fit(mapper: &Mapper, pieces: &mut [Piece]) {
    let old: usize = pieces.iter().map(|piece| piece.old.len()).sum();
    let mut new: usize = pieces.iter().map(|piece| piece.new.len()).sum();
    for piece in pieces.iter_mut() {
        if new <= old {
            break;
        }
        if let Some(least) = piece.least {
            let mut keep = piece
                .new
                .len()
                .saturating_sub(new - old)
                .max(least)
                .min(piece.new.len());
            while !piece.new.is_char_boundary(keep) {
                keep += 1;
            }
            new -= piece.new.len() - keep;
            piece.new.truncate(keep);
        }
    }
    for piece in pieces.iter_mut().rev() {
        if new <= old {
            break;
        }
        if piece.new.len() > piece.old.len() {
            let style = Style {
                name: true,
                same_length: true,
                ..Style::default()
            };
            let masked = text::redact(mapper, piece.old, style);
            new -= piece.new.len() - masked.len();
            piece.new = masked;
        }
    }
    if let Some(last) = pieces.last_mut() {
        let end = last.new.rfind('}').map_or(last.new.len(), |at| at + 1);
        last.new
            .insert_str(end, &" ".repeat(old.saturating_sub(new)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::Key;
    use super::*;
    use crate::parse::nats::connect_info::{Connect, Info};

    fn mapper() -> Mapper {
        Mapper::new(&Key::from_bytes(b"k"))
    }

    #[test]
    fn lines_keep_their_length_verb_and_numbers() {
        let mapper = mapper();
        for (old, stays) in [
            (
                "PUB acme.orders.7 _INBOX.aB3.x 11",
                &["PUB ", "_INBOX.", " 11"][..],
            ),
            ("HMSG acme.orders 9 22 33", &["HMSG ", " 9 22 33"]),
            ("SUB acme.* workers 4", &["SUB ", ".* ", " 4"]),
            ("UNSUB 4 10", &["UNSUB 4 10"]),
            ("RMSG ACME acme.orders | 5", &["RMSG ", " | 5"]),
            ("PUB $JS.API.STREAM.INFO.acme 0", &["$JS.API.STREAM.INFO."]),
            (
                "-ERR 'Permissions Violation for Publish to \"acme.x\"'",
                &["-ERR 'Permissions Violation for Publish to \""],
            ),
            ("-ERR 'Stale Connection'", &["-ERR 'Stale Connection'"]),
            ("PING", &["PING"]),
        ] {
            let new = line(&mapper, old, true);
            assert_eq!(new.len(), old.len(), "{old} {new}");
            assert!(
                !new.to_lowercase().contains("acme") && !new.contains("aB3"),
                "{new}"
            );
            for part in stays {
                assert!(new.contains(part), "{old} {new}");
            }
        }
    }

    #[test]
    fn info_keeps_its_length_whatever_its_addresses_become() {
        let mapper = mapper();
        for ip in ["10.1.1.2", "172.16.100.200", "2001:db8::17"] {
            let old = format!(
                r#"INFO {{"server_id":"NDJ2","server_name":"acme-1","version":"2.12.8","git_commit":"1a2b3c4","go":"go1.25","host":"{ip}","port":4222,"client_id":7,"client_ip":"{ip}","connect_urls":["{ip}:4222"],"xkey":"XBZFDHKRRIVPZGYHMLB4BPWCFWJWTNCKFZCV4JHQUW6MUQOXYY3EMC6Q"}} "#
            );
            let new = line(&mapper, &old, true);
            assert_eq!(new.len(), old.len(), "{new}");
            let (info, whole) = Info::from_json(&new.as_bytes()[5..]);
            assert!(whole, "{new}");
            assert_eq!(
                info.client_ip,
                Some(mapper.ip(ip.parse().expect("an address"))),
                "{new}"
            );
            assert_eq!(
                (info.client_id, info.port, &*info.version),
                (Some(7), Some(4222), "2.12.8")
            );
            assert!(!new.contains(ip) && !new.contains("acme"), "{new}");
        }
    }

    #[test]
    fn connect_loses_its_secrets_and_keeps_its_kind() {
        let old = r#"CONNECT {"verbose":false,"user":"acme-user","pass":"password","auth_token":"1234","name":"acme pay-1","lang":"go","version":"1.31.0","headers":true}"#;
        let new = line(&mapper(), old, true);
        assert_eq!(new.len(), old.len());
        let (connect, whole) = Connect::from_json(&new.as_bytes()[8..]);
        assert!(whole);
        assert_eq!(
            (connect.lang.as_deref(), connect.version.as_deref()),
            (Some("go"), Some("1.31.0"))
        );
        assert_eq!(connect.credentials, Some("token"));
        for secret in ["acme", "pay", "\"password\"", "1234"] {
            assert!(!new.contains(secret), "{new}");
        }
    }

    #[test]
    fn a_text_that_breaks_off_anywhere_keeps_its_length() {
        let mapper = mapper();
        let old = r#"INFO {"server_id":"NDJ2","server_name":"acme-1","version":"2.12.8","host":"10.9.9.9","client_ip":"10.1.1.2"}"#;
        for cut in 0..old.len() {
            assert_eq!(line(&mapper, &old[..cut], true).len(), cut);
        }
    }
}
