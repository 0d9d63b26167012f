//! A byte stream as batches that end at line ends, with bounded memory: a line longer than a whole batch is passed over.

use std::io::Read;

/// The longest line that is looked at. nats-server never truncates a line; traced payloads are the only long ones.
pub const MAX_LINE: usize = 1 << 20;

/// Size of a batch.
const BATCH: usize = 4 << 20;

/// Size of a small log.
const SMALL: usize = 64 << 10;

/// What to do with the bytes that [`Batches::next`] put into the buffer.
#[derive(Debug)]
pub enum Batch {
    /// Whole lines, in the buffer.
    Lines,
    /// One line of this many bytes, longer than a batch, which was passed over.
    TooLong(u64),
    /// This many NUL bytes, longer than a batch, in front of the next line (a file truncated while it was written).
    Nuls(u64),
    /// The end.
    End,
    /// Reading failed.
    Failed(std::io::Error),
}

/// Reads batches.
pub struct Batches {
    reader: Box<dyn Read + Send>,
    /// The beginning of a line whose end is not read yet.
    carry: Vec<u8>,
    /// Nothing more is read: the source gave no more, or failed.
    ended: bool,
    /// Why it failed; told behind all lines that it gave.
    failure: Option<std::io::Error>,
}

impl Batches {
    /// From a reader.
    pub fn new(reader: Box<dyn Read + Send>) -> Self {
        Self {
            reader,
            carry: Vec::new(),
            ended: false,
            failure: None,
        }
    }

    /// Fills `buffer` with the next whole lines. The second value is how many bytes were read from the source.
    pub fn next(&mut self, buffer: &mut Vec<u8>) -> (Batch, u64) {
        buffer.clear();
        buffer.append(&mut self.carry);
        let mut read = 0_u64;
        self.fill(buffer, BATCH, &mut read);
        if let Some(end) = memchr::memrchr(b'\n', buffer) {
            self.carry.extend_from_slice(&buffer[end + 1..]);
            buffer.truncate(end + 1);
            return (Batch::Lines, read);
        }
        if self.ended {
            return match self.failure.take() {
                Some(error) => (Batch::Failed(error), read),
                None if buffer.is_empty() => (Batch::End, read),
                None => (Batch::Lines, read),
            };
        }
        (self.pass_over(buffer, &mut read), read)
    }

    /// Adds what is left to whole lines in `buffer`. False: they would be more than `most` bytes, and the rest comes with
    /// [`Batches::next`]. The second value is how many bytes were read from the source.
    pub fn rest(&mut self, buffer: &mut Vec<u8>, most: usize) -> (bool, u64) {
        buffer.append(&mut self.carry);
        let mut read = 0;
        self.fill(buffer, most, &mut read);
        if !self.ended {
            let end = memchr::memrchr(b'\n', buffer).map_or(0, |at| at + 1);
            self.carry.extend_from_slice(&buffer[end..]);
            buffer.truncate(end);
        }
        (self.ended, read)
    }

    /// Reads until the buffer has `size` bytes or the source ends. A failure ends the source.
    fn fill(&mut self, buffer: &mut Vec<u8>, size: usize, read: &mut u64) {
        if self.ended {
            return;
        }
        // Most logs of a bundle are small: room for a whole batch is made, once, only for those that are not.
        let wanted = size.saturating_sub(buffer.len());
        for part in [wanted.min(SMALL), wanted.saturating_sub(SMALL)] {
            if part == 0 || self.ended {
                break;
            }
            if part > SMALL {
                buffer.reserve_exact(part + 1);
            }
            let before = buffer.len();
            let mut reader = (&mut self.reader).take(part as u64);
            self.failure = reader.read_to_end(buffer).err();
            let got = buffer.len() - before;
            *read += got as u64;
            self.ended = self.failure.is_some() || got < part;
        }
    }

    /// Reads on to the end of what fills the whole buffer without a line end.
    fn pass_over(&mut self, buffer: &mut Vec<u8>, read: &mut u64) -> Batch {
        let mut length = 0_u64;
        let nuls = buffer.iter().all(|b| *b == 0);
        loop {
            let end = if nuls {
                buffer.iter().position(|b| *b != 0)
            } else {
                memchr::memchr(b'\n', buffer)
            };
            if let Some(end) = end {
                let rest = if nuls { end } else { end + 1 };
                self.carry.extend_from_slice(&buffer[rest..]);
                length += end as u64;
                break;
            }
            length += buffer.len() as u64;
            buffer.clear();
            self.fill(buffer, BATCH, read);
            if buffer.is_empty() {
                break;
            }
        }
        buffer.clear();
        if nuls {
            Batch::Nuls(length)
        } else {
            Batch::TooLong(length)
        }
    }
}

/// The lines of a text, without LF.
pub fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.strip_suffix(b"\n")
        .unwrap_or(text)
        .split(|b| *b == b'\n')
}

/// Cuts whole lines into pieces of about `size` bytes, each of whole lines.
pub fn pieces(lines: &[u8], size: usize) -> Vec<&[u8]> {
    let mut out = Vec::new();
    let mut rest = lines;
    while rest.len() > size {
        let Some(end) = memchr::memchr(b'\n', &rest[size..]) else {
            break;
        };
        let (piece, after) = rest.split_at(size + end + 1);
        out.push(piece);
        rest = after;
    }
    if !rest.is_empty() {
        out.push(rest);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives few bytes at a time, as pipes do.
    struct Slow(std::io::Cursor<Vec<u8>>, usize);

    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let most = buffer.len().min(self.1);
            self.0.read(&mut buffer[..most])
        }
    }

    fn read(input: Vec<u8>, at_a_time: usize) -> Vec<Result<Vec<u8>, String>> {
        let mut batches = Batches::new(Box::new(Slow(std::io::Cursor::new(input), at_a_time)));
        let mut buffer = Vec::new();
        let mut out = Vec::new();
        loop {
            match batches.next(&mut buffer).0 {
                Batch::Lines => out.push(Ok(buffer.clone())),
                Batch::TooLong(bytes) => out.push(Err(format!("long {bytes}"))),
                Batch::Nuls(bytes) => out.push(Err(format!("nul {bytes}"))),
                Batch::End => return out,
                Batch::Failed(error) => panic!("{error}"),
            }
        }
    }

    #[test]
    fn whole_lines_and_a_last_one_without_end() {
        for at_a_time in [1, 2, 100] {
            assert_eq!(
                read(b"a\n\nbc".to_vec(), at_a_time),
                [Ok(b"a\n\n".to_vec()), Ok(b"bc".to_vec())]
            );
        }
        assert_eq!(read(Vec::new(), 1), []);
    }

    /// Gives some bytes, then fails, and must not be asked again.
    struct Failing(&'static [u8], bool);

    impl Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = self.0.read(buffer)?;
            if count == 0 {
                assert!(!self.1, "asked again after its end");
                self.1 = true;
                return Err(std::io::Error::other("cut"));
            }
            Ok(count)
        }
    }

    #[test]
    fn a_failure_is_told_once_behind_the_lines_before_it() {
        let mut batches = Batches::new(Box::new(Failing(b"a\nb\nhalf", false)));
        let mut buffer = Vec::new();
        assert!(matches!(batches.next(&mut buffer).0, Batch::Lines));
        assert_eq!(buffer, b"a\nb\n");
        assert!(
            matches!(batches.next(&mut buffer).0, Batch::Failed(error) if error.to_string() == "cut")
        );
        assert!(matches!(batches.next(&mut buffer).0, Batch::End));
    }

    #[test]
    fn a_line_of_a_hundred_megabytes_is_passed_over() {
        let mut input = b"a\n".to_vec();
        input.resize(100_000_002, b'x');
        input.extend_from_slice(b"\nb\n");
        assert_eq!(
            read(input.clone(), 1 << 20),
            [
                Ok(b"a\n".to_vec()),
                Err("long 100000000".to_owned()),
                Ok(b"b\n".to_vec())
            ]
        );
        input.truncate(9_000_002);
        assert_eq!(
            read(input, 1 << 20),
            [Ok(b"a\n".to_vec()), Err("long 9000000".to_owned())]
        );
    }

    #[test]
    fn text_after_a_run_of_nuls_is_kept() {
        let mut input = vec![0_u8; 9_000_000];
        input.extend_from_slice(b"text\n");
        assert_eq!(
            read(input, 1 << 20),
            [Err("nul 9000000".to_owned()), Ok(b"text\n".to_vec())]
        );
    }

    #[test]
    fn pieces_are_whole_lines() {
        let lines = b"aaa\nbb\n\ncccc\nd";
        let cut = pieces(lines, 4);
        assert_eq!(cut.concat(), lines);
        assert!(
            cut[..cut.len() - 1]
                .iter()
                .all(|piece| piece.ends_with(b"\n"))
        );
        assert!(pieces(b"", 4).is_empty());
    }
}
