//! Zip archives: the table of contents, checked; members are parts of the archive's bytes and are read from there.

use std::io::{self, Read, Seek, SeekFrom};

use zip::{CompressionMethod, ZipArchive};

use super::decompress::Codec;
use super::hold::Blob;

/// Largest table of contents that is read: about a million members.
const MAX_DIRECTORY: u64 = 64 << 20;

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
            Err("encrypted: unpack it with its password and give the result".to_owned())
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
                (_, None) => {
                    Err("lies outside of the archive: the archive is cut or forged".to_owned())
                }
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
