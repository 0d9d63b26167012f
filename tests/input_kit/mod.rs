//! Bundles built in a folder of their own, and archives built in memory, hostile ones included.

#![allow(dead_code)] // every test program uses its part

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use natsleuth::input::{Input, InputOptions, discover};
use natsleuth::source::Kind;

/// The smallest thing that is a log.
pub const LOG: &[u8] = b"[6871] 2026/11/23 05:10:37.120114 [INF] Starting nats-server\n";

/// Every file below a folder with its bytes, and every empty folder.
pub fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    fn walk(folder: &Path, base: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
        let mut empty = true;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            empty = false;
            if path.is_dir() {
                walk(&path, base, found);
            } else {
                found.insert(
                    path.strip_prefix(base).unwrap().to_path_buf(),
                    std::fs::read(&path).unwrap(),
                );
            }
        }
        if empty {
            found.insert(folder.strip_prefix(base).unwrap().to_path_buf(), Vec::new());
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}

/// A folder that vanishes with the test.
pub struct Bundle(tempfile::TempDir);

impl Bundle {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn file(self, name: &str, bytes: &[u8]) -> Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
        self
    }

    pub fn discover(&self) -> Input {
        self.discover_with(&InputOptions::default())
    }

    pub fn discover_with(&self, options: &InputOptions) -> Input {
        discover(&[self.0.path().to_path_buf()], options).unwrap()
    }

    /// A source's path without the folder's.
    pub fn short(&self, path: &str) -> String {
        let root = format!("{}/", self.0.path().display());
        path.replace(&root, "")
    }

    /// What can be analysed: path, kind, contents as far as they can be read.
    pub fn listed(&self, input: &Input) -> Vec<(String, &'static str, Vec<u8>)> {
        input
            .sources
            .iter()
            .filter(|s| s.kind != Kind::Unknown)
            .map(|s| {
                let mut contents = Vec::new();
                let _ = input.open(s.id).unwrap().read_to_end(&mut contents);
                (self.short(&s.path), s.kind.word(), contents)
            })
            .collect()
    }

    /// What was skipped, as `path: why`.
    pub fn rejected(&self, input: &Input) -> Vec<String> {
        input
            .rejects
            .iter()
            .map(|r| {
                let path = self.short(&input.sources[r.source.0 as usize].path);
                format!("{path}: {}", r.why)
            })
            .collect()
    }
}

pub fn gz(data: &[u8]) -> Vec<u8> {
    let mut w = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    w.write_all(data).unwrap();
    w.finish().unwrap()
}

pub fn xz(data: &[u8]) -> Vec<u8> {
    let mut w = liblzma::write::XzEncoder::new(Vec::new(), 1);
    w.write_all(data).unwrap();
    w.finish().unwrap()
}

pub fn zst(data: &[u8]) -> Vec<u8> {
    zstd::encode_all(data, 1).unwrap()
}

pub fn lz4(data: &[u8]) -> Vec<u8> {
    let mut w = lz4_flex::frame::FrameEncoder::new(Vec::new());
    w.write_all(data).unwrap();
    w.finish().unwrap()
}

pub fn bz2(data: &[u8]) -> Vec<u8> {
    let mut w = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    w.write_all(data).unwrap();
    w.finish().unwrap()
}

/// A classic capture whose only packet was seen at `second`.
pub fn pcap(second: u32) -> Vec<u8> {
    let mut bytes = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
    bytes.resize(16, 0);
    bytes.extend([0xff, 0xff, 0, 0, 1, 0, 0, 0]);
    bytes.extend(second.to_le_bytes());
    bytes.extend([0; 12]);
    bytes
}

/// A log of about `len` bytes that hardly compresses.
pub fn noisy_log(seed: u64, len: usize) -> Vec<u8> {
    let mut log = LOG.to_vec();
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    while log.len() < len {
        for _ in 0..4 {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            write!(log, "{x:016x}").unwrap();
        }
        log.push(b'\n');
    }
    log
}

pub fn zip_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, bytes) in members {
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The same with the sizes behind the contents, as Go's and Java's zip writers do it.
pub fn zip_written_to_a_pipe(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new_stream(Vec::new());
    let options = zip::write::SimpleFileOptions::default();
    for (name, bytes) in members {
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Sets the encryption flag of a member in both of its headers.
pub fn mark_encrypted(zip: &mut [u8], name: &str) {
    for (magic, flags, name_at) in [(b"PK\x03\x04", 6, 30), (b"PK\x01\x02", 8, 46)] {
        for at in 0..zip.len() - 50 {
            if zip[at..].starts_with(magic) && zip[at + name_at..].starts_with(name.as_bytes()) {
                zip[at + flags] |= 1;
            }
        }
    }
}

/// Two entries of the table of contents that lead to the same member.
pub fn overlapping_zip(data: &[u8]) -> Vec<u8> {
    let mut bytes = zip_of(&[("aaaa.log", data), ("bbbb.log", data)]);
    let entries: Vec<usize> = (0..bytes.len() - 4)
        .filter(|&at| bytes[at..].starts_with(b"PK\x01\x02"))
        .collect();
    let first_offset: [u8; 4] = bytes[entries[0] + 42..entries[0] + 46].try_into().unwrap();
    bytes[entries[1] + 42..entries[1] + 46].copy_from_slice(&first_offset);
    bytes
}

/// A tar archive in the making, with names and kinds that tar programs refuse to write.
pub struct Tar(Vec<u8>);

impl Tar {
    pub fn new() -> Self {
        Self(Vec::new())
    }

    pub fn file(mut self, name: &str, contents: &[u8]) -> Self {
        if name.len() > 100 {
            self = self.member("././@LongLink", "", b'L', name.as_bytes());
        }
        self.member(name, "", b'0', contents)
    }

    pub fn link(self, name: &str, target: &str, kind: u8) -> Self {
        self.member(name, target, kind, b"")
    }

    fn member(mut self, name: &str, target: &str, kind: u8, contents: &[u8]) -> Self {
        let mut block = [0_u8; 512];
        let mut put = |at: usize, text: &[u8]| {
            let text = &text[..text.len().min(100)];
            block[at..at + text.len()].copy_from_slice(text);
        };
        put(0, name.as_bytes());
        put(100, b"0000644\0");
        put(108, b"0000000\0");
        put(116, b"0000000\0");
        put(124, format!("{:011o}\0", contents.len()).as_bytes());
        put(136, b"00000000000\0");
        put(156, &[kind]);
        put(157, target.as_bytes());
        put(257, b"ustar\x0000");
        seal(&mut block);
        self.0.extend(block);
        self.0.extend(contents);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    pub fn end(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }
}

/// Overwrites the size that the first header claims.
pub fn claim_size(tar: &mut [u8], octal: &str) {
    let block: &mut [u8; 512] = (&mut tar[..512]).try_into().unwrap();
    block[124..124 + octal.len()].copy_from_slice(octal.as_bytes());
    seal(block);
}

fn seal(block: &mut [u8; 512]) {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|&b| u32::from(b)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}
