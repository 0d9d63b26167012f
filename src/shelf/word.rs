//! Words of the program's own (states, names of oddities, causes) on their way to a spool and back: written as numbers, in the
//! order in which this process first met them. Such bytes mean nothing to any other process.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A word that the program itself holds. The alias keeps serde from taking it for borrowed input.
pub type Word = &'static str;

static WORDS: RwLock<Vec<Word>> = RwLock::new(Vec::new());

thread_local! {
    /// Where a word of this address and length stands: no lock for what a thread has met before.
    static NUMBERS: RefCell<HashMap<(usize, usize), u32>> = RefCell::new(HashMap::new());
    static KNOWN: RefCell<Vec<Word>> = const { RefCell::new(Vec::new()) };
}

fn number(word: Word) -> u32 {
    let key = (word.as_ptr() as usize, word.len());
    NUMBERS.with_borrow_mut(|numbers| {
        *numbers.entry(key).or_insert_with(|| {
            let mut words = WORDS.write().unwrap_or_else(PoisonError::into_inner);
            let known = words.iter().position(|known| *known == word);
            known.unwrap_or_else(|| {
                words.push(word);
                words.len() - 1
            }) as u32
        })
    })
}

fn word(number: u32) -> Option<Word> {
    KNOWN.with_borrow_mut(|known| {
        if known.len() <= number as usize {
            known.clone_from(&*WORDS.read().unwrap_or_else(PoisonError::into_inner));
        }
        known.get(number as usize).copied()
    })
}

/// Writes its number.
pub fn serialize<S: Serializer>(word: &Word, serializer: S) -> Result<S::Ok, S::Error> {
    number(word).serialize(serializer)
}

/// Reads a number, gives the word.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Word, D::Error> {
    word(u32::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("no such word"))
}

/// A word that may be missing.
pub mod optional {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Word;

    /// Writes its number and one more, 0 where there is none.
    pub fn serialize<S: Serializer>(word: &Option<Word>, serializer: S) -> Result<S::Ok, S::Error> {
        word.map_or(0, |word| super::number(word) + 1)
            .serialize(serializer)
    }

    /// Reads what [`serialize`] wrote.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Word>, D::Error> {
        Ok(match u32::deserialize(deserializer)? {
            0 => None,
            number => super::word(number - 1),
        })
    }
}
