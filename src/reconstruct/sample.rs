//! A bounded, even choice of first transmissions, for matching two captures of one connection.

use super::anomaly::name;
use super::conn::{Conn, Sample, TailPacket};

/// Collects samples: the first ones, and every n-th of what follows with n doubling as needed. The last ones come from the
/// connection's tail. The choice depends on the order of packets only.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    first: Vec<Sample>,
    middle: Vec<Sample>,
    /// Samples offered after the first ones.
    offered: u64,
    /// One less than n.
    mask: u64,
}

impl Samples {
    const MIDDLE: usize = Conn::SAMPLES - Conn::FIRST_SAMPLES - Conn::TAIL;

    /// Offers a first transmission.
    pub fn offer(&mut self, sample: Sample) {
        if self.first.len() < Conn::FIRST_SAMPLES {
            if self.first.capacity() == 0 {
                self.first.reserve_exact(8);
            }
            self.first.push(sample);
            return;
        }
        if self.offered & self.mask == 0 {
            if self.middle.len() >= Self::MIDDLE {
                let mut index = 0;
                self.middle.retain(|_| {
                    index += 1;
                    index % 2 == 1
                });
                self.mask = self.mask * 2 + 1;
            }
            if self.offered & self.mask == 0 {
                self.middle.push(sample);
            }
        }
        self.offered += 1;
    }

    /// The samples by frame, each once; `tail` holds the last packets.
    pub fn finish(mut self, tail: &[TailPacket]) -> Vec<Sample> {
        self.first.append(&mut self.middle);
        let latest = self.first.last().map_or(0, |sample| sample.frame);
        self.first.extend(
            tail.iter()
                .filter(|packet| is_first_transmission(packet) && packet.at.frame > latest)
                .map(|packet| Sample {
                    from: packet.from,
                    seq: packet.seq,
                    len: packet.len,
                    ns: packet.at.ns,
                    frame: packet.at.frame,
                }),
        );
        self.first.shrink_to_fit();
        self.first
    }
}

/// Payload that fills nothing and repeats nothing.
fn is_first_transmission(packet: &TailPacket) -> bool {
    packet.len > 0
        && matches!(
            packet.note,
            "" | name::WINDOW_FULL | name::ACK_LOST_SEGMENT | name::LOST_SEGMENT
        )
}

#[cfg(test)]
mod tests {
    use super::super::conn::End;
    use super::*;
    use crate::span::Moment;

    #[test]
    fn keeps_the_ends_and_an_even_choice_between() {
        for count in [0_u64, 1, 31, 32, 33, 100, 1000, 100_000] {
            let mut samples = Samples::default();
            for frame in 0..count {
                samples.offer(Sample {
                    from: End::Orig,
                    seq: frame as u32,
                    len: 1,
                    ns: 0,
                    frame,
                });
            }
            let tail: Vec<TailPacket> = (count.saturating_sub(Conn::TAIL as u64)..count)
                .map(|frame| TailPacket {
                    at: Moment { ns: 0, frame },
                    from: End::Orig,
                    flags: 16,
                    seq: frame as u32,
                    ack: 0,
                    len: 1,
                    window: 0,
                    note: "",
                })
                .collect();
            let kept: Vec<u64> = samples
                .finish(&tail)
                .iter()
                .map(|sample| sample.frame)
                .collect();
            assert!(kept.len() <= Conn::SAMPLES, "{count}: {}", kept.len());
            assert!(kept.is_sorted());
            let first = count.min(Conn::FIRST_SAMPLES as u64);
            assert_eq!(&kept[..first as usize], (0..first).collect::<Vec<_>>());
            if count > 0 {
                assert_eq!(kept.last(), Some(&(count - 1)));
            }
            if count <= 40 {
                assert_eq!(kept.len() as u64, count);
            }
            let widest = kept.windows(2).map(|pair| pair[1] - pair[0]).max();
            assert!(
                widest.unwrap_or(0) <= (count / 12).max(1),
                "{count}: {widest:?}"
            );
        }
    }
}
