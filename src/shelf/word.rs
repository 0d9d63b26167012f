//! Words of the program's own (states, names of oddities, causes) on their way to a spool and back: written as the numbers of
//! names. Such bytes mean nothing to any other process.

use std::cell::RefCell;
use std::collections::HashMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Name;

/// A word that the program itself holds. The alias keeps serde from taking it for borrowed input.
pub type Word = &'static str;

/// The name of a word: there are few, and each stands at one address or two, so that this is found without its text.
pub fn name(word: Word) -> Name {
    thread_local! {
        static MET: RefCell<HashMap<(usize, usize), Name>> = RefCell::new(HashMap::new());
    }
    let key = (word.as_ptr() as usize, word.len());
    MET.with_borrow_mut(|met| *met.entry(key).or_insert_with(|| Name::of(word)))
}

/// Writes its number.
pub fn serialize<S: Serializer>(word: &Word, serializer: S) -> Result<S::Ok, S::Error> {
    name(word).serialize(serializer)
}

/// Reads a number, gives the word.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Word, D::Error> {
    Name::deserialize(deserializer).map(Name::text)
}

/// A word that may be missing.
pub mod optional {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Name, Word};

    /// Writes its number, 0 where there is none.
    pub fn serialize<S: Serializer>(word: &Option<Word>, serializer: S) -> Result<S::Ok, S::Error> {
        word.map_or(0, |word| super::name(word).number())
            .serialize(serializer)
    }

    /// Reads what [`serialize`] wrote.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Word>, D::Error> {
        Ok(Name::numbered(u32::deserialize(deserializer)?).map(Name::text))
    }
}
