//! Input that can be read only once: standard input, and pipes that were named (`<(kubectl logs ...)`).
//!
//! It is kept like a member of a compressed archive, so that citations and carving can go back to it.

use std::io::{self, Read};
use std::path::Path;

use super::archive::Unpacker;
use super::error::Error;

/// Reads standard input to its end.
pub fn stdin(unpacker: &mut Unpacker<'_>) {
    unpacker.stream(super::walk::STDIN.to_owned(), 0, Box::new(io::stdin()), 0);
}

/// Reads a pipe or device to its end.
pub fn pipe(unpacker: &mut Unpacker<'_>, path: &Path) -> Result<(), Error> {
    let file = std::fs::File::open(path).map_err(|source| Error::Unreadable {
        path: path.to_path_buf(),
        source,
    })?;
    let reader: Box<dyn Read + Send> = Box::new(file);
    unpacker.stream(path.to_string_lossy().into_owned(), 0, reader, 0);
    Ok(())
}
