//! Time units of an interface: how many to a second, and what they count from.

use crate::time::SECOND;

/// Converts counts of an interface's time units to nanoseconds since the Unix epoch
/// (pcapng, section 4.2: `if_tsresol`, `if_tsoffset`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolution {
    unit: Unit,
    /// `if_tsoffset`, in nanoseconds.
    offset: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// A unit is this many nanoseconds.
    Nanoseconds(u64),
    /// This many units to a nanosecond.
    PerNanosecond(u64),
    /// 2 to this power units to a second.
    Binary(u32),
}

/// The year 2116. What claims to be later is nonsense; held to this, the difference of any two times fits 64 bits.
const FARTHEST: i64 = i64::MAX / 2;

impl Resolution {
    /// Microseconds: the default.
    pub const MICRO: Self = Self {
        unit: Unit::Nanoseconds(1000),
        offset: 0,
    };
    /// Nanoseconds.
    pub const NANO: Self = Self {
        unit: Unit::Nanoseconds(1),
        offset: 0,
    };

    /// From the option bytes: a power of ten, or of two with the highest bit set. `None` for units so small that 64 bits
    /// of them do not reach a second.
    pub fn new(tsresol: u8, tsoffset_s: i64) -> Option<Self> {
        let exponent = u32::from(tsresol & 0x7f);
        let unit = if tsresol & 0x80 != 0 {
            if exponent > 63 {
                return None;
            }
            Unit::Binary(exponent)
        } else if exponent <= 9 {
            Unit::Nanoseconds(10_u64.pow(9 - exponent))
        } else {
            Unit::PerNanosecond(10_u64.checked_pow(exponent - 9)?)
        };
        Some(Self {
            unit,
            offset: tsoffset_s.saturating_mul(SECOND),
        })
    }

    /// Nanoseconds since the Unix epoch, saturating.
    pub fn ns(self, count: u64) -> i64 {
        let ns = match self.unit {
            Unit::Nanoseconds(factor) => count.saturating_mul(factor),
            Unit::PerNanosecond(divisor) => count / divisor,
            Unit::Binary(exponent) => {
                u64::try_from((u128::from(count) * SECOND as u128) >> exponent).unwrap_or(u64::MAX)
            }
        };
        i64::try_from(ns)
            .unwrap_or(i64::MAX)
            .saturating_add(self.offset)
            .clamp(-FARTHEST, FARTHEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_ten_and_two_and_offsets() {
        let table: &[(u8, i64, u64, i64)] = &[
            (6, 0, 1_500_000, 1_500_000_000),
            (9, 0, 1_500_000_000, 1_500_000_000),
            (3, 0, 1500, 1_500_000_000),
            (0, 0, 2, 2_000_000_000),
            (12, 0, 1_500_000_000_000, 1_500_000_000),
            (0x80 | 0x0a, 0, 1536, 1_500_000_000),
            (0x80 | 0x14, 0, 1_572_864, 1_500_000_000),
            (0x80 | 0x20, 0, 3 << 31, 1_500_000_000),
            (6, 100, 1_500_000, 101_500_000_000),
            (6, -1, 1_500_000, 500_000_000),
        ];
        for &(tsresol, offset, count, ns) in table {
            assert_eq!(
                Resolution::new(tsresol, offset).map(|resolution| resolution.ns(count)),
                Some(ns),
                "if_tsresol {tsresol:#x}, if_tsoffset {offset}"
            );
        }
    }

    #[test]
    fn nonsense_is_refused_and_never_overflows() {
        assert_eq!(Resolution::new(0x80 | 0x40, 0), None);
        assert_eq!(Resolution::new(127, 0), None);
        for tsresol in [0, 6, 9, 18, 0x80, 0x80 | 0x3f] {
            for offset in [i64::MIN, -1, 0, 1, i64::MAX] {
                if let Some(resolution) = Resolution::new(tsresol, offset) {
                    for count in [0, 1, u64::from(u32::MAX), u64::MAX] {
                        resolution.ns(count);
                    }
                }
            }
        }
    }
}
