//! Time zones: civil stamps are off by a whole multiple of a quarter of an hour, plus whatever the clock is wrong.

use super::clock::Clock;
use crate::time::SECOND;

/// All zones in use are multiples of this (the IANA data base has whole, half and quarter hours).
pub const QUARTER: i64 = 900 * SECOND;

/// Zones lie between UTC-12 and UTC+14.
const LIMIT: i64 = 14 * 3600 * SECOND;

/// The zone that an offset to UTC most likely holds, in seconds east; `None` beyond any zone.
pub fn of_offset(offset: i64) -> Option<i32> {
    let east = -offset;
    let quarters = (east + QUARTER / 2).div_euclid(QUARTER);
    (east.abs() <= LIMIT + QUARTER / 2).then_some((quarters * QUARTER / SECOND) as i32)
}

/// Notes the zone of a clock whose stamps carry none.
pub fn note(clock: &mut Clock) {
    if clock.zone_s.is_none() && clock.aligned {
        let last = clock.stretches[clock.stretches.len() - 1];
        if last.offset.width() < QUARTER {
            clock.zone_s = of_offset(last.best);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_half_and_quarter_hours_with_skew() {
        for (offset_s, zone) in [
            (0, 0),
            (95, 0),
            (-95, 0),
            (8 * 3600 - 95, -8 * 3600),
            (-(5 * 3600 + 1800) + 60, 5 * 3600 + 1800),
            (-(5 * 3600 + 2700), 5 * 3600 + 2700),
        ] {
            assert_eq!(of_offset(offset_s * SECOND), Some(zone), "{offset_s}");
        }
        assert_eq!(of_offset(20 * 3600 * SECOND), None);
    }
}
