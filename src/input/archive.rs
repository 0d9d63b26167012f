//! From one named thing to the sources inside it: compression is looked through, archives are walked, also nested.

use std::io::{self, Read};

use super::InputOptions;
use super::decompress::{Bytes, Codec, Limits, decoder};
use super::error::Broken;
use super::hold::{Blob, Holder};
use super::member::{Skips, checked, safe_name};
use super::peek::{Peeked, Seen};
use super::sniff::{Encoding, Look};
use super::{tar, zip};
use crate::source::Kind;

/// A source before it has an id.
#[derive(Debug)]
pub struct Found {
    /// Its path; `archive!/member` inside archives.
    pub path: String,
    /// What it is; `Unknown` where it was skipped.
    pub kind: Kind,
    /// Bytes as stored.
    pub bytes: u64,
    /// Where to read it; `None` where it was skipped.
    pub origin: Option<Origin>,
    /// What was wrong with it, and how many times.
    pub problem: Option<(String, u64)>,
    /// When a capture's first packet was seen.
    pub first_packet: Option<i128>,
}

/// How to read a source.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Its stored bytes.
    pub blob: Blob,
    /// Decompressions, outermost first.
    pub layers: Vec<Codec>,
    /// How many of these are not the source's own: an archive's way to store its members, or added to keep a stream.
    pub packing: usize,
    /// How its text is encoded.
    pub encoding: Encoding,
}

/// Walks things and collects what is inside them.
pub struct Unpacker<'o> {
    options: &'o InputOptions,
    holder: Holder,
    /// Unpacked bytes that may still come out of archives.
    total_left: u64,
    /// What was found so far.
    pub found: Vec<Found>,
}

impl<'o> Unpacker<'o> {
    /// An unpacker with the limits of `options`.
    pub const fn new(options: &'o InputOptions) -> Self {
        Self {
            options,
            holder: Holder::new(options.memory),
            total_left: options.max_total,
            found: Vec::new(),
        }
    }

    /// Records something that was skipped.
    pub fn skip(&mut self, path: String, bytes: u64, why: impl Into<String>) {
        self.skip_many(path, bytes, why, 1);
    }

    /// Records several that were skipped for the same reason.
    pub fn skip_many(&mut self, path: String, bytes: u64, why: impl Into<String>, count: u64) {
        self.found.push(Found {
            path,
            kind: Kind::Unknown,
            bytes,
            origin: None,
            problem: Some((why.into(), count)),
            first_packet: None,
        });
    }

    const fn limits(&self) -> Limits {
        Limits {
            ratio: self.options.max_ratio,
            total: self.options.max_total,
        }
    }

    /// Something that can be read again. `layers` are known already (members of zip archives).
    pub fn blob(&mut self, path: String, blob: Blob, layers: Vec<Codec>, depth: u32) {
        let bytes = blob.len();
        let reader = match super::hold::open_through(&blob, &layers, self.limits()) {
            Ok(reader) => reader,
            Err(e) => return self.skip(path, bytes, format!("cannot be opened: {e}")),
        };
        let mut peeked = match Peeked::new(reader) {
            Ok(peeked) => peeked,
            Err(e) => return self.skip(path, bytes, e.to_string()),
        };
        let seen = peeked.look(self.limits());
        match seen.look {
            Look::Useless(why) => self.skip(path, bytes, why),
            Look::Packed(_) => self.skip(path, bytes, seen.too_deep()),
            Look::Source(kind, encoding) => {
                let packing = layers.len();
                let layers = [layers, seen.layers].concat();
                self.found.push(Found {
                    path,
                    kind,
                    bytes,
                    origin: Some(Origin {
                        blob,
                        layers,
                        packing,
                        encoding,
                    }),
                    problem: None,
                    first_packet: first_packet(kind, &seen.head),
                });
            }
            Look::Tar | Look::Zip if depth >= self.options.max_depth => {
                self.skip(path, bytes, self.nested_too_deep());
            }
            Look::Zip if layers.is_empty() && seen.layers.is_empty() => {
                self.zip(&path, &blob, depth);
            }
            Look::Tar if layers.is_empty() && seen.layers.is_empty() => {
                drop(peeked);
                self.plain_tar(&path, &blob, depth);
            }
            Look::Zip | Look::Tar => self.packed_archive(path, bytes, seen, peeked, depth),
        }
    }

    /// Something that can be read only once.
    pub fn stream(&mut self, path: String, bytes: u64, reader: Bytes<'_>, depth: u32) {
        let mut peeked = match Peeked::new(reader) {
            Ok(peeked) => peeked,
            Err(e) => return self.skip(path, bytes, e.to_string()),
        };
        let seen = peeked.look(self.limits());
        match seen.look {
            Look::Useless(why) => self.skip(path, bytes, why),
            Look::Packed(_) => self.skip(path, bytes, seen.too_deep()),
            Look::Tar | Look::Zip if depth >= self.options.max_depth => {
                self.skip(path, bytes, self.nested_too_deep());
            }
            Look::Tar | Look::Zip => self.packed_archive(path, bytes, seen, peeked, depth),
            Look::Source(kind, encoding) => {
                let pack = seen.layers.is_empty();
                let mut raw = peeked.all();
                let Some(kept) = self.keep(&path, bytes, &mut raw, pack) else {
                    return;
                };
                let packing = usize::from(kept.codec.is_some());
                let layers = kept.codec.into_iter().chain(seen.layers).collect();
                self.found.push(Found {
                    path,
                    kind,
                    bytes: kept.bytes,
                    origin: Some(Origin {
                        blob: kept.blob,
                        layers,
                        packing,
                        encoding,
                    }),
                    problem: kept.broken.map(|e| (e.to_string(), 1)),
                    first_packet: first_packet(kind, &seen.head),
                });
            }
        }
    }

    fn nested_too_deep(&self) -> String {
        let depth = self.options.max_depth;
        format!("an archive nested more than {depth} deep (the limit can be raised)")
    }

    /// An archive inside compression: a tar is walked as it streams by, a zip is kept to be read from its end.
    fn packed_archive(
        &mut self,
        path: String,
        bytes: u64,
        seen: Seen,
        peeked: Peeked<'_>,
        depth: u32,
    ) {
        let mut reader = peeked.all();
        for codec in seen.layers {
            reader = match decoder(codec, reader, self.limits()) {
                Ok(reader) => reader,
                Err(e) => return self.skip(path, bytes, e.to_string()),
            };
        }
        if seen.look == Look::Tar {
            self.streamed_tar(&path, bytes, reader, depth);
        } else if let Some(kept) = self.keep(&path, bytes, &mut reader, false) {
            self.zip(&path, &kept.blob, depth);
            if let Some(error) = kept.broken {
                self.skip(path, bytes, error.to_string());
            }
        }
    }

    /// Keeps a stream; `None` (and a reject) for bombs and where nothing could be kept.
    fn keep(
        &mut self,
        path: &str,
        bytes: u64,
        reader: &mut (dyn Read + Send),
        pack: bool,
    ) -> Option<super::hold::Kept> {
        let mut limited = Limited {
            inner: reader,
            left: self.total_left,
            limit: self.options.max_total,
        };
        match self.holder.keep(&mut limited, pack) {
            Ok(kept) => {
                self.total_left -= kept.bytes.min(self.total_left);
                let bomb = kept.broken.as_ref().and_then(Broken::of);
                if let Some(bomb) = bomb.filter(|b| b.is_bomb()) {
                    let why = bomb.to_string();
                    self.skip(path.to_owned(), bytes, why);
                    return None;
                }
                Some(kept)
            }
            Err(e) => {
                self.skip(
                    path.to_owned(),
                    bytes,
                    format!("cannot be kept in a temporary file: {e}"),
                );
                None
            }
        }
    }

    fn zip(&mut self, path: &str, blob: &Blob, depth: u32) {
        let members = match zip::members(blob) {
            Ok(members) => members,
            Err(why) => {
                let members = zip::salvage(blob, self.options.max_total);
                let count = members.len();
                let why = format!(
                    "the zip archive is cut or broken ({why}); {count} members were found from its beginning"
                );
                self.skip(path.to_owned(), blob.len(), why);
                members
            }
        };
        let mut skips = Skips::default();
        for member in members {
            let contents = safe_name(&member.name).and_then(|name| {
                let contents = member.contents?;
                if contents.size > self.total_left {
                    let limit = self.options.max_total;
                    return Err(Broken::Total { limit }.to_string());
                }
                Ok((name, contents))
            });
            match contents {
                Ok((name, contents)) => {
                    self.total_left -= contents.size;
                    let layers = contents.codec.into_iter().collect();
                    self.blob(format!("{path}!/{name}"), contents.blob, layers, depth + 1);
                }
                Err(why) => skips.add(self, path, &member.name, why),
            }
        }
        skips.finish(self, path, blob.len());
    }

    /// A tar whose bytes can be read again: members are parts of it.
    fn plain_tar(&mut self, path: &str, blob: &Blob, depth: u32) {
        let reader = match blob.open() {
            Ok(reader) => io::BufReader::new(reader),
            Err(e) => return self.skip(path.to_owned(), blob.len(), e.to_string()),
        };
        let mut headers = tar::Headers::new(reader);
        let mut skips = Skips::default();
        let stop = loop {
            let member = match headers.next() {
                Ok(Some(member)) => member,
                Ok(None) => break None,
                Err(stop) => break Some(stop),
            };
            match checked(&member) {
                Ok(None) => {}
                Ok(Some(name)) => {
                    let here = blob.len().saturating_sub(member.start).min(member.size);
                    if let Some(part) = blob.part(member.start, here) {
                        self.blob(format!("{path}!/{name}"), part, Vec::new(), depth + 1);
                    }
                }
                Err(why) => skips.add(self, path, &member.name, why),
            }
        };
        skips.finish(self, path, blob.len());
        self.stopped(path, blob.len(), stop);
    }

    /// A tar that passes by once.
    fn streamed_tar(&mut self, path: &str, bytes: u64, reader: Bytes<'_>, depth: u32) {
        let mut headers = tar::Headers::new(reader);
        let mut skips = Skips::default();
        let stop = loop {
            let member = match headers.next() {
                Ok(Some(member)) => member,
                Ok(None) => break None,
                Err(stop) => break Some(stop),
            };
            match checked(&member) {
                Ok(None) => {}
                Ok(Some(name)) => {
                    let contents = Box::new(headers.contents(&member));
                    self.stream(format!("{path}!/{name}"), member.size, contents, depth + 1);
                }
                Err(why) => skips.add(self, path, &member.name, why),
            }
        };
        skips.finish(self, path, bytes);
        self.stopped(path, bytes, stop);
    }

    fn stopped(&mut self, path: &str, bytes: u64, stop: Option<tar::Stop>) {
        let why = match stop {
            None => return,
            Some(tar::Stop::BadHeader(at)) => {
                format!(
                    "the tar archive is broken at byte {at}: no header there; what came before was read"
                )
            }
            Some(tar::Stop::Cut(at)) => {
                format!("the tar archive is cut after byte {at}; what came before was read")
            }
            Some(tar::Stop::Read(e)) => e.to_string(),
        };
        self.skip(path.to_owned(), bytes, why);
    }
}

/// The limit on the sum of what is kept.
struct Limited<'r> {
    inner: &'r mut (dyn Read + Send),
    left: u64,
    limit: u64,
}

impl Read for Limited<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.left = self
            .left
            .checked_sub(n as u64)
            .ok_or(Broken::Total { limit: self.limit })?;
        Ok(n)
    }
}

fn first_packet(kind: Kind, head: &[u8]) -> Option<i128> {
    (kind == Kind::Capture).then(|| super::first_packet::first_packet(head))?
}
