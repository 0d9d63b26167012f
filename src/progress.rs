//! Progress of long work: silent, or bars on a terminal. The library only counts; only this file knows indicatif.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

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

/// A bar on standard error: bytes of all sources, rate, and the stage. Draws nothing where standard error is no terminal,
/// and nothing in the first second: short work needs no bar.
pub struct Bar {
    drawn: ProgressBar,
    started: Instant,
    shown: AtomicBool,
    sources: AtomicU64,
}

impl Bar {
    /// How long work stays silent.
    const PATIENCE: Duration = Duration::from_secs(1);

    /// A bar that waits for work.
    pub fn new() -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        let template = "{msg:12} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {prefix}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self {
            drawn: bar,
            started: Instant::now(),
            shown: AtomicBool::new(false),
            sources: AtomicU64::new(0),
        }
    }

    fn show_when_long(&self) {
        if self.started.elapsed() >= Self::PATIENCE && !self.shown.swap(true, Ordering::Relaxed) {
            self.drawn.set_draw_target(ProgressDrawTarget::stderr());
        }
    }
}

impl Default for Bar {
    fn default() -> Self {
        Self::new()
    }
}

impl Progress for Bar {
    fn source(&self, _: &str, bytes: u64) {
        let number = self.sources.fetch_add(1, Ordering::Relaxed) + 1;
        let noun = if number == 1 { "source" } else { "sources" };
        self.drawn.set_prefix(format!("{number} {noun}"));
        self.drawn.inc_length(bytes);
        self.show_when_long();
    }

    fn advance(&self, bytes: u64) {
        self.drawn.inc(bytes);
        // Compressed input yields more than its size on disk.
        let position = self.drawn.position();
        if self.drawn.length().is_some_and(|length| length < position) {
            self.drawn.set_length(position);
        }
        self.show_when_long();
    }

    fn stage(&self, name: &'static str) {
        self.drawn.set_message(name);
        self.show_when_long();
    }

    fn finish(&self) {
        self.drawn.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_counts_and_stays_quiet_while_work_is_short() {
        let bar = Bar::new();
        bar.source("server.log.gz", 100);
        bar.source("server.pcap", 50);
        bar.stage("reading");
        bar.advance(30);
        assert_eq!((bar.drawn.position(), bar.drawn.length()), (30, Some(150)));
        bar.advance(400);
        assert_eq!((bar.drawn.position(), bar.drawn.length()), (430, Some(430)));
        assert!(bar.drawn.is_hidden());
        bar.finish();
        assert!(bar.drawn.is_finished());
    }
}
