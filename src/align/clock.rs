//! One clock per source: what to add to its stamps to reach the common line, and how sure that is. A clock that was
//! stepped has several stretches; which one a record belongs to is told by its place in the source, not by its time,
//! since a clock that was set back shows the same times twice.

use serde::{Deserialize, Serialize};

use crate::source::SourceId;
use crate::span::{Cite, Moment, Place};
use crate::time::{Bounds, Instant, Stamp};

/// A source's clock.
#[derive(Clone, Debug)]
pub struct Clock {
    /// The source.
    pub source: SourceId,
    /// The outer (wrapper's) clock of that source, not the program's own.
    pub outer: bool,
    /// Which file of a rotated set the source is: files of one set share a clock, and count their places on.
    pub file: u64,
    /// Stretches by the place at which each begins; at least one.
    pub stretches: Vec<Stretch>,
    /// Zone found or given for civil stamps, in seconds east of UTC.
    pub zone_s: Option<i32>,
    /// The zone or offset was given by `--tz` or `--clock`.
    pub given: bool,
    /// Anchors that the estimate rests on.
    pub anchors: usize,
    /// Anchors that disagree and were left out.
    pub left_out: usize,
    /// Those of them that are records of this source, cited (bounded).
    pub rejected: Vec<Cite>,
    /// Tied to the reference, directly or through others. Not tied: the source's own times are shown, and no order
    /// against other sources is claimed.
    pub aligned: bool,
    /// One sentence: how it was found, or what would allow it.
    pub how: String,
}

/// An offset that changes with time: nanoseconds, and nanoseconds a nanosecond.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Line {
    /// At the stretch's origin, beyond its base.
    pub offset: f64,
    /// Change per elapsed time.
    pub slope: f64,
}

impl Line {
    /// Its value this long after the origin.
    pub fn at(self, elapsed: f64) -> f64 {
        // Not `mul_add`: without the instruction it is a call, and exact to what is far below a nanosecond.
        self.slope * elapsed + self.offset
    }
}

/// A stretch of a clock: every line of offsets that the anchors allow.
#[derive(Clone, Debug, PartialEq)]
pub struct Stretch {
    /// First place it holds for: file of a rotated set, then line or frame ([`Clock::place`]).
    pub from: u64,
    /// The raw time that lines count from.
    pub origin: i64,
    /// Added to every line: offsets are large and their differences small.
    pub base: i64,
    /// The single best line.
    pub best: Line,
    /// Corners of the set of all possible lines: whatever the true line is, at any time some corner is above and some
    /// corner is below it. At least one.
    pub corners: Vec<Line>,
    /// The raw time at which it is known best.
    pub tightest: i64,
}

impl Stretch {
    /// One offset, known exactly.
    pub fn exact(offset: i64) -> Self {
        Self {
            from: 0,
            origin: 0,
            base: offset,
            best: Line::default(),
            corners: vec![Line::default()],
            tightest: 0,
        }
    }

    /// What to add to this raw stamp: every possible value, and the best.
    pub fn offset(&self, raw: i64) -> (Bounds, i64) {
        // Most clocks of captures: hundreds of thousands of packets are asked for.
        if self.corners == [Line::default()] && self.best == Line::default() {
            return (Bounds::exact(self.base), self.base);
        }
        let elapsed = raw.saturating_sub(self.origin) as f64;
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for corner in &self.corners {
            let value = corner.at(elapsed);
            low = low.min(value);
            high = high.max(value);
        }
        let add = |value: f64| self.base.saturating_add(value as i64);
        let bounds = Bounds {
            low: add(low.floor()),
            high: add(high.ceil()),
        };
        let best = add(self.best.at(elapsed).round()).clamp(bounds.low, bounds.high);
        (bounds, best)
    }

    /// Change of the offset in parts per million of elapsed time.
    pub fn drift_ppm(&self) -> f64 {
        self.best.slope * 1e6
    }

    /// The same clock with this much less to add.
    pub fn shift(&mut self, less: i64) {
        self.base = self.base.saturating_sub(less);
    }
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

/// Lines or frames that one file of a rotated set may have: places of later files count on from here.
const FILE: u64 = 1 << 40;

impl Clock {
    /// A clock that is taken at its word: offset zero, not aligned.
    pub fn own(source: SourceId) -> Self {
        Self {
            source,
            outer: false,
            file: 0,
            stretches: vec![Stretch::exact(0)],
            zone_s: None,
            given: false,
            anchors: 0,
            left_out: 0,
            rejected: Vec::new(),
            aligned: false,
            how: String::new(),
        }
    }

    /// A record's place among all records of this clock.
    pub fn place(&self, place: Place) -> u64 {
        let (Place::Line(number) | Place::Frame(number) | Place::Byte(number)) = place;
        self.file * FILE + number.min(FILE - 1)
    }

    /// The stretch that a record belongs to.
    pub fn stretch(&self, place: Place) -> &Stretch {
        let place = self.place(place);
        let after = self
            .stretches
            .partition_point(|stretch| stretch.from <= place);
        &self.stretches[after.saturating_sub(1)]
    }

    /// What the clock was set forward by at the beginning of each stretch but the first, nanoseconds; back where negative.
    pub fn steps(&self) -> impl Iterator<Item = (&Stretch, i64)> {
        let pairs = self.stretches.iter().zip(self.stretches.iter().skip(1));
        pairs.map(|(old, new)| {
            // What is added less afterwards is what it was set forward by.
            let at = new.tightest;
            (new, old.offset(at).1.saturating_sub(new.offset(at).1))
        })
    }

    /// What to add where it is known best, with its bounds, and the stretch that is so: what a summary shows.
    pub fn tightest(&self) -> (Bounds, i64, &Stretch) {
        let first = &self.stretches[0];
        let mut found = (first.offset(first.tightest), first);
        for stretch in &self.stretches[1..] {
            let offset = stretch.offset(stretch.tightest);
            if offset.0.width() < found.0.0.width() {
                found = (offset, stretch);
            }
        }
        (found.0.0, found.0.1, found.1)
    }

    /// A raw value at a place on the common line.
    pub fn raw(&self, place: Place, ns: i64, digits: u8) -> When {
        let (offset, best) = self.stretch(place).offset(ns);
        // A written time is cut, not rounded: the true one lies within one resolution step after it.
        let step = 10_i64.pow(9 - u32::from(digits.min(9)));
        When {
            at: Instant(ns.saturating_add(best)),
            bounds: Bounds {
                low: ns.saturating_add(offset.low),
                high: ns.saturating_add(offset.high).saturating_add(step - 1),
            },
            digits,
        }
    }

    /// A line's stamp on the common line. The clock's offset already holds the zone for civil stamps.
    pub fn stamp(&self, place: Place, stamp: Stamp) -> When {
        self.raw(place, stamp.ns, stamp.digits)
    }

    /// A packet on the common line.
    pub fn moment(&self, moment: Moment) -> When {
        self.raw(Place::Frame(moment.frame), moment.ns, 9)
    }
}
