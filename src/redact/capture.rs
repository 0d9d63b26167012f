//! A capture file to a capture file: every packet stays in its place with its time and length; names, comments and keys
//! that capture tools wrote beside them go.

use std::collections::{HashMap, VecDeque};
use std::io::{self, Read, Write};
use std::net::IpAddr;

use super::mapper::Mapper;
use super::packet::{self, BLANK, Rewritten, Segment};
use super::stream::Stream;
use crate::parse::packet::SYN;

/// Frames that wait for the rest of a unit or of a hole, in bytes; beyond it they are written with what is known.
const QUEUE_MAX: usize = 16 << 20;
/// Longest record that is believed.
const RECORD_MAX: usize = 64 << 20;

/// What became of a capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Packets written.
    pub packets: u64,
    /// Packets of link types that are not known: blanked from end to end.
    pub blanked: u64,
    /// The file ended or broke before its end; what came before is written.
    pub cut: bool,
}

/// Rewrites a capture. A file that is neither pcap nor pcapng is an error of kind `Unsupported`.
pub fn rewrite(mapper: &Mapper, input: &mut dyn Read, out: &mut dyn Write) -> io::Result<Written> {
    let mut magic = [0; 4];
    input.read_exact(&mut magic)?;
    let mut queue = Queue::new(mapper, out);
    match magic {
        [0x0a, 0x0d, 0x0d, 0x0a] => blocks(input, &mut queue)?,
        [0xd4, 0xc3, 0xb2, 0xa1] | [0x4d, 0x3c, 0xb2, 0xa1] => {
            records(input, &mut queue, magic, false)?;
        }
        [0xa1, 0xb2, 0xc3, 0xd4] | [0xa1, 0xb2, 0x3c, 0x4d] => {
            records(input, &mut queue, magic, true)?;
        }
        _ => {
            let why = "a capture of another format than pcap and pcapng";
            return Err(io::Error::new(io::ErrorKind::Unsupported, why));
        }
    }
    queue.end()?;
    Ok(queue.written)
}

/// A classic pcap: a header of 24 bytes, then records of 16 bytes and a packet.
fn records(input: &mut dyn Read, queue: &mut Queue, magic: [u8; 4], big: bool) -> io::Result<()> {
    let mut header = [0; 20];
    input.read_exact(&mut header)?;
    queue.raw([&magic[..], &header[..]].concat())?;
    // The upper bits say how long the frame check sequence is.
    let link = u32_at(&header, 16, big) & 0x0fff_ffff;
    let mut head = [0; 16];
    loop {
        match fill(input, &mut head)? {
            0 => return Ok(()),
            16 => {}
            _ => break,
        }
        let length = u32_at(&head, 8, big) as usize;
        let mut frame = Vec::new();
        if length > RECORD_MAX || take(input, length, &mut frame)? < length {
            break;
        }
        queue.frame(link, head.to_vec(), frame, Vec::new())?;
    }
    queue.written.cut = true;
    Ok(())
}

/// A pcapng: blocks of sections (draft-ietf-opsawg-pcapng).
fn blocks(input: &mut dyn Read, queue: &mut Queue) -> io::Result<()> {
    const SECTION: u32 = 0x0a0d_0d0a;
    let mut big = false;
    let mut links: Vec<u32> = Vec::new();
    // The first block's type was read to tell the format; it reads the same in both byte orders.
    let mut first = true;
    loop {
        let mut head = [0; 8];
        if first {
            head[..4].copy_from_slice(&SECTION.to_be_bytes());
            if fill(input, &mut head[4..])? < 4 {
                break;
            }
            first = false;
        } else {
            match fill(input, &mut head)? {
                0 => return Ok(()),
                8 => {}
                _ => break,
            }
        }
        let section = u32_at(&head, 0, true) == SECTION;
        let mut body = Vec::new();
        if section {
            if take(input, 4, &mut body)? < 4 {
                break;
            }
            big = match body[..] {
                [0x1a, 0x2b, 0x3c, 0x4d] => true,
                [0x4d, 0x3c, 0x2b, 0x1a] => false,
                _ => break,
            };
            links.clear();
        }
        let length = u32_at(&head, 4, big) as usize;
        let rest = length.wrapping_sub(8 + body.len());
        if length < 12
            || !length.is_multiple_of(4)
            || length > RECORD_MAX
            || rest < 4
            || take(input, rest, &mut body)? < rest
        {
            break;
        }
        body.truncate(body.len() - 4);
        let kind = if section {
            SECTION
        } else {
            u32_at(&head, 0, big)
        };
        block(queue, kind, &body, big, &mut links)?;
    }
    queue.written.cut = true;
    Ok(())
}

/// One block's body; blocks that only name or decrypt things are left out.
fn block(
    queue: &mut Queue,
    kind: u32,
    body: &[u8],
    big: bool,
    links: &mut Vec<u32>,
) -> io::Result<()> {
    // Resolution, offset, frame check sequence length of an interface; counters of its statistics; flags, drops, queue of a packet.
    const INTERFACE: &[u16] = &[9, 13, 14];
    const STATISTICS: &[u16] = &[2, 3, 4, 5, 6, 7, 8];
    const PACKET: &[u16] = &[2, 4, 6];
    let short = || {
        io::Error::new(
            io::ErrorKind::InvalidData,
            "a block shorter than its fields",
        )
    };
    let packet = |queue: &mut Queue, link: u32, fixed: usize, captured: usize| {
        let data = body.get(fixed..fixed + captured).ok_or_else(short)?;
        let padded = (fixed + captured.next_multiple_of(4)).min(body.len());
        let mut tail = vec![0; padded - fixed - captured];
        options(&body[padded..], PACKET, big, &mut tail);
        let length = (12 + fixed + captured + tail.len()) as u32;
        tail.extend(u32_bytes(length, big));
        let head = [
            &u32_bytes(kind, big)[..],
            &u32_bytes(length, big),
            &body[..fixed],
        ]
        .concat();
        queue.frame(link, head, data.to_vec(), tail)
    };
    let link = |id: u32| links.get(id as usize).copied().unwrap_or(u32::MAX);
    match kind {
        0x0a0d_0d0a => {
            let fixed = body.get(..8).ok_or_else(short)?;
            // Its length is not known: blocks are left out.
            whole(queue, kind, &[fixed, &[0xff; 8]].concat(), big)
        }
        1 => {
            let mut fixed = body.get(..8).ok_or_else(short)?.to_vec();
            links.push(if big {
                u32::from(u16::from_be_bytes([fixed[0], fixed[1]]))
            } else {
                u32::from(u16::from_le_bytes([fixed[0], fixed[1]]))
            });
            options(&body[8..], INTERFACE, big, &mut fixed);
            whole(queue, kind, &fixed, big)
        }
        5 => {
            let mut fixed = body.get(..12).ok_or_else(short)?.to_vec();
            options(&body[12..], STATISTICS, big, &mut fixed);
            whole(queue, kind, &fixed, big)
        }
        2 | 6 if body.len() >= 20 => {
            let id = match (kind, big) {
                (2, true) => u32_at(body, 0, big) >> 16,
                (2, false) => u32_at(body, 0, big) & 0xffff,
                _ => u32_at(body, 0, big),
            };
            packet(queue, link(id), 20, u32_at(body, 12, big) as usize)
        }
        3 if body.len() >= 4 => {
            let captured = (u32_at(body, 0, big) as usize).min(body.len() - 4);
            packet(queue, link(0), 4, captured)
        }
        _ => Ok(()),
    }
}

fn whole(queue: &mut Queue, kind: u32, body: &[u8], big: bool) -> io::Result<()> {
    let length = u32_bytes((body.len() + 12) as u32, big);
    queue.raw([&u32_bytes(kind, big)[..], &length, body, &length].concat())
}

/// Copies the options that may stay.
fn options(mut bytes: &[u8], stay: &[u16], big: bool, out: &mut Vec<u8>) {
    let pair = |bytes: &[u8]| {
        let two = [bytes[0], bytes[1]];
        if big {
            u16::from_be_bytes(two)
        } else {
            u16::from_le_bytes(two)
        }
    };
    let mut any = false;
    while bytes.len() >= 4 {
        let (code, length) = (pair(bytes), usize::from(pair(&bytes[2..])));
        let size = 4 + length.next_multiple_of(4);
        if code == 0 || size > bytes.len() {
            break;
        }
        if stay.contains(&code) {
            out.extend_from_slice(&bytes[..size]);
            any = true;
        }
        bytes = &bytes[size..];
    }
    if any {
        out.extend_from_slice(&[0; 4]);
    }
}

/// A frame on its way out.
struct Frame {
    head: Vec<u8>,
    old: Vec<u8>,
    new: Vec<u8>,
    tail: Vec<u8>,
    rewritten: Rewritten,
    /// The stream, the offset in it, the place in the frame, and the bytes that are waited for.
    wait: Option<(usize, i64, usize, usize)>,
}

/// Who sends to whom.
type Direction = ((IpAddr, u16), (IpAddr, u16));

/// Frames in the capture's order, and the streams whose bytes they carry.
struct Queue<'a> {
    mapper: &'a Mapper,
    out: &'a mut dyn Write,
    frames: VecDeque<Frame>,
    /// Number of the frame at the front.
    front: u64,
    bytes: usize,
    streams: Vec<Stream>,
    by_direction: HashMap<Direction, usize>,
    written: Written,
}

impl<'a> Queue<'a> {
    fn new(mapper: &'a Mapper, out: &'a mut dyn Write) -> Self {
        Self {
            mapper,
            out,
            frames: VecDeque::new(),
            front: 0,
            bytes: 0,
            streams: Vec::new(),
            by_direction: HashMap::new(),
            written: Written::default(),
        }
    }

    /// Bytes that are no packet, in their turn.
    fn raw(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        self.add(Frame {
            head: bytes,
            old: Vec::new(),
            new: Vec::new(),
            tail: Vec::new(),
            rewritten: Rewritten::default(),
            wait: None,
        });
        self.release()
    }

    fn frame(&mut self, link: u32, head: Vec<u8>, old: Vec<u8>, tail: Vec<u8>) -> io::Result<()> {
        self.written.packets += 1;
        let mut new = old.clone();
        let rewritten = packet::rewrite(self.mapper, link, &mut new).unwrap_or_else(|| {
            new.fill(0);
            self.written.blanked += 1;
            Rewritten::default()
        });
        let number = self.front + self.frames.len() as u64;
        let wait = rewritten
            .segment
            .and_then(|segment| self.segment(&segment, &old, &mut new, number));
        self.add(Frame {
            head,
            old,
            new,
            tail,
            rewritten,
            wait,
        });
        if let Some((stream, ..)) = wait {
            self.settle(stream);
        }
        self.release()
    }

    /// Gives a segment to its stream.
    fn segment(
        &mut self,
        segment: &Segment,
        old: &[u8],
        new: &mut [u8],
        number: u64,
    ) -> Option<(usize, i64, usize, usize)> {
        let direction = (segment.src, segment.dst);
        let syn = segment.flags & SYN != 0;
        let first = segment.seq.wrapping_add(u32::from(syn));
        let end = segment.at + segment.captured;
        let known = self.by_direction.get(&direction).copied();
        let stream = match known {
            // A repeated SYN belongs to the connection that it began; another one begins a new connection.
            Some(known) if !syn || self.streams[known].begins_with(first) => known,
            _ if syn || segment.len > 0 => {
                let stream = self.streams.len();
                self.streams.push(Stream::new(first, syn));
                self.by_direction.insert(direction, stream);
                stream
            }
            _ => return None,
        };
        if segment.captured == 0 && segment.len == 0 {
            return None;
        }
        let taken =
            self.streams[stream].take(self.mapper, first, &old[segment.at..end], segment.len);
        let Some(at) = taken else {
            new[segment.at..end].fill(BLANK);
            return None;
        };
        self.streams[stream].waiting.push(number);
        Some((stream, at, segment.at, segment.captured))
    }

    /// Fills in the payloads of frames that waited for bytes that are there now.
    fn settle(&mut self, stream: usize) {
        let (streams, frames, front) = (&mut self.streams, &mut self.frames, self.front);
        let mut waiting = std::mem::take(&mut streams[stream].waiting);
        waiting.retain(|number| {
            let Some(frame) = number
                .checked_sub(front)
                .and_then(|index| frames.get_mut(index as usize))
            else {
                return false;
            };
            let Some((_, at, place, len)) = frame.wait else {
                return false;
            };
            if !streams[stream].has(at + len as i64) {
                return true;
            }
            streams[stream].payload(at, &mut frame.new[place..place + len]);
            frame.wait = None;
            false
        });
        streams[stream].waiting = waiting;
    }

    fn add(&mut self, frame: Frame) {
        self.bytes += frame.head.len() + frame.old.len() * 2 + frame.tail.len();
        self.frames.push_back(frame);
    }

    /// Writes the frames at the front that wait for nothing; when too many wait, the first one's stream is forced.
    fn release(&mut self) -> io::Result<()> {
        while let Some(frame) = self.frames.front() {
            if let Some((stream, at, _, len)) = frame.wait {
                if self.bytes <= QUEUE_MAX {
                    return Ok(());
                }
                self.force(stream, at + len as i64);
            }
            self.write()?;
        }
        Ok(())
    }

    fn force(&mut self, stream: usize, end: i64) {
        self.streams[stream].force(self.mapper, end);
        self.settle(stream);
    }

    fn write(&mut self) -> io::Result<()> {
        let Some(mut frame) = self.frames.pop_front() else {
            return Ok(());
        };
        self.front += 1;
        self.bytes -= frame.head.len() + frame.old.len() * 2 + frame.tail.len();
        // Nothing leaves as it was captured, also where its stream could not place it.
        if let Some((_, _, place, len)) = frame.wait {
            frame.new[place..place + len].fill(BLANK);
        }
        frame.rewritten.fix(&frame.old, &mut frame.new);
        self.out.write_all(&frame.head)?;
        self.out.write_all(&frame.new)?;
        self.out.write_all(&frame.tail)
    }

    fn end(&mut self) -> io::Result<()> {
        while let Some(frame) = self.frames.front() {
            if let Some((stream, at, _, len)) = frame.wait {
                self.force(stream, at + len as i64);
            }
            self.write()?;
        }
        self.out.flush()
    }
}

/// Reads until the buffer is full or the input ends; gives the bytes read.
fn fill(input: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut have = 0;
    while have < buffer.len() {
        match input.read(&mut buffer[have..]) {
            Ok(0) => break,
            Ok(n) => have += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(have)
}

/// Appends up to `length` bytes; memory grows with what is there, not with what is claimed.
fn take(input: &mut dyn Read, length: usize, out: &mut Vec<u8>) -> io::Result<usize> {
    input.take(length as u64).read_to_end(out)
}

fn u32_at(bytes: &[u8], at: usize, big: bool) -> u32 {
    let four = bytes
        .get(at..)
        .and_then(<[u8]>::first_chunk::<4>)
        .copied()
        .unwrap_or_default();
    if big {
        u32::from_be_bytes(four)
    } else {
        u32::from_le_bytes(four)
    }
}

fn u32_bytes(value: u32, big: bool) -> [u8; 4] {
    if big {
        value.to_be_bytes()
    } else {
        value.to_le_bytes()
    }
}
