//! Which bytes of one direction Zeek's reassembler would have delivered: enough to know its content gaps.
//!
//! Numbers are relative, the first payload byte is 1. The rules are those of `TCP_Reassembler.cc` and `Reassem.cc`.

/// Payload waiting behind a hole while nothing at all was acknowledged: beyond this Zeek takes the capture for one-sided and
/// stops (`tcp_max_above_hole_without_any_acks`).
const ABOVE_HOLE: u64 = 16_384;

/// Pieces kept behind holes; a stream with more is given up as Zeek gives up others.
const PIECES: usize = 1024;

/// The front of what was delivered, and what waits behind holes.
#[derive(Clone, Debug)]
pub struct Delivered {
    front: u64,
    trimmed: u64,
    /// Sorted, apart from one another and from the front. Rarely any.
    waiting: Vec<(u64, u64)>,
    given_up: bool,
}

impl Default for Delivered {
    fn default() -> Self {
        Self {
            front: 1,
            trimmed: 1,
            waiting: Vec::new(),
            given_up: false,
        }
    }
}

impl Delivered {
    /// Payload from `start` to `end`; `acked` is what the peer had acknowledged.
    pub fn add(&mut self, start: u64, end: u64, acked: u64) {
        if self.given_up || end <= self.front || end <= acked {
            return;
        }
        let start = start.max(self.front);
        if start == self.front && self.waiting.is_empty() {
            self.front = end;
            return;
        }
        let waiting = &mut self.waiting;
        let first = waiting.partition_point(|piece| piece.1 < start);
        let behind = waiting.partition_point(|piece| piece.0 <= end);
        let touched = &waiting[first..behind.max(first)];
        let merged = touched.iter().fold((start, end), |whole, piece| {
            (whole.0.min(piece.0), whole.1.max(piece.1))
        });
        waiting.splice(first..behind.max(first), [merged]);
        let above = waiting.last().map_or(0, |piece| piece.1 - self.front);
        self.deliver();
        let pieces = self.waiting.len();
        if acked <= 1 && pieces > 0 && above > ABOVE_HOLE || pieces > PIECES {
            self.waiting = Vec::new();
            self.given_up = true;
        }
    }

    /// Moves the front over what waits there.
    fn deliver(&mut self) {
        let reached = self.waiting.partition_point(|piece| piece.0 <= self.front);
        for piece in self.waiting.drain(..reached) {
            self.front = self.front.max(piece.1);
        }
    }

    /// Everything below `acked` arrived at the peer. Returns how many holes that leaves for good; `partial` says that the
    /// connection's beginning was not seen, where the first acknowledgement of numbers made up is no hole.
    pub fn acknowledge(&mut self, acked: u64, partial: bool) -> u32 {
        if acked <= self.trimmed {
            return 0;
        }
        self.trimmed = acked;
        let mut gaps = 0;
        if acked > self.front && !(acked <= 2 && partial) {
            while let Some(&piece) = self.waiting.first()
                && piece.0 < acked
            {
                gaps += 1;
                self.front = piece.0;
                self.deliver();
            }
            if acked > self.front {
                gaps += 1;
                self.front = acked;
            }
            self.deliver();
        }
        if self.given_up { 0 } else { gaps }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_told_when_they_are_acknowledged() {
        let mut flow = Delivered::default();
        flow.add(1, 11, 1);
        assert_eq!(flow.acknowledge(11, false), 0);
        flow.add(21, 31, 11);
        flow.add(41, 51, 11);
        assert_eq!(flow.acknowledge(11, false), 0);
        assert_eq!(flow.acknowledge(51, false), 2);
        assert_eq!(flow.acknowledge(61, false), 1);
        flow.add(61, 71, 61);
        assert_eq!(flow.acknowledge(71, false), 0);
    }

    #[test]
    fn a_hole_filled_in_time_is_none() {
        let mut flow = Delivered::default();
        flow.add(11, 21, 1);
        flow.add(1, 11, 1);
        assert_eq!(flow.acknowledge(21, false), 0);
    }

    #[test]
    fn made_up_numbers_of_a_midstream_beginning_are_no_hole() {
        assert_eq!(Delivered::default().acknowledge(2, true), 0);
        assert_eq!(Delivered::default().acknowledge(2, false), 1);
    }

    #[test]
    fn one_sided_captures_are_given_up() {
        let mut flow = Delivered::default();
        flow.add(2, 20_000, 1);
        assert_eq!(flow.acknowledge(20_000, false), 0);
    }
}
