//! A byte stream as lines, with bounded memory: a line longer than [`MAX_LINE`] is passed over and reported.

use std::io::Read;

/// The longest line that is looked at. nats-server never truncates a line; traced payloads are the only long ones.
pub const MAX_LINE: usize = 1 << 20;

/// How much is read at a time.
const CHUNK: usize = 256 << 10;

/// What the stream gives.
#[derive(Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// A line, without its end.
    Line(u64, &'a [u8]),
    /// A line that was too long: its number and how many bytes it has.
    TooLong(u64, u64),
}

/// Why reading stopped early.
pub type Failure = Option<std::io::Error>;

/// Reads all lines and hands each to `each`; `advance` is told of bytes read. Returns the number of lines.
pub fn each_line(
    mut reader: Box<dyn Read + Send>,
    advance: &dyn Fn(u64),
    mut each: impl FnMut(Item<'_>),
) -> (u64, Failure) {
    let mut buffer = vec![0_u8; CHUNK];
    let mut filled = 0;
    let mut number = 0_u64;
    let mut skipping: Option<u64> = None;
    loop {
        if filled == buffer.len() {
            buffer.resize((buffer.len() * 2).min(MAX_LINE + CHUNK), 0);
        }
        let read = match reader.read(&mut buffer[filled..]) {
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return (number, Some(error)),
        };
        if read == 0 {
            break;
        }
        advance(read as u64);
        let mut start = 0;
        let scan_from = filled;
        filled += read;
        for end in memchr::memchr_iter(b'\n', &buffer[scan_from..filled]) {
            let end = scan_from + end;
            number += 1;
            match skipping.take() {
                Some(before) => each(Item::TooLong(number, before + (end - start) as u64)),
                None => each(Item::Line(number, &buffer[start..end])),
            }
            start = end + 1;
        }
        buffer.copy_within(start..filled, 0);
        filled -= start;
        if let Some(bytes) = skipping.as_mut() {
            *bytes += filled as u64;
            filled = 0;
        } else if filled > MAX_LINE {
            skipping = Some(filled as u64);
            filled = 0;
        }
    }
    if let Some(bytes) = skipping {
        number += 1;
        each(Item::TooLong(number, bytes + filled as u64));
    } else if filled > 0 {
        number += 1;
        each(Item::Line(number, &buffer[..filled]));
    }
    (number, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: Vec<u8>) -> Vec<(u64, Result<Vec<u8>, u64>)> {
        let mut out = Vec::new();
        let (count, failure) = each_line(Box::new(std::io::Cursor::new(input)), &|_| {}, |item| {
            out.push(match item {
                Item::Line(number, line) => (number, Ok(line.to_vec())),
                Item::TooLong(number, bytes) => (number, Err(bytes)),
            });
        });
        assert!(failure.is_none());
        assert_eq!(count as usize, out.len());
        out
    }

    #[test]
    fn lines_and_a_last_one_without_end() {
        assert_eq!(
            read(b"a\n\nbc".to_vec()),
            [
                (1, Ok(b"a".to_vec())),
                (2, Ok(vec![])),
                (3, Ok(b"bc".to_vec()))
            ]
        );
        assert_eq!(read(Vec::new()), []);
    }

    #[test]
    fn a_line_of_five_megabytes_is_passed_over() {
        let mut input = b"a\n".to_vec();
        input.resize(input.len() + 5_000_000, b'x');
        input.extend_from_slice(b"\nb\n");
        assert_eq!(
            read(input.clone()),
            [
                (1, Ok(b"a".to_vec())),
                (2, Err(5_000_000)),
                (3, Ok(b"b".to_vec()))
            ]
        );
        input.truncate(3_000_000);
        assert_eq!(read(input), [(1, Ok(b"a".to_vec())), (2, Err(2_999_998))]);
    }

    #[test]
    fn lines_longer_than_a_read() {
        let long = vec![b'y'; 700_000];
        let mut input = long.clone();
        input.push(b'\n');
        input.extend_from_slice(b"z");
        assert_eq!(read(input), [(1, Ok(long)), (2, Ok(b"z".to_vec()))]);
    }
}
