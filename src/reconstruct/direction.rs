//! The direction of time in a log: stores and viewers give the newest line first unless told otherwise (`logcli query`,
//! Kibana, Event Viewer), and what follows from a line then stands above it.

use super::lines::lines;
use crate::parse::log_line::LogLine;
use crate::parse::server_log::line::line as server_line;
use crate::parse::timestamp::timestamp;
use crate::parse::wrapper::Unwrapper;
use crate::time::Stamp;

/// So many lines from the beginning tell the direction.
pub const LOOK: usize = 512;

/// So often a time must lie before the one above it, and never after: four or more moments in falling order.
const FALLS: usize = 3;

/// Whether the lines stand newest first. `unwrapper` has read nothing.
pub fn newest_first<'a>(lines: impl Iterator<Item = &'a [u8]>, unwrapper: &mut Unwrapper) -> bool {
    let mut last: Option<Stamp> = None;
    let mut falls = 0;
    for (number, raw) in (1..).zip(lines) {
        let mut now = None;
        unwrapper.line(number, raw, |line, _| now = time(raw, line));
        if unwrapper.is_stateful() {
            // Several files or split lines in one: no single direction.
            return false;
        }
        let Some(now) = now else { continue };
        match last {
            Some(last) if last.basis != now.basis || now.ns > last.ns => return false,
            Some(last) if now.ns < last.ns => falls += 1,
            _ => {}
        }
        last = Some(now);
    }
    falls >= FALLS
}

/// The lines with their numbers, oldest first: a line without a time (a stack, a text of several lines) stays behind the
/// one that has it.
pub fn oldest_first<'a>(
    text: &'a [u8],
    unwrapper: &mut Unwrapper,
) -> impl Iterator<Item = (u64, &'a [u8])> {
    // Number and offset of the first line of what belongs together.
    let mut entries: Vec<(u64, usize)> = Vec::new();
    let mut start = 0;
    for (number, raw) in (1..).zip(lines(text)) {
        let mut timed = false;
        unwrapper.line(number, raw, |line, _| timed = time(raw, line).is_some());
        if timed || entries.is_empty() {
            entries.push((number, start));
        }
        start += raw.len() + 1;
    }
    let mut end = text.len();
    entries.into_iter().rev().flat_map(move |(first, start)| {
        let entry = &text[start..std::mem::replace(&mut end, start)];
        (first..).zip(lines(entry))
    })
}

/// The wrapper's time, or else the line's own. A line that nothing was taken off has its wrapper's from a line above.
fn time(raw: &[u8], line: &LogLine<'_>) -> Option<Stamp> {
    line.outer
        .filter(|_| raw.len() > line.body.len())
        .or_else(|| server_line(line.body)?.stamp)
        .or_else(|| timestamp(line.body).map(|(stamp, _)| stamp))
}
