//! The journal export format (`journalctl -o export`): `KEY=value` lines, an empty line after each entry. A value with
//! control bytes is written as `KEY`, newline, its length in 8 bytes (little endian), the bytes, newline.

use serde_json::{Map, Value};

use super::{Unwrapped, journal, utf8};

/// Values longer than this are not log lines.
const MAX_VALUE: u64 = 1 << 20;

/// An entry that is being read.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry {
    fields: Map<String, Value>,
    /// A binary value: its key, bytes so far, bytes to come.
    binary: Option<(String, Vec<u8>, Option<u64>)>,
    /// Number of the entry's first line.
    pub(super) first_line: u64,
}

impl Entry {
    /// Whether a line begins an export: entries start with the cursor.
    pub(super) fn begins(line: &[u8]) -> bool {
        line.starts_with(b"__CURSOR=")
    }

    /// An entry that begins at this line.
    pub(super) fn new(first_line: u64) -> Self {
        Self {
            first_line,
            ..Self::default()
        }
    }

    /// Takes a line. True: the entry is complete.
    pub(super) fn line(&mut self, line: &[u8]) -> bool {
        if let Some((key, bytes, length)) = &mut self.binary {
            bytes.extend_from_slice(line);
            if length.is_none() && bytes.len() >= 8 {
                let head: [u8; 8] = [
                    bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7],
                ];
                *length = Some(u64::from_le_bytes(head).min(MAX_VALUE));
                bytes.drain(..8);
            }
            let complete = length.is_some_and(|length| bytes.len() as u64 >= length);
            if complete || bytes.len() as u64 > MAX_VALUE {
                let value = String::from_utf8_lossy(bytes).into_owned();
                let key = std::mem::take(key);
                self.fields.insert(key, Value::String(value));
                self.binary = None;
            } else {
                bytes.push(b'\n');
            }
            return false;
        }
        if line.is_empty() {
            return true;
        }
        if let Some(at) = memchr::memchr(b'=', line) {
            if let Some(key) = utf8(&line[..at]) {
                let value = String::from_utf8_lossy(&line[at + 1..]).into_owned();
                self.fields.insert(key.to_owned(), Value::String(value));
            }
        } else if let Some(key) = utf8(line)
            && field_name(key)
        {
            self.binary = Some((key.to_owned(), Vec::new(), None));
        }
        false
    }

    /// Whether a line may belong to an entry at all.
    pub(super) fn fits(&self, line: &[u8]) -> bool {
        self.binary.is_some()
            || line.is_empty()
            || line
                .iter()
                .position(|b| *b == b'=')
                .or(Some(line.len()))
                .and_then(|end| utf8(&line[..end]))
                .is_some_and(field_name)
    }

    /// The entry as a line.
    pub(super) fn finish(&self) -> Option<Unwrapped<'static>> {
        journal::entry(&self.fields)
    }
}

/// Journal field names: upper case, digits, underscores.
fn field_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}
