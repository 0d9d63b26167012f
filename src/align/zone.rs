//! Time zones: civil stamps are off by a whole multiple of a quarter of an hour, plus whatever the clock is wrong.

use std::fmt::Write as _;

use super::clock::{Clock, Line, Stretch};
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
        let last = &clock.stretches[clock.stretches.len() - 1];
        let (bounds, best) = last.offset(last.tightest);
        if bounds.width() < QUARTER {
            clock.zone_s = of_offset(best);
        }
    }
}

/// Moves a stretch of a clock that nothing else ties to UTC by this zone; it may be off by a second, for all we know.
pub fn set(stretch: &mut Stretch, zone_s: i32) {
    stretch.shift(i64::from(zone_s) * SECOND);
    stretch.corners = stretch
        .corners
        .iter()
        .flat_map(|corner| {
            [-SECOND, SECOND].map(|off| Line {
                offset: corner.offset + off as f64,
                ..*corner
            })
        })
        .collect();
}

/// Says so where the zone given by the user is not what the anchors show: the anchors stand.
pub fn compare(clock: &mut Clock, zone_s: i32) {
    let last = &clock.stretches[clock.stretches.len() - 1];
    let (bounds, best) = last.offset(last.tightest);
    if clock.anchors > 0 && bounds.width() < QUARTER && of_offset(best) != Some(zone_s) {
        let off = (best + i64::from(zone_s) * SECOND) / SECOND;
        let _ = write!(
            clock.how,
            "; the zone given by --tz is not what they show: with it the clock would be {off} s off"
        );
    } else {
        clock.how.push_str("; zone given by --tz");
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
