//! Protocol frames that a client's debug option prints: `> INFO {...}␍␊`, `< CONNECT {...}␍␊`.
//!
//! They carry what joins a client to its server exactly: the server's id and the cid, the client's name and version.

use serde_json::Value;

use super::said::{ClientEventKind, Library, Said, Weight};

/// Longest frame that is read; INFO of a large cluster is a few kilobytes.
const LONGEST: usize = 16 * 1024;

/// The INFO or CONNECT that a message quotes.
pub(super) fn read(message: &str) -> Option<Said> {
    let (library, text) = match message.get(..2) {
        // The JavaScript clients mark the direction.
        Some("> " | "< ") => (Library::JsV2, &message[2..]),
        _ => (Library::Unknown, message),
    };
    if text.len() > LONGEST {
        return None;
    }
    let object = |verb: &str| -> Option<Value> {
        let at = text.find(verb)? + verb.len() - 1;
        serde_json::Deserializer::from_str(&text[at..])
            .into_iter::<Value>()
            .next()?
            .ok()
    };
    let word = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(Box::from);
    let said = Said {
        kind: ClientEventKind::Handshake,
        weight: Weight::Proof,
        library,
        ..Said::default()
    };
    if let Some(info) = object("INFO {") {
        return Some(Said {
            server_id: Some(word(&info, "server_id")?),
            cid: info.get("client_id").and_then(Value::as_u64),
            ..said
        });
    }
    let connect = object("CONNECT {")?;
    let lang = connect.get("lang").and_then(Value::as_str)?;
    let version = connect.get("version").and_then(Value::as_str);
    let library = Library::of_connect(lang, version);
    Some(Said {
        name: word(&connect, "name").filter(|name| !name.is_empty()),
        version: word(&connect, "version"),
        library,
        ..said
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_the_debug_option_join_client_and_server() {
        let said =
            read("> PONG␍␊INFO {\"server_id\":\"NABC\",\"client_id\":7,\"port\":4222} ␍␊").unwrap();
        assert_eq!(
            (said.server_id.as_deref(), said.cid),
            (Some("NABC"), Some(7))
        );
        let said =
            read("< CONNECT {\"version\":\"2.29.3\",\"lang\":\"nats.js\",\"name\":\"js-app\"}␍␊")
                .unwrap();
        assert_eq!(said.library, Library::JsV2);
        assert_eq!(
            (said.name.as_deref(), said.version.as_deref()),
            (Some("js-app"), Some("2.29.3"))
        );
        assert_eq!(read("> INFO {\"server_id\":\"NAB"), None);
        assert_eq!(read("INFO {not json"), None);
    }
}
