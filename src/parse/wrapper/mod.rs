//! Wrappers that deployments put around log lines, taken off: one small file each, and [`Unwrapper`], which tries them
//! on every line, because a file may mix them or change half-way.

mod compose;
mod cri;
mod docker;
mod event_viewer;
mod journal;
mod journal_export;
mod kubectl;
mod shipper;
mod stern;
mod syslog;
mod tail;
mod unwrapper;

pub use shipper::{Exported, document};
pub use unwrapper::{Meta, Unwrapper};

use std::borrow::Cow;

use crate::time::Stamp;

/// A line without its wrapper, and what the wrapper told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unwrapped<'a> {
    /// The wrapper's time.
    pub outer: Option<Stamp>,
    /// Pod, container, unit, host or file, as the wrapper names it.
    pub stream: Option<Cow<'a, str>>,
    /// Program name (syslog tag).
    pub program: Option<Cow<'a, str>>,
    /// Process id that the wrapper names.
    pub pid: Option<u32>,
    /// Syslog severity, 0 to 7.
    pub severity: Option<u8>,
    /// The text.
    pub body: Cow<'a, [u8]>,
    /// More of the same line follows in the next record of the same stream.
    pub partial: bool,
}

/// The text as UTF-8, if it is.
fn utf8(input: &[u8]) -> Option<&str> {
    std::str::from_utf8(input).ok()
}

/// The first word (up to a blank) and what follows the blank.
fn word(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(b' ', input)?;
    Some((&input[..at], &input[at + 1..]))
}
