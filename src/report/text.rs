//! The text report, made for reading: the answer in the first three lines, then incidents worst first, then closes by
//! client, then how the input was read, and what to do last.

mod clients;
mod close;
mod first_lines;
mod incidents;
mod onward;
mod pen;
mod reading;
mod remedies;
mod servers;
mod signs;

use std::io::{self, Write};

use super::phrase::TimeStyle;
use super::{RenderOptions, Shown};
use pen::Pen;

/// How many of each are shown without `-v`.
mod cap {
    /// Incidents told in full.
    pub const INCIDENTS: usize = 8;
    /// Incidents named in one line after those.
    pub const MORE_INCIDENTS: usize = 20;
    /// Ended servers listed that no incident tells of.
    pub const SERVERS: usize = 8;
    /// Signs of trouble listed.
    pub const SIGNS: usize = 6;
    /// Clients listed.
    pub const CLIENTS: usize = 25;
    /// Clients named that lost nothing.
    pub const UNHARMED: usize = 12;
    /// Rows for one client.
    pub const ROWS: usize = 4;
    /// Pieces of evidence quoted for one close.
    pub const EVIDENCE: usize = 8;
    /// Lines that one quoted piece may take.
    pub const QUOTE_LINES: usize = 4;
    /// Blocks of advice.
    pub const ADVICE: usize = 12;
    /// Names in a list inside a sentence.
    pub const NAMES: usize = 6;
    /// Sources listed.
    pub const SOURCES: usize = 15;
    /// Skipped parts listed.
    pub const SKIPPED: usize = 8;
    /// Closes outside incidents whose evidence is quoted.
    pub const PROVEN: usize = 8;
}

/// What every section needs.
struct Page<'a> {
    shown: &'a Shown<'a>,
    options: &'a RenderOptions,
    time: TimeStyle,
}

impl Page<'_> {
    /// A cap, or no cap under `-v`.
    fn cap(&self, cap: usize) -> usize {
        if self.options.verbose {
            usize::MAX
        } else {
            cap
        }
    }
}

/// Writes the report.
pub(super) fn write(
    shown: &Shown<'_>,
    options: &RenderOptions,
    out: &mut dyn Write,
) -> io::Result<()> {
    let page = Page {
        shown,
        options,
        time: shown.time,
    };
    let mut pen = Pen::new(out, options.width, options.color);
    first_lines::write(&page, &mut pen)?;
    incidents::write(&page, &mut pen)?;
    servers::write(&page, &mut pen)?;
    signs::write(&page, &mut pen)?;
    if !options.summary {
        clients::write(&page, &mut pen)?;
        reading::write(&page, &mut pen)?;
    }
    remedies::write(&page, &mut pen)?;
    onward::write(&page, &mut pen)
}

#[cfg(test)]
mod tests;
