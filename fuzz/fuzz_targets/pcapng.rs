//! Well-framed pcapng blocks with any contents: what a random file reaches too seldom.
#![no_main]

use std::io::{self, Cursor};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use natsleuth::reconstruct::capture::{CaptureOptions, read_map};
use natsleuth::source::SourceId;

#[derive(Arbitrary, Debug)]
struct File {
    big_endian: bool,
    blocks: Vec<Block>,
}

#[derive(Arbitrary, Debug)]
enum Block {
    Section,
    Interface {
        link: u16,
        snap: u32,
        options: Vec<Field>,
    },
    Enhanced {
        interface: u8,
        high: u32,
        low: u32,
        original: u32,
        frame: Vec<u8>,
        options: Vec<Field>,
    },
    Simple {
        original: u32,
        frame: Vec<u8>,
    },
    Names {
        records: Vec<Field>,
    },
    Statistics {
        interface: u8,
        options: Vec<Field>,
    },
    Secrets {
        kind: u32,
        length: u32,
        data: Vec<u8>,
    },
    Any {
        kind: u32,
        body: Vec<u8>,
    },
    /// Lengths that do not agree.
    Torn {
        kind: u32,
        head: u32,
        body: Vec<u8>,
        tail: u32,
    },
}

#[derive(Arbitrary, Debug)]
struct Field {
    code: u16,
    /// A length that may lie.
    length: Option<u16>,
    value: Vec<u8>,
}

struct Writer {
    big_endian: bool,
    out: Vec<u8>,
}

impl Writer {
    fn u16(&self, value: u16) -> [u8; 2] {
        if self.big_endian {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    }

    fn u32(&self, value: u32) -> [u8; 4] {
        if self.big_endian {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    }

    fn fields(&self, fields: &[Field]) -> Vec<u8> {
        let mut out = Vec::new();
        for field in fields {
            out.extend(self.u16(field.code));
            out.extend(self.u16(field.length.unwrap_or(field.value.len() as u16)));
            out.extend(&field.value);
            out.resize(out.len().next_multiple_of(4), 0);
        }
        out
    }

    fn block(&mut self, kind: u32, body: &[u8]) {
        let length = (body.len().next_multiple_of(4) + 12) as u32;
        self.out.extend(self.u32(kind));
        self.out.extend(self.u32(length));
        self.out.extend(body);
        self.out.resize(self.out.len().next_multiple_of(4), 0);
        self.out.extend(self.u32(length));
    }

    fn words(&self, words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| self.u32(*word)).collect()
    }

    fn write(&mut self, block: &Block) {
        match block {
            Block::Section => {
                let body = self.words(&[
                    0x1a2b_3c4d,
                    if self.big_endian { 0x1_0000 } else { 1 },
                    u32::MAX,
                    u32::MAX,
                ]);
                self.block(0x0a0d_0d0a, &body);
            }
            Block::Interface {
                link,
                snap,
                options,
            } => {
                let mut body = self.u16(*link % 300).to_vec();
                body.extend([0, 0]);
                body.extend(self.u32(*snap));
                body.extend(self.fields(options));
                self.block(1, &body);
            }
            Block::Enhanced {
                interface,
                high,
                low,
                original,
                frame,
                options,
            } => {
                let mut body = self.words(&[
                    u32::from(*interface % 4),
                    *high,
                    *low,
                    frame.len() as u32,
                    *original,
                ]);
                body.extend(frame);
                body.resize(body.len().next_multiple_of(4), 0);
                body.extend(self.fields(options));
                self.block(6, &body);
            }
            Block::Simple { original, frame } => {
                let mut body = self.u32(*original).to_vec();
                body.extend(frame);
                self.block(3, &body);
            }
            Block::Names { records } => {
                let body = self.fields(records);
                self.block(4, &body);
            }
            Block::Statistics { interface, options } => {
                let mut body = self.words(&[u32::from(*interface % 4), 0, 0]);
                body.extend(self.fields(options));
                self.block(5, &body);
            }
            Block::Secrets { kind, length, data } => {
                let mut body = self.words(&[*kind, *length]);
                body.extend(data);
                self.block(10, &body);
            }
            Block::Any { kind, body } => self.block(*kind, body),
            Block::Torn {
                kind,
                head,
                body,
                tail,
            } => {
                self.out.extend(self.u32(*kind));
                self.out.extend(self.u32(*head));
                self.out.extend(body);
                self.out.extend(self.u32(*tail));
            }
        }
    }
}

fuzz_target!(|file: File| {
    let mut writer = Writer {
        big_endian: file.big_endian,
        out: Vec::new(),
    };
    writer.write(&Block::Section);
    for block in &file.blocks {
        writer.write(block);
    }
    let options = CaptureOptions {
        all: true,
        auto_ports: true,
        ..CaptureOptions::default()
    };
    let piece: Box<dyn io::Read + Send> = Box::new(Cursor::new(writer.out));
    let result = read_map(&mut [(SourceId(0), piece)], &options, &|_| {}, &|| {
        |conn| conn
    });
    let _ = format!("{:?} {:?} {:?}", result.facts, result.rejects, result.conns);
});
