//! A bounded, even choice of first transmissions, for matching two captures of one connection.

use super::conn::{Conn, Sample};

/// Collects samples: the first ones, every n-th of what follows with n doubling as needed, and the last ones.
/// The choice depends on the order of packets only.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    first: Vec<Sample>,
    middle: Vec<Sample>,
    last: Vec<Sample>,
    /// Samples offered after the first ones.
    offered: u64,
    stride_log2: u8,
}

impl Samples {
    const LAST: usize = 16;
    const MIDDLE: usize = Conn::SAMPLES - Conn::FIRST_SAMPLES - Self::LAST;

    /// Offers a first transmission.
    pub fn offer(&mut self, sample: Sample) {
        if self.first.len() < Conn::FIRST_SAMPLES {
            self.first.push(sample);
            return;
        }
        if self.last.len() < Self::LAST {
            self.last.push(sample);
        } else {
            self.last[(self.offered % Self::LAST as u64) as usize] = sample;
        }
        if self.offered & ((1 << self.stride_log2) - 1) == 0 {
            if self.middle.len() >= Self::MIDDLE {
                let mut index = 0;
                self.middle.retain(|_| {
                    index += 1;
                    index % 2 == 1
                });
                self.stride_log2 += 1;
            }
            if self.offered & ((1 << self.stride_log2) - 1) == 0 {
                self.middle.push(sample);
            }
        }
        self.offered += 1;
    }

    /// The samples by frame, each once.
    pub fn finish(mut self) -> Vec<Sample> {
        self.first.append(&mut self.middle);
        self.first.append(&mut self.last);
        self.first.sort_by_key(|sample| sample.frame);
        self.first.dedup_by_key(|sample| sample.frame);
        self.first.shrink_to_fit();
        self.first
    }
}

#[cfg(test)]
mod tests {
    use super::super::conn::End;
    use super::*;

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
            let kept: Vec<u64> = samples.finish().iter().map(|sample| sample.frame).collect();
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
                widest.unwrap_or(0) <= (count / 16).max(1),
                "{count}: {widest:?}"
            );
        }
    }
}
