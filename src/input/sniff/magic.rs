//! Binary formats by their magic numbers: captures, archives, and the usual other things in bundles.

use super::{Encoding, Look};
use crate::source::Kind;

/// Magic numbers of captures. pcap: libpcap `sf-pcap.c` (plain, Kuznetzov's modified, nanosecond; both byte orders);
/// pcapng: section header block type, which reads the same in both orders; snoop: RFC 1761.
const CAPTURES: [&[u8]; 8] = [
    &[0xa1, 0xb2, 0xc3, 0xd4],
    &[0xd4, 0xc3, 0xb2, 0xa1],
    &[0xa1, 0xb2, 0xcd, 0x34],
    &[0x34, 0xcd, 0xb2, 0xa1],
    &[0xa1, 0xb2, 0x3c, 0x4d],
    &[0x4d, 0x3c, 0xb2, 0xa1],
    &[0x0a, 0x0d, 0x0d, 0x0a],
    b"snoop\0\0\0",
];

/// What else turns up in bundles, with words that help.
const USELESS: [(&[u8], &str); 27] = [
    (
        b"\x7fELF",
        "looks like an ELF program, library or core dump",
    ),
    (b"MZ", "looks like a Windows program"),
    (b"\x89PNG\r\n\x1a\n", "looks like a PNG image"),
    (b"\xff\xd8\xff", "looks like a JPEG image"),
    (b"GIF8", "looks like a GIF image"),
    (b"%PDF-", "looks like a PDF document"),
    (b"SQLite format 3\0", "looks like an SQLite data base"),
    (b"PAR1", "looks like a Parquet file"),
    (b"wOF2", "looks like a font"),
    (b"\0asm", "looks like a WebAssembly module"),
    (
        b"\xca\xfe\xba\xbe",
        "looks like a Java class or Mach-O program",
    ),
    (b"\xcf\xfa\xed\xfe", "looks like a Mach-O program"),
    (
        b"\0\x05\x16\x07",
        "looks like an AppleDouble file (macOS metadata)",
    ),
    (
        b"7z\xbc\xaf\x27\x1c",
        "looks like a 7z archive, which is not supported: pack it as zip or tar",
    ),
    (
        b"Rar!\x1a\x07",
        "looks like a rar archive, which is not supported: pack it as zip or tar",
    ),
    (
        b"MSCF",
        "looks like a cabinet archive, which is not supported: pack it as zip or tar",
    ),
    (
        b"070701",
        "looks like a cpio archive, which is not supported: pack it as zip or tar",
    ),
    (b"!<arch>\n", "looks like an ar archive or a Debian package"),
    (b"\xed\xab\xee\xdb", "looks like an rpm package"),
    (
        b"\x1f\x9d",
        "looks like a compress (.Z) file, which is not supported: pack it with gzip",
    ),
    (
        b"\x02\x21\x4c\x18",
        "looks like lz4 in its legacy format: pack it with lz4 without -l",
    ),
    (
        b"\x5d\0\0\x80\0",
        "looks like lzma in its old format: pack it as xz",
    ),
    (
        b"LPKSHHRH",
        "looks like a systemd journal file: export it with journalctl --file FILE -o short-iso-precise",
    ),
    (
        b"ElfFile\0",
        "looks like a Windows event log: export it as text",
    ),
    (
        b"GMBU",
        "looks like a Microsoft Network Monitor capture: convert it with editcap",
    ),
    (
        b"RTSS",
        "looks like a Microsoft Network Monitor 1 capture: convert it with editcap",
    ),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "looks like an Office document",
    ),
];

/// What the magic number says, if there is one.
pub fn look(head: &[u8]) -> Option<Look> {
    if CAPTURES.iter().any(|magic| head.starts_with(magic)) {
        return Some(Look::Source(Kind::Capture, Encoding::Bytes));
    }
    if head.starts_with(b"PK\x03\x04")
        || head.starts_with(b"PK\x05\x06")
        || head.starts_with(b"PK\x07\x08")
    {
        return Some(Look::Zip);
    }
    if let Some(block) = head.first_chunk::<512>()
        && super::super::tar::is_header(block)
    {
        return Some(Look::Tar);
    }
    USELESS
        .iter()
        .find(|(magic, _)| head.starts_with(magic) && !is_word(magic, head))
        .map(|&(_, why)| Look::Useless(why))
}

/// Short magic numbers made of letters also begin ordinary text (`MZ` in a message): only a control byte soon
/// after tells.
fn is_word(magic: &[u8], head: &[u8]) -> bool {
    magic.is_ascii()
        && magic.iter().all(u8::is_ascii_graphic)
        && head
            .iter()
            .take(64)
            .all(|&b| b >= b' ' || matches!(b, b'\t' | b'\r' | b'\n'))
        && !magic.starts_with(b"%PDF")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_capture_magic_is_a_capture_however_short_the_file() {
        for magic in CAPTURES {
            for tail in [&b""[..], b"\0\0\0\x1c\0\0\0"] {
                let head = [magic, tail].concat();
                assert_eq!(
                    look(&head),
                    Some(Look::Source(Kind::Capture, Encoding::Bytes)),
                    "{magic:?}"
                );
            }
        }
    }

    #[test]
    fn words_that_begin_like_a_magic_number_are_not_taken_for_it() {
        assert_eq!(look(b"MZ is a postal prefix\n2026 more text\n"), None);
        assert_eq!(look(b"070701 was the order number\n"), None);
        assert!(matches!(look(b"MZ\x90\0\x03\0"), Some(Look::Useless(_))));
        assert!(matches!(look(b"%PDF-1.7\n%text"), Some(Look::Useless(_))));
    }
}
