//! What some bytes are, from the bytes themselves; names and extensions are never asked.

mod config;
mod json;
mod magic;
mod text;

pub use json::is_aside;
pub use text::Encoding;

use super::decompress::Codec;
use crate::source::Kind;

/// How many bytes of the beginning decide.
pub const HEAD: usize = 64 << 10;

/// What the beginning of a file says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Compressed: what is inside decides.
    Packed(Codec),
    /// A tar archive.
    Tar,
    /// A zip archive.
    Zip,
    /// Something to analyse, and how its text is encoded.
    Source(Kind, Encoding),
    /// Nothing to analyse, and why. Lower case, no full stop.
    Useless(&'static str),
}

/// Looks at the first bytes, [`HEAD`] of them or the whole file if that is shorter (`complete`).
pub fn look(head: &[u8], complete: bool) -> Look {
    if head.is_empty() {
        return Look::Useless("empty file");
    }
    if let Some(codec) = Codec::of(head) {
        return Look::Packed(codec);
    }
    if let Some(look) = magic::look(head) {
        return look;
    }
    let Some((text, encoding)) = text::decode(head) else {
        return Look::Useless("not text, and no known kind of capture (unknown binary data)");
    };
    let text = text.as_ref();
    if text.trim_ascii().is_empty() {
        return Look::Useless("holds only white space");
    }
    if text::is_key_log(text) {
        return Look::Source(Kind::KeyLog, encoding);
    }
    match json::look(text, complete) {
        json::Verdict::Monitoring => Look::Source(Kind::Monitoring, encoding),
        json::Verdict::Config => Look::Source(Kind::ServerConfig, encoding),
        json::Verdict::Unrelated => {
            Look::Useless("json that is neither monitoring data of nats-server nor a log")
        }
        json::Verdict::NotJson if config::is_server_config(text, complete) => {
            Look::Source(Kind::ServerConfig, encoding)
        }
        json::Verdict::Records | json::Verdict::NotJson => Look::Source(Kind::Log, encoding),
    }
}
