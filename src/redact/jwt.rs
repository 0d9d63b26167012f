//! JWTs: the claims are replaced field by field, so that a user's name is the same inside and outside; the signature goes.

use super::mapper::Mapper;
use super::ops;
use super::text::{self, Style};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Longest JWT that is looked for.
const LONGEST: usize = 16 << 10;

/// The length of a JWT at the beginning of a text: three parts of base64url, the first a JSON object.
pub fn length(text: &str) -> Option<usize> {
    if !text.starts_with("eyJ") {
        return None;
    }
    let len = text
        .bytes()
        .take(LONGEST)
        .take_while(|byte| ALPHABET.contains(byte) || *byte == b'.')
        .count();
    let len = text[..len].trim_end_matches('.').len();
    (text[..len].split('.').count() == 3 && len > 40).then_some(len)
}

/// Another JWT of the same length.
pub fn redact(mapper: &Mapper, jwt: &str) -> String {
    let secret = |part: &str| {
        text::redact(
            mapper,
            part,
            Style {
                secret: true,
                ..Style::default()
            },
        )
    };
    let mut parts = jwt.splitn(3, '.');
    let (head, claims, signature) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let open = decode(claims).and_then(|bytes| String::from_utf8(bytes).ok());
    let claims = match open {
        Some(json) => encode(ops::json(mapper, &json, true).as_bytes()),
        None => secret(claims),
    };
    format!("{head}.{claims}.{}", secret(signature))
}

/// base64url without padding (RFC 4648 section 5).
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut held, mut bits) = (0_u32, 0);
    for byte in text.bytes() {
        held = held << 6 | ALPHABET.iter().position(|&known| known == byte)? as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
        }
    }
    Some(bytes)
}

fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 4 / 3 + 2);
    for chunk in bytes.chunks(3) {
        let held = chunk
            .iter()
            .fold(0_u32, |held, &byte| held << 8 | u32::from(byte))
            << (8 * (3 - chunk.len()));
        for index in 0..=chunk.len() {
            text.push(char::from(
                ALPHABET[(held >> (18 - 6 * index) & 63) as usize],
            ));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::key::Key;
    use super::*;
    use crate::parse::nats::jwt::claims;

    #[test]
    fn the_name_is_the_same_inside_and_outside() {
        let mapper = Mapper::new(&Key::from_bytes(b"k"));
        let json = br#"{"jti":"Q7","iat":1700000000,"iss":"ADZ7Q5QW","name":"acme-pay","sub":"UABC","nats":{"type":"user","version":2}}"#;
        let old = format!(
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.{}.c2lnbmF0dXJl",
            encode(json)
        );
        assert_eq!(length(&old), Some(old.len()));
        let new = redact(&mapper, &old);
        assert_eq!(new.len(), old.len());
        let user = claims(&new).user;
        let name = text::redact(
            &mapper,
            "acme-pay",
            Style {
                name: true,
                ..Style::default()
            },
        );
        assert_eq!(user.as_deref(), Some(name.as_str()));
        assert!(!new.contains("c2lnbmF0dXJl"));
    }

    #[test]
    fn base64_goes_back_and_forth() {
        for text in ["", "f", "fo", "foo", "foob", "fooba", "foobar"] {
            assert_eq!(
                decode(&encode(text.as_bytes())).as_deref(),
                Some(text.as_bytes())
            );
        }
    }
}
