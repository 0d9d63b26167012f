//! Client lines to client stories.

use super::client::ClientStory;
use crate::parse::log_line::LogLine;
use crate::source::Source;

/// Collects the lines of one source.
#[derive(Debug)]
pub struct StoryBuilder;

impl StoryBuilder {
    /// Nothing read yet.
    pub fn new(_source: &Source) -> Self {
        Self
    }

    /// Takes a line; true if it was a client's or an application's.
    pub fn line(&mut self, _line: &LogLine<'_>) -> bool {
        false
    }

    /// The stories.
    pub fn finish(self) -> Vec<ClientStory> {
        Vec::new()
    }
}
