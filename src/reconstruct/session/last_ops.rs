//! The last operations of a direction: a ring of small entries, since every live connection has two.

use crate::parse::nats::op::Verb;
use crate::span::Moment;

/// How many operations are kept.
pub const LAST_OPS: usize = 12;

/// The ring. An entry is the capture time and the frame number with the verb in its lowest byte.
#[derive(Clone, Debug, Default)]
pub struct LastOps {
    ring: Vec<(i64, u64)>,
    next: u8,
}

impl LastOps {
    /// Adds one; the oldest goes.
    pub fn push(&mut self, at: Moment, verb: Verb) {
        let entry = (at.ns, at.frame << 8 | verb as u64);
        if self.ring.len() < LAST_OPS {
            self.ring.push(entry);
            return;
        }
        self.ring[usize::from(self.next)] = entry;
        self.next = (self.next + 1) % LAST_OPS as u8;
    }

    /// Oldest first.
    pub fn list(&self) -> Vec<(Moment, Verb)> {
        let (new, old) = self.ring.split_at(usize::from(self.next));
        old.iter()
            .chain(new)
            .map(|&(ns, packed)| {
                let frame = packed >> 8;
                (Moment { ns, frame }, Verb::ALL[(packed & 0xff) as usize])
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{LAST_OPS, LastOps};
    use crate::parse::nats::op::Verb;
    use crate::span::Moment;

    #[test]
    fn keeps_the_last_in_order() {
        let mut ops = LastOps::default();
        for n in 0..30_u64 {
            let verb = Verb::ALL[n as usize % Verb::ALL.len()];
            ops.push(
                Moment {
                    ns: n as i64,
                    frame: n,
                },
                verb,
            );
            let list = ops.list();
            assert_eq!(list.len(), LAST_OPS.min(n as usize + 1));
            let last = list[list.len() - 1];
            assert_eq!((last.0.frame, last.0.ns, last.1), (n, n as i64, verb));
            assert!(
                list.windows(2)
                    .all(|pair| pair[0].0.frame + 1 == pair[1].0.frame)
            );
        }
    }
}
