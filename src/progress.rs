//! Progress of long work: silent, or bars on a terminal. The library only counts; only this file knows indicatif.

/// Told about work done, from any thread.
pub trait Progress: Sync {
    /// A source with `bytes` bytes will be read.
    fn source(&self, path: &str, bytes: u64);
    /// `bytes` more bytes of some source were read.
    fn advance(&self, bytes: u64);
    /// The work enters a stage ("reading", "aligning", "attributing").
    fn stage(&self, name: &'static str);
    /// The work is over.
    fn finish(&self);
}

/// Says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn source(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
    fn stage(&self, _: &'static str) {}
    fn finish(&self) {}
}
