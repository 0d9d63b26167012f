//! The public part of a NATS user JWT (<https://github.com/nats-io/jwt>): who it is for and who issued it. The signature
//! is neither checked nor kept.

use serde_json::Value;

/// Longest claim set that is read.
const CLAIMS_MAX: usize = 16 << 10;

/// What a user JWT claims.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// `name`, or the user's public key where it is empty.
    pub user: Option<Box<str>>,
    /// The account's public key: `nats.issuer_account` when a signing key issued it, else `iss`.
    pub account: Option<Box<str>>,
}

/// Reads the claims of a JWT; empty ones where it is none.
pub fn claims(jwt: &str) -> Claims {
    let claims = jwt
        .split('.')
        .nth(1)
        .filter(|part| part.len() <= CLAIMS_MAX)
        .and_then(base64url)
        .and_then(|json| serde_json::from_slice::<Value>(&json).ok());
    let Some(claims) = claims else {
        return Claims::default();
    };
    let text = |value: &Value| {
        let text = value.as_str().filter(|text| !text.is_empty());
        text.map(Into::into)
    };
    Claims {
        user: text(&claims["name"]).or_else(|| text(&claims["sub"])),
        account: text(&claims["nats"]["issuer_account"]).or_else(|| text(&claims["iss"])),
    }
}

/// base64url without padding (RFC 4648 section 5).
fn base64url(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (mut held, mut bits) = (0_u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' | b'+' => 62,
            b'_' | b'/' => 63,
            _ => return None,
        };
        held = held << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{Claims, base64url, claims};

    #[test]
    fn base64_of_rfc_4648_section_10() {
        for (text, plain) in [
            ("", ""),
            ("Zg", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg", "foob"),
            ("Zm9vYmFy", "foobar"),
        ] {
            assert_eq!(base64url(text).as_deref(), Some(plain.as_bytes()), "{text}");
        }
        assert_eq!(base64url("a b"), None);
    }

    #[test]
    fn claims_of_a_user() {
        // {"iss":"ASIGN","name":"orders","sub":"UABC","nats":{"issuer_account":"AACC"}}
        let jwt = "e30.eyJpc3MiOiJBU0lHTiIsIm5hbWUiOiJvcmRlcnMiLCJzdWIiOiJVQUJDIiwibmF0cyI6eyJpc3N1ZXJfYWNjb3VudCI6IkFBQ0MifX0.c2ln";
        assert_eq!(
            claims(jwt),
            Claims {
                user: Some("orders".into()),
                account: Some("AACC".into()),
            }
        );
        for n in 0..jwt.len() - 5 {
            assert_eq!(claims(&jwt[..n]), Claims::default(), "{n}");
        }
    }
}
