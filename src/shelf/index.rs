//! An index in four bytes, where hundreds of thousands are kept.

/// An index into a list in memory, of fewer than 2^32 - 1 members, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Index(u32);

impl Default for Index {
    fn default() -> Self {
        Self(u32::MAX)
    }
}

impl Index {
    /// This one.
    pub const fn new(index: usize) -> Self {
        Self(index as u32)
    }

    /// This one, if any.
    pub fn of(index: Option<usize>) -> Self {
        index.map_or_else(Self::default, Self::new)
    }

    /// The index.
    pub fn get(self) -> Option<usize> {
        (self.0 != u32::MAX).then_some(self.0 as usize)
    }

    /// Two that are there together.
    pub fn pair([of, within]: [Self; 2]) -> Option<(usize, usize)> {
        of.get().zip(within.get())
    }
}
