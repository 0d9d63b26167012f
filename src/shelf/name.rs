//! Texts that many records have (names of clients, ids of servers), kept once for the whole process and told by a number: a
//! storm of reconnects brings the same few in hundreds of thousands of records.

use std::cell::RefCell;
use std::fmt;
use std::hash::BuildHasher;
use std::num::NonZeroU32;
use std::ops::Deref;
use std::sync::{LazyLock, Mutex, PoisonError};

use hashbrown::{DefaultHashBuilder, HashTable};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Such a text. Names have an order, to be sorted by; it is that in which they were met, and another in every run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(NonZeroU32);

/// The texts, by their numbers. They are never given back, as a process meets few that it will not meet again.
static TEXTS: boxcar::Vec<Box<str>> = boxcar::Vec::new();

/// The names by their texts, without holding those again.
static NAMES: LazyLock<Mutex<HashTable<Name>>> = LazyLock::new(Mutex::default);

static HASH: LazyLock<DefaultHashBuilder> = LazyLock::new(DefaultHashBuilder::default);

/// A thread remembers this many, one for each place in a list: no lock for what it meets again and again.
const REMEMBERED: usize = 1024;

impl Name {
    /// The name for a text.
    pub fn of(text: &str) -> Self {
        thread_local! {
            static MET: RefCell<[Option<Name>; REMEMBERED]> = const { RefCell::new([None; REMEMBERED]) };
        }
        let hash = HASH.hash_one(text);
        MET.with_borrow_mut(|met| {
            let place = &mut met[hash as usize % REMEMBERED];
            if let Some(name) = place.filter(|name| name.text() == text) {
                return name;
            }
            *place.insert(Self::met(text, hash))
        })
    }

    fn met(text: &str, hash: u64) -> Self {
        let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
        let known = names.entry(
            hash,
            |name| name.text() == text,
            |name| HASH.hash_one(name.text()),
        );
        *known
            .or_insert_with(|| {
                let number = u32::try_from(TEXTS.push(text.into()) + 1).ok();
                let number = number.and_then(NonZeroU32::new);
                Self(number.expect("memory for fewer than 2^32 texts"))
            })
            .get()
    }

    /// Its number, which is not 0 and means nothing to any other process.
    pub const fn number(self) -> u32 {
        self.0.get()
    }

    /// The name of a number, if there is one.
    pub fn numbered(number: u32) -> Option<Self> {
        let name = NonZeroU32::new(number)?;
        (number as usize <= TEXTS.count()).then_some(Self(name))
    }

    /// The text.
    pub fn text(self) -> &'static str {
        TEXTS.get(self.0.get() as usize - 1).map_or("", |text| text)
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        self.text()
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// Its number: such bytes mean nothing to any other process.
impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.number().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Self::numbered(u32::deserialize(deserializer)?);
        name.ok_or_else(|| D::Error::custom("no such name"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_have_one_name_in_all_threads() {
        let texts = || (0..3 * REMEMBERED).map(|n| format!("client-{}", n % (REMEMBERED + 7)));
        let threads: Vec<_> = (0..4)
            .map(|_| std::thread::spawn(move || texts().map(|text| Name::of(&text)).collect()))
            .collect();
        let names: Vec<Vec<Name>> = threads
            .into_iter()
            .map(|thread| thread.join().expect("no panic"))
            .collect();
        for (index, text) in texts().enumerate() {
            assert_eq!(&*names[0][index], text);
            assert!(names.iter().all(|own| own[index] == names[0][index]));
        }
        assert_ne!(Name::of("client-1"), Name::of("client-2"));
        assert_eq!(Name::of("").text(), "");
    }
}
