//! Sequence numbers: arithmetic and order modulo 2^32 (RFC 9293 section 3.4). Never panics.

/// A sequence or acknowledgement number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seq(pub u32);

impl Seq {
    /// Signed distance from `earlier` to `self`: positive when `self` is later in the nearer half of the space.
    pub const fn since(self, earlier: Self) -> i32 {
        self.0.wrapping_sub(earlier.0) as i32
    }

    /// `self` moved by `count`.
    pub const fn plus(self, count: u32) -> Self {
        Self(self.0.wrapping_add(count))
    }
}

/// Turns the sequence numbers of one direction into positions that do not wrap: the initial sequence number is 0, the
/// first payload byte 1. Without a SYN the first byte seen is 1, as Wireshark counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unwrap {
    near: Seq,
    position: i64,
}

impl Unwrap {
    /// Position 0 is `isn`.
    pub const fn at(isn: Seq) -> Self {
        Self {
            near: isn,
            position: 0,
        }
    }

    /// The position of `seq`, taken as the one nearest to the latest position followed.
    pub const fn position(self, seq: Seq) -> i64 {
        self.position + seq.since(self.near) as i64
    }

    /// Moves the reference on to `seq`.
    pub const fn follow(&mut self, seq: Seq) {
        self.position = self.position(seq);
        self.near = seq;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn order_holds_across_the_wrap() {
        assert_eq!(Seq(5).since(Seq(0xffff_fffb)), 10);
        assert_eq!(Seq(0xffff_fffb).since(Seq(5)), -10);
        assert_eq!(Seq(0xffff_ffff).plus(2), Seq(1));
    }

    proptest! {
        /// A stream of more than 4 GiB, followed in steps below 2 GiB, against plain 64-bit addition.
        #[test]
        fn positions_never_wrap(isn: u32, steps in prop::collection::vec(0_u32..0x7fff_ffff, 1..20)) {
            let mut unwrap = Unwrap::at(Seq(isn));
            let mut truth = 0_i64;
            for step in steps {
                truth += i64::from(step);
                let seq = Seq((i64::from(isn) + truth) as u32);
                prop_assert_eq!(unwrap.position(seq), truth);
                unwrap.follow(seq);
                prop_assert_eq!(unwrap.position(seq), truth);
            }
        }
    }
}
