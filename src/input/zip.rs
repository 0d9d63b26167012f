//! Zip archives: the table of contents, checked; members are parts of the archive's bytes and are read from there.

use std::io::{self, Read, Seek, SeekFrom};

use zip::{CompressionMethod, ZipArchive};

use super::decompress::Codec;
use super::hold::Blob;

/// Largest table of contents that is read: about a million members.
const MAX_DIRECTORY: u64 = 64 << 20;

/// Most members that are looked for in an archive without a table of contents.
const MAX_SALVAGED: usize = 100_000;

const ENCRYPTED: &str = "encrypted: unpack it with its password and give the result";
const OUTSIDE: &str = "lies outside of the archive: the archive is cut or forged";

/// One member.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its name as written; not to be trusted.
    pub name: String,
    /// Its compressed bytes, or why it cannot be read.
    pub contents: Result<Contents, String>,
}

/// Where a member's bytes are.
#[derive(Clone, Debug)]
pub struct Contents {
    /// Compressed bytes.
    pub blob: Blob,
    /// How they are compressed; `None` if stored.
    pub codec: Option<Codec>,
    /// Size when unpacked, as the archive claims.
    pub size: u64,
}

/// Lists the members in archive order, folders left out; an error says why the archive cannot be read at all.
pub fn members(blob: &Blob) -> Result<Vec<Member>, String> {
    let mut reader = blob.open().map_err(|e| e.to_string())?;
    check_directory(&mut reader, blob.len()).map_err(|e| e.to_string())?;
    let mut archive = ZipArchive::new(reader).map_err(|e| e.to_string())?;
    let mut found = Vec::new();
    for index in 0..archive.len() {
        let Ok(file) = archive.by_index_raw(index) else {
            found.push(Member {
                name: format!("member {}", index + 1),
                contents: Err("its header is broken".to_owned()),
            });
            continue;
        };
        if file.is_dir() {
            continue;
        }
        let name = String::from_utf8_lossy(file.name_raw()).into_owned();
        let method = file.compression();
        let codec = match method {
            CompressionMethod::Stored => Ok(None),
            CompressionMethod::Deflated => Ok(Some(Codec::Deflate)),
            CompressionMethod::Bzip2 => Ok(Some(Codec::Bzip2)),
            CompressionMethod::Zstd => Ok(Some(Codec::Zstd)),
            other => Err(format!(
                "compressed by a method that is not supported ({other})"
            )),
        };
        let range = file
            .data_start()
            .and_then(|start| blob.part(start, file.compressed_size()));
        let contents = if file.encrypted() {
            Err(ENCRYPTED.to_owned())
        } else if file.is_symlink() {
            Err("a symbolic link".to_owned())
        } else {
            match (codec, range) {
                (Ok(codec), Some(blob)) => Ok(Contents {
                    blob,
                    codec,
                    size: file.size(),
                }),
                (Err(why), _) => Err(why),
                (_, None) => Err(OUTSIDE.to_owned()),
            }
        };
        found.push(Member { name, contents });
    }
    reject_overlaps(&mut found);
    Ok(found)
}

/// Members that share bytes are how small zip files expand to petabytes (Fifield, "A better zip bomb", 2019).
fn reject_overlaps(members: &mut [Member]) {
    let mut ranges: Vec<(u64, u64, usize)> = members
        .iter()
        .enumerate()
        .filter_map(|(i, m)| {
            let blob = &m.contents.as_ref().ok()?.blob;
            Some((blob.start(), blob.start() + blob.len(), i))
        })
        .filter(|(start, end, _)| start < end)
        .collect();
    ranges.sort_unstable();
    let mut end_so_far = 0;
    let mut overlapping = Vec::new();
    for &(start, end, index) in &ranges {
        if start < end_so_far {
            overlapping.push(index);
        }
        end_so_far = end_so_far.max(end);
    }
    for index in overlapping {
        members[index].contents =
            Err("shares its bytes with another member, which looks like a zip bomb".to_owned());
    }
}

/// The members that can be found without the table of contents, by the headers in front of them (APPNOTE.TXT 4.3.7):
/// what is left of an archive whose end is missing. The last one may be cut.
pub fn salvage(blob: &Blob, max_total: u64) -> Vec<Member> {
    let mut found = Vec::new();
    let mut at = 0;
    while found.len() < MAX_SALVAGED
        && let Some((member, next)) = local_member(blob, at, max_total)
    {
        if !member.name.ends_with('/') {
            found.push(member);
        }
        at = next;
    }
    found
}

/// The member whose header is at `at`, and where the next header is expected.
fn local_member(blob: &Blob, at: u64, max_total: u64) -> Option<(Member, u64)> {
    let header = read_part(blob, at, 30)?;
    let half = |i: usize| u16::from_le_bytes([header[i], header[i + 1]]);
    let word = |i: usize| u64::from(half(i)) | u64::from(half(i + 2)) << 16;
    if !header.starts_with(b"PK\x03\x04") {
        return None;
    }
    let name_len = u64::from(half(26));
    let name = read_part(blob, at + 30, name_len)?;
    let start = at + 30 + name_len + u64::from(half(28));
    let rest = blob.len().checked_sub(start)?;
    let codec = match half(8) {
        0 => Ok(None),
        8 => Ok(Some(Codec::Deflate)),
        12 => Ok(Some(Codec::Bzip2)),
        93 => Ok(Some(Codec::Zstd)),
        other => Err(format!(
            "compressed by a method that is not supported ({other})"
        )),
    };
    let (flags, claimed, size) = (half(6), word(18), word(22));
    // Written to a pipe: the sizes stand behind the contents.
    let behind = flags & 8 != 0 && claimed == 0;
    let len = match codec {
        Ok(Some(Codec::Deflate)) if behind => deflated_len(blob, start, max_total),
        _ if behind || claimed == u64::from(u32::MAX) => rest,
        _ => claimed.min(rest),
    };
    let contents = if flags & 1 != 0 {
        Err(ENCRYPTED.to_owned())
    } else {
        codec.and_then(|codec| {
            let blob = blob.part(start, len).ok_or_else(|| OUTSIDE.to_owned())?;
            let size = if behind { len } else { size };
            Ok(Contents { blob, codec, size })
        })
    };
    let name = String::from_utf8_lossy(&name).into_owned();
    let mut next = start + len;
    if behind {
        // The sizes behind the contents: 12 or 20 bytes, with or without their own magic number.
        let skipped = [12, 16, 20, 24]
            .into_iter()
            .find(|n| read_part(blob, next + n, 4).is_some_and(|m| m == *b"PK\x03\x04"));
        next += skipped.unwrap_or(0);
    }
    Some((Member { name, contents }, next))
}

/// How long a deflate stream is: only unpacking it tells.
fn deflated_len(blob: &Blob, start: u64, max_total: u64) -> u64 {
    let rest = blob.len() - start;
    let Some(reader) = blob.part(start, rest).and_then(|b| b.open().ok()) else {
        return rest;
    };
    let mut decoder = flate2::bufread::DeflateDecoder::new(io::BufReader::new(reader));
    match io::copy(&mut (&mut decoder).take(max_total), &mut io::sink()) {
        Ok(_) => decoder.total_in().min(rest),
        Err(_) => rest,
    }
}

fn read_part(blob: &Blob, at: u64, len: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut reader = blob.part(at, len)?.open().ok()?;
    reader.read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 == len).then_some(bytes)
}

/// Looks up the size of the table of contents before anybody allocates for it (APPNOTE.TXT 4.3.16 and 4.3.14).
fn check_directory(reader: &mut (impl Read + Seek), len: u64) -> io::Result<()> {
    let tail_len = len.min(66_000);
    reader.seek(SeekFrom::Start(len - tail_len))?;
    let mut tail = Vec::new();
    reader.take(tail_len).read_to_end(&mut tail)?;
    reader.seek(SeekFrom::Start(0))?;
    let too_large = memchr::memmem::rfind_iter(&tail, b"PK\x05\x06").any(|at| {
        let size = tail.get(at + 12..at + 16).and_then(|b| b.try_into().ok());
        size.map(u32::from_le_bytes)
            .is_some_and(|n| n != u32::MAX && u64::from(n) > MAX_DIRECTORY)
    }) || memchr::memmem::rfind_iter(&tail, b"PK\x06\x06").any(|at| {
        let size = tail.get(at + 40..at + 48).and_then(|b| b.try_into().ok());
        size.map(u64::from_le_bytes)
            .is_some_and(|n| n > MAX_DIRECTORY)
    });
    if too_large {
        return Err(io::Error::other("its table of contents is too large"));
    }
    Ok(())
}
