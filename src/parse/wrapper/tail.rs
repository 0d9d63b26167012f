//! `tail` over several files: `==> FILE <==` before the lines of each.

use super::utf8;

/// The file's name in such a header.
pub(super) fn header(line: &[u8]) -> Option<&str> {
    utf8(line.strip_prefix(b"==> ")?.strip_suffix(b" <==")?)
}
