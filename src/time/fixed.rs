//! A time as eight bytes, where records are put away: as a varint it would be nine, and each of them a step of a loop. A
//! connection has dozens.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserializer, Serializer};

/// Puts a time away.
pub fn serialize<S: Serializer>(ns: &i64, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_bytes(&ns.to_le_bytes())
}

/// Takes it back.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    struct Eight;
    impl Visitor<'_> for Eight {
        type Value = i64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("eight bytes")
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<i64, E> {
            let eight = bytes
                .try_into()
                .map_err(|_| E::invalid_length(bytes.len(), &self))?;
            Ok(i64::from_le_bytes(eight))
        }
    }
    from.deserialize_bytes(Eight)
}
