//! An error's text, as one line quotes it from another layer, to what it means.

use super::address;
use super::catalogue;
use super::os_error::{OsError, os_error};
use super::said::{ClientEventKind, Library, Trouble};

/// How languages print "no error": the application itself closed (see the facts' trap 1 for Go).
const NIL: &[&str] = &[
    "<nil>",
    "%!q(<nil>)",
    "%!s(<nil>)",
    "%!v(<nil>)",
    "nil",
    "null",
    "undefined",
    "None",
    "OK",
    "0 - OK",
];

/// What went wrong, from an error's text.
pub(super) fn trouble(text: &str, library: Library) -> Trouble {
    let text = unquoted(text);
    if text.is_empty() {
        return Trouble::Unsaid;
    }
    if NIL.contains(&text) {
        return Trouble::NoError;
    }
    if let Some(kind) = catalogue::error(text, library) {
        return kind.trouble().unwrap_or_default();
    }
    if let Some(error) = os_error(text) {
        return error.trouble;
    }
    match server_text(text) {
        Some(trouble) => trouble,
        None => Trouble::Other(address::redact(text).into()),
    }
}

/// The event that a line with nothing but this error would be.
pub(super) fn event(text: &str, library: Library) -> ClientEventKind {
    let text = unquoted(text);
    if let Some(kind) = catalogue::error(text, library) {
        return kind;
    }
    match os_error(text) {
        Some(error) => error.event(),
        None => ClientEventKind::Error(trouble(text, library)),
    }
}

/// The OS error that a line carries, for its addresses.
pub(super) fn carried(text: &str) -> Option<OsError> {
    os_error(text)
}

/// `nats: Anything Else` is a server's -ERR that the library passes on.
fn server_text(text: &str) -> Option<Trouble> {
    let rest = text.strip_prefix("nats: ")?;
    Some(Trouble::server_error(rest))
}

/// Without the quotes that `%q`, `repr` and JSON put around.
fn unquoted(text: &str) -> &str {
    let text = text.trim();
    for quote in ['"', '\'', '`'] {
        if text.len() >= 2 && text.starts_with(quote) && text.ends_with(quote) {
            return text[1..text.len() - 1].trim();
        }
    }
    text
}
