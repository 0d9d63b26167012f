//! Trace lines: `<<- [CONNECT {...}]`, `->> [PING]`, `<-> [DELSUB 1]`, `MSG_PAYLOAD: ["..."]`.

/// Which way a trace line's arrow points. `<<-` is received since 2.0.0 and sent before (server/client.go,
/// `traceInOp`, `traceOutOp`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrow {
    /// `<<-`
    Left,
    /// `->>`
    Right,
    /// `<->`: the server's own doing.
    Both,
}

/// A trace line about one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace<'a> {
    /// The arrow.
    pub arrow: Arrow,
    /// The protocol verb, or `MSG_PAYLOAD`.
    pub verb: &'a str,
    /// What follows it, without the closing bracket.
    pub args: &'a str,
}

/// Reads the text after a connection's tag.
pub fn trace(text: &str) -> Option<Trace<'_>> {
    let arrow = match text.get(..4)? {
        "<<- " => Arrow::Left,
        "->> " => Arrow::Right,
        "<-> " => Arrow::Both,
        _ => return None,
    };
    let rest = &text[4..];
    if let Some(payload) = rest.strip_prefix("MSG_PAYLOAD: ") {
        return Some(Trace {
            arrow,
            verb: "MSG_PAYLOAD",
            args: payload,
        });
    }
    let inside = rest.strip_prefix('[')?;
    let inside = inside.strip_suffix(']').unwrap_or(inside);
    let (verb, args) = inside.split_once(' ').unwrap_or((inside, ""));
    Some(Trace { arrow, verb, args })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (text, arrow, verb, args) in [
            (
                "<<- [CONNECT {\"a\":[1]}]",
                Arrow::Left,
                "CONNECT",
                "{\"a\":[1]}",
            ),
            ("->> [PING]", Arrow::Right, "PING", ""),
            (
                "->> [-ERR Stale Connection]",
                Arrow::Right,
                "-ERR",
                "Stale Connection",
            ),
            ("<-> [DELSUB 1]", Arrow::Both, "DELSUB", "1"),
            (
                "<<- MSG_PAYLOAD: [\"a b\"]",
                Arrow::Left,
                "MSG_PAYLOAD",
                "[\"a b\"]",
            ),
        ] {
            assert_eq!(trace(text), Some(Trace { arrow, verb, args }), "{text}");
        }
        for text in ["", "<<-", "<<- ", "Client Ping Timer", "<<- PING"] {
            assert_eq!(trace(text), None, "{text}");
        }
    }
}
