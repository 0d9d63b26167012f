//! Ways to damage a file, each place chosen from a seed so that a failure repeats.

#![allow(dead_code, reason = "each test file uses its part")]

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Numbers from a seed (splitmix64, Steele, Lea and Flood 2014).
pub struct Dice(pub u64);

impl Dice {
    /// One number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// One of `0..end`; 0 where that is empty.
    pub fn below(&mut self, end: usize) -> usize {
        if end == 0 {
            0
        } else {
            (self.next() % end as u64) as usize
        }
    }
}

/// The parts of a file that damage moves as a whole: a header, then lines of a log or packet records of a classic capture.
pub fn records(file: &[u8], capture: bool) -> (Vec<u8>, Vec<Vec<u8>>) {
    if !capture {
        let lines = file.split_inclusive(|&byte| byte == b'\n');
        return (Vec::new(), lines.map(<[u8]>::to_vec).collect());
    }
    let mut records = Vec::new();
    let mut at = 24;
    while at + 16 <= file.len() {
        let length: [u8; 4] = file[at + 8..at + 12].try_into().expect("four bytes");
        let end = (at + 16 + u32::from_le_bytes(length) as usize).min(file.len());
        records.push(file[at..end].to_vec());
        at = end;
    }
    (file[..24.min(file.len())].to_vec(), records)
}

/// What is done to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// Everything behind a byte is gone.
    Cut,
    /// Some bits are flipped.
    Flip,
    /// A run of bytes is overwritten by noise or by NUL.
    Smear,
    /// Some records are gone.
    Drop,
    /// Some records stand twice.
    Repeat,
    /// Neighbours change places.
    Swap,
}

impl Damage {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Cut,
        Self::Flip,
        Self::Smear,
        Self::Drop,
        Self::Repeat,
        Self::Swap,
    ];

    /// The file, damaged.
    pub fn done_to(self, file: &[u8], capture: bool, dice: &mut Dice) -> Vec<u8> {
        let mut bytes = file.to_vec();
        match self {
            Self::Cut => bytes.truncate(dice.below(bytes.len())),
            Self::Flip => {
                for _ in 0..=dice.below(8) {
                    let at = dice.below(bytes.len());
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte ^= 1 << dice.below(8);
                    }
                }
            }
            Self::Smear => {
                let from = dice.below(bytes.len());
                let to = (from + 1 + dice.below(300)).min(bytes.len());
                let nul = dice.below(2) == 0;
                for byte in &mut bytes[from..to] {
                    *byte = if nul { 0 } else { dice.next() as u8 };
                }
            }
            Self::Drop | Self::Repeat | Self::Swap => {
                let (mut rebuilt, mut records) = records(file, capture);
                for _ in 0..=dice.below(5) {
                    let at = dice.below(records.len());
                    match self {
                        Self::Drop if !records.is_empty() => drop(records.remove(at)),
                        Self::Repeat if !records.is_empty() => {
                            records.insert(at, records[at].clone());
                        }
                        Self::Swap if at + 1 < records.len() => records.swap(at, at + 1),
                        _ => {}
                    }
                }
                rebuilt.extend(records.concat());
                bytes = rebuilt;
            }
        }
        bytes
    }
}

/// A copy of `files` in a folder of its own, each as `edit` gives it.
pub fn rewritten(
    files: &[PathBuf],
    mut edit: impl FnMut(&Path, Vec<u8>) -> Vec<u8>,
) -> (TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut paths = Vec::new();
    for path in files {
        let copy = folder.path().join(path.file_name().expect("a name"));
        let bytes = fs::read(path).expect("a file");
        fs::write(&copy, edit(path, bytes)).expect("a copy");
        paths.push(copy);
    }
    (folder, paths)
}
