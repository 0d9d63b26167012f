//! What nats-server says on stderr before it has a logger, without its usual head; the process ends with status 1.

/// `nats-server: <text>`, `nats-server.exe: ...`, or Go's default logger with `error opening file: ...`.
pub fn startup_error(text: &str) -> Option<&str> {
    for program in ["nats-server: ", "nats-server.exe: ", "gnatsd: "] {
        if let Some(rest) = text.strip_prefix(program)
            && !rest.is_empty()
        {
            return Some(rest);
        }
    }
    // `2026/11/23 05:12:01 error opening file: ...`: seconds only, no pid, no label (logger/log.go, logger/syslog.go).
    let rest = text.get(20..)?;
    let dated = text.as_bytes()[4] == b'/' && text.as_bytes()[19] == b' ';
    (dated
        && (rest.starts_with("error opening file: ")
            || rest.starts_with("error connecting to syslog: ")
            || rest.starts_with("error initializing colors: ")))
    .then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (text, rest) in [
            ("nats-server: error parsing config", "error parsing config"),
            (
                "2026/11/23 05:12:01 error opening file: open /x: permission denied",
                "error opening file: open /x: permission denied",
            ),
        ] {
            assert_eq!(startup_error(text), Some(rest));
        }
        for text in ["", "nats-server: ", "2026/11/23 05:12:01 hello", "nats: x"] {
            assert_eq!(startup_error(text), None, "{text}");
        }
    }
}
