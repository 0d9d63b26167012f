//! Progress of long work: silent, or bars on a terminal. The library only counts; only this file knows indicatif.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::source::SourceId;

/// Told about work done, from any thread.
pub trait Progress: Sync {
    /// A source, or several that are read as one, with `bytes` bytes in all, will be read.
    fn source(&self, id: SourceId, path: &str, bytes: u64);
    /// `bytes` more bytes of it were read.
    fn advance(&self, id: SourceId, bytes: u64);
    /// It was read.
    fn done(&self, id: SourceId);
    /// The work enters a stage ("reading", "aligning", "attributing").
    fn stage(&self, name: &'static str);
    /// The work is over.
    fn finish(&self);
}

/// Says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn source(&self, _: SourceId, _: &str, _: u64) {}
    fn advance(&self, _: SourceId, _: u64) {}
    fn done(&self, _: SourceId) {}
    fn stage(&self, _: &'static str) {}
    fn finish(&self) {}
}

/// Bars on standard error: one for each source in work with its bytes and rate, and below them one for all, with the stage.
/// Draws nothing where standard error is no terminal, and nothing in the first second: short work needs no bar.
pub struct Bar {
    all: MultiProgress,
    total: ProgressBar,
    started: Instant,
    shown: AtomicBool,
    sources: Mutex<BTreeMap<SourceId, One>>,
}

/// A source that will be, or is being, read.
struct One {
    path: String,
    bytes: u64,
    bar: Option<ProgressBar>,
}

impl Bar {
    /// How long work stays silent.
    const PATIENCE: Duration = Duration::from_secs(1);

    /// A bar that waits for work.
    pub fn new() -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        let total = all.add(ProgressBar::new(0));
        total.set_style(style(
            "{msg:12} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {prefix}",
        ));
        Self {
            all,
            total,
            started: Instant::now(),
            shown: AtomicBool::new(false),
            sources: Mutex::default(),
        }
    }

    fn show_when_long(&self) {
        if self.started.elapsed() >= Self::PATIENCE && !self.shown.swap(true, Ordering::Relaxed) {
            self.all.set_draw_target(ProgressDrawTarget::stderr());
        }
    }

    fn sources(&self) -> std::sync::MutexGuard<'_, BTreeMap<SourceId, One>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Counts, and makes room where compressed input yields more than its size on disk.
fn grow(bar: &ProgressBar, bytes: u64) {
    bar.inc(bytes);
    let position = bar.position();
    if bar.length().is_some_and(|length| length < position) {
        bar.set_length(position);
    }
}

impl Default for Bar {
    fn default() -> Self {
        Self::new()
    }
}

impl Progress for Bar {
    fn source(&self, id: SourceId, path: &str, bytes: u64) {
        let mut sources = self.sources();
        let one = One {
            // A name may hold what a terminal obeys.
            path: path.replace(char::is_control, "\u{fffd}"),
            bytes,
            bar: None,
        };
        sources.insert(id, one);
        let noun = if sources.len() == 1 {
            "source"
        } else {
            "sources"
        };
        self.total.set_prefix(format!("{} {noun}", sources.len()));
        self.total.inc_length(bytes);
        drop(sources);
        self.show_when_long();
    }

    fn advance(&self, id: SourceId, bytes: u64) {
        grow(&self.total, bytes);
        if let Some(one) = self.sources().get_mut(&id) {
            let bar = one.bar.get_or_insert_with(|| {
                let bar = self
                    .all
                    .insert_before(&self.total, ProgressBar::new(one.bytes));
                bar.set_style(style(
                    "  {wide_msg} {bytes:>10} of {total_bytes:>10} {bytes_per_sec:>14}",
                ));
                bar.set_message(one.path.clone());
                bar
            });
            grow(bar, bytes);
        }
        self.show_when_long();
    }

    fn done(&self, id: SourceId) {
        let bar = self.sources().get_mut(&id).and_then(|one| one.bar.take());
        if let Some(bar) = bar {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
    }

    fn stage(&self, name: &'static str) {
        self.total.set_message(name);
        self.show_when_long();
    }

    fn finish(&self) {
        for one in self.sources().values_mut() {
            if let Some(bar) = one.bar.take() {
                bar.finish_and_clear();
            }
        }
        self.total.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_count_and_stay_quiet_while_work_is_short() {
        let bar = Bar::new();
        let (log, capture) = (SourceId(0), SourceId(1));
        bar.source(log, "server\u{1b}[2J.log.gz", 100);
        bar.source(capture, "server.pcap", 50);
        bar.stage("reading");
        bar.advance(log, 30);
        assert_eq!((bar.total.position(), bar.total.length()), (30, Some(150)));
        bar.advance(log, 400);
        assert_eq!((bar.total.position(), bar.total.length()), (430, Some(430)));
        let state = |id: SourceId| {
            let sources = bar.sources();
            let one = sources.get(&id)?.bar.as_ref()?;
            Some((one.message(), one.position(), one.length()))
        };
        let name = "server\u{fffd}[2J.log.gz".to_owned();
        assert_eq!(state(log), Some((name, 430, Some(430))));
        assert_eq!(state(capture), None);
        bar.done(log);
        assert_eq!(state(log), None);
        assert!(bar.total.is_hidden());
        bar.finish();
        assert!(bar.total.is_finished());
    }
}
