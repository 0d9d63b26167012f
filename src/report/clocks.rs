//! Times of records on the common line, and of the common line as a source wrote them.

use crate::align::clock::{Clock, When};
use crate::attribute::finding::Analysis;
use crate::source::{Kind, Source, SourceId};
use crate::span::{Cite, LogRef, Moment};
use crate::time::{Basis, Instant, SECOND, Stamp};

/// The clocks of an analysis, by source.
pub struct Clocks<'a> {
    own: Vec<Option<&'a Clock>>,
    outer: Vec<Option<&'a Clock>>,
}

impl<'a> Clocks<'a> {
    /// Indexes the clocks of `analysis`.
    pub fn new(analysis: &'a Analysis) -> Self {
        let mut clocks = Self {
            own: vec![None; analysis.sources.len()],
            outer: vec![None; analysis.sources.len()],
        };
        for clock in &analysis.clocks {
            let table = if clock.outer {
                &mut clocks.outer
            } else {
                &mut clocks.own
            };
            if let Some(slot) = table.get_mut(clock.source.0 as usize) {
                *slot = Some(clock);
            }
        }
        clocks
    }

    /// The clock of a source: the program's own, or failing that its wrapper's.
    pub fn of(&self, source: SourceId) -> Option<&'a Clock> {
        let index = source.0 as usize;
        let own = self.own.get(index).copied().flatten();
        own.or_else(|| self.outer.get(index).copied().flatten())
    }

    /// A log line on the common line, by its own stamp or failing that by its wrapper's.
    pub fn log(&self, log: &LogRef) -> Option<When> {
        let index = log.cite.source.0 as usize;
        let usable = |stamp: Option<Stamp>| {
            stamp.filter(|stamp| matches!(stamp.basis, Basis::Utc | Basis::Civil))
        };
        let place = |table: &[Option<&Clock>], stamp: Stamp| {
            let clock = table.get(index).copied().flatten()?;
            Some(clock.stamp(log.cite.place, stamp))
        };
        usable(log.stamp)
            .and_then(|stamp| place(&self.own, stamp))
            .or_else(|| usable(log.outer).and_then(|stamp| place(&self.outer, stamp)))
    }

    /// A packet on the common line.
    pub fn moment(&self, source: SourceId, moment: Moment) -> Option<When> {
        Some(self.of(source)?.moment(moment))
    }

    /// `when` as its source itself wrote it at `cite`: its own clock, in its own zone. The inverse of [`Clock::raw`],
    /// exact because a written time is a multiple of its resolution.
    pub fn as_written(&self, cite: Cite, when: When) -> Option<String> {
        let clock = self.of(cite.source)?;
        let stretch = clock.stretch(cite.place);
        let at = when.at.0;
        // The offset changes by less than a ten-thousandth of the time, so this comes closer by as much each time.
        let mut raw = at;
        for _ in 0..4 {
            raw = at.saturating_sub(stretch.offset(raw).1);
        }
        let step = 10_i64.pow(9 - u32::from(when.digits.min(9)));
        let raw = raw.saturating_add(step / 2).div_euclid(step) * step;
        let text = Instant(raw).rfc3339(when.digits);
        Some(match clock.zone_s {
            Some(zone) => format!("{}{}", text.trim_end_matches('Z'), zone_word(zone)),
            None => text,
        })
    }
}

/// The source holds times that somebody's grammar reads: its clock means something.
pub fn timed(analysis: &Analysis, source: &Source) -> bool {
    let records = &analysis.records;
    let facts = analysis.source_facts.get(source.id.0 as usize);
    let known = || {
        facts.is_none_or(|facts| facts.foreign.is_empty())
            || records
                .servers
                .iter()
                .any(|life| life.sources.contains(&source.id))
            || records
                .clients
                .iter()
                .any(|story| story.source == source.id)
            || records
                .host_events
                .iter()
                .any(|event| event.at.cite.source == source.id)
    };
    match source.kind {
        Kind::Capture => true,
        Kind::Log => known(),
        // Beside its server's log, a document's times count where both name a connection: there its clock is aligned.
        Kind::Monitoring => {
            let mut clocks = analysis.clocks.iter();
            let mut lives = records.servers.iter();
            clocks.any(|clock| clock.source == source.id && clock.aligned)
                || lives.any(|life| life.sources.contains(&source.id) && !life.has_log())
        }
        _ => false,
    }
}

/// An offset from UTC as RFC 3339 writes it: `Z`, `+02:00`, `-05:30`.
pub fn zone_word(seconds_east: i32) -> String {
    if seconds_east == 0 {
        return "Z".to_owned();
    }
    let sign = if seconds_east < 0 { '-' } else { '+' };
    let minutes = seconds_east.unsigned_abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// What to add to a clock's readings, in seconds, with its bounds, the zone taken out: best, low, high.
pub fn offset_s(clock: &Clock) -> (f64, f64, f64) {
    let (offset, best, _) = clock.tightest();
    let zone = i64::from(clock.zone_s.unwrap_or(0)) * SECOND;
    let seconds = |ns: i64| ns.saturating_add(zone) as f64 / SECOND as f64;
    (seconds(best), seconds(offset.low), seconds(offset.high))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::align::clock::{Line, Stretch};
    use crate::source::Hints;

    fn with_clock(clock: Clock) -> Analysis {
        Analysis {
            sources: vec![Source {
                id: SourceId(0),
                path: "server.log".to_owned(),
                kind: Kind::Log,
                bytes: 0,
                hints: Hints::default(),
            }],
            clocks: vec![clock],
            ..Analysis::default()
        }
    }

    #[test]
    fn a_written_time_comes_back_through_zone_offset_and_drift() {
        let from = 1_795_411_000 * SECOND;
        for (offset_ns, drift_ppm, zone_s) in [
            (0, 0.0, None),
            (-7_200 * SECOND + 123_456_789, 0.0, Some(7_200)),
            (1_500_000_001, 37.5, None),
            (-3, -120.0, Some(-19_800)),
        ] {
            let mut clock = Clock::own(SourceId(0));
            clock.zone_s = zone_s;
            let line = Line {
                offset: 0.0,
                slope: drift_ppm / 1e6,
            };
            clock.stretches = vec![Stretch {
                origin: from,
                best: line,
                corners: vec![line],
                ..Stretch::exact(offset_ns)
            }];
            let analysis = with_clock(clock);
            let clocks = Clocks::new(&analysis);
            for digits in [0, 3, 6] {
                let step = 10_i64.pow(9 - u32::from(digits));
                for steps in [0, 1, 7_777_777, 100_000_001] {
                    let raw = from + steps * step;
                    let cite = Cite::line(SourceId(0), 1);
                    let when = analysis.clocks[0].raw(cite.place, raw, digits);
                    let zone = zone_s.map_or("Z".to_owned(), zone_word);
                    let expected = Instant(raw).rfc3339(digits).replace('Z', &zone);
                    assert_eq!(clocks.as_written(cite, when), Some(expected));
                }
            }
        }
    }

    #[test]
    fn the_zone_is_no_part_of_the_offset() {
        let mut clock = Clock::own(SourceId(0));
        clock.zone_s = Some(3_600);
        let corner = |offset| Line { offset, slope: 0.0 };
        clock.stretches = vec![Stretch {
            corners: vec![corner(-1e8), corner(1e8)],
            ..Stretch::exact(-3_600 * SECOND + 500_000_000)
        }];
        assert_eq!(offset_s(&clock), (0.5, 0.4, 0.6));
        assert_eq!(zone_word(-19_800), "-05:30");
    }
}
