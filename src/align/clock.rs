//! One clock per source (or per stretch of one): what to add to its stamps to reach the common line, and how sure that is.

use crate::source::SourceId;
use crate::span::{Cite, Moment};
use crate::time::{Basis, Bounds, Instant, Stamp};
use serde::{Deserialize, Serialize};

/// A source's clock.
#[derive(Clone, Debug)]
pub struct Clock {
    /// The source.
    pub source: SourceId,
    /// The outer (wrapper's) clock of that source, not the program's own.
    pub outer: bool,
    /// Stretches, by the stamp at which each begins (raw nanoseconds of the stamp); at least one.
    pub stretches: Vec<Stretch>,
    /// Zone found or given for civil stamps, in seconds east of UTC.
    pub zone_s: Option<i32>,
    /// The zone or offset was given by `--tz` or `--clock`.
    pub given: bool,
    /// Anchors that the estimate rests on.
    pub anchors: usize,
    /// Anchors that disagree, cited (bounded).
    pub rejected: Vec<Cite>,
    /// Tied to the reference, directly or through others. Not tied: the source's own times are shown, and no order
    /// against other sources is claimed.
    pub aligned: bool,
    /// One sentence: how it was found, or what would allow it.
    pub how: String,
}

/// A stretch of a clock with one offset and one drift.
#[derive(Clone, Copy, Debug)]
pub struct Stretch {
    /// First raw stamp it holds for.
    pub from: i64,
    /// What to add to a raw stamp at `from` to reach the common line.
    pub offset: Bounds,
    /// The single best value in there: its middle, or near the bound that causality gives where only habit gives the other.
    pub best: i64,
    /// Change of the offset in parts per million of elapsed time.
    pub drift_ppm: f64,
}

/// A moment on the common line with its uncertainty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct When {
    /// Best value.
    pub at: Instant,
    /// The true moment lies in here.
    pub bounds: Bounds,
    /// Digits that the source wrote.
    pub digits: u8,
}

impl When {
    /// `self` is certainly before `other`.
    pub fn surely_before(self, other: Self) -> bool {
        self.bounds.high < other.bounds.low
    }

    /// Best estimate of `self - other` in nanoseconds.
    pub fn since(self, other: Self) -> i64 {
        self.at.since(other.at)
    }
}

impl Clock {
    /// A clock that is taken at its word: offset zero, not aligned.
    pub fn own(source: SourceId) -> Self {
        Self {
            source,
            outer: false,
            stretches: vec![Stretch {
                from: i64::MIN,
                offset: Bounds::exact(0),
                best: 0,
                drift_ppm: 0.0,
            }],
            zone_s: None,
            given: false,
            anchors: 0,
            rejected: Vec::new(),
            aligned: false,
            how: String::new(),
        }
    }

    /// The stretch that is known best: what a summary of the clock shows.
    pub fn tightest(&self) -> &Stretch {
        // The first of equals; a clock always has a stretch.
        let narrowest = self.stretches.iter().reduce(|best, next| {
            if next.offset.width() < best.offset.width() {
                next
            } else {
                best
            }
        });
        narrowest.unwrap_or(&self.stretches[0])
    }

    /// A raw value on the common line.
    pub fn raw(&self, ns: i64, digits: u8) -> When {
        let stretch = self
            .stretches
            .iter()
            .rev()
            .find(|stretch| stretch.from <= ns)
            .unwrap_or(&self.stretches[0]);
        let elapsed = if stretch.from == i64::MIN {
            0
        } else {
            ns.saturating_sub(stretch.from)
        };
        let drift = (elapsed as f64 * stretch.drift_ppm / 1e6) as i64;
        // A written time is cut, not rounded: the true one lies within one resolution step after it.
        let step = 10_i64.pow(9 - u32::from(digits.min(9)));
        let low = ns.saturating_add(stretch.offset.low).saturating_add(drift);
        let high = ns
            .saturating_add(stretch.offset.high)
            .saturating_add(drift)
            .saturating_add(step - 1);
        let at = ns.saturating_add(stretch.best).saturating_add(drift);
        When {
            at: Instant(at),
            bounds: Bounds { low, high },
            digits,
        }
    }

    /// A stamp on the common line. The clock's offset already holds the zone for civil stamps.
    pub fn stamp(&self, stamp: Stamp) -> When {
        debug_assert!(
            self.aligned || matches!(stamp.basis, Basis::Utc | Basis::Civil),
            "year-less and partial stamps are resolved before alignment"
        );
        self.raw(stamp.ns, stamp.digits)
    }

    /// A packet on the common line.
    pub fn moment(&self, moment: Moment) -> When {
        self.raw(moment.ns, 9)
    }
}
