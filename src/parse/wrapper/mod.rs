//! Wrappers that deployments put around log lines, taken off: one small file each.

use crate::time::Stamp;

/// A line without its wrapper, and what the wrapper told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unwrapped<'a> {
    /// The wrapper's time.
    pub outer: Option<Stamp>,
    /// Pod, container, unit, host or file, as the wrapper names it.
    pub stream: Option<&'a str>,
    /// Program name (syslog tag).
    pub program: Option<&'a str>,
    /// Process id that the wrapper names.
    pub pid: Option<u32>,
    /// Syslog severity.
    pub severity: Option<u8>,
    /// The text.
    pub body: &'a [u8],
}
