//! What makes hostile text safe inside a page: escapes for markup and for JSON inside a script element, and a content security
//! policy.

use std::fmt;
use std::io::{self, Write};

use sha2::{Digest, Sha256};

use crate::report::excerpt::visible;

/// Text for an element's content or a quoted attribute.
pub(super) fn text(raw: &str) -> Text<'_> {
    Text(raw)
}

/// See [`text`].
pub(super) struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = visible(self.0);
        let mut rest: &str = &shown;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            f.write_str(&rest[..at])?;
            f.write_str(match rest.as_bytes()[at] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                _ => "&#39;",
            })?;
            rest = &rest[at + 1..];
        }
        f.write_str(rest)
    }
}

/// A writer for JSON inside a script element: `<`, `>` and `&` only ever occur inside JSON strings, where their escapes mean
/// the same, and neither `</script>` nor `<!--` can then appear.
pub(super) struct Json<'o>(pub &'o mut dyn Write);

impl Write for Json<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut from = 0;
        for (at, byte) in bytes.iter().enumerate() {
            let escape: &[u8] = match byte {
                b'<' => b"\\u003c",
                b'>' => b"\\u003e",
                b'&' => b"\\u0026",
                _ => continue,
            };
            self.0.write_all(&bytes[from..at])?;
            self.0.write_all(escape)?;
            from = at + 1;
        }
        self.0.write_all(&bytes[from..])?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A policy that lets exactly this style and this script run and nothing load (W3C CSP 3, hash sources).
pub(super) fn policy(style: &str, script: &str) -> String {
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(style),
        hash(script)
    )
}

fn hash(source: &str) -> String {
    base64(&Sha256::digest(source.as_bytes()))
}

/// RFC 4648 section 4. Written out here because nothing else in the tool encodes.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            if place <= group.len() {
                let index = (bits >> (18 - 6 * place)) & 63;
                encoded.push(char::from(ALPHABET[index as usize]));
            } else {
                encoded.push('=');
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_in_rfc_4648_section_10() {
        for (plain, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }

    #[test]
    fn markup_loses_its_meaning_and_json_keeps_its_own() {
        let hostile = "<script>&'\"</script>\x1b";
        assert_eq!(
            text(hostile).to_string(),
            "&lt;script&gt;&amp;&#39;&quot;&lt;/script&gt;\\x1b"
        );
        let mut out = Vec::new();
        serde_json::to_writer(Json(&mut out), hostile).expect("memory");
        let json = String::from_utf8(out).expect("UTF-8");
        assert!(!json.contains(['<', '>', '&']), "{json}");
        let back: String = serde_json::from_str(&json).expect("JSON");
        assert_eq!(back, hostile);
    }
}
