//! Folded multiplication: the one step of every hash here.

/// A factor for hashes that nobody gains by aiming at: 2^64 over the golden ratio, which is odd.
pub const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

/// The two halves of the product, folded together: every bit of `word` reaches every bit of the result.
pub fn mix(word: u64, factor: u64) -> u64 {
    let product = u128::from(word) * u128::from(factor);
    product as u64 ^ (product >> 64) as u64
}
