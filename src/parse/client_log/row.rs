//! One row of a library's grammar: a sentence, what it means, and what it proves.

use super::address;
use super::said::{ClientEventKind, Library, Trouble, Weight};
use super::template::Filled;

/// One sentence of one library.
pub(super) struct Row {
    pub(super) library: Library,
    pub(super) weight: Weight,
    /// An error's text, which other lines quote, rather than a line.
    pub(super) inner: bool,
    pub(super) text: &'static str,
    pub(super) says: fn(&Fields<'_>) -> ClientEventKind,
}

/// A whole line.
pub(super) const fn line(
    library: Library,
    weight: Weight,
    text: &'static str,
    says: fn(&Fields<'_>) -> ClientEventKind,
) -> Row {
    Row {
        library,
        weight,
        inner: false,
        text,
        says,
    }
}

/// An error's text, alone or inside another line.
pub(super) const fn error(
    library: Library,
    weight: Weight,
    text: &'static str,
    says: fn(&Fields<'_>) -> ClientEventKind,
) -> Row {
    Row {
        library,
        weight,
        inner: true,
        text,
        says,
    }
}

/// For lines that only introduce an error: what that error alone would be.
pub(super) fn inner(fields: &Fields<'_>) -> ClientEventKind {
    fields.inner()
}

/// What a sentence's holes hold, for the row to read.
pub(super) struct Fields<'a> {
    pub(super) filled: Filled<'a>,
    /// The library that the log is known to be of.
    pub(super) library: Library,
    /// The whole sentence.
    pub(super) sentence: &'a str,
}

impl Fields<'_> {
    /// The text of a hole, trimmed; empty when there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.filled.get(name).unwrap_or("").trim()
    }

    /// The trouble that `{err}` names.
    pub(super) fn err(&self) -> Trouble {
        super::trouble::trouble(self.text("err"), self.library)
    }

    /// The event that `{err}` alone would be.
    pub(super) fn inner(&self) -> ClientEventKind {
        super::trouble::event(self.text("err"), self.library)
    }

    /// The server's -ERR in `{text}`.
    pub(super) fn server_error(&self) -> Trouble {
        Trouble::server_error(self.text("text"))
    }

    /// The sentence itself as an authentication trouble.
    pub(super) fn auth(&self) -> Trouble {
        Trouble::Auth(self.said().trim_matches('\'').into())
    }

    /// The sentence itself as the server's error.
    pub(super) fn said_by_server(&self) -> Trouble {
        Trouble::ServerError(self.said().trim_matches('\'').into())
    }

    /// The sentence itself as some trouble.
    pub(super) fn other(&self) -> Trouble {
        Trouble::Other(address::redact(self.said()).into())
    }

    /// The sentence itself as TLS trouble.
    pub(super) fn tls(&self) -> Trouble {
        Trouble::Tls(self.said().into())
    }

    /// The sentence itself: the peer does not speak NATS.
    pub(super) fn not_nats(&self) -> Trouble {
        Trouble::NotNats(self.said().into())
    }

    /// The number in `{attempt}`.
    pub(super) fn attempt(&self) -> Option<u32> {
        self.text("attempt").parse().ok()
    }

    fn said(&self) -> &str {
        let said = self.sentence.trim();
        said.strip_prefix("nats: ").unwrap_or(said)
    }
}
