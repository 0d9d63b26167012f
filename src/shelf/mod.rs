//! Records by the hundred thousand: a few are kept in memory, the others in a nameless temporary file, each with a sketch in
//! memory of what is asked of all of them.
//!
//! A storm of reconnects ends as many connections as a server has had clients. What is kept of each for the few moments in which
//! somebody looks at it is written out as soon as it is known, and read again when it is wanted, so that memory follows the
//! sketches. Where a record lies is never visible.

mod index;
mod name;
mod sink;
mod spool;
pub mod word;

use std::ops::{self, Deref};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use index::Index;
pub use name::Name;
use sink::Sink;
pub use spool::Spool;
use spool::{Area, Span};

/// What can lie on a shelf.
pub trait Shelved: Serialize + DeserializeOwned {
    /// What of it is always at hand.
    type Sketch: std::fmt::Debug;

    /// Its sketch.
    fn sketch(&self) -> Self::Sketch;

    /// Fills in what became known after it was put away.
    fn recall(&mut self, _sketch: &Self::Sketch) {}
}

/// A record that was put away, on its way to a shelf. One word, so that lists of them grow and are sorted without being copied.
#[derive(Debug)]
pub struct Put<T: Shelved>(Box<Filed<T>>);

#[derive(Debug)]
struct Filed<T: Shelved> {
    sketch: T::Sketch,
    place: Place<T>,
}

impl<T: Shelved> Put<T> {
    /// One that stays in memory.
    pub fn here(record: T) -> Self {
        Self::new(record.sketch(), Place::Here(Box::new(record)))
    }

    fn new(sketch: T::Sketch, place: Place<T>) -> Self {
        Self(Box::new(Filed { sketch, place }))
    }

    /// What is at hand of it.
    pub fn sketch(&self) -> &T::Sketch {
        &self.0.sketch
    }

    /// Changes what is at hand of it.
    pub fn amend(&mut self, change: impl FnOnce(&mut T::Sketch)) {
        let Filed { sketch, place } = &mut *self.0;
        change(sketch);
        if let Place::Here(record) = place {
            record.recall(sketch);
        }
    }

    /// The whole of it, once its writer is gone.
    pub fn whole(self) -> T {
        let Filed { sketch, place } = *self.0;
        match place {
            Place::Here(record) => *record,
            Place::Away(spool, span) => recalled(&spool, span, &sketch),
        }
    }
}

/// A record from the spool, with what became known since.
fn recalled<T: Shelved>(spool: &Spool, span: Span, sketch: &T::Sketch) -> T {
    let mut record: T = fetch(spool, span);
    record.recall(sketch);
    record
}

fn fetch<T: DeserializeOwned>(spool: &Spool, span: Span) -> T {
    spool.read(span, |bytes| {
        // These bytes were written by this process, from a record of this type.
        postcard::from_bytes(bytes).expect("a record as it was put away")
    })
}

#[derive(Debug)]
enum Place<T> {
    Here(Box<T>),
    Away(Arc<Spool>, Span),
}

/// Puts records away. Each thread has its own.
#[derive(Debug)]
pub struct Writer {
    spool: Arc<Spool>,
    area: Area,
    bytes: Vec<u8>,
    /// Records that may still be kept in memory.
    room: usize,
}

/// Bytes of a record that is large.
const LARGE: usize = 16 << 10;

/// Records that each writer keeps in memory: those of an ordinary incident are never written out.
const ROOM: usize = 64;

impl Writer {
    /// A writer into `spool`.
    pub fn new(spool: &Arc<Spool>) -> Self {
        Self::with_room(spool, ROOM)
    }

    /// A writer that keeps the first `room` records in memory.
    pub fn with_room(spool: &Arc<Spool>, room: usize) -> Self {
        Self {
            spool: Arc::clone(spool),
            area: Area::default(),
            bytes: Vec::new(),
            room,
        }
    }

    /// Puts one away.
    pub fn put<T: Shelved>(&mut self, record: T) -> Put<T> {
        if self.room > 0 {
            self.room -= 1;
            return Put::here(record);
        }
        // Into a slice, where it fits: faster than into what grows.
        self.bytes.resize(LARGE, 0);
        let large;
        let sink = Sink::new(&mut self.bytes);
        let bytes = if let Ok(bytes) = postcard::serialize_with_flavor(&record, sink) {
            &*bytes
        } else {
            let Ok(bytes) = postcard::to_allocvec(&record) else {
                // Nothing that is kept here can fail to be written down; if it ever does, it stays.
                return Put::here(record);
            };
            large = bytes;
            &large
        };
        let Some(span) = self.area.write(&self.spool, bytes) else {
            return Put::here(record);
        };
        let place = Place::Away(Arc::clone(&self.spool), span);
        Put::new(record.sketch(), place)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.area.flush(&self.spool);
    }
}

/// Records in order, by index.
#[derive(Debug)]
pub struct Shelf<T: Shelved> {
    puts: Vec<Put<T>>,
}

impl<T: Shelved> Default for Shelf<T> {
    fn default() -> Self {
        Self { puts: Vec::new() }
    }
}

impl<T: Shelved> Shelf<T> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.puts.len()
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.puts.is_empty()
    }

    /// Adds one that stays in memory.
    pub fn push(&mut self, record: T) {
        self.puts.push(Put::here(record));
    }

    /// Adds those that were put away.
    pub fn append(&mut self, mut puts: Vec<Put<T>>) {
        if self.is_empty() {
            self.puts = puts;
        } else {
            self.puts.append(&mut puts);
        }
    }

    /// Changes a whole record that lies in memory.
    #[cfg(test)]
    pub fn change(&mut self, index: usize, change: impl FnOnce(&mut T)) {
        let Filed { sketch, place } = &mut *self.puts[index].0;
        if let Place::Here(record) = place {
            change(record);
            *sketch = record.sketch();
        }
    }

    /// What is at hand of each, in order.
    pub fn sketches(&self) -> impl DoubleEndedIterator<Item = &T::Sketch> + ExactSizeIterator {
        self.puts.iter().map(Put::sketch)
    }

    /// The sketch of one.
    pub fn sketch(&self, index: usize) -> Option<&T::Sketch> {
        self.puts.get(index).map(Put::sketch)
    }

    /// Changes what is at hand of each, where it was not known when it was put away.
    pub fn amend(&mut self, change: impl Fn(usize, &mut T::Sketch)) {
        for (index, put) in self.puts.iter_mut().enumerate() {
            put.amend(|sketch| change(index, sketch));
        }
    }

    /// The whole of one.
    pub fn get(&self, index: usize) -> Option<Held<'_, T>> {
        let Filed { sketch, place } = &*self.puts.get(index)?.0;
        Some(match place {
            Place::Here(record) => Held::Here(record),
            Place::Away(spool, span) => Held::Fetched(Box::new(recalled(spool, *span, sketch))),
        })
    }

    /// The whole of one that is there.
    ///
    /// # Panics
    /// If there is none of that index.
    pub fn whole(&self, index: usize) -> Held<'_, T> {
        self.get(index).expect("an index below the length")
    }

    /// All of them, one after the other.
    pub fn iter(&self) -> impl Iterator<Item = Held<'_, T>> {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}

impl<T: Shelved> Extend<Put<T>> for Shelf<T> {
    fn extend<I: IntoIterator<Item = Put<T>>>(&mut self, puts: I) {
        self.puts.extend(puts);
    }
}

impl<T: Shelved> ops::Index<usize> for Shelf<T> {
    type Output = T::Sketch;

    /// What is at hand of one.
    fn index(&self, index: usize) -> &T::Sketch {
        self.puts[index].sketch()
    }
}

/// A record taken from the shelf.
#[derive(Clone, Debug)]
pub enum Held<'a, T> {
    /// It was in memory.
    Here(&'a T),
    /// It was fetched.
    Fetched(Box<T>),
}

impl<T> Deref for Held<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Self::Here(record) => record,
            Self::Fetched(record) => record,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Record {
        number: u64,
        #[serde(with = "word")]
        name: word::Word,
        text: Box<str>,
    }

    impl Shelved for Record {
        type Sketch = u64;

        fn sketch(&self) -> u64 {
            self.number
        }
    }

    fn record(number: u64) -> Record {
        Record {
            number,
            name: ["one", "two", ""][number as usize % 3],
            text: "x".repeat(number as usize * 37 % 5_000).into(),
        }
    }

    #[test]
    fn what_is_put_away_comes_back() {
        let spool = Arc::new(Spool::default());
        let shelves: Vec<Shelf<Record>> = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..4)
                .map(|writer| {
                    let spool = &spool;
                    scope.spawn(move || {
                        let mut away = Writer::with_room(spool, 3);
                        let mut shelf = Shelf::default();
                        shelf.extend((0..500).map(|n| away.put(record(writer * 1000 + n))));
                        shelf
                    })
                })
                .collect();
            writers
                .into_iter()
                .map(|writer| writer.join().expect("no panic"))
                .collect()
        });
        for (writer, shelf) in shelves.iter().enumerate() {
            assert_eq!(shelf.len(), 500);
            assert!(matches!(shelf.get(2), Some(Held::Here(_))));
            assert!(matches!(shelf.get(3), Some(Held::Fetched(_))));
            assert!(shelf.get(500).is_none());
            for (index, held) in shelf.iter().enumerate() {
                let expected = record(writer as u64 * 1000 + index as u64);
                assert_eq!(*held, expected);
                assert_eq!(shelf[index], expected.number);
            }
        }
    }

    #[test]
    fn without_a_disk_it_is_kept_in_memory() {
        let spool = Arc::new(Spool::without_a_file());
        let mut shelf = Shelf::default();
        let mut away = Writer::with_room(&spool, 0);
        shelf.extend((0..2_000).map(|number| away.put(record(number))));
        drop(away);
        for number in [0, 1_999, 700] {
            assert_eq!(*shelf.get(number).expect("there"), record(number as u64));
        }
    }
}
