//! How a server process ended, from the signs in its own log.

use super::server::{EndManner, Identity, ServerEnd};
use super::server_life::short_version;
use crate::span::LogRef;

/// Pieces of evidence that are kept.
const END_EVIDENCE: usize = 12;

/// Since 2.2.0 SIGTERM leaves lines; before, a stop by signal says nothing.
const TALKS_ON_SIGTERM: (u32, u32) = (2, 2);

/// What speaks for an end, collected while the log goes on: the first line of each sort.
#[derive(Debug, Default)]
pub struct Signs {
    /// `Trapped "terminated" signal`, or interrupt.
    pub trapped_stop: Option<LogRef>,
    /// `Initiating Shutdown...`
    pub initiated: Option<LogRef>,
    /// `Server Exiting..`
    pub exiting: Option<LogRef>,
    /// `Entering lame duck mode`
    pub lame_duck: Option<LogRef>,
    /// The functions of the goroutine that crashed, innermost first.
    pub trace: Vec<LogRef>,
    /// A crash, and whether for want of memory.
    pub crash: Option<(LogRef, bool)>,
    /// `[FTL]`, or an error before there was a log.
    pub fatal: Option<LogRef>,
}

impl Signs {
    /// The facts' table "Restart and end-of-life classification".
    /// `followed`: a banner comes after the last line, of a server that would have said something on a signal.
    pub fn classify(self, followed: bool, last: Option<&LogRef>) -> ServerEnd {
        let signs = self;
        let (manner, at) = if let Some((at, memory)) = &signs.crash {
            let manner = if *memory {
                EndManner::OutOfMemory
            } else {
                EndManner::Crash
            };
            (manner, Some(at))
        } else if let Some(at) = &signs.lame_duck
            && (followed || signs.exiting.is_some() || signs.initiated.is_some())
        {
            (EndManner::LameDuck, Some(at))
        } else if let Some(at) = signs.initiated.as_ref().or(signs.exiting.as_ref()) {
            (
                EndManner::Graceful,
                Some(signs.trapped_stop.as_ref().unwrap_or(at)),
            )
        } else if let Some(at) = &signs.fatal {
            (EndManner::Fatal, Some(at))
        } else if let Some(at) = &signs.trapped_stop {
            (EndManner::Graceful, Some(at))
        } else if let Some(at) = &signs.lame_duck {
            (EndManner::LameDuck, Some(at))
        } else if followed {
            (EndManner::Killed, last)
        } else {
            (EndManner::Unknown, last)
        };
        let at = at.cloned();
        let mut evidence: Vec<LogRef> = [
            signs.lame_duck.clone(),
            signs.trapped_stop,
            signs.initiated,
            signs.exiting,
            signs.fatal,
            signs.crash.map(|(at, _)| at),
        ]
        .into_iter()
        .flatten()
        .collect();
        evidence.sort_by_key(|at| at.cite);
        evidence.truncate(END_EVIDENCE);
        ServerEnd {
            manner,
            at,
            evidence,
            trace: signs.trace,
            lame_duck: signs.lame_duck,
            exit: None,
            next: None,
        }
    }
}

/// A stop by signal leaves lines in this version's log, so silence means something. Unknown versions count as new.
pub fn speaks_on_sigterm(identity: &Identity) -> bool {
    identity
        .version
        .as_deref()
        .and_then(short_version)
        .is_none_or(|version| version >= TALKS_ON_SIGTERM)
}
